"""Sample deliveries played through verdict and rendering, in memory alone."""

import hashlib
from datetime import UTC, datetime, timedelta

from bridge import plan, registry
from bridge.events import Delivery, Event, Occasion, Request, VerificationError
from bridge.store import Destination, OutboxRow, Route, Source, StoredDelivery
from bridge.visitors import COLLECTED

from .batch import Batch
from .memory import Memory
from .view import View, Way

_SECRET = "rehearsal"


def rehearse(source_kind: str, destination_kind: str) -> list[OutboxRow]:
    """Return the orders among the adapter's samples as they would be sent, and those skipped.

    Each is signed, verified, read, decided under the built-in plan and rendered, at the time
    of the last sample.  Nothing is stored and nothing is sent.
    """
    adapter = registry.source(source_kind)
    settings = {adapter.secret_setting: _SECRET}
    stored = []
    told = [sample for sample in adapter.samples() if sample.topic != COLLECTED]
    for number, sample in enumerate(told, 1):
        headers = adapter.sign(sample.topic, sample.body, settings)
        try:
            delivery = adapter.verify(Request(headers=headers, body=sample.body), settings)
        except VerificationError:
            continue
        if delivery is not None:
            stored.append(StoredDelivery(id=number, delivery=delivery))
    times = [time for one in stored for time in _times(source_kind, one.delivery, settings)]
    view = _view(
        source_kind, destination_kind, max(times, default=datetime(2026, 1, 1, tzinfo=UTC))
    )
    batch = Batch(view, stored)
    memory = Memory()
    batch.decide(memory)
    rows = {row.event_id: row for entry in memory.by_id.values() if (row := entry.fresh)}
    return [row for row in rows.values() if row.occasion == Occasion.PURCHASE]


def _times(kind: str, delivery: Delivery, settings: dict[str, str]) -> list[datetime]:
    facts = registry.source(kind).translate(delivery, settings)
    return [fact.event_time for fact in facts if isinstance(fact, Event)]


def _view(source_kind: str, destination_kind: str, newest: datetime) -> View:
    source = Source(
        id=1, kind=source_kind, name="sample", word="sample", state="active",
        settings={}, webhook_key="", collect_key="", created_at=0,
    )  # fmt: skip
    destination = Destination(
        id=1, kind=destination_kind, name="sample", state="active", reason="", settings={}
    )
    route = Route(source_id=1, destination_id=1, mode="shadow", toggles={}, live_since=None)
    way = Way(route=route, destination=destination, adapter=registry.destination(destination_kind))
    return View(
        source=source,
        adapter=registry.source(source_kind),
        rules=plan.parse(plan.default_text()).base,
        plan_digest="",
        ways=[way],
        subject_key=hashlib.sha256(b"rehearsal").digest(),
        now=newest + timedelta(minutes=1),
    )
