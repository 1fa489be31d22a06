"""Shopify: the custom pixel tells the collector what happened, and never a purchase."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from adapters.sources.shopify import adapter
from bridge.events import event_id

from .shop import order

COLLECT_URL = "https://capi.example.com/collect/a1b2c3"
SANDBOX = Path(__file__).parent / "pixel_sandbox.mjs"
GRANTED = {"marketingAllowed": True, "saleOfDataAllowed": True}
DENIED = {"marketingAllowed": False, "saleOfDataAllowed": False}
COOKIES = {
    "_fbp": "fb.1.1795166067000.1594873326",
    "_fbc": "fb.1.1795423767000.IwY2xjaw",
    "cart": "Z2NwLWV1cm9wZQ%3Fkey%3DSECRET",
}
GRANTED_AT = 1795423777000
STORED = {"capi_bridge_consent_at": str(GRANTED_AT)}
VARIANT = {
    "id": "gid://shopify/ProductVariant/47112233440001",
    "sku": "LH-M-SAND",
    "price": {"amount": 34.9, "currencyCode": "EUR"},
    "product": {"id": 8912345670001, "title": "Leinenhemd"},
}
CHECKOUT = {
    "token": "1483d7a598ac5d960c71f2731a0ce76f",
    "currencyCode": "EUR",
    "totalPrice": {"amount": 69.8},
    "email": "anna.muster@example.com",
    "order": {"id": "gid://shopify/OrderIdentity/6104532287601"},
    "lineItems": [{"quantity": 2, "variant": VARIANT}],
}


def event(href: str = "https://www.example.com/products/hemd", **data: object) -> dict:
    return {
        "id": "sh-42",
        "timestamp": "2026-11-23T09:08:27.580Z",
        "context": {"document": {"location": {"href": href}}},
        "data": data,
    }


@pytest.fixture
def run(tool):
    """Return a function that lets things happen in the pixel's sandbox."""
    node = tool("node")

    def happen(*happenings, cookies=COOKIES, privacy=GRANTED, stored=STORED) -> dict:
        given = {
            "stored": stored,
            "script": adapter.browser_script(COLLECT_URL),
            "cookies": cookies,
            "privacy": privacy,
            "happenings": happenings,
        }
        run = subprocess.run(
            [node, SANDBOX], input=json.dumps(given), capture_output=True, text=True, timeout=60
        )
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    return happen


@pytest.fixture
def told(run):
    """Return a function that gives the body of the one post that *happenings* lead to."""

    def body(*happenings, **given) -> dict:
        [post] = run(*happenings, **given)["posted"]
        return post["body"]

    return body


def test_the_script_holds_the_collectors_address_once():
    script = adapter.browser_script('https://capi.example.com/collect/"</script>')

    assert r"""const COLLECT_URL = "https://capi.example.com/collect/\"</script>";""" in script
    assert "bridge.example" not in script


def test_a_post_needs_no_preflight_and_outlives_the_page(run):
    [post] = run(["checkout_started", event(checkout=CHECKOUT)])["posted"]

    assert post["url"] == COLLECT_URL
    assert (post["method"], post["mode"], post["keepalive"]) == ("POST", "no-cors", True)
    assert post["headers"] == {"Content-Type": "text/plain"}


def test_the_visitor_has_the_keys_of_the_order(told):
    visitor = told(["checkout_started", event(checkout=CHECKOUT)])["visitor"]

    purchase = order(cart_token="Z2NwLWV1cm9wZQ", checkout_token=CHECKOUT["token"])
    assert visitor == {
        "keys": list(purchase.visitor_keys),
        "fbp": COOKIES["_fbp"],
        "fbc": COOKIES["_fbc"],
        "url": "https://www.example.com/products/hemd",
        "consent": {"marketing": True, "sale_of_data": True, "at": GRANTED_AT},
    }


@pytest.mark.parametrize(
    ("name", "event_name", "occasion"),
    [
        ("checkout_started", "InitiateCheckout", "checkout_started"),
        ("payment_info_submitted", "AddPaymentInfo", "payment_info_added"),
    ],
)
def test_the_id_of_a_checkout_is_that_of_its_webhook(told, name, event_name, occasion):
    [event_told] = told([name, event(checkout=CHECKOUT)])["events"]

    assert event_told["event_name"] == event_name
    assert event_told["event_id"] == event_id(occasion, CHECKOUT["token"])
    assert event_told["event_time"] == 1795424907
    assert event_told["custom_data"] == {
        "value": 69.8,
        "currency": "EUR",
        "contents": [
            {
                "product_id": "8912345670001",
                "variant_id": "47112233440001",
                "sku": "LH-M-SAND",
                "quantity": 2,
                "item_price": 34.9,
            }
        ],
    }


def test_what_was_added_is_worth_its_own_price_and_not_the_carts(told):
    line = {"quantity": 3, "merchandise": VARIANT, "cost": {"totalAmount": {"amount": 999}}}

    [added] = told(["product_added_to_cart", event(cartLine=line)])["events"]

    assert (added["event_name"], added["event_id"]) == ("AddToCart", "cart.sh-42")
    assert (added["custom_data"]["value"], added["custom_data"]["currency"]) == (104.7, "EUR")


def test_views_and_searches_have_the_browsers_ids(told):
    [seen] = told(["product_viewed", event(productVariant=VARIANT)])["events"]
    [sought] = told(["search_submitted", event(searchResult={"query": "hemd"})])["events"]

    assert (seen["event_name"], seen["event_id"]) == ("ViewContent", "ViewContent.sh-42")
    assert (sought["event_name"], sought["event_id"]) == ("Search", "Search.sh-42")
    assert sought["custom_data"] == {"search_string": "hemd"}


def test_a_search_for_an_address_is_not_repeated(told):
    query = {"query": "anna.muster@example.com"}

    [sought] = told(["search_submitted", event(searchResult=query)])["events"]

    assert sought["custom_data"] == {}


def test_a_completed_checkout_tells_who_it_was_and_no_purchase(told):
    body = told(["checkout_completed", event(checkout=CHECKOUT)])

    assert body["events"] == []
    assert f"checkout:{CHECKOUT['token']}" in body["visitor"]["keys"]


def test_nothing_personal_is_read_from_the_checkout(told):
    body = told(["checkout_started", event(checkout=CHECKOUT)])

    assert "anna" not in json.dumps(body)
    assert "6104532287601" not in json.dumps(body)


@pytest.mark.parametrize(
    ("href", "page"),
    [
        ("https://www.example.com/products/hemd?utm_source=fb&email=a%40b.example#x",
         "https://www.example.com/products/hemd?utm_source=fb"),
        ("https://www.example.com/checkouts/cn/TOKEN/information", "https://www.example.com/"),
        ("https://www.example.com/71234567890/invoices/TOKEN", "https://www.example.com/"),
        ("https://www.example.com/de/cart", "https://www.example.com/"),
        ("about:blank", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_page_is_told_without_what_is_private(told, href, page):
    [seen] = told(["product_viewed", event(href, productVariant=VARIANT)])["events"]

    assert seen.get("event_source_url") == page


def test_a_refusal_is_handed_on_and_nothing_else(told):
    body = told(["checkout_started", event(checkout=CHECKOUT)], privacy=DENIED)

    assert body["events"] == []
    assert body["visitor"] == {
        "keys": ["cart:Z2NwLWV1cm9wZQ", f"checkout:{CHECKOUT['token']}"],
        "consent": {"marketing": False, "sale_of_data": False},
    }


def test_a_refusal_forgets_the_grant(run):
    seen = ["product_viewed", event(productVariant=VARIANT)]

    assert run(seen, privacy=DENIED)["stored"] == {}


def test_a_grant_dates_from_when_it_was_first_seen(run):
    seen = ["product_viewed", event(productVariant=VARIANT)]

    said = run(seen, seen, stored={})

    times = {post["body"]["visitor"]["consent"]["at"] for post in said["posted"]}
    assert times == {int(said["stored"]["capi_bridge_consent_at"])}
    assert times.pop() > 1_700_000_000_000


def test_a_grant_that_was_taken_back_meanwhile_dates_from_when_it_was_given_again(run):
    seen = ["product_viewed", event(productVariant=VARIANT)]
    no, yes = (["visitorConsentCollected", {"customerPrivacy": said}] for said in (DENIED, GRANTED))

    before, after = run(seen, no, yes, seen)["posted"]

    assert before["body"]["visitor"]["consent"]["at"] == GRANTED_AT
    assert after["body"]["visitor"]["consent"]["at"] > time.time() * 1000 - 300_000


def test_a_post_tells_the_browsers_own_clock(told):
    body = told(["checkout_completed", event(checkout=CHECKOUT)])

    assert abs(body["sent_at"] - time.time() * 1000) < 300_000


def test_without_storage_a_grant_dates_from_now(run):
    [post] = run(["product_viewed", event(productVariant=VARIANT)], stored=None)["posted"]

    assert post["body"]["visitor"]["consent"]["at"] > 1_700_000_000_000


def test_where_nobody_was_asked_no_consent_is_told(told):
    body = told(["product_viewed", event(productVariant=VARIANT)], privacy={})

    assert body["visitor"]["consent"] == {}
    assert len(body["events"]) == 1


def test_a_refusal_without_a_key_is_not_told(run):
    seen = ["product_viewed", event(productVariant=VARIANT)]

    assert run(seen, cookies={}, privacy=DENIED)["posted"] == []


def test_consent_given_later_counts_from_then_on(run):
    seen = ["product_viewed", event(productVariant=VARIANT)]
    asked = ["visitorConsentCollected", {"customerPrivacy": GRANTED}]

    posted = run(seen, asked, seen, privacy=DENIED)["posted"]

    assert [len(post["body"]["events"]) for post in posted] == [0, 1]


@pytest.mark.parametrize("name", ["product_viewed", "product_added_to_cart", "checkout_started"])
@pytest.mark.parametrize("data", [{}, {"checkout": None, "cartLine": None}])
def test_an_event_without_its_data_breaks_nothing(run, name, data):
    posted = run([name, event(**data)], cookies={"cart": "%E0%A4%A"}, privacy=None)["posted"]

    assert all(post["body"]["visitor"]["keys"] == [] for post in posted)
