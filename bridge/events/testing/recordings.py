"""Recorded deliveries: reading a case, and writing down what it should become."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bridge.events import plain
from bridge.events.adapters import Delivery, Request, Settings, SourceAdapter
from bridge.events.errors import TranslationError
from bridge.events.facts import Fact

RECEIVED_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


def read_settings(deliveries: Path) -> dict[str, str]:
    """Return `settings.json` of a folder of deliveries; a list becomes one entry a line."""
    raw = json.loads((deliveries / "settings.json").read_text("utf-8"))
    return {k: "\n".join(v) if isinstance(v, list) else str(v) for k, v in raw.items()}


def read_request(case: Path) -> Request:
    """Return the request that `headers.json` and `body.json` (raw bytes) of *case* record."""
    headers = json.loads((case / "headers.json").read_text("utf-8"))
    return Request(headers=headers, body=(case / "body.json").read_bytes())


def find_cases(deliveries: Path) -> list[Path]:
    """Return every folder below *deliveries* that holds a body, sorted."""
    return sorted(body.parent for body in deliveries.rglob("body.json"))


def as_plain(fact: Fact) -> dict[str, Any]:
    """Return *fact* as plain JSON: its class name and the fields that differ from defaults.

    Decimals become text, times ISO 8601, enums their value.
    """
    return {"fact": type(fact).__name__, **plain.as_plain(fact)}


def expectation(adapter: SourceAdapter, case: Path, settings: Settings) -> Any:
    """Return what `events.json` of *case* should hold.

    A list of plain facts (empty if the delivery is of no interest), ``{"ping": true}`` for a
    ping, or ``{"dead": reason}``.
    """
    delivery = adapter.verify(read_request(case), settings)
    if delivery is None:
        return {"ping": True}
    found = translated(adapter, delivery, settings)
    return {"dead": found} if isinstance(found, str) else [as_plain(fact) for fact in found]


def write_expectation(adapter: SourceAdapter, case: Path, settings: Settings) -> None:
    """(Re)write `events.json` of *case* with what *adapter* says today; review the diff."""
    expected = expectation(adapter, case, settings)
    text = json.dumps(expected, indent=1, ensure_ascii=False)
    (case / "events.json").write_text(text + "\n", "utf-8")


def translated(adapter: SourceAdapter, delivery: Delivery, settings: Settings) -> list[Fact] | str:
    """Return the facts, or the reason why the delivery is dead."""
    try:
        return list(adapter.translate(replace(delivery, received_at=RECEIVED_AT), settings))
    except TranslationError as error:
        return error.reason
