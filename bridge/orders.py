"""What earlier deliveries told of an order, so that a late one never undoes a newer."""

from dataclasses import dataclass, replace
from datetime import datetime

from bridge.events import Event, OrderCancelled, OrderState


@dataclass(frozen=True, kw_only=True)
class OrderView:
    """An order's newest known state; `updated_at` None: no delivery gave a time.

    `cancelled_at` is when the order was last cancelled, by the shop's own clock.
    """

    order_id: str
    state: OrderState | None = None
    updated_at: datetime | None = None
    cancelled_at: datetime | None = None


def fold(known: OrderView | None, fact: Event | OrderCancelled) -> OrderView:
    """Return what is known of the order after *fact*.

    The newest time wins; between equal times, or where one is missing, the later arrival.
    Only a cancellation yields to nothing but what the shop dates after it.
    """
    told = _told(fact)
    if known is None:
        return told
    ended_at = max(filter(None, (known.cancelled_at, told.cancelled_at)), default=None)
    newest = told if _replaces(told, known) else known
    return replace(newest, updated_at=newest.updated_at or known.updated_at, cancelled_at=ended_at)


def _replaces(told: OrderView, known: OrderView) -> bool:
    if told.updated_at and known.updated_at and told.updated_at != known.updated_at:
        return told.updated_at > known.updated_at
    ended, ends = (one.state is OrderState.CANCELLED for one in (known, told))
    return ends or not ended


def _told(fact: Event | OrderCancelled) -> OrderView:
    cancelled = OrderState.CANCELLED
    if isinstance(fact, OrderCancelled):
        return OrderView(
            order_id=fact.order_id, state=cancelled, updated_at=fact.at, cancelled_at=fact.at
        )
    return OrderView(
        order_id=fact.order_id or fact.subject_id,
        state=fact.order_state,
        updated_at=fact.updated_at,
        cancelled_at=fact.updated_at if fact.order_state is cancelled else None,
    )


def is_late(event: Event, view: OrderView) -> bool:
    """Return whether something newer than *event* is known of its order."""
    return bool(event.updated_at and view.updated_at and event.updated_at < view.updated_at)


def current(event: Event, view: OrderView, *, holds: bool) -> Event:
    """Return *event* with what is known to be newer and would stop it.

    What was told of an order before it was cancelled is not a sale; what the shop tells of it
    afterwards is, for a slow payment may revive an order.  One that was refunded since was a
    sale, and is sent as it would have been in time, unless the plan *holds* purchases back in
    order to see refunds first.
    """
    if _is_ended(event, view):
        return replace(event, order_state=OrderState.CANCELLED)
    refunded = holds and view.state is OrderState.REFUNDED
    return replace(event, order_state=view.state) if refunded else event


def _is_ended(event: Event, view: OrderView) -> bool:
    if view.cancelled_at and event.updated_at:
        return event.updated_at <= view.cancelled_at
    return view.state is OrderState.CANCELLED
