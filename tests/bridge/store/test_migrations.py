"""The schema: made once, whoever comes first; never touched when it is newer than the code."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from bridge.events import ConfigError
from bridge.secrets import Vault
from bridge.store import Store, schema
from tests.stores import SECRET_KEY, START, environment, put, rows

CHILDREN = Path(__file__).parent / "children.py"


@pytest.fixture
def empty_url(request, store_url, tmp_path):
    """Return the URL of a database without a single table."""
    if store_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'empty.db'}"
    engine = create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return store_url


@pytest.fixture
def empty(empty_url):
    opened = Store(empty_url, Vault(SECRET_KEY), lambda: START)
    yield opened
    opened.close()


def test_an_empty_database_is_not_migrated_and_then_is(empty):
    assert not empty.database.is_migrated()

    empty.migrate()
    assert empty.database.is_migrated()
    put(empty, empty.connections.add_source("bogus", "shop", {}))


def test_to_migrate_again_changes_nothing(store, source):
    put(store, source)
    store.migrate()

    assert rows(store, "delivery", "key") == ["k1"]
    assert store.database.is_migrated()


def test_two_processes_migrate_at_once(empty, empty_url):
    command = [sys.executable, str(CHILDREN), "migrate", empty_url]
    children = [subprocess.Popen(command, env=environment()) for _ in range(2)]

    assert [child.wait(30) for child in children] == [0, 0]
    assert empty.database.is_migrated()


def test_a_schema_newer_than_the_code_is_refused_and_kept(store, source):
    with store.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ConfigError, match="newer version"):
        store.migrate()
    assert not store.database.is_migrated()
    assert [one.name for one in store.connections.sources()] == ["shop"]


def test_the_migrated_schema_is_the_one_the_code_describes(store):
    with store.database.read() as connection:
        # SQLite gives back an empty default as text in quotes, which counts as another one.
        options = {"compare_server_default": not store.database.is_sqlite}
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, schema.metadata)
        tables = set(inspect(connection).get_table_names())

    assert differences == []
    assert tables == set(schema.metadata.tables) | {"alembic_version"}


def test_indexes_have_the_same_conditions_as_described(store):
    with store.database.read() as connection:
        found = {
            index["name"]
            for table in schema.metadata.tables
            for index in inspect(connection).get_indexes(table)
            if any(key.endswith("_where") for key in index["dialect_options"])
        }

    assert found == {
        index.name
        for table in schema.metadata.tables.values()
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }


def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path):
    path = tmp_path / "bridge.db"
    path.write_bytes(b"not a database, but somebody's only copy of it" * 100)
    before = path.read_bytes()
    store = Store(f"sqlite:///{path}", Vault(SECRET_KEY))

    with pytest.raises(ConfigError, match=f"DATABASE_URL: {path} is damaged"):
        store.migrate()
    store.close()
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "url",
    ["postgresql+psycopg://user:canary@host:canary/db", "postgresql+psycopg", "sqlite:canary"],
)
def test_a_wrong_address_is_an_error_that_does_not_show_it(url):
    with pytest.raises(ConfigError, match="DATABASE_URL") as caught:
        Store(url, Vault(SECRET_KEY))

    assert "canary" not in repr(caught.value)
