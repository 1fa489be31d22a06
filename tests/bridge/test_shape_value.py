"""Value: what an event is worth by the plan, line by line."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.events import Amounts, Basket, Content, Event, Occasion
from bridge.plan import parse
from bridge.shape import value_lines, worth
from bridge.shape.contents import items
from bridge.shape.money import rounded
from bridge.shape.value import side

D = Decimal
# 100 of goods less 10, 5 shipping, 2 fees, and 20 % tax on all of it.
AMOUNTS = Amounts(
    currency="EUR",
    total=D("116.40"),
    items=D(100),
    discount=D(10),
    shipping=D(5),
    fees=D(2),
    tax=D("19.40"),
    shipping_tax=D(1),
    fees_tax=D("0.40"),
)
MUG = Content(variant_id="11", sku="MUG", quantity=2, price=D(27), tax=D("4.5"), cost=D(10))
POT = Content(variant_id="12", sku="POT", quantity=1, price=D(54), tax=D(9))
ORDER = Event(
    occasion=Occasion.PURCHASE,
    subject_id="1",
    event_time=datetime(2026, 11, 23, tzinfo=UTC),
    basket=Basket(amounts=AMOUNTS, contents=(MUG, POT)),
)


def value(plan="", event=ORDER, costs=None):
    return worth(event, parse(f"[value]\n{plan}").base, "Purchase", costs).custom_data.value


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ("", "116.40"),
        ("tax = false", "97.00"),
        ("shipping = false", "110.40"),
        ("fees = false", "114.00"),
        ("discounts = false", "126.40"),
        ("tax = false\nshipping = false", "92.00"),
        ("tax = false\nshipping = false\nfees = false", "90.00"),
        ("tax = false\nshipping = false\nfees = false\ndiscounts = false", "100.00"),
        ("multiplier = 0.5", "58.20"),
        ("minimum = 200", "200.00"),
        ("multiplier = 0", "0.00"),
    ],
)
def test_the_plan_says_what_belongs_to_the_value(plan, expected):
    assert value(plan) == D(expected)


def test_a_margin_takes_off_the_cost_of_goods():
    costs = {"POT": D(20)}

    assert value('basis = "margin"\ntax = false', costs=costs) == D("57.00")


def test_costs_are_found_by_sku_then_variant_then_product():
    by_id = {"12": D(25)}

    assert value('basis = "margin"', costs=by_id) == D("71.40")


def test_where_a_cost_is_not_known_the_plans_margin_counts():
    result = worth(ORDER, parse('[value]\nbasis = "margin"\nmargin_percent = 40').base, "Purchase")

    assert ("assumed cost of goods", D("-27")) in result.lines
    assert result.notes == ("cost not known for 1 lines: margin_percent counts",)


def test_a_loss_is_no_negative_value():
    assert value('basis = "margin"', costs={"POT": D(500)}) == 0


def test_the_lines_tell_where_the_value_comes_from():
    rules = parse("[value]\ntax = false\nshipping = false\nmultiplier = 2\nminimum = 500").base

    assert value_lines(ORDER, rules, "Purchase") == [
        ("total", D("116.40")),
        ("tax", D("-19.40")),
        ("shipping", D(-5)),
        ("times 2", D("92.00")),
        ("raised to the minimum", D("316.00")),
    ]


@given(
    st.lists(
        st.sampled_from(
            [
                *("tax = false", "shipping = false", "fees = false", "discounts = false"),
                *('basis = "margin"', "margin_percent = 30", "multiplier = 1.7", "minimum = 12.5"),
            ]
        ),
        unique=True,
    )
)
@settings(max_examples=60, deadline=None)
def test_the_lines_always_sum_up_to_the_value(keys):
    result = worth(ORDER, parse("[value]\n" + "\n".join(keys)).base, "Purchase")

    assert rounded(sum(amount for _, amount in result.lines), "EUR") == result.custom_data.value
    assert result.custom_data.value >= 0


def test_an_event_may_be_worth_something_else():
    rules = parse("[value.Subscribe]\npredicted_ltv = 3\ntax = false").base

    subscribe = worth(ORDER, rules, "Subscribe").custom_data
    purchase = worth(ORDER, rules, "Purchase").custom_data

    assert (subscribe.value, subscribe.predicted_ltv) == (D("97.00"), D("291.00"))
    assert (purchase.value, purchase.predicted_ltv) == (D("116.40"), None)


def test_net_revenue_is_what_is_left_of_the_total():
    rules = parse("[value]\nnet_revenue = true").base

    result = worth(ORDER, rules, "Purchase", {"POT": D(20)}).custom_data

    assert result.net_revenue == D("52.00")
    assert result.value == D("116.40")


@pytest.mark.parametrize(
    ("costs", "note"),
    [
        ({}, "net_revenue left out: not all costs are known"),
        ({"POT": D(500)}, "net_revenue left out: it is not above zero"),
    ],
)
def test_net_revenue_is_never_guessed(costs, note):
    result = worth(ORDER, parse("[value]\nnet_revenue = true").base, "Purchase", costs)

    assert result.custom_data.net_revenue is None
    assert result.notes == (note,)


TWO_SIDED = replace(
    ORDER,
    shop_basket=Basket(
        amounts=Amounts(currency="USD", total=D(120)),
        contents=(replace(MUG, price=D(30), cost=D(11)),),
    ),
)


@pytest.mark.parametrize(
    ("plan", "currency", "price"),
    [
        ("", "EUR", "27.00"),
        ('money = "shop"', "USD", "30.00"),
        ('basis = "margin"', "USD", "30.00"),
    ],
)
def test_value_and_items_come_from_one_money_side(plan, currency, price):
    rules = parse(f"[value]\n{plan}").base
    result = worth(TWO_SIDED, rules, "Purchase").custom_data

    contents, _ = items(side(TWO_SIDED, rules.value), rules.contents, rules.value)

    assert result.currency == currency
    assert contents[0].item_price == D(price)


def test_net_revenue_needs_the_shops_own_currency():
    result = worth(TWO_SIDED, parse("[value]\nnet_revenue = true").base, "Purchase")

    assert result.notes == ("net_revenue left out: costs are in the shop's own currency",)


@pytest.mark.parametrize("plan", ["", 'money = "shop"'])
def test_the_side_that_is_there_is_taken(plan):
    empty = replace(TWO_SIDED, basket=Basket())

    assert value(plan, empty) == 120
    assert value(plan, ORDER) == D("116.40")


def test_without_amounts_there_is_no_value_and_no_price():
    event = replace(ORDER, basket=Basket(contents=(MUG,)))
    rules = parse("").base

    contents, _ = items(event.basket, rules.contents, rules.value)

    assert worth(event, rules, "AddToCart").custom_data.value is None
    assert value_lines(event, rules, "AddToCart") == []
    assert contents[0].item_price is None


def test_without_tax_in_the_value_there_is_none_in_the_prices():
    rules = parse("[value]\ntax = false").base

    contents, _ = items(ORDER.basket, rules.contents, rules.value)

    assert [item.item_price for item in contents] == [D("22.50"), D("45.00")]


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("10.005", "EUR", "10.01"),
        ("10.004", "usd", "10.00"),
        ("1499.5", "JPY", "1500"),
        ("7480.0", "jpy", "7480"),
        ("1.0005", "KWD", "1.001"),
        ("-0.005", "EUR", "-0.01"),
        ("1e24", "CLF", "1000000000000000000000000.0000"),
    ],
)
def test_money_has_the_decimals_of_its_currency(amount, currency, expected):
    assert str(rounded(D(amount), currency)) == expected
