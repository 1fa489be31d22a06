"""Paid orders of a shop, made of an adapter's sample, and a store that they are sent from."""

import itertools
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import orjson

from bridge import registry
from bridge.events import Request
from bridge.receive import receive
from bridge.secrets import Vault
from bridge.store import Route, Source, Store

from .measure import SECRET_KEY, http

PLAN = '[consent]\nunknown_optin = "send"\nmode = "off"\n'
# The first that is there whose ids are only numbers of one shop.
ADAPTER = next(one for kind in registry.source_kinds() if (one := registry.source(kind)).local_ids)
_SAMPLE = ADAPTER.samples()[0]


def bodies() -> Iterator[bytes]:
    """Yield orders without end, each another one."""
    sample = json.loads(_SAMPLE.body)
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    times = {f"date_{word}_gmt": now for word in ("paid", "created", "modified")}
    number = time.time_ns() // 1000
    while True:
        number += 1
        yield orjson.dumps(sample | times | {"id": number, "number": str(number)})


def requests(source: Source) -> Iterator[bytes]:
    """Yield the webhooks of these orders as they come over the wire."""
    path = f"/webhooks/{source.webhook_key}"
    for body in bodies():
        yield http(path, body, ADAPTER.sign(_SAMPLE.topic, body, source.settings))


def store_at(url: str) -> tuple[Store, Source]:
    """Return a store with a new shop whose orders go to a new dataset."""
    name = f"bench {time.time_ns()}"
    store = Store(url, Vault(SECRET_KEY))
    store.migrate()
    store.history.apply_plan(PLAN, "bench")
    source = store.connections.add_source(ADAPTER.kind, name, {"secret": "s"})
    dataset = store.connections.add_destination(
        "meta", name, {"dataset_id": "1", "access_token": "t"}
    )
    store.connections.set_route(
        Route(
            source_id=source.id,
            destination_id=dataset.id,
            mode="live",
            toggles={},
            live_since=None,
        )
    )
    return store, source


def fill(store: Store, source: Source, count: int) -> None:
    """Receive so many orders, many at a time."""

    def one(body: bytes) -> None:
        headers = ADAPTER.sign(_SAMPLE.topic, body, source.settings)
        receive(store, source, Request(headers=headers, body=body))

    with ThreadPoolExecutor(16) as pool:
        for _ in pool.map(one, itertools.islice(bodies(), count)):
            pass
