"""Events per CPU-second over loopback, ours against one `execute()` of the library an event.

Ours translates recorded orders, claims, opens, posts, reads the answers and settles; what the
reference does is in `reference`.  Only the CPU time of this process counts, not the server's.
"""

import itertools
import time
from collections.abc import Callable

from bridge.events import Endpoint
from bridge.send import Sender
from bridge.translate import translate_due

from . import measure, orders, reference

EVENTS, EVENTS_OF_REFERENCE = 1_000, 100


def run(rounds: int) -> dict[str, float]:
    """Return the ratios of this run, on both engines."""
    found: dict[str, float] = {}
    with measure.graph() as graph, measure.postgresql() as (url, _):
        found |= _compare("sqlite", graph, rounds, None)
        found |= _compare("postgresql", graph, max(3, rounds // 2), url)
    return found


def _compare(name: str, graph: str, rounds: int, url: str | None) -> dict[str, float]:
    reference.connect(graph)
    theirs_once = list(itertools.islice(orders.bodies(), EVENTS_OF_REFERENCE))

    def theirs() -> float:
        def post() -> None:
            for body in theirs_once:
                reference.post(body)

        return _cpu_s(post) / len(theirs_once)

    def ours() -> tuple[float, float]:
        if url:
            return _ours(url, graph)
        with measure.sqlite() as fresh:
            return _ours(fresh, graph)

    pairs = list(measure.alternately(rounds, ours, theirs))
    each = [(translate * 1e6, send * 1e6, their * 1e6) for (translate, send), their in pairs]
    translate, send, execute = map(measure.median, zip(*each, strict=True))
    measure.say(
        f"  {name}: CPU µs an event: translate {translate:.0f}, send {send:.0f},"
        f" the library {execute:.0f}"
    )
    return {
        f"send_vs_execute_{name}": measure.median([their / send for (_, send), their in pairs]),
        f"translate_and_send_vs_execute_{name}": measure.median(
            [their / (translate + send) for (translate, send), their in pairs]
        ),
    }


def _ours(url: str, graph: str) -> tuple[float, float]:
    """Return the CPU seconds of translating and of sending an order."""
    store, source = orders.store_at(url)
    orders.fill(store, source, EVENTS)
    sender = Sender(store, Endpoint(url=graph, version="v26.0"))

    def drain() -> None:
        while sender.send_due():
            pass

    translate_s, send_s = _cpu_s(lambda: translate_due(store)), _cpu_s(drain)
    left = {state for state, count in store.history.counts()["outbox"].items() if count} - {"sent"}
    assert not left, f"some are {left}"
    store.close()
    return translate_s / EVENTS, send_s / EVENTS


def _cpu_s(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
