"""Whatever happens in whatever order: each event has one state, each purchase is sent once.

A machine of random steps runs against the store on SQLite and against a model of it in a
dict; after each step both must tell the same.
"""

import itertools
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import delete

from bridge.events import Outcome as Answer
from bridge.events import Receipt
from bridge.secrets import Vault
from bridge.store import DeliveryEnd, Lane, OutboxRow, Outcome, Settled, Store, schema
from bridge.store.outbox import LEASE_US
from bridge.store.translations import LEASE_US as TRANSLATION_LEASE_US
from tests.stores import SECRET_KEY, FakeClock, put, rows

AGE = 6 * LEASE_US
VERDICTS = {
    "send": {"state": "pending", "payload": b"{}"},
    "wait": {"state": "waiting", "reason": "held", "curable": True, "held_event": b"{}"},
    "not_yet": {"state": "skipped", "reason": "not_paid", "curable": True},
    "never": {"state": "skipped", "reason": "consent_denied"},
}


@dataclass
class Known:
    """What the model knows of one event."""

    order: str
    state: str
    curable: bool = False
    expires_at: int = 0
    claim: int | None = None
    lease_until: int = 0
    ambiguous: bool = False


class Conservation(RuleBasedStateMachine):
    claims = Bundle("claims")

    @initialize()
    def open(self):
        self.folder = Path(tempfile.mkdtemp(prefix="capi-bridge-conservation-"))
        self.clock = FakeClock()
        path = self.folder / "bridge.db"
        self.store = Store(f"sqlite:///{path}", Vault(SECRET_KEY), self.clock)
        self.store.migrate()
        self.source = self.store.connections.add_source("bogus", "shop", {})
        self.lane = Lane(
            destination_id=self.store.connections.add_destination("bogus", "d", {}).id, mode="live"
        )
        self.events: dict[str, Known] = {}
        self.ledger: set[str] = set()
        self.sent: list[str] = []
        self.deliveries = 0
        self.numbers = itertools.count()

    def teardown(self):
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)

    @rule(
        order=st.integers(1, 4).map(str),
        template=st.sampled_from(["purchase", "other"]),
        verdict=st.sampled_from(sorted(VERDICTS)),
        knows=st.booleans(),
        lost=st.sampled_from([False, False, False, True]),
    )
    def translate(self, order, template, verdict, knows, lost):
        """Put a delivery and commit a verdict on an event of it, perhaps too late."""
        put(self.store, self.source, f"k{next(self.numbers)}")
        self.deliveries += 1
        lease = self.store.translations.lease(self.clock.move(1))
        batch = self.store.translations.batch(lease, 100)
        if lost:
            self.clock.move(TRANSLATION_LEASE_US / 1e6)
            mine, lease = lease, self.store.translations.lease(self.clock.now)
        event_id = f"{template}.{order}"
        row = self.row(order, event_id, verdict, knows)
        ends = [DeliveryEnd(delivery_id=one.id, state="translated") for one in batch]
        outcome = Outcome(rows=[row], ends=ends, stopped={}, orders=(), verdicts=())
        if lost:
            assert not self.store.translations.commit(mine, outcome, self.clock.now)
            outcome = Outcome(rows=(), ends=ends, stopped={}, orders=(), verdicts=())
            assert self.store.translations.commit(lease, outcome, self.clock.now)
            return
        assert self.store.translations.commit(lease, outcome, self.clock.now)
        self.expect(row)

    @rule(order=st.integers(1, 4).map(str))
    def sell(self, order):
        """Let one purchase through, as most deliveries do."""
        self.translate(order, "purchase", "send", knows=True, lost=False)

    def row(self, order, event_id, verdict, knows):
        replaces = None
        if knows:
            known = self.store.translations.known(self.source.id, (), [event_id])
            replaces = next((one.id for one in known if one.curable), None)
        return OutboxRow(
            source_id=self.source.id,
            destination_id=self.lane.destination_id,
            delivery_id=None,
            mode="live",
            occasion="purchase",
            event_name="Purchase",
            event_id=event_id,
            order_id=order,
            order_number=None,
            event_at=self.clock.now,
            expires_at=self.clock.now + AGE,
            next_at=self.clock.now + 10**12 if verdict == "wait" else self.clock.now,
            plan_digest="",
            trace="{}",
            replaces=replaces,
            **VERDICTS[verdict],
        )

    def expect(self, row):
        before = self.events.get(row.event_id)
        if row.state == "pending" and row.order_id in self.ledger:
            if row.replaces:
                before.state, before.curable = "skipped", False
            return
        if before and not (before.curable and before.state in {"waiting", "skipped"}):
            return
        self.events[row.event_id] = Known(
            row.order_id, row.state, curable=row.curable, expires_at=row.expires_at
        )
        if row.state == "pending":
            self.ledger.add(row.order_id)

    @rule(target=claims, limit=st.integers(1, 3))
    def claim(self, limit):
        """Claim, and check that each claimed event was pending and not too old."""
        claimed = self.store.outbox.claim(self.lane, limit, self.clock.now)
        number = next(self.numbers)
        ids = dict(rows(self.store, "outbox", "id", "event_id"))
        names = [ids[event.id] for event in claimed.events]
        for name in names:
            known = self.events[name]
            assert known.state == "pending"
            assert known.expires_at > self.clock.now
            known.state, known.claim = "sending", number
            known.lease_until = self.clock.now + LEASE_US
        self.expire()
        return number, claimed, names

    def expire(self):
        """Follow the store: of what is too old, a claim expires only what is due next."""
        stored = dict(rows(self.store, "outbox", "event_id", "state"))
        for name, known in self.events.items():
            old = known.state == "pending" and known.expires_at <= self.clock.now
            if old and stored[name] != "pending":
                known.state = "dead" if known.ambiguous else "expired"

    @rule(taken=claims, state=st.sampled_from(["sent", "sent", "pending", "dead"]))
    def settle(self, taken, state):
        """Settle a claim, be it still ours, long lost, or settled before."""
        number, claimed, names = taken
        settled = [
            Settled(id=one.id, state=state, ambiguous_at=one.ambiguous_at) for one in claimed.events
        ]
        kept = self.store.outbox.settle(
            claimed,
            settled,
            Receipt(outcome=Answer.ACCEPTED, status=200),
            sent_at=self.clock.now,
            duration_ms=1,
            now=self.clock.now,
        )
        ours = self.still_ours(number, names)
        assert kept == len(ours)
        for known in ours:
            known.state, known.claim = state, None
            if state == "sent":
                self.sent.append(known.order)

    @rule(taken=claims)
    def give_back(self, taken):
        """Return a claim's events unsent."""
        number, claimed, names = taken
        ids = [one.id for one in claimed.events]
        ours = self.still_ours(number, names)
        assert self.store.outbox.give_back(claimed, ids, self.clock.now) == len(ours)
        for known in ours:
            known.state, known.claim = "pending", None

    def still_ours(self, number, names):
        return [
            self.events[name]
            for name in names
            if name in self.events and self.events[name].claim == number
        ]

    @rule(leases=st.sampled_from([0.4, 1.1, 3.0]))
    def wait(self, leases):
        """Let time pass, and take back what a dead worker held."""
        self.clock.move(leases * LEASE_US / 1e6)
        stale = [one for one in self.events.values() if one.claim is not None]
        stale = [one for one in stale if one.lease_until < self.clock.now]
        assert self.store.outbox.recover(self.clock.now) == len(stale)
        for known in stale:
            known.state, known.claim, known.ambiguous = "pending", None, True

    @rule()
    def prune(self):
        """Delete the rows that are done for good; the ledger stays."""
        done = ("sent", "dead", "expired")
        table = schema.outbox
        with self.store.database.write() as connection:
            connection.execute(delete(table).where(table.c.state.in_(done)))
        self.events = {name: one for name, one in self.events.items() if one.state not in done}

    @invariant()
    def both_tell_the_same(self):
        if not hasattr(self, "store"):
            return
        stored = dict(rows(self.store, "outbox", "event_id", "state"))
        assert stored == {name: known.state for name, known in self.events.items()}
        assert set(rows(self.store, "purchase", "order_id")) == self.ledger

    @invariant()
    def each_state_has_what_it_needs(self):
        if not hasattr(self, "store"):
            return
        found = rows(self.store, "outbox", "id", "state", "lease_token")
        held = set(rows(self.store, "held", "outbox_id"))
        payloads = set(rows(self.store, "payload", "outbox_id"))
        assert held == {row_id for row_id, state, _ in found if state == "waiting"}
        assert payloads >= {row_id for row_id, state, _ in found if state in {"pending", "sending"}}
        assert all((state == "sending") == (token is not None) for _, state, token in found)

    @invariant()
    def no_delivery_is_lost(self):
        if hasattr(self, "store"):
            assert rows(self.store, "delivery", "state") == ["translated"] * self.deliveries

    @invariant()
    def no_purchase_is_sent_twice(self):
        if hasattr(self, "sent"):
            assert len(self.sent) == len(set(self.sent)) <= len(self.ledger)


Conservation.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestConservation = pytest.mark.timeout(600)(Conservation.TestCase)  # to shrink takes a while
