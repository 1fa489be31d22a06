"""Shopify: what the browser handed on in the order, and what is never handed on."""

from datetime import UTC, datetime

import pytest

from .shop import ABSENT, DENIED, GRANTED, attributes, order

SHOP = {"storefront_url": "https://www.example.com/de"}
SECRETS = ("key=", "authenticate", "980aab6ae4bc13d2a43a6ada27069128", "f552cc5023d8319a")


def landed(landing_site: object) -> str | None:
    return order(settings=SHOP, landing_site=landing_site).event_source_url


def consent(**values: str):
    return order(note_attributes=attributes(**values)).consent


@pytest.mark.parametrize(
    ("landing_site", "url"),
    [
        ("/products/hemd?utm_source=fb&fbclid=Iw1&utm_medium=paid&gclid=2",
         "https://www.example.com/products/hemd?utm_source=fb&utm_medium=paid"),
        ("/products/hemd#reviews", "https://www.example.com/products/hemd"),
        ("https://old.example/products/hemd?utm_id=7",
         "https://www.example.com/products/hemd?utm_id=7"),
        ("/?utm_content=anna%40example.com&utm_term=a%2540b&utm_id=7",
         "https://www.example.com/?utm_id=7"),
        ("/account/reset/123/TOKEN", "https://www.example.com/"),
        ("/de-at/orders/TOKEN?key=1", "https://www.example.com/"),
        ("/71234567890/invoices/TOKEN", "https://www.example.com/"),
        ("/cart/c/TOKEN?key=1", "https://www.example.com/"),
        ("/check%6Futs/cn/TOKEN", "https://www.example.com/"),
        ("/pages/anna@example.com", "https://www.example.com/"),
        ("/a b", "https://www.example.com/"),
        ("/\ud800", "https://www.example.com/"),
        ("products", "https://www.example.com/"),
        ("/" + "x" * 1_000_000, "https://www.example.com/"),
        ("/" + "x" * 3_000, "https://www.example.com/"),
        ("", "https://www.example.com/"),
        (None, "https://www.example.com/"),
        (["/"], "https://www.example.com/"),
    ],
)  # fmt: skip
def test_the_landing_page_is_told_without_what_is_private(landing_site, url):
    assert landed(landing_site) == url


def test_of_the_status_page_only_the_origin_is_told():
    event = order()

    assert event.event_source_url == "https://nordlicht-studio.example/"
    assert not any(secret in repr(event) for secret in SECRETS)


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "https://shopify.com/71234567890/account/orders/1",
        "https://account.shopify.com/1",
        "http://[::1",
        "javascript:alert(1)",
        "https://name:password@example.com/",
        "/orders/1",
        7,
    ],
)
def test_a_status_page_that_is_not_the_shops_tells_no_page(address):
    assert order(order_status_url=address).event_source_url is None


def test_a_storefront_that_is_no_web_address_is_not_used():
    event = order(settings={"storefront_url": "www.example.com"})

    assert event.event_source_url == "https://nordlicht-studio.example/"


@pytest.mark.parametrize(
    ("referrer", "told"),
    [
        ("https://l.facebook.com/l.php?u=secret", "https://l.facebook.com/"),
        ("http://example.org", "http://example.org/"),
        ("android-app://com.google.android.gm", None),
        ("", None),
        (None, None),
    ],
)
def test_of_the_referrer_only_the_origin_is_told(referrer, told):
    assert order(referring_site=referrer).referrer_url == told


def test_the_click_id_is_read_from_the_landing_page():
    person = order(landing_site="/?a=1&fbclid=IwAR_1-2&b").user_data

    assert person.fbclid == "IwAR_1-2"
    assert person.fbclid_at == datetime(2026, 11, 23, 9, 14, 27, tzinfo=UTC)


@pytest.mark.parametrize("query", ["/", "/?fbclid=", "/?fbclid=a%20b", "/?xfbclid=1", "/#fbclid=1"])
def test_without_a_sound_click_id_there_is_none(query):
    person = order(landing_site=query).user_data

    assert (person.fbclid, person.fbclid_at) == (None, None)


@pytest.mark.parametrize(
    "value", ["fb.1.x.1", "fb.9.1795166067000.1", "fb.1.1795166067000.<b>", "x" * 10_000, " "]
)
def test_odd_browser_ids_are_left_out(value):
    person = order(note_attributes=attributes(_fbp=value, _fbc=value)).user_data

    assert (person.fbp, person.fbc) == (None, None)


def test_browser_ids_under_private_names_are_read():
    hidden = attributes(__fbp="fb.1.1795166067000.1", __fbc="fb.1.1795166067000.Iw_1")

    person = order(note_attributes=hidden).user_data

    assert (person.fbp, person.fbc) == ("fb.1.1795166067000.1", "fb.1.1795166067000.Iw_1")


def test_the_browsers_own_address_comes_first_and_no_agent_is_invented():
    shop = order(client_details={"browser_ip": None}, browser_ip="203.0.113.9").user_data

    assert (shop.client_ip_address, shop.client_user_agent) == ("203.0.113.9", None)
    assert order(browser_ip="203.0.113.9").user_data.client_ip_address.startswith("2001:db8:")


def test_visitor_keys_are_the_tokens_without_their_keys():
    event = order(cart_token="c1-abc?key=SECRET", checkout_token="t1")

    assert event.visitor_keys == ("cart:c1-abc", "checkout:t1")
    assert order(cart_token=None, checkout_token=ABSENT).visitor_keys == ()
    assert order(cart_token="?key=SECRET", checkout_token="a b").visitor_keys == ()


@pytest.mark.parametrize("name", ["_meta_event_id", "__meta_event_id"])
def test_an_order_that_carries_an_event_id_keeps_it(name):
    assert order(note_attributes=attributes(**{name: "order-7"})).event_id == "order-7"
    assert order(note_attributes=attributes(**{name: "a b"})).event_id is None


def test_consent_is_read_with_its_time_and_source():
    said = consent(
        __capi_consent="v1; marketing=1;analytics=1;sale=0;preferences=0;ts=1795423777000"
    )

    assert (said.marketing, said.sale_of_data) == (True, False)
    assert said.at == datetime(2026, 11, 23, 8, 49, 37, tzinfo=UTC)
    assert said.source == "note_attributes:__capi_consent"


def test_leave_to_send_mail_is_no_consent():
    assert order(note_attributes=[], buyer_accepts_marketing=True).consent is None


@pytest.mark.parametrize(
    "value", ["", "v2;marketing=1", "marketing=1", "v1", "v1;marketing=yes;sale=", "v1;analytics=1"]
)
def test_what_is_no_consent_string_says_nothing(value):
    assert consent(_capi_consent=value) is None


def test_the_newest_consent_counts():
    older = GRANTED.replace("1795423777000", "1795000000000")

    assert consent(_capi_consent=older, __capi_consent=DENIED).marketing is False
    assert (
        consent(_capi_consent=DENIED.replace("1795423777000", "1795000000000"),
                __capi_consent=GRANTED).marketing
        is True
    )  # fmt: skip


def test_a_denial_wins_where_times_do_not_decide():
    assert consent(_capi_consent=GRANTED, __capi_consent=DENIED).marketing is False
    assert consent(_capi_consent="v1;marketing=0", __capi_consent=GRANTED).marketing is False
    assert consent(_capi_consent="v1;marketing=0;marketing=1").marketing is False
