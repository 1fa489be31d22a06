"""The connection to SQLite or PostgreSQL: transactions, the write lock, migrations."""

import fcntl
import math
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    SQLAlchemyError,
)
from sqlalchemy.pool import StaticPool

from bridge.events import BridgeError, ConfigError

BUSY_S = 2.5  # shorter than the five seconds in which a shop wants its answer
RESTS_S = 1.0  # so long a connection may lie idle before it is tried
_MIGRATION_LOCK = 7_243_001  # any number: the advisory lock of migrations on PostgreSQL

Clock = Callable[[], int]


class StoreError(BridgeError):
    """The database cannot serve now: locked, full, read-only or down.

    `lost` is True where the connection broke, so that a commit may or may not have happened.
    `refused` is True where the database is well but will never take these very values.
    """

    def __init__(self, sentence: str, *, lost: bool = False, refused: bool = False) -> None:
        super().__init__(sentence)
        self.lost = lost
        self.refused = refused


@contextmanager
def database_errors() -> Iterator[None]:
    """Turn a driver's error into a StoreError that holds no statement and no value."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        cause = getattr(error, "orig", None) or error
        name = getattr(cause, "sqlite_errorname", None) or type(cause).__name__
        lost = isinstance(error, DBAPIError) and error.connection_invalidated
        refused = isinstance(error, DataError | IntegrityError)
        raise StoreError(f"database: {name}", lost=lost, refused=refused) from None


class Database:
    """One database.  Reading takes `read()`; every write goes through `write()`.

    On SQLite all writers queue at a file lock before BEGIN IMMEDIATE, for SQLite's own
    busy handler polls without fairness and starves under several processes.
    """

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        self.is_sqlite = url.startswith("sqlite")
        name = _name_in(url)
        in_memory = name in {None, "", ":memory:"}
        self._file = name if self.is_sqlite and not in_memory else None
        self._clock = clock
        self._turn = threading.Lock()
        self._lock_handle: tuple[int, int] | None = None
        if self._file:
            _make_folder(Path(self._file).parent)
        self.engine = _sqlite_engine(url) if self.is_sqlite else _postgresql_engine(url)
        _opened.add(self)
        # One that nobody closed lets go of its connections when it is forgotten.
        weakref.finalize(self, self.engine.dispose).atexit = False

    def local_now(self) -> int:
        """Return this machine's time in microseconds since 1970 UTC."""
        return self._clock() if self._clock else time.time_ns() // 1000

    def now(self) -> int:
        """Return the time for leases: the server's, where several machines share it."""
        if self._clock or self.is_sqlite:
            return self.local_now()
        with self.read() as connection:
            seconds = connection.execute(select(func.extract("epoch", func.clock_timestamp())))
            return int(seconds.scalar_one() * 1_000_000)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection in a reading transaction."""
        with database_errors(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection in a writing transaction, committed on leaving."""
        with database_errors(), self._our_turn(), self.engine.connect() as plain:
            connection = plain.execution_options(write=True)
            with connection.begin():
                yield connection

    @contextmanager
    def _our_turn(self) -> Iterator[None]:
        if not self._file:
            yield
            return
        if not self._turn.acquire(timeout=BUSY_S):
            raise StoreError("database: another write of this process takes too long")
        try:
            handle = self._open_lock()
            fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(handle, fcntl.LOCK_UN)
        finally:
            self._turn.release()

    def _open_lock(self) -> int:
        """Return this process's handle of the lock file; a forked one would share the lock."""
        process = os.getpid()
        if self._lock_handle is None or self._lock_handle[0] != process:
            handle = os.open(f"{self._file}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._lock_handle = (process, handle)
        return self._lock_handle[1]

    def after_fork(self) -> None:
        """Forget connections that belong to the parent process; runs in every forked one."""
        self.engine.dispose(close=False)
        self._turn = threading.Lock()
        if self._lock_handle:
            # Kept open it would hold the parent's lock on if the parent were killed.
            os.close(self._lock_handle[1])
            self._lock_handle = None

    def migrate(self) -> None:
        """Bring the schema to the newest revision; safe when two processes start together."""
        with self._sound_file(), self.write() as connection:
            if not self.is_sqlite:
                connection.execute(text("SET LOCAL lock_timeout = '60s'"))
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK}
                )
            config = _alembic()
            revision = MigrationContext.configure(connection).get_current_revision()
            known = ScriptDirectory.from_config(config)
            if revision == known.get_current_head():
                return
            if revision and revision not in {script.revision for script in known.walk_revisions()}:
                raise ConfigError(
                    "DATABASE_URL: the database was made by a newer version; update capi-bridge"
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    @contextmanager
    def _sound_file(self) -> Iterator[None]:
        try:
            yield
        except StoreError as error:
            if str(error) in {"database: SQLITE_NOTADB", "database: SQLITE_CORRUPT"}:
                raise ConfigError(
                    f"DATABASE_URL: {self._file} is damaged or not an SQLite database"
                ) from None
            raise

    def is_migrated(self) -> bool:
        """Return whether the schema is at this version's revision."""
        with self.read() as connection:
            revision = MigrationContext.configure(connection).get_current_revision()
        return revision == ScriptDirectory.from_config(_alembic()).get_current_head()


_opened: "weakref.WeakSet[Database]" = weakref.WeakSet()


def _after_fork() -> None:
    for database in list(_opened):
        database.after_fork()


os.register_at_fork(after_in_child=_after_fork)


def _name_in(url: str) -> str | None:
    """Return the database's name; the error of a wrong *url* must not show its password."""
    try:
        return make_url(url).database
    except (ArgumentError, ValueError):
        raise ConfigError("DATABASE_URL: is not a sound address") from None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"DATABASE_URL: the folder {folder} cannot be made ({error.strerror})"
        ) from None


def _alembic() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _sqlite_engine(url: str) -> Engine:
    in_memory = make_url(url).database in {None, "", ":memory:"}
    pool: dict[str, Any] = {"poolclass": StaticPool} if in_memory else {"pool_timeout": BUSY_S}
    engine = create_engine(
        url, connect_args={"timeout": BUSY_S, "check_same_thread": False}, **pool
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: object) -> None:
        connection.isolation_level = None  # we begin ourselves
        cursor = connection.cursor()
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            f"busy_timeout = {int(BUSY_S * 1000)}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads first and writes later fails at once when another wrote
        # in between, whatever the busy timeout says; so writers begin as writers.
        writing = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _postgresql_engine(url: str) -> Engine:
    engine = create_engine(
        url,
        pool_size=3,
        max_overflow=5,  # two processes of eight leave room for commands where 20 are allowed
        pool_timeout=2,
        pool_recycle=1800,
        connect_args={
            "connect_timeout": 2,  # with the wait for the pool still below four seconds
            "prepare_threshold": None,  # works behind a pooler in transaction mode
            "options": "-c lock_timeout=2500 -c statement_timeout=30000",
        },
    )

    @event.listens_for(engine, "checkin")
    def _note_rest(_: object, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _try_rested(connection: Any, record: Any, _: object) -> None:
        # Asking before every transaction whether the server is still there would cost each of
        # them one more way there and back.
        if time.monotonic() - record.info.get("rests_since", math.inf) > RESTS_S:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError from error  # the pool takes or makes another one

    return engine
