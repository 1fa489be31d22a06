"""Everything ever recorded, over HTTP through real processes: in order, repeated, reversed."""

from collections import Counter

from bridge.sandbox import Sandbox

from .shops import KINDS, Recorded, connect, dataset_id, expected, post, recorded, wait_until_done


def test_what_shops_sent_ends_as_expected_in_any_order(machine, store, graph):
    machine.serve()
    histories = {kind: recorded(kind) for kind in KINDS}
    sequences = {
        "order": histories,
        "again": {kind: all_ + all_ for kind, all_ in histories.items()},
        "back": {kind: all_[::-1] for kind, all_ in histories.items()},
    }

    refused = []
    for name, sequence in sequences.items():
        for source in connect(store, name):
            refused += [
                (one.name, status)
                for one in sequence[source.kind]
                if (status := post(machine, source, one.request)) != 200
            ]
    counts = wait_until_done(store)

    assert refused == []
    assert set(counts["outbox"]) <= {"sent", "skipped", "expired", "waiting", "dead"}
    for name, sequence in sequences.items():
        assert sent(graph, name) == Counter(should_be_sent(name, sequence)), name
    assert names(graph, "again") == names(graph, "order")
    assert names(graph, "order").total() > 10


def should_be_sent(name: str, sequence: dict[str, list[Recorded]]) -> set[tuple[str, str]]:
    return set().union(*(expected(name, kind, all_) for kind, all_ in sequence.items()))


def sent(graph: Sandbox, name: str) -> Counter[tuple[str, str]]:
    """Return how often the dataset of *name* got each event."""
    return Counter(
        (one["event_name"], one["event_id"])
        for one in graph.accepted()
        if one["dataset"] == dataset_id(name)
    )


def names(graph: Sandbox, name: str) -> Counter[str]:
    """Return how many events of each name the dataset got; ids hold the shop's word."""
    found: Counter[str] = Counter()
    for (event_name, _), count in sent(graph, name).items():
        found[event_name] += count
    return found
