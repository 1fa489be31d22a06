"""What pages show at a glance, on both engines."""

from dataclasses import replace

from tests.stores import START, claim, commit, put, settle


def overview(store, method, source, destination, *more, **named):
    return getattr(store.overview, method)(source.id, destination.id, *more, **named)


def test_traces_are_read_by_name(store, source, outbox_row):
    commit(store, source, outbox_row(trace='{"value": "1"}'), outbox_row(event_name="Lead"))

    assert store.overview.traces([1]) == {"Purchase": {"value": "1"}}
    assert store.overview.traces([]) == {}


def test_shadowed_events_come_newest_first(store, source, destination, outbox_row):
    held = {"state": "skipped", "reason": "shadow", "mode": "shadow", "payload": b"{}"}
    commit(store, source, *(outbox_row(order_id=str(number), **held) for number in (7, 8)))
    commit(store, source, outbox_row())

    found = overview(store, "shadowed", source, destination, 0)
    assert [one["order_id"] for one in found] == ["8", "7"]


def test_a_destination_is_proven_by_an_answer_that_took_events(
    store, source, destination, outbox_row, lane
):
    commit(store, source, outbox_row())
    before = store.overview.has_taken(destination.id)
    settle(store, claim(store, lane))

    assert (before, store.overview.has_taken(destination.id)) == (False, True)
    assert not store.overview.has_taken(destination.id + 1)
    assert [one["outcome"] for one in store.overview.answers(destination.id)] == ["accepted"]


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
