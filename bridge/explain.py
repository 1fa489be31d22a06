"""The story of one event as data: what arrived, what was understood and decided, what was sent.

Nothing here names a person: of the payload hashes are shortened and all other data of people are
covered, of a raw delivery only amounts are told.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bridge import plan as plans
from bridge import policy, registry, shape
from bridge.events import BridgeError, Event
from bridge.plan import Rules
from bridge.secrets import DamagedError
from bridge.store import Source, Store

COVERED = "•••"
_HASH = re.compile(r"[0-9a-f]{64}")
_HASH_SHOWN = 6
# What may be shown of a payload as it is.  All else may hold what a person typed.
_PLAIN = {
    "event_name", "event_time", "event_id", "action_source", "data_processing_options",
    "data_processing_options_country", "data_processing_options_state", "value", "currency",
    "content_ids", "contents", "content_type", "id", "quantity", "item_price", "num_items",
    "order_id", "net_revenue", "predicted_ltv", "customer_segmentation",
}  # fmt: skip
_OPENED = {"custom_data", "original_event_data", "contents"}
_ORIGIN = re.compile(r"https?://[\w.:\[\]-]+", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Value:
    """What the event is worth: the value that was sent, and the lines that it is made of.

    The lines are counted again under the plan of now, from the raw delivery; they are empty
    where that is no longer held, or does not tell of the event alone.  `agrees` is False where
    they sum up to something else than what was sent.
    """

    value: str | None = None
    currency: str | None = None
    lines: Sequence[tuple[str, Decimal]] = ()
    total: Decimal | None = None

    @property
    def agrees(self) -> bool:
        """Return whether the lines sum up to the value."""
        return self.total is None or self.value is None or self.total == Decimal(self.value)


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One event at one destination; rows are mappings as the store keeps them.

    `payload` is None where it is no longer kept, or never was.  `plan_is_newer` is True where
    another plan is in force than the one that decided.
    """

    event: Mapping[str, Any]
    source: Mapping[str, Any]
    destination: Mapping[str, Any]
    deliveries: Sequence[Mapping[str, Any]]
    attempts: Sequence[Mapping[str, Any]]
    related: Sequence[Mapping[str, Any]]
    value: Value
    payload: Mapping[str, Any] | None = field(default=None, repr=False)
    plan_is_newer: bool = False

    @property
    def trace(self) -> Mapping[str, Any]:
        """Return what was kept of the decision."""
        found: Mapping[str, Any] = self.event["trace"]
        return found

    @property
    def may_be_replayed(self) -> bool:
        """Return whether it was not sent, and what it came from is still held raw."""
        raw = {row["delivery_id"] for row in self.deliveries if row["raw"]}
        ended = self.event["state"] in {"dead", "expired", "skipped"}
        return ended and self.event["reason"] != "replayed" and self.event["delivery_id"] in raw


def explain(store: Store, row_id: int) -> Explanation | None:
    """Return the story of the outbox row; None if there is none (any more)."""
    event = store.activity.event(row_id)
    if event is None:
        return None
    ends = {"source": store.activity.sources(), "destination": store.activity.destinations()}
    source, destination = (
        next(end for end in ends[name] if end["id"] == event[f"{name}_id"]) for name in ends
    )
    text = store.history.plan() or plans.default_text()
    return Explanation(
        event=event,
        source=source,
        destination=destination,
        deliveries=store.activity.told(event),
        attempts=store.activity.attempts(event),
        related=store.activity.related(event),
        value=_value(store, event, text),
        payload=_payload(store, event),
        plan_is_newer=plans.digest(text) != event["plan_digest"],
    )


def masked(payload: bytes) -> Mapping[str, Any]:
    """Return the event as the destination gets it, with all that is of a person covered."""
    try:
        found = json.loads(payload)
    except ValueError:
        return {}
    return _masked_object(found) if isinstance(found, dict) else {}


def _masked_object(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _masked(name, value) for name, value in fields.items()}


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        if name == "user_data":
            return {key: _covered(one) for key, one in value.items()}
        return _masked_object(value) if name in _OPENED else COVERED
    if isinstance(value, list):
        return [_masked(name, one) for one in value]
    if name in _PLAIN:
        return value
    origin = _ORIGIN.match(value) if isinstance(value, str) and name.endswith("_url") else None
    return f"{origin.group()}/…" if origin else COVERED


def _covered(value: Any) -> Any:
    """Return the beginning of a hash, to be compared with another; nothing of anything else."""
    if isinstance(value, list):
        return [_covered(one) for one in value]
    is_hash = isinstance(value, str) and _HASH.fullmatch(value)
    return f"{value[:_HASH_SHOWN]}…" if is_hash else COVERED


def _payload(store: Store, event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    try:
        found = store.history.payload(
            event["destination_id"], event["event_name"], event["event_id"]
        )
    except BridgeError:  # sealed under a key that is lost
        return None
    return None if found is None else masked(found)


def _value(store: Store, event: Mapping[str, Any], plan_text: str) -> Value:
    trace = event["trace"]
    kept = Value(value=trace.get("value"), currency=trace.get("currency"))
    if event["delivery_id"] is None:
        return kept
    try:
        source = store.connections.source(str(event["source_id"]))
        rules = plans.parse(plan_text).rules(source.name)
        told = next(_told(store, source, event, rules), None)
        if told is None:
            return kept
        costs = store.subjects.costs(source.id, _items(told)) if rules.needs_costs() else {}
        worth = shape.worth(told, rules, event["event_name"], costs)
    except Exception:  # noqa: BLE001  an adapter's fault costs the lines, not the page
        return kept
    custom_data = worth.custom_data
    return Value(
        value=kept.value,
        currency=kept.currency or custom_data.currency,
        lines=worth.lines,
        total=custom_data.value,
    )


def _told(store: Store, source: Source, event: Mapping[str, Any], rules: Rules) -> Iterator[Event]:
    """Yield the event as its raw delivery tells it, if that is still held."""
    try:
        stored = store.translations.delivery(event["delivery_id"])
    except DamagedError:
        return
    if stored is None:
        return
    adapter = registry.source(source.kind)
    for fact in adapter.translate(stored.delivery, source.settings):
        for one in policy.occasions(fact, rules) if isinstance(fact, Event) else ():
            ids = shape.event_ids_for(one, rules, source.word, adapter.local_ids)
            if event["event_id"] in ids and one.occasion == event["occasion"]:
                yield one


def _items(event: Event) -> Collection[str]:
    baskets = (event.basket, event.shop_basket)
    lines = [line for basket in baskets if basket for line in basket.contents]
    ids = (one for line in lines for one in (line.sku, line.variant_id, line.product_id))
    return {one for one in ids if one}
