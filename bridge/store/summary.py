"""Figures of the last seven days, kept as one row: counting a million events takes seconds.

Whoever works refreshes them, the more seldom the longer it takes; a page that is looked at
counts anew only what is counted quickly.
"""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, select, text

from bridge.events import Occasion

from . import schema
from .database import Database, StoreError
from .verdicts import insert_on

DAY_US = 86_400_000_000
DAYS = 7
WORKER_US = 55_000_000
SHARE = 20  # counting may take a twentieth of the time
PAGE_US = 10_000_000
PAGE_MS = 100
SAMPLE = 2_000  # newest events sent, for the share of match keys
_NAME = "week"
_RENDERED = {"pending", "sending", "sent", "dead"}
_IS_OPEN = text("state IN ('pending', 'sending', 'waiting')")


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many events of a kind arrived on a day; `day` counts from the first of the seven."""

    day: int
    event_name: str
    purchase: bool
    state: str
    reason: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One event name on one route: how many came and were sent in 24 hours, the last one's time.

    `rendered_id` is the row of the last one that has, or had, a payload; None for none.
    """

    source_id: int
    destination_id: int
    event_name: str
    count: int
    sent: int
    last_at: int
    rendered_id: int | None


@dataclass(frozen=True, kw_only=True)
class Open:
    """What a destination still waits for; times in microseconds, None for none.

    `queued` are to be sent, the oldest arrived at `oldest`, the next expires at `expires_at`;
    `held` are to be decided, the next at `decided_at`.
    """

    destination_id: int
    queued: int
    oldest: int | None
    expires_at: int | None
    held: int
    decided_at: int | None


@dataclass(frozen=True, kw_only=True)
class Week:
    """The figures of seven days that begin at `start`, today being the last; UTC.

    `missing` are orders of the shops' own lists of which nothing was received, today and in all
    seven days.  `keys` counts the match keys of the newest `sampled` events that were sent.
    """

    computed_at: int
    start: int
    counts: Sequence[Count] = ()
    seen: Sequence[Seen] = ()
    missing: Sequence[int] = (0, 0)
    open: Sequence[Open] = ()
    keys: Mapping[str, int]
    sampled: int


class Summary:
    """Counts, and keeps what was counted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def week(self) -> Week:
        """Return the figures as they were kept, or counted now where that is quick."""
        now = self._database.local_now()
        kept = self._kept()
        if kept is None:
            return self._count(now)
        week, took_ms = kept
        is_quick = took_ms < PAGE_MS and not 0 <= now - week.computed_at < PAGE_US
        return self._count(now) if is_quick else week

    def refresh(self) -> bool:
        """Count anew if it is time to; return whether it was."""
        now = self._database.local_now()
        if kept := self._kept():
            week, took_ms = kept
            if 0 <= now - week.computed_at < max(WORKER_US, took_ms * 1000 * SHARE):
                return False
        self._count(now)
        return True

    def _kept(self) -> tuple[Week, int] | None:
        table = schema.summary
        with self._database.read() as connection:
            row = connection.execute(select(table).where(table.c.name == _NAME)).first()
        if row is None:
            return None
        value: dict[str, Any] = json.loads(row.value)
        counts = [Count(**one) for one in value.pop("counts")]
        waits = [Open(**one) for one in value.pop("open")]
        seen = [Seen(**one) for one in value.pop("seen", ())]
        return Week(**value, counts=counts, open=waits, seen=seen), row.took_ms

    def _count(self, now: int) -> Week:
        started = time.monotonic()
        today = now - now % DAY_US
        start = today - (DAYS - 1) * DAY_US
        with self._database.read() as connection:
            keys, sampled = _keys(connection, start)
            counts, seen = _counts(connection, start, now - DAY_US)
            week = Week(
                computed_at=now,
                start=start,
                counts=counts,
                seen=seen,
                missing=[_missing(connection, today), _missing(connection, start)],
                open=_open(connection),
                keys=keys,
                sampled=sampled,
            )
        self._keep(week, int((time.monotonic() - started) * 1000))
        return week

    def _keep(self, week: Week, took_ms: int) -> None:
        """Keep the figures; a database that is busy keeps the older ones."""
        plain = vars(week) | {
            "counts": [vars(one) for one in week.counts],
            "seen": [vars(one) for one in week.seen],
            "open": [vars(one) for one in week.open],
        }
        values = {
            "computed_at": week.computed_at,
            "took_ms": took_ms,
            "value": json.dumps(plain),
        }
        fresh = insert_on(schema.summary, is_sqlite=self._database.is_sqlite)
        statement = fresh.values(name=_NAME, **values).on_conflict_do_update(
            index_elements=["name"], set_=values
        )
        try:
            with self._database.write() as connection:
                connection.execute(statement)
        except StoreError:
            return


def _counts(connection: Connection, start: int, yesterday: int) -> tuple[list[Count], list[Seen]]:
    """Return the counts of all days, and what was seen on each route; in one reading."""
    table = schema.outbox
    day = ((table.c.created_at - start) // DAY_US).label("day")
    purchase = (table.c.occasion == str(Occasion.PURCHASE)).label("purchase")
    route = (table.c.source_id, table.c.destination_id)
    kinds = (*route, day, table.c.event_name, purchase, table.c.state, table.c.reason)
    query = (
        select(
            *kinds,
            func.count().label("events"),
            func.sum(case((table.c.created_at > yesterday, 1), else_=0)).label("recent"),
            func.max(table.c.created_at).label("last_at"),
            func.max(table.c.id).label("last_id"),
        )
        .where(table.c.created_at >= start)
        .group_by(*kinds)
    )
    counts: Counter[tuple[int, str, bool, str, str]] = Counter()
    seen: dict[tuple[int, int, str], Seen] = {}
    for row in connection.execute(query):
        kind = (min(int(row.day), DAYS - 1), row.event_name, bool(row.purchase))
        counts[*kind, row.state, row.reason] += row.events
        ends = row.source_id, row.destination_id, row.event_name
        seen[ends] = _with(seen.get(ends), row)
    return [_count(kind, count) for kind, count in counts.items()], list(seen.values())


def _count(kind: tuple[int, str, bool, str, str], count: int) -> Count:
    day, event_name, purchase, state, reason = kind
    return Count(
        day=day,
        event_name=event_name,
        purchase=purchase,
        state=state,
        reason=reason,
        count=count,
    )


def _with(before: Seen | None, row: Any) -> Seen:
    """Return what was seen *before*, and in the group *row* too."""
    is_rendered = row.state in _RENDERED or row.reason == "shadow"
    known = before.rendered_id if before else None
    return Seen(
        source_id=row.source_id,
        destination_id=row.destination_id,
        event_name=row.event_name,
        count=int(row.recent) + (before.count if before else 0),
        sent=int(row.recent) * (row.state == "sent") + (before.sent if before else 0),
        last_at=max(row.last_at, before.last_at if before else 0),
        rendered_id=max(known or 0, row.last_id) if is_rendered else known,
    )


def _missing(connection: Connection, since: int) -> int:
    """Return how many orders a shop listed that nothing is known of."""
    listed, outbox, order = schema.listed_order, schema.outbox, schema.known_order
    known = select(outbox.c.id).where(
        outbox.c.source_id == listed.c.source_id, outbox.c.order_id == listed.c.order_id
    )
    understood = select(order.c.order_id).where(
        order.c.source_id == listed.c.source_id, order.c.order_id == listed.c.order_id
    )
    query = select(func.count()).where(
        listed.c.changed_at >= since, ~known.exists(), ~understood.exists()
    )
    return int(connection.scalar(query) or 0)


def _open(connection: Connection) -> list[Open]:
    table = schema.outbox
    waits = table.c.state == "waiting"
    one = case((waits, 1), else_=0)
    query = (
        select(
            table.c.destination_id,
            func.sum(1 - one).label("queued"),
            func.min(case((~waits, table.c.created_at))).label("oldest"),
            func.min(case((~waits, table.c.expires_at))).label("expires_at"),
            func.sum(one).label("held"),
            func.min(case((waits, table.c.next_at))).label("decided_at"),
        )
        .where(_IS_OPEN)
        .group_by(table.c.destination_id)
    )
    found = [row._asdict() for row in connection.execute(query)]
    return [Open(**row | {"queued": int(row["queued"]), "held": int(row["held"])}) for row in found]


def _keys(connection: Connection, start: int) -> tuple[dict[str, int], int]:
    """Return how many of the newest events sent had each match key, and how many these are."""
    table = schema.outbox
    query = (
        select(table.c.trace)
        .where(table.c.state == "sent", table.c.created_at >= start)
        .order_by(table.c.created_at.desc(), table.c.id.desc())
        .limit(SAMPLE)
    )
    keys: Counter[str] = Counter()
    traces = list(connection.scalars(query))
    for trace in traces:
        keys.update(json.loads(trace).get("user_data", ()))
    return dict(keys), len(traces)
