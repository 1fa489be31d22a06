"""Clients that send half a request and wait, by the score: nobody else notices."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from bridge.events import Request
from bridge.store import Source

from .machine import Machine
from .shops import connect, orders, post

LATEST_S = 6
SHOPS_PATIENCE_S = 2
STALLED = 16
DRIPPING = 4
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
        self.seconds = 0.0
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        started = time.monotonic()
        with contextlib.suppress(OSError), self._connection:
            self._connection.sendall(self._begin)
            while time.monotonic() - started < 4 * LATEST_S:
                with contextlib.suppress(TimeoutError):
                    self.answer = self._connection.recv(1000)
                    if not self.answer.startswith(b"HTTP/1.1 100 "):
                        break
                if self._drips:
                    self._connection.sendall(b"x")
        self.seconds = time.monotonic() - started

    @property
    def status(self) -> int:
        """The status told, 0 where the connection was closed without a word."""
        return int(self.answer.split()[1]) if self.answer else 0


def head(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


def slow_ones(port: int, begin: bytes) -> list[Slow]:
    return [Slow(port, begin, drips=number >= STALLED) for number in range(STALLED + DRIPPING)]


def signed_meanwhile(
    machine: Machine, source: Source, slow: list[Slow]
) -> Iterator[tuple[int, float]]:
    """Yield status and seconds of sound deliveries, for as long as the slow ones last."""
    jobs = iter(orders("shopify", 1000, 2000))
    while any(one.thread.is_alive() for one in slow):
        job: Request = next(jobs)
        started = time.monotonic()
        status = post(machine, source, job)
        yield status, time.monotonic() - started
        time.sleep(0.05)  # a steady trickle, not a load test


@pytest.mark.parametrize(
    ("path", "lines", "said", "told"),
    [
        ("/webhooks/{}", ["Content-Length: 1000"], b"abc", {408}),
        ("/webhooks/{}", ["Transfer-Encoding: chunked"], b"3e8\r\nabc", {408}),
        ("/webhooks/{}", ["Content-Length: 1000", "Expect: 100-continue"], b"", {408}),
        ("/webhooks/unknown", ["Content-Length: 1000"], b"abc", {404}),
        ("/healthz", ["Content-Length: 1000"], b"abc", {405}),
        ("/webhooks/{}", ["Content-Length: 1000000"], b"x" * 70_000, {408}),
    ],
    ids=["body", "chunks", "asked", "unknown-key", "page", "large-body"],
)
def test_slow_bodies_hold_nobody_up(machine, source, path, lines, said, told):
    begin = head(path.format(source.webhook_key), *lines) + said

    slow = slow_ones(machine.port, begin)
    meanwhile = list(signed_meanwhile(machine, source, slow))

    assert {status for status, _ in meanwhile} == {200}
    slowest = max(seconds for _, seconds in meanwhile)
    print(f"{len(meanwhile)} deliveries meanwhile, the slowest in {slowest:.2f} s")
    assert {one.status for one in slow} == told
    assert max(one.seconds for one in slow) < LATEST_S
    if said != b"x" * 70_000:  # those are read by threads, for four seconds
        assert slowest < SHOPS_PATIENCE_S


def test_slow_headers_and_silent_connections_hold_nobody_up(machine, source):
    slow = [
        *slow_ones(machine.port, b"POST /webhooks/x HTTP/1.1\r\nHos"),
        *slow_ones(machine.port, b""),
    ]
    meanwhile = list(signed_meanwhile(machine, source, slow))

    assert {status for status, _ in meanwhile} == {200}
    assert max(seconds for _, seconds in meanwhile) < SHOPS_PATIENCE_S
    assert max(one.seconds for one in slow) < LATEST_S


def test_clients_that_never_close_hold_nobody_up(machine, source):
    held = []
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", machine.port))
        connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        held.append(connection)

    started = time.monotonic()
    statuses = [post(machine, source, one) for one in orders("shopify", 1000, 10)]
    seconds = time.monotonic() - started
    for connection in held:
        connection.close()

    assert statuses == [200] * 10
    assert seconds < SHOPS_PATIENCE_S
