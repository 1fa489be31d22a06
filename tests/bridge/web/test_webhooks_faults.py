"""When the delivery cannot be stored, the shop is asked to try again, and soon."""

import fcntl
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from werkzeug.test import Client

from bridge import config
from bridge.secrets import Vault
from bridge.store import Store
from bridge.web import Application
from tests.stores import SECRET_KEY, rows

from .conftest import ORDER, Shop

SHOPS_PATIENCE_S = 5
only_sqlite = pytest.mark.parametrize("fresh_url", ["sqlite"], indirect=True)
only_postgresql = pytest.mark.parametrize("fresh_url", ["postgresql"], indirect=True)


def path_of(store: Store) -> str:
    return str(store.database.engine.url.database)


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    started = time.monotonic()
    return call(), time.monotonic() - started


def assert_asks_to_try_again(answer: Any) -> None:
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "60"
    assert answer.data == b"try again\n"


@contextmanager
def pragma(store: Store, statement: str) -> Iterator[None]:
    """Put SQLite under a constraint that it enforces itself, in every connection."""

    def constrain(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA {statement}")

    store.database.engine.dispose()
    event.listen(store.database.engine, "connect", constrain)
    yield
    event.remove(store.database.engine, "connect", constrain)
    store.database.engine.dispose()


@only_sqlite
def test_a_database_locked_by_another_program_is_503_in_time(shopify, store):
    with closing(sqlite3.connect(path_of(store), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer, seconds = timed(shopify.post)
        other.execute("ROLLBACK")

    assert_asks_to_try_again(answer)
    assert seconds < SHOPS_PATIENCE_S
    assert shopify.post().status_code == 200
    assert len(rows(store, "delivery")) == 1


@only_sqlite
def test_a_process_that_keeps_the_lock_is_503_in_time(shopify, store):
    with Path(f"{path_of(store)}.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        answer, seconds = timed(shopify.post)
        late, late_seconds = timed(shopify.post)  # as one that waited for a thread meanwhile
        fcntl.flock(lock, fcntl.LOCK_UN)

    assert_asks_to_try_again(answer)
    assert_asks_to_try_again(late)
    assert seconds + late_seconds < SHOPS_PATIENCE_S
    assert shopify.post().status_code == 200
    assert len(rows(store, "delivery")) == 1


@only_sqlite
def test_a_read_only_database_is_503_and_not_ready(shopify, store):
    with pragma(store, "query_only = ON"):
        answers = [shopify.post() for _ in range(3)]

    for answer in answers:
        assert_asks_to_try_again(answer)
    assert shopify.post().status_code == 200


@only_sqlite
def test_the_ping_asks_to_try_again_too_when_nothing_can_be_written(woocommerce, store):
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    with pragma(store, "query_only = ON"):
        answer = woocommerce.post(b"webhook_id=7", form)

    assert_asks_to_try_again(answer)


@only_sqlite
def test_a_full_disk_is_503_until_there_is_room(shopify, store):
    with closing(sqlite3.connect(path_of(store))) as other:
        pages = other.execute("PRAGMA page_count").fetchone()[0]
    large = b"x" * 100_000

    with pragma(store, f"max_page_count = {pages}"):
        answer = shopify.post(large)

    assert_asks_to_try_again(answer)
    assert shopify.post(large).status_code == 200
    assert len(rows(store, "delivery")) == 1


@only_postgresql
def test_a_table_locked_on_the_server_is_503_in_time(shopify, store):
    with store.database.engine.connect() as other, other.begin():
        other.execute(text("LOCK TABLE delivery IN ACCESS EXCLUSIVE MODE"))
        answer, seconds = timed(shopify.post)

    assert_asks_to_try_again(answer)
    assert seconds < SHOPS_PATIENCE_S
    assert shopify.post().status_code == 200


@only_postgresql
def test_no_delivery_is_lost_when_the_server_drops_its_connections(shopify, store):
    shopify.post(b"{}")
    with store.database.engine.connect() as other:
        other.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )

    assert shopify.post(ORDER).status_code == 200
    assert len(rows(store, "delivery")) == 2


def test_a_server_that_is_not_there_is_503_in_time():
    url = "postgresql+psycopg://nobody:hush@127.0.0.1:1/nothing"
    environment = {"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY}
    client = Client(Application(config.load(environment), Store(url, Vault(SECRET_KEY))))

    answer, seconds = timed(lambda: client.post("/webhooks/any", data=ORDER))

    assert_asks_to_try_again(answer)
    assert seconds < SHOPS_PATIENCE_S
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


@only_sqlite
def test_a_lost_secret_key_is_503_and_stores_nothing(shopify: Shop, store, store_url):
    other_key = "another key that opens nothing of this database"
    environment = {"DATABASE_URL": store_url, "SECRET_KEY": other_key}
    other = Client(Application(config.load(environment), Store(store_url, Vault(other_key))))

    answer = other.post(shopify.path, data=ORDER, headers=shopify.signed(ORDER))

    assert_asks_to_try_again(answer)
    assert rows(store, "delivery") == []
