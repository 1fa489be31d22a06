"""Each warning: what is taken with a 200 and yet counts for nothing."""

import hashlib

import pytest


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def warnings(sandbox, post, event):
    """Post one event and return its warnings; it must be accepted."""

    def send(user=None, custom=None, **changes):
        sound = event()
        user_data = sound["user_data"] | (user or {})
        custom_data = sound["custom_data"] | (custom or {})
        sent = event(**{"user_data": user_data, "custom_data": custom_data} | changes)
        assert post(sent).status_code == 200
        return list(sandbox.accepted()[-1]["warnings"])

    return send


def test_a_full_sound_event_has_no_warning(warnings):
    user = {
        "ph": [sha256("16505551212")],
        "ge": sha256("f"),
        "country": [sha256("us"), sha256("gb") + ".AQICAQMC"],
        "external_id": ["42"],
        "client_ip_address": "2001:db8::7",
        "fbp": "fb.1.1596403881668.1098115397",
        "fbc": "fb.1.1596403881668.AbCdEf_-.AQICAQMC",
    }
    contents = [{"id": "1", "quantity": 1, "item_price": 10}]
    custom = {"content_ids": ["1"], "contents": contents, "order_id": "1001"}

    assert warnings(user=user, custom=custom) == []


@pytest.mark.parametrize(
    ("key", "value", "word"),
    [
        ("fn", "mary", "64 lower-case hex"),
        ("em", hashlib.md5(b"x").hexdigest(), "64 lower-case hex"),
        ("em", sha256("x").upper(), "64 lower-case hex"),
        ("ph", [sha256("x"), None], "64 lower-case hex"),
        ("ct", sha256(""), "empty value"),
        ("ln", [sha256("null")], "empty value"),
        ("country", sha256("US"), "not normalised"),
        ("country", sha256("usa"), "not normalised"),
        ("ge", sha256("female"), "not normalised"),
        ("fbp", "1596403881668.1098115397", "milliseconds"),
        ("fbc", "fb.1.1596403881.AbC", "milliseconds"),
        ("fbc", "fb.1.1596403881668.a b", "milliseconds"),
        ("client_ip_address", "300.1.1.1", "IP address"),
        ("client_ip_address", 7, "IP address"),
        ("email", sha256("x"), "no such match key"),
    ],
)
def test_a_match_key_that_cannot_match_is_told(warnings, key, value, word):
    (warning,) = warnings(user={key: value})

    assert key in warning
    assert word in warning


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("currency", "eur", "upper-case"),
        ("value", "12.50", "text"),
        ("value", -1, "negative"),
        ("content_ids", [1, 2], "list of texts"),
        ("content_ids", '["1"]', "list of texts"),
        ("contents", [{"id": 1}], "not a text"),
        ("contents", '[{"id":"1"}]', "list of objects"),
        ("search_string", "to john@example.com", "e-mail"),
    ],
)
def test_custom_data_that_counts_for_less_is_told(warnings, name, value, word):
    (warning,) = warnings(custom={name: value})

    assert name in warning
    assert word in warning


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"event_source_url": None}, "event_source_url is required"),
        ({"event_source_url": "shop.example"}, "not a web address"),
        ({"event_source_url": "https://s.example/t?email=a%40b.c"}, "personal data"),
        ({"event_source_url": "https://s.example/order/9/?key=wc_order_x"}, "personal data"),
        ({"event_source_url": "https://s.example/1/orders/" + "ab12" * 8}, "personal data"),
        ({"referrer_url": "https://s.example/?phone=1"}, "referrer_url"),
        ({"event_id": None}, "deduplicated"),
        ({"event_time": "1795435200"}, "text"),
        ({"event_url": "x"}, "event_url"),
        ({"data_processing_options": ["LDU"]}, "country and a state"),
        ({"event_name": "Lead", "custom_data": "x"}, "not an object"),
    ],
)
def test_an_event_that_counts_for_less_is_told(warnings, changes, word):
    (warning,) = warnings(**changes)

    assert word in warning


def test_a_website_event_without_a_user_agent_is_told(warnings):
    (warning,) = warnings(user_data={"em": sha256("x")})

    assert "client_user_agent is required" in warning


def test_a_store_event_needs_neither_page_nor_browser(warnings):
    store = {"action_source": "physical_store", "event_source_url": None}

    assert warnings(**store, user_data={"em": sha256("x")}) == []


@pytest.mark.parametrize(("code", "told"), [("TEST12345", False), ("test", True)])
def test_a_test_code_of_an_odd_form_is_told(sandbox, post, event, code, told):
    post(event(), test_event_code=code)

    assert sandbox.accepted()[0]["test_event_code"] == code
    assert bool(sandbox.accepted()[0]["warnings"]) is told


def test_a_token_in_the_url_is_told(sandbox, http, event):
    http.post(f"{sandbox.url}/v26.0/1/events?access_token=EAAsecret", json={"data": [event()]})

    assert "token was in the URL" in sandbox.accepted()[0]["warnings"][0]
    assert "EAAsecret" not in str(sandbox.as_json())


def test_warnings_hold_no_values(warnings):
    told = warnings(
        user={"fn": "Valentina", "client_ip_address": "Valentina"},
        custom={"note": "valentina@example.com", "currency": "Valentina"},
        event_source_url="https://s.example/?name=Valentina",
    )

    assert len(told) == 5
    assert "valentina" not in str(told).lower()
