"""Two captured versions of the shop: what each order is told to be, in order of arrival."""

from itertools import groupby

import pytest

from bridge.events import Event, Occasion, OrderCancelled, Redaction

STATES = {
    "11.0.1": {
        "18": ["paid"],
        "19": ["placed", "paid", "partially_refunded", "refunded"],
        "22": ["placed", "paid", "cancelled", "trashed", "cancelled"],
        "23": ["paid"],
        "28": ["paid"],
        "29": ["placed", "paid"],
        "30": ["paid"],
    },
    "8.9.3": {
        "18": ["draft", "placed"],
        "19": ["paid", "partially_refunded", "trashed"],
    },
}


def _state(fact):
    return "trashed" if isinstance(fact, OrderCancelled) else fact.order_state


@pytest.mark.parametrize("version", STATES)
def test_the_states_of_each_order_come_in_order(version, history):
    told = {}
    for _, fact in history(version):
        if isinstance(fact, OrderCancelled) or getattr(fact, "occasion", "") == Occasion.PURCHASE:
            told.setdefault(fact.order_id, []).append(_state(fact))

    runs = {order_id: [state for state, _ in groupby(states)] for order_id, states in told.items()}
    assert runs == STATES[version]


@pytest.mark.parametrize("version", STATES)
def test_the_totals_add_up(version, history):
    events = [fact for _, fact in history(version) if isinstance(fact, Event)]
    baskets = [event.basket for event in events if event.occasion == Occasion.PURCHASE]

    assert len(baskets) > 8
    for basket in baskets:
        a = basket.amounts
        parts = a.items - a.discount + a.shipping + a.fees + a.tax
        lines = sum(content.price * content.quantity for content in basket.contents)
        assert a.total == parts
        assert lines == a.total - a.shipping - a.shipping_tax - a.fees - a.fees_tax


def test_what_was_told_twice_is_the_same_twice(history):
    told = dict(history("11.0.1"))

    assert told["031-order.created"] == told["032-order.created"]
    assert told["050-order.updated"].user_data == told["051-order.created"].user_data


def test_a_state_told_later_has_a_later_time(history):
    times = [
        fact.updated_at
        for _, fact in history("11.0.1")
        if isinstance(fact, Event) and (fact.occasion, fact.order_id) == (Occasion.PURCHASE, "19")
    ]

    assert times == sorted(times)


def test_an_order_waits_until_its_transfer_came(history):
    told = dict(history("11.0.1"))
    placed, paid = told["149-order.updated"], told["154-order.updated"]

    assert placed.paid_at is None
    assert placed.event_time == placed.created_at
    assert paid.event_time == paid.paid_at
    assert paid.event_time > paid.created_at


def test_customers_come_and_go(history):
    told = dict(history("11.0.1"))

    assert told["099-customer.created"].occasion == Occasion.CUSTOMER_REGISTERED
    assert told["099-customer.created"].subject_id == "2"
    assert told["099-customer.created"].user_data.email == "c1@shop.test"
    assert told["104-customer.deleted"] == Redaction(customer_id="2")


@pytest.mark.parametrize("version", STATES)
def test_each_refund_is_told_with_its_person_and_what_was_returned(version, history):
    told = [fact for _, fact in history(version) if getattr(fact, "occasion", "") == "refund"]

    assert told
    for refund in told:
        assert refund.basket.amounts.total > 0
        assert refund.user_data.email
        assert (refund.order_id, refund.order_state, refund.channel) == ("19", None, None)
