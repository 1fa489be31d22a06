"""``python -m benchmarks.soak [EVENTS]``: a worker drains a backlog; memory and rate over time.

So many orders lie received in a SQLite database.  A worker as it is run in production
translates and sends them to a Graph API on this machine.  Printed are a line each tenth, and
at last one JSON object: the most memory of the worker, and the rate of the last tenth
against the first one's, in CPU time and by the clock.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import measure, orders

EVENTS = 1_000_000
MEGABYTE = 1024.0
AT_ONCE = 2_000


def main() -> None:
    """Fill, drain, tell."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with measure.sqlite() as url, measure.graph() as graph:
        store, source = orders.store_at(url)
        for start in range(0, count, AT_ONCE):
            orders.fill(store, source, min(AT_ONCE, count - start))
        store.close()
        measure.say(f"{count} orders received")
        with _worker(url, graph) as process:
            tenths, most_mb = _watch(graph, process, count)
    rates = [(events / wall, events / cpu) for events, wall, cpu in tenths]
    print(
        json.dumps(
            {
                "events": count,
                "worker_rss_mb": round(most_mb, 1),
                "last_tenth_vs_first_wall": round(rates[-1][0] / rates[0][0], 2),
                "last_tenth_vs_first_cpu": round(rates[-1][1] / rates[0][1], 2),
                "events_per_cpu_s": round(
                    sum(events for events, _, _ in tenths) / sum(cpu for _, _, cpu in tenths)
                ),
            }
        )
    )


@contextmanager
def _worker(url: str, graph: str) -> Iterator[int]:
    environment = {
        "DATABASE_URL": url,
        "SECRET_KEY": measure.SECRET_KEY,
        "GRAPH_URL": graph,
        "LOG_LEVEL": "WARNING",
    }
    with measure.running(["bridge", "worker"], None, environment) as process:
        yield process


def _watch(graph: str, process: int, count: int) -> tuple[list[tuple[int, float, float]], float]:
    """Return events, seconds and CPU seconds of each tenth, and the most megabytes."""
    tenths: list[tuple[int, float, float]] = []
    most_mb = 0.0
    while not (done := measure.taken(graph)):  # starting is no part of the first tenth
        time.sleep(0.1)
    began, cpu = time.monotonic(), measure.cpu_s([process])
    while done < count:
        time.sleep(0.5)
        mb = _rss_mb(process)
        most_mb = max(most_mb, mb)
        sent = measure.taken(graph)
        if sent - done < count // 10 and sent < count:
            continue
        now, used = time.monotonic(), measure.cpu_s([process])
        tenths.append((sent - done, now - began, used - cpu))
        began, cpu, done = now, used, sent
        events, wall, cpu_s = tenths[-1]
        measure.say(f"{sent} sent, {events / wall:.0f}/s, {events / cpu_s:.0f}/CPU-s, {mb:.0f} MB")
    return tenths, most_mb


def _rss_mb(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / MEGABYTE


if __name__ == "__main__":
    main()
