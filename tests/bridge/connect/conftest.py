"""A connected shop, on both engines and of both kinds."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from bridge.store import Route, Store
from tests.fakes.shopify_admin import ShopifyFake
from tests.fakes.woocommerce_rest import WooCommerceFake
from tests.stores import FakeClock

from .connected import KINDS, SECRET, Bridge, Connected, Fake

DATASET = {"dataset_id": "1", "access_token": "none"}


def settings_of(fake: Fake) -> dict[str, str]:
    """Return the settings with which *fake* is connected."""
    if isinstance(fake, ShopifyFake):
        return {**fake.app, "secret": SECRET}
    return {**fake.key, "shop_url": fake.url, "secret": SECRET}


@pytest.fixture
def open_shop(store: Store, clock: FakeClock) -> Iterator[Callable[..., Connected]]:
    """Return a function that connects a new shop, webhooks made, route live from now."""
    with ExitStack() as stack:
        bridge = stack.enter_context(Bridge(store))

        def connect(kind: str, *, name: str = "shop", webhooks: bool = True) -> Connected:
            fake: Fake = ShopifyFake() if kind == "shopify" else WooCommerceFake()
            stack.enter_context(fake)
            source = store.connections.add_source(kind, name, settings_of(fake), name)
            known = {one.name: one for one in store.connections.destinations()}
            end = known.get("dataset") or store.connections.add_destination(
                "meta", "dataset", DATASET
            )
            store.connections.set_route(
                Route(
                    source_id=source.id,
                    destination_id=end.id,
                    mode="live",
                    toggles={},
                    live_since=clock(),
                )
            )
            connected = Connected(kind, fake, store, source, clock, bridge)
            if webhooks:
                assert connected.tick()
            return connected

        yield connect


@pytest.fixture(params=KINDS)
def shop(request: pytest.FixtureRequest, open_shop: Callable[..., Connected]) -> Connected:
    return open_shop(request.param)


@pytest.fixture
def shopify(open_shop: Callable[..., Connected]) -> Connected:
    return open_shop("shopify")


@pytest.fixture
def woocommerce(open_shop: Callable[..., Connected]) -> Connected:
    return open_shop("woocommerce")
