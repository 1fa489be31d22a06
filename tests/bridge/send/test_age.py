"""What is too old: judged at the claim, in bounded time, without a request."""

import pytest

from bridge.send import Sender
from bridge.store import outbox
from bridge.store.outbox import AMBIGUOUS_US
from tests.stores import SECOND, START, rows

from .seen import copies, on_sqlite, reasons, states

DAY = 86_400
HOUR = 3600


@on_sqlite
def test_an_old_backlog_expires_chunk_by_chunk_in_one_turn_and_without_a_request(
    sender, queue, store, sandbox, clock, monkeypatch
):
    monkeypatch.setattr(outbox, "RETIRE_AT_ONCE", 120)
    queue(500)
    clock.move(7 * DAY)

    sender.send_due()

    assert sandbox.requests() == []
    assert states(store) == {"expired": 500}


@on_sqlite
def test_a_worker_that_is_to_stop_leaves_the_rest_of_an_old_backlog(
    sender, queue, lane, store, clock, monkeypatch
):
    monkeypatch.setattr(outbox, "RETIRE_AT_ONCE", 120)
    queue(300)
    clock.move(7 * DAY)

    sender.send_lane(lane, lambda: True)

    assert states(store) == {"expired": 120, "pending": 180}


def test_what_is_old_expires_and_what_is_fresh_beside_it_is_sent(
    sender, queue, store, sandbox, clock, payload
):
    queue(150)
    clock.move(7 * DAY)
    fresh = queue(120, expires_at=START + 9 * DAY * SECOND)

    for _ in range(2):
        sender.send_due()

    assert copies(sandbox) == dict.fromkeys(fresh, 1)
    assert states(store) == {"expired": 150, "sent": 120}
    assert reasons(store, "expired") == {"expired": 150}
    assert [one["events"] for one in sandbox.requests()] == [100, 20]


def test_an_event_that_grew_old_while_it_was_to_be_tried_again_is_not_sent(
    sender, queue, store, sandbox, clock
):
    sandbox.faults.set("status=503x1")
    queue(1, expires_at=START + 60 * SECOND)
    sender.send_due()

    clock.move(60)
    sender.send_due()

    assert len(sandbox.requests()) == 1
    assert states(store) == {"expired": 1}


@pytest.fixture
def ambiguous(sender, queue, sandbox, clock):
    """Queue events whose first request was answered with a reset after they were taken."""
    sandbox.faults.set("reset=afterx1")
    ids = queue(3)
    sender.send_due()
    sandbox.faults.set("")
    return ids


def test_an_unknown_outcome_is_tried_again_within_forty_hours(
    sender, ambiguous, store, sandbox, clock
):
    clock.now = START + AMBIGUOUS_US - 1

    sender.send_due()

    assert states(store) == {"sent": 3}
    assert copies(sandbox) == dict.fromkeys(ambiguous, 2)


def test_an_unknown_outcome_of_forty_hours_ago_is_dead_and_not_sent_again(
    sender, ambiguous, store, sandbox, clock
):
    clock.now = START + AMBIGUOUS_US

    sender.send_due()

    assert reasons(store, "dead") == {"unknown_outcome": 3}
    assert copies(sandbox) == dict.fromkeys(ambiguous, 1)


@on_sqlite
@pytest.mark.parametrize("fault", ["status=503", "code=190", "code=4"])
def test_other_faults_do_not_make_an_unknown_outcome_younger(
    fault, sender, ambiguous, store, destination, sandbox, clock
):
    sandbox.faults.set(fault)
    while clock() < START + AMBIGUOUS_US - 2 * HOUR * SECOND:
        clock.move(HOUR)
        sender.send_due()
    sandbox.faults.set("")

    clock.now = START + AMBIGUOUS_US
    store.connections.set_destination(destination.id, state="active")
    sender.send_due()

    assert reasons(store, "dead") == {"unknown_outcome": 3}
    assert copies(sandbox) == dict.fromkeys(ambiguous, 1)


@on_sqlite
def test_an_outcome_stays_unknown_since_the_first_try(sender, ambiguous, store, sandbox, clock):
    sandbox.faults.set("reset")
    while clock() < START + AMBIGUOUS_US:
        clock.move(HOUR)
        sender.send_due()

    assert rows(store, "outbox", "reason", "ambiguous_at") == [("unknown_outcome", START)] * 3


def test_an_unknown_outcome_that_expires_is_not_called_unsent(
    sender, ambiguous, store, sandbox, clock
):
    clock.move(7 * DAY)

    sender.send_due()

    assert reasons(store, "dead") == {"unknown_outcome": 3}


def test_what_a_dead_worker_had_leased_is_ambiguous_from_then_on(
    store, queue, endpoint, lane, sandbox, clock
):
    ids = queue(3)
    store.outbox.claim(lane, 2, clock())  # and is never heard of again
    sender = Sender(store, endpoint)
    sender.send_due()
    assert copies(sandbox) == {ids[2]: 1}

    clock.move(121)
    sender.send_due()
    assert copies(sandbox) == dict.fromkeys(ids, 1)
    assert rows(store, "outbox", "ambiguous_at") == [clock(), clock(), None]
