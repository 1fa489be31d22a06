"""Throttled or parked: the destination waits, no event is blamed, and all are sent later."""

from dataclasses import replace

import pytest

from bridge.events import Endpoint
from bridge.sandbox import Sandbox
from bridge.send import PROBE_PARKED_S, Sender
from tests.stores import SECOND, rows

from .seen import as_it_is, copies, on_sqlite, states

pytestmark = on_sqlite


@pytest.mark.parametrize(
    "fault",
    [
        "status=429;retry_after=120x1",
        "code=4;retry_after=120x1",
        "code=17;status=400;retry_after=120x1",
        "code=613;status=400;retry_after=120x1",
        "code=80004;status=400;retry_after=120x1",
    ],
)
def test_a_throttled_destination_gets_no_request_before_its_time(
    fault, sender, queue, drain, store, sandbox, clock
):
    sandbox.faults.set(fault)
    ids = queue(150)
    sender.send_due()

    clock.move(119)
    sender.send_due()
    assert len(sandbox.requests()) == 1
    assert states(store) == {"pending": 150}

    clock.move(1)
    drain(sender)
    assert copies(sandbox) == dict.fromkeys(ids, 1)


def test_a_throttled_destination_is_left_alone_in_both_modes(
    sender, queue, store, route, source, destination, sandbox
):
    store.connections.set_route(replace(route, mode="test", test_event_code="TEST11111"))
    sandbox.faults.set("code=4;retry_after=120")
    queue(3)
    queue(3, mode="test")
    assert len(store.outbox.lanes(store.now())) == 2

    sender.send_due()

    assert len(sandbox.requests()) == 1
    assert states(store) == {"pending": 6}


def test_one_throttled_destination_delays_no_other(
    sender, queue, store, destination, sandbox, endpoint
):
    other = store.connections.add_destination(
        "meta", "other", {"dataset_id": "2", "access_token": "throttled"}
    )
    queue(2, destination_id=other.id)
    ids = queue(2)

    for _ in range(3):
        sender.send_due()

    assert copies(sandbox) == dict.fromkeys(ids, 1)
    assert as_it_is(store, other).failures == 1


PARKS = {
    "code=190/463": "token",
    "code=102": "token",
    "code=104": "token",
    "status=401": "token",
    "code=10": "permission",
    "code=200": "permission",
    "code=294": "permission",
    "code=3": "permission",
    "code=100/33": "dataset",
    "code=803": "dataset",
    "status=404": "dataset",
    "code=368": "blocked",
    "code=2635": "version",
    "redirect=302": "redirect",
}


@pytest.mark.parametrize("fault", PARKS)
def test_a_fault_that_the_operator_must_mend_parks_and_blames_no_event(
    fault, sender, queue, drain, store, destination, sandbox, clock, caplog
):
    sandbox.faults.set(fault)
    ids = queue(130)
    for _ in range(3):
        sender.send_due()
        clock.move(PROBE_PARKED_S)

    parked = as_it_is(store, destination)
    assert (parked.state, parked.reason) == ("parked", PARKS[fault])
    assert [one["events"] for one in sandbox.requests()] == [100, 1, 1]
    assert set(rows(store, "outbox", "state", "attempts")) == {("pending", 0)}
    assert [one.message for one in caplog.records].count("destination.parked") == 1

    sandbox.faults.set("")
    store.connections.set_destination(destination.id, state="active")
    drain(sender)
    assert copies(sandbox) == dict.fromkeys(ids, 1)
    assert as_it_is(store, destination).state == "active"


def test_a_new_token_is_tried_at_once_and_opens_the_destination(
    sender, queue, drain, store, destination, sandbox, clock
):
    store.connections.set_destination(
        destination.id, settings={"dataset_id": "1", "access_token": "expired-token"}
    )
    ids = queue(120)
    sender.send_due()
    assert as_it_is(store, destination).reason == "token"
    asked_at = clock()

    store.connections.set_destination(
        destination.id, settings={"dataset_id": "1", "access_token": "fresh"}
    )
    for _ in range(3):
        sender.send_due()

    assert clock() == asked_at
    assert copies(sandbox) == dict.fromkeys(ids, 1)
    assert as_it_is(store, destination).state == "active"


def test_a_bad_event_does_not_keep_a_mended_destination_parked(
    sender, queue, drain, store, destination, sandbox, clock
):
    sandbox.faults.set("code=190x1")
    ids = queue(10, bad=[0])
    sender.send_due()

    clock.move(PROBE_PARKED_S)
    sender.send_due()
    sender.send_due()

    assert copies(sandbox) == dict.fromkeys(ids[1:], 1)
    assert states(store) == {"sent": 9, "dead": 1}


def test_a_parked_destination_heals_by_itself(
    sender, queue, drain, store, destination, sandbox, clock
):
    sandbox.faults.set("code=190x2")
    ids = queue(3)

    drain(sender)

    assert copies(sandbox) == dict.fromkeys(ids, 1)
    assert (as_it_is(store, destination).state, as_it_is(store, destination).reason) == (
        "active",
        "",
    )


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status, store, queue, clock, post):
    with Sandbox(f"redirect={status}", clock=lambda: clock() / SECOND) as first:
        queue(2)
        Sender(store, Endpoint(url=first.url, version="v26.0"), post).send_due()

        # /elsewhere is where it points to
        assert [one["path"] for one in first.requests()] == ["/v26.0/1234567890/events"]
        assert len(post.requests) == 1


def test_a_setting_that_is_missing_parks_without_a_request(
    sender, queue, store, destination, sandbox
):
    store.connections.set_destination(destination.id, settings={"dataset_id": "1"})
    queue(2)

    sender.send_due()

    assert sandbox.requests() == []
    assert as_it_is(store, destination).reason == "settings"
    assert rows(store, "receipt", "message") == [
        "settings: Meta access_token is missing or not one plain word"
    ]


def test_a_destination_whose_adapter_is_gone_stops_no_other(sender, queue, store, sandbox):
    gone = store.connections.add_destination("gone", "gone", {})
    queue(1, destination_id=gone.id)
    ids = queue(1)

    sender.send_due()
    sender.send_due()

    assert copies(sandbox) == dict.fromkeys(ids, 1)
    assert (as_it_is(store, gone).state, as_it_is(store, gone).reason) == ("parked", "settings")


def test_a_destination_paused_while_its_lane_was_looked_up_gets_nothing(
    sender, queue, store, destination, lane, sandbox
):
    queue(1)
    store.connections.set_destination(destination.id, state="paused")

    assert sender.send_lane(lane) == 0
    assert sandbox.requests() == []
    assert states(store) == {"pending": 1}


def test_a_destination_paused_by_its_operator_stays_paused_when_its_last_answer_comes(
    store, queue, endpoint, destination, post
):
    def pause_then_post(request):
        store.connections.set_destination(destination.id, state="paused")
        return post(request)

    store.outbox.slow_down(destination.id, next_at=0, failures=3)
    queue(2)
    Sender(store, endpoint, pause_then_post).send_due()

    assert as_it_is(store, destination).state == "paused"
    assert states(store) == {"sent": 1, "pending": 1}


def test_a_version_that_was_retired_parks(store, queue, sandbox, destination):
    queue(1)

    Sender(store, Endpoint(url=sandbox.url, version="v12.0")).send_due()

    assert as_it_is(store, destination).reason == "version"
    assert states(store) == {"pending": 1}
