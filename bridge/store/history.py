"""What happened: the log, one event's story, counts, plans, audit."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import and_, func, insert, or_, select

from bridge.secrets import Vault

from . import schema
from .database import Database
from .rows import COLLECTED_KEY, OWN_KEYS

_LIST_COLUMNS = (
    "id", "source_id", "destination_id", "delivery_id", "mode", "event_name", "event_id",
    "order_id", "order_number", "state", "reason", "event_at", "expires_at", "created_at",
    "done_at", "next_at", "attempts", "ambiguous_at", "receipt_id", "plan_digest", "trace",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Story:
    """All that is kept of one event: rows as mappings, newest verdict last."""

    events: list[Mapping[str, Any]]
    verdicts: list[Mapping[str, Any]]
    receipts: list[Mapping[str, Any]]


class History:
    """Reads for people, and the two tables that only grow."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def events(
        self, *, limit: int = 50, state: str = "", source_id: int | None = None
    ) -> list[dict[str, Any]]:
        """Return the newest events of the outbox, without payloads."""
        table = schema.outbox
        query = select(*(table.c[name] for name in _LIST_COLUMNS)).order_by(table.c.id.desc())
        if state:
            query = query.where(table.c.state == state)
        if source_id is not None:
            query = query.where(table.c.source_id == source_id)
        with self._database.read() as connection:
            rows = connection.execute(query.limit(limit)).mappings()
            return [_readable(dict(row)) for row in rows]

    def deliveries(self, *, limit: int = 50, state: str = "") -> list[dict[str, Any]]:
        """Return the newest deliveries, without bodies."""
        table = schema.delivery
        query = select(table).order_by(table.c.id.desc()).limit(limit)
        if state:
            query = query.where(table.c.state == state)
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def story(self, event_id: str) -> Story:
        """Return what is known of an event id, an order id or an order number."""
        outbox, verdict, delivery = schema.outbox, schema.verdict, schema.delivery
        of_event = (
            (outbox.c.event_id == event_id)
            | (outbox.c.order_id == event_id)
            | (outbox.c.order_number == event_id)
        )
        with self._database.read() as connection:
            rows = connection.execute(
                select(*(outbox.c[name] for name in _LIST_COLUMNS)).where(of_event)
            ).mappings()
            events = [_readable(dict(row)) for row in rows]
            verdicts = connection.execute(
                select(verdict, delivery.c.topic, delivery.c.received_at)
                .outerjoin(delivery, delivery.c.id == verdict.c.delivery_id)
                .where(verdict.c.event_id.in_({event["event_id"] for event in events}))
                .order_by(verdict.c.id)
            ).mappings()
            receipt = schema.receipt
            receipts = connection.execute(
                select(receipt).where(
                    receipt.c.id.in_({event["receipt_id"] for event in events} - {None})
                )
            ).mappings()
            return Story(
                events=list(events),
                verdicts=[dict(row) for row in verdicts],
                receipts=[dict(row) for row in receipts],
            )

    def verdicts(self, delivery_id: int) -> list[dict[str, Any]]:
        """Return what one delivery led to, in the order decided."""
        table = schema.verdict
        query = select(table).where(table.c.delivery_id == delivery_id).order_by(table.c.id)
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def payload(self, destination_id: int, event_name: str, event_id: str) -> bytes | None:
        """Return the event as the destination gets it; None if there is none (any more)."""
        outbox, payload = schema.outbox, schema.payload
        query = (
            select(payload.c.body)
            .join(outbox, outbox.c.id == payload.c.outbox_id)
            .where(
                outbox.c.destination_id == destination_id,
                outbox.c.event_name == event_name,
                outbox.c.event_id == event_id,
            )
        )
        with self._database.read() as connection:
            sealed: bytes | None = connection.scalar(query)
        return self._vault.open(sealed, "payload") if sealed else None

    def longest_gap(self, source_id: int, since: int) -> int | None:
        """Return the longest quiet between two deliveries since then; None for fewer than 20.

        Only what the shop sent by itself counts.
        """
        table = schema.delivery
        own = or_(*(table.c.key.startswith(prefix) for prefix in OWN_KEYS))
        query = (
            select(table.c.received_at)
            .where(table.c.source_id == source_id, table.c.received_at >= since, ~own)
            .order_by(table.c.received_at.desc())
            .limit(2_000)
        )
        with self._database.read() as connection:
            times = list(connection.scalars(query))
        if len(times) < 20:
            return None
        gaps: list[int] = [later - earlier for later, earlier in pairwise(times)]
        return max(gaps)

    def unread(self, since: int) -> dict[int, tuple[int, str]]:
        """Return how many of a source's deliveries since then are dead, and why the last one is.

        Only what the shop sent, or its list told: what browsers post anybody may post.  What
        was erased nobody has to read.
        """
        table = schema.delivery
        dead = and_(
            table.c.state == "dead",
            table.c.reason != "erased",
            table.c.received_at >= since,
            ~table.c.key.startswith(COLLECTED_KEY),
        )
        counted = (
            select(table.c.source_id, func.count().label("dead"), func.max(table.c.id).label("id"))
            .where(dead)
            .group_by(table.c.source_id)
            .subquery()
        )
        query = select(counted.c.source_id, counted.c.dead, table.c.reason, table.c.detail).join(
            counted, counted.c.id == table.c.id
        )
        with self._database.read() as connection:
            return {
                row.source_id: (row.dead, row.detail or row.reason)
                for row in connection.execute(query)
            }

    def states_since(self, since: int) -> dict[str, int]:
        """Return how many events that arrived since then are in each state."""
        table = schema.outbox
        query = (
            select(table.c.state, func.count())
            .where(table.c.created_at > since)
            .group_by(table.c.state)
        )
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def audited_since(self, action: str, subject: str, since: int) -> int:
        """Return how often this was noted of *subject* since then."""
        table = schema.audit
        query = select(func.count()).where(
            table.c.at > since, table.c.action == action, table.c.subject == subject
        )
        with self._database.read() as connection:
            return int(connection.scalar(query) or 0)

    def skipped_since(self, since: int, reason: str) -> int:
        """Return how many events that arrived since then are skipped for *reason*."""
        table = schema.outbox
        recent = (table.c.created_at > since, table.c.state == "skipped")
        query = select(func.count()).where(*recent, table.c.reason == reason)
        with self._database.read() as connection:
            return int(connection.scalar(query) or 0)

    def expiring(self, before: int) -> int:
        """Return how many events that are still to be sent expire before then."""
        table = schema.outbox
        query = select(func.count()).where(table.c.state == "pending", table.c.expires_at < before)
        with self._database.read() as connection:
            return int(connection.scalar(query) or 0)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many deliveries and events there are in each state."""
        counts = {}
        with self._database.read() as connection:
            for table in (schema.delivery, schema.outbox):
                rows = connection.execute(
                    select(table.c.state, func.count()).group_by(table.c.state)
                )
                counts[table.name] = {row[0]: row[1] for row in rows}
        return counts

    def audit(self, actor: str, action: str, subject: str, detail: str = "") -> None:
        """Note a change for ever: who, what, on what; no secret, no personal data."""
        with self._database.write() as connection:
            connection.execute(
                insert(schema.audit).values(
                    at=self._database.local_now(),
                    actor=actor,
                    action=action,
                    subject=subject,
                    detail=detail,
                )
            )

    def plan(self) -> str | None:
        """Return the text of the plan in force; None if none was ever applied."""
        table = schema.plan
        query = select(table.c.text).order_by(table.c.id.desc()).limit(1)
        with self._database.read() as connection:
            text: str | None = connection.scalar(query)
        return text

    def apply_plan(self, text: str, digest: str) -> None:
        """Keep *text* as the newest version of the plan."""
        with self._database.write() as connection:
            connection.execute(
                insert(schema.plan).values(
                    digest=digest, text=text, applied_at=self._database.local_now()
                )
            )

    def beat(self, name: str, now: int) -> None:
        """Note that the worker *name* is alive."""
        table = schema.heartbeat
        with self._database.write() as connection:
            connection.execute(table.delete().where(table.c.name == name))
            connection.execute(insert(table).values(name=name, seen_at=now))

    def last_beat(self) -> int | None:
        """Return when any worker was last seen, in microseconds; None if never."""
        with self._database.read() as connection:
            seen: int | None = connection.scalar(select(func.max(schema.heartbeat.c.seen_at)))
        return seen


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"trace": json.loads(row["trace"])}
