"""What grows old is dropped when its time has come, and nothing else with it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bridge import care, config
from bridge.store import VerdictRow, micros, retention, schema
from bridge.translate import translate_due
from tests.bridge.translate.conftest import *  # noqa: F403  fixtures
from tests.bridge.translate.line import connect
from tests.bridge.translate.shops import order
from tests.stores import SECOND, claim, commit, put, rows, settle

DAY = 86_400
SETTINGS = config.load({"SECRET_KEY": "x" * 32, "DATABASE_URL": "sqlite:///unused.db"})
AGES = (  # days, and what is gone after so many
    (2.9, set()),
    (3.1, {"delivery_body"}),
    (29, {"delivery_body"}),
    (31, {"delivery_body", "payload"}),
    (89, {"delivery_body", "payload"}),
    (91, {"delivery_body", "payload", "outbox", "delivery", "verdict", "receipt"}),
    (399, {"delivery_body", "payload", "outbox", "delivery", "verdict", "receipt"}),
    (
        401,
        {"delivery_body", "payload", "outbox", "delivery", "verdict", "receipt"}
        | {"purchase", "known_order", "known_customer"},
    ),
)


LEDGERS = ("known_order", "known_customer")


def purge(store, **changes):
    return care.purge(store, replace(SETTINGS, **changes))


def filled(store):
    """Return the tables that hold anything of what happened."""
    tables = ("delivery_body", "payload", "outbox", "delivery", "verdict", "receipt", "purchase")
    return {table for table in (*tables, *LEDGERS) if rows(store, table)}


@pytest.fixture
def sent(store):
    """Return a line with one purchase that was sent."""
    line = connect(store, "shopify", plan='[who]\ncustomers = "ledger"\n')
    line.tell(*order("shopify", 1, "paid"))
    [lane] = store.outbox.lanes(store.now())
    settle(store, claim(store, lane))
    return line


@pytest.mark.parametrize(("days", "gone"), AGES)
def test_each_kind_has_its_age(sent, clock, days, gone):
    before = filled(sent.store)
    clock.move(days * DAY)
    purge(sent.store)

    assert before - filled(sent.store) == gone
    assert purge(sent.store) == 0


def test_the_last_moment_still_counts(sent, clock):
    clock.move(3 * DAY)

    assert purge(sent.store) == 0
    clock.move(0.000001)
    assert purge(sent.store) == 1


def test_the_ages_are_the_operators(sent, clock):
    clock.move(3601)
    purge(sent.store, retention_raw=timedelta(hours=1))

    assert "delivery_body" not in filled(sent.store)


def test_an_order_is_not_sent_again_while_the_ledger_remembers(sent, clock):
    clock.move(399 * DAY)
    purge(sent.store)
    sent.tell(*order("shopify", 1, "paid", minute=9))

    assert rows(sent.store, "purchase", "order_id") == ["1"]
    assert sent.pending() == []


def test_what_nobody_decided_becomes_dead_in_the_open(store, clock):
    line = connect(store, "shopify")
    store.connections.set_source(line.source.id, state="paused")
    line.post(*order("shopify", 1, "paid"))
    translate_due(store)
    clock.move(7.9 * DAY)
    kept = purge(store)
    clock.move(0.2 * DAY)
    purge(store)

    assert kept == 0
    assert line.ends() == [("dead", "undecided")]
    assert rows(store, "delivery", "done_at") == [clock.now]
    assert rows(store, "delivery_body") == []
    store.connections.set_source(line.source.id, state="active")
    assert translate_due(store) == 0


def test_a_dead_delivery_is_kept_longer_than_a_translated_one(store, clock):
    line = connect(store, "shopify")
    line.post("orders/paid", b"not json")
    translate_due(store)
    clock.move(7.9 * DAY)
    purge(store)
    kept = rows(store, "delivery_body", "delivery_id")
    clock.move(0.2 * DAY)
    purge(store)

    assert kept == [1]
    assert rows(store, "delivery_body") == []
    assert line.ends() == [("dead", "not_json")]


@pytest.mark.parametrize("state", ["paused", "removed"])
def test_what_a_destination_does_not_take_in_time_expires_and_goes(store, clock, state):
    line = connect(store, "shopify")
    line.tell(*order("shopify", 1, "paid"))
    store.connections.set_destination(line.destinations[0].id, state=state)
    clock.move(6 * DAY)
    purge(store)
    in_time = line.purchases()
    clock.move(1 * DAY)
    purge(store)
    ended = line.purchases()
    clock.move(31 * DAY)
    purge(store)

    assert in_time == [("1", "pending", "")]
    assert ended == [("1", "expired", "expired")]
    assert rows(store, "payload") == []
    assert rows(store, "outbox", "email_key") == [None]


@pytest.mark.parametrize("state", ["paused", "removed"])
def test_what_waits_in_a_source_that_stands_still_expires_and_goes(store, clock, state):
    clock.now = micros(datetime.fromisoformat("2026-11-23T09:15:00+00:00"))
    line = connect(store, "shopify", plan="[purchase]\nhold_minutes = 60")
    line.tell(*order("shopify", 1, "paid"))
    store.connections.set_source(line.source.id, state=state)
    clock.move(8 * DAY)
    purge(store)
    waiting = line.purchases()
    clock.move(0.1 * DAY)
    purge(store)

    assert waiting == [("1", "waiting", "held")]
    assert line.purchases() == [("1", "expired", "expired")]
    assert rows(store, "held") == rows(store, "held_key") == []


def test_what_tells_nothing_is_not_kept_at_all(store):
    line = connect(store, "shopify")
    line.post("orders/edited", {"id": 1})
    translate_due(store)

    assert line.ends() == [("ignored", "topic")]
    assert rows(store, "delivery_body") == []


@pytest.mark.parametrize("state", ["pending", "sending", "waiting"])
def test_what_is_under_way_keeps_all_it_needs_however_long_it_takes(
    store, source, outbox_row, lane, clock, state
):
    held = {"held_event": b"{}", "payload": None} if state == "waiting" else {}
    stored = "pending" if state == "sending" else state
    commit(store, source, outbox_row(state=stored, curable=state == "waiting", **held))
    if state == "sending":
        claim(store, lane)
    clock.move(500 * DAY)
    purge(store)

    assert rows(store, "outbox", "state") == [state]
    assert len(rows(store, "payload")) + len(rows(store, "held")) == 1


def test_a_payload_that_was_dropped_never_stops_the_sender(store, source, outbox_row, lane, clock):
    for _ in range(3):
        commit(store, source, outbox_row(expires_at=clock.now + 400 * DAY * SECOND))
    settle(store, claim(store, lane, limit=2))
    clock.move(31 * DAY)
    purge(store)
    last = claim(store, lane)
    settle(store, last)

    assert len(last.events) == 1
    assert rows(store, "outbox", "state") == ["sent"] * 3


def test_the_hashes_of_a_person_go_with_the_payload(sent, clock):
    columns = ("email_key", "phone_key", "customer_key")
    before = rows(sent.store, "outbox", *columns)
    clock.move(31 * DAY)
    purge(sent.store)

    assert all(any(row) for row in before)
    assert rows(sent.store, "outbox", *columns) == [(None, None, None)]


def test_who_buys_again_is_known_from_then_on(sent, clock):
    clock.move(300 * DAY)
    sent.tell(*order("shopify", 2, "paid"))
    clock.move(200 * DAY)
    purge(sent.store)

    assert rows(sent.store, "known_customer")
    clock.move(201 * DAY)
    purge(sent.store)
    assert rows(sent.store, "known_customer") == []


@pytest.mark.parametrize("ages", [{"retention_payload": 400}, {"retention_raw": 400}])
def test_a_row_that_is_dropped_first_takes_along_what_nobody_would_find(sent, clock, ages):
    clock.move(91 * DAY)
    purge(sent.store, **{name: timedelta(days=days) for name, days in ages.items()})

    assert filled(sent.store) == {"purchase", *LEDGERS}


def test_verdicts_go_with_their_delivery_however_many_there_are(store, source, clock, monkeypatch):
    monkeypatch.setattr(retention, "CHUNK", 3)
    for number in range(4):
        put(store, source, f"delivery-{number}")
    lease = store.translations.lease(store.now())
    told = [
        VerdictRow(
            delivery_id=delivery_id,
            destination_id=destination_id,
            event_name="Purchase",
            event_id=f"purchase.{delivery_id}",
            verdict="skip",
            reason="not_paid",
        )
        for delivery_id in range(1, 5)
        for destination_id in range(1, 4)
    ]
    commit(store, source, lease=lease, verdicts=told)
    with store.database.write() as connection:
        connection.execute(schema.delivery.update().values(state="translated", done_at=clock.now))
    clock.move(91 * DAY)
    purge(store)

    assert rows(store, "verdict") == rows(store, "delivery") == rows(store, "delivery_body") == []


def test_much_is_dropped_in_chunks(sent, clock, monkeypatch):
    monkeypatch.setattr(retention, "CHUNK", 2)
    for number in range(2, 8):
        sent.tell(*order("shopify", number, "paid"))
    largest = []
    write = sent.store.retention.purge

    def counted(ages):
        before = len(rows(sent.store, "delivery_body"))
        dropped = write(ages)
        largest.append(before - len(rows(sent.store, "delivery_body")))
        return dropped

    monkeypatch.setattr(sent.store.retention, "purge", counted)
    clock.move(4 * DAY)

    assert purge(sent.store) == 7
    assert largest == [2, 2, 2, 1, 0]


def test_a_worker_that_is_told_to_stop_leaves_the_rest_for_later(sent, clock):
    clock.move(4 * DAY)

    assert care.purge(sent.store, SETTINGS, lambda: True) == 0
    assert len(rows(sent.store, "delivery_body")) == 1
