"""A refund body read as money that went back."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bridge.events import Amounts, Basket, Event, Occasion, TranslationError
from bridge.events.reading import identifier, mappings, moment, number, text

from .money import currency_code


def is_refund(body: Mapping[str, Any]) -> bool:
    """Return whether *body* is a refund, whatever its topic says."""
    named = identifier(body.get("id")) and identifier(body.get("order_id"))
    return bool(named) and "transactions" in body and "refund_line_items" in body


def read_refund(refund: Mapping[str, Any], topic: str) -> Event | None:
    """Return the refund; None if no money moved (store credit, a restock only).

    The body has no total: a refund record is made "independent from the movement of money".
    Source: Admin schema 2026-10, Refund (read 2026-11-23).  Amounts are None where the
    transactions are not all in one currency.  Raises TranslationError without any time.
    """
    returned = [_transfer(found) for found in mappings(refund.get("transactions"))]
    moved = [transfer for transfer in returned if transfer and transfer[0] > 0]
    if not moved:
        return None
    at = moment(refund.get("created_at")) or moment(refund.get("processed_at"))
    if at is None:
        raise TranslationError("no_created_at", "the refund has no created_at")
    return Event(
        occasion=Occasion.REFUND,
        subject_id=identifier(refund.get("id")) or "",
        event_time=at,
        topic=topic,
        created_at=at,
        order_id=identifier(refund.get("order_id")),
        test=any(found.get("test") is True for found in mappings(refund["transactions"])),
        basket=Basket(amounts=_amounts(moved)),
    )


def _transfer(transaction: Mapping[str, Any]) -> tuple[Decimal, str | None] | None:
    kind, status = text(transaction.get("kind")), text(transaction.get("status"))
    amount = number(transaction.get("amount"))
    if kind != "refund" or status != "success" or amount is None:
        return None
    return amount, currency_code(transaction.get("currency"))


def _amounts(moved: list[tuple[Decimal, str | None]]) -> Amounts | None:
    currency = moved[0][1]
    if currency is None or any(found != currency for _, found in moved):
        return None
    return Amounts(currency=currency, total=sum((amount for amount, _ in moved), Decimal(0)))
