"""Money that went back, read in the order that it belongs to."""

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.events import Amounts, Basket, Event, Occasion
from bridge.events.reading import identifier, mappings, number

from .people import buyer


def refunds(sale: Event, order: Mapping[str, Any]) -> Iterator[Event]:
    """Yield the refunds of *order*, which has been read as *sale*; each is told again and again.

    WooCommerce has no topic of its own for them, and an order lists them without a time: when
    the order changed last is the nearest there is.  Captured on 8.9 and 11.0 (read 2026-11-23).
    """
    paid, at = sale.basket.amounts, sale.updated_at or sale.event_time
    for refund in mappings(order.get("refunds")):
        refund_id, total = identifier(refund.get("id")), number(refund.get("total"))
        if paid is None or refund_id is None or not total:
            continue
        returned = Amounts(currency=paid.currency, total=abs(total))
        yield Event(
            occasion=Occasion.REFUND,
            topic=sale.topic,
            subject_id=refund_id,
            order_id=sale.order_id,
            order_number=sale.order_number,
            event_time=at,
            created_at=at,
            user_data=buyer(order),
            country=sale.country,
            state=sale.state,
            basket=Basket(amounts=returned),
            consent=sale.consent,
        )
