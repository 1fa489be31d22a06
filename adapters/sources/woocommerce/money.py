"""An order's amounts and lines.

WooCommerce sends decimal texts; whatever ``prices_include_tax`` says, the totals of lines,
fees and shipping are without tax, and ``total`` is with all of it.  Captured on 8.2 to 11.0.1
(read 2026-11-23).
"""

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from bridge.events import Amounts, Basket, Content
from bridge.events.reading import identifier, mappings, number, text

from .fields import plain
from .signals import meta_data

_CURRENCY = re.compile(r"[A-Za-z]{3}")
_ZERO = Decimal(0)
_COSTS = ("_wc_cog_item_cost", "_alg_wc_cog_item_cost")


def basket(order: Mapping[str, Any]) -> Basket:
    """Return amounts and lines; amounts are None without a total and its currency."""
    lines = mappings(order.get("line_items"))
    complete = isinstance(order.get("line_items"), list) and len(lines) == len(order["line_items"])
    return Basket(
        amounts=_amounts(order, lines if complete else None),
        contents=tuple(_content(line) for line in lines),
    )


def _amounts(order: Mapping[str, Any], lines: Sequence[Mapping[str, Any]] | None) -> Amounts | None:
    currency = text(order.get("currency")) or ""
    total = number(order.get("total"))
    if total is None or not _CURRENCY.fullmatch(currency):
        return None
    fees = mappings(order.get("fee_lines"))
    return Amounts(
        currency=currency.upper(),
        total=total,
        items=None if lines is None else _items(lines),
        discount=_amount(order, "discount_total"),
        shipping=_amount(order, "shipping_total"),
        # Discount plug-ins write fees below zero.
        fees=sum((_amount(fee, "total") for fee in fees), _ZERO),
        tax=_amount(order, "total_tax"),
        shipping_tax=_amount(order, "shipping_tax"),
        fees_tax=sum((_amount(fee, "total_tax") for fee in fees), _ZERO),
    )


def _amount(body: Mapping[str, Any], name: str) -> Decimal:
    return number(body.get(name)) or _ZERO


def _items(lines: Sequence[Mapping[str, Any]]) -> Decimal | None:
    """Return the lines before discount, None unless every line tells it."""
    subtotals = [number(line.get("subtotal")) for line in lines]
    known = [subtotal for subtotal in subtotals if subtotal is not None]
    return sum(known, _ZERO) if len(known) == len(subtotals) else None


def _content(line: Mapping[str, Any]) -> Content:
    """Return one line; a line of a product that was deleted has the id 0, which is None."""
    product_id = identifier(line.get("product_id"))
    variant_id = identifier(line.get("variation_id"))
    quantity = _quantity(line.get("quantity"))
    cost = _cost(line)
    total, tax = number(line.get("total")), _amount(line, "total_tax")
    return Content(
        product_id=product_id,
        variant_id=variant_id,
        sku=plain(line.get("sku")),
        title=plain(line.get("name")),
        quantity=quantity,
        price=None if total is None else number((total + tax) / quantity),
        tax=number(tax / quantity) or _ZERO,
        cost=None if cost is None else number(cost / quantity),
        kind="product" if product_id or variant_id else "custom",
    )


def _cost(line: Mapping[str, Any]) -> Decimal | None:
    """Return what the whole line costs the merchant; None where no plug-in of costs told it.

    A cost of 0 is one that nobody entered.  Both keep the cost of one piece at the time of the
    sale.  Source: order item meta of WooCommerce Cost of Goods (SkyVerge) and of Cost of Goods
    for WooCommerce (WPFactory), in public repositories (read 2026-11-29).
    """
    meta = meta_data(line)
    costs = (number(meta.get(key)) for key in _COSTS)
    unit = next((cost for cost in costs if cost is not None and cost > 0), None)
    return None if unit is None else unit * (number(line.get("quantity")) or 1)


def _quantity(value: object) -> int:
    """Return a whole quantity, at least 1.

    Plug-ins sell 0.4 of a metre.  What is rounded here is made up for in the unit price, so
    that quantity times price stays what was paid.
    """
    found = number(value) or Decimal(1)
    return max(1, int(found.to_integral_value(ROUND_HALF_UP)))
