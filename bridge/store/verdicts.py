"""One verdict becomes an outbox row, or takes the place of one that time can cure."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Table,
    and_,
    delete,
    exists,
    insert,
    literal,
    or_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from bridge.consent import DENIED
from bridge.events import Occasion
from bridge.policy import CURABLE
from bridge.secrets import Vault

from . import schema
from .rows import OutboxRow
from .visits import put_held_keys

CURABLE_STATES = ("waiting", "skipped")
DECIDED_BEFORE = "decided_before"
_NOT_COLUMNS = {"payload", "held_event", "held_keys", "replaces"}
_OPEN_STATES = {"pending", "waiting"}


def insert_on(table: Table, *, is_sqlite: bool) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that can say what to do on a conflict."""
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


# Building a statement costs more than running it, so those of every event are built once.
_PAYLOAD = insert(schema.payload)


@cache
def _new(name: str, column: str, is_sqlite: bool) -> ReturningInsert[Any]:  # noqa: FBT001  a key
    """Return the INSERT of a row of *name* that is not there yet, telling its *column*."""
    table = schema.metadata.tables[name]
    fresh = insert_on(table, is_sqlite=is_sqlite).on_conflict_do_nothing()
    return fresh.returning(table.c[column])


class Verdicts:
    """Writes verdicts within the transaction that ends a batch."""

    def __init__(self, connection: Connection, vault: Vault, *, is_sqlite: bool) -> None:
        self._connection = connection
        self._vault = vault
        self._is_sqlite = is_sqlite

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

    def put(self, row: OutboxRow, now: int) -> None:
        """Insert or replace one verdict; what is decided for good is left as it is."""
        buys = row.occasion == Occasion.PURCHASE and row.state == "pending" and row.order_id
        if buys and not self._enter(row, now):
            if row.replaces:
                self.stop({row.replaces: DECIDED_BEFORE}, now)
            return
        row_id = None if row.replaces else self._insert_row(row, now)
        row_id = row_id or self._replace(row, now)
        if row_id is None:
            if buys:
                self._strike(row)
            return
        if row.payload is not None:
            sealed = self._vault.seal(row.payload, "payload")
            self._connection.execute(_PAYLOAD, {"outbox_id": row_id, "body": sealed})
        if row.held_event is not None:
            self._connection.execute(
                insert(schema.held).values(
                    outbox_id=row_id,
                    source_id=row.source_id,
                    until=row.next_at,
                    event=self._vault.seal(row.held_event, "held"),
                )
            )
            put_held_keys(self._connection, row_id, row.held_keys)

    def _enter(self, row: OutboxRow, now: int) -> bool:
        """Enter the order into the ledger of purchases; return False if it stands there."""
        entry = {
            "destination_id": row.destination_id,
            "source_id": row.source_id,
            "order_id": row.order_id,
            "event_id": row.event_id,
            "decided_at": now,
        }
        # Not by rowcount, which an INSERT does not tell on every engine.
        entered = self._connection.execute(_new("purchase", "order_id", self._is_sqlite), entry)
        return entered.first() is not None

    def _strike(self, row: OutboxRow) -> None:
        """Take back an entry whose event was not let through after all."""
        table = schema.purchase
        self._connection.execute(
            delete(table).where(
                table.c.destination_id == row.destination_id,
                table.c.source_id == row.source_id,
                table.c.order_id == row.order_id,
            )
        )

    def _replace(self, row: OutboxRow, now: int) -> int | None:
        """Put *row* in the place of a verdict that time can cure; None if there is none."""
        table, other = schema.outbox, schema.outbox.alias()
        same_event = _same_event(table, row)
        if row.replaces:
            taken = exists().where(_same_event(other, row), other.c.id != row.replaces)
            same_event = and_(table.c.id == row.replaces, ~taken)
        curable = and_(table.c.curable, table.c.state.in_(CURABLE_STATES))
        row_id: int | None = self._connection.scalar(
            update(table)
            .where(same_event, curable)
            .values(_columns(row, now))
            .returning(table.c.id)
        )
        if row_id is not None:
            for kept in (schema.held, schema.held_key, schema.payload):
                self._connection.execute(delete(kept).where(kept.c.outbox_id == row_id))
        return row_id

    def _insert_row(self, row: OutboxRow, now: int) -> int | None:
        row_id: int | None = self._connection.scalar(
            _new("outbox", "id", self._is_sqlite), {"created_at": now, **_columns(row, now)}
        )
        return row_id


def _same_event(table: FromClause, row: OutboxRow) -> ColumnElement[bool]:
    return and_(
        table.c.event_id == row.event_id,
        table.c.event_name == row.event_name,
        table.c.destination_id == row.destination_id,
    )


def _columns(row: OutboxRow, now: int) -> dict[str, Any]:
    values = {name: value for name, value in vars(row).items() if name not in _NOT_COLUMNS}
    return values | {"done_at": None if row.state in _OPEN_STATES else now}
