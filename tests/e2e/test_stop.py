"""SIGTERM: what is under way is finished, and the exit is clean and soon."""

import signal
import socket
import threading
import time
from collections import Counter

import pytest

from tests.stores import rows

from .machine import children, wait_until
from .shops import connect, orders, post, wait_until_done

PLATFORMS_PATIENCE_S = 25
pytestmark = pytest.mark.fault


@pytest.mark.parametrize(
    ("fresh_url", "number"),
    [("sqlite", signal.SIGTERM), ("postgresql", signal.SIGTERM), ("sqlite", signal.SIGINT)],
    indirect=["fresh_url"],
)
def test_a_stop_finishes_requests_and_the_post_under_way(machine, store, graph, number):
    graph.faults.set("delay=2")
    server = machine.serve()
    (source,) = connect(store, "stop", ["shopify"])
    first, *slow = orders("shopify", 700, 13)
    statuses = [post(machine, source, first)]
    wait_until(lambda: "sending" in rows(store, "outbox", "state"), "the first event is claimed")

    threads = [
        threading.Thread(
            target=lambda one=one: statuses.append(
                post_in_two_parts(machine, source.webhook_key, one)
            )
        )
        for one in slow
    ]
    for thread in threads:
        thread.start()
    idle = socket.create_connection(("127.0.0.1", machine.port))
    time.sleep(0.3)  # so that the first parts are there
    started = time.monotonic()
    server.send_signal(number)
    exit_code = server.wait(PLATFORMS_PATIENCE_S)
    seconds = time.monotonic() - started
    for thread in threads:
        thread.join()
    idle.close()

    assert exit_code == 0
    assert seconds < PLATFORMS_PATIENCE_S
    assert "Traceback" not in machine.errors.read_text()
    assert statuses == [200] * 13
    assert set(rows(store, "outbox", "ambiguous_at")) == {None}
    assert "sending" not in rows(store, "outbox", "state")
    graph.faults.set("")
    machine.serve()
    wait_until_done(store)
    copies = Counter(one["event_id"] for one in graph.accepted())
    assert copies == {f"purchase.{700 + n}": 1 for n in range(13)}


def post_in_two_parts(machine, key: str, request) -> int:
    """Post a delivery whose second half comes a second late; 0 if there is no answer."""
    headers = dict(request.headers) | {"Host": "x", "Content-Length": str(len(request.body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    half = len(request.body) // 2
    with socket.create_connection(("127.0.0.1", machine.port), timeout=10) as connection:
        connection.sendall(f"POST /webhooks/{key} HTTP/1.1\r\n{head}\r\n".encode())
        connection.sendall(request.body[:half])
        time.sleep(1)
        try:
            connection.sendall(request.body[half:])
            answer = connection.recv(1000)
        except OSError:
            return 0
    return int(answer.split()[1]) if answer else 0


def test_a_worker_alone_stops_too(machine, store, graph):
    machine.environment["EMBED_WORKER"] = "0"
    graph.faults.set("delay=2")
    machine.serve()
    worker = machine.start("worker")
    (source,) = connect(store, "stop", ["shopify"])
    (order,) = orders("shopify", 800, 1)
    post(machine, source, order)
    wait_until(lambda: "sending" in rows(store, "outbox", "state"), "the event is claimed")

    worker.send_signal(signal.SIGTERM)
    worker.send_signal(signal.SIGTERM)

    assert worker.wait(PLATFORMS_PATIENCE_S) == 0
    assert rows(store, "outbox", "state", "ambiguous_at") == [("sent", None)]
    assert "Traceback" not in machine.errors.read_text()


@pytest.mark.parametrize("fresh_url", ["sqlite"], indirect=True)
def test_a_reload_replaces_the_workers_and_finishes_what_is_under_way(machine, store, graph):
    graph.faults.set("delay=1")
    server = machine.serve()
    (source,) = connect(store, "reload", ["shopify"])
    first, *more = orders("shopify", 700, 8)
    statuses = [post(machine, source, first)]
    wait_until(lambda: "sending" in rows(store, "outbox", "state"), "the first event is claimed")
    before = set(children(server))

    server.send_signal(signal.SIGHUP)
    statuses += [post(machine, source, one) for one in more]
    wait_until(lambda: before.isdisjoint(children(server)), "the workers are others")
    wait_until_done(store)

    assert statuses == [200] * 8
    assert set(rows(store, "outbox", "ambiguous_at")) == {None}
    copies = Counter(one["event_id"] for one in graph.accepted())
    assert copies == {f"purchase.{700 + n}": 1 for n in range(8)}
