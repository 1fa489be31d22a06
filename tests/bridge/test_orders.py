"""Order history: deliveries come late and out of order."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.events import Event, Occasion, OrderCancelled, OrderState
from bridge.orders import OrderView, current, fold

T0 = datetime(2026, 11, 23, 12, tzinfo=UTC)


def told(state, minute=None):
    return Event(
        occasion=Occasion.PURCHASE,
        subject_id="1",
        order_id="1",
        event_time=T0,
        order_state=state,
        updated_at=None if minute is None else T0 + timedelta(minutes=minute),
    )


def cancelled(minute=None):
    at = None if minute is None else T0 + timedelta(minutes=minute)
    return OrderCancelled(order_id="1", at=at)


def state_after(*facts):
    view = None
    for fact in facts:
        view = fold(view, fact)
    return view.state


def test_the_first_delivery_is_what_is_known():
    assert fold(None, told(OrderState.PLACED, 1)) == OrderView(
        order_id="1", state=OrderState.PLACED, updated_at=T0 + timedelta(minutes=1)
    )


def test_a_late_delivery_does_not_undo_a_newer_one():
    assert state_after(told(OrderState.PAID, 2), told(OrderState.PLACED, 1)) is OrderState.PAID


def test_between_equal_times_the_later_arrival_wins():
    assert state_after(told(OrderState.PLACED, 1), told(OrderState.PAID, 1)) is OrderState.PAID


def test_a_cancellation_holds_against_an_older_delivery():
    assert state_after(cancelled(2), told(OrderState.PAID, 1)) is OrderState.CANCELLED


def test_a_cancelled_order_may_come_back():
    assert state_after(cancelled(1), told(OrderState.PAID, 2)) is OrderState.PAID


@pytest.mark.parametrize("minute", [None, 1])
def test_a_cancellation_yields_to_nothing_but_what_is_newer(minute):
    either = told(OrderState.CANCELLED, 1), told(OrderState.PAID, minute)

    assert state_after(*either) is state_after(*either[::-1]) is OrderState.CANCELLED


def test_a_cancellation_without_a_time_keeps_the_time_that_is_known():
    facts = told(OrderState.PAID, 2), cancelled(), told(OrderState.PAID, 1)

    assert state_after(*facts) is OrderState.CANCELLED


def test_a_late_cancellation_does_not_undo_a_newer_state():
    assert state_after(told(OrderState.PAID, 2), cancelled(1)) is OrderState.PAID


def test_without_times_the_later_arrival_wins():
    assert state_after(told(OrderState.PLACED), told(OrderState.PAID)) is OrderState.PAID


def late(known, *, holds):
    """Return the state in which a late delivery of a paid order is judged."""
    view = fold(None, told(known, 2))
    return current(told(OrderState.PAID, 1), view, holds=holds).order_state


@pytest.mark.parametrize("holds", [True, False])
def test_an_order_cancelled_since_is_judged_as_cancelled(holds):
    assert late(OrderState.CANCELLED, holds=holds) is OrderState.CANCELLED


def judged(minute, *facts):
    """Return the state in which a payment told at *minute* is judged after *facts*."""
    view = None
    for fact in facts:
        view = fold(view, fact)
    return current(told(OrderState.PAID, minute), view, holds=False).order_state


@pytest.mark.parametrize("facts", list(permutations((cancelled(2), told(OrderState.PLACED, 4)))))
def test_what_is_older_than_a_cancellation_is_no_sale_whatever_came_since(facts):
    assert judged(2, *facts) is OrderState.CANCELLED
    assert judged(3, *facts) is OrderState.PAID


def test_an_order_refunded_since_was_a_sale_unless_the_plan_holds_purchases_back():
    assert late(OrderState.REFUNDED, holds=False) is OrderState.PAID
    assert late(OrderState.REFUNDED, holds=True) is OrderState.REFUNDED


@given(st.permutations(range(6)))
def test_whatever_the_order_of_arrival_the_newest_wins(minutes):
    states = [OrderState.PLACED, OrderState.PAID] * 3

    facts = [cancelled(5) if one == 5 else told(states[one], one) for one in minutes]

    assert state_after(*facts) is OrderState.CANCELLED
