"""A hold: an order waits, is decided again at its time, and is never waited for twice."""

import pytest

from bridge.store import schema
from bridge.translate import translate_due
from tests.stores import SECOND, rows

from .line import apply, connect
from .shops import DENIED, SHOPS, deletion, order

HOLD = "[purchase]\nhold_minutes = 60\n"
MINUTE = 60


@pytest.fixture(params=SHOPS)
def line(request, store, clock):
    """Return a line at a time when its orders, made at nine or two o'clock, are new."""
    made = {"woocommerce": 13 * 60 + 58, "shopify": 9 * 60 + 15}[request.param]
    clock.now -= (16 * 60 - made) * MINUTE * SECOND
    return connect(store, request.param, plan=HOLD)


def tell(line, *details, **more):
    line.tell(*order(line.source.kind, *details, **more))


def only(line):
    [(_, state, reason)] = line.purchases()
    return state, reason


def wait(line, clock, minutes=61):
    """Let the hold end; return how many events were decided, in a bounded number of turns."""
    clock.move(minutes * MINUTE)
    turns = iter([False] * 5 + [True])
    return translate_due(line.store, lambda: next(turns))


def test_an_order_waits_and_is_sent_once_its_time_has_come(line, clock):
    tell(line, 1, "paid", 2)
    before = only(line)

    assert before == ("waiting", "held")
    assert wait(line, clock, minutes=30) == 0
    assert wait(line, clock) == 1
    assert only(line) == ("pending", "")
    assert rows(line.store, "held") == []
    assert wait(line, clock) == 0
    assert line.verdicts() == [("wait", "held"), ("send", "")]


@pytest.mark.parametrize("end", ["cancelled", "refunded", "deleted"])
def test_an_order_that_ends_while_it_waits_is_not_sent(line, clock, end):
    tell(line, 1, "paid", 2)
    told = deletion(line.source.kind, 1) if end == "deleted" else order(line.source.kind, 1, end, 3)
    line.tell(*told)
    wait(line, clock)

    assert only(line) == ("skipped", "cancelled" if end == "deleted" else end)
    assert rows(line.store, "held") == []


def test_an_order_that_ends_within_its_batch_is_not_sent(line, clock):
    line.post(*order(line.source.kind, 1, "paid", 2))
    line.post(*deletion(line.source.kind, 1))
    translate_due(line.store)
    wait(line, clock)

    assert only(line) == ("skipped", "cancelled")
    assert rows(line.store, "held") == []


@pytest.mark.parametrize(
    ("state", "minute"), [("placed", 1), ("placed", 2), ("placed", 3), ("unheard_of", 3)]
)
@pytest.mark.parametrize("in_one_batch", [True, False])
def test_a_state_that_is_no_payment_does_not_undo_what_waits(
    line, clock, state, minute, in_one_batch
):
    for told, at in (("paid", 2), (state, minute)):
        line.post(*order(line.source.kind, 1, told, at))
        if not in_one_batch:
            translate_due(line.store)
    translate_due(line.store)
    wait(line, clock)

    assert only(line) == ("pending", "")


def test_a_denial_that_comes_while_it_waits_is_final(line, clock):
    tell(line, 1, "paid", 2)
    tell(line, 1, "paid", 3, consent=DENIED)
    wait(line, clock)

    assert only(line) == ("skipped", "consent_denied")


RULES = {
    "[channels.web]\nsend = false": ("skipped", "channel:web"),
    '[purchase]\npaid_states = ["placed"]': ("skipped", "not_paid"),
    "[purchase]\nhold_minutes = 0": ("pending", ""),
    '[ids]\npurchase = "o{order_id}"': ("pending", ""),
    '[events]\npurchase = "Bought"': ("pending", ""),
}
ROUTES = [
    ({"toggles": {"Purchase": False}}, ("skipped", "toggled_off")),
    ({"mode": "shadow"}, ("skipped", "shadow")),
]


@pytest.mark.parametrize("plan", RULES)
def test_what_waited_is_decided_by_the_plan_of_its_time(line, clock, plan):
    tell(line, 1, "paid", 2)
    apply(line.store, plan)

    assert wait(line, clock) == 1
    assert only(line) == RULES[plan]
    assert rows(line.store, "held") == []


@pytest.mark.parametrize(("route", "end"), ROUTES)
def test_what_waited_is_decided_by_the_route_of_its_time(line, clock, route, end):
    tell(line, 1, "paid", 2)
    line.route(**route)

    assert wait(line, clock) == 1
    assert only(line) == end
    assert rows(line.store, "held") == []


def test_a_longer_hold_makes_what_waits_wait_longer(store, clock):
    clock.now -= (16 * 60 - (13 * 60 + 58)) * MINUTE * SECOND
    line = connect(store, "woocommerce", plan="[purchase]\nhold_minutes = 10")
    tell(line, 1, "paid", 2)
    apply(store, HOLD)

    assert wait(line, clock, minutes=11) == 1
    assert only(line) == ("waiting", "held")
    assert wait(line, clock) == 1
    assert only(line) == ("pending", "")


def test_without_its_route_what_waited_is_skipped(line, clock):
    tell(line, 1, "paid", 2)
    line.store.connections.set_destination(line.destinations[0].id, state="removed")
    wait(line, clock)

    assert only(line) == ("skipped", "no_route")


def test_a_second_event_of_the_order_that_gets_another_name_waits_for_nothing(store, clock):
    clock.now -= (16 * 60 - (9 * 60 + 15)) * MINUTE * SECOND
    line = connect(store, "shopify", plan=HOLD + '[events]\noff = ["refund"]\n')
    topic, body = order("shopify", 1, "paid", 2)
    body["line_items"][0]["selling_plan_id"] = 7
    line.tell(topic, body)
    apply(store, HOLD + '[events]\noff = ["refund"]\nsubscription_started = "Joined"\n')
    wait(line, clock)

    states = rows(store, "outbox", "event_name", "state", "reason")
    assert states == [
        ("Purchase", "pending", ""),
        ("Subscribe", "skipped", "decided_before"),
        ("Joined", "pending", ""),
    ]
    assert rows(store, "held") == []


def test_an_event_kept_by_another_version_waits_no_longer(line, clock):
    tell(line, 1, "paid", 2)
    sealed = line.store.vault.seal(b'{"unknown": "shape"}', "held")
    with line.store.database.write() as connection:
        connection.execute(schema.held.update().values(event=sealed))
    wait(line, clock)

    assert only(line) == ("skipped", "unreadable")
    assert rows(line.store, "held") == []
