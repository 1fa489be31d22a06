"""The work of translating: lease a source, read its batch, write the outcome in one go."""

import json
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    Connection,
    Table,
    and_,
    delete,
    select,
    update,
)

from bridge.events import Delivery, OrderState
from bridge.orders import OrderView
from bridge.secrets import DamagedError, Vault

from . import schema
from .database import Database
from .driver import insert_many, run
from .rows import (
    UNREADABLE,
    DeliveryEnd,
    HeldEvent,
    KnownRow,
    Lease,
    OutboxRow,
    Sold,
    StoredDelivery,
    VerdictRow,
    micros,
    moment,
)
from .subjects import Told, put_told
from .verdicts import Verdicts
from .visits import Visited, put_visited

LEASE_US = 120_000_000
IDS_AT_ONCE = 10_000  # a cart has hundreds of lines, a batch a hundred carts
# A shop that has revoked our access still asks for redactions.
TRANSLATED_STATES = ("active", "disconnected")
_DUE = (
    "SELECT id FROM source WHERE state IN ? AND (lease_until <= ? OR lease_token IS NULL)"
    " AND (EXISTS (SELECT 1 FROM delivery"
    " WHERE delivery.source_id = source.id AND delivery.state = 'received')"
    " OR EXISTS (SELECT 1 FROM held WHERE held.source_id = source.id AND held.until <= ?))"
    " ORDER BY lease_until LIMIT 1"
)
_KNOWN = (
    "SELECT id, destination_id, source_id, occasion, event_name, event_id, order_id, state,"
    " reason, curable FROM outbox WHERE"
)
_VERDICT = tuple(VerdictRow.__dataclass_fields__)
_verdict = attrgetter(*_VERDICT)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """All that one batch of deliveries leads to, built in memory before it is written.

    `stopped` are ids of waiting rows that are skipped for good, with the reason.  `heard` is
    False where nothing came from the shop itself, `collected` True where a browser told
    something of its visitor.
    """

    ends: Sequence[DeliveryEnd]
    rows: Sequence[OutboxRow]
    stopped: Mapping[int, str]
    orders: Sequence[OrderView]
    verdicts: Sequence[VerdictRow]
    told: Told = field(default_factory=Told)
    visited: Visited = field(default_factory=Visited)
    heard: bool = True
    collected: bool = False


class Translations:
    """Reads and writes of the second verb."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def lease(self, now: int) -> Lease | None:
        """Lease the source that waits longest; None if there is nothing to translate."""
        due = (list(TRANSLATED_STATES), now, now)
        with self._database.read() as connection:
            if run(connection, _DUE, *due).first() is None:
                return None
        token = secrets.token_hex(8)
        locked = _DUE if self._database.is_sqlite else f"{_DUE} FOR UPDATE SKIP LOCKED"
        with self._database.write() as connection:
            source_id = run(connection, locked, *due).scalar()
            if source_id is None:
                return None
            leased = "UPDATE source SET lease_token = ?, lease_until = ? WHERE id = ?"
            run(connection, leased, token, now + LEASE_US, source_id)
        return Lease(source_id=source_id, token=token)

    def batch(self, lease: Lease, limit: int) -> list[StoredDelivery]:
        """Return the source's oldest untranslated deliveries.

        One whose body is missing or damaged becomes dead, so that it never stops its source.
        """
        delivery, body = schema.delivery, schema.delivery_body
        query = (
            select(delivery, body.c.body)
            .outerjoin(body, body.c.delivery_id == delivery.c.id)
            .where(delivery.c.source_id == lease.source_id, delivery.c.state == "received")
            .order_by(delivery.c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        stored, damaged = [], []
        for row in rows:
            try:
                stored.append(self._stored(row._asdict()))
            except DamagedError:
                damaged.append(row.id)
        if damaged:
            self._bury(schema.delivery, damaged)
        return stored

    def _bury(self, table: Table, ids: Sequence[int]) -> None:
        """Make rows dead whose sealed value nobody can read, whoever holds the lease."""
        with self._database.write() as connection:
            connection.execute(
                update(table)
                .where(table.c.id.in_(ids), table.c.state.in_(("received", "waiting")))
                .values(state="dead", reason=UNREADABLE, done_at=self._database.local_now())
            )
            if table is schema.outbox:
                for kept in (schema.held, schema.held_key):
                    connection.execute(delete(kept).where(kept.c.outbox_id.in_(ids)))

    def delivery(self, delivery_id: int) -> StoredDelivery | None:
        """Return one delivery whose raw body is still kept."""
        delivery, body = schema.delivery, schema.delivery_body
        query = (
            select(delivery, body.c.body)
            .join(body, body.c.delivery_id == delivery.c.id)
            .where(delivery.c.id == delivery_id)
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return self._stored(row._asdict()) if row else None

    def _stored(self, row: dict[str, Any]) -> StoredDelivery:
        headers, _, body = self._vault.open(row["body"] or b"", "delivery").partition(b"\n")
        return StoredDelivery(
            id=row["id"],
            delivery=Delivery(
                topic=row["topic"],
                key=row["key"],
                body=body,
                headers=json.loads(headers),
                received_at=moment(row["received_at"]),
            ),
        )

    def held(self, lease: Lease, now: int, limit: int) -> list[HeldEvent]:
        """Return the source's events whose time of waiting is over; a damaged one is dead."""
        held, outbox = schema.held, schema.outbox
        query = (
            select(held, outbox.c.destination_id, outbox.c.delivery_id)
            .join(outbox, outbox.c.id == held.c.outbox_id)
            .where(held.c.source_id == lease.source_id, held.c.until <= now)
            .order_by(held.c.until)
            .limit(limit)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        due, damaged = [], []
        for row in rows:
            try:
                event = self._vault.open(row.event, "held")
            except DamagedError:
                damaged.append(row.outbox_id)
                continue
            due.append(
                HeldEvent(
                    outbox_id=row.outbox_id,
                    destination_id=row.destination_id,
                    delivery_id=row.delivery_id,
                    event=event,
                )
            )
        if damaged:
            self._bury(schema.outbox, damaged)
        return due

    def orders(self, source_id: int, order_ids: Collection[str]) -> dict[str, OrderView]:
        """Return what earlier deliveries told of these orders."""
        statement = (
            "SELECT order_id, state, updated_at, cancelled_at FROM known_order"
            " WHERE source_id = ? AND order_id IN ?"
        )
        return {
            order_id: OrderView(
                order_id=order_id,
                state=None if state is None else OrderState(state),
                updated_at=None if updated_at is None else moment(updated_at),
                cancelled_at=None if cancelled_at is None else moment(cancelled_at),
            )
            for order_id, state, updated_at, cancelled_at in self._found(
                statement, order_ids, source_id
            )
        }

    def purchases(self, source_id: int, order_ids: Collection[str]) -> set[tuple[int, str]]:
        """Return (destination id, order id) of purchases that were ever let through."""
        statement = (
            "SELECT destination_id, order_id FROM purchase WHERE source_id = ? AND order_id IN ?"
        )
        return {tuple(row) for row in self._found(statement, order_ids, source_id)}

    def known(
        self, source_id: int, order_ids: Collection[str], event_ids: Collection[str]
    ) -> list[KnownRow]:
        """Return the outbox rows of these orders of the source, and all with these ids."""
        of_orders, of_ids = f"{_KNOWN} source_id = ? AND order_id IN ?", f"{_KNOWN} event_id IN ?"
        found = self._found(of_orders, order_ids, source_id) + self._found(of_ids, event_ids)
        return list({row.id: _known_row(row) for row in found}.values())

    def sold(self, row_ids: Collection[int]) -> dict[int, Sold]:
        """Return these purchases by their ids, each with its payload while that is kept."""
        table, payload = schema.outbox, schema.payload
        names = [name for name in Sold.__dataclass_fields__ if name != "payload"]
        query = (
            select(table.c.id, payload.c.body, *(table.c[name] for name in names))
            .outerjoin(payload, payload.c.outbox_id == table.c.id)
            .where(table.c.id.in_(row_ids))
        )
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return {
            row["id"]: Sold(**{name: row[name] for name in names}, payload=self._lent(row["body"]))
            for row in rows
        }

    def _lent(self, sealed: bytes | None) -> bytes | None:
        try:
            return self._vault.open(sealed, "payload") if sealed else None
        except DamagedError:
            return None

    def _found(self, statement: str, ids: Collection[str], *values: Any) -> list[Any]:
        """Return the rows of these *ids*, which come last in *statement*."""
        wanted = list(ids)
        found: list[Any] = []
        with self._database.read() as connection:
            for start in range(0, len(wanted), IDS_AT_ONCE):
                chunk = wanted[start : start + IDS_AT_ONCE]
                found += run(connection, statement, *values, chunk).all()
        return found

    def commit(self, lease: Lease, outcome: Outcome, now: int) -> bool:
        """Write *outcome* and end the lease, if it still holds; return whether it did.

        A lease that ran out means that another worker translates the same deliveries; its
        outcome stands and ours is dropped whole.
        """
        with self._database.write() as connection:
            if not self._fenced(connection, lease, outcome, now):
                return False
            verdicts = Verdicts(connection, self._vault)
            verdicts.stop(outcome.stopped, now)
            verdicts.put(outcome.rows, now)
            _put_orders(connection, lease.source_id, outcome.orders, now)
            insert_many(connection, "verdict", _VERDICT, list(map(_verdict, outcome.verdicts)))
            put_told(connection, self._vault, lease.source_id, outcome.told, now)
            put_visited(connection, self._vault, lease.source_id, outcome.visited, now)
            _end(connection, outcome.ends, now)
        return True

    def _fenced(self, connection: Connection, lease: Lease, outcome: Outcome, now: int) -> bool:
        table = schema.source
        ours = and_(table.c.id == lease.source_id, table.c.lease_token == lease.token)
        values: dict[str, Any] = {"lease_token": None, "lease_until": now}
        if outcome.heard:
            values["delivery_at"] = now
        if outcome.collected:
            values["collected_at"] = now
        return connection.execute(update(table).where(ours).values(values)).rowcount == 1


def _put_orders(
    connection: Connection, source_id: int, orders: Iterable[OrderView], now: int
) -> None:
    """Keep the newest told of each order."""
    insert_many(
        connection,
        "known_order",
        ("source_id", "order_id", "state", "updated_at", "cancelled_at", "seen_at"),
        [
            (
                source_id,
                order.order_id,
                order.state and str(order.state),
                None if order.updated_at is None else micros(order.updated_at),
                None if order.cancelled_at is None else micros(order.cancelled_at),
                now,
            )
            for order in orders
        ],
        "ON CONFLICT (source_id, order_id) DO UPDATE SET state = excluded.state,"
        " updated_at = excluded.updated_at, cancelled_at = excluded.cancelled_at,"
        " seen_at = excluded.seen_at",
    )


def _end(connection: Connection, ends: Iterable[DeliveryEnd], now: int) -> None:
    """End deliveries: one statement for all that ended alike."""
    alike: dict[tuple[str, str, str], list[int]] = {}
    for end in ends:
        alike.setdefault((end.state, end.reason, end.detail), []).append(end.delivery_id)
    for how, ids in alike.items():
        run(
            connection,
            "UPDATE delivery SET state = ?, reason = ?, detail = ?, done_at = ? WHERE id IN ?",
            *how,
            now,
            ids,
        )


def _known_row(row: Any) -> KnownRow:
    return KnownRow(**{**row._asdict(), "curable": bool(row.curable)})
