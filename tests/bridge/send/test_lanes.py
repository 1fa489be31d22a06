"""Lanes: test codes, a slow destination beside a quick one, being told to stop."""

import json
import threading
from dataclasses import replace

import pytest

from bridge.events import Response
from bridge.send import Sender
from bridge.store import StoreError
from tests.stores import rows

from .seen import as_it_is, copies, on_sqlite, reasons, states

pytestmark = on_sqlite
CODES = {"w1": "TEST11111", "w2": "TEST22222"}


@pytest.fixture
def two_tests(store, source, destination, route):
    """Route two sources in test mode, each with a code of its own; return the other source."""
    other = store.connections.add_source("bogus", "other", {}, "w2")
    for one in (source, other):
        made = replace(route, source_id=one.id, mode="test", test_event_code=CODES[one.word])
        store.connections.set_route(made)
    return other


def test_test_events_go_by_the_code_of_their_route_and_carry_it(
    sender, queue, two_tests, sandbox, post
):
    first = queue(2, mode="test")
    second = queue(3, mode="test", source_id=two_tests.id)
    live = queue(4)

    sender.send_due()

    found = {event["event_id"]: event["test_event_code"] for event in sandbox.accepted()}
    assert found == (
        dict.fromkeys(first, CODES["w1"])
        | dict.fromkeys(second, CODES["w2"])
        | dict.fromkeys(live, "")
    )
    bodies = [json.loads(request.body) for request in post.requests]
    assert sorted(len(body["data"]) for body in bodies) == [2, 3, 4]
    assert [len(body["data"]) for body in bodies if "test_event_code" not in body] == [4]


def test_a_test_event_whose_route_has_no_code_any_more_is_never_sent_as_a_real_one(
    sender, queue, two_tests, store, route, source, sandbox
):
    queue(3, mode="test")
    ids = queue(2, mode="test", source_id=two_tests.id)
    store.connections.set_route(replace(route, source_id=source.id, mode="live"))

    sender.send_due()

    assert copies(sandbox) == dict.fromkeys(ids, 1)
    assert reasons(store, "dead") == {"no_test_event_code": 3}


def test_a_throttle_for_one_code_stops_the_other_too(sender, queue, two_tests, store, sandbox):
    sandbox.faults.set("code=4")
    queue(2, mode="test")
    queue(3, mode="test", source_id=two_tests.id)

    sender.send_due()

    assert len(sandbox.requests()) == 1
    assert states(store) == {"pending": 5}


def test_a_destination_that_hangs_delays_no_other(store, queue, endpoint, destination):
    slow = store.connections.add_destination(
        "meta", "slow", {"dataset_id": "2", "access_token": "t"}
    )
    queue(1, destination_id=slow.id)
    hangs, may_go_on = threading.Event(), threading.Event()

    def post(request):
        if "/2/events" in request.url:
            hangs.set()
            assert may_go_on.wait(30)
        return Response(status=200, body=b'{"events_received":1}')

    sender = Sender(store, endpoint, post)
    stuck = threading.Thread(target=sender.send_due)
    stuck.start()
    assert hangs.wait(30)
    queue(1)
    queue(1, destination_id=slow.id)

    assert sender.send_due() == 1
    assert rows(store, "outbox", "destination_id", "state") == [
        (slow.id, "sending"),
        (destination.id, "sent"),
        (slow.id, "pending"),
    ]
    may_go_on.set()
    stuck.join()


def test_being_told_to_stop_gives_back_what_was_not_sent(
    store, queue, endpoint, lane, sandbox, post
):
    queue(100, bad=[0])
    sender = Sender(store, endpoint, post)

    sender.send_lane(lane, lambda: len(post.requests) == 2)

    assert [one["events"] for one in sandbox.requests()] == [100, 50]
    assert states(store) == {"pending": 100}
    assert set(rows(store, "outbox", "lease_token", "attempts", "ambiguous_at")) == {
        (None, 0, None)
    }


def test_being_told_to_stop_before_it_begins_sends_nothing(sender, queue, sandbox):
    queue(1)

    assert sender.send_due(lambda: True) == 0
    assert sandbox.requests() == []


def test_what_was_sent_is_stored_although_the_database_was_busy_at_first(
    store, queue, endpoint, sandbox, post, monkeypatch
):
    ids = queue(2)
    settle, failures = store.outbox.settle, iter([1, 2])

    def busy(*arguments, **named):
        if next(failures, None):
            raise StoreError("database: SQLITE_BUSY")
        return settle(*arguments, **named)

    monkeypatch.setattr(store.outbox, "settle", busy)
    monkeypatch.setattr("bridge.send.SETTLE_AGAIN_S", 0)
    Sender(store, endpoint, post).send_due()

    assert copies(sandbox) == dict.fromkeys(ids, 1)
    assert states(store) == {"sent": 2}


def test_a_sleeper_whose_lease_ran_out_changes_nothing(store, queue, endpoint, clock, post, caplog):
    queue(1)

    def sleep_then_post(request):
        clock.move(300)
        assert Sender(store, endpoint, post).send_due() == 1
        return Response(status=400, body=b'{"error":{"code":100,"error_subcode":2804019}}')

    Sender(store, endpoint, sleep_then_post).send_due()

    assert states(store) == {"sent": 1}
    assert "outbox.lease_lost" in [one.message for one in caplog.records]


def test_as_many_requests_as_claims(sender, queue, store, destination, sandbox):
    queue(350)

    for _ in range(4):
        sender.send_due()

    assert [one["events"] for one in sandbox.requests()] == [100, 100, 100, 50]
    assert as_it_is(store, destination).failures == 0
