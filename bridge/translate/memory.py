"""What was decided before, of the events and orders that a batch speaks of."""

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from bridge import carts, policy
from bridge.carts import CartState
from bridge.events import Event, Occasion, event_id
from bridge.orders import OrderView
from bridge.policy import Skip, Verdict
from bridge.store import KnownRow, KnownVisitor, OutboxRow, Sold, Store, micros

from .view import View

KNOWN = "decided_before"
LET_THROUGH = {"pending", "sending", "sent"}
RECENT_US = 60_000_000


@dataclass(frozen=True, kw_only=True)
class Subjects:
    """The orders, event ids, people and goods that a batch speaks of."""

    order_ids: set[str] = field(default_factory=set)
    event_ids: set[str] = field(default_factory=set)
    customer_keys: set[bytes] = field(default_factory=set)
    items: set[str] = field(default_factory=set)
    refunded: set[str] = field(default_factory=set)
    token_keys: set[bytes] = field(default_factory=set)
    cart_tokens: dict[bytes, str] = field(default_factory=dict)


@dataclass
class Entry:
    """One event's identity at one destination: its stored row, and its new one if any."""

    stored: KnownRow | None = None
    fresh: OutboxRow | None = None

    @property
    def is_new(self) -> bool:
        """Return whether nothing was ever decided."""
        return self.fresh is None and self.stored is None

    def outlasts(self, verdict: Verdict, *, late: bool, holds: bool) -> bool:
        """Return whether the event waits, and *verdict* on what is told now must not replace it.

        What is told *late* is older.  Only a skip for good counts whenever it is told: a denial.
        A refund ends what waits only where the plan *holds* purchases back, in
        order to see refunds first.
        """
        latest = self.fresh or self.stored
        if latest is None or latest.state != "waiting":
            return False
        if isinstance(verdict, Skip):
            refunded = verdict.reason == "refunded" and not holds
            unpaid = verdict.reason in {"not_paid", "unknown_state"}
            return unpaid or refunded or (late and verdict.curable)
        return late

    @property
    def is_final(self) -> bool:
        """Return whether no later delivery may change the verdict."""
        latest = self.fresh or self.stored
        return latest is not None and not (
            latest.curable and latest.state in {"waiting", "skipped"}
        )

    @property
    def standing_reason(self) -> str:
        """Return why a repeated event leads to nothing: its skip still counts, or it went on."""
        latest = self.fresh or self.stored
        return latest.reason if latest and latest.state == "skipped" else KNOWN


@dataclass
class Memory:
    """Finds entries by event id and, for purchases, by order."""

    orders: dict[str, OrderView] = field(default_factory=dict)
    purchases: set[tuple[int, str]] = field(default_factory=set)
    customers: dict[bytes, str] = field(default_factory=dict)
    costs: dict[str, Decimal] = field(default_factory=dict)
    arrivals: dict[str, list[int]] = field(default_factory=dict)
    counted: set[str] = field(default_factory=set)
    carts: dict[bytes, CartState] = field(default_factory=dict)
    visitors: dict[bytes, KnownVisitor] = field(default_factory=dict)
    by_id: dict[tuple[int, str, str], Entry] = field(default_factory=dict)
    by_order: dict[tuple[int, str], Entry] = field(default_factory=dict)
    by_row: dict[int, Entry] = field(default_factory=dict)
    sold: dict[int, Sold] = field(default_factory=dict)

    @classmethod
    def read(cls, store: Store, view: View, subjects: Subjects, first_at: int) -> "Memory":
        """Return what the store knows; nobody else changes it while the source is leased.

        *first_at* is when the first of the batch's deliveries was received.
        """
        source_id = view.source.id
        known = store.translations
        people = store.subjects
        recent = people.recent_by_channel(
            source_id,
            micros(view.now) - RECENT_US,
            first_at - RECENT_US,
            but=subjects.order_ids,
        )
        memory = cls(
            orders=known.orders(source_id, subjects.order_ids),
            purchases=known.purchases(source_id, subjects.order_ids),
            customers=people.known_customers(source_id, subjects.customer_keys),
            costs=people.costs(source_id, subjects.items),
            arrivals={channel: [first_at] * count for channel, count in recent.items()},
            carts=store.visits.carts(source_id, subjects.cart_tokens),
            visitors=store.visits.visitors(source_id, subjects.token_keys),
        )
        subjects.event_ids.update(memory.growing_ids(view, subjects))
        for row in known.known(source_id, subjects.order_ids, subjects.event_ids):
            entry = memory.by_row[row.id] = Entry(stored=row)
            memory.by_id[row.destination_id, row.event_name, row.event_id] = entry
            if row.occasion == Occasion.PURCHASE and row.source_id == source_id and row.order_id:
                memory.by_order[row.destination_id, row.order_id] = entry
        given_back = [
            entry.stored.id
            for (_, order_id), entry in memory.by_order.items()
            if entry.stored and order_id in subjects.refunded
        ]
        memory.sold = known.sold(given_back) if given_back else {}
        return memory

    def growing_ids(self, view: View, subjects: Subjects) -> Iterable[str]:
        """Yield the event ids of additions to these carts that may still grow."""
        word = view.source.word if view.adapter.local_ids else None
        for key, state in self.carts.items():
            for line, growth in state.growing.items():
                subject = carts.subject_id(subjects.cart_tokens[key], line, growth.began_at)
                yield event_id(Occasion.CART_ADDED, subject, word)

    def entry(
        self, destination_id: int, event_name: str, event_id: str, purchase_of: str | None
    ) -> Entry | None:
        """Return the entry of this event, a new one if it was never seen.

        *purchase_of* is the order's id for its Purchase, of which there is only one,
        whatever event id a later delivery would give it.  None: another order has this id.
        """
        key = destination_id, event_name, event_id
        if not purchase_of:
            return self.by_id.setdefault(key, Entry())
        ours = self.by_order.setdefault((destination_id, purchase_of), Entry())
        if (taken := self.by_id.get(key)) is None or taken.is_new:
            self.by_id[key] = ours
        return ours if self.by_id[key] is ours else None

    def was_let_through(self, destination_id: int, purchase_of: str | None) -> bool:
        """Return whether the order's Purchase was ever enqueued, pruned rows included."""
        return (destination_id, purchase_of) in self.purchases

    def count(self, event: Event, arrived_at: int) -> None:
        """Count a purchase once, towards a burst of its channel."""
        if event.channel in policy.BY_PEOPLE or event.occasion != Occasion.PURCHASE:
            return
        if event.channel and event.order_id and event.order_id not in self.counted:
            self.counted.add(event.order_id)
            insort(self.arrivals.setdefault(event.channel, []), arrived_at)

    def recent(self, at: int | None) -> Mapping[str, int]:
        """Return how many orders of each channel arrived in the minute before *at*."""
        if at is None:
            return {}
        return {
            channel: bisect_right(times, at) - bisect_right(times, at - RECENT_US)
            for channel, times in self.arrivals.items()
        }

    def unsent(self, entry: Entry | None) -> Iterable[Entry]:
        """Yield *entry*, and of a purchase its refunds, where nobody has begun to send them."""
        latest = entry and (entry.fresh or entry.stored)
        for one in self.by_id.values() if latest else ():
            known = one.fresh or one.stored
            if latest and known and known.state in {"pending", "waiting"}:
                follows = known.occasion == Occasion.REFUND and latest.occasion == Occasion.PURCHASE
                if one is entry or (follows and _order(known) == _order(latest)):
                    yield one

    def entries_of(self, source_id: int, order_id: str) -> Iterable[Entry]:
        """Return the entries of a source's order that a cancellation may still reach."""
        for entry in self.by_id.values():
            latest = entry.fresh or entry.stored
            ours = latest and (latest.source_id, latest.order_id) == (source_id, order_id)
            if ours and not entry.is_final:
                yield entry


def _order(row: KnownRow | OutboxRow) -> tuple[int, int, str | None]:
    return row.destination_id, row.source_id, row.order_id
