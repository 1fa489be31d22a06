"""One batch of a source: facts first, then verdicts, then all that is to be written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bridge import consent, orders, policy, shape, visitors
from bridge.consent import DENIED
from bridge.events import (
    CartSnapshot,
    DataRequest,
    Delivery,
    Disconnected,
    Event,
    Fact,
    Occasion,
    OrderCancelled,
    OrderState,
    Redaction,
    Visitor,
    plain,
)
from bridge.store import (
    OWN_KEYS,
    DeliveryEnd,
    HeldEvent,
    Outcome,
    StoredDelivery,
    Told,
    VerdictRow,
    micros,
    moment,
)
from bridge.subjects import SubjectKeys, keys_of
from bridge.visitors import COLLECTED

from .faults import ended
from .funnel import Funnel
from .memory import KNOWN, Entry, Memory, Subjects
from .precedence import is_denied, is_noted, unowned
from .rows import row_of
from .sales import past_sale
from .soundness import sound
from .view import View, Way

_BOUGHT = {OrderState.AUTHORIZED, OrderState.PAID, OrderState.PARTIALLY_REFUNDED}
_WORDS = {"pending": "send", "waiting": "wait"}


@dataclass(frozen=True, kw_only=True)
class _Read:
    """What one delivery tells; `error` where it could not be understood."""

    stored: StoredDelivery
    facts: Sequence[Fact] = ()
    error: DeliveryEnd | None = None


class Batch:
    """Computes; reads and writes nothing itself.

    First it reads the facts and tells of whom and what they speak (`subjects`); with what
    the memory knows of these, `decide` reaches the verdicts; `outcome` is to be written.  With
    *more*, other deliveries were received that are not read yet: what they tell is waited for.
    """

    def __init__(
        self,
        view: View,
        deliveries: Sequence[StoredDelivery],
        held: Sequence[HeldEvent] = (),
        *,
        more: bool = False,
    ) -> None:
        self.subjects = Subjects()
        self._more = more
        self._view = view
        self._memory = Memory()
        self._ends: list[DeliveryEnd] = []
        self._verdicts: list[VerdictRow] = []
        self._stopped: dict[int, str] = {}
        self._changed_orders: dict[str, orders.OrderView] = {}
        self._changed_entries: dict[int, Entry] = {}
        self._customers: dict[bytes, str] = {}
        self._redactions: list[Redaction] = []
        self._data_requests: list[str] = []
        self._disconnected = False
        self._funnel = Funnel(view)
        self._read = [self._understand(stored) for stored in deliveries]
        self._collected = any(isinstance(fact, Visitor) for one in self._read for fact in one.facts)
        self._held = [(one, event) for one in held if (event := self._unpack(one))]

    def _understand(self, stored: StoredDelivery) -> _Read:
        try:
            told = list(self._translate(stored.delivery))
            facts = [sound(fact, stored.delivery.topic) for fact in told]
            for fact in facts:
                self._note_subjects(fact)
        except Exception as error:  # noqa: BLE001  an adapter's fault stops here, with its delivery
            return _Read(stored=stored, error=ended(stored, error))
        return _Read(stored=stored, facts=facts)

    def _translate(self, delivery: Delivery) -> Iterable[Fact]:
        view = self._view
        if delivery.topic != COLLECTED:
            return view.adapter.translate(delivery, view.source.settings)
        unsaid = consent.judge(
            None, view.shop_country, None, view.rules, event_name="", browser=True
        )
        return visitors.read_collected(
            delivery.body,
            delivery.headers,
            delivery.received_at or view.now,
            keep_unknown=unsaid.allowed,
        )

    def _unpack(self, held: HeldEvent) -> Event | None:
        try:
            event = plain.load(Event, held.event)
            self._note_subjects(event)
        except Exception:  # noqa: BLE001  an event of an older version must not stop its source
            self._stopped[held.outbox_id] = "unreadable"
            return None
        return event

    def _note_subjects(self, fact: Fact) -> None:
        found = self.subjects
        if isinstance(fact, Event | OrderCancelled) and fact.order_id:
            found.order_ids.add(fact.order_id)
        if isinstance(fact, CartSnapshot):
            token = f"cart:{fact.cart_token}"
            found.cart_tokens[self._funnel.token_key(token)] = fact.cart_token
            found.token_keys.add(self._funnel.token_key(token))
        if isinstance(fact, Visitor):
            found.token_keys.update(map(self._funnel.token_key, fact.keys))
        if not isinstance(fact, Event):
            return
        if fact.occasion == Occasion.REFUND and fact.order_id:
            found.refunded.add(fact.order_id)
        found.token_keys.update(map(self._funnel.token_key, fact.visitor_keys))
        events = policy.occasions(fact, self._view.rules)
        found.event_ids.update(one for event in events for one in self._event_ids(event))
        if self._view.rules.who.customers == "ledger":
            found.customer_keys.update(self._keys(fact).all())
        if self._view.rules.needs_costs():
            for basket in (fact.basket, fact.shop_basket):
                for line in basket.contents if basket else ():
                    ids = (line.sku, line.variant_id, line.product_id)
                    found.items.update(one for one in ids if one)

    def decide(self, memory: Memory) -> None:
        """Reach a verdict on every event of the batch, in the order received."""
        self._memory = memory
        self._funnel.remember(memory)
        # What browsers told comes first: it completes events of the same batch.
        for read in self._read:
            for fact in read.facts:
                if isinstance(fact, Visitor):
                    self._funnel.tell(fact)
        for read in self._read:
            self._ends.append(read.error or self._decide_delivery(read))
        ways = {way.destination.id: way for way in self._view.ways}
        # Last, for what was received while they waited counts: a cancellation, a newer order.
        for held, event in self._held:
            known = memory.by_row.get(held.outbox_id)
            if held.outbox_id not in self._stopped and not (known and known.fresh):
                self._decide_held(ways.get(held.destination_id), held, event)

    def _decide_held(self, way: Way | None, held: HeldEvent, event: Event) -> None:
        """Decide on what waited long enough; whatever happens, it waits no longer."""
        if way is None:
            self._stopped[held.outbox_id] = "no_route"
            return
        try:
            event = self._current(event)
            if event.occasion == Occasion.PURCHASE:
                event = self._with_customer(event)
            entry = self._decide_on(way, event, held.delivery_id, waited=True)
        except Exception:  # noqa: BLE001  a poisonous event must not stop its source
            self._stopped[held.outbox_id] = "fault"
            return
        if not (entry and entry.fresh and entry.fresh.replaces == held.outbox_id):
            self._stopped[held.outbox_id] = KNOWN  # by now it has another name or id

    def _decide_delivery(self, read: _Read) -> DeliveryEnd:
        delivery_id = read.stored.id
        try:
            for fact in read.facts:
                self._take(fact, read.stored)
        except Exception as error:  # noqa: BLE001  a poisonous event must not stop its source
            return ended(read.stored, error)
        if read.facts:
            return DeliveryEnd(delivery_id=delivery_id, state="translated")
        known = read.stored.delivery.topic in {COLLECTED, *self._view.adapter.topics}
        return DeliveryEnd(
            delivery_id=delivery_id, state="ignored", reason="nothing_told" if known else "topic"
        )

    def _take(self, fact: Fact, stored: StoredDelivery) -> None:
        match fact:
            case OrderCancelled():
                self._end(fact, stored.delivery.received_at)
            case Event():
                self._take_event(fact, stored)
            case CartSnapshot():
                for event in self._funnel.additions(fact):
                    self._take_event(replace(event, topic=stored.delivery.topic), stored)
            case Redaction():
                self._redactions.append(fact)
            case DataRequest():
                self._data_requests.append(fact.request_id or "")
            case Disconnected():
                self._disconnected = True
            case Visitor():
                pass  # told before

    def _take_event(self, told: Event, stored: StoredDelivery) -> None:
        late = False
        arrived_at = micros(stored.delivery.received_at or self._view.now)
        if told.occasion == Occasion.PURCHASE and told.order_id:
            late = orders.is_late(told, self._fold(told))
            told = self._with_customer(self._current(told))
        for event in policy.occasions(told, self._view.rules):
            for way in self._view.ways:
                self._decide_on(way, event, stored.id, arrived_at=arrived_at, late=late)
        if not stored.delivery.key.startswith(OWN_KEYS):  # reading a list is no burst
            self._memory.count(told, arrived_at)

    def _with_customer(self, event: Event) -> Event:
        """Return *event* with whether its buyer is new, where the own ledger is to tell."""
        if self._view.rules.who.customers != "ledger":
            return event
        keys = self._keys(event).all()
        earlier = {self._memory.customers[key] for key in keys if key in self._memory.customers}
        placed = event.cash_on_delivery and event.order_state is OrderState.PLACED
        if (placed or event.order_state in _BOUGHT) and event.order_id:
            for key in keys:
                self._customers[key] = self._memory.customers.setdefault(key, event.order_id)
        if not keys or event.customer_is_new is not None:
            return event
        return replace(event, customer_is_new=not earlier - {event.order_id})

    def _current(self, event: Event) -> Event:
        known = self._memory.orders.get(event.order_id or "")
        holds = self._view.rules.purchase.hold_minutes > 0
        return orders.current(event, known, holds=holds) if known else event

    def _fold(self, fact: Event | OrderCancelled) -> orders.OrderView:
        order_id = fact.order_id or ""
        before = self._memory.orders.get(order_id)
        after = orders.fold(before, fact)
        if after != before:
            self._memory.orders[order_id] = self._changed_orders[order_id] = after
        return after

    def _end(self, fact: OrderCancelled, received_at: datetime | None) -> None:
        """Skip what still waits for a cancelled order, unless the shop told something newer.

        A deletion that tells no time is the newest there is, also where the shop's clock is fast.
        """
        known = self._memory.orders.get(fact.order_id)
        times = (received_at, known.updated_at if known else None)
        at = fact.at or max((time for time in times if time), default=None)
        if self._fold(replace(fact, at=at)).state is not OrderState.CANCELLED:
            return
        for entry in list(self._memory.entries_of(self._view.source.id, fact.order_id)):
            self._stop(entry, "cancelled")

    def _stop(self, entry: Entry, reason: str) -> None:
        """Skip what was not sent yet."""
        skipped = {"state": "skipped", "reason": reason, "curable": reason in policy.CURABLE}
        if entry.fresh:
            entry.fresh = replace(entry.fresh, **skipped, payload=None, held_event=None)  # type: ignore[arg-type]  # by name
        elif entry.stored:
            self._stopped[entry.stored.id] = reason
            entry.stored = replace(entry.stored, **skipped)  # type: ignore[arg-type]  # by name

    def _decide_on(
        self,
        way: Way,
        told: Event,
        delivery_id: int,
        *,
        arrived_at: int | None = None,
        late: bool = False,
        waited: bool = False,
    ) -> Entry | None:
        """Reach a verdict on one route; return the event's entry, None if its id is taken.

        What *waited* was counted when it arrived.  *late* is what is older than something that
        is known of its order already.
        """
        view, memory = self._view, self._memory
        event = self._funnel.join(told)
        past = past_sale(memory, way, event)
        if past:
            event = replace(event, order_number=event.order_number or past.order_number)
        verdict = policy.decide(
            event,
            view.rules,
            way.for_policy(memory.recent(arrived_at)),
            view.now,
            shop_country=view.shop_country,
            max_age=way.adapter.max_age,
            heard_at=moment(arrived_at) if self._more and arrived_at is not None else None,
            browser_at=self._browser_at(),
            follows=past.decision if past else None,
        )
        purchase_of = event.order_id if event.occasion == Occasion.PURCHASE else None
        # What is another's to tell has no row: it would take the place of the owner's own event
        # with that id, and a browser's word is public.
        owner = unowned(event, verdict)
        for event_id in self._event_ids(event):
            key = (way.destination.id, verdict.event_name, event_id)
            if entry := None if owner else memory.entry(*key, purchase_of):
                break
        passed = memory.was_let_through(way.destination.id, purchase_of)
        # A payment that waits for the hold to end is not undone by a late or an odd delivery.
        holds = view.rules.purchase.hold_minutes > 0
        outdone = not waited and entry and entry.outlasts(verdict, late=late, holds=holds)
        if owner:
            word, reason = "skip", owner
        elif entry is None or entry.is_final or outdone or (passed and not entry.stored):
            for one in memory.unsent(entry) if is_denied(event, verdict) else ():
                self._stop(one, DENIED)
            word, reason = "skip", entry.standing_reason if entry else KNOWN
        else:
            keys = self._keys(event)
            row = row_of(
                view,
                way,
                event,
                verdict,
                event_id=event_id,
                delivery_id=delivery_id,
                keys=past.keys_for(event, keys) if past else keys,
                costs=memory.costs,
                sale=past.sale if past else None,
            )
            if row.state == "waiting":  # as it was told: it is joined again when it is decided
                tokens = tuple(map(self._funnel.token_key, told.visitor_keys))
                row = replace(row, held_event=plain.dump(told), held_keys=tokens)
            entry.fresh = replace(row, replaces=entry.stored.id) if entry.stored else row
            self._changed_entries[id(entry)] = entry
            word, reason = _WORDS.get(row.state, "skip"), row.reason
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
        return entry

    def _event_ids(self, event: Event) -> list[str]:
        view = self._view
        return shape.event_ids_for(event, view.rules, view.source.word, view.adapter.local_ids)

    def _keys(self, event: Event) -> SubjectKeys:
        return keys_of(event.user_data, self._view.subject_key, self._view.source.word)

    def outcome(self) -> Outcome:
        """Return all that is to be written."""
        return Outcome(
            ends=self._ends,
            rows=[entry.fresh for entry in self._changed_entries.values() if entry.fresh],
            stopped=self._stopped,
            orders=list(self._changed_orders.values()),
            verdicts=self._verdicts,
            told=Told(
                customers=list(self._customers.items()),
                redactions=self._redactions,
                data_requests=self._data_requests,
                disconnected=self._disconnected,
                unused=self._unused(),
            ),
            visited=self._funnel.visited(),
            heard=any(not read.stored.delivery.key.startswith(OWN_KEYS) for read in self._read),
            collected=self._collected,
        )

    def _browser_at(self) -> datetime | None:
        """Return when a browser of the shop was last heard, this batch included."""
        known = self._view.source.collected_at
        return self._view.now if self._collected else None if known is None else moment(known)

    def _unused(self) -> list[int]:
        """Return the deliveries whose raw bodies serve for nothing any more."""
        ignored = [end.delivery_id for end in self._ends if end.state == "ignored"]
        noted = [
            read.stored.id for read in self._read if is_noted(read.stored.delivery, read.facts)
        ]
        return [*ignored, *noted]
