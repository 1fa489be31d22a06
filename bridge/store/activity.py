"""Lists for people: events and deliveries by filters, page by page, however many there are.

A list is in the order of arrival, and a page begins at a place, not at a number: what arrives
meanwhile moves nothing.  Rare things have an index of their own; whatever else is asked for is
looked for among the newest `places.WINDOW` rows, and the page says how far it looked.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, exists, or_, select, text

from . import schema
from .database import Database
from .places import Page, Place, Row, Search
from .replays import REPLAYABLE, UNKNOWN_OUTCOME

REPLAY_WINDOW = 5_000
MOST_NAMED = 500
OPEN = ("pending", "sending", "waiting")
_ENDED = ("dead", "expired", "skipped")
# Spelt as the indexes are, for SQLite compares the words.
_IS_OPEN = text("state IN ('pending', 'sending', 'waiting')")
_IS_ENDED = text("state IN ('dead', 'expired', 'skipped')")
_HAS_REASON = text("reason <> ''")
_IS_UNUSED = text("state IN ('dead', 'ignored')")
_EVENT_COLUMNS = (
    "id", "source_id", "destination_id", "delivery_id", "mode", "occasion", "event_name",
    "event_id", "order_id", "order_number", "channel", "state", "reason", "event_at",
    "expires_at", "created_at", "done_at", "next_at", "attempts", "ambiguous_at", "receipt_id",
    "plan_digest", "trace",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class EventFilter:
    """Which events are wanted; what is empty or None asks for nothing.

    `start` and `end` are times of arrival; `words` are an order's number or id, or an event id.
    """

    states: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    event_name: str = ""
    occasion: str = ""
    source_id: int | None = None
    destination_id: int | None = None
    start: int | None = None
    end: int | None = None
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries are wanted; what is empty or None asks for nothing."""

    state: str = ""
    topic: str = ""
    source_id: int | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, kw_only=True)
class Replayable:
    """Events of a filter that may be decided again, newest first.

    `gone` more are no longer held raw.  `unsure` more may have been sent: they are decided again
    only where the filter names that reason.  `older` is where the next ones begin.
    """

    places: list[Place]
    gone: int = 0
    unsure: int = 0
    older: Place | None = None


class Activity:
    """Reads lists of events and deliveries, and what belongs to one event."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def events(
        self,
        wanted: EventFilter,
        *,
        limit: int = 50,
        older: Place | None = None,
        newer: Place | None = None,
    ) -> Page:
        """Return a page of events without payloads: before *older*, after *newer*, or the first."""
        search = self._of_events(wanted)
        with self._database.read() as connection:
            page = search.page(connection, _EVENT_COLUMNS, limit, older=older, newer=newer)
        return replace(page, rows=[_readable(row) for row in page.rows])

    def deliveries(
        self,
        wanted: DeliveryFilter,
        *,
        limit: int = 50,
        older: Place | None = None,
        newer: Place | None = None,
    ) -> Page:
        """Return a page of deliveries, without bodies, each with its verdicts."""
        columns = [column.name for column in schema.delivery.c]
        table = schema.verdict
        with self._database.read() as connection:
            page = _of_deliveries(wanted).page(connection, columns, limit, older=older, newer=newer)
            by_id: dict[int, Row] = {row["id"]: row | {"verdicts": []} for row in page.rows}
            query = select(table).where(table.c.delivery_id.in_(by_id)).order_by(table.c.id)
            for found in connection.execute(query).mappings():
                by_id[found["delivery_id"]]["verdicts"].append(dict(found))
        return replace(page, rows=list(by_id.values()))

    def newer_events(self, wanted: EventFilter, place: Place, limit: int = 100) -> int:
        """Return how many events arrived after *place*, at most *limit*."""
        with self._database.read() as connection:
            found, _ = self._of_events(wanted).places(connection, limit, newer=place)
        return len(found)

    def sources(self) -> list[Row]:
        """Return what lists say of the sources; their settings stay sealed."""
        return self._rows(
            schema.source, "id", "kind", "name", "state", "created_at", "ping_at", "delivery_at"
        )

    def destinations(self) -> list[Row]:
        """Return what lists say of the destinations, removed ones too."""
        return self._rows(
            schema.destination, "id", "kind", "name", "state", "reason", "next_at", "failures"
        )

    def _rows(self, table: Table, *names: str) -> list[Row]:
        query = select(*(table.c[name] for name in names)).order_by(table.c.id)
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def event(self, row_id: int) -> Row | None:
        """Return one event without its payload; None if there is none (any more)."""
        table = schema.outbox
        query = select(*(table.c[name] for name in _EVENT_COLUMNS)).where(table.c.id == row_id)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        return _readable(dict(row)) if row else None

    def related(self, event: Row, limit: int = 20) -> list[Row]:
        """Return the other events of the same order, and the same event at other destinations."""
        table = schema.outbox
        same = table.c.event_id == event["event_id"]
        if event["order_id"]:
            of_order = (table.c.source_id == event["source_id"]) & (
                table.c.order_id == event["order_id"]
            )
            same = or_(same, of_order)
        names = ("id", "destination_id", "event_name", "event_id", "state", "reason")
        query = select(*(table.c[name] for name in names)).where(same, table.c.id != event["id"])
        with self._database.read() as connection:
            found = connection.execute(query.order_by(table.c.id).limit(limit)).mappings()
            return [dict(row) for row in found]

    def told(self, event: Row) -> list[Row]:
        """Return what each delivery told of *event* and what followed, oldest first.

        `raw` is True where its body is still kept.
        """
        verdict, delivery, body = schema.verdict, schema.delivery, schema.delivery_body
        query = (
            select(
                verdict,
                delivery.c.topic,
                delivery.c.received_at,
                delivery.c.key,
                body.c.delivery_id.is_not(None).label("raw"),
            )
            .outerjoin(delivery, delivery.c.id == verdict.c.delivery_id)
            .outerjoin(body, body.c.delivery_id == verdict.c.delivery_id)
            .where(
                verdict.c.event_id == event["event_id"],
                verdict.c.destination_id == event["destination_id"],
                verdict.c.event_name == event["event_name"],
            )
            .order_by(verdict.c.id)
        )
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def attempts(self, event: Row) -> list[Row]:
        """Return the platform's answers to *event*, oldest first."""
        receipt, attempt = schema.receipt, schema.attempt
        earlier = select(attempt.c.receipt_id).where(attempt.c.outbox_id == event["id"])
        query = (
            select(receipt)
            .where(or_(receipt.c.id.in_(earlier), receipt.c.id == event["receipt_id"]))
            .order_by(receipt.c.id)
        )
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def replayable(self, wanted: EventFilter, older: Place | None = None) -> Replayable:
        """Return the newest events of *wanted*, before *older*, that may be decided again."""
        states = tuple(one for one in REPLAYABLE if not wanted.states or one in wanted.states)
        if not states:
            return Replayable(places=[])
        search = self._of_events(replace(wanted, states=states))
        outbox, body = schema.outbox, schema.delivery_body
        raw: set[int] = set()
        unsure: set[int] = set()
        is_named = UNKNOWN_OUTCOME in wanted.reasons
        with self._database.read() as connection:
            places, edge = search.places(connection, REPLAY_WINDOW, older=older)
            for start in range(0, len(places), 500):
                chunk = [row_id for _, row_id in places[start : start + 500]]
                held = (
                    select(outbox.c.id, outbox.c.reason)
                    .join(body, body.c.delivery_id == outbox.c.delivery_id)
                    .where(outbox.c.id.in_(chunk), outbox.c.reason != "replayed")
                )
                for row in connection.execute(held):
                    is_unsure = row.reason == UNKNOWN_OUTCOME and not is_named
                    (unsure if is_unsure else raw).add(row.id)
        return Replayable(
            places=[place for place in places if place[1] in raw],
            gone=len(places) - len(raw) - len(unsure),
            unsure=len(unsure),
            older=places[-1] if len(places) == REPLAY_WINDOW else edge,
        )

    def replaying(self, limit: int = 1_000) -> int:
        """Return how many replayed events are not decided again yet, at most *limit*."""
        outbox, delivery = schema.outbox, schema.delivery
        waits = exists().where(
            delivery.c.id == outbox.c.delivery_id, delivery.c.state == "received"
        )
        query = (
            select(outbox.c.id)
            .where(outbox.c.reason == "replayed", _HAS_REASON, waits)
            .limit(limit)
        )
        with self._database.read() as connection:
            return len(connection.execute(query).all())

    def _of_events(self, wanted: EventFilter) -> Search:
        table = schema.outbox
        checks: dict[str, Sequence[Any]] = {
            "state": wanted.states,
            "reason": wanted.reasons,
            "source_id": () if wanted.source_id is None else (wanted.source_id,),
            "destination_id": () if wanted.destination_id is None else (wanted.destination_id,),
            "event_name": (wanted.event_name,) if wanted.event_name else (),
            "occasion": (wanted.occasion,) if wanted.occasion else (),
        }
        ways: list[list[Any]] = [[]]
        if wanted.words:
            ways = [[table.c.id.in_(self._named(wanted.words))]]
        elif wanted.reasons:
            ways = [[_HAS_REASON, table.c.reason == one] for one in checks.pop("reason")]
        elif wanted.states and "sent" not in wanted.states:
            ways = [[_IS_ENDED, table.c.state == one] for one in wanted.states if one in _ENDED]
            is_open = set(wanted.states) & set(OPEN)
            ways += [[_IS_OPEN]] if is_open else []
            if not is_open or is_open == set(OPEN):
                del checks["state"]
        elif wanted.source_id is not None:
            ways = [[table.c.source_id == one] for one in checks.pop("source_id")]
        return _searched(table, table.c.created_at, ways, checks, wanted)

    def _named(self, words: str) -> list[int]:
        """Return the events with an order's number (# or not) or id, or with an event id."""
        outbox, source = schema.outbox, schema.source
        bare = words.removeprefix("#")
        # With all sources named, for the index of order ids begins with them.
        of_order = outbox.c.source_id.in_(select(source.c.id))
        conditions = (
            outbox.c.event_id == words,
            outbox.c.order_number.in_((bare, f"#{bare}")),
            and_(of_order, outbox.c.order_id == words),
        )
        found: set[int] = set()
        with self._database.read() as connection:
            for condition in conditions:
                found |= set(
                    connection.scalars(select(outbox.c.id).where(condition).limit(MOST_NAMED))
                )
        return sorted(found)


def _of_deliveries(wanted: DeliveryFilter) -> Search:
    table = schema.delivery
    checks: dict[str, Sequence[Any]] = {
        "state": (wanted.state,) if wanted.state else (),
        "topic": (wanted.topic,) if wanted.topic else (),
        "source_id": () if wanted.source_id is None else (wanted.source_id,),
    }
    ways: list[list[Any]] = [[]]
    if wanted.state in {"dead", "ignored"}:
        ways = [[_IS_UNUSED, table.c.state == one] for one in checks.pop("state")]
    elif wanted.source_id is not None:
        ways = [[table.c.source_id == one] for one in checks.pop("source_id")]
    return _searched(table, table.c.received_at, ways, checks, wanted)


def _searched(
    table: Table,
    time: ColumnElement[int],
    ways: Sequence[list[Any]],
    checks: Mapping[str, Sequence[Any]],
    wanted: EventFilter | DeliveryFilter,
) -> Search:
    period = [time >= wanted.start] if wanted.start is not None else []
    period += [time < wanted.end] if wanted.end is not None else []
    return Search(
        table=table,
        time=time,
        ways=[[*way, *period] for way in ways],
        checks={name: values for name, values in checks.items() if values},
    )


def _readable(row: Row) -> Row:
    return row | {"trace": json.loads(row["trace"])}
