"""A put that cannot be made durable says so in time, and the rows that were there stay."""

import fcntl
import itertools
import shutil
import sqlite3
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, text

from bridge.secrets import Vault
from bridge.store import Store, StoreError
from tests.stores import SECRET_KEY, put, rows

IN_TIME_S = 4
sqlite_only = pytest.mark.parametrize("fresh_url", ["sqlite"], indirect=True)
postgresql_only = pytest.mark.parametrize("fresh_url", ["postgresql"], indirect=True)


def refused(store, source, key="refused"):
    """Return the error of a put that must fail in time."""
    started = time.monotonic()
    with pytest.raises(StoreError) as caught:
        put(store, source, key, b"canary@example.com" * 200)
    assert time.monotonic() - started < IN_TIME_S
    return caught.value


@sqlite_only
def test_a_database_locked_by_a_stranger_is_an_error_in_time(store, source):
    stranger = sqlite3.connect(store.database.engine.url.database, isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")

    error = refused(store, source)
    stranger.close()
    assert str(error) == "database: SQLITE_BUSY"
    assert put(store, source, "after")
    assert rows(store, "delivery", "key") == ["after"]


@sqlite_only
def test_a_writer_that_hangs_in_another_process_is_an_error_in_time(store, source):
    with Path(f"{store.database.engine.url.database}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused(store, source)

    assert put(store, source, "after")


@postgresql_only
def test_a_table_locked_by_a_stranger_is_an_error_in_time(store, source, store_url):
    stranger = create_engine(store_url)
    with stranger.begin() as connection:
        connection.execute(text("LOCK TABLE delivery IN ACCESS EXCLUSIVE MODE"))
        error = refused(store, source)
    stranger.dispose()

    assert str(error) == "database: LockNotAvailable"
    assert put(store, source, "after")


def test_a_read_only_database_is_an_error_and_keeps_its_rows(store, source):
    put(store, source, "before")
    make_read_only(store)

    error = refused(store, source)
    assert "READONLY" in str(error).upper().replace("_", "")
    assert rows(store, "delivery", "key") == ["before"]


def make_read_only(store):
    @event.listens_for(store.database.engine, "connect")
    def _(connection, _):
        cursor = connection.cursor()
        if store.database.is_sqlite:
            cursor.execute("PRAGMA query_only = on")
        else:
            cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
            connection.commit()

    store.database.engine.dispose()


@sqlite_only
def test_a_full_disk_is_an_error_and_frees_itself(store, source):
    put(store, source, "before", b"x" * 2000)
    limit_pages(store, 10)
    for number in range(50):
        try:
            put(store, source, f"fills-{number}", b"x" * 2000)
        except StoreError:
            break
    kept = rows(store, "delivery", "key")

    assert str(refused(store, source)) == "database: SQLITE_FULL"
    assert rows(store, "delivery", "key") == kept
    assert "before" in kept
    with store.database.read() as connection:
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
    limit_pages(store, 100)
    assert put(store, source, "after")


def limit_pages(store, more):
    with store.database.read() as connection:
        pages = connection.scalar(text("PRAGMA page_count")) + more

    @event.listens_for(store.database.engine, "connect")
    def _(connection, _):
        connection.execute(f"PRAGMA max_page_count = {pages}")

    store.database.engine.dispose()


@sqlite_only
def test_a_full_disk_still_lets_what_is_there_be_sent_and_purged(store, source):
    for number in range(3):
        put(store, source, f"k{number}", b"x" * 2000)
    limit_pages(store, 0)

    with store.database.write() as connection:
        connection.execute(text("UPDATE delivery SET state = 'dead' WHERE key = 'k1'"))
        connection.execute(text("DELETE FROM delivery_body WHERE delivery_id = 1"))
    assert rows(store, "delivery", "state") == ["received", "dead", "received"]


def test_an_exhausted_pool_is_an_error_in_time(store, source):
    engine = store.database.engine
    with ExitStack() as held:
        for _ in range(engine.pool.size() + engine.pool._max_overflow):
            held.enter_context(engine.connect())
        refused(store, source)

    assert put(store, source, "after")


@postgresql_only
def test_a_server_that_is_down_is_an_error_in_time(store, source, tmp_path):
    nowhere = Store(f"postgresql+psycopg:///bridge?host={tmp_path}", Vault(SECRET_KEY), lambda: 1)

    error = refused(nowhere, source)
    assert str(error) == "database: OperationalError"


@postgresql_only
def test_the_first_put_after_a_restart_succeeds(store, source, store_url):
    put(store, source, "before")
    kill_connections(store_url)

    assert put(store, source, "after")


@postgresql_only
def test_a_put_whose_connection_breaks_is_made_once_more(store, source, store_url):
    break_next_insert(store, lambda _: kill_connections(store_url))

    assert put(store, source, "k1") is True
    assert rows(store, "delivery", "key") == ["k1"]


@postgresql_only
def test_a_put_that_committed_before_the_connection_broke_is_there_once(store, source, store_url):
    def commit_then_kill(insert):
        insert()
        kill_connections(store_url)

    break_next_insert(store, commit_then_kill)

    assert put(store, source, "k1") is False
    assert rows(store, "delivery", "key") == ["k1"]
    assert len(rows(store, "delivery_body")) == 1


def kill_connections(url):
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    engine.dispose()


def break_next_insert(store, fault):
    """Let *fault* happen when the next put has its connection and is about to insert."""
    other = create_engine(store.database.engine.url, isolation_level="AUTOCOMMIT")

    @event.listens_for(store.database.engine, "before_cursor_execute", named=True)
    def _(statement, parameters, **_):
        if "INSERT INTO delivery" not in statement or done:
            return
        done.append(True)
        with other.connect() as connection:
            fault(lambda: connection.exec_driver_sql(statement, parameters))
        other.dispose()

    done: list[bool] = []


def test_an_error_shows_no_statement_and_no_value(store, source):
    gone = type(source)(**{**vars(source), "id": 999})

    error = refused(store, gone)
    assert "canary" not in repr(error)
    assert "INSERT" not in repr(error)
    assert error.__suppress_context__ or error.__context__ is None


@postgresql_only
def test_of_two_that_wait_for_each_other_one_gives_up_in_time_and_nothing_is_half(store, route):
    """Each locks a row of its own first, then wants the other's."""
    here = threading.Barrier(2)
    told = []

    def change(first: str, second: str) -> None:
        try:
            with store.database.write() as connection:
                connection.execute(text(f"UPDATE {first} SET name = 'changed'"))
                here.wait(IN_TIME_S)
                connection.execute(text(f"UPDATE {second} SET name = 'changed'"))
                told.append("done")
        except StoreError as error:
            told.append(str(error))

    pair = ("source", "destination")
    threads = [threading.Thread(target=change, args=turn) for turn in (pair, pair[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(told) == ["database: DeadlockDetected", "done"]
    assert rows(store, "source", "name") == rows(store, "destination", "name") == ["changed"]


@sqlite_only
def test_what_the_disk_holds_at_any_moment_opens_with_every_acknowledged_row(
    store, source, store_url, tmp_path
):
    acknowledged = []
    stop = threading.Event()

    def load(name: int) -> None:
        for number in itertools.takewhile(lambda _: not stop.is_set(), itertools.count()):
            put(store, source, f"{name}-{number}", b"x" * 3000)
            acknowledged.append(f"{name}-{number}")

    threads = [threading.Thread(target=load, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    path = store_url.removeprefix("sqlite:///")
    for number in range(6):
        copy = tmp_path / f"copy-{number}.db"
        with store.database.write():  # as the power fails at one moment, not file by file
            before = set(acknowledged)
            for ending in ("", "-wal"):
                shutil.copy(path + ending, f"{copy}{ending}")
        with closing(sqlite3.connect(copy)) as found:
            kept = {key for (key,) in found.execute("SELECT key FROM delivery")}
            assert found.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        assert before <= kept
    stop.set()
    for thread in threads:
        thread.join()
    assert len(acknowledged) > 6
