"""What an event is worth, line by line, by the plan's [value]."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from bridge.events import Amounts, Basket, Content, CustomData, Event
from bridge.plan import Rules, ValueRules
from bridge.shape.money import rounded

Costs = Mapping[str, Decimal]
Lines = list[tuple[str, Decimal]]


@dataclass(frozen=True, kw_only=True)
class Worth:
    """The money of one event; all None where the shop told no amounts.

    `lines` sum up to the value before it is rounded.  `notes` say what could not be counted.
    """

    custom_data: CustomData
    lines: Lines
    notes: tuple[str, ...] = ()


def side(event: Event, own: ValueRules) -> Basket:
    """Return the basket of the money side that the plan asks for, else the one there is.

    Costs are kept in the shop's own currency, so a margin is counted on that side.
    """
    shop = event.shop_basket
    if shop is None or shop.amounts is None:
        return event.basket
    wanted = own.money == "shop" or own.basis == "margin" or event.basket.amounts is None
    return shop if wanted else event.basket


def worth(event: Event, rules: Rules, event_name: str, costs: Costs | None = None) -> Worth:
    """Return value, currency, net_revenue and predicted_ltv of *event*, with their origin."""
    own = rules.value_for(event_name)
    basket = side(event, own)
    amounts = basket.amounts
    if amounts is None:
        return Worth(custom_data=CustomData(), lines=[])
    lines, notes = _lines(basket, amounts, own, costs or {})
    value = rounded(sum((amount for _, amount in lines), Decimal(0)), amounts.currency)
    net: Decimal | None = None
    if own.net_revenue:
        net, why_not = _net_revenue(event, basket, amounts, costs or {})
        notes += why_not
    ltv = rounded(value * own.predicted_ltv, amounts.currency) if own.predicted_ltv else None
    custom_data = CustomData(
        value=value, currency=amounts.currency.upper(), net_revenue=net, predicted_ltv=ltv
    )
    return Worth(custom_data=custom_data, lines=lines, notes=tuple(notes))


def value_lines(event: Event, rules: Rules, event_name: str, costs: Costs | None = None) -> Lines:
    """Return the labelled amounts that sum up to the value, in major units; for explain."""
    return worth(event, rules, event_name, costs).lines


def unit_cost(content: Content, costs: Costs) -> Decimal | None:
    """Return what one piece costs the merchant, None if nobody said."""
    if content.cost is not None:
        return content.cost
    keys = (content.sku, content.variant_id, content.product_id)
    return next((costs[key] for key in keys if key and key in costs), None)


def _lines(
    basket: Basket, amounts: Amounts, own: ValueRules, costs: Costs
) -> tuple[Lines, list[str]]:
    lines = [("total", amounts.total), *_left_out(amounts, own)]
    notes: list[str] = []
    if own.basis == "margin":
        goods, notes = _goods(basket, own, costs)
        lines += goods
    before = sum((amount for _, amount in lines), Decimal(0))
    if own.multiplier != 1:
        lines.append((f"times {own.multiplier}", before * (own.multiplier - 1)))
        before *= own.multiplier
    if before < own.minimum:
        lines.append(("raised to the minimum", own.minimum - before))
    return [(label, amount) for label, amount in lines if amount or label == "total"], notes


def _left_out(amounts: Amounts, own: ValueRules) -> Lines:
    """Return what the plan takes from the total, or adds back to it."""
    lines: Lines = []
    if not own.tax:
        lines.append(("tax", -amounts.tax))
    if not own.shipping:
        tax = amounts.shipping_tax if own.tax else Decimal(0)
        lines.append(("shipping", -amounts.shipping - tax))
    if not own.fees:
        tax = amounts.fees_tax if own.tax else Decimal(0)
        lines.append(("fees", -amounts.fees - tax))
    if not own.discounts:
        lines.append(("discounts", amounts.discount))
    return lines


def _goods(basket: Basket, own: ValueRules, costs: Costs) -> tuple[Lines, list[str]]:
    """Return the cost of goods: what is known of it, and what the plan assumes."""
    known = assumed = Decimal(0)
    guesses = 0
    for content in basket.contents:
        cost = unit_cost(content, costs)
        if cost is not None:
            known += cost * content.quantity
            continue
        net = (content.price or Decimal(0)) - content.tax
        assumed += max(net, Decimal(0)) * content.quantity * (100 - own.margin_percent) / 100
        guesses += 1
    notes = [f"cost not known for {guesses} lines: margin_percent counts"] if guesses else []
    return [("cost of goods", -known), ("assumed cost of goods", -assumed)], notes


def _net_revenue(
    event: Event, basket: Basket, amounts: Amounts, costs: Costs
) -> tuple[Decimal | None, list[str]]:
    """Return total less tax, shipping and cost of goods; None, and why, if not above zero."""
    shop = event.shop_basket
    if shop and shop.amounts and shop.amounts.currency != amounts.currency:
        return None, ["net_revenue left out: costs are in the shop's own currency"]
    each = [(unit_cost(content, costs), content.quantity) for content in basket.contents]
    cost = sum((one * quantity for one, quantity in each if one is not None), Decimal(0))
    if not each or any(one is None for one, _ in each):
        return None, ["net_revenue left out: not all costs are known"]
    net = rounded(amounts.total - amounts.tax - amounts.shipping - cost, amounts.currency)
    return (net, []) if net > 0 else (None, ["net_revenue left out: it is not above zero"])
