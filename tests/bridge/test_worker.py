"""The worker: what it survives, how it stops, and what a kill in the middle costs."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import orjson
import pytest
from sqlalchemy import update

from bridge import config
from bridge.sandbox import Sandbox
from bridge.secrets import Vault
from bridge.store import Store, StoreError, schema
from bridge.worker import Worker
from tests.stores import SECOND, SECRET_KEY, commit, environment, rows

EVENTS = 2000
WAIT_S = 60  # far beyond what it takes; only a failure waits so long
on_sqlite = pytest.mark.parametrize("fresh_url", ["sqlite"], indirect=True)


def wait_for(condition):
    """Wait until *condition* holds: another process is at work."""
    ends = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < ends, "it did not come to pass"
        time.sleep(0.02)


@pytest.fixture
def store(store_url):
    """A store with the true time, as its worker has it."""
    opened = Store(store_url, Vault(SECRET_KEY))
    yield opened
    opened.close()


@pytest.fixture
def destination(store):
    settings = {"dataset_id": "1234567890", "access_token": "EAAcanary"}
    return store.connections.add_destination("meta", "dataset", settings)


@pytest.fixture
def queue(store, source, outbox_row):
    """Return a function that queues so many events and gives their ids."""

    def put(count):
        now = time.time_ns() // 1000
        ids = [f"purchase.{number}" for number in range(count)]
        made = []
        for event_id in ids:
            event = {
                "event_name": "Purchase",
                "event_id": event_id,
                "event_time": now // SECOND - 60,
                "action_source": "system_generated",
                "user_data": {"external_id": "7"},
                "custom_data": {"value": 12.5, "currency": "EUR"},
            }
            payload = orjson.dumps(event)
            times = {"next_at": now, "event_at": now, "expires_at": now + 86_400 * SECOND}
            made.append(outbox_row(event_id=event_id, order_id=event_id, payload=payload, **times))
        assert commit(store, source, *made)
        return ids

    return put


@pytest.fixture
def environ(store_url):
    """Return a function that gives the environment of a worker that sends to *sandbox*."""

    def make(sandbox):
        return environment(
            DATABASE_URL=store_url,
            SECRET_KEY=SECRET_KEY,
            GRAPH_URL=sandbox.url,
            LOG_LEVEL="DEBUG",
        )

    return make


@pytest.fixture
def start(environ):
    """Return a function that starts ``capi-bridge worker``; what is left is killed at the end."""
    started = []

    def run(sandbox):
        command = [sys.executable, "-m", "bridge", "worker"]
        process = subprocess.Popen(
            command, env=environ(sandbox), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def states(store):
    return Counter(rows(store, "outbox", "state"))


def end_leases(store):
    """Let the leases of a killed worker run out now instead of in two minutes."""
    with store.database.write() as connection:
        connection.execute(
            update(schema.outbox).where(schema.outbox.c.state == "sending").values(lease_until=0)
        )


@pytest.mark.fault
def test_a_worker_killed_while_it_sends_loses_nothing_and_repeats_one_batch_at_most(
    store, queue, start
):
    ids = queue(EVENTS)
    with Sandbox("delay=0.1") as sandbox:
        first = start(sandbox)
        wait_for(lambda: sandbox.journal.counts()["events"] >= 500)
        first.kill()
        first.wait()
        sandbox.faults.set("")
        in_flight = states(store)["sending"]
        end_leases(store)

        second = start(sandbox)
        wait_for(lambda: states(store) == {"sent": EVENTS})
        second.terminate()
        assert second.wait(WAIT_S) == 0

        accepted = Counter(event["event_id"] for event in sandbox.accepted())
    repeated = {event_id for event_id, copies in accepted.items() if copies > 1}
    ambiguous = {
        event_id for event_id, at in rows(store, "outbox", "event_id", "ambiguous_at") if at
    }
    assert set(accepted) == set(ids)
    assert max(accepted.values()) <= 2
    assert len(repeated) <= in_flight <= 100
    assert repeated <= ambiguous
    assert len(ambiguous) == in_flight


@pytest.mark.fault
@on_sqlite
def test_sigterm_drains_and_nothing_is_sent_twice(store, queue, start):
    ids = queue(600)
    with Sandbox("delay=0.1") as sandbox:
        first = start(sandbox)
        wait_for(lambda: sandbox.journal.counts()["events"] >= 100)
        first.send_signal(signal.SIGTERM)
        first.send_signal(signal.SIGTERM)  # a second one changes nothing
        assert first.wait(10) == 0
        told = first.stderr.read().decode()
        left = states(store)

        sandbox.faults.set("")
        second = start(sandbox)
        wait_for(lambda: states(store) == {"sent": 600})
        second.send_signal(signal.SIGINT)
        assert second.wait(10) == 0

        accepted = Counter(event["event_id"] for event in sandbox.accepted())
    assert left["sending"] == 0
    assert left["pending"] > 0
    assert accepted == dict.fromkeys(ids, 1)
    assert set(rows(store, "outbox", "ambiguous_at")) == {None}
    assert '"worker.stopped"' in told
    assert "Traceback" not in told
    assert "EAAcanary" not in told


@pytest.fixture
def worker(store, store_url):
    """Return a function that makes a worker in this process; it is stopped at the end."""
    made = []

    def make(sandbox_url="http://127.0.0.1:9"):
        settings = config.load(
            {"DATABASE_URL": store_url, "SECRET_KEY": SECRET_KEY, "GRAPH_URL": sandbox_url}
        )
        made.append(Worker(store, settings))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@on_sqlite
def test_an_idle_worker_stops_at_once_and_has_shown_that_it_lived(store, worker):
    running = worker()
    running.start()
    wait_for(lambda: rows(store, "heartbeat", "name"))

    running.stop()

    assert not [one for one in threading.enumerate() if one.name in {"send", "translate", "beat"}]
    (name,) = rows(store, "heartbeat", "name")
    assert name.endswith(f":{os.getpid()}")


@on_sqlite
def test_run_returns_after_it_was_asked_to_stop(worker):
    running = worker()
    thread = threading.Thread(target=running.run)
    thread.start()

    running.ask_to_stop()

    thread.join(WAIT_S)
    assert not thread.is_alive()


@on_sqlite
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (StoreError("database: SQLITE_BUSY"), "worker.store_unavailable"),
        (RuntimeError("canary@example.com"), "worker.fault"),
    ],
)
def test_a_fault_stops_no_loop_and_tells_no_value(
    error, told, store, queue, worker, monkeypatch, caplog
):
    ids = queue(3)
    lanes, failures = store.outbox.lanes, iter([error])
    monkeypatch.setattr("bridge.worker.FAULT_S", 0.01)

    def break_once(now):
        for one in failures:
            raise one
        return lanes(now)

    monkeypatch.setattr(store.outbox, "lanes", break_once)
    with Sandbox() as sandbox:
        worker(sandbox.url).start()
        wait_for(lambda: states(store) == {"sent": 3})
        accepted = [event["event_id"] for event in sandbox.accepted()]

    assert sorted(accepted) == ids
    assert told in [record.message for record in caplog.records]
    assert "canary" not in "".join(str(vars(record)) for record in caplog.records)


@on_sqlite
def test_a_destination_that_hangs_delays_no_other(store, source, queue, outbox_row, worker):
    queue(1)
    healthy = store.connections.add_destination(
        "meta", "healthy", {"dataset_id": "2", "access_token": "t"}
    )
    with Sandbox("delay=60x1") as sandbox:
        worker(sandbox.url).start()
        wait_for(lambda: states(store) == {"sending": 1})
        now = time.time_ns() // 1000
        payload = orjson.dumps(
            {
                "event_name": "Lead",
                "event_id": "form.1",
                "event_time": now // SECOND,
                "action_source": "other",
                "user_data": {"external_id": "7"},
            }
        )
        times = {"next_at": now, "event_at": now, "expires_at": now + 86_400 * SECOND}
        other = {"destination_id": healthy.id, "event_id": "form.1", "order_id": None}
        assert commit(store, source, outbox_row(payload=payload, **times, **other))

        wait_for(lambda: states(store) == {"sending": 1, "sent": 1})
        sandbox.faults.set("")
        sandbox._stop.set()  # the hanging answer ends, so that the worker can stop
