"""Shopify's admin: the shop's own list of orders, page by page."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.sources.shopify import adapter
from bridge.events import Channel, Event, ShopError
from tests.fakes.shop import FakeShop
from tests.fakes.shopify_admin import START, ShopifyFake

admin = adapter.admin


@pytest.fixture
def shopify():
    with ShopifyFake() as fake:
        yield fake


@pytest.fixture
def shop(shopify):
    return FakeShop(shopify.app, shopify.routes)


def read_all(shop, since=START):
    pages, cursor = [], None
    while not pages or cursor:
        pages.append(admin.orders_since(shop, since, cursor))
        cursor = pages[-1].cursor
    return pages


def ids(pages):
    return [order_id for page in pages for order_id, _ in page.listed]


def purchase(delivery):
    [event] = adapter.translate(delivery, {})
    assert isinstance(event, Event)
    return event


def test_every_order_is_listed_once_oldest_change_first(shopify, shop):
    shopify.add_orders(60)

    pages = read_all(shop)

    assert ids(pages) == [str(number) for number in sorted(shopify.orders)]
    assert [len(page.deliveries) for page in pages] == [25, 25, 10]


def test_an_order_comes_in_the_shape_of_its_webhook(shopify, shop):
    order = shopify.add_order()

    [page] = read_all(shop)
    [delivery] = page.deliveries

    assert json.loads(delivery.body) == order
    assert delivery.topic == "orders/updated"
    assert delivery.headers["X-Shopify-Shop-Domain"] == shopify.domain
    assert purchase(delivery).user_data.client_user_agent
    assert page.notes == ()


def test_the_key_changes_with_the_order_and_only_then(shopify, shop):
    order = shopify.add_order()
    [first], [again] = read_all(shop)[0].deliveries, read_all(shop)[0].deliveries
    shopify.change_order(order["id"], START + timedelta(hours=1))
    [changed] = read_all(shop)[0].deliveries

    assert first.key == again.key
    assert changed.key != first.key


def test_orders_before_the_time_are_left_out_and_counted(shopify, shop):
    shopify.add_orders(10)

    since = START + timedelta(seconds=8)

    assert len(ids(read_all(shop, since))) == 3
    assert admin.count_orders(shop, since) == 3


def test_an_order_that_changes_meanwhile_is_not_lost(shopify, shop):
    shopify.add_orders(40)
    first = admin.orders_since(shop, START, None)
    moved = first.listed[0][0]
    shopify.change_order(int(moved), START + timedelta(hours=1))

    rest = admin.orders_since(shop, START, first.cursor)

    assert len(rest.listed) == 16
    assert rest.listed[-1][0] == moved


def test_where_the_cursor_is_forgotten_reading_goes_on_from_the_last_change(shopify, shop):
    shopify.add_orders(40)
    seen, _, _ = admin.orders_since(shop, START, None).cursor.partition("|")

    page = admin.orders_since(shop, START, f"{seen}|forgotten")

    assert page.listed[0][0] == sorted(map(str, shopify.orders))[24]


def test_a_page_that_costs_too_much_is_halved(shopify, shop):
    shopify.add_orders(20)
    shopify.most = 7

    assert len(set(ids(read_all(shop)))) == 20


def test_a_page_that_fails_is_an_error_and_its_cursor_serves_again(shopify, shop):
    shopify.add_orders(30)
    first = admin.orders_since(shop, START, None)
    shopify.fail_next(503, times=5)

    with pytest.raises(ShopError) as error:
        admin.orders_since(shop, START, first.cursor)

    assert error.value.again
    assert len(admin.orders_since(shop, START, first.cursor).listed) == 5


def test_without_the_scope_the_error_says_so(shopify, shop):
    shopify.scopes = []

    with pytest.raises(ShopError) as error:
        admin.orders_since(shop, START, None)

    assert error.value.kind == "scope"


def test_an_order_that_is_gone_meanwhile_is_listed_without_a_body(shopify, shop):
    order = shopify.add_order()
    shopify.add_order()
    shopify._changes()
    del shopify.orders[order["id"]]

    page = admin.orders_since(shop, START, None)

    assert (len(page.listed), len(page.deliveries)) == (2, 1)


# Where REST is closed


def test_a_rebuilt_order_tells_the_same_but_the_user_agent(shopify, shop):
    shopify.add_order()
    by_rest = purchase(read_all(shop)[0].deliveries[0])
    shopify.rest = False
    [page] = read_all(shop)
    rebuilt = purchase(page.deliveries[0])

    assert rebuilt.channel is Channel.WEB
    assert rebuilt.user_data == replace(
        by_rest.user_data, client_user_agent=None, fbclid_at=rebuilt.user_data.fbclid_at
    )
    assert rebuilt.basket == by_rest.basket
    assert rebuilt.order_state == by_rest.order_state
    assert rebuilt.consent == by_rest.consent
    assert rebuilt.visitor_keys == by_rest.visitor_keys
    assert rebuilt.order_number == by_rest.order_number
    assert "no user agent" in page.notes[0]


def test_rebuilt_orders_are_asked_for_in_halves_where_they_cost_too_much(shopify, shop):
    shopify.add_orders(5)
    shopify.rest, shopify.most = False, 2

    assert sum(len(page.deliveries) for page in read_all(shop)) == 5


@pytest.mark.parametrize("case", ["customer", "billing_address", "shipping_address"])
def test_a_rebuilt_order_may_lack_anything(shopify, shop, case):
    shopify.add_order(**{case: None})
    shopify.rest, shopify.redacted = False, True

    assert purchase(read_all(shop)[0].deliveries[0]).user_data.email is None


def test_five_thousand_orders_take_two_requests_a_page(shopify, shop):
    shopify.add_orders(5_000)
    pages = read_all(shop, START + timedelta(seconds=4_001))

    assert sum(len(page.deliveries) for page in pages) == 1_000
    assert len(shopify.calls) == 81
