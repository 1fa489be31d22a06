"""Durable acknowledgements a second against a Flask view that reads the body and says 200.

Both run under gunicorn with the same settings on this machine; bursts alternate, and the ratio
is the median of pairs.  An A/A pair of the floor tells how far to trust the run.
"""

import contextlib
import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from bridge import registry
from bridge.cli.shared import open_store
from bridge.config import load

THREADS = 8
BURST_S = 1.5
ROUNDS = 7
FLOOR = """
from flask import Flask, request
app = Flask(__name__)
@app.post("/<path:path>")
def view(path):
    request.get_data()
    return "ok"
"""


def measure() -> dict[str, float]:
    """Return the ratios of this run."""
    pairs, control = [], []
    with (
        tempfile.TemporaryDirectory() as folder,
        _ours(Path(folder)) as (ours, path, bodies),
        _floor(Path(folder)) as floor,
    ):
        for _ in range(ROUNDS):
            base = _burst(floor, "/x", bodies)
            pairs.append(_burst(ours, path, bodies) / base)
            control.append(_burst(floor, "/x", bodies) / base)
    return {
        "durable_acks_vs_flask": round(statistics.median(pairs), 2),
        "control_flask_vs_flask": round(statistics.median(control), 2),
    }


Body = tuple[bytes, dict[str, str]]


def _burst(port: int, path: str, bodies: Iterator[Body]) -> float:
    """Return the requests a second that were answered with 200."""
    ends = time.monotonic() + BURST_S
    counts = [0] * THREADS
    lock = threading.Lock()

    def run(place: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        while time.monotonic() < ends:
            with lock:
                body, headers = next(bodies)
            connection.request("POST", path, body=body, headers=headers)
            answer = connection.getresponse()
            answer.read()
            counts[place] += answer.status == 200
        connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / BURST_S


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_open(port: int) -> None:
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"nothing listens on port {port}")


@contextlib.contextmanager
def _running(
    command: list[str], environment: dict[str, str], port: int, folder: Path | None = None
) -> Iterator[None]:
    process = subprocess.Popen(
        command,
        cwd=folder,  # gunicorn reads the gunicorn.conf.py of where it is started
        env={**os.environ, **environment},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_open(port)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


@contextlib.contextmanager
def _ours(folder: Path) -> Iterator[tuple[int, str, Iterator[Body]]]:
    port = _free_port()
    environment = {
        "DATABASE_URL": f"sqlite:///{folder}/bench.db",
        "PORT": str(port),
        "EMBED_WORKER": "0",
        "LOG_LEVEL": "WARNING",
    }
    adapter = next(
        one for kind in registry.source_kinds() if (one := registry.source(kind)).local_ids
    )
    store = open_store(load(environment))
    source = store.connections.add_source(adapter.kind, "bench", {"secret": "s"})
    store.close()
    sample = adapter.samples()[0]

    def bodies() -> Iterator[Body]:
        number = 0
        while True:
            number += 1
            body = sample.body[:-1] + b',"bench":%d}' % number
            yield body, dict(adapter.sign(sample.topic, body, source.settings))

    with _running([sys.executable, "-m", "bridge", "serve"], environment, port):
        yield port, f"/webhooks/{source.webhook_key}", bodies()


@contextlib.contextmanager
def _floor(folder: Path) -> Iterator[int]:
    port = _free_port()
    (folder / "floor.py").write_text(FLOOR)
    command = [
        sys.executable, "-m", "gunicorn", "--no-control-socket", "-k", "gthread", "-w", "2",
        "--threads", "8", "-b", f"127.0.0.1:{port}", "--keep-alive", "95", "floor:app",
    ]  # fmt: skip
    with _running(command, {"PYTHONPATH": str(folder)}, port, folder):
        yield port
