"""``rotate-keys``: afterwards the new key alone opens everything, however often it was begun."""

import re

import pytest
from sqlalchemy import LargeBinary, insert, select, update

from bridge.events import ConfigError
from bridge.secrets import DamagedError, Vault
from bridge.store import Store, schema
from bridge.store.rotation import SEALED
from tests.stores import *  # noqa: F403  fixtures, of both engines
from tests.stores import START, commit

from .conftest import SECRET_KEY

NEW_KEY = "another key for tests that nobody keeps secret"
HASHES = re.compile(r"(.*_hash|(.*_)?key)\Z")  # they open nothing, so no key is in them


def columns():
    return [
        (table, column)
        for table in schema.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    ]


def test_every_sealed_column_is_rotated():
    rotated = {(table.name, column) for table, _, column, _ in SEALED}
    there = {(t.name, c.name) for t, c in columns() if not HASHES.fullmatch(c.name)}

    assert rotated == there


def test_every_rotated_table_is_found_by_its_own_key():
    for table, key, column, _ in SEALED:
        assert table.c[key].primary_key
        assert column in table.c


@pytest.fixture
def full(store, source, destination, outbox_row):
    """Fill every sealed column, and return the store."""
    store.subject_key()
    assert commit(store, source, outbox_row())
    seal = store.vault.seal
    with store.database.write() as connection:
        for table, values in (
            (schema.held, {"outbox_id": 1, "source_id": source.id, "until": START,
                           "event": seal(b"e", "held")}),
            (schema.erasure, {"subject": seal(b"s", "erasure"), "asked_at": START, "actor": "me"}),
            (schema.visitor, {"source_id": source.id, "told": seal(b"v", "visitor"),
                              "seen_at": START}),
        ):  # fmt: skip
            connection.execute(insert(table).values(values))
    return store


def opened(store, vault):
    """Return every sealed value as *vault* opens it."""
    found = {}
    with store.database.read() as connection:
        for table, key, column, context in SEALED:
            for row_key, sealed in connection.execute(select(table.c[key], table.c[column])):
                found[table.name, column, row_key] = vault.open(sealed, context)
    assert {(table, column) for table, column, _ in found} == {
        (table.name, column) for table, _, column, _ in SEALED
    }
    return found


def with_both(store_url, clock):
    return Store(store_url, Vault(NEW_KEY, [SECRET_KEY]), clock)


def test_the_command_leaves_nothing_under_the_old_key(full, store_url, cli, monkeypatch):
    before = opened(full, Vault(SECRET_KEY))
    monkeypatch.setenv("DATABASE_URL", store_url)
    monkeypatch.setenv("SECRET_KEY", NEW_KEY)
    monkeypatch.setenv("SECRET_KEY_PREVIOUS", SECRET_KEY)

    first, second = cli("rotate-keys"), cli("rotate-keys")

    assert opened(full, Vault(NEW_KEY)) == before
    assert first.out.startswith(f"{len(before)} values")
    assert second.out.startswith("0 values")


def test_without_the_old_key_nothing_is_touched(full, store_url, clock):
    before = opened(full, Vault(SECRET_KEY))
    alone = Store(store_url, Vault(NEW_KEY), clock)

    with pytest.raises(ConfigError, match="SECRET_KEY_PREVIOUS"):
        alone.rotation.rotate()
    alone.close()

    assert opened(full, Vault(SECRET_KEY)) == before


def test_a_rotation_that_broke_off_anywhere_can_be_run_again(fresh_url, clock):
    store = Store(fresh_url(), Vault(SECRET_KEY), clock)
    for number in range(8):
        store.connections.add_source("bogus", f"shop {number}", {"secret": "hush"})
    store.subject_key()

    for fuse in (1, 3, 7, 99):
        vault = Fused(NEW_KEY, [SECRET_KEY])
        vault.left = fuse
        half = Store(url_of(store), vault, clock)
        try:
            half.rotation.rotate()
        except KeyboardInterrupt:
            pass
        else:
            assert fuse == 99
        assert len(half.connections.sources()) == 8  # both keys open what is there
        half.close()

    renewed = Store(url_of(store), Vault(NEW_KEY), clock)
    assert {one.settings["secret"] for one in renewed.connections.sources()} == {"hush"}
    assert renewed.subject_key() == store.subject_key()
    renewed.close()
    store.close()


def url_of(store):
    return store.database.engine.url.render_as_string(hide_password=False)


class Fused(Vault):
    """Is interrupted after so many values."""

    left = 0

    def seal(self, value, context):
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return super().seal(value, context)


def test_a_value_that_was_damaged_stops_no_rotation(full, store_url, clock):
    table = schema.payload
    with full.database.write() as connection:
        sealed = connection.scalar(select(table.c.body))
        damaged = sealed[:-1] + bytes([sealed[-1] ^ 1])
        connection.execute(update(table).values(body=damaged))
    both = with_both(store_url, clock)

    assert both.rotation.rotate() > 5
    both.close()

    with pytest.raises(DamagedError):
        full.vault.open(damaged, "payload")
    renewed = Store(store_url, Vault(NEW_KEY), clock)
    assert renewed.connections.source("shop").settings == {"secret": "hush"}
    renewed.close()


def test_more_than_a_chunk_is_rotated(fresh_url, clock):
    store = Store(fresh_url(), Vault(SECRET_KEY), clock)
    sealed = [store.vault.seal(b"%d" % number, "erasure") for number in range(1_201)]
    with store.database.write() as connection:
        values = [{"subject": one, "asked_at": START, "actor": "me"} for one in sealed]
        connection.execute(insert(schema.erasure), values)
    both = with_both(url_of(store), clock)

    assert both.rotation.rotate() == 1_201
    assert both.rotation.rotate() == 0
    both.close()
    store.close()
