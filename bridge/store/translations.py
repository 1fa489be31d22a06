"""The work of translating: lease a source, read its batch, write the outcome in one go."""

import json
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from bridge.events import Delivery, OrderState
from bridge.orders import OrderView
from bridge.secrets import DamagedError, Vault

from . import schema
from .database import Database
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
from .verdicts import Verdicts, insert_on
from .visits import Visited, put_visited

LEASE_US = 120_000_000
# A shop that has revoked our access still asks for redactions.
TRANSLATED_STATES = ("active", "disconnected")


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
        source, delivery, held = schema.source, schema.delivery, schema.held
        waits = or_(
            exists().where(delivery.c.source_id == source.c.id, delivery.c.state == "received"),
            exists().where(held.c.source_id == source.c.id, held.c.until <= now),
        )
        due = (
            select(source.c.id)
            .where(
                source.c.state.in_(TRANSLATED_STATES),
                or_(source.c.lease_until <= now, source.c.lease_token.is_(None)),
                waits,
            )
            .order_by(source.c.lease_until)
            .limit(1)
        )
        with self._database.read() as connection:
            if connection.scalar(due) is None:
                return None
        token = secrets.token_hex(8)
        with self._database.write() as connection:
            source_id = connection.scalar(due.with_for_update(skip_locked=True))
            if source_id is None:
                return None
            connection.execute(
                update(source)
                .where(source.c.id == source_id)
                .values(lease_token=token, lease_until=now + LEASE_US)
            )
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
        table = schema.known_order
        query = select(table).where(table.c.source_id == source_id, table.c.order_id.in_(order_ids))
        with self._database.read() as connection:
            return {
                row.order_id: OrderView(
                    order_id=row.order_id,
                    state=None if row.state is None else OrderState(row.state),
                    updated_at=None if row.updated_at is None else moment(row.updated_at),
                    cancelled_at=None if row.cancelled_at is None else moment(row.cancelled_at),
                )
                for row in connection.execute(query)
            }

    def known(
        self, source_id: int, order_ids: Collection[str], event_ids: Collection[str]
    ) -> list[KnownRow]:
        """Return the outbox rows of these orders of the source, and all with these ids."""
        table = schema.outbox
        query = select(*(table.c[name] for name in KnownRow.__dataclass_fields__)).where(
            or_(
                and_(table.c.source_id == source_id, table.c.order_id.in_(order_ids)),
                table.c.event_id.in_(event_ids),
            )
        )
        with self._database.read() as connection:
            return [KnownRow(**row._asdict()) for row in connection.execute(query)]

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

    def purchases(self, source_id: int, order_ids: Collection[str]) -> set[tuple[int, str]]:
        """Return (destination id, order id) of purchases that were ever let through."""
        table = schema.purchase
        query = select(table.c.destination_id, table.c.order_id).where(
            table.c.source_id == source_id, table.c.order_id.in_(order_ids)
        )
        with self._database.read() as connection:
            return {(row.destination_id, row.order_id) for row in connection.execute(query)}

    def commit(self, lease: Lease, outcome: Outcome, now: int) -> bool:
        """Write *outcome* and end the lease, if it still holds; return whether it did.

        A lease that ran out means that another worker translates the same deliveries; its
        outcome stands and ours is dropped whole.
        """
        with self._database.write() as connection:
            if not self._fenced(connection, lease, outcome, now):
                return False
            verdicts = Verdicts(connection, self._vault, is_sqlite=self._database.is_sqlite)
            verdicts.stop(outcome.stopped, now)
            for row in outcome.rows:
                verdicts.put(row, now)
            self._put_orders(connection, lease.source_id, outcome.orders, now)
            _many(connection, schema.verdict, outcome.verdicts)
            put_told(connection, self._vault, lease.source_id, outcome.told, now)
            put_visited(connection, self._vault, lease.source_id, outcome.visited, now)
            if outcome.ends:
                connection.execute(_END, [_end(end, now) for end in outcome.ends])
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
        self, connection: Connection, source_id: int, orders: Iterable[OrderView], now: int
    ) -> None:
        told = [
            {
                "source_id": source_id,
                "order_id": order.order_id,
                "state": order.state,
                "updated_at": None if order.updated_at is None else micros(order.updated_at),
                "cancelled_at": None if order.cancelled_at is None else micros(order.cancelled_at),
                "seen_at": now,
            }
            for order in orders
        ]
        if told:
            connection.execute(_told_order(self._database.is_sqlite), told)


@cache
def _told_order(is_sqlite: bool) -> sqlite.Insert | postgresql.Insert:  # noqa: FBT001  a key
    """Return the statement that keeps the newest told of an order."""
    fresh = insert_on(schema.known_order, is_sqlite=is_sqlite)
    newer = {
        name: fresh.excluded[name] for name in ("state", "updated_at", "cancelled_at", "seen_at")
    }
    return fresh.on_conflict_do_update(index_elements=["source_id", "order_id"], set_=newer)


_END = (
    update(schema.delivery)
    .where(schema.delivery.c.id == bindparam("row"))
    .values(
        state=bindparam("new_state"),
        reason=bindparam("new_reason"),
        detail=bindparam("new_detail"),
        done_at=bindparam("now"),
    )
)


def _end(end: DeliveryEnd, now: int) -> dict[str, Any]:
    return {
        "row": end.delivery_id,
        "new_state": end.state,
        "new_reason": end.reason,
        "new_detail": end.detail,
        "now": now,
    }


def _many(connection: Connection, table: Table, rows: Sequence[VerdictRow]) -> None:
    if rows:
        connection.execute(insert(table), [vars(row) for row in rows])
