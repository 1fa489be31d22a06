"""What earlier deliveries told of an order, so that a late one never undoes a newer."""

from dataclasses import dataclass, replace
from datetime import datetime

from bridge.events import Event, OrderCancelled, OrderState


@dataclass(frozen=True, kw_only=True)
class OrderView:
    """An order's newest known state; `updated_at` None: no delivery gave a time."""

    order_id: str
    state: OrderState | None = None
    updated_at: datetime | None = None


def fold(known: OrderView | None, fact: Event | OrderCancelled) -> OrderView:
    """Return what is known of the order after *fact*.

    The newest time wins; between equal times, or where one is missing, the later arrival.
    So a cancellation holds until the shop tells something newer.
    """
    told = _told(fact)
    if known is None:
        return told
    if told.updated_at is None:
        return replace(known, state=told.state)
    stale = known.updated_at is not None and told.updated_at < known.updated_at
    return known if stale else told


def _told(fact: Event | OrderCancelled) -> OrderView:
    if isinstance(fact, OrderCancelled):
        return OrderView(order_id=fact.order_id, state=OrderState.CANCELLED, updated_at=fact.at)
    order_id = fact.order_id or fact.subject_id
    return OrderView(order_id=order_id, state=fact.order_state, updated_at=fact.updated_at)


def is_late(event: Event, view: OrderView) -> bool:
    """Return whether something newer than *event* is known of its order."""
    return bool(event.updated_at and view.updated_at and event.updated_at < view.updated_at)


def current(event: Event, view: OrderView, *, holds: bool) -> Event:
    """Return *event* with what is known to be newer and would stop it.

    A late delivery of an order that was cancelled since is not a sale.  One that was refunded
    since was a sale, and is sent as it would have been in time, unless the plan *holds*
    purchases back in order to see refunds first.
    """
    stops = {OrderState.CANCELLED, OrderState.REFUNDED} if holds else {OrderState.CANCELLED}
    return replace(event, order_state=view.state) if view.state in stops else event
