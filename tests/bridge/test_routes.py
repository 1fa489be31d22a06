"""Routes: since when orders count in a mode, when a test ends, toggles taken back."""

from dataclasses import replace

import pytest

from bridge.routes import TEST_US, in_mode, new_route, rolled_back, with_toggles
from tests.stores import START

LATER = START + 3_600_000_000
NEW = new_route(1, 2)
LIVE = in_mode(NEW, "live", START)


def test_a_new_live_route_counts_from_now():
    assert (LIVE.mode, LIVE.live_since) == ("live", START)


def test_a_route_that_keeps_its_mode_counts_as_before():
    assert in_mode(LIVE, "live", LATER).live_since == START


def test_a_route_that_was_in_shadow_counts_from_when_it_goes_live():
    shadow = in_mode(LIVE, "shadow", LATER)

    assert in_mode(shadow, "live", LATER + 5).live_since == LATER + 5


def test_a_time_that_is_given_counts():
    assert in_mode(NEW, "live", LATER, live_since=7).live_since == 7


@pytest.mark.parametrize(
    ("before", "after"), [("live", "live"), ("shadow", "shadow"), ("", "shadow")]
)
def test_a_test_ends_in_the_mode_of_before(before, after):
    route = in_mode(NEW, before, START) if before else NEW
    test = in_mode(route, "test", LATER, test_event_code="TEST1")

    assert (test.mode, test.mode_after) == ("test", after)
    assert test.test_until == LATER + TEST_US


def test_a_test_of_a_live_route_leaves_no_gap():
    test = in_mode(LIVE, "test", LATER, test_event_code="TEST1")

    assert test.live_since == START
    assert in_mode(test, "live", LATER + 9).live_since == START


def test_a_test_that_is_renewed_keeps_what_it_goes_back_to():
    test = in_mode(in_mode(LIVE, "test", START, test_event_code="A"), "test", LATER)

    assert (test.mode_after, test.test_event_code) == ("live", "A")
    assert test.test_until == LATER + TEST_US


def test_a_test_of_a_shadow_route_goes_live_from_now():
    test = in_mode(in_mode(NEW, "shadow", START), "test", START, test_event_code="A")

    assert in_mode(test, "live", LATER).live_since == LATER


def test_toggles_are_taken_back_and_taken_back_again():
    first = with_toggles(LIVE, {"Purchase": True})
    second = with_toggles(first, {"Purchase": False, "Lead": True})
    back = rolled_back(second)

    assert back.toggles == {"Purchase": True}
    assert rolled_back(back).toggles == {"Purchase": False, "Lead": True}


def test_toggles_that_change_nothing_keep_what_was_before():
    second = with_toggles(with_toggles(LIVE, {"Lead": True}), {"Lead": False})

    assert with_toggles(second, {"Lead": False}) == second


def test_there_is_nothing_to_take_back_at_first():
    assert rolled_back(LIVE) == LIVE


def test_the_store_ends_a_test_by_itself(store, source, destination, clock):
    route = replace(LIVE, source_id=source.id, destination_id=destination.id)
    clock.now = START
    store.connections.set_route(in_mode(route, "test", START, test_event_code="TEST1"))
    clock.now = START + TEST_US - 1
    [during] = store.connections.routes()
    clock.now += 1
    [after] = store.connections.routes()

    assert (during.mode, after.mode) == ("test", "live")
    assert (after.live_since, after.test_until) == (START, None)
    assert after.test_event_code == "TEST1"


def test_the_store_keeps_the_toggles_of_before(store, source, destination):
    route = replace(LIVE, source_id=source.id, destination_id=destination.id)
    store.connections.set_route(with_toggles(route, {"Lead": True}))
    [kept] = store.connections.routes()

    assert (kept.toggles, kept.toggles_before) == ({"Lead": True}, {})
