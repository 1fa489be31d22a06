"""Shopify: amounts add up and the two money sides never mix."""

from decimal import Decimal

import pytest

from adapters.sources.shopify import adapter
from bridge.events import Amounts, Event

from .shop import ABSENT, order, recorded, translate

MULTICURRENCY = "trap_multicurrency"
ORDERS = (
    "orders_create",
    "orders_cancelled",
    "orders_create_draft",
    "orders_create_jpy",
    "orders_create_pos",
    "orders_create_subscription_first",
    "orders_create_zero_value",
    "trap_taxes_not_included",
    "trap_tip_gift_card_custom_line",
    MULTICURRENCY,
)


def remainder(amounts: Amounts) -> Decimal:
    """Return what is left of the total when its parts are taken off."""
    parts = amounts.items - amounts.discount + amounts.shipping + amounts.fees + amounts.tax
    return amounts.total - parts


def line(**changes: object) -> dict[str, object]:
    return {**recorded("orders_create")["line_items"][0], **changes}


@pytest.mark.parametrize("case", ORDERS)
def test_the_parts_of_a_recorded_order_add_up(case):
    event = order(case)
    sides = [basket for basket in (event.basket, event.shop_basket) if basket]

    assert [abs(remainder(side.amounts)) <= Decimal("0.01") for side in sides] == [True] * len(
        sides
    )


def test_the_parts_of_every_sample_add_up():
    for sample in adapter.samples():
        if sample.topic not in adapter.topics:
            continue  # what the storefront script posts
        [fact] = translate(sample.topic, sample.body)
        if isinstance(fact, Event) and fact.basket.amounts.items is not None:
            assert remainder(fact.basket.amounts) == 0, sample.name


def test_included_tax_is_taken_out_of_the_parts():
    amounts = order().basket.amounts

    assert (amounts.total, amounts.tax) == (Decimal("147.82"), Decimal("23.60"))
    assert amounts.items - amounts.discount == Decimal("142.92") - Decimal("22.82")
    assert (amounts.shipping, amounts.shipping_tax) == (Decimal("4.12"), Decimal("0.78"))


def test_tax_on_top_is_added_to_the_price_of_a_line():
    basket = order("trap_taxes_not_included").basket

    assert basket.amounts.items == Decimal("120.00")
    assert basket.amounts.discount == Decimal("12.00")
    assert (basket.contents[0].price, basket.contents[0].tax) == (Decimal("39.60"), Decimal("3.60"))


def test_a_line_given_away_keeps_its_worth_without_tax():
    amounts = order("orders_create_zero_value").basket.amounts

    assert amounts.total == 0
    assert amounts.items == amounts.discount == Decimal("4.2017")


def test_each_side_is_told_in_its_own_currency():
    event = order(MULTICURRENCY)

    assert (event.basket.amounts.currency, event.basket.amounts.total) == ("USD", Decimal("178.00"))
    assert event.shop_basket.amounts.currency == "EUR"
    assert event.shop_basket.amounts.total == Decimal("161.82")
    assert order().shop_basket is None


def test_a_plain_total_is_never_called_the_buyers_currency():
    event = order(MULTICURRENCY, total_price_set=None)

    assert event.basket.amounts is None
    assert event.shop_basket.amounts.total == Decimal("161.82")


def test_a_line_without_the_buyers_price_has_none():
    lines = [{**line, "price_set": {}} for line in recorded(MULTICURRENCY)["line_items"]]
    event = order(MULTICURRENCY, line_items=lines)

    assert [content.price for content in event.basket.contents] == [None, None]
    assert event.basket.amounts.items is None
    assert event.shop_basket.contents[1].price == Decimal("89.00")


def test_plain_fields_serve_where_there_is_one_currency():
    assert order(total_price_set=ABSENT).basket.amounts.total == Decimal("147.82")


@pytest.mark.parametrize(
    "change",
    [
        {"total_price": None, "total_price_set": None},
        {"total_price": "NaN", "total_price_set": None},
        {"currency": None, "presentment_currency": None, "total_price_set": None},
        {"currency": "€", "presentment_currency": "", "total_price_set": None},
    ],
)
def test_without_total_or_currency_there_are_no_amounts(change):
    assert order(**change).basket.amounts is None


def test_the_total_is_that_of_the_order_not_of_a_later_edit():
    assert order("orders_cancelled").basket.amounts.total == Decimal("147.82")


def test_a_negative_total_is_kept():
    assert order(total_price="-5.00", total_price_set=None).basket.amounts.total == -5


def test_tips_are_fees_and_lines_have_their_kind():
    basket = order("trap_tip_gift_card_custom_line").basket

    assert [content.kind for content in basket.contents] == [
        "gift_card",
        "custom",
        "product",
        "tip",
    ]
    assert basket.amounts.fees == Decimal("5.00")
    assert basket.contents[1].product_id is None


def test_a_tip_without_a_line_is_a_fee_too():
    assert order(total_tip_received="3.00").basket.amounts.fees == Decimal("3.00")


def test_duties_are_fees_unless_the_prices_include_them():
    duties = {"shop_money": {"amount": "7.00", "currency_code": "EUR"}}
    duties["presentment_money"] = duties["shop_money"]

    told = order(original_total_duties_set=duties).basket.amounts
    included = order(original_total_duties_set=duties, duties_included=True).basket.amounts

    assert (told.fees, included.fees) == (Decimal("7.00"), 0)


def test_zero_decimal_currencies_keep_their_whole_amounts():
    basket = order("orders_create_jpy").basket

    assert (basket.amounts.total, basket.amounts.currency) == (Decimal(7480), "JPY")
    assert basket.contents[0].price == Decimal(3300)


def test_a_price_that_does_not_divide_has_four_places():
    discounted = line(
        quantity=3, discount_allocations=[{"amount": "0.01"}], price_set=None, price="10.00"
    )

    assert order(line_items=[discounted]).basket.contents[0].price == Decimal("9.9967")


@pytest.mark.parametrize("quantity", [0, -1, None, "x", 1.5])
def test_a_line_without_a_sound_quantity_is_left_out(quantity):
    assert order(line_items=[line(quantity=quantity)]).basket.contents == ()


def test_items_are_unknown_where_a_line_does_not_tell_its_tax():
    amounts = order(line_items=[line(tax_lines=None)]).basket.amounts

    assert (amounts.items, amounts.discount, amounts.total) == (None, 0, Decimal("147.82"))


def test_an_order_without_shipping_lines_tells_its_shipping_total():
    amounts = order(shipping_lines=ABSENT).basket.amounts

    assert (amounts.shipping, amounts.shipping_tax) == (Decimal("4.90"), 0)


def test_absurd_amounts_cost_no_error():
    huge = "999999999999999999999.99999999999999"
    lines = [line(price=huge, price_set=None, quantity=10**20)]

    assert order(line_items=lines, total_price=huge, total_price_set=None).basket.amounts.total > 0
