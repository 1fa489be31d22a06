"""The first durable stop: deliveries, put with one commit before the shop is answered.

One writer thread a process commits many puts at once (group commit): with a slow disk, one
commit a request would cap SQLite at a few deliveries a second; PostgreSQL works less for them.
"""

import os
import queue
import sqlite3
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from typing import Any

from bridge.events import Delivery, as_json, fingerprint
from bridge.secrets import Vault

from .database import Database, StoreError, database_errors
from .rows import storable

PUT_TIMEOUT_S = 3.5  # with the reading of the body still within the shop's five seconds
STUCK_S = 2.0  # nothing was written for so long: who comes now had to wait for a thread already
STUCK_TIMEOUT_S = 1.0
_GROUP = 200
_GROUP_BYTES = 8 * 1024 * 1024
_LONGEST = 200

_SQLITE = (
    "INSERT INTO delivery (source_id, topic, key, received_at, state, reason, done_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source_id, key) DO NOTHING"
)
_SQLITE_BODY = "INSERT INTO delivery_body (delivery_id, body) VALUES (?, ?)"
_POSTGRESQL = (
    "WITH given (source_id, topic, key, received_at, state, reason, done_at, body) AS (VALUES {}),"
    " stored AS ("
    "INSERT INTO delivery (source_id, topic, key, received_at, state, reason, done_at)"
    " SELECT source_id, topic, key, received_at, state, reason, done_at FROM given"
    " ON CONFLICT (source_id, key) DO NOTHING RETURNING id, source_id, key),"
    " bodies AS (INSERT INTO delivery_body (delivery_id, body)"
    " SELECT id, body FROM stored JOIN given USING (source_id, key))"
    " SELECT source_id, key FROM stored"
)
_POSTGRESQL_ROW = "(%s::bigint, %s, %s, %s::bigint, %s, %s, %s::bigint, %s::bytea)"


@dataclass(frozen=True, kw_only=True)
class _Put:
    values: tuple[Any, ...]
    body: bytes
    done: Future[bool] = field(default_factory=Future)

    @property
    def name(self) -> tuple[int, str]:
        """What no two deliveries share: source and key."""
        return self.values[0], self.values[2]


class Intake:
    """Puts deliveries; returns only when they are on disk."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._queues: dict[int, queue.SimpleQueue[_Put]] = {}
        self._failing_since: float | None = None

    def put(
        self, source_id: int, delivery: Delivery, received_at: int, dead_reason: str = ""
    ) -> bool:
        """Store *delivery* and return True, or False if it was stored before.

        With *dead_reason* it is stored as dead, for a body that is not to be translated.
        Raises StoreError within four seconds.
        """
        item = _Put(
            values=(
                source_id,
                storable(delivery.topic)[:_LONGEST],
                _key(delivery.key),
                received_at,
                "dead" if dead_reason else "received",
                dead_reason,
                received_at if dead_reason else None,
            ),
            body=self._vault.seal(_with_headers(delivery), "delivery"),
        )
        self._queue().put(item)
        since = self._failing_since
        stuck = since is not None and time.monotonic() - since > STUCK_S
        try:
            return item.done.result(STUCK_TIMEOUT_S if stuck else PUT_TIMEOUT_S)
        except FutureTimeoutError:
            raise StoreError("database: the write takes too long") from None

    def _queue(self) -> "queue.SimpleQueue[_Put]":
        """Return this process's queue; its writer starts at the first put, after any fork."""
        process = os.getpid()
        ours = self._queues.get(process)
        if ours is None:
            fresh: queue.SimpleQueue[_Put] = queue.SimpleQueue()
            ours = self._queues.setdefault(process, fresh)  # of two threads, one wins
            if ours is fresh:
                writer = threading.Thread(target=self._write_groups, args=(fresh,), name="intake")
                writer.daemon = True
                writer.start()
        return ours

    def _write_groups(self, waiting: "queue.SimpleQueue[_Put]") -> None:
        while True:
            group = _all_of(waiting)
            self._failing_since = self._failing_since or time.monotonic()
            try:
                results = self._write_group(group)
            except Exception as error:  # noqa: BLE001  whoever waits must be told, whatever it was
                failure = error if isinstance(error, StoreError) else StoreError("database: fault")
                for item in group:
                    item.done.set_exception(failure)
            else:
                self._failing_since = None
                for item, is_new in zip(group, results, strict=True):
                    if is_new is None:
                        item.done.set_exception(StoreError("database: the source is gone"))
                    else:
                        item.done.set_result(is_new)

    def _write_group(self, group: Sequence[_Put]) -> list[bool | None]:
        """Return for each put whether it was new; None where its source is gone."""
        if self._database.is_sqlite:
            return self._write_sqlite(group)
        try:
            return self._write_postgresql(group)
        except StoreError as error:
            if error.lost:  # it may be committed or not: once more, for the key decides
                return self._write_postgresql(group)
            if not error.refused:
                raise
            # One is to blame, and it undid the others.
            return [None] if len(group) == 1 else [self._write_group([one])[0] for one in group]

    def _write_postgresql(self, group: Sequence[_Put]) -> list[bool | None]:
        """Insert all or none of *group*, with one statement that is its own transaction."""
        firsts = {item.name: item for item in reversed(group)}
        # In one order everywhere, lest two processes wait for each other's keys.
        rows = [firsts[name] for name in sorted(firsts)]
        statement = _POSTGRESQL.format(",".join([_POSTGRESQL_ROW] * len(rows)))
        values = tuple(value for item in rows for value in (*item.values, item.body))
        with database_errors(), self._database.engine.connect() as plain:
            connection = plain.execution_options(isolation_level="AUTOCOMMIT")
            new = {tuple(row) for row in connection.exec_driver_sql(statement, values)}
        return [item.name in new and item is firsts[item.name] for item in group]

    def _write_sqlite(self, group: Sequence[_Put]) -> list[bool | None]:
        with self._database.write() as connection:
            driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]  # sqlite3's own
            cursor = driver.cursor()
            results: list[bool | None] = []
            for item in group:
                try:
                    cursor.execute(_SQLITE, item.values)
                except sqlite3.IntegrityError:  # undoes this statement, not the group's
                    results.append(None)
                    continue
                is_new = cursor.rowcount == 1
                if is_new:
                    cursor.execute(_SQLITE_BODY, (cursor.lastrowid, item.body))
                results.append(is_new)
            return results


def _all_of(waiting: "queue.SimpleQueue[_Put]") -> list[_Put]:
    """Wait for a put and return it with those behind it, as many as make one statement."""
    group = [waiting.get()]
    size = len(group[0].body)
    while len(group) < _GROUP and size < _GROUP_BYTES:
        try:
            group.append(waiting.get_nowait())
        except queue.Empty:
            break
        size += len(group[-1].body)
    return group


def _key(key: str) -> str:
    """Return *key* as it is stored; cutting an odd one would make two deliveries one."""
    if len(key) <= _LONGEST and storable(key) == key:
        return key
    return fingerprint(key.encode("utf-8", "surrogatepass"))


def _with_headers(delivery: Delivery) -> bytes:
    headers = {storable(name): storable(value) for name, value in delivery.headers.items()}
    return as_json(headers) + b"\n" + delivery.body
