"""Clients that send half a request and wait, by the score: nobody else notices."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bridge.events import Request
from bridge.store import Source

from .machine import Machine
from .shops import connect, orders, post

GIVES_UP_S = 30  # far behind the server's four seconds, even on a loaded machine
STALLED = 6
DRIPPING = 2
pytestmark = [
    pytest.mark.fault,
    pytest.mark.parametrize("fresh_url", ["sqlite"], indirect=True),
]


@pytest.fixture
def source(machine: Machine, store) -> Source:
    machine.serve()
    (connected,) = connect(store, "slow", ["shopify"])
    return connected


class Slow:
    """A client that says *begin*, then nothing or a byte each 0.4 s, and notes the answer."""

    def __init__(self, port: int, begin: bytes, *, drips: bool) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port))
        self._connection.settimeout(0.4)
        self._begin, self._drips = begin, drips
        self.answer = b""
        self.gave_up = False
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        gives_up = time.monotonic() + GIVES_UP_S
        with contextlib.suppress(OSError), self._connection:
            self._connection.sendall(self._begin)
            while not self._is_answered() and not self.gave_up:
                if self._drips:
                    self._connection.sendall(b"x")
                self.gave_up = time.monotonic() > gives_up

    def _is_answered(self) -> bool:
        with contextlib.suppress(TimeoutError):
            self.answer = self._connection.recv(1000)
            return not self.answer.startswith(b"HTTP/1.1 100 ")
        return False

    @property
    def status(self) -> int:
        """The status told, 0 where the connection was closed without a word."""
        return int(self.answer.split()[1]) if self.answer else 0


def head(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]).encode()


def slow_ones(port: int, begin: bytes) -> list[Slow]:
    return [Slow(port, begin, drips=number >= STALLED) for number in range(STALLED + DRIPPING)]


@dataclass(frozen=True)
class Told:
    """What a sound delivery was told, and after how long."""

    status: int
    seconds: float


def deliver(machine: Machine, source: Source, job: Request) -> Told:
    started = time.monotonic()
    status = post(machine, source, job)
    return Told(status, time.monotonic() - started)


def outlast(
    machine: Machine, source: Source, begin: Callable[[], list[Slow]], allowed_s: float = 2
) -> list[Slow]:
    """Deliver what is sound until the slow clients have ended, and return those.

    A machine that is slow itself is allowed for: by how long a delivery took before.
    """
    jobs = iter(orders("shopify", 1000, 5000))
    before = [deliver(machine, source, next(jobs)) for _ in range(10)]
    slow = begin()
    meanwhile = []
    while any(one.thread.is_alive() for one in slow):
        meanwhile.append(deliver(machine, source, next(jobs)))
        time.sleep(0.05)  # a steady trickle, not a load test
    slowest = max(one.seconds for one in meanwhile)
    print(f"{len(meanwhile)} deliveries meanwhile, the slowest in {slowest:.2f} s")

    assert {one.status for one in before + meanwhile} == {200}
    assert not any(one.gave_up for one in slow)
    assert slowest < allowed_s + 5 * max(one.seconds for one in before)
    return slow


def test_slow_clients_of_every_kind_hold_nobody_up(machine, source):
    path = f"/webhooks/{source.webhook_key}"
    kinds = {
        "body": (head(path, "Content-Length: 1000") + b"abc", 408),
        "chunks": (head(path, "Transfer-Encoding: chunked") + b"3e8\r\nabc", 408),
        "asked": (head(path, "Content-Length: 1000", "Expect: 100-continue"), 408),
        "unknown key": (head("/webhooks/unknown", "Content-Length: 1000") + b"abc", 404),
        "page": (head("/healthz", "Content-Length: 1000") + b"abc", 405),
        "headers": (b"POST /webhooks/x HTTP/1.1\r\nHos", 0),
        "silence": (b"", 0),
    }
    clients: dict[str, list[Slow]] = {}

    def begin() -> list[Slow]:
        clients.update({name: slow_ones(machine.port, said) for name, (said, _) in kinds.items()})
        return [one for all_ in clients.values() for one in all_]

    outlast(machine, source, begin)

    told = {name: {one.status for one in all_} for name, all_ in clients.items()}
    assert told == {name: {status} for name, (_, status) in kinds.items()}


def test_slow_large_bodies_hold_the_threads_for_four_seconds_at_most(machine, source):
    begin = head(f"/webhooks/{source.webhook_key}", "Content-Length: 1000000") + b"x" * 70_000

    def begin_all() -> list[Slow]:
        return [one for _ in range(3) for one in slow_ones(machine.port, begin)]

    slow = outlast(machine, source, begin_all, allowed_s=8)

    assert {one.status for one in slow} == {408}


def test_clients_that_never_close_hold_nobody_up(machine, source):
    jobs = orders("shopify", 1000, 20)
    before = sum(deliver(machine, source, one).seconds for one in jobs[:10])
    held = []
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", machine.port))
        connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        held.append(connection)

    told = [deliver(machine, source, one) for one in jobs[10:]]
    for connection in held:
        connection.close()

    assert [one.status for one in told] == [200] * 10
    assert sum(one.seconds for one in told) < 2 + 5 * before
