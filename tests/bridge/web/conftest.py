"""The web application on both engines, with one shop of each kind connected."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from bridge import config, registry
from bridge.store import Source, Store
from bridge.web import Application
from tests.stores import SECRET_KEY

HUSH = "hush"
ORDER = b'{"id":5001,"email":"canary-jane@example.com","total_price":"9.90"}'


@dataclass
class Shop:
    """A connected shop that posts to the application under test."""

    source: Source
    topic: str
    client: Client

    @property
    def path(self) -> str:
        return f"/webhooks/{self.source.webhook_key}"

    def signed(self, body: bytes, secret: str = HUSH) -> dict[str, str]:
        """Return the headers with which the shop system would send *body*."""
        settings = {**self.source.settings, "secret": secret}
        return dict(registry.source(self.source.kind).sign(self.topic, body, settings))

    def post(
        self,
        body: bytes = ORDER,
        headers: Mapping[str, str] | None = None,
        *,
        path: str = "",
        **environ: Any,
    ) -> TestResponse:
        """Post *body*, soundly signed unless *headers* are given."""
        spelt = {"PATH_INFO": path} if path.startswith("//") else {}  # else taken for a host
        return self.client.open(
            path or self.path,
            method="POST",
            data=body,
            headers=self.signed(body) if headers is None else headers,
            environ_overrides=spelt | environ,
        )


@pytest.fixture
def application(store: Store, store_url: str) -> Application:
    environment = {"DATABASE_URL": store_url, "SECRET_KEY": SECRET_KEY}
    return Application(config.load(environment), store)


@pytest.fixture
def client(application: Application) -> Client:
    return Client(application)


@pytest.fixture
def connect(store: Store, client: Client) -> Callable[..., Shop]:
    """Return a function that connects a shop of a kind."""

    def connected(kind: str, topic: str, **settings: str) -> Shop:
        source = store.connections.add_source(kind, kind, {"secret": HUSH, **settings})
        return Shop(source, topic, client)

    return connected


@pytest.fixture(params=[("shopify", "orders/paid"), ("woocommerce", "order.created")])
def shop(request: pytest.FixtureRequest, connect: Callable[..., Shop]) -> Shop:
    return connect(*request.param)


@pytest.fixture
def shopify(connect: Callable[..., Shop]) -> Shop:
    return connect("shopify", "orders/paid")


@pytest.fixture
def woocommerce(connect: Callable[..., Shop]) -> Shop:
    return connect("woocommerce", "order.created")
