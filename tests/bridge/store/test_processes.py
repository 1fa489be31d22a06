"""Several processes on one database, and processes that die at any moment."""

import itertools
import random
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from bridge.store import Lane, Store
from tests.stores import commit, environment, put, rows

CHILDREN = Path(__file__).parent / "children.py"
ROUNDS = {True: 5, False: 2}  # of two kills each; on SQLite the killed process is the database


def start(verb: str, url: str, *more: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, str(CHILDREN), verb, url, *more]
    return subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE)


def told_by(children) -> list[list[str]]:
    """Return the words that each line of the children's output holds."""
    outputs = [child.communicate(timeout=60)[0] for child in children]
    assert [child.returncode for child in children] == [0] * len(children)
    return [line.split() for output in outputs for line in output.decode().splitlines()]


def test_puts_work_in_forked_processes_and_in_their_parent(store, source, store_url):
    child = start("put_after_fork", store_url)

    assert told_by([child]) == []
    names = ["one", "two", "parent"]
    expected = {f"{name}-{number}" for name in names for number in range(20)} | {"before"}
    keys = rows(store, "delivery", "key")
    assert len(keys) == 61
    assert set(keys) == expected


def test_two_processes_never_translate_one_delivery_twice(store, store_url):
    sources = [store.connections.add_source("bogus", f"shop {name}", {}) for name in "abc"]
    for number in range(40):
        put(store, sources[number % 3], f"k{number}")
    told = told_by([start("translate_all", store_url, name) for name in "xy"])

    ids = [int(delivery_id) for _, delivery_id in told]
    assert sorted(ids) == sorted(rows(store, "delivery", "id"))
    assert set(rows(store, "delivery", "state")) == {"translated"}


def test_two_processes_never_claim_one_event(store, store_url, source, destination, outbox_row):
    store.database._clock = None  # the children live by the real clock
    now = store.now()
    made = [outbox_row(next_at=now - 1, expires_at=now + 10**12) for _ in range(60)]
    commit(store, source, *made)
    told = told_by([start("claim_all", store_url, name) for name in "xy"])

    assert sorted(int(event_id) for _, event_id in told) == rows(store, "outbox", "id")
    assert set(rows(store, "outbox", "state")) == {"sending"}
    assert store.outbox.lanes(now) == []
    assert store.outbox.claim(Lane(destination_id=destination.id, mode="live"), 9, now).events == []


@pytest.mark.fault
def test_every_acknowledged_put_survives_kill_9(store: Store, source, store_url):
    chance = random.Random(9)
    acknowledged: list[str] = []
    for round_ in range(ROUNDS[store.database.is_sqlite]):
        children = [start("put_forever", store_url, f"{round_}{name}") for name in "ab"]
        for child in children:
            # Killed after so many acknowledgements, at whatever it is doing then.
            lines = itertools.islice(child.stdout, chance.randint(1, 40))
            acknowledged += [line.decode().strip() for line in lines]
        for child in children:
            child.kill()
            rest = child.stdout.read().decode().splitlines(keepends=True)
            acknowledged += [line.strip() for line in rest if line.endswith("\n")]
            child.stdout.close()
            child.wait(30)
    keys = rows(store, "delivery", "key")

    assert len(acknowledged) >= 4
    assert set(acknowledged) <= set(keys)
    assert rows(store, "delivery", "id") == rows(store, "delivery_body", "delivery_id")
    assert_is_sound(store)
    assert put(store, source, "after")


def assert_is_sound(store: Store) -> None:
    if store.database.is_sqlite:
        with store.database.read() as connection:
            assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
