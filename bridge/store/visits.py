"""Carts and visitors: what is kept for a week, found by keyed hashes of unguessable tokens."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, insert, select, update

from bridge.carts import CartState
from bridge.events import Visitor, plain
from bridge.secrets import DamagedError, Vault

from . import schema
from .database import Database

KEPT_US = 7 * 86_400_000_000
CHUNK = 2_000


@dataclass(frozen=True, kw_only=True)
class KnownVisitor:
    """A visitor with the row that holds it; None for one that is new."""

    id: int | None
    visitor: Visitor


@dataclass(frozen=True, kw_only=True)
class Visited:
    """What a batch told of carts and visitors; keys are keyed hashes.

    `absorbed` are rows of visitors that turned out to be one with another.
    """

    carts: Mapping[bytes, CartState] = field(default_factory=dict)
    visitors: Collection[tuple[KnownVisitor, frozenset[bytes]]] = ()
    absorbed: Collection[int] = ()


class Visits:
    """Reads what is known; all writes belong to the transaction of a batch."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def carts(self, source_id: int, keys: Collection[bytes]) -> dict[bytes, CartState]:
        """Return the carts as they were last seen."""
        table = schema.cart
        query = select(table).where(table.c.source_id == source_id, table.c.key.in_(keys))
        with self._database.read() as connection:
            return {
                row.key: plain.from_plain(CartState, json.loads(row.state))
                for row in connection.execute(query)
            }

    def visitors(self, source_id: int, keys: Collection[bytes]) -> dict[bytes, KnownVisitor]:
        """Return the visitors that these tokens belong to."""
        visitor, key = schema.visitor, schema.visitor_key
        query = (
            select(key.c.key, visitor.c.id, visitor.c.told)
            .join(visitor, visitor.c.id == key.c.visitor_id)
            .where(key.c.source_id == source_id, key.c.key.in_(keys))
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return {row.key: known for row in rows if (known := self._known(row.id, row.told))}

    def _known(self, row_id: int, told: bytes) -> KnownVisitor | None:
        """Return the visitor; None for a damaged row, which must not stop its source."""
        try:
            visitor = plain.load(Visitor, self._vault.open(told, "visitor"))
        except DamagedError:
            return None
        return KnownVisitor(id=row_id, visitor=visitor)

    def purge(self, now: int) -> int:
        """Drop a chunk of carts and visitors that were not seen for a week."""
        cart, visitor, key = schema.cart, schema.visitor, schema.visitor_key
        before = now - KEPT_US
        old_visitors = select(visitor.c.id).where(visitor.c.seen_at < before)
        with self._database.read() as connection:
            old = list(connection.scalars(old_visitors.limit(CHUNK)))
            old_cart = connection.scalar(
                select(cart.c.source_id).where(cart.c.seen_at < before).limit(1)
            )
        if not old and old_cart is None:
            return 0
        with self._database.write() as connection:
            # Whoever came back since then stays.
            still = visitor.c.id.in_(old) & (visitor.c.seen_at < before)
            gone = list(connection.scalars(delete(visitor).where(still).returning(visitor.c.id)))
            connection.execute(delete(key).where(key.c.visitor_id.in_(gone)))
            carts = connection.execute(delete(cart).where(cart.c.seen_at < before)).rowcount
        return len(gone) + carts

    def erase(self, source_id: int) -> None:
        """Drop all carts and visitors of a shop.

        A batch that was read before is dropped, not written after it.
        """
        with self._database.write() as connection:
            _void_lease(connection, source_id)
            for table in (schema.visitor_key, schema.visitor, schema.cart):
                connection.execute(delete(table).where(table.c.source_id == source_id))

    def forget(self, source_id: int, keys: Collection[bytes]) -> None:
        """Drop the visitors that these tokens belong to.

        Others name nobody, so that they cannot be told to be somebody's; they go within a week.
        """
        visitor, key = schema.visitor, schema.visitor_key
        with self._database.write() as connection:
            _void_lease(connection, source_id)
            ours = (key.c.source_id == source_id) & key.c.key.in_(keys)
            found = list(connection.scalars(select(key.c.visitor_id).where(ours)))
            connection.execute(delete(key).where(key.c.visitor_id.in_(found)))
            connection.execute(delete(visitor).where(visitor.c.id.in_(found)))


def _void_lease(connection: Connection, source_id: int) -> None:
    table = schema.source
    connection.execute(
        update(table)
        .where(table.c.id == source_id, table.c.lease_token.is_not(None))
        .values(lease_token=None, lease_until=0)
    )


def put_visited(
    connection: Connection, vault: Vault, source_id: int, visited: Visited, now: int
) -> None:
    """Write *visited* within the transaction that ends a batch."""
    _put_carts(connection, source_id, visited.carts, now)
    key_table, visitor_table = schema.visitor_key, schema.visitor
    for known, keys in visited.visitors:
        told = vault.seal(plain.dump(known.visitor), "visitor")
        values = {"told": told, "seen_at": now}
        again = update(visitor_table).where(visitor_table.c.id == known.id).values(**values)
        row_id = connection.scalar(again.returning(visitor_table.c.id))
        if row_id is None:  # a new one, or one whose week ended meanwhile
            row_id = connection.execute(
                insert(visitor_table)
                .values(source_id=source_id, **values)
                .returning(visitor_table.c.id)
            ).scalar_one()
        _point(connection, source_id, keys, row_id)
        _wake_held(connection, source_id, keys, now)
    if visited.absorbed:
        connection.execute(delete(key_table).where(key_table.c.visitor_id.in_(visited.absorbed)))
        connection.execute(delete(visitor_table).where(visitor_table.c.id.in_(visited.absorbed)))


def _put_carts(
    connection: Connection, source_id: int, carts: Mapping[bytes, CartState], now: int
) -> None:
    table = schema.cart
    for key, state in carts.items():
        ours = (table.c.source_id == source_id) & (table.c.key == key)
        told = json.dumps(plain.as_plain(state))
        changed = connection.execute(update(table).where(ours).values(state=told, seen_at=now))
        if changed.rowcount == 0:
            connection.execute(
                insert(table).values(source_id=source_id, key=key, state=told, seen_at=now)
            )


def _point(
    connection: Connection, source_id: int, keys: Collection[bytes], visitor_id: int
) -> None:
    table = schema.visitor_key
    connection.execute(delete(table).where(table.c.source_id == source_id, table.c.key.in_(keys)))
    connection.execute(
        insert(table),
        [{"source_id": source_id, "key": key, "visitor_id": visitor_id} for key in sorted(keys)],
    )


def _wake_held(connection: Connection, source_id: int, keys: Collection[bytes], now: int) -> None:
    """Let events that wait under one of these tokens be decided now."""
    held, held_key = schema.held, schema.held_key
    waiting = select(held_key.c.outbox_id).where(held_key.c.key.in_(keys))
    connection.execute(
        update(held)
        .where(held.c.source_id == source_id, held.c.outbox_id.in_(waiting))
        .values(until=now)
    )
