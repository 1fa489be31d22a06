"""Captured orders, translated; tests change them as they need."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.sources.woocommerce import adapter
from bridge.events import Delivery, Event

DELIVERIES = Path(__file__).parents[3] / "deliveries" / "woocommerce"
SETTINGS = {"secret": "wh-secret-1"}


@pytest.fixture
def order() -> dict[str, Any]:
    """Return a captured order: classic checkout, cash on delivery, German address."""
    return json.loads((DELIVERIES / "11.0.1/140-order.created/body.json").read_bytes())


@pytest.fixture
def tell() -> Callable[..., Event]:
    """Return a function that translates an order under further settings."""

    def translated(order: dict[str, Any], **settings: str) -> Event:
        body = json.dumps(order).encode()
        delivery = Delivery(topic="order.updated", key="k", body=body)
        event, *_ = adapter.translate(delivery, {**SETTINGS, **settings})
        return event

    return translated


@pytest.fixture
def history() -> Callable[[str], list[tuple[str, Any]]]:
    """Return a function that gives the facts of one captured version, in order of arrival."""

    def facts(version: str) -> Iterator[tuple[str, Any]]:
        for case in sorted((DELIVERIES / version).iterdir()):
            headers = json.loads((case / "headers.json").read_text())
            topic = headers.get("X-WC-Webhook-Topic")
            if topic is None or case.name[:3] in {"260", "261", "262"}:
                continue  # pings, and errors instead of orders
            body = (case / "body.json").read_bytes()
            delivery = Delivery(topic=topic, key=case.name, body=body)
            for fact in adapter.translate(delivery, SETTINGS):
                yield case.name, fact

    return lambda version: list(facts(version))
