"""A connected shop to drive through receive and translate, and what became of it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge import plan as plans
from bridge import registry
from bridge.events import Request, Settings
from bridge.events.testing.recordings import read_request, read_settings
from bridge.receive import Received, receive
from bridge.store import Destination, Route, Source, Store
from bridge.translate import translate_due
from tests.stores import rows

DELIVERIES = Path(__file__).parents[2] / "deliveries"
DATASET = {"dataset_id": "1", "access_token": "none"}
ANY_CONSENT = '[consent]\nunknown_optin = "send"\n'


@dataclass(frozen=True)
class Line:
    """One source with its routes; orders are asked for by id."""

    store: Store
    source: Source
    destinations: list[Destination] = field(default_factory=list)

    def post(self, topic: str, body: Mapping[str, Any] | bytes) -> Received:
        """Sign *body* as the shop would, and receive it."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = registry.source(self.source.kind).sign(topic, raw, self.source.settings)
        return receive(self.store, self.source, Request(headers=headers, body=raw))

    def post_recorded(self, case: Path) -> Received:
        """Receive a recorded request with its own headers."""
        return receive(self.store, self.source, read_request(case))

    def tell(self, topic: str, body: Mapping[str, Any]) -> None:
        """Receive and translate one delivery."""
        assert self.post(topic, body) is Received.STORED
        assert translate_due(self.store) == 1

    def route(self, number: int = 0, **changes: Any) -> None:
        """Set the route to the destination of this number."""
        known = {"mode": "live", "toggles": {}, "live_since": None, **changes}
        ends = {"source_id": self.source.id, "destination_id": self.destinations[number].id}
        self.store.connections.set_route(Route(**ends, **known))

    def purchases(self) -> list[tuple[str, str, str]]:
        """Return (order id, state, reason) of the source's purchases, sorted."""
        found = rows(self.store, "outbox", "source_id", "occasion", "order_id", "state", "reason")
        return sorted(row[2:] for row in found if row[:2] == (self.source.id, "purchase"))

    def pending(self, occasion: str = "purchase") -> list[str]:
        """Return the event ids of the source's purchases that are to be sent, sorted."""
        found = rows(self.store, "outbox", "source_id", "occasion", "state", "event_id")
        wanted = (self.source.id, occasion, "pending")
        return sorted(row[3] for row in found if row[:3] == wanted)

    def verdicts(self) -> list[tuple[str, str]]:
        """Return (verdict, reason) in the order decided."""
        return rows(self.store, "verdict", "verdict", "reason")

    def ends(self) -> list[tuple[str, str]]:
        """Return (state, reason) of the deliveries in the order received."""
        return rows(self.store, "delivery", "state", "reason")


def connect(
    store: Store,
    kind: str,
    *,
    word: str = "shop",
    settings: Settings | None = None,
    datasets: Iterable[str] = ("dataset",),
    plan: str = "",
    to: str = "meta",
) -> Line:
    """Return a line of a new source of *kind* to new, or known, datasets."""
    if plan:
        apply(store, plan)
    known = {one.name: one for one in store.connections.destinations()}
    ends = [
        known.get(name) or store.connections.add_destination(to, name, DATASET) for name in datasets
    ]
    signed = read_settings(DELIVERIES / kind) if settings is None else settings
    line = Line(store, store.connections.add_source(kind, word, signed, word), ends)
    for number in range(len(ends)):
        line.route(number)
    return line


def apply(store: Store, plan: str) -> None:
    """Put the plan *plan* in force."""
    plans.parse(plan)
    store.history.apply_plan(plan, plans.digest(plan))
