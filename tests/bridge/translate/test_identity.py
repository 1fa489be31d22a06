"""Uniqueness is identity, not verdict: what a later delivery may change, and what it may not."""

import pytest

from bridge.receive import Received
from bridge.store import schema
from bridge.translate import translate_due
from tests.stores import SECOND, claim, rows, settle

from .line import ANY_CONSENT, apply, connect
from .shops import DENIED, GRANTED, SHOPS, deletion, event_id_of, order

DAY = 86_400


@pytest.fixture(params=SHOPS)
def line(request, store):
    return connect(store, request.param)


def tell(line, *details, **more):
    line.tell(*order(line.source.kind, *details, **more))


def only(line):
    """Return state and reason of the line's one purchase."""
    [(_, state, reason)] = line.purchases()
    return state, reason


@pytest.mark.parametrize(
    ("state", "reason"), [("placed", "not_paid"), ("unheard_of", "unknown_state")]
)
def test_payment_replaces_the_skip_of_an_unpaid_order(line, state, reason):
    tell(line, 1, state, 1)
    before = only(line)
    tell(line, 1, "paid", 2)

    assert before == ("skipped", reason)
    assert only(line) == ("pending", "")
    assert line.pending() == [event_id_of(line.source.kind, 1)]
    assert line.verdicts() == [("skip", reason), ("send", "")]


def test_an_order_both_unpaid_and_paid_in_one_batch_is_sent_once(line):
    for details in ((1, "placed", 1), (1, "paid", 2), (1, "paid", 3), (1, "placed", 1)):
        line.post(*order(line.source.kind, *details))
    translate_due(line.store)

    assert only(line) == ("pending", "")
    assert line.verdicts() == [
        ("skip", "not_paid"),
        ("send", ""),
        ("skip", "decided_before"),
    ]


def test_a_grant_does_not_release_what_a_denial_stopped(line):
    tell(line, 1, "paid", 1, consent=DENIED)
    tell(line, 1, "paid", 2, consent=GRANTED)

    assert only(line) == ("skipped", "consent_denied")
    assert line.verdicts() == [("skip", "consent_denied")] * 2


def test_a_grant_does_not_release_what_silence_stopped(line):
    tell(line, 1, "paid", 1, consent=None)
    tell(line, 1, "paid", 2, consent=GRANTED)

    assert only(line) == ("skipped", "consent_unknown")


def test_a_denial_stops_an_order_before_it_is_paid(line):
    tell(line, 1, "placed", 1, consent=GRANTED)
    tell(line, 1, "paid", 2, consent=DENIED)
    tell(line, 1, "paid", 3, consent=GRANTED)

    assert only(line) == ("skipped", "consent_denied")


def test_what_was_toggled_off_is_not_sent_when_it_is_on_again(line):
    line.route(toggles={"Purchase": False})
    tell(line, 1, "paid", 1)
    line.route(toggles={"Purchase": True})
    tell(line, 1, "paid", 2)
    tell(line, 2, "paid", 2)

    assert line.purchases() == [("1", "skipped", "toggled_off"), ("2", "pending", "")]


def test_a_plan_that_is_laxer_now_does_not_release_earlier_orders(line):
    tell(line, 1, "paid", 1, consent=None)
    apply(line.store, ANY_CONSENT)
    tell(line, 1, "paid", 2, consent=None)
    tell(line, 2, "paid", 2, consent=None)

    assert line.purchases() == [("1", "skipped", "consent_unknown"), ("2", "pending", "")]


@pytest.mark.parametrize("minute", [1, 2])
def test_an_order_cancelled_is_not_sent_for_what_was_told_of_it_before(line, minute):
    for state, at in (("placed", 1), ("cancelled", 2), ("paid", minute)):
        tell(line, 1, state, at)

    assert only(line) == ("skipped", "cancelled")


@pytest.mark.parametrize("in_one_batch", [True, False])
def test_an_order_that_a_slow_payment_revives_is_sent_once(line, in_one_batch):
    for state, minute in (("placed", 1), ("cancelled", 2), ("paid", 3), ("paid", 4)):
        line.post(*order(line.source.kind, 1, state, minute))
        if not in_one_batch:
            translate_due(line.store)
    translate_due(line.store)

    assert only(line) == ("pending", "")
    assert [verdict for verdict, _ in line.verdicts()] == ["skip", "skip", "send", "skip"]


def test_an_order_revived_but_not_paid_is_not_sent_for_an_older_payment(line):
    for state, minute in (("cancelled", 3), ("placed", 5), ("paid", 2)):
        tell(line, 1, state, minute)

    assert only(line) == ("skipped", "cancelled")


def test_a_cancellation_told_late_does_not_end_a_payment_that_revived_the_order(line):
    tell(line, 1, "placed", 3)
    tell(line, 1, "cancelled", 1)
    tell(line, 1, "paid", 4)

    assert only(line) == ("pending", "")


def test_an_order_in_a_state_that_nobody_knows_is_sent_once_it_is_known(line):
    topic, body = order(line.source.kind, 1, "paid", 1)
    odd = {"status": "in-production", "financial_status": "in_production"}
    line.tell(topic, body | odd)
    before = only(line)
    tell(line, 1, "paid", 2)

    assert before == ("skipped", "unknown_state")
    assert only(line) == ("pending", "")


def test_an_order_deleted_before_it_was_paid_is_never_sent(line):
    tell(line, 1, "placed", 1)
    line.tell(*deletion(line.source.kind, 1))
    stopped = only(line)
    tell(line, 1, "paid", 2)

    assert stopped == only(line) == ("skipped", "cancelled")


@pytest.mark.parametrize("in_one_batch", [True, False])
def test_the_end_of_an_order_that_nobody_knew_stops_a_late_payment(line, in_one_batch):
    for topic, body in (deletion(line.source.kind, 1), order(line.source.kind, 1, "paid", 2)):
        line.post(topic, body)
        if not in_one_batch:
            translate_due(line.store)
    translate_due(line.store)

    assert only(line) == ("skipped", "cancelled")
    assert line.ends() == [("translated", "")] * 2


def test_the_end_of_an_order_does_not_take_back_what_is_to_be_sent(line):
    tell(line, 1, "paid", 1)
    line.tell(*deletion(line.source.kind, 1))
    tell(line, 1, "cancelled", 3)

    assert only(line) == ("pending", "")


def test_what_comes_late_does_not_reopen_a_refunded_order_but_for_its_sale(line):
    tell(line, 1, "refunded", 3)
    before = only(line)
    tell(line, 1, "placed", 1)
    tell(line, 1, "paid", 2)

    assert before == ("skipped", "refunded")
    assert only(line) == ("pending", "")


def test_every_destination_has_a_verdict_of_its_own(store):
    line = connect(store, "shopify", datasets=("one", "two"))
    line.route(1, toggles={"Purchase": False})
    tell(line, 1, "placed", 1)
    tell(line, 1, "paid", 2)

    assert sorted(only_states(line)) == [("pending", ""), ("skipped", "toggled_off")]
    assert line.pending() == ["purchase.1"]
    assert rows(store, "purchase", "destination_id") == [line.destinations[0].id]


def only_states(line):
    return [purchase[1:] for purchase in line.purchases()]


def test_a_shadow_keeps_the_payload_and_sends_nothing(line):
    line.route(mode="shadow")
    tell(line, 1, "paid", 1)

    assert only(line) == ("skipped", "shadow")
    event = rows(line.store, "outbox", "destination_id", "event_name", "event_id")[0]
    assert line.store.history.payload(*event).startswith(b"{")
    assert rows(line.store, "purchase") == []
    assert line.store.outbox.lanes(line.store.now()) == []


def test_what_ran_in_the_shadow_is_not_sent_once_the_route_is_live(line):
    line.route(mode="shadow")
    tell(line, 1, "paid", 1)
    line.route(mode="live")
    tell(line, 1, "paid", 2)

    assert only(line) == ("skipped", "shadow")


def test_orders_made_before_the_route_went_live_are_not_sent(line):
    line.route(live_since=line.store.now() - 3600 * SECOND)  # the orders are older
    tell(line, 1, "placed", 1)
    tell(line, 1, "paid", 2)
    line.route(live_since=None)
    tell(line, 1, "paid", 3)
    tell(line, 2, "paid", 3)

    assert line.purchases() == [("1", "skipped", "before_go_live"), ("2", "pending", "")]


def sent(line):
    """Send what is to be sent, as far as the store knows."""
    for lane in line.store.outbox.lanes(line.store.now()):
        settle(line.store, claim(line.store, lane))


def prune(store):
    """Delete all that retention deletes, at once."""
    with store.database.write() as connection:
        for table in (schema.payload, schema.verdict, schema.outbox, schema.delivery_body):
            connection.execute(table.delete())


def test_an_order_whose_row_was_pruned_is_not_sent_again(line):
    tell(line, 1, "paid", 1)
    sent(line)
    prune(line.store)
    tell(line, 1, "paid", 2)
    tell(line, 1, "refunded", 3)

    assert line.pending() == []
    assert {verdict for verdict, _ in line.verdicts()} == {"skip"}
    assert len(rows(line.store, "purchase")) == 1


def test_a_sent_order_stays_as_it_is(line):
    tell(line, 1, "paid", 1)
    sent(line)
    tell(line, 1, "placed", 2)
    tell(line, 1, "cancelled", 3)
    tell(line, 1, "paid", 4, consent=DENIED)

    assert only(line) == ("sent", "")
    assert line.verdicts()[1:] == [("skip", "decided_before")] * 3


def test_an_event_id_that_comes_later_is_taken_while_nothing_was_let_through(line):
    tell(line, 1, "placed", 1)
    tell(line, 1, "paid", 2, event_id="pixel-1")

    assert only(line) == ("pending", "")
    assert line.pending() == ["pixel-1"]


def test_the_first_event_id_that_was_let_through_stays(line):
    tell(line, 1, "paid", 1)
    tell(line, 1, "paid", 2, event_id="pixel-1")

    assert line.pending() == [event_id_of(line.source.kind, 1)]
    assert line.verdicts()[1] == ("skip", "decided_before")


@pytest.mark.parametrize("in_one_batch", [True, False])
def test_an_event_id_that_is_taken_stops_the_second_order_in_the_open(line, in_one_batch):
    told = [
        order(line.source.kind, 1, "paid", 1, event_id="pixel-1"),
        order(line.source.kind, 2, "placed", 1),
        order(line.source.kind, 2, "paid", 2, event_id="pixel-1"),
        order(line.source.kind, 3, "paid", 2),
    ]
    for topic, body in told:
        line.post(topic, body)
        if not in_one_batch:
            translate_due(line.store)
    translate_due(line.store)

    assert line.pending() == sorted(["pixel-1", event_id_of(line.source.kind, 3)])
    assert line.verdicts()[2] == ("skip", "decided_before")
    assert line.ends() == [("translated", "")] * 4


def test_two_shops_that_tell_the_same_event_id_to_one_dataset_make_one_event(store):
    first = connect(store, "shopify", word="first")
    second = connect(store, "shopify", word="second")
    tell(first, 1, "paid", 1, event_id="pixel-1")
    tell(second, 2, "paid", 1, event_id="pixel-1")

    assert rows(store, "outbox", "source_id", "event_id") == [(first.source.id, "pixel-1")]
    assert first.verdicts() == [("send", ""), ("skip", "decided_before")]


def test_two_shops_with_local_ids_share_a_dataset(store):
    lines = [connect(store, "woocommerce", word=word) for word in ("first", "second")]
    for line in lines:
        tell(line, 1, "paid", 1)

    assert [line.pending() for line in lines] == [["purchase.first.1"], ["purchase.second.1"]]


@pytest.mark.parametrize("in_one_batch", [True, False])
def test_an_id_of_the_plans_that_another_order_has_gives_way_to_the_public_one(store, in_one_batch):
    lines = [connect(store, "woocommerce", word=word) for word in ("first", "second")]
    apply(store, '[ids]\npurchase = "{order_id}"\n')
    for line in lines:
        for minute in (1, 2):
            line.post(*order("woocommerce", 1, "paid", minute))
            if not in_one_batch:
                translate_due(store)
        translate_due(store)

    assert [line.pending() for line in lines] == [["1"], ["purchase.second.1"]]


def test_the_end_of_one_shops_order_leaves_another_shops_alone(store):
    lines = [connect(store, "woocommerce", word=word) for word in ("first", "second")]
    tell(lines[0], 1, "placed", 1, event_id="pixel-1")
    lines[1].post(*order("woocommerce", 2, "placed", 1, event_id="pixel-1"))
    lines[1].post(*deletion("woocommerce", 1))
    translate_due(store)
    tell(lines[0], 1, "paid", 2, event_id="pixel-1")

    assert lines[0].pending() + lines[1].pending() == ["pixel-1"]


def test_a_delivery_sent_again_is_no_second_delivery(line):
    again = [line.post(*order(line.source.kind, 1, "paid", 1)) for _ in range(3)]

    assert again == [Received.STORED, Received.DUPLICATE, Received.DUPLICATE]
    assert translate_due(line.store) == 1
    assert only(line) == ("pending", "")
