"""What is kept of people, and how it is erased."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from bridge.events import Delivery, Redaction, plain
from bridge.secrets import DamagedError, Vault
from bridge.subjects import SubjectKeys

from . import schema
from .database import Database
from .driver import insert_many, run
from .rows import RECONCILED, StoredDelivery, moment

CHUNK = 500
OPENED_AT_ONCE = 100  # a raw body may have two megabytes
_RECENT = (  # the last two conditions are those of the index
    "SELECT channel, count(DISTINCT order_id) AS orders FROM outbox"
    " JOIN delivery ON delivery.id = outbox.delivery_id"
    " WHERE outbox.source_id = ? AND created_at > ? AND received_at > ?"
    " AND substr(key, 1, 10) <> ? AND order_id NOT IN ?"
    " AND occasion = 'purchase' AND channel NOT IN ('web', 'pos') GROUP BY channel"
)


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """A person, or a whole shop, that is to be forgotten; None for *source_id*: everywhere."""

    id: int
    source_id: int | None
    redaction: Redaction
    actor: str


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a batch told of people and of the connection itself.

    `customers` are (keyed hash, first order id) of who has bought; `unused` are deliveries that
    told nothing, whose raw bodies need not be kept.
    """

    customers: Sequence[tuple[bytes, str]] = ()
    redactions: Sequence[Redaction] = ()
    data_requests: Sequence[str] = ()
    disconnected: bool = False
    unused: Sequence[int] = ()


class Subjects:
    """Finds and erases by keyed hashes; ids and amounts stay, for the ledger."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def ask(self, source_id: int | None, redaction: Redaction, actor: str) -> None:
        """Note an erasure that is to be done."""
        with self._database.write() as connection:
            now = self._database.local_now()
            _add_erasure(
                connection, self._vault, redaction, source_id=source_id, actor=actor, now=now
            )

    def asked(self) -> list[Erasure]:
        """Return the erasures that are still to be done, oldest first."""
        table = schema.erasure
        with self._database.read() as connection:
            return [
                Erasure(
                    id=row.id,
                    source_id=row.source_id,
                    redaction=plain.load(Redaction, self._vault.open(row.subject, "erasure")),
                    actor=row.actor,
                )
                for row in connection.execute(select(table).order_by(table.c.id))
            ]

    def done(self, erasure_id: int) -> None:
        """Forget an erasure that was carried out."""
        table = schema.erasure
        with self._database.write() as connection:
            connection.execute(delete(table).where(table.c.id == erasure_id))

    def count_events(self, source_id: int, redaction: Redaction, keys: SubjectKeys) -> int:
        """Return how many events of the source hold anything of a person, or of the shop."""
        found = _unerased(source_id, redaction, keys)
        if found is None:
            return 0
        with self._database.read() as connection:
            counted = select(func.count()).select_from(found.subquery())
            return int(connection.scalar(counted) or 0)

    def erase_events(
        self, source_id: int, redaction: Redaction, keys: SubjectKeys, now: int
    ) -> int:
        """Erase all events of a person, or of the shop; return how many.

        What was not sent is skipped as ``erased``; payloads, waiting events, match keys and
        hashes go.  The purchase ledger stays, so that nothing is sent again.
        """
        found = _unerased(source_id, redaction, keys)
        if found is None:
            return 0
        with self._database.write() as connection:
            self._void_lease(connection, source_id, now)
            self._forget_customers(connection, source_id, redaction, keys, ())
        count = 0
        # The search reads all of the source's events, so it must not hold up those who write.
        while rows := self._next_of(found):
            with self._database.write() as connection:
                self._erase_rows(connection, [row.id for row in rows], now)
                orders = [row.order_id for row in rows]
                self._forget_customers(connection, source_id, redaction, keys, orders)
            count += len(rows)
        return count

    def _next_of(self, found: Select[tuple[int, str | None]]) -> Sequence[Row[Any]]:
        with self._database.read() as connection:
            return connection.execute(found.limit(CHUNK)).all()

    def _void_lease(self, connection: Connection, source_id: int, now: int) -> None:
        """Let a batch that was read before the erasure be dropped, not written after it."""
        table = schema.source
        connection.execute(
            update(table)
            .where(table.c.id == source_id, table.c.lease_token.is_not(None))
            .values(lease_token=None, lease_until=now)
        )

    def _erase_rows(self, connection: Connection, ids: Sequence[int], now: int) -> None:
        table = schema.outbox
        ours = table.c.id.in_(ids)
        for kept in (schema.payload, schema.held, schema.held_key):
            connection.execute(delete(kept).where(kept.c.outbox_id.in_(ids)))
        connection.execute(
            update(table)
            .where(ours, table.c.state.in_(("pending", "waiting")))
            .values(state="skipped", reason="erased", done_at=now)
        )
        connection.execute(
            update(table)
            .where(ours)
            .values(email_key=None, phone_key=None, customer_key=None, curable=False)
        )

    def _forget_customers(
        self,
        connection: Connection,
        source_id: int,
        redaction: Redaction,
        keys: SubjectKeys,
        order_ids: Sequence[str | None],
    ) -> None:
        """Forget who bought before: a person's other keys stand beside the same order."""
        table = schema.known_customer
        query = delete(table).where(table.c.source_id == source_id)
        if not redaction.whole_shop:
            named = {*order_ids, *redaction.order_ids} - {None}
            query = query.where(table.c.key.in_(keys.all()) | table.c.order_id.in_(named))
        connection.execute(query)

    def bodies(self, source_id: int) -> Iterator[list[int]]:
        """Yield the ids of all deliveries whose raw bodies are still kept, in chunks."""
        for rows in self._pages(select(schema.delivery.c.id), source_id, CHUNK):
            yield [row.id for row in rows]

    def raw(self, source_id: int) -> Iterator[list[StoredDelivery]]:
        """Yield the deliveries whose raw bodies are still kept, in chunks, oldest first.

        A body that is damaged is left out: nobody can read it.  Raises ConfigError where it was
        sealed under a key that is not known.
        """
        columns = select(schema.delivery, schema.delivery_body.c.body)
        for rows in self._pages(columns, source_id, OPENED_AT_ONCE):
            yield [stored for row in rows if (stored := self._opened(row))]

    def last_raw(self, source_id: int, limit: int) -> list[StoredDelivery]:
        """Return the newest of these, newest first."""
        delivery, body = schema.delivery, schema.delivery_body
        query = (
            select(delivery, body.c.body)
            .join_from(delivery, body, body.c.delivery_id == delivery.c.id)
            .where(delivery.c.source_id == source_id)
            .order_by(delivery.c.id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [stored for row in rows if (stored := self._opened(row))]

    def _pages(self, columns: Select[Any], source_id: int, size: int) -> Iterator[Sequence[Any]]:
        delivery, body = schema.delivery, schema.delivery_body
        query = (
            columns.join_from(delivery, body, body.c.delivery_id == delivery.c.id)
            .where(delivery.c.source_id == source_id)
            .order_by(delivery.c.id)
            .limit(size)
        )
        last = 0
        while True:
            with self._database.read() as connection:
                rows = connection.execute(query.where(delivery.c.id > last)).all()
            if not rows:
                return
            yield rows
            last = rows[-1].id

    def _opened(self, row: Any) -> StoredDelivery | None:
        try:
            headers, _, body = self._vault.open(row.body, "delivery").partition(b"\n")
        except DamagedError:
            return None
        return StoredDelivery(
            id=row.id,
            delivery=Delivery(
                topic=row.topic,
                key=row.key,
                body=body,
                headers=json.loads(headers),
                received_at=moment(row.received_at),
            ),
        )

    def erase_bodies(self, delivery_ids: Sequence[int], now: int) -> None:
        """Drop raw bodies; what was not translated yet becomes dead as ``erased``."""
        delivery, body = schema.delivery, schema.delivery_body
        for start in range(0, len(delivery_ids), CHUNK):
            ids = delivery_ids[start : start + CHUNK]
            with self._database.write() as connection:
                connection.execute(delete(body).where(body.c.delivery_id.in_(ids)))
                connection.execute(
                    update(delivery)
                    .where(delivery.c.id.in_(ids), delivery.c.state == "received")
                    .values(state="dead", reason="erased", done_at=now)
                )

    def known_customers(self, source_id: int, keys: Collection[bytes]) -> dict[bytes, str]:
        """Return the first known order of each of these keyed hashes."""
        table = schema.known_customer
        query = select(table).where(table.c.source_id == source_id, table.c.key.in_(keys))
        with self._database.read() as connection:
            return {row.key: row.order_id for row in connection.execute(query)}

    def costs(self, source_id: int, items: Collection[str]) -> dict[str, Decimal]:
        """Return the unit costs that the operator gave for these SKUs or ids."""
        table, wanted = schema.cost, sorted(items)
        found: dict[str, Decimal] = {}
        with self._database.read() as connection:
            for start in range(0, len(wanted), CHUNK):
                chunk = table.c.item.in_(wanted[start : start + CHUNK])
                rows = connection.execute(
                    select(table).where(table.c.source_id == source_id, chunk)
                )
                found.update((row.item, Decimal(row.cost)) for row in rows)
        return found

    def set_costs(self, source_id: int, costs: Mapping[str, Decimal]) -> None:
        """Keep *costs* (by SKU or id, in the shop's own currency) in place of all before."""
        table = schema.cost
        rows = [
            {"source_id": source_id, "item": item, "cost": str(cost)}
            for item, cost in costs.items()
        ]
        with self._database.write() as connection:
            connection.execute(delete(table).where(table.c.source_id == source_id))
            if rows:
                connection.execute(insert(table), rows)

    def recent_by_channel(
        self,
        source_id: int,
        decided_since: int,
        received_since: int,
        but: Collection[str],
    ) -> dict[str, int]:
        """Return how many orders of each channel were decided, and received, since then.

        Where people buy they are not counted: nobody asks, and there may be many.  *but* are
        orders that are counted when they are told of again.
        """
        values = (source_id, decided_since, received_since, RECONCILED, sorted(but) or [""])
        with self._database.read() as connection:
            return {row.channel: row.orders for row in run(connection, _RECENT, *values)}


def put_told(connection: Connection, vault: Vault, source_id: int, told: Told, now: int) -> None:
    """Write *told* within the transaction that ends a batch."""
    insert_many(
        connection,
        "known_customer",
        ("source_id", "key", "order_id", "seen_at"),
        [(source_id, key, order_id, now) for key, order_id in told.customers],
        "ON CONFLICT (source_id, key) DO UPDATE SET seen_at = excluded.seen_at",
    )
    for redaction in told.redactions:
        _add_erasure(connection, vault, redaction, source_id=source_id, actor="shop", now=now)
    for request_id in told.data_requests:
        _add_audit(connection, "privacy.data_requested", f"source {source_id}", request_id, now)
    if told.disconnected:
        source = schema.source
        connection.execute(
            update(source)
            .where(source.c.id == source_id, source.c.state != "removed")
            .values(state="disconnected")
        )
        _add_audit(connection, "source.disconnected", f"source {source_id}", "", now)
    if told.unused:
        body = schema.delivery_body
        connection.execute(delete(body).where(body.c.delivery_id.in_(told.unused)))


def _add_audit(connection: Connection, action: str, subject: str, detail: str, now: int) -> None:
    connection.execute(
        insert(schema.audit).values(
            at=now, actor="shop", action=action, subject=subject, detail=detail
        )
    )


def _add_erasure(
    connection: Connection,
    vault: Vault,
    redaction: Redaction,
    *,
    source_id: int | None,
    actor: str,
    now: int,
) -> None:
    connection.execute(
        insert(schema.erasure).values(
            source_id=source_id,
            subject=vault.seal(plain.dump(redaction), "erasure"),
            asked_at=now,
            actor=actor,
        )
    )


def _unerased(
    source_id: int, redaction: Redaction, keys: SubjectKeys
) -> Select[tuple[int, str | None]] | None:
    """Return the query for events that hold anything of the person; None if nothing names one."""
    table, payload, held = schema.outbox, schema.payload, schema.held
    about = _about(keys, redaction.order_ids, whole_shop=redaction.whole_shop)
    if about is None:
        return None
    holds_anything = or_(
        table.c.email_key.is_not(None),
        table.c.phone_key.is_not(None),
        table.c.customer_key.is_not(None),
        table.c.state.in_(("pending", "waiting")),
        exists().where(payload.c.outbox_id == table.c.id),
        exists().where(held.c.outbox_id == table.c.id),
    )
    return (
        select(table.c.id, table.c.order_id)
        .where(table.c.source_id == source_id, about, holds_anything)
        .order_by(table.c.id)
    )


def _about(
    keys: SubjectKeys, order_ids: Collection[str], *, whole_shop: bool
) -> ColumnElement[bool] | None:
    """Return the condition that an event is about the person; None if nothing names one."""
    table = schema.outbox
    if whole_shop:
        return table.c.id.is_not(None)
    named = [
        column == key
        for column, key in (
            (table.c.email_key, keys.email_key),
            (table.c.phone_key, keys.phone_key),
            (table.c.customer_key, keys.customer_key),
        )
        if key is not None
    ]
    if order_ids:
        named.append(table.c.order_id.in_(order_ids))
    return or_(*named) if named else None
