"""Figures of seven days: what they count, when they are counted anew."""

import json

import pytest
from sqlalchemy import text

from bridge.store import StoreError
from bridge.store.summary import DAY_US, PAGE_US
from tests.stores import SECOND, START, claim, commit, rows, settle


def spent(store, took_ms):
    """Pretend that the figures took that long."""
    with store.database.write() as connection:
        connection.execute(text(f"UPDATE summary SET took_ms = {took_ms}"))


def by_state(week, **wanted):
    counts = {}
    for one in week.counts:
        if all(getattr(one, name) == value for name, value in wanted.items()):
            counts[one.state] = counts.get(one.state, 0) + one.count
    return counts


def test_events_are_counted_by_day_name_state_and_reason(store, source, outbox_row, lane, clock):
    clock.move(-7 * 86_400)
    commit(store, source, outbox_row(order_id="old"))
    clock.move(86_400)
    commit(store, source, outbox_row(order_id="1", state="skipped", reason="not_paid"))
    clock.move(6 * 86_400)
    commit(store, source, outbox_row(order_id="2"), outbox_row(order_id="3", event_name="Lead"))
    week = store.summary.week()

    assert week.start == START - START % DAY_US - 6 * DAY_US
    assert by_state(week, day=6) == {"pending": 2}
    assert by_state(week, day=6, event_name="Lead") == {"pending": 1}
    assert by_state(week, day=0, reason="not_paid", purchase=True) == {"skipped": 1}
    assert sum(one.count for one in week.counts) == 3


def test_what_was_seen_is_told_by_route_and_name(store, source, destination, outbox_row, clock):
    commit(store, source, outbox_row(state="sent", trace='{"value": "1"}'), outbox_row())
    clock.move(-2 * 86_400)
    commit(store, source, outbox_row(event_name="Lead", state="skipped", reason="not_paid"))
    clock.move(86_400 * 2)
    commit(store, source, outbox_row(state="skipped", reason="not_paid"))
    seen = {one.event_name: one for one in store.summary.week().seen}

    assert {(one.source_id, one.destination_id) for one in seen.values()} == {
        (source.id, destination.id)
    }
    assert (seen["Purchase"].count, seen["Purchase"].sent) == (3, 1)
    assert (seen["Lead"].count, seen["Lead"].last_at) == (0, clock.now - 2 * DAY_US)
    assert (seen["Purchase"].rendered_id, seen["Lead"].rendered_id) == (2, None)
    assert store.summary.week().seen == list(seen.values())  # as they were kept


def test_what_is_open_is_counted_by_destination_with_its_times(
    store, source, destination, outbox_row, clock
):
    later = START + 60 * SECOND
    commit(
        store,
        source,
        outbox_row(expires_at=START + 9 * SECOND),
        outbox_row(expires_at=START + 5 * SECOND),
        outbox_row(state="waiting", reason="held", next_at=later, held_event=b"{}"),
    )
    (found,) = store.summary.week().open

    assert (found.destination_id, found.queued, found.held) == (destination.id, 2, 1)
    assert (found.oldest, found.expires_at) == (START, START + 5 * SECOND)
    assert found.decided_at == later


def test_match_keys_are_counted_over_what_was_sent(store, source, outbox_row, lane):
    traces = (["email", "fbp"], ["email"])
    written = [outbox_row(trace=json.dumps({"user_data": keys})) for keys in traces]
    commit(store, source, *written)
    settle(store, claim(store, lane))
    commit(store, source, outbox_row(trace='{"user_data": ["phone"]}'))
    week = store.summary.week()

    assert (week.keys, week.sampled) == ({"email": 2, "fbp": 1}, 2)


def test_orders_of_which_nothing_came_are_missing(store, source, outbox_row):
    commit(store, source, outbox_row(order_id="1"))
    listed = [("1", START), ("2", START), ("3", START - 3 * DAY_US), ("4", START - 9 * DAY_US)]
    store.watches.listed(source.id, listed, START)

    assert list(store.summary.week().missing) == [1, 2]


def test_quick_figures_are_counted_anew_after_ten_seconds(store, source, outbox_row, clock):
    assert store.summary.week().counts == []
    spent(store, 5)
    commit(store, source, outbox_row())
    clock.move(9)
    assert store.summary.week().counts == []
    clock.move(2)

    assert by_state(store.summary.week()) == {"pending": 1}


def test_slow_figures_are_left_to_the_worker(store, source, outbox_row, clock):
    store.summary.week()
    spent(store, 6_000)
    commit(store, source, outbox_row())
    clock.move(60)
    assert store.summary.week().counts == []
    assert store.summary.refresh() is False
    clock.move(61)
    assert store.summary.refresh() is True

    assert by_state(store.summary.week()) == {"pending": 1}


def test_the_worker_counts_once_a_minute(store, clock):
    assert store.summary.refresh() is True
    assert store.summary.refresh() is False
    clock.move(60)

    assert store.summary.refresh() is True


def test_figures_of_a_clock_that_was_ahead_are_counted_anew(store, clock):
    store.summary.week()
    spent(store, 5)
    clock.move(-3600)

    assert store.summary.week().computed_at == clock.now
    assert PAGE_US == 10 * SECOND


def test_a_database_that_takes_no_write_still_tells_the_figures(
    store, source, outbox_row, monkeypatch
):
    commit(store, source, outbox_row())

    def busy():
        raise StoreError("database: busy")

    monkeypatch.setattr(store.database, "write", busy)

    assert by_state(store.summary.week()) == {"pending": 1}
    assert rows(store, "summary", "name") == []


@pytest.fixture(autouse=True)
def _two_sources(store):
    store.connections.add_source("bogus", "idle", {})
