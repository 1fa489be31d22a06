"""The second durable stop: claim, settle, give back, recover."""

import itertools
import threading

import pytest
from sqlalchemy import delete, event, text, update

from bridge.events import ConfigError, Outcome, Receipt
from bridge.secrets import Vault
from bridge.store import Lane, Settled, Store, schema
from bridge.store.outbox import AMBIGUOUS_US, LEASE_US, RETIRE_AT_ONCE
from tests.stores import SECOND, START, claim, commit, rows, settle, state_of


@pytest.fixture
def enqueue(store, source, outbox_row):
    """Return a function that puts pending events into the outbox and gives their ids."""

    def write(*changes):
        made = [outbox_row(**one) for one in changes]
        commit(store, source, *made)
        known = dict(rows(store, "outbox", "event_id", "id"))
        return [known[row.event_id] for row in made]

    return write


def ids_of(claimed):
    return [one.id for one in claimed.events]


def test_a_claim_leases_due_events_in_order(store, lane, enqueue):
    late, soon, not_due = enqueue(
        {"next_at": START}, {"next_at": START - SECOND}, {"next_at": START + 1}
    )

    assert ids_of(claim(store, lane, 1)) == [soon]
    assert ids_of(claim(store, lane, 9)) == [late]
    assert ids_of(claim(store, lane)) == []
    leased = rows(store, "outbox", "id", "state", "lease_until")
    assert leased == [
        (late, "sending", START + LEASE_US),
        (soon, "sending", START + LEASE_US),
        (not_due, "pending", None),
    ]


def test_a_claim_takes_no_more_than_its_limit(store, lane, enqueue):
    ids = enqueue(*[{} for _ in range(5)])

    assert ids_of(claim(store, lane, 3)) == ids[:3]
    assert ids_of(claim(store, lane, 3)) == ids[3:]


def test_two_claimers_at_once_never_share_an_event(store, lane, enqueue):
    ids = enqueue(*[{} for _ in range(40)])
    claims, start = [], threading.Barrier(4)

    def take():
        start.wait(5)
        while (claimed := claim(store, lane, 7)).events:
            claims.append(ids_of(claimed))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    # A claimer that finds all due events locked by others takes none and comes again.
    claims.append(ids_of(claim(store, lane, 40)))
    assert sorted(itertools.chain(*claims)) == ids


def test_what_is_too_old_at_the_claim_expires_instead(store, lane, enqueue):
    old, on_time, fresh = enqueue({"expires_at": START - 1}, {"expires_at": START}, {})

    assert ids_of(claim(store, lane, 1)) == [fresh]
    assert rows(store, "outbox", "id", "state", "reason", "done_at") == [
        (old, "expired", "expired", START),
        (on_time, "expired", "expired", START),
        (fresh, "sending", "", None),
    ]


def test_one_claim_expires_a_long_outage_at_once(store, lane, enqueue):
    enqueue(*[{"expires_at": START - 1} for _ in range(250)], {})

    assert len(claim(store, lane, 10).events) == 1
    assert rows(store, "outbox", "state").count("expired") == 250
    assert RETIRE_AT_ONCE < 30_000  # parameters of one statement on SQLite


def test_lanes_are_what_is_due_by_mode(store, destination, lane, enqueue):
    test = Lane(destination_id=destination.id, mode="test")
    assert store.outbox.lanes(START) == []
    (live_id, test_id, _, _) = enqueue(
        {}, {"mode": "test"}, {"mode": "shadow"}, {"next_at": START + 1}
    )

    assert store.outbox.lanes(START) == [lane, test]
    assert ids_of(claim(store, test)) == [test_id]
    assert store.outbox.lanes(START) == [lane]
    assert ids_of(claim(store, lane)) == [live_id]
    assert store.outbox.lanes(START) == []


def test_a_destination_that_waits_has_no_lane(store, destination, lane, enqueue):
    enqueue({})
    store.outbox.slow_down(destination.id, next_at=START + SECOND, failures=3)

    assert store.outbox.lanes(START) == []
    assert store.outbox.lanes(START + SECOND) == [lane]
    assert store.connections.destination("dataset").failures == 3


def test_a_parked_destination_is_probed_at_its_time_and_recovers(store, destination, lane, enqueue):
    enqueue({})
    store.outbox.park(destination.id, "token", next_at=START + SECOND)

    assert store.outbox.lanes(START) == []
    assert store.outbox.lanes(START + SECOND) == [lane]
    assert store.connections.destination("dataset").reason == "token"
    store.outbox.recovered(destination.id)
    assert store.outbox.lanes(START) == [lane]
    assert store.connections.destination("dataset").state == "active"


@pytest.mark.parametrize("state", ["paused", "removed"])
def test_what_the_operator_stopped_stays_stopped(store, destination, enqueue, state):
    enqueue({})
    store.connections.set_destination(destination.id, state=state)
    store.outbox.park(destination.id, "token", next_at=START)
    store.outbox.recovered(destination.id)

    assert store.outbox.lanes(START) == []
    assert rows(store, "destination", "state") == [state]


def test_a_settled_batch_is_sent_with_its_receipt(store, lane, enqueue):
    enqueue({}, {})
    count = settle(store, claim(store, lane))

    assert count == 2
    columns = ("state", "attempts", "done_at", "receipt_id", "lease_token", "lease_until")
    assert rows(store, "outbox", *columns) == [("sent", 1, START, 1, None, None)] * 2
    assert rows(store, "receipt", "events", "outcome", "status", "accepted") == [
        (2, "accepted", 200, 2)
    ]


def test_events_of_one_batch_may_end_apart(store, lane, enqueue):
    sent, again, dead = enqueue({}, {}, {})
    claimed = claim(store, lane)
    settled = [
        Settled(id=sent, state="sent", attempts=1),
        Settled(id=again, state="pending", next_at=START + 9, attempts=1, ambiguous_at=START),
        Settled(id=dead, state="dead", reason="100/1", attempts=3),
    ]
    receipt = Receipt(outcome=Outcome.REFUSED, status=400)
    count = store.outbox.settle(
        claimed, settled, receipt, sent_at=START, duration_ms=1, now=START + 1
    )

    assert count == 3
    columns = ("state", "reason", "attempts", "ambiguous_at", "done_at")
    assert rows(store, "outbox", *columns) == [
        ("sent", "", 1, None, START + 1),
        ("pending", "", 1, START, None),
        ("dead", "100/1", 3, None, START + 1),
    ]
    assert rows(store, "outbox", "next_at")[1] == START + 9


@pytest.mark.parametrize("state", ["sent", "pending", "dead"])
def test_settling_under_a_lost_lease_changes_no_event(store, lane, enqueue, clock, state):
    enqueue({}, {})
    lost = claim(store, lane)
    clock.move(LEASE_US / SECOND + 1)
    store.outbox.recover(store.now())
    taken = claim(store, lane)
    before = rows(store, "outbox")

    assert settle(store, lost, state) == 0
    assert store.outbox.give_back(lost, ids_of(lost), store.now()) == 0
    assert rows(store, "outbox") == before
    assert settle(store, taken) == 2


def test_an_expired_lease_that_nobody_took_still_settles(store, lane, enqueue, clock):
    enqueue({})
    claimed = claim(store, lane)
    clock.move(2 * LEASE_US / SECOND)

    assert settle(store, claimed) == 1


def test_given_back_events_are_claimed_again_without_an_attempt(store, lane, enqueue):
    kept, returned = enqueue({}, {})
    claimed = claim(store, lane)

    assert store.outbox.give_back(claimed, [returned], START) == 1
    assert rows(store, "outbox", "id", "state", "attempts", "ambiguous_at") == [
        (kept, "sending", 0, None),
        (returned, "pending", 0, None),
    ]
    assert ids_of(claim(store, lane)) == [returned]


def test_recovered_events_count_as_ambiguous_from_the_first_time(store, lane, enqueue, clock):
    (event_id,) = enqueue({})
    claim(store, lane)
    assert store.outbox.recover(START + LEASE_US) == 0
    clock.move(LEASE_US / SECOND + 1)
    first = store.now()

    assert store.outbox.recover(first) == 1
    (claimed,) = claim(store, lane).events
    assert (claimed.id, claimed.ambiguous_at, claimed.attempts) == (event_id, first, 0)
    store.outbox.recover(clock.move(LEASE_US / SECOND + 1))
    assert claim(store, lane).events[0].ambiguous_at == first


def test_a_retry_sends_the_same_bytes(store, lane, enqueue, clock):
    payload = b'{"a":"\xc3\xa9\x00"}' + bytes(range(256))
    enqueue({"payload": payload})
    first = claim(store, lane)
    settle(store, first, "pending", next_at=store.now())
    second = claim(store, lane)
    clock.move(LEASE_US / SECOND + 1)
    store.outbox.recover(store.now())
    third = claim(store, lane)

    assert {one.events[0].payload for one in (first, second, third)} == {payload}


def cut(store, row_id):
    with store.database.write() as connection:
        table = schema.payload
        connection.execute(
            update(table).where(table.c.outbox_id == row_id).values(body=b"\x01" * 10)
        )


def lose(store, row_id):
    with store.database.write() as connection:
        connection.execute(delete(schema.payload).where(schema.payload.c.outbox_id == row_id))


@pytest.mark.parametrize("harm", [cut, lose])
def test_a_payload_that_cannot_be_read_is_dead_and_the_others_are_sent(store, lane, enqueue, harm):
    sound, unsound = enqueue({}, {})
    harm(store, unsound)

    assert ids_of(claim(store, lane)) == [sound]
    assert rows(store, "outbox", "state", "reason", "lease_token")[1] == (
        "dead",
        "unreadable",
        None,
    )


def test_under_a_wrong_key_nothing_is_claimed(store, lane, enqueue, store_url):
    enqueue({})
    stranger = Store(store_url, Vault("another key of thirty-two characters"), lambda: START)

    with pytest.raises(ConfigError, match="SECRET_KEY_PREVIOUS"):
        claim(stranger, lane)
    stranger.close()
    assert rows(store, "outbox", "state", "lease_token") == [("pending", None)]


@pytest.mark.parametrize("odd", ["nul \0", "half \ud83d", "line\r\n\x1b[31m"])
def test_an_answer_with_odd_text_is_settled_all_the_same(store, lane, enqueue, odd):
    enqueue({}, {})
    claimed = claim(store, lane, 1)
    receipt = Receipt(outcome=Outcome.REFUSED, status=400, reason=odd, message=odd, trace_id=odd)
    settled = [Settled(id=claimed.events[0].id, state="dead", reason=odd)]
    count = store.outbox.settle(
        claimed, settled, receipt, events=9, sent_at=START, duration_ms=1, now=START
    )

    assert count == 1
    assert rows(store, "receipt", "events") == [9]
    assert rows(store, "outbox", "state") == ["dead", "pending"]


@pytest.mark.parametrize("fresh_url", ["sqlite"], indirect=True)
def test_the_queue_is_read_by_its_indexes(store, lane, enqueue):
    enqueue({})
    plans = []

    @event.listens_for(store.database.engine, "before_cursor_execute", named=True)
    def _(conn, statement, parameters, **_):
        if statement.startswith(("SELECT", "UPDATE")) and "outbox" in statement:
            driver = conn.connection.driver_connection
            plan = driver.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            plans.extend(step[3] for step in plan)

    store.outbox.lanes(START)
    store.outbox.recover(START)
    claim(store, lane)

    assert plans
    assert not [step for step in plans if step.startswith("SCAN outbox")]


def test_a_state_is_read_anew_at_the_claim(store, lane, enqueue):
    (withdrawn,) = enqueue({"order_id": "1"})
    lanes = store.outbox.lanes(START)
    with store.database.write() as connection:
        connection.execute(
            text("UPDATE outbox SET state = 'skipped' WHERE id = :id"), {"id": withdrawn}
        )

    assert claim(store, lanes[0]).events == []
    assert state_of(store, "purchase.1") == "skipped"


def test_what_may_have_been_sent_long_ago_is_dead_at_the_claim(store, lane, enqueue, clock):
    enqueue({"expires_at": START + 10**15})
    claimed = claim(store, lane)
    settle(store, claimed, "pending", next_at=START, ambiguous_at=START)
    clock.move(AMBIGUOUS_US / SECOND)
    later = claim(store, lane)

    assert (later.events, later.retired) == ([], 1)
    assert rows(store, "outbox", "state", "reason") == [("dead", "unknown_outcome")]


def test_one_worker_alone_probes_a_destination_that_failed(store, destination):
    store.outbox.slow_down(destination.id, next_at=START, failures=1)
    seen = store.connections.destination("dataset")

    assert store.outbox.take_probe(seen, START)
    assert not store.outbox.take_probe(seen, START)
