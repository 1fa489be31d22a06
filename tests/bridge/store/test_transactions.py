"""Transactions: writers begin as writers, one after the other, and durably."""

import threading

import pytest
from sqlalchemy import event, text

from bridge.events import ConfigError
from bridge.store import StoreError
from tests.stores import START, claim, commit, put, rows, settle

sqlite_only = pytest.mark.parametrize("fresh_url", ["sqlite"], indirect=True)
WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "ALTER", "DROP", "WITH")


@pytest.fixture
def transactions(store):
    """Return a list that fills with the statements of each transaction on SQLite."""
    found: list[list[str]] = []

    @event.listens_for(store.database.engine, "connect")
    def _(connection, _):
        connection.set_trace_callback(note)

    def note(statement: str) -> None:
        if statement.startswith("BEGIN") or not found:
            found.append([])
        found[-1].append(statement)

    store.database.engine.dispose()
    return found


@sqlite_only
def test_every_transaction_that_writes_begins_as_a_writer(
    store, transactions, source, destination, route, outbox_row, lane
):
    do_everything(store, source, destination, outbox_row, lane)
    writing = [
        statements
        for statements in transactions
        if any(one.lstrip().upper().startswith(WRITES) for one in statements)
    ]

    assert len(writing) > 20
    assert {statements[0] for statements in writing} == {"BEGIN IMMEDIATE"}


def do_everything(store, source, destination, outbox_row, lane):
    store.migrate()
    put(store, source)
    store.connections.ping_seen(source.id, START)
    store.connections.set_source(source.id, state="active")
    waiting = {"state": "waiting", "curable": True, "held_event": b"{}", "next_at": START}
    commit(store, source, outbox_row(order_id="1"), outbox_row(order_id="2", **waiting))
    commit(store, source, outbox_row(order_id="2"))
    settle(store, claim(store, lane, 1), "pending", next_at=START)
    claimed = claim(store, lane)
    store.outbox.give_back(claimed, [one.id for one in claimed.events], START)
    settle(store, claim(store, lane))
    store.outbox.recover(START + 10**9)
    store.outbox.slow_down(destination.id, next_at=START, failures=1)
    store.outbox.recovered(destination.id)
    store.history.beat("worker", START)
    store.history.audit("operator", "tested", "shop")
    store.history.apply_plan("text", "digest")
    store.history.counts()
    store.subject_key()
    store.connections.set_destination(destination.id, state="paused")


@sqlite_only
def test_a_transaction_that_reads_first_writes_although_another_wrote(store, source):
    """SQLite refuses this at once, whatever the busy time-out, unless it began as a writer."""
    started = threading.Event()

    def write_in_between():
        started.set()
        put(store, source, "in between")

    other = threading.Thread(target=write_in_between)
    with store.database.write() as connection:
        connection.execute(text("SELECT count(*) FROM delivery")).scalar()
        other.start()
        assert started.wait(5)
        connection.execute(text("UPDATE source SET state = 'paused'"))
    other.join(5)

    assert rows(store, "source", "state") == ["paused"]
    assert rows(store, "delivery", "key") == ["in between"]


@sqlite_only
def test_every_connection_is_durable(store):
    settings = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    with store.database.read() as connection:
        found = [connection.scalar(text(f"PRAGMA {name}")) for name in settings]

    assert found == ["wal", 2, 1, 2500]  # 2: every commit is synced to the disk


@sqlite_only
def test_a_second_writer_of_this_process_waits_its_turn_and_then_gives_up(store, monkeypatch):
    monkeypatch.setattr("bridge.store.database.BUSY_S", 0.05)
    errors: list[Exception] = []

    def write():
        try:
            with store.database.write():
                pass
        except StoreError as error:
            errors.append(error)

    other = threading.Thread(target=write)
    with store.database.write():
        other.start()
        other.join(5)

    assert [str(error) for error in errors] == [
        "database: another write of this process takes too long"
    ]


def test_what_fails_is_rolled_back_and_the_next_write_works(store, source):
    def fail():
        with store.database.write() as connection:
            connection.execute(text("UPDATE source SET state = 'paused'"))
            raise ConfigError("anything")

    with pytest.raises(ConfigError):
        fail()
    assert rows(store, "source", "state") == ["active"]
    store.connections.set_source(source.id, state="paused")
    assert rows(store, "source", "state") == ["paused"]


def test_a_drivers_error_becomes_one_that_names_no_value(store, source):
    with pytest.raises(StoreError) as caught, store.database.write() as connection:
        connection.execute(text("UPDATE source SET id = NULL, name = 'canary'"))

    assert "canary" not in repr(caught.value)
    assert not caught.value.lost
    assert caught.value.__suppress_context__


def test_the_clock_of_leases_is_the_servers_where_there_is_one(store):
    assert store.now() == START
    store.database._clock = None

    assert abs(store.now() - store.database.local_now()) < 5_000_000
