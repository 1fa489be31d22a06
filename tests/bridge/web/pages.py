"""What the tests of the admin's pages share: a shop with its orders, and how it is reached."""

import json
from collections.abc import Callable
from typing import Any

import requests

from bridge import registry
from bridge.connect import LiveShop
from bridge.events import Request, Response, ShopError
from bridge.receive import receive
from bridge.routes import in_mode, new_route
from bridge.store import Destination, Source, Store
from bridge.translate import translate_due
from tests.bridge.translate.shops import order

SECRET = "canary-webhook-secret"
TOKEN = "canary-access-token"
CANARIES = (
    "canary",
    "Example.com",
    "Müßig",
    "Jürgen",
    "50667",
    "3920000",
)  # secrets and people of the recorded orders


def dataset(store: Store, name: str = "dataset") -> Destination:
    """Return a connected dataset."""
    settings = {"dataset_id": "1234567890", "access_token": TOKEN}
    return store.connections.add_destination("meta", name, settings)


def shop(store: Store, kind: str = "shopify", name: str = "shop", **settings: str) -> Source:
    """Return a connected shop."""
    return store.connections.add_source(kind, name, {"secret": SECRET, **settings}, name)


def link(store: Store, source: Source, destination: Destination, mode: str = "live") -> None:
    """Let the shop lead to the dataset, since long ago."""
    long_ago = store.now() - 30 * 86_400_000_000
    route = in_mode(new_route(source.id, destination.id), mode, long_ago, test_event_code="T1")
    store.connections.set_route(route)


def tell(store: Store, source: Source, order_id: int, state: str = "paid", **more: Any) -> None:
    """Receive an order as the shop would send it, and translate it."""
    topic, body = order(source.kind, order_id, state, **more)
    raw = json.dumps(body).encode()
    headers = registry.source(source.kind).sign(topic, raw, source.settings)
    receive(store, source, Request(headers=headers, body=raw))
    translate_due(store)


def reached_by(store: Store, routes: dict[str, str]) -> Callable[[Source], LiveShop]:
    """Return how the bridge reaches fakes: *routes* lead a shop's origin to the fake's."""

    def fetch(request: Request) -> Response:
        url, headers = request.url, dict(request.headers)
        for origin, real in routes.items():
            if url.startswith(origin):
                url = real + url.removeprefix(origin)
                headers |= {"Host": origin.partition("//")[2], "X-Forwarded-Proto": "https"}
        with requests.Session() as session:
            session.trust_env = False
            try:
                answer = session.request(
                    request.method, url, headers=headers, data=request.body,
                    timeout=10, allow_redirects=False,
                )  # fmt: skip
            except requests.ConnectionError:
                raise ShopError("unreachable", "the shop is not reached", again=True) from None
        return Response(
            status=answer.status_code, body=answer.content, headers=dict(answer.headers)
        )

    return lambda source: LiveShop(store, source, fetcher=fetch, wait=lambda _: None)
