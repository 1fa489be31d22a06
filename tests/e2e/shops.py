"""Shops that post over HTTP, and what should come of it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import requests

from bridge import registry
from bridge.cli.demo import redated
from bridge.events import Delivery, Request, Sample
from bridge.events.testing.recordings import find_cases, read_request, read_settings
from bridge.secrets import Vault
from bridge.store import Route, Source, Store
from bridge.translate import translate_due

from .machine import Machine, wait_until

DELIVERIES = Path(__file__).parents[1] / "deliveries"
KINDS = ("shopify", "woocommerce")
OPEN = {"received", "pending", "sending"}


@dataclass(frozen=True)
class Recorded:
    """A recorded delivery, its times moved to now and signed again."""

    name: str
    topic: str
    request: Request


def settings_of(kind: str) -> dict[str, str]:
    """Return the settings that the recordings of *kind* are made with."""
    return read_settings(DELIVERIES / kind)


def recorded(kind: str) -> list[Recorded]:
    """Return all recordings of *kind*, sorted by name."""
    adapter, settings = registry.source(kind), settings_of(kind)
    cases = [(case, read_request(case)) for case in find_cases(DELIVERIES / kind)]
    topics = [_topic(request) for _, request in cases]
    samples = [
        Sample(name=str(case), topic=topic, body=request.body)
        for (case, request), topic in zip(cases, topics, strict=True)
    ]
    return [
        Recorded(
            sample.name,
            sample.topic,
            request
            if _is_ping(request)
            else Request(
                headers=_without_topic(adapter.sign(sample.topic, sample.body, settings)),
                body=sample.body,
            ),
        )
        for sample, (_, request) in zip(redated(samples, datetime.now(UTC)), cases, strict=True)
    ]


def _topic(request: Request) -> str:
    return request.header("x-shopify-topic") or request.header("x-wc-webhook-topic")


def _is_ping(request: Request) -> bool:
    return request.body.startswith(b"webhook_id=")


def _without_topic(headers: object) -> dict[str, str]:
    """Leave out what the recording has not; an empty header is another thing than none."""
    return {name: value for name, value in dict(headers).items() if value}  # type: ignore[call-overload]


def orders(kind: str, first_id: int, count: int) -> list[Request]:
    """Return signed deliveries of so many different paid orders, made from a recorded one."""
    case = next(one for one in recorded(kind) if one.name.endswith("/orders_paid"))
    body = json.loads(case.request.body)
    adapter, settings = registry.source(kind), settings_of(kind)
    made = []
    for number in range(first_id, first_id + count):
        raw = json.dumps({**body, "id": number, "name": f"#{number}"}).encode()
        made.append(Request(headers=adapter.sign(case.topic, raw, settings), body=raw))
    return made


def connect(store: Store, name: str, kinds: Sequence[str] = KINDS) -> list[Source]:
    """Connect one shop of each kind with a dataset of its own."""
    dataset = store.connections.add_destination(
        "meta", name, {"dataset_id": dataset_id(name), "access_token": "sandbox-token"}
    )
    sources = []
    for kind in kinds:
        word = f"{name}{kind[0]}"
        source = store.connections.add_source(kind, f"{name}-{kind}", settings_of(kind), word)
        store.connections.set_route(
            Route(
                source_id=source.id,
                destination_id=dataset.id,
                mode="live",
                toggles={},
                live_since=None,
            )
        )
        sources.append(source)
    return sources


def dataset_id(name: str) -> str:
    """Return a dataset id that is made of *name*."""
    return str(int.from_bytes(name.encode()[:6].rjust(6, b"0")))


def post(machine: Machine, source: Source, request: Request) -> int:
    """Post one delivery and return the status."""
    answer = requests.post(
        f"{machine.url}/webhooks/{source.webhook_key}",
        data=request.body,
        headers=dict(request.headers),
        timeout=30,
        allow_redirects=False,
    )
    return answer.status_code


def expected(name: str, kind: str, history: Iterable[Recorded]) -> set[tuple[str, str]]:
    """Return (event name, event id) of all that *history* should send, one by one in memory."""
    store = Store("sqlite://", Vault("a key for tests that nobody keeps secret"))
    store.migrate()
    (source,) = connect(store, name, [kind])
    for one in history:
        delivery = registry.source(kind).verify(one.request, source.settings)
        if isinstance(delivery, Delivery):
            store.intake.put(source.id, replace(delivery), store.now())
            translate_due(store)
    found = {
        (event["event_name"], event["event_id"])
        for event in store.history.events(limit=10_000, state="pending")
    }
    store.close()
    return found


def wait_until_done(store: Store) -> dict[str, dict[str, int]]:
    """Return the counts of all states when nothing is under way any more."""

    def done() -> dict[str, dict[str, int]] | None:
        counts = store.history.counts()
        return None if any(OPEN & states.keys() for states in counts.values()) else counts

    return wait_until(done, "everything is translated and sent")
