"""An invented shop to test with: its recorded bodies, changed and translated."""

import json
from pathlib import Path
from typing import Any

from adapters.sources.shopify import adapter
from bridge.events import Delivery, Event, Fact, TranslationError

DELIVERIES = Path(__file__).parents[3] / "deliveries" / "shopify"
GRANTED = "v1;marketing=1;analytics=1;sale=1;preferences=1;ts=1795423777000"
DENIED = "v1;marketing=0;analytics=0;sale=0;preferences=0;ts=1795423777000"
ABSENT = object()


def recorded(case: str) -> dict[str, Any]:
    """Return the body of a recorded delivery."""
    return json.loads((DELIVERIES / case / "body.json").read_bytes())


def translate(topic: str, body: object, **settings: str) -> list[Fact]:
    """Return what the adapter reads in *body*."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return list(adapter.translate(Delivery(topic=topic, key="1", body=raw), settings))


def outcome(topic: str, body: object) -> tuple[list[Fact], TranslationError | None]:
    """Return the facts, or the error that makes the delivery dead."""
    try:
        return translate(topic, body), None
    except TranslationError as error:
        return [], error


def order(case: str = "orders_create", settings: dict[str, str] | None = None, **changes) -> Event:
    """Return the purchase read in a recorded order with *changes*; ABSENT takes a key away."""
    body = {**recorded(case), **changes}
    body = {key: value for key, value in body.items() if value is not ABSENT}
    [event] = translate("orders/create", body, **(settings or {}))
    assert isinstance(event, Event)
    return event


def attributes(**values: str) -> list[dict[str, str]]:
    """Return note attributes as Shopify lists them."""
    return [{"name": name, "value": value} for name, value in values.items()]
