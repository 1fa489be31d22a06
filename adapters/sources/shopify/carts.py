"""A cart body read as a snapshot of its lines.

It tells no buyer, no browser and no attributes: only tokens, lines and times.
Source: shopify.dev/docs/api/webhooks/2026-07, carts/update (read 2026-11-23).
"""

from collections.abc import Mapping
from typing import Any

from bridge.events import CartSnapshot, Content, TranslationError
from bridge.events.reading import identifier, mapping, mappings, moment, text, whole

from .money import Side, currency_code
from .visits import cart_token

# Keys of orders, checkouts and drafts, which have a token and lines too.
FOREIGN_KEYS = ("total_price", "cart_token", "financial_status", "source_name")


def is_cart(body: Mapping[str, Any]) -> bool:
    """Return whether *body* is a cart, whatever its topic says."""
    named = cart_token(body.get("token")) is not None
    return named and "line_items" in body and not any(key in body for key in FOREIGN_KEYS)


def read_cart(cart: Mapping[str, Any], topic: str) -> CartSnapshot:
    """Return the lines of *cart*; prices only where all lines tell them in one currency.

    Raises TranslationError without any time.
    """
    at = moment(cart.get("updated_at"))
    if at is None:
        raise TranslationError("no_updated_at", "the cart has no updated_at")
    lines = [line for line in mappings(cart.get("line_items")) if _quantity(line) > 0]
    side = _side(lines)
    return CartSnapshot(
        cart_token=cart_token(cart.get("token")) or "",
        at=at,
        first=topic == "carts/create",
        currency=side.currency,
        contents=tuple(_content(line, side) for line in lines),
    )


def _side(lines: list[Mapping[str, Any]]) -> Side:
    """Return the side that the buyer sees, else the shop's.

    The body names its currencies in the money sets alone; an empty cart names none.
    """
    for name in ("presentment_money", "shop_money"):
        currencies = {_currency(line, name) for line in lines}
        if len(currencies) == 1 and None not in currencies:
            return Side(name=name, currency=currencies.pop(), plain=False)
    return Side(name="", currency=None, plain=False)


def _currency(line: Mapping[str, Any], side: str) -> str | None:
    money_set = mapping(line.get("discounted_price_set")) or mapping(line.get("price_set"))
    return currency_code(mapping(money_set.get(side)).get("currency_code"))


def _content(line: Mapping[str, Any], side: Side) -> Content:
    """Return the line with its unit price as the cart shows it; no tax is told."""
    price = side.amount(line, "discounted_price")
    return Content(
        product_id=identifier(line.get("product_id")),
        variant_id=identifier(line.get("variant_id")),
        sku=text(line.get("sku")),
        title=text(line.get("title")),
        quantity=_quantity(line),
        price=side.amount(line, "price") if price is None else price,
        kind="gift_card" if line.get("gift_card") is True else "product",
    )


def _quantity(line: Mapping[str, Any]) -> int:
    return whole(line.get("quantity")) or 0
