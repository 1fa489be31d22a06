"""What another plan would change: the deliveries still held raw, decided under both."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import orjson

from bridge.events import Occasion
from bridge.plan import Plan
from bridge.store import OutboxRow, Route, Source, Store, moment

from .batch import Batch
from .memory import Memory
from .view import View, Way, view_of

_BRIEF = hashlib.sha256().digest_size


@dataclass(frozen=True, kw_only=True)
class Change:
    """One event that another plan would treat otherwise; each side in a few words."""

    source: str
    event_id: str
    order_number: str | None
    before: str
    after: str


@dataclass
class Side:
    """The sums under one plan: events to be sent, their value by currency, skips by reason.

    `orders_skipped` counts orders alone, without what else happened.
    """

    sent: int = 0
    value: dict[str, Decimal] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    orders: int = 0
    orders_skipped: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """Both sides, and the events that differ."""

    deliveries: int
    before: Side
    after: Side
    changes: list[Change]


def preview(
    store: Store, plan: Plan, routes: Sequence[Route] = (), *, since_go_live: bool = True
) -> Preview:
    """Return what *plan* would change over all deliveries whose raw bodies are still kept.

    Both sides are decided as if for the first time, now; nothing is written.  With *routes*
    these take the place of those with the same ends, and only they are looked at.
    Without *since_go_live* orders of before the routes went live count too, on both sides.
    """
    before, after = Side(), Side()
    changes: list[Change] = []
    deliveries = 0
    for source in store.connections.sources():
        if routes and source.id not in {one.source_id for one in routes}:
            continue
        view = view_of(store, source, moment(store.now()))
        ways = [way for way in view.ways if not routes or _ends(way.route) in map(_ends, routes)]
        if not since_go_live:
            ways = [replace(way, route=replace(way.route, live_since=None)) for way in ways]
        view = replace(view, ways=ways)
        wanted = replace(
            view,
            rules=plan.rules(source.name),
            plan_digest="preview",
            ways=[_changed(way, routes) for way in ways],
        )
        old, count = _decided(store, source, view)
        new, _ = _decided(store, source, wanted)
        deliveries += count
        _add(before, old)
        _add(after, new)
        changes += _changes(source, old, new)
    return Preview(deliveries=deliveries, before=before, after=after, changes=changes)


def _ends(route: Route) -> tuple[int, int]:
    return route.source_id, route.destination_id


def _changed(way: Way, routes: Sequence[Route]) -> Way:
    """Return *way* with the mode and toggles of the route among *routes* with its ends."""
    for one in routes:
        if _ends(one) == _ends(way.route):
            return replace(way, route=replace(way.route, mode=one.mode, toggles=one.toggles))
    return way


Rows = Mapping[tuple[int, str], OutboxRow]


def _decided(store: Store, source: Source, view: View) -> tuple[Rows, int]:
    """Return the rows that the source's raw deliveries lead to, by destination and event id."""
    memory = Memory()
    lends = view.rules.events.name(Occasion.REFUND) is not None  # a refund asks its purchase
    count = 0
    for deliveries in store.subjects.raw(source.id):
        batch = Batch(view, deliveries)
        people = store.subjects.known_customers(source.id, batch.subjects.customer_keys)
        memory.customers = people | memory.customers
        memory.costs |= store.subjects.costs(source.id, batch.subjects.items)
        batch.decide(memory)
        for entry in memory.by_id.values():
            if entry.fresh and not lends:
                entry.fresh = _in_brief(entry.fresh)
        count += len(deliveries)
    rows = (entry.fresh for entry in memory.by_id.values() if entry.fresh)
    return {(row.destination_id, row.event_id): row for row in rows}, count


def _in_brief(row: OutboxRow) -> OutboxRow:
    """Return *row* with a fingerprint for its payload: days of payloads would fill the memory."""
    if row.payload is None or len(row.payload) <= _BRIEF:
        return replace(row, held_event=None)
    return replace(row, payload=hashlib.sha256(row.payload).digest())


def _add(side: Side, rows: Rows) -> None:
    for row in rows.values():
        side.orders += row.occasion == Occasion.PURCHASE
        if row.payload is None:
            if row.occasion == Occasion.PURCHASE:
                side.orders_skipped[row.reason] = side.orders_skipped.get(row.reason, 0) + 1
            side.skipped[row.reason] = side.skipped.get(row.reason, 0) + 1
            continue
        side.sent += 1
        value, currency = _money(row)
        if value is not None:
            side.value[currency] = side.value.get(currency, Decimal(0)) + value


def _changes(source: Source, old: Rows, new: Rows) -> list[Change]:
    changes = []
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if _essence(before) != _essence(after):
            known = after or before
            changes.append(
                Change(
                    source=source.name,
                    event_id=key[1],
                    order_number=known.order_number if known else None,
                    before=_in_words(before),
                    after=_in_words(after),
                )
            )
    return changes


def _essence(row: OutboxRow | None) -> Any:
    """Return what counts as a change: the verdict, or anything in what is sent."""
    if row is None:
        return None
    return (row.state, row.reason, row.event_name, row.payload)


def _in_words(row: OutboxRow | None) -> str:
    if row is None:
        return "nothing"
    if row.payload is None:
        return f"{row.state}: {row.reason}"
    value, currency = _money(row)
    return f"{row.event_name} {value if value is not None else ''} {currency}".strip()


def _money(row: OutboxRow) -> tuple[Decimal | None, str]:
    trace = orjson.loads(row.trace)
    value = trace.get("value")
    return (Decimal(value) if value is not None else None), trace.get("currency") or ""
