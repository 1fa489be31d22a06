"""A buyer who says no before an event was sent is not sent, however far it had come."""

import pytest

from bridge.store import Lane
from bridge.translate import translate_due
from tests.bridge.translate_orders.sight import AGE
from tests.stores import rows

from .line import apply, connect
from .shops import DENIED, GRANTED, order


@pytest.fixture(params=["shopify", "woocommerce"])
def line(store, request):
    return connect(store, request.param)


def test_a_denial_takes_back_what_is_pending(line):
    line.tell(*order(line.source.kind, 1, "paid", consent=GRANTED))
    assert len(line.pending()) == 1

    line.tell(*order(line.source.kind, 1, "paid", consent=DENIED, minute=5))

    assert line.pending() == []
    assert line.purchases() == [("1", "skipped", "consent_denied")]
    assert rows(line.store, "payload") == []


def test_a_denial_in_the_same_batch_counts_too(line):
    line.post(*order(line.source.kind, 1, "paid", consent=GRANTED))
    line.post(*order(line.source.kind, 1, "paid", consent=DENIED, minute=5))
    translate_due(line.store)

    assert line.purchases() == [("1", "skipped", "consent_denied")]


@pytest.mark.parametrize("state", ["refunded", "cancelled", "placed"])
@pytest.mark.parametrize("hold", [0, 60], ids=["pending", "waiting"])
def test_a_denial_counts_whatever_else_became_of_the_order(line, clock, state, hold):
    kind = line.source.kind
    apply(line.store, f"[purchase]\nhold_minutes = {hold}\n")
    clock.move(-AGE[kind] * 60)
    line.tell(*order(kind, 1, "paid", consent=GRANTED))
    [(_, before, _)] = line.purchases()
    assert before == ("waiting" if hold else "pending")

    line.tell(*order(kind, 1, state, consent=DENIED, minute=5))
    clock.move(2 * 3600)
    translate_due(line.store)

    [(_, after, _)] = line.purchases()
    assert after == "skipped"


def test_what_is_being_sent_is_not_taken_back(line):
    line.tell(*order(line.source.kind, 1, "paid", consent=GRANTED))
    lane = Lane(destination_id=line.destinations[0].id, mode="live")
    assert line.store.outbox.claim(lane, 10, line.store.now()).events

    line.tell(*order(line.source.kind, 1, "paid", consent=DENIED, minute=5))

    assert line.purchases() == [("1", "sending", "")]


def test_a_route_that_becomes_a_shadow_sends_nothing_more(line):
    line.tell(*order(line.source.kind, 1, "paid", consent=GRANTED))

    line.route(mode="shadow")

    assert line.purchases() == [("1", "skipped", "shadow")]
