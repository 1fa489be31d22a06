"""``kill -9`` of whatever runs, under load: no 200 without its row, no event lost or doubled."""

import os
import random
import signal
from collections import Counter
from collections.abc import Sequence

import pytest
from sqlalchemy import text

from bridge.sandbox import Sandbox
from bridge.store import Source, Store
from tests.stores import rows

from .load import Load, every
from .machine import Machine, children, wait_until
from .shops import connect, orders, wait_until_done

SHOPS = 12
ORDERS_A_SHOP = 60
KILLS = 2
SHOPIFY = ["shopify"]
pytestmark = pytest.mark.fault


@pytest.fixture
def load(machine: Machine, store: Store, graph: Sandbox) -> Load:
    """Return a load of orders, the shops mixed; each answer of the Graph API takes a while."""
    graph.faults.set("delay=0.1")
    sources = [source for n in range(SHOPS) for source in connect(store, f"n{n}", SHOPIFY)]
    jobs = [
        (source, request)
        for source in sources
        for request in orders("shopify", source.id * 10_000, ORDERS_A_SHOP)
    ]
    random.shuffle(jobs)
    return Load(machine, jobs)


def test_web_processes_are_killed(machine, store, graph, load):
    server = machine.serve()

    load.start()
    kills = every(
        0.3, lambda: os.kill(random.choice(children(server)), signal.SIGKILL), running(load)
    )
    load.join()
    end(machine)

    assert_nothing_lost(machine, store, graph, load)
    assert kills >= KILLS


def test_a_worker_apart_is_killed(machine, store, graph, load):
    machine.environment["EMBED_WORKER"] = "0"
    machine.serve()
    graph.faults.set("delay=0.3")

    load.start()
    for _ in range(KILLS):
        worker = machine.start("worker")
        answers = len(rows(store, "receipt"))
        wait_until(lambda seen=answers: len(rows(store, "receipt")) > seen, "the worker sends")
        worker.kill()
        worker.wait()
    load.join()
    end(machine)

    assert_nothing_lost(machine, store, graph, load)


def test_the_master_is_killed_and_started_again(machine, store, graph, load):
    server = machine.serve()

    load.start()
    wait_until(lambda: load.acknowledged >= 200, "the load is on")
    server.kill()
    server.wait()
    machine.serve()
    load.join()
    end(machine)

    assert_nothing_lost(machine, store, graph, load)


def running(load: Load):
    return lambda: load.running


def end(machine: Machine) -> None:
    """Stop all that runs, in good order."""
    for process in machine.processes:
        if process.poll() is None:
            process.terminate()
    for process in machine.processes:
        process.wait(30)


def assert_nothing_lost(machine: Machine, store: Store, graph: Sandbox, load: Load) -> None:
    """Let the dead's leases run out, finish the work, and count."""
    acknowledged = {key for status, key in load.told if status == 200}
    missing = acknowledged - set(rows(store, "delivery", "key"))
    with store.database.write() as connection:
        connection.execute(text("UPDATE source SET lease_until = 0"))
        connection.execute(text("UPDATE outbox SET lease_until = 0 WHERE state = 'sending'"))
    graph.faults.set("")
    machine.serve(EMBED_WORKER="1")
    counts = wait_until_done(store)
    copies = Counter(one["event_id"] for one in graph.accepted())
    ambiguous = ambiguous_ids(store)
    report(load, missing, copies, ambiguous)

    assert missing == set()
    assert {status for status, _ in load.told} <= {200, 503}
    assert counts == {
        "delivery": {"translated": len(load.jobs)},
        "outbox": {"sent": len(load.jobs)},
    }
    assert set(copies) == {f"purchase.{order_id}" for order_id in order_ids(load.jobs)}
    assert {event_id for event_id, count in copies.items() if count > 1} <= ambiguous


def order_ids(jobs: Sequence[tuple[Source, object]]) -> list[int]:
    per_source = Counter(source.id for source, _ in jobs)
    return [first * 10_000 + n for first, count in per_source.items() for n in range(count)]


def ambiguous_ids(store: Store) -> set[str]:
    found = rows(store, "outbox", "event_id", "ambiguous_at")
    return {event_id for event_id, at in found if at is not None}


def report(load: Load, missing: set[str], copies: Counter[str], ambiguous: set[str]) -> None:
    print(
        f"acknowledged {load.acknowledged}, unanswered {load.unanswered},"
        f" missing {len(missing)}, events {len(copies)},"
        f" copies too many {copies.total() - len(copies)}, ambiguous {len(ambiguous)}"
    )
