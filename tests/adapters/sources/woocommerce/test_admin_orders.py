"""WooCommerce's admin: the shop's own list of orders, and what is checked."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from adapters.sources.woocommerce import adapter
from bridge.events import ShopError
from tests.fakes.shop import FakeShop
from tests.fakes.woocommerce_rest import START, WooCommerceFake

admin = adapter.admin


@pytest.fixture
def woo():
    with WooCommerceFake() as fake:
        yield fake


@pytest.fixture
def shop(woo):
    return FakeShop({"shop_url": woo.url, "secret": "abc123", **woo.key})


def read_all(shop, since=START):
    pages, cursor = [], None
    while not pages or cursor:
        pages.append(admin.orders_since(shop, since, cursor))
        cursor = pages[-1].cursor
    return pages


def ids(pages):
    return [int(order_id) for page in pages for order_id, _ in page.listed]


def findings(shop):
    return {each.name: (each.status, each.message) for each in admin.check(shop)}


def test_every_order_is_listed_oldest_change_first(woo, shop):
    woo.add_orders(120)

    pages = read_all(shop)

    assert sorted(set(ids(pages))) == sorted(woo.orders)
    assert ids(pages) == sorted(ids(pages))
    assert len(pages) == 3


def test_an_order_comes_in_the_shape_of_its_webhook(woo, shop):
    order = woo.add_order()

    [page] = read_all(shop)
    [delivery] = page.deliveries

    assert json.loads(delivery.body) == order
    assert delivery.topic == "order.updated"
    assert [fact.order_id for fact in adapter.translate(delivery, shop.settings)] == [
        str(order["id"])
    ]


def test_the_key_changes_with_the_order_and_only_then(woo, shop):
    order = woo.add_order()
    [first], [again] = read_all(shop)[0].deliveries, read_all(shop)[0].deliveries
    woo.change_order(order["id"], START + timedelta(hours=1), status="completed")
    [changed] = read_all(shop)[0].deliveries

    assert first.key == again.key
    assert changed.key != first.key


def test_the_second_itself_is_read_and_what_was_before_is_not(woo, shop):
    woo.add_orders(10)

    since = START + timedelta(seconds=8)

    assert ids(read_all(shop, since)) == [108, 109, 110]
    assert admin.count_orders(shop, since) == 3


def test_times_are_asked_for_in_gmt_whatever_the_zone(woo, shop):
    woo.add_orders(3)

    since = datetime.fromisoformat("2026-11-23T10:00:03+02:00")

    assert ids(read_all(shop, since)) == [103]
    assert since.astimezone(UTC) == START + timedelta(seconds=3)


def test_an_order_that_changes_meanwhile_shifts_nothing(woo, shop):
    woo.add_orders(70)
    first = admin.orders_since(shop, START, None)
    for number in range(101, 111):
        woo.change_order(number, START + timedelta(hours=1))

    rest = admin.orders_since(shop, START, first.cursor)

    assert set(ids([first, rest])) == set(woo.orders)


def test_more_orders_of_one_second_than_a_page_holds_are_all_read(woo, shop):
    for _ in range(130):
        woo.add_order(START)
    woo.add_order(START + timedelta(seconds=1))

    assert set(ids(read_all(shop))) == set(woo.orders)


def test_a_page_that_fails_is_an_error_and_its_cursor_serves_again(woo, shop):
    woo.add_orders(60)
    first = admin.orders_since(shop, START, None)
    woo.fail_next(500)

    with pytest.raises(ShopError) as error:
        admin.orders_since(shop, START, first.cursor)

    assert error.value.again
    assert set(ids([first, admin.orders_since(shop, START, first.cursor)])) == set(woo.orders)


def test_an_odd_order_does_not_end_the_list(woo, shop):
    woo.add_order(date_modified_gmt="2026-11-23T09:00:00", id=None)
    woo.add_order()

    [page] = read_all(shop)

    assert len(page.deliveries) == 1


def test_five_thousand_orders_take_one_request_a_page(woo, shop):
    woo.add_orders(5_000)

    pages = read_all(shop)

    assert len(set(ids(pages))) == 5_000
    assert len(woo.calls) == len(pages) < 104


# Checks


def test_a_sound_shop_is_found_sound_but_for_its_scheme(woo, shop):
    woo.add_order(meta_data=[{"id": 1, "key": "_bridge_consent", "value": "granted"}])
    found = findings(shop)

    assert list(found) == ["shop address", "REST API", "key", "rights", "other senders", "consent"]
    assert {name for name, (status, _) in found.items() if status != "ok"} == {"shop address"}


@pytest.mark.parametrize(
    ("fault", "name", "words"),
    [
        ({"permalinks": "plain"}, "REST API", "Plain"),
        ({"active": False}, "REST API", "not active"),
        ({"key": "revoked"}, "key", "revoked"),
        ({"owner": "customer"}, "key", "Shop manager"),
        ({"redirect": "https://www.shop.example"}, "REST API", "redirects"),
        ({"address": ""}, "shop address", "https://shop.example"),
    ],
)
def test_what_is_wrong_is_the_last_finding(woo, shop, fault, name, words):
    woo.permalinks = fault.get("permalinks", "pretty")
    woo.active = fault.get("active", True)
    woo.keys.key = "ck_other" if "key" in fault else woo.keys.key
    woo.keys.owner = fault.get("owner", "manager")
    shop.settings["shop_url"] = fault.get("address", woo.url)
    if "redirect" in fault:
        woo.redirect_all(fault["redirect"])

    last = admin.check(shop)[-1]

    assert (last.name, last.status) == (name, "fail")
    assert words in last.message


@pytest.mark.parametrize("kind", ["certificate", "timeout", "unreachable", "address"])
def test_what_the_bridge_cannot_reach_is_a_finding(shop, kind):
    shop.failing = ShopError(kind, f"the shop: {kind}")

    assert findings(shop)["REST API"] == ("fail", f"the shop: {kind}")


@pytest.mark.parametrize(
    ("key", "value", "who"),
    [
        ("_meta_purchase_tracked_server", "1", "Meta for WooCommerce"),
        ("pys_fb_cookie", {"fbp": "fb.1.1.1"}, "PixelYourSite"),
    ],
)
def test_another_sender_is_noticed_by_its_marks(woo, shop, key, value, who):
    woo.add_order(meta_data=[{"id": 1, "key": key, "value": value}])

    status, message = findings(shop)["other senders"]

    assert status == "warn"
    assert who in message


def test_orders_without_consent_are_noticed_and_those_of_the_staff_are_not(woo, shop):
    woo.add_order(created_via="admin", meta_data=[])
    assert findings(shop)["consent"][0] == "ok"

    woo.add_order(created_via="checkout", meta_data=[])
    assert findings(shop)["consent"][0] == "warn"


def test_a_shop_without_a_key_is_told_to_be_by_hand():
    assert [each.status for each in admin.check(FakeShop({"secret": "s"}))] == ["warn"]
