"""What pages show at a glance: counts by event name, the last traces, plans, answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from bridge.events import Occasion
from bridge.secrets import Vault

from . import schema
from .database import Database
from .rows import RECONCILED
from .verdicts import insert_on


@dataclass(frozen=True, kw_only=True)
class EventCount:
    """How often an event name came on a route since a time, and when it came last."""

    count: int
    sent: int
    last_at: int


@dataclass(frozen=True, kw_only=True)
class PlanVersion:
    """One plan that was applied; `applied_at` in microseconds."""

    id: int
    digest: str
    text: str
    applied_at: int


class Overview:
    """Reads for the pages, and what their questions were answered."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def events(
        self, source_id: int, destination_id: int, since: int, *, seen_since: int
    ) -> dict[str, EventCount]:
        """Return the counts since *since* by event name, of what came since *seen_since*."""
        table = schema.outbox
        recent = table.c.created_at > since
        sent = and_(recent, table.c.state == "sent")
        query = (
            select(
                table.c.event_name,
                func.sum(case((recent, 1), else_=0)).label("came"),
                func.sum(case((sent, 1), else_=0)).label("sent"),
                func.max(table.c.created_at).label("last_at"),
            )
            .where(_on(source_id, destination_id), table.c.created_at > seen_since)
            .group_by(table.c.event_name)
        )
        with self._database.read() as connection:
            return {
                row.event_name: EventCount(
                    count=int(row.came), sent=int(row.sent), last_at=row.last_at
                )
                for row in connection.execute(query)
            }

    def traces(self, source_id: int, destination_id: int, since: int) -> dict[str, dict[str, Any]]:
        """Return the trace of the last event rendered under each name since then."""
        table = schema.outbox
        newest = (
            select(func.max(table.c.id))
            .where(_on(source_id, destination_id), table.c.created_at > since, _rendered())
            .group_by(table.c.event_name)
        )
        query = select(table.c.event_name, table.c.trace).where(table.c.id.in_(newest))
        with self._database.read() as connection:
            return {row.event_name: json.loads(row.trace) for row in connection.execute(query)}

    def shadowed(
        self, source_id: int, destination_id: int, since: int, limit: int = 50
    ) -> list[dict[str, Any]]:
        """Return the newest events that shadow mode held back, each with its trace."""
        table = schema.outbox
        names = ("event_name", "event_id", "order_id", "order_number", "event_at", "trace")
        query = (
            select(*(table.c[name] for name in names))
            .where(
                _on(source_id, destination_id),
                table.c.created_at > since,
                table.c.reason == "shadow",
            )
            .order_by(table.c.id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).mappings()
            return [{**row, "trace": json.loads(row["trace"])} for row in rows]

    def consents(self, source_id: int, limit: int) -> list[bool]:
        """Return of the newest purchases of the web whether a consent signal came with each."""
        table = schema.outbox
        query = (
            select(table.c.trace)
            .where(
                table.c.source_id == source_id,
                table.c.occasion == Occasion.PURCHASE,
                table.c.channel == "web",
            )
            .order_by(table.c.id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            proofs = [json.loads(trace).get("consent") for trace in connection.scalars(query)]
        return [proof["source"] is not None for proof in proofs if proof]

    def has_sent(self, destination_id: int) -> bool:
        """Return whether the destination ever took a live event."""
        table = schema.outbox
        query = select(table.c.id).where(
            table.c.destination_id == destination_id,
            table.c.state == "sent",
            table.c.mode == "live",
        )
        with self._database.read() as connection:
            return connection.scalar(query.limit(1)) is not None

    def read_since(self, source_id: int, since: int) -> tuple[int, int]:
        """Return how many orders of the shop's list were read since then, how many were new."""
        listed, delivery = schema.listed_order, schema.delivery
        read = select(func.count()).where(
            listed.c.source_id == source_id, listed.c.seen_at >= since
        )
        new = select(func.count()).where(
            delivery.c.source_id == source_id,
            delivery.c.received_at >= since,
            delivery.c.key.startswith(RECONCILED, autoescape=True),
        )
        with self._database.read() as connection:
            return int(connection.scalar(read) or 0), int(connection.scalar(new) or 0)

    def plans(self, limit: int = 10) -> list[PlanVersion]:
        """Return the plans that were applied, newest first."""
        table = schema.plan
        with self._database.read() as connection:
            rows = connection.execute(select(table).order_by(table.c.id.desc()).limit(limit))
            return [PlanVersion(**row._asdict()) for row in rows]

    def answer(self, name: str) -> dict[str, Any] | None:
        """Return what the operator answered to a question; None if it was never asked."""
        table = schema.setting
        with self._database.read() as connection:
            sealed = connection.scalar(select(table.c.value).where(table.c.name == name))
        if sealed is None:
            return None
        found: dict[str, Any] = json.loads(self._vault.open(sealed, "setting"))
        return found

    def set_answer(self, name: str, value: Mapping[str, Any]) -> None:
        """Keep an answer in place of the one before."""
        sealed = self._vault.seal(json.dumps(dict(value)).encode(), "setting")
        fresh = insert_on(schema.setting, is_sqlite=self._database.is_sqlite).values(
            name=name, value=sealed
        )
        with self._database.write() as connection:
            connection.execute(
                fresh.on_conflict_do_update(index_elements=["name"], set_={"value": sealed})
            )


def _on(source_id: int, destination_id: int) -> ColumnElement[bool]:
    table = schema.outbox
    return and_(table.c.source_id == source_id, table.c.destination_id == destination_id)


def _rendered() -> ColumnElement[bool]:
    table = schema.outbox
    return or_(
        table.c.state.in_(("pending", "sending", "sent", "dead")), table.c.reason == "shadow"
    )
