"""From webhook to accepted by a Graph API that takes 80 ms, with 128 connections.

Against a Flask view that builds the event and posts it before it answers, with as many
threads.  Ours answers first: counted is what the Graph API took, until all is sent.
"""

import os
import time
from pathlib import Path

from . import measure, orders
from .measure import Target

CONNECTIONS, LATENCY_S, BURST_S = 128, 0.08, 4.0
TUTORIAL = """
import os
from flask import Flask, request
from benchmarks import reference
reference.connect(os.environ["GRAPH_URL"])
app = Flask(__name__)
@app.post("/<path:path>")
def view(path):
    reference.post(request.get_data())
    return "ok"
"""


def run(rounds: int) -> dict[str, float]:
    """Return the ratios of this run."""
    pairs = list(measure.alternately(max(3, rounds // 2), _ours, _theirs))
    rates = [round(measure.median([one[0] for one in side])) for side in zip(*pairs, strict=True)]
    measure.say(f"  accepted a second: {rates[0]}, by the view {rates[1]}")
    return {
        "accepted_vs_view": measure.median([ours[0] / theirs[0] for ours, theirs in pairs]),
        "accepted_vs_view_cpu": measure.median([ours[1] / theirs[1] for ours, theirs in pairs]),
    }


def _ours() -> tuple[float, float]:
    with measure.graph(LATENCY_S) as graph, measure.sqlite() as url:
        store, source = orders.store_at(url)
        store.close()
        port = measure.free_port()
        environment = {
            "DATABASE_URL": url,
            "SECRET_KEY": measure.SECRET_KEY,
            "GRAPH_URL": graph,
            "PORT": str(port),
            "WEB_CONCURRENCY": "2",
            "LOG_LEVEL": "WARNING",
        }
        with measure.running(["bridge", "serve"], port, environment) as process:
            requests = orders.requests(source)
            return _accepted(Target(port=port, requests=requests, processes=[process]), graph)


def _theirs() -> tuple[float, float]:
    path = os.pathsep.join([str(Path(__file__).parents[1]), "."])
    with (
        measure.graph(LATENCY_S) as graph,
        measure.flask(TUTORIAL, threads=64, GRAPH_URL=graph, PYTHONPATH=path) as (port, process),
    ):
        requests = (measure.http("/x", body, {}) for body in orders.bodies())
        return _accepted(Target(port=port, requests=requests, processes=[process]), graph)


def _accepted(target: Target, graph: str) -> tuple[float, float]:
    """Return events accepted a second, and CPU seconds each."""
    measure.burst(target, CONNECTIONS, 1.0)  # warm
    before = _settled_count(graph, 0)
    began, cpu = time.monotonic(), measure.cpu_s(target.processes)
    sent = measure.burst(target, CONNECTIONS, BURST_S)
    after = _settled_count(graph, before + len(sent.times))
    seconds = max(BURST_S, time.monotonic() - began)
    return (after - before) / seconds, (measure.cpu_s(target.processes) - cpu) / (after - before)


def _settled_count(graph: str, expected: int) -> int:
    """Return how many events were taken, when there are as many as expected or no more come."""
    count, since = -1, time.monotonic()
    while True:
        now = measure.taken(graph)
        if now != count:
            count, since = now, time.monotonic()
        if (expected and count >= expected) or time.monotonic() - since > 2:
            return count
        time.sleep(0.05)
