"""Verdicts become outbox rows, or take the place of those that time can cure."""

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, literal, or_, update
from sqlalchemy.dialects import postgresql, sqlite

from bridge.consent import DENIED
from bridge.events import Occasion
from bridge.policy import CURABLE
from bridge.secrets import Vault

from . import schema
from .driver import insert_many, run
from .rows import OutboxRow

DECIDED_BEFORE = "decided_before"
_OPEN_STATES = {"pending", "waiting"}
_COLUMNS = (
    "source_id", "destination_id", "delivery_id", "mode", "occasion", "event_name", "event_id",
    "order_id", "order_number", "channel", "state", "reason", "curable", "event_at", "expires_at",
    "next_at", "plan_digest", "trace", "email_key", "phone_key", "customer_key",
)  # fmt: skip
_values = attrgetter(*_COLUMNS)
_event = attrgetter("event_id", "event_name", "destination_id")
_order = attrgetter("destination_id", "source_id", "order_id")
_CHANGE = "UPDATE outbox SET " + ", ".join(f"{name} = ?" for name in (*_COLUMNS, "done_at"))  # noqa: S608
_CURABLE = "WHERE curable AND state IN ('waiting', 'skipped')"
_REPLACE_SAME = (
    f"{_CHANGE} {_CURABLE} AND event_id = ? AND event_name = ? AND destination_id = ? RETURNING id"
)
# It may get another id, but none that is taken.
_REPLACE_ROW = (
    f"{_CHANGE} {_CURABLE} AND id = ? AND NOT EXISTS (SELECT 1 FROM outbox AS other"  # noqa: S608  names of ours
    " WHERE other.event_id = ? AND other.event_name = ? AND other.destination_id = ?"
    " AND other.id <> outbox.id) RETURNING id"
)


def insert_on(table: Table, *, is_sqlite: bool) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that can say what to do on a conflict."""
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


class Verdicts:
    """Writes verdicts within the transaction that ends a batch."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def stop(self, stopped: Mapping[int, str], now: int) -> None:
        """Skip waiting rows, each for its reason; only what time cures may be decided again.

        A consent that was withdrawn reaches what is pending too, until it is being sent.
        """
        table = schema.outbox
        for row_id, reason in stopped.items():
            denied = and_(table.c.state == "pending", literal(reason == DENIED))
            stopped_id = self._connection.scalar(
                update(table)
                .where(table.c.id == row_id, or_(table.c.curable, denied))
                .values(state="skipped", reason=reason, curable=reason in CURABLE, done_at=now)
                .returning(table.c.id)
            )
            if stopped_id is None:
                continue
            for kept in (schema.held, schema.held_key, schema.payload):
                self._connection.execute(delete(kept).where(kept.c.outbox_id == row_id))

    def put(self, rows: Sequence[OutboxRow], now: int) -> None:
        """Insert or replace verdicts; what is decided for good is left as it is."""
        entered = self._enter([row for row in rows if _buys(row)], now)
        let_in = []
        for row in rows:
            if not _buys(row):
                let_in.append(row)
            elif _order(row) in entered:
                entered.discard(_order(row))  # of which there is only one
                let_in.append(row)
            elif row.replaces:
                self.stop({row.replaces: DECIDED_BEFORE}, now)
        ids = self._insert([row for row in let_in if not row.replaces], now)
        written, replaced = [], []
        for row in let_in:
            row_id = ids.pop(_event(row), None)
            if row_id is None and (row_id := self._replace(row, now)) is not None:
                replaced.append(row_id)
            if row_id is not None:
                written.append((row_id, row))
            elif _buys(row):
                self._strike(row)
        self._forget_kept(replaced)
        self._keep(written)

    def _enter(self, rows: Iterable[OutboxRow], now: int) -> set[tuple[Any, ...]]:
        """Enter orders into the ledger of purchases; return those that were not there."""
        entered = insert_many(
            self._connection,
            "purchase",
            ("destination_id", "source_id", "order_id", "event_id", "decided_at"),
            [(*_order(row), row.event_id, now) for row in rows],
            "ON CONFLICT DO NOTHING RETURNING destination_id, source_id, order_id",
        )
        return {tuple(row) for row in entered}

    def _strike(self, row: OutboxRow) -> None:
        """Take back an entry whose event was not let through after all."""
        run(
            self._connection,
            "DELETE FROM purchase WHERE destination_id = ? AND source_id = ? AND order_id = ?",
            *_order(row),
        )

    def _insert(self, rows: Iterable[OutboxRow], now: int) -> dict[tuple[Any, ...], int]:
        """Insert what was not there; return the new ids by event."""
        inserted = insert_many(
            self._connection,
            "outbox",
            (*_COLUMNS, "done_at", "created_at"),
            [(*_values(row), _done_at(row, now), now) for row in rows],
            "ON CONFLICT DO NOTHING RETURNING id, event_id, event_name, destination_id",
        )
        return {tuple(event): row_id for row_id, *event in inserted}

    def _replace(self, row: OutboxRow, now: int) -> int | None:
        """Put *row* in the place of a verdict that time can cure; None if there is none."""
        values = (*_values(row), _done_at(row, now))
        if row.replaces:
            done = run(self._connection, _REPLACE_ROW, *values, row.replaces, *_event(row))
        else:
            done = run(self._connection, _REPLACE_SAME, *values, *_event(row))
        row_id: int | None = done.scalar()
        return row_id

    def _forget_kept(self, ids: list[int]) -> None:
        for table in (schema.held, schema.held_key, schema.payload) if ids else ():
            self._connection.execute(delete(table).where(table.c.outbox_id.in_(ids)))

    def _keep(self, written: Sequence[tuple[int, OutboxRow]]) -> None:
        """Keep what the rows stand for: payloads, events that wait and what wakes them."""
        insert_many(
            self._connection,
            "payload",
            ("outbox_id", "body"),
            [
                (row_id, self._vault.seal(row.payload, "payload"))
                for row_id, row in written
                if row.payload is not None
            ],
        )
        waiting = [(row_id, row) for row_id, row in written if row.held_event is not None]
        insert_many(
            self._connection,
            "held",
            ("outbox_id", "source_id", "until", "event"),
            [
                (row_id, row.source_id, row.next_at, self._vault.seal(row.held_event, "held"))
                for row_id, row in waiting
                if row.held_event is not None
            ],
        )
        insert_many(
            self._connection,
            "held_key",
            ("outbox_id", "key"),
            [(row_id, key) for row_id, row in waiting for key in sorted(set(row.held_keys))],
        )


def _buys(row: OutboxRow) -> bool:
    """Return whether the row is a purchase that is let through, of which there is only one."""
    return bool(row.occasion == Occasion.PURCHASE and row.state == "pending" and row.order_id)


def _done_at(row: OutboxRow, now: int) -> int | None:
    return None if row.state in _OPEN_STATES else now
