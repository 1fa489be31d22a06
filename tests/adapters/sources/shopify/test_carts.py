"""Shopify: a cart is a snapshot of its lines, with one currency or none."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bridge.events import CartSnapshot

from .shop import outcome, recorded, translate


def cart(case: str = "carts_update_added", topic: str = "carts/update", **changes) -> CartSnapshot:
    [snapshot] = translate(topic, {**recorded(case), **changes})
    assert isinstance(snapshot, CartSnapshot)
    return snapshot


def lines(**changes) -> list[dict]:
    """Return the two lines of the recorded cart, the second one changed."""
    first, second = recorded("carts_update_added")["line_items"]
    return [first, {**second, **changes}]


def money(shop: str, presentment: str | None = None) -> dict:
    return {
        "shop_money": {"amount": "1.00", "currency_code": shop},
        "presentment_money": {"amount": "2.00", "currency_code": presentment or shop},
    }


def test_only_the_topic_of_a_new_cart_says_that_all_lines_were_added():
    assert cart(topic="carts/create").first
    assert not cart(topic="carts/update").first


def test_the_time_is_that_of_the_change():
    assert cart().at == datetime(2026, 11, 23, 8, 55, 27, 563000, tzinfo=UTC)


@pytest.mark.parametrize("token", ["c1-abc", "c1-abc?key=SECRET"])
def test_the_token_is_that_of_the_browser_without_its_key(token):
    assert cart(token=token).cart_token == "c1-abc"


def test_prices_are_those_of_one_piece_after_discounts():
    changed = lines(quantity=3, discounted_price_set=money("EUR"), line_price="3.00")

    content = cart(line_items=changed).contents[1]

    assert (content.quantity, content.price) == (3, Decimal("2.00"))


def test_the_currency_is_the_buyers():
    snapshot = cart("carts_update_two_currencies")

    assert snapshot.currency == "CHF"
    assert [content.price for content in snapshot.contents] == [Decimal("33.15"), Decimal("84.55")]


def test_where_the_buyers_currency_is_not_one_the_shops_is_told():
    snapshot = cart(line_items=lines(discounted_price_set=money("EUR", "USD")))

    assert snapshot.currency == "EUR"
    assert snapshot.contents[1].price == Decimal("1.00")


@pytest.mark.parametrize(
    "sets",
    [
        {"discounted_price_set": None, "price_set": None},
        {"discounted_price_set": money("USD"), "price_set": money("USD")},
    ],
)
def test_without_one_currency_there_is_none_and_no_price(sets):
    snapshot = cart(line_items=lines(**sets))

    assert snapshot.currency is None
    assert [content.price for content in snapshot.contents] == [None, None]


@pytest.mark.parametrize("quantity", [0, -1, None, "x"])
def test_a_line_without_a_quantity_is_left_out(quantity):
    assert len(cart(line_items=lines(quantity=quantity)).contents) == 1


def test_a_gift_card_is_told_as_one():
    kinds = [content.kind for content in cart(line_items=lines(gift_card=True)).contents]

    assert kinds == ["product", "gift_card"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"token": None}, "not_a_cart"),
        ({"token": "?key=SECRET"}, "not_a_cart"),
        ({"total_price": "1.00"}, "not_a_cart"),
        ({"updated_at": None}, "no_updated_at"),
        ({"updated_at": "2026-11-23T08:55:27"}, "no_updated_at"),
    ],
)
def test_what_is_no_cart_is_a_dead_letter(changes, reason):
    _, error = outcome("carts/update", {**recorded("carts_update_added"), **changes})

    assert error.reason == reason


@pytest.mark.parametrize("case", ["orders_create", "checkouts_create", "customers_create"])
def test_no_other_body_passes_for_a_cart(case):
    assert outcome("carts/create", recorded(case))[1].reason == "not_a_cart"
