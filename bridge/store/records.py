"""What is handed out whole: the audit log by pages, events for a spreadsheet."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from . import schema
from .database import Database

CHUNK = 1_000


@dataclass(frozen=True, kw_only=True)
class AuditLine:
    """One change: when (microseconds), who, what, on what."""

    id: int
    at: int
    actor: str
    action: str
    subject: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class EventLine:
    """One event without anything of a person; times in microseconds, `value` in major units."""

    event_name: str
    event_id: str
    order_id: str | None
    order_number: str | None
    source: str
    destination: str
    mode: str
    state: str
    reason: str
    channel: str | None
    value: str | None
    currency: str | None
    event_at: int
    created_at: int
    done_at: int | None
    attempts: int
    plan_digest: str


class Records:
    """Reads long tables in pages, so that no reading holds the database for long."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def audit(self, *, before: int | None = None, limit: int = 50) -> list[AuditLine]:
        """Return the newest lines of the audit log, or those older than the id *before*."""
        table = schema.audit
        query = select(table).order_by(table.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(table.c.id < before)
        with self._database.read() as connection:
            return [AuditLine(**row) for row in connection.execute(query).mappings()]

    def whole_audit(self) -> Iterator[AuditLine]:
        """Yield the whole audit log, newest first."""
        before = None
        while lines := self.audit(before=before, limit=CHUNK):
            yield from lines
            before = lines[-1].id

    def events(self, since: int) -> Iterator[EventLine]:
        """Yield all events that were first seen at *since* or later, oldest first."""
        outbox, source, destination = schema.outbox, schema.source, schema.destination
        own = [
            outbox.c[name]
            for name in EventLine.__dataclass_fields__
            if name not in {"source", "destination", "value", "currency"}
        ]
        query = (
            select(
                outbox.c.id,
                outbox.c.trace,
                *own,
                source.c.name.label("source"),
                destination.c.name.label("destination"),
            )
            .join(source, source.c.id == outbox.c.source_id)
            .join(destination, destination.c.id == outbox.c.destination_id)
            .where(outbox.c.created_at >= since)
            .order_by(outbox.c.id)
            .limit(CHUNK)
        )
        last = 0
        while True:
            with self._database.read() as connection:
                rows = connection.execute(query.where(outbox.c.id > last)).mappings().all()
            for row in rows:
                values = dict(row)
                trace = json.loads(values.pop("trace"))
                last = values.pop("id")
                yield EventLine(**values, value=trace.get("value"), currency=trace.get("currency"))
            if len(rows) < CHUNK:
                return
