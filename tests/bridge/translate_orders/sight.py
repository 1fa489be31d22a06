"""What is sent of an order, and what became of it."""

import json
from typing import Any

from tests.bridge.translate.line import Line
from tests.stores import rows

MINUTE = 60
# The minutes by which sixteen o'clock is later than the orders of each shop.
AGE = {"woocommerce": 122, "shopify": 405}


def payload(line: Line, event_id: str, name: str = "Purchase", number: int = 0) -> Any:
    """Return an event as the dataset gets it; None if there is none."""
    body = line.store.history.payload(line.destinations[number].id, name, event_id)
    return json.loads(body) if body else None


def states(line: Line) -> dict[str, tuple[str, str, str]]:
    """Return name, state and reason of all events by their ids."""
    found = rows(line.store, "outbox", "event_id", "event_name", "state", "reason")
    return {row[0]: row[1:] for row in found}
