"""The first durable stop: deliveries, put with one commit before the shop is answered.

On SQLite one writer thread a process commits many puts at once (group commit): with a slow
disk, one commit a request would cap the whole server at a few deliveries a second.
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
_LONGEST = 200

_SQLITE = (
    "INSERT INTO delivery (source_id, topic, key, received_at, state, reason, done_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source_id, key) DO NOTHING"
)
_SQLITE_BODY = "INSERT INTO delivery_body (delivery_id, body) VALUES (?, ?)"
_POSTGRESQL = (
    "WITH stored AS ("
    "INSERT INTO delivery (source_id, topic, key, received_at, state, reason, done_at)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (source_id, key) DO NOTHING RETURNING id)"
    " INSERT INTO delivery_body (delivery_id, body) SELECT id, %s FROM stored"
    " RETURNING delivery_id"
)


@dataclass(frozen=True, kw_only=True)
class _Put:
    values: tuple[Any, ...]
    body: bytes
    done: Future[bool] = field(default_factory=Future)


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
        return self._put_grouped(item) if self._database.is_sqlite else self._put_now(item)

    def _put_now(self, item: _Put) -> bool:
        """Insert with one statement; once more if the connection broke, for the key decides."""
        try:
            return self._insert_postgresql(item)
        except StoreError as error:
            if not error.lost:
                raise
        return self._insert_postgresql(item)

    def _insert_postgresql(self, item: _Put) -> bool:
        with database_errors(), self._database.engine.connect() as plain:
            connection = plain.execution_options(isolation_level="AUTOCOMMIT")
            result = connection.exec_driver_sql(_POSTGRESQL, (*item.values, item.body))
            return result.first() is not None

    def _put_grouped(self, item: _Put) -> bool:
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
            group = [waiting.get()]
            while len(group) < _GROUP:
                try:
                    group.append(waiting.get_nowait())
                except queue.Empty:
                    break
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


def _key(key: str) -> str:
    """Return *key* as it is stored; cutting an odd one would make two deliveries one."""
    if len(key) <= _LONGEST and storable(key) == key:
        return key
    return fingerprint(key.encode("utf-8", "surrogatepass"))


def _with_headers(delivery: Delivery) -> bytes:
    headers = {storable(name): storable(value) for name, value in delivery.headers.items()}
    return as_json(headers) + b"\n" + delivery.body
