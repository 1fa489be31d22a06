"""What people read: the log, one event's story, counts, plans, audit, heartbeats."""

from bridge.store import VerdictRow
from tests.stores import START, claim, commit, put, rows, settle


def test_the_newest_events_come_first_without_payloads(store, source, outbox_row):
    commit(store, source, *[outbox_row(order_id=str(n), trace='{"n": 1}') for n in range(5)])
    events = store.history.events(limit=3)

    assert [event["order_id"] for event in events] == ["4", "3", "2"]
    assert events[0]["trace"] == {"n": 1}
    assert not [name for event in events for name, value in event.items() if name == "payload"]


def test_events_are_filtered_by_state_and_source(store, source, outbox_row, lane):
    other = store.connections.add_source("bogus", "other", {})
    commit(store, source, outbox_row(order_id="1"))
    settle(store, claim(store, lane))
    commit(store, other, outbox_row(order_id="2", source_id=other.id))

    assert [event["order_id"] for event in store.history.events(state="sent")] == ["1"]
    assert [event["order_id"] for event in store.history.events(source_id=other.id)] == ["2"]
    assert store.history.events(state="dead") == []


def test_the_newest_deliveries_come_first_without_bodies(store, source):
    for number in range(3):
        put(store, source, f"k{number}", b"canary")
    found = store.history.deliveries(limit=2)

    assert [row["key"] for row in found] == ["k2", "k1"]
    assert "canary" not in repr(found)
    assert store.history.deliveries(state="dead") == []


def test_a_story_is_told_by_event_id_order_id_or_order_number(
    store, source, destination, outbox_row, lane
):
    put(store, source)
    (delivery_id,) = rows(store, "delivery", "id")
    verdict = VerdictRow(
        delivery_id=delivery_id,
        destination_id=destination.id,
        event_name="Purchase",
        event_id="purchase.1",
        verdict="send",
        reason="",
    )
    commit(store, source, outbox_row(order_id="1"), outbox_row(order_id="2"), verdicts=[verdict])
    settle(store, claim(store, lane))

    for known_as in ("purchase.1", "1", "#1"):
        story = store.history.story(known_as)
        assert [event["event_id"] for event in story.events] == ["purchase.1"]
        assert [one["topic"] for one in story.verdicts] == ["orders/paid"]
        assert [one["status"] for one in story.receipts] == [200]
    nothing = store.history.story("unknown")
    assert nothing.events == nothing.verdicts == nothing.receipts == []


def test_every_delivery_and_event_is_counted_in_one_state(store, source, outbox_row, lane):
    put(store, source)
    commit(store, source, outbox_row(), outbox_row(), outbox_row(state="skipped", reason="r"))
    settle(store, claim(store, lane, 1))

    assert store.history.counts() == {
        "delivery": {"received": 1, "translated": 1},
        "outbox": {"sent": 1, "pending": 1, "skipped": 1},
    }


def test_the_newest_plan_is_in_force_and_older_ones_are_kept(store):
    assert store.history.plan() is None
    store.history.apply_plan("first", "d1")
    store.history.apply_plan("second", "d2")

    assert store.history.plan() == "second"
    assert rows(store, "plan", "digest", "applied_at") == [("d1", START), ("d2", START)]


def test_a_change_is_noted_for_ever(store):
    store.history.audit("operator", "route.set", "shop", "live")

    assert rows(store, "audit", "at", "actor", "action", "subject", "detail") == [
        (START, "operator", "route.set", "shop", "live")
    ]


def test_the_last_heartbeat_of_any_worker_is_told(store):
    assert store.history.last_beat() is None
    store.history.beat("a", START)
    store.history.beat("b", START + 5)
    store.history.beat("a", START + 3)

    assert store.history.last_beat() == START + 5
    assert rows(store, "heartbeat", "name", "seen_at") == [("a", START + 3), ("b", START + 5)]


def test_a_payload_is_opened_by_the_identity_of_its_event(store, source, destination, outbox_row):
    commit(store, source, outbox_row(order_id="1", payload=b"as sent"))

    payload = store.history.payload
    assert payload(destination.id, "Purchase", "purchase.1") == b"as sent"
    assert payload(destination.id, "Purchase", "purchase.2") is None
