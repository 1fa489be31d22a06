"""An order's money: amounts and lines on one side, never mixed.

Shopify tells most amounts twice, in the shop's currency and in the buyer's ("presentment").
Plain fields such as ``total_price`` are in the shop's currency.
Source: shopify.dev/docs/api/webhooks/2026-07, orders/create (read 2026-11-23).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bridge.events import Amounts, Basket, Content
from bridge.events.reading import identifier, mapping, mappings, number, text, whole

ZERO = Decimal(0)
FOUR_PLACES = Decimal("0.0001")


@dataclass(frozen=True, kw_only=True)
class Side:
    """One money side: its key in a money set and its currency.

    `plain` is True where the fields without a set are in this currency too.
    """

    name: str
    currency: str | None
    plain: bool

    def amount(self, holder: Mapping[str, Any], key: str) -> Decimal | None:
        """Return the amount *key* of *holder* on this side; None if it is not told."""
        money = mapping(mapping(holder.get(f"{key}_set")).get(self.name))
        value = number(money.get("amount"))
        if value is not None and currency_code(money.get("currency_code")) == self.currency:
            return value
        return number(holder.get(key)) if self.plain else None


@dataclass(frozen=True, kw_only=True)
class Price:
    """A line's money without tax, before and after its discounts, and its tax."""

    before: Decimal
    net: Decimal
    tax: Decimal


def baskets(order: Mapping[str, Any]) -> tuple[Basket, Basket | None]:
    """Return what the buyer saw and, where it is another currency, the shop's own side."""
    total = mapping(order.get("total_price_set"))
    shop = currency_code(order.get("currency")) or _set_currency(total, "shop_money")
    seen = currency_code(order.get("presentment_currency"))
    seen = seen or _set_currency(total, "presentment_money") or shop
    basket = _basket(order, Side(name="presentment_money", currency=seen, plain=seen == shop))
    if shop is None or seen == shop:
        return basket, None
    return basket, _basket(order, Side(name="shop_money", currency=shop, plain=True))


def currency_code(value: object) -> str | None:
    """Return three upper-case letters, or None."""
    code = (text(value) or "").upper()
    return code if len(code) == 3 and code.isascii() and code.isalpha() else None


def _set_currency(money_set: Mapping[str, Any], side: str) -> str | None:
    return currency_code(mapping(money_set.get(side)).get("currency_code"))


def _basket(order: Mapping[str, Any], side: Side) -> Basket:
    lines = [line for line in mappings(order.get("line_items")) if _quantity(line) > 0]
    prices = _prices(order, lines, side)
    contents = tuple(map(_content, lines, prices))
    return Basket(amounts=_amounts(order, side, contents, prices), contents=contents)


def _amounts(
    order: Mapping[str, Any],
    side: Side,
    contents: Iterable[Content],
    prices: Iterable[Price | None],
) -> Amounts | None:
    """Return the order-time amounts; None without a total or a currency.

    ``total_price`` and not ``current_total_price``: it stays what the browser saw, also in a
    webhook that comes after an edit or a refund.
    """
    total = side.amount(order, "total_price")
    if total is None or side.currency is None:
        return None
    pairs = list(zip(contents, prices, strict=True))
    items = [price for content, price in pairs if content.kind != "tip"]
    tips = [price for content, price in pairs if content.kind == "tip"]
    shipping, shipping_tax = _shipping(order, side)
    fees, fees_tax = _fees(order, side, tips)
    known = [price for price in items if price is not None]
    tax = side.amount(order, "total_tax")
    if tax is None:
        tax = _sum(price.tax for price in known) + shipping_tax + fees_tax
    before = _sum(price.before for price in known) if len(known) == len(items) else None
    net = _sum(price.net for price in known)
    return Amounts(
        currency=side.currency,
        total=total,
        items=before,
        discount=ZERO if before is None else before - net,
        shipping=shipping,
        fees=fees,
        tax=tax,
        shipping_tax=shipping_tax,
        fees_tax=fees_tax,
    )


def _prices(
    order: Mapping[str, Any], lines: Iterable[Mapping[str, Any]], side: Side
) -> list[Price | None]:
    """Return the money of each order line or shipping line; None where it is not all told."""
    included = order.get("taxes_included") is True
    untaxed = side.amount(order, "total_tax") == 0
    return [_price(line, side, included=included, untaxed=untaxed) for line in lines]


def _price(line: Mapping[str, Any], side: Side, *, included: bool, untaxed: bool) -> Price | None:
    unit = side.amount(line, "price")
    tax = _tax(line, side, untaxed=untaxed)
    discount = _discount(line, side)
    if unit is None or tax is None or discount is None:
        return None
    gross = unit * _quantity(line)
    if not included:
        return Price(before=gross, net=gross - discount, tax=tax)
    paid = gross - discount
    net = paid - tax
    # Only the tax after discounts is told: the same share of tax is in the full price.
    share = net / paid if paid else 1 / (1 + _rate(line))
    return Price(before=net if not discount else _rounded(gross * share), net=net, tax=tax)


def _tax(line: Mapping[str, Any], side: Side, *, untaxed: bool) -> Decimal | None:
    if not isinstance(line.get("tax_lines"), list):
        return ZERO if untaxed else None
    return _complete_sum(side.amount(tax, "price") for tax in mappings(line["tax_lines"]))


def _rate(line: Mapping[str, Any]) -> Decimal:
    rates = [number(tax.get("rate")) for tax in mappings(line.get("tax_lines"))]
    return _sum(rate for rate in rates if rate is not None and 0 < rate < 1)


def _discount(line: Mapping[str, Any], side: Side) -> Decimal | None:
    """Return what was taken off the line.

    The allocations, because ``total_discount`` is 0.00 for codes and automatic discounts.
    """
    if not isinstance(line.get("discount_allocations"), list):
        return side.amount(line, "total_discount") or ZERO
    allocations = mappings(line["discount_allocations"])
    return _complete_sum(side.amount(allocation, "amount") for allocation in allocations)


def _shipping(order: Mapping[str, Any], side: Side) -> tuple[Decimal, Decimal]:
    """Return the shipping without tax after discounts, and its tax.

    Orders of the point of sale may lack ``shipping_lines``; the order's total is all there
    is then.  Source: frappe/ecommerce_integrations pull request 404 (read 2026-11-23).
    """
    lines = order.get("shipping_lines")
    prices = _prices(order, mappings(lines), side)
    known = [price for price in prices if price is not None]
    if not isinstance(lines, list) or len(known) < len(prices):
        return side.amount(order, "total_shipping_price") or ZERO, ZERO
    return _sum(price.net for price in known), _sum(price.tax for price in known)


def _fees(
    order: Mapping[str, Any], side: Side, tips: Iterable[Price | None]
) -> tuple[Decimal, Decimal]:
    """Return tips, duties and additional fees without tax, and the tax on them."""
    tip_prices = [price for price in tips if price is not None]
    tip = _sum(price.net for price in tip_prices)
    if not tip_prices and side.plain:
        tip = number(order.get("total_tip_received")) or ZERO
    duties = side.amount(order, "original_total_duties") or ZERO
    additional = side.amount(order, "original_total_additional_fees") or ZERO
    if order.get("duties_included") is True:
        duties = ZERO  # they are in the prices of the lines
    tax = _sum(price.tax for price in tip_prices)
    return tip + duties + additional, tax


def _content(line: Mapping[str, Any], price: Price | None) -> Content:
    quantity = _quantity(line)
    return Content(
        product_id=identifier(line.get("product_id")),
        variant_id=identifier(line.get("variant_id")),
        sku=text(line.get("sku")),
        title=text(line.get("title")),
        quantity=quantity,
        price=None if price is None else _rounded((price.net + price.tax) / quantity),
        tax=ZERO if price is None else _rounded(price.tax / quantity),
        kind=_kind(line),
    )


def _kind(line: Mapping[str, Any]) -> str:
    """Return the kind of a line.  Only tips have ``tip_payment_gateway``, be it null.

    Source: ShopifySharp, LineItem (read 2026-11-23).
    """
    if "tip_payment_gateway" in line:
        return "tip"
    if line.get("gift_card") is True:
        return "gift_card"
    known = identifier(line.get("product_id")) or identifier(line.get("variant_id"))
    return "product" if known else "custom"


def _quantity(line: Mapping[str, Any]) -> int:
    """Return the quantity ordered; shipping lines have none and count once."""
    return 1 if "quantity" not in line else whole(line["quantity"]) or 0


def _complete_sum(values: Iterable[Decimal | None]) -> Decimal | None:
    result = ZERO
    for value in values:
        if value is None:
            return None
        result += value
    return result


def _sum(values: Iterable[Decimal]) -> Decimal:
    return sum(values, ZERO)


def _rounded(value: Decimal) -> Decimal:
    """Return *value* with at most four decimal places, which no currency exceeds."""
    exponent = value.as_tuple().exponent
    return value.quantize(FOUR_PLACES) if isinstance(exponent, int) and exponent < -4 else value
