"""Sealing all that is stored under the current key, after SECRET_KEY was changed."""

from sqlalchemy import Column, Table, select, update

from bridge.secrets import DamagedError, Vault

from . import schema
from .database import Database

CHUNK = 500
# Every sealed column: table, primary key, column, the context it is sealed in.
SEALED: tuple[tuple[Table, str, str, str], ...] = (
    (schema.setting, "name", "value", "setting"),
    (schema.source, "id", "keys", "source.keys"),
    (schema.source, "id", "settings", "source.settings"),
    (schema.destination, "id", "settings", "destination.settings"),
    (schema.delivery_body, "delivery_id", "body", "delivery"),
    (schema.payload, "outbox_id", "body", "payload"),
    (schema.held, "outbox_id", "event", "held"),
    (schema.erasure, "id", "subject", "erasure"),
    (schema.visitor, "id", "told", "visitor"),
)


class Rotation:
    """Opens and seals again whatever is not under the current key."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def rotate(self) -> int:
        """Return how many values were sealed anew; raises ConfigError for a key unknown.

        A value that was damaged stays as it is: no key opens it.
        """
        return sum(
            self._rotate(table.c[key], table.c[column], context)
            for table, key, column, context in SEALED
        )

    def _rotate(self, key: Column[int], column: Column[bytes], context: str) -> int:
        count, last = 0, None
        while True:
            query = select(key, column).order_by(key).limit(CHUNK)
            if last is not None:
                query = query.where(key > last)
            with self._database.read() as connection:
                rows = connection.execute(query).all()
            if not rows:
                return count
            last = rows[-1][0]
            stale = [row for row in rows if not self._vault.is_current(row[1])]
            if not stale:
                continue
            with self._database.write() as connection:
                for row_key, sealed in stale:
                    try:
                        fresh = self._vault.seal(self._vault.open(sealed, context), context)
                    except DamagedError:
                        continue
                    connection.execute(
                        update(column.table)
                        .where(key == row_key, column == sealed)
                        .values({column.name: fresh})
                    )
                    count += 1
