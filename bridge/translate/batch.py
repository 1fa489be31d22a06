"""One batch of a source: facts first, then verdicts, then the rows to write."""

import json
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bridge import orders, policy, shape
from bridge.events import (
    BridgeError,
    Event,
    Fact,
    Occasion,
    OrderCancelled,
    RenderError,
    TranslationError,
    plain,
)
from bridge.store import (
    DeliveryEnd,
    HeldEvent,
    OutboxRow,
    Outcome,
    StoredDelivery,
    VerdictRow,
    micros,
)
from bridge.subjects import keys_of

from .memory import Entry, Memory, Subjects
from .view import View, Way


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What one delivery tells; `error` where it could not be understood."""

    delivery: StoredDelivery
    facts: Sequence[Fact] = ()
    error: DeliveryEnd | None = None


class Batch:
    """Computes; reads and writes nothing itself."""

    def __init__(
        self, view: View, deliveries: Sequence[StoredDelivery], held: Sequence[HeldEvent] = ()
    ) -> None:
        self._view = view
        self._told = [self._tell(delivery) for delivery in deliveries]
        self._held = [(one, plain.load(Event, one.event)) for one in held]
        self._ends: list[DeliveryEnd] = []
        self._verdicts: list[VerdictRow] = []
        self._memory = Memory()
        self._changed_orders: dict[str, orders.OrderView] = {}
        self._changed_entries: dict[int, Entry] = {}
        self._stopped: dict[int, str] = {}

    def _tell(self, stored: StoredDelivery) -> _Told:
        view = self._view
        try:
            facts = list(view.adapter.translate(stored.delivery, view.source.settings))
        except Exception as error:  # noqa: BLE001  an adapter's fault stops here, with its delivery
            return _Told(delivery=stored, error=_dead(stored.id, error))
        return _Told(
            delivery=stored, facts=[_completed(fact, stored.delivery.topic) for fact in facts]
        )

    def subjects(self) -> Subjects:
        """Return what is to be looked up before the batch is decided."""
        found = Subjects()
        for event in [
            *(fact for told in self._told for fact in told.facts),
            *(event for _, event in self._held),
        ]:
            if isinstance(event, Event):
                found.event_ids.add(self._event_id(event))
            if isinstance(event, Event | OrderCancelled) and event.order_id:
                found.order_ids.add(event.order_id)
        return found

    def decide(self, memory: Memory) -> None:
        """Reach a verdict on every event of the batch, in the order received."""
        self._memory = memory
        ways = {way.destination.id: way for way in self._view.ways}
        for held, event in self._held:
            if way := ways.get(held.destination_id):
                self._decide_on(way, event, held.delivery_id)
            else:
                self._stopped[held.outbox_id] = "no_route"
        for told in self._told:
            self._ends.append(told.error or self._decide_delivery(told))

    def _decide_delivery(self, told: _Told) -> DeliveryEnd:
        delivery_id = told.delivery.id
        try:
            for fact in told.facts:
                self._take(fact, told.delivery)
        except Exception as error:  # noqa: BLE001  a poisonous event must not stop its source
            return _dead(delivery_id, error)
        if told.facts:
            return DeliveryEnd(delivery_id=delivery_id, state="translated")
        known = told.delivery.delivery.topic in self._view.adapter.topics
        return DeliveryEnd(
            delivery_id=delivery_id, state="ignored", reason="nothing_told" if known else "topic"
        )

    def _take(self, fact: Fact, stored: StoredDelivery) -> None:
        match fact:
            case OrderCancelled():
                at = fact.at or stored.delivery.received_at
                self._fold(replace(fact, at=at))
                for entry in list(self._memory.entries_of(fact.order_id)):
                    self._cancel(entry)
            case Event():
                if fact.occasion == Occasion.PURCHASE and fact.order_id:
                    holds = self._view.rules.purchase.hold_minutes > 0
                    fact = orders.current(fact, self._fold(fact), holds=holds)
                for way in self._view.ways:
                    self._decide_on(way, fact, stored.id)

    def _fold(self, fact: Event | OrderCancelled) -> orders.OrderView:
        order_id = fact.order_id or ""
        before = self._memory.orders.get(order_id)
        after = orders.fold(before, fact)
        if after != before:
            self._memory.orders[order_id] = self._changed_orders[order_id] = after
        return after

    def _cancel(self, entry: Entry) -> None:
        """Skip for good what still waits for a cancelled order."""
        if entry.fresh:
            entry.fresh = replace(
                entry.fresh,
                state="skipped",
                reason="cancelled",
                curable=False,
                payload=None,
                held_event=None,
            )
        elif entry.stored:
            self._stopped[entry.stored.id] = "cancelled"
            entry.stored = replace(entry.stored, state="skipped", reason="cancelled", curable=False)

    def _decide_on(self, way: Way, event: Event, delivery_id: int) -> None:
        view = self._view
        verdict = policy.decide(
            event,
            view.rules,
            way.for_policy(),
            view.now,
            shop_country=view.shop_country,
            max_age=way.adapter.max_age,
        )
        event_id = self._event_id(event)
        purchase_of = event.order_id if event.occasion == Occasion.PURCHASE else None
        entry = self._memory.entry(way.destination.id, verdict.event_name, event_id, purchase_of)
        passed = self._memory.was_let_through(way.destination.id, purchase_of)
        if entry.is_final or (passed and not entry.stored):
            word, reason = "skip", entry.standing_reason
        else:
            row = self._row(way, event, event_id, verdict, delivery_id)
            if entry.stored:
                row = replace(row, replaces=entry.stored.id)
            entry.fresh = row
            self._changed_entries[id(entry)] = entry
            word, reason = _word(row.state), row.reason
        self._verdicts.append(
            VerdictRow(
                delivery_id=delivery_id,
                destination_id=way.destination.id,
                event_name=verdict.event_name,
                event_id=event_id,
                verdict=word,
                reason=reason,
                channel=event.channel,
                order_state=event.order_state,
            )
        )

    def _row(
        self, way: Way, event: Event, event_id: str, verdict: policy.Verdict, delivery_id: int
    ) -> OutboxRow:
        """Return the outbox row of *verdict*; what cannot be rendered is skipped."""
        view, now = self._view, micros(self._view.now)
        row = OutboxRow(
            source_id=view.source.id,
            destination_id=way.destination.id,
            delivery_id=delivery_id,
            mode=way.route.mode,
            occasion=str(event.occasion),
            event_name=verdict.event_name,
            event_id=event_id,
            order_id=event.order_id,
            order_number=event.order_number,
            state="skipped",
            event_at=micros(event.event_time),
            expires_at=now,
            next_at=now,
            plan_digest=view.plan_digest,
            trace=json.dumps(_trace(event, verdict)),
            **vars(keys_of(event.user_data, view.subject_key, view.source.word)),
        )
        match verdict:
            case policy.Skip():
                state = "expired" if verdict.reason == "expired" else "skipped"
                return replace(row, state=state, reason=verdict.reason, curable=verdict.curable)
            case policy.Wait():
                return replace(
                    row,
                    state="waiting",
                    reason=verdict.reason,
                    curable=True,
                    next_at=micros(verdict.until),
                    held_event=plain.dump(event),
                )
            case policy.Send():
                return self._sendable(way, event, event_id, verdict, row)

    def _sendable(
        self, way: Way, event: Event, event_id: str, send: policy.Send, row: OutboxRow
    ) -> OutboxRow:
        view = self._view
        shaped = shape.shape(
            event,
            send,
            view.rules,
            event_id=event_id,
            now=view.now,
            external_id=shape.external_id_for(event, view.rules.who, view.source.word),
        )
        try:
            payload = way.adapter.render(shaped.conversion, way.destination.settings)
        except RenderError as error:
            return replace(row, reason=f"invalid:{error.field}")
        shadow = way.route.mode == "shadow"
        age = way.adapter.max_age(shaped.conversion.action_source)
        return replace(
            row,
            state="skipped" if shadow else "pending",
            reason="shadow" if shadow else "",
            expires_at=micros(shaped.conversion.event_time + age),
            payload=payload,
            trace=json.dumps(_trace(event, send, shaped)),
        )

    def _event_id(self, event: Event) -> str:
        view = self._view
        return shape.event_id_for(event, view.rules, view.source.word, view.adapter.local_ids)

    def outcome(self) -> Outcome:
        """Return all that is to be written."""
        return Outcome(
            ends=self._ends,
            rows=[entry.fresh for entry in self._changed_entries.values() if entry.fresh],
            stopped=self._stopped,
            orders=list(self._changed_orders.values()),
            verdicts=self._verdicts,
        )


def _completed(fact: Fact, topic: str) -> Fact:
    return replace(fact, topic=topic) if isinstance(fact, Event) and not fact.topic else fact


def _word(state: str) -> str:
    return {"pending": "send", "waiting": "wait"}.get(state, "skip")


def _trace(
    event: Event, verdict: policy.Verdict, shaped: shape.Shaped | None = None
) -> dict[str, Any]:
    """Return what explains the event for ever: no personal data, only which keys there were."""
    trace: dict[str, Any] = {
        "topic": event.topic,
        "channel": event.channel,
        "order_state": event.order_state,
        "user_data": sorted(name for name, value in vars(event.user_data).items() if value),
    }
    if verdict.decision:
        trace["consent"] = verdict.decision.proof()
    if shaped:
        conversion = shaped.conversion
        trace |= {
            "action_source": conversion.action_source,
            "value": str(conversion.custom_data.value),
            "currency": conversion.custom_data.currency,
            "content_ids": [item.id for item in conversion.custom_data.contents][:20],
            "notes": list(shaped.notes),
        }
    return trace


def _dead(delivery_id: int, error: Exception) -> DeliveryEnd:
    reason = error.reason if isinstance(error, TranslationError) else "fault"
    return DeliveryEnd(delivery_id=delivery_id, state="dead", reason=reason, detail=blame(error))


def blame(error: Exception) -> str:
    """Describe *error* without personal data: our own words, or a type and a line."""
    if isinstance(error, BridgeError):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {last.filename.rsplit('/', 1)[-1]}:{last.lineno}"
