"""The storefront script, run under node: what it posts is what the collector reads."""

import json
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.events import Event, UserData, Visitor
from bridge.visitors import read_collected

PAGE = Path(__file__).parent / "storefront.mjs"
SCRIPT = Path(__file__).parents[3] / "bridge" / "web" / "static" / "collect.js"
URL = "https://bridge.example/collect/KEY"
FBP, FBC = "fb.1.1795166067000.77", "fb.1.1795423767000.IwY2"
COOKIE = f"_ga=1; _fbp={FBP}; x_fbc=no; _fbc={FBC}"
HREF = "https://shop.example/mugs?email=a@example.com&utm_source=fb&fbclid=IwY2#top"
TOKEN = "cart:7b1f6e0c94d84a35b2e8c1d07f3a9652"


@pytest.fixture
def run(tool):
    """Return a function that makes *calls* on a page, and gives what came of them."""
    node = tool("node")

    def page(*calls, cookie=COOKIE, href=HREF, stored=()):
        given = {
            "script": SCRIPT.read_text("utf-8"),
            "cookie": cookie,
            "href": href,
            "stored": None if stored is None else dict(stored),
            "calls": calls,
        }
        done = subprocess.run(
            [node, PAGE], input=json.dumps(given), capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return page


@pytest.fixture
def bodies(run):
    """Return a function that gives the bodies that *calls* post."""
    return lambda *calls, **given: [post["body"] for post in run(*calls, **given)["posted"]]


def read(body):
    """Return what the collector makes of a body that the script posted."""
    headers = {"ip": "203.0.113.7", "user-agent": "Mozilla/5.0"}
    return list(
        read_collected(json.dumps(body).encode(), headers, datetime.now(UTC), keep_unknown=False)
    )


def test_a_post_needs_no_preflight_and_outlives_the_page(run):
    [post] = run(["track", "Contact"])["posted"]

    assert post["url"] == URL
    assert (post["method"], post["mode"], post["keepalive"]) == ("POST", "no-cors", True)
    assert post["headers"] == {"Content-Type": "text/plain"}
    assert post.get("credentials") is None


def test_a_visitor_who_says_yes_is_told_with_cookies_page_and_tokens(bodies):
    *_, last = bodies(["consent", True], ["keys", TOKEN, TOKEN])
    [visitor] = read(last)

    assert isinstance(visitor, Visitor)
    assert visitor.keys == (TOKEN,)
    assert visitor.consent.marketing is True
    assert abs(visitor.consent.at - datetime.now(UTC)) < timedelta(minutes=5)
    assert visitor.event_source_url == "https://shop.example/mugs?utm_source=fb"
    assert visitor.user_data == UserData(
        client_ip_address="203.0.113.7", client_user_agent="Mozilla/5.0", fbp=FBP, fbc=FBC
    )


def test_what_happens_is_told_with_an_id_that_the_page_gets_too(run):
    data = {"value": 12.5, "currency": "EUR", "contents": [{"id": "7", "quantity": 2}]}
    done = run(["consent", True], ["track", "ViewContent", data], ["track", "Search", {}, "s-1"])
    [event] = read(done["posted"][1]["body"])

    assert isinstance(event, Event)
    assert done["returned"][1:] == ["ViewContent.uuid-1", "Search.s-1"]
    assert event.event_id == "ViewContent.uuid-1"
    assert str(event.basket.amounts.total) == "12.5"
    assert event.basket.contents[0].variant_id == "7"
    assert abs(event.event_time.timestamp() - time.time()) < 300
    assert event.consent.marketing is True


def test_a_grant_dates_from_the_page_on_which_it_was_first_given(run):
    before = time.time() * 1000
    first = run(["consent", True], stored={})
    [post] = run(["consent", True], stored={"capi_bridge_consent_at": "1795423777000"})["posted"]

    [told] = first["posted"]
    assert (
        str(told["body"]["visitor"]["consent"]["at"]) == first["stored"]["capi_bridge_consent_at"]
    )
    assert told["body"]["visitor"]["consent"]["at"] > before - 1
    assert post["body"]["visitor"]["consent"]["at"] == 1795423777000


def test_a_refusal_forgets_when_the_grant_was_given(run):
    done = run(["consent", False], ["consent", True], stored={"capi_bridge_consent_at": "1"})

    assert done["posted"][-1]["body"]["visitor"]["consent"]["at"] > 1_700_000_000_000


def test_a_page_without_storage_tells_all_the_same(bodies):
    no, yes = bodies(["keys", TOKEN], ["consent", False], ["consent", True], stored=None)[1:]

    assert no["visitor"]["consent"]["marketing"] is False
    assert yes["visitor"]["consent"]["at"] > 1_700_000_000_000


def test_of_a_visitor_who_says_no_only_that_is_told(bodies):
    told = bodies(["keys", TOKEN], ["consent", False], ["track", "ViewContent", {"value": 1}])

    for body in told[1:]:
        assert body["events"] == []
        assert body["visitor"].keys() == {"keys", "consent"}
        assert body["visitor"]["consent"]["marketing"] is False


def test_a_visitor_who_says_no_and_has_no_token_tells_nothing(bodies):
    assert bodies(["consent", False], ["track", "ViewContent"]) == []


def test_without_a_word_of_consent_none_is_told(bodies):
    [body] = bodies(["track", "Contact"])

    assert body["visitor"]["consent"] == {}
    [event] = read(body)
    assert event.consent is None
    assert event.user_data == UserData()


def test_of_the_pages_address_only_campaign_marks_stay(bodies):
    [body] = bodies(["track", "Contact"], href="https://shop.example/a?key=secret#token")

    assert (
        body["visitor"]["url"] == body["events"][0]["event_source_url"] == "https://shop.example/a"
    )


@pytest.mark.parametrize("cookie", ["", "_fbpx=1; my_fbp=2", "_fbp="])
def test_a_cookie_that_is_not_there_is_not_told(bodies, cookie):
    [body] = bodies(["consent", True], cookie=cookie)

    assert not {"fbp", "fbc"} & {name for name, value in body["visitor"].items() if value}


def test_so_many_tokens_are_told_and_no_more(bodies):
    *_, last = bodies(*[["keys", f"visit:{number:012}x"] for number in range(12)])

    assert len(last["visitor"]["keys"]) == 8


def test_the_script_is_small_and_names_its_address_once():
    text = SCRIPT.read_text("utf-8")

    assert len(text) < 4_000
    assert text.count(URL) == 1
