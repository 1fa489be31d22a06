"""What pages show at a glance, on both engines."""

from dataclasses import replace

from tests.stores import SECOND, START, commit, put

DAY = 86_400 * SECOND


def overview(store, method, source, destination, *more, **named):
    return getattr(store.overview, method)(source.id, destination.id, *more, **named)


def test_events_are_counted_by_name_and_time(store, source, destination, outbox_row, clock):
    commit(store, source, outbox_row(), outbox_row(event_name="Lead", state="skipped"))
    clock.move(2 * 86_400)
    commit(store, source, outbox_row(), outbox_row())

    found = overview(
        store, "events", source, destination, clock.now - DAY, seen_since=clock.now - 7 * DAY
    )
    assert (found["Purchase"].count, found["Lead"].count) == (2, 0)
    assert (found["Purchase"].last_at, found["Lead"].last_at) == (clock.now, START)
    assert found["Purchase"].sent == 0


def test_the_last_trace_is_that_of_an_event_that_was_rendered(
    store, source, destination, outbox_row
):
    commit(
        store,
        source,
        outbox_row(trace='{"value": "1"}'),
        outbox_row(trace='{"value": "2"}'),
        outbox_row(trace='{"value": "3"}', state="skipped"),
    )

    assert overview(store, "traces", source, destination, 0) == {"Purchase": {"value": "2"}}


def test_shadowed_events_come_newest_first(store, source, destination, outbox_row):
    held = {"state": "skipped", "reason": "shadow", "mode": "shadow", "payload": b"{}"}
    commit(store, source, *(outbox_row(order_id=str(number), **held) for number in (7, 8)))
    commit(store, source, outbox_row())

    found = overview(store, "shadowed", source, destination, 0)
    assert [one["order_id"] for one in found] == ["8", "7"]


def test_only_a_live_event_that_was_taken_counts_as_sent(store, source, destination, outbox_row):
    commit(store, source, outbox_row(state="sent", mode="test"), outbox_row())
    before = store.overview.has_sent(destination.id)
    commit(store, source, outbox_row(state="sent"))

    assert (before, store.overview.has_sent(destination.id)) == (False, True)


def test_a_reading_counts_orders_read_and_deliveries_that_were_new(store, source, clock):
    store.watches.listed(source.id, [("1", START)], clock.now)
    put(store, source, "reconcile:1")
    clock.move(60)
    store.watches.listed(source.id, [("2", START), ("3", START)], clock.now)
    put(store, source, "reconcile:2")
    put(store, source, "its own")

    assert store.overview.read_since(source.id, clock.now) == (2, 1)


def test_plans_come_newest_first(store):
    for text in ("a", "b"):
        store.history.apply_plan(text, text)

    assert [one.text for one in store.overview.plans()] == ["b", "a"]


def test_an_answer_takes_the_place_of_the_one_before(store):
    assert store.overview.answer("who") is None
    store.overview.set_answer("who", {"sender": "x"})
    store.overview.set_answer("who", {"sender": "é"})

    assert store.overview.answer("who") == {"sender": "é"}


def test_the_newest_raw_bodies_come_first(store, source):
    for key in ("a", "b", "c"):
        put(store, source, key)

    found = store.subjects.last_raw(source.id, 2)
    assert [one.delivery.key for one in found] == ["c", "b"]


def test_a_route_keeps_when_its_test_ends(store, route):
    test = replace(route, mode="test", test_until=START + 5, mode_after="live")
    store.connections.set_route(test)

    assert store.connections.routes() == [test]
