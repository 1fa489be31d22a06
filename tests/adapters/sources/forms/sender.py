"""A sender to test with: bodies translated, and the one example of the documentation."""

import json
from pathlib import Path
from typing import Any

from adapters.sources.forms import adapter
from bridge.events import Delivery, Event, TranslationError
from bridge.events.testing import RECEIVED_AT

ROOT = Path(__file__).parents[4]
DELIVERIES = ROOT / "tests" / "deliveries" / "forms"
EXAMPLES = ROOT / "docs" / "examples" / "forms"
LEAD: dict[str, Any] = json.loads((EXAMPLES / "lead.json").read_bytes())


def translate(body: object, **delivery: Any) -> list[Event]:
    """Return the events of *body*, received at `RECEIVED_AT`."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"topic": "form", "key": "1", "body": raw, "received_at": RECEIVED_AT, **delivery}
    return list(adapter.translate(Delivery(**given), {}))


def lead(**changes: object) -> Event:
    """Return the event of the example with *changes*."""
    [event] = translate({**LEAD, **changes})
    return event


def refusal(**changes: object) -> TranslationError:
    """Return the error with which the example with *changes* is dead."""
    try:
        translate({**LEAD, **changes})
    except TranslationError as error:
        return error
    raise AssertionError("it is not refused")
