"""Whatever a shop repeats, reorders or never sends: one delivery at a time through the store."""

from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import partial
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.receive import Received
from bridge.store import micros
from bridge.translate import translate_due
from tests.stores import rows

from .line import connect
from .shops import BASE, SHOPS, deletion, event_id_of, order

STATES = ("placed", "paid", "refunded", "cancelled")
IDS = (4711, 4712)
_words = count(1)


@dataclass(frozen=True, order=True)
class Told:
    """One delivery of an order; `state` None: the order is gone, told without a time."""

    order_id: int
    minute: int
    state: str | None

    @property
    def ends(self) -> bool:
        return self.state in {None, "cancelled"}


tellings = st.builds(
    Told,
    order_id=st.sampled_from(IDS),
    minute=st.integers(1, 6),
    state=st.sampled_from((*STATES, "paid", None)),
)
histories = st.lists(tellings, min_size=1, max_size=8)


@dataclass
class House:
    """What the house rules say of one order, told in a few lines of their own."""

    newest: tuple[int, str] | None = None
    cancelled: int = 0
    end: str = ""

    def hear(self, told: Told) -> None:
        at = 10**9 if told.state is None else told.minute
        if told.ends:
            self.cancelled = max(self.cancelled, at)
        newest, known = self.newest or (0, "")
        if at > newest or (at == newest and (told.ends or known != "cancelled")):
            self.newest = (at, told.state or "cancelled")
        if told.state == "paid" and at > self.cancelled:
            self.end = "sent"


def judged(history):
    """Return the orders' houses after each delivery was told once: a repeat says nothing."""
    houses = {order_id: House() for order_id in IDS}
    for told in dict.fromkeys(map(body_of, history)):
        houses[told.order_id].hear(told)
    return houses


def body_of(told):
    """Return *told* as its body tells it: a deletion has no minute."""
    return Told(told.order_id, 0, None) if told.state is None else told


def deliver(line, told):
    kind = line.source.kind
    if told.state is None:
        return line.post(*deletion(kind, told.order_id))
    return line.post(*order(kind, told.order_id, told.state, told.minute))


def sent_after(store, kind, history, check=lambda line, heard: None):
    """Return the ids of the orders to be sent after *history*, told to a shop of its own."""
    word = f"w{next(_words)}"
    line = connect(store, kind, word=word, datasets=[word])
    for number, told in enumerate(history, 1):
        is_new = deliver(line, told) is Received.STORED
        assert translate_due(store) == is_new
        check(line, history[:number])
    ids = {event_id_of(kind, order_id, word): order_id for order_id in IDS}
    return [ids[event_id] for event_id in line.pending()]


def check_identity(seen, line, heard):
    """One purchase an order with one event id, and what was let through stays."""
    purchases = [order_id for order_id, _, _ in line.purchases()]
    pending = line.pending()

    assert len(purchases) == len(set(purchases))
    assert seen <= set(pending)
    seen |= set(pending)
    assert len(seen) <= len(IDS)


def check_newest(line, heard):
    known = {row[1]: row[2:] for row in known_orders(line)}
    for order_id, house in judged(heard).items():
        if house.newest:
            at, state = house.newest
            held_state, held_at = known[str(order_id)]
            assert held_state == state
            if at < 10**9:
                assert held_at == micros_of(at)


def known_orders(line):
    found = rows(line.store, "known_order", "source_id", "order_id", "state", "updated_at")
    return [row for row in found if row[0] == line.source.id]


def micros_of(minute):
    return micros(BASE.replace(tzinfo=UTC) + timedelta(minutes=minute))


quick = partial(
    settings,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("kind", SHOPS)
@quick(max_examples=60)
@given(history=histories)
def test_an_order_is_sent_once_at_most_and_its_newest_state_is_known(memory, kind, history):
    seen = set()

    def check(line, heard):
        check_identity(seen, line, heard)
        check_newest(line, heard)

    sent_after(memory, kind, history, check)


@pytest.mark.parametrize("kind", SHOPS)
@quick(max_examples=60)
@given(history=histories)
def test_what_is_sent_is_what_the_house_rules_say(memory, kind, history):
    sent = sent_after(memory, kind, history)

    assert sent == [one for one, house in judged(history).items() if house.end == "sent"]


@pytest.mark.parametrize("kind", SHOPS)
@quick(max_examples=40)
@given(history=histories, data=st.data())
def test_a_delivery_that_never_comes_only_takes_purchases_away(memory, kind, history, data):
    kept = [told for told in history if told.ends or data.draw(st.booleans())]

    whole, less = (set(sent_after(memory, kind, told)) for told in (history, kept))

    assert less <= whole


@pytest.mark.parametrize("kind", SHOPS)
@quick(max_examples=40)
@given(history=histories, data=st.data())
def test_without_a_cancellation_the_sequence_does_not_matter(memory, kind, history, data):
    alive = [told for told in history if not told.ends]
    other = data.draw(st.permutations(alive + alive[:3]))

    one, two = (set(sent_after(memory, kind, told)) for told in (alive, other))

    assert one == two == {told.order_id for told in alive if told.state == "paid"}
