"""The purchase that a refund gives back: as it was sent, and under which decision."""

import json
from dataclasses import dataclass

from bridge import shape
from bridge.consent import Decision
from bridge.events import Event, Occasion, OriginalEvent, UserData
from bridge.store import OutboxRow, Sold, moment
from bridge.subjects import SubjectKeys

from .memory import LET_THROUGH, Memory
from .view import Way


@dataclass(frozen=True, kw_only=True)
class PastSale:
    """What is known of a purchase that was let through."""

    sale: shape.Sale
    decision: Decision
    keys: SubjectKeys
    order_number: str | None

    def keys_for(self, event: Event, own: SubjectKeys) -> SubjectKeys:
        """Return the keys of *event*'s person: the purchase's, where the shop names nobody."""
        return self.keys if event.user_data == UserData() else own


def past_sale(memory: Memory, way: Way, event: Event) -> PastSale | None:
    """Return the purchase that *event*, a refund, gives back; None if none was let through.

    What ran in the shadow counts only as long as the route does.
    """
    if event.occasion != Occasion.REFUND or not event.order_id:
        return None
    entry = memory.by_order.get((way.destination.id, event.order_id))
    latest = (entry.fresh or entry.stored) if entry else None
    if entry is None or latest is None:
        return None
    in_shadow = way.route.mode == latest.reason == "shadow"
    row = entry.fresh or (memory.sold.get(entry.stored.id) if entry.stored else None)
    return _of(row) if row and (in_shadow or latest.state in LET_THROUGH) else None


def _of(row: OutboxRow | Sold) -> PastSale:
    return PastSale(
        sale=shape.Sale(
            original=OriginalEvent(
                event_name=row.event_name, event_id=row.event_id, event_time=moment(row.event_at)
            ),
            payload=row.payload,
        ),
        decision=Decision.proven(json.loads(row.trace)["consent"]),
        keys=SubjectKeys(
            email_key=row.email_key, phone_key=row.phone_key, customer_key=row.customer_key
        ),
        order_number=row.order_number,
    )
