"""The work of translating: one worker a source, fenced by a lease that may run out."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, update

from bridge.events import ConfigError, OrderState
from bridge.orders import OrderView
from bridge.secrets import Vault
from bridge.store import DeliveryEnd, Store, VerdictRow, schema
from bridge.store.translations import LEASE_US
from tests.stores import SECOND, START, commit, put, rows, state_of

WAITING = {"state": "waiting", "reason": "held", "curable": True, "held_event": b'{"a":1}'}


def test_nothing_to_do_leases_nothing(store, source):
    assert store.translations.lease(START) is None


def test_a_leased_source_is_not_leased_again_until_the_lease_runs_out(store, source):
    put(store, source)
    first = store.translations.lease(START)

    assert first.source_id == source.id
    assert store.translations.lease(START + LEASE_US - 1) is None
    second = store.translations.lease(START + LEASE_US)
    assert second.source_id == source.id
    assert second.token != first.token


def test_sources_take_turns(store, source, clock):
    other = store.connections.add_source("bogus", "other", {})
    for shop in (source, other):
        for number in range(3):
            put(store, shop, f"k{number}")
    turns = []
    for _ in range(4):
        lease = store.translations.lease(clock.move(1))
        turns.append(lease.source_id)
        commit(store, None, lease=lease)

    assert turns == [source.id, other.id] * 2


@pytest.mark.parametrize("state", ["paused", "removed"])
def test_a_source_that_rests_is_not_leased(store, source, state):
    put(store, source)
    store.connections.set_source(source.id, state=state)

    assert store.translations.lease(START) is None


def test_a_batch_is_the_oldest_deliveries_in_the_order_received(store, source):
    for number in range(5):
        put(store, source, f"k{number}")
    lease = store.translations.lease(START)

    assert [one.delivery.key for one in store.translations.batch(lease, 3)] == ["k0", "k1", "k2"]


def test_a_commit_writes_everything_and_ends_the_lease(store, source, destination, outbox_row):
    put(store, source)
    lease = store.translations.lease(START)
    (delivery_id,) = rows(store, "delivery", "id")
    held = commit(
        store,
        source,
        outbox_row(order_id="1", delivery_id=delivery_id),
        lease=lease,
        ends=[DeliveryEnd(delivery_id=delivery_id, state="translated", reason="r", detail="d")],
        orders=[OrderView(order_id="1", state=OrderState.PAID)],
        verdicts=[
            VerdictRow(
                delivery_id=delivery_id,
                destination_id=destination.id,
                event_name="Purchase",
                event_id="purchase.1",
                verdict="send",
                reason="",
            )
        ],
    )

    assert held
    ended = rows(store, "delivery", "state", "reason", "detail", "done_at")
    assert ended == [("translated", "r", "d", START)]
    assert state_of(store, "purchase.1") == "pending"
    assert rows(store, "verdict", "event_id", "verdict") == [("purchase.1", "send")]
    assert rows(store, "source", "lease_token", "lease_until", "delivery_at") == [
        (None, START, START)
    ]


def test_a_commit_after_another_worker_took_the_lease_writes_nothing(store, source, outbox_row):
    put(store, source)
    late = store.translations.lease(START)
    taken = store.translations.lease(START + LEASE_US)
    (delivery_id,) = rows(store, "delivery", "id")
    end = DeliveryEnd(delivery_id=delivery_id, state="translated")
    before = {table: rows(store, table) for table in schema.metadata.tables}

    assert commit(store, source, outbox_row(order_id="1"), lease=late, ends=[end]) is False
    assert {table: rows(store, table) for table in schema.metadata.tables} == before
    assert commit(store, source, outbox_row(order_id="2"), lease=taken, ends=[end]) is True
    assert rows(store, "outbox", "order_id") == ["2"]


def test_a_lease_is_good_for_one_commit(store, source, outbox_row):
    put(store, source)
    lease = store.translations.lease(START)

    assert commit(store, source, lease=lease) is True
    assert commit(store, source, outbox_row(order_id="1"), lease=lease) is False
    assert rows(store, "outbox") == []


def test_a_commit_that_fails_halfway_writes_nothing(store, source, outbox_row):
    put(store, source)
    lease = store.translations.lease(START)
    unsound = outbox_row(order_id="2", destination_id=999)
    before = {table: rows(store, table) for table in schema.metadata.tables}

    with pytest.raises(Exception, match="database: "):
        commit(store, source, outbox_row(order_id="1"), unsound, lease=lease)
    assert {table: rows(store, table) for table in schema.metadata.tables} == before
    assert commit(store, source, outbox_row(order_id="1"), lease=lease)


def test_events_are_handed_out_when_their_time_of_waiting_is_over(store, source, outbox_row):
    late = outbox_row(order_id="late", delivery_id=7, next_at=START + 20 * SECOND, **WAITING)
    soon = outbox_row(order_id="soon", delivery_id=8, next_at=START + 10 * SECOND, **WAITING)
    commit(store, source, late, soon)

    assert store.translations.lease(START + 9 * SECOND) is None
    lease = store.translations.lease(START + 10 * SECOND)
    due = store.translations.held(lease, START + 10 * SECOND, 10)
    assert [(one.delivery_id, one.event) for one in due] == [(8, b'{"a":1}')]
    due = store.translations.held(lease, START + 20 * SECOND, 10)
    assert [one.delivery_id for one in due] == [8, 7]


def test_what_is_known_of_orders_and_events_is_returned(store, source, outbox_row):
    other = store.connections.add_source("bogus", "other", {})
    commit(store, source, outbox_row(order_id="1"), outbox_row(order_id="2"))
    commit(store, other, outbox_row(order_id="1", event_id="theirs", source_id=other.id))

    known = store.translations.known(source.id, {"1"}, {"theirs"})
    assert sorted((row.source_id, row.event_id, row.state) for row in known) == [
        (source.id, "purchase.1", "pending"),
        (other.id, "theirs", "pending"),
    ]
    assert store.translations.known(source.id, (), ()) == []


def test_the_newest_view_of_an_order_is_kept(store, source):
    at = datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=UTC)
    views = [
        OrderView(order_id="1", state=OrderState.PLACED),
        OrderView(order_id="1", state=OrderState.PAID, updated_at=at),
    ]
    for view in views:
        commit(store, source, orders=[view])

    assert store.translations.orders(source.id, ["1", "2"]) == {"1": views[1]}
    assert store.translations.orders(source.id + 1, ["1"]) == {}


def cut(store, table, column):
    """Leave a sealed value its key id only."""
    kept = [row[:20] for row in rows(store, table, column)]
    with store.database.write() as connection:
        connection.execute(update(schema.metadata.tables[table]).values({column: kept[0]}))


def lose(store, table, _):
    with store.database.write() as connection:
        connection.execute(delete(schema.metadata.tables[table]))


@pytest.mark.parametrize("harm", [cut, lose])
def test_a_delivery_that_cannot_be_read_never_stops_its_source(store, source, harm):
    put(store, source, "k1")
    harm(store, "delivery_body", "body")
    put(store, source, "k2")
    lease = store.translations.lease(START)

    assert [one.delivery.key for one in store.translations.batch(lease, 10)] == ["k2"]
    assert rows(store, "delivery", "state", "reason") == [("dead", "unreadable"), ("received", "")]


def test_a_waiting_event_that_cannot_be_read_is_dead(store, source, outbox_row):
    commit(store, source, outbox_row(order_id="1", next_at=START, **WAITING))
    cut(store, "held", "event")
    lease = store.translations.lease(START)

    assert store.translations.held(lease, START, 10) == []
    assert rows(store, "outbox", "state", "reason") == [("dead", "unreadable")]
    commit(store, source, lease=lease)
    assert store.translations.lease(START) is None


def test_under_a_wrong_key_nothing_is_given_up(store, source, store_url):
    put(store, source)
    stranger = Store(store_url, Vault("another key of thirty-two characters"), lambda: START)

    with pytest.raises(ConfigError, match="SECRET_KEY_PREVIOUS"):
        stranger.translations.batch(stranger.translations.lease(START), 10)
    stranger.close()
    assert rows(store, "delivery", "state") == ["received"]


def test_a_delivery_is_found_by_its_id_as_long_as_its_body_is_kept(store, source):
    put(store, source, "k1", b'{"id":1}')
    (delivery_id,) = rows(store, "delivery", "id")

    assert json.loads(store.translations.delivery(delivery_id).delivery.body) == {"id": 1}
    lose(store, "delivery_body", None)
    assert store.translations.delivery(delivery_id) is None
