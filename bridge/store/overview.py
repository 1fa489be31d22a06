"""What pages show at a glance: the last traces, answers of both sides, plans."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, text

from bridge.events import Occasion, Outcome
from bridge.secrets import Vault

from . import schema
from .database import Database
from .rows import RECONCILED
from .verdicts import insert_on

_HAS_REASON = text("reason <> ''")  # spelt as the index is, for SQLite compares the words


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

    def traces(self, row_ids: Collection[int]) -> dict[str, dict[str, Any]]:
        """Return the traces of these events by name."""
        table = schema.outbox
        query = select(table.c.event_name, table.c.trace).where(table.c.id.in_(row_ids))
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
                _HAS_REASON,
            )
            .order_by(table.c.created_at.desc(), table.c.id.desc())
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

    def has_taken(self, destination_id: int) -> bool:
        """Return whether the destination ever took events of ours."""
        table = schema.receipt
        query = select(table.c.id).where(
            table.c.destination_id == destination_id, table.c.outcome == Outcome.ACCEPTED
        )
        newest = query.order_by(table.c.id.desc()).limit(1)
        with self._database.read() as connection:
            return connection.scalar(newest) is not None

    def answers(self, destination_id: int, limit: int = 5) -> list[dict[str, Any]]:
        """Return the newest answers of the destination, newest first."""
        table = schema.receipt
        query = select(table).where(table.c.destination_id == destination_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(table.c.id.desc()).limit(limit))
            return [dict(row) for row in rows.mappings()]

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
