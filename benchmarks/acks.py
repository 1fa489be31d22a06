"""Durable acknowledgements a second against a Flask view that reads the body and says 200.

Both run under gunicorn with two workers on this machine.  An A/A pair of the floor tells how
far to trust the run: outside 0.9 to 1.1, judge by the CPU alone.
"""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from . import measure, orders
from .measure import Burst, Target

BURST_S = 1.2
CONNECTIONS, CONNECTIONS_SLOW = 16, 64
SLOW_US = 5_000
FLOOR = """
from flask import Flask, request
app = Flask(__name__)
@app.post("/<path:path>")
def view(path):
    request.get_data()
    return "ok"
"""
# What a network disk adds to each flush.
SLOW_DISK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>
#define SLOW(name) int name(int file) { \\
    static int (*real)(int); \\
    if (!real) real = dlsym(RTLD_NEXT, #name); \\
    usleep(atoi(getenv("FSYNC_US"))); \\
    return real(file); }
SLOW(fsync)
SLOW(fdatasync)
"""


def run(rounds: int) -> dict[str, float]:
    """Return the ratios of this run."""
    with measure.sqlite() as url, _ours(url) as ours:
        found = _compare("acks_sqlite", ours, rounds, CONNECTIONS, control=True)
    if shutil.which("cc"):
        with measure.sqlite() as url, _slow_disk() as slow, _ours(url, **slow) as ours:
            found |= _compare("acks_sqlite_slow_disk", ours, rounds, CONNECTIONS_SLOW, threads=32)
    with measure.postgresql() as (url, server), _ours(url) as ours:
        target = Target(port=ours.port, requests=ours.requests, processes=[*ours.processes, server])
        found |= _compare("acks_postgresql", target, rounds, CONNECTIONS)
    return found


def _compare(
    name: str,
    ours: Target,
    rounds: int,
    connections: int,
    *,
    threads: int = 8,
    control: bool = False,
) -> dict[str, float]:
    with measure.flask(FLOOR, threads=threads) as (port, process):
        floor = Target(port=port, requests=ours.requests, processes=[process])

        def load(target: Target) -> Burst:
            return measure.burst(target, connections, BURST_S)

        load(ours), load(floor)  # warm
        pairs = list(measure.alternately(rounds, lambda: load(ours), lambda: load(floor)))
        same = [(load(floor), load(floor)) for _ in range(rounds if control else 0)]
    found = _ratios(name, pairs) | (_ratios("control_flask", same) if control else {})
    rates = [round(measure.median([one.rate for one in side])) for side in zip(*pairs, strict=True)]
    measure.say(f"  {name}: {rates[0]} a second, the floor {rates[1]}")
    return found


def _ratios(name: str, pairs: list[tuple[Burst, Burst]]) -> dict[str, float]:
    return {
        f"{name}_wall": measure.median([ours.rate / floor.rate for ours, floor in pairs]),
        f"{name}_cpu": measure.median([floor.cpu_each / ours.cpu_each for ours, floor in pairs]),
        f"{name}_p99": measure.median([ours.p99 / floor.p99 for ours, floor in pairs]),
    }


@contextlib.contextmanager
def _ours(url: str, **environment: str) -> Iterator[Target]:
    store, source = orders.store_at(url)
    store.close()
    port = measure.free_port()
    environment |= {
        "DATABASE_URL": url,
        "SECRET_KEY": measure.SECRET_KEY,
        "PORT": str(port),
        "EMBED_WORKER": "0",
        "WEB_CONCURRENCY": "2",
        "LOG_LEVEL": "WARNING",
    }
    with measure.running(["bridge", "serve"], port, environment) as process:
        yield Target(port=port, requests=orders.requests(source), processes=[process])


@contextlib.contextmanager
def _slow_disk() -> Iterator[dict[str, str]]:
    """Yield the environment in which each fsync takes longer."""
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder) / "slow.c", Path(folder) / "slow.so"
        source.write_text(SLOW_DISK)
        command = ["cc", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
        subprocess.run(command, check=True)
        yield {"LD_PRELOAD": str(library), "FSYNC_US": str(SLOW_US)}
