"""Uniqueness is identity, not verdict: what a second verdict on one event may change."""

from dataclasses import replace

import pytest
from sqlalchemy import delete, text

from bridge.events import Occasion
from bridge.store import schema
from tests.stores import SECOND, START, claim, commit, put, rows, settle, state_of

WAITING = {"state": "waiting", "reason": "held", "curable": True, "held_event": b"{}"}
CURABLE = {"state": "skipped", "reason": "not_paid", "curable": True}
FINAL = {"state": "skipped", "reason": "consent_denied", "curable": False}


def stored_id(store, event_id):
    """Return the id of the one row with *event_id*."""
    (row_id,) = [row[0] for row in rows(store, "outbox", "id", "event_id") if row[1] == event_id]
    return row_id


@pytest.fixture(params=["told_which_row", "not_told"])
def again(request, store, source):
    """Return a function that commits a later verdict, with `replaces` or without.

    Without it the row comes from a batch, or from another source, that knew nothing of the
    first one: the outcome must be the same.
    """

    def write(row):
        if request.param == "told_which_row":
            row = replace(row, replaces=stored_id(store, row.event_id))
        assert commit(store, source, row)

    return write


@pytest.mark.parametrize("first", [CURABLE, WAITING], ids=["curable skip", "waiting"])
def test_what_time_can_cure_is_replaced_by_pending(store, source, outbox_row, again, lane, first):
    commit(store, source, outbox_row(order_id="1", **first))
    again(outbox_row(order_id="1", payload=b"now paid"))

    assert rows(store, "outbox", "state", "reason", "curable", "done_at") == [
        ("pending", "", False, None)
    ]
    assert rows(store, "held", "outbox_id") == []
    assert [event.payload for event in claim(store, lane).events] == [b"now paid"]
    assert rows(store, "purchase", "order_id", "event_id") == [("1", "purchase.1")]


def test_a_waiting_event_may_wait_longer(store, source, outbox_row, again):
    commit(store, source, outbox_row(order_id="1", next_at=START + SECOND, **WAITING))
    again(outbox_row(order_id="1", next_at=START + 9 * SECOND, **WAITING))

    assert rows(store, "held", "until") == [START + 9 * SECOND]
    assert rows(store, "outbox", "state", "next_at") == [("waiting", START + 9 * SECOND)]


def test_a_shadowed_event_that_time_can_cure_is_replaced_with_its_payload(
    store, source, outbox_row, again, lane
):
    shadow = {"state": "skipped", "reason": "shadow", "curable": True, "payload": b"old"}
    commit(store, source, outbox_row(order_id="1", **shadow))
    again(outbox_row(order_id="1", payload=b"new"))

    assert [event.payload for event in claim(store, lane).events] == [b"new"]
    assert len(rows(store, "payload")) == 1


@pytest.mark.parametrize("end", ["pending", "sending", "sent", "dead", "expired", "skipped"])
def test_what_is_decided_is_never_replaced(store, source, outbox_row, again, lane, end):
    commit(store, source, outbox_row(order_id="1", **(FINAL if end == "skipped" else {})))
    bring_to(store, lane, end)
    before = [rows(store, table) for table in ("outbox", "payload", "purchase")]
    for later in ({}, CURABLE, WAITING, FINAL):
        again(outbox_row(order_id="1", **{"payload": b"later", "mode": "test"} | later))

    assert state_of(store, "purchase.1") == end
    assert [rows(store, table) for table in ("outbox", "payload", "purchase")] == before
    assert rows(store, "held") == []


def bring_to(store, lane, state):
    """Let the one pending event end in *state*."""
    if state in {"sending", "sent", "dead"}:
        claimed = claim(store, lane)
        if state != "sending":
            settle(store, claimed, state)
    if state == "expired":
        store.outbox.claim(lane, 1, START + 7 * 86_400 * SECOND)


def test_a_purchase_is_let_through_once_whatever_its_event_id(store, source, outbox_row):
    commit(store, source, outbox_row(order_id="1", event_id="purchase.1"))
    commit(store, source, outbox_row(order_id="1", event_id="order_1_by_another_template"))

    assert rows(store, "outbox", "event_id") == ["purchase.1"]
    assert rows(store, "purchase", "order_id", "event_id") == [("1", "purchase.1")]


def test_a_purchase_is_let_through_once_after_its_row_was_pruned(store, source, outbox_row):
    commit(store, source, outbox_row(order_id="1"))
    with store.database.write() as connection:
        connection.execute(delete(schema.payload))
        connection.execute(delete(schema.outbox))
    commit(store, source, outbox_row(order_id="1"))

    assert rows(store, "outbox") == rows(store, "payload") == []
    assert store.translations.purchases(source.id, ["1", "2"]) == {
        (rows(store, "purchase", "destination_id")[0], "1")
    }


def test_the_ledger_is_apart_for_each_destination_and_source(
    store, source, destination, outbox_row
):
    shop = store.connections.add_source("bogus", "second shop", {})
    dataset = store.connections.add_destination("bogus", "second dataset", {})
    commit(store, source, outbox_row(order_id="1", event_id="a"))
    commit(store, source, outbox_row(order_id="1", event_id="a", destination_id=dataset.id))
    commit(store, shop, outbox_row(order_id="1", event_id="b", source_id=shop.id))

    assert rows(store, "outbox", "state") == ["pending"] * 3
    assert len(rows(store, "purchase")) == 3


def test_one_event_id_from_two_sources_is_one_event(store, source, outbox_row):
    shop = store.connections.add_source("bogus", "second shop", {})
    commit(store, source, outbox_row(order_id="1", payload=b"first"))
    commit(store, shop, outbox_row(order_id="1", source_id=shop.id, payload=b"second"))

    assert rows(store, "outbox", "source_id", "event_id") == [(source.id, "purchase.1")]
    assert rows(store, "purchase", "source_id") == [source.id]


def test_only_purchases_that_are_let_through_stand_in_the_ledger(store, source, outbox_row):
    commit(
        store,
        source,
        outbox_row(order_id="1", **CURABLE),
        outbox_row(order_id="2", **WAITING),
        outbox_row(order_id="3", event_name="AddPaymentInfo", occasion="payment_info_added"),
        outbox_row(order_id=None, event_id="purchase.x"),
        outbox_row(order_id="4", occasion=str(Occasion.SUBSCRIPTION_RENEWED)),
    )

    assert rows(store, "purchase") == []
    assert len(rows(store, "outbox")) == 5


def test_a_purchase_refused_for_its_identity_leaves_no_mark_in_the_ledger(
    store, source, outbox_row
):
    commit(store, source, outbox_row(order_id="1", **FINAL))
    commit(store, source, outbox_row(order_id="1"))

    assert state_of(store, "purchase.1") == "skipped"
    assert rows(store, "purchase") == []


def test_a_second_waiting_purchase_of_an_order_ends_when_the_first_is_let_through(
    store, source, outbox_row
):
    commit(store, source, outbox_row(order_id="1", event_id="a", next_at=START, **WAITING))
    commit(store, source, outbox_row(order_id="1", event_id="b"))
    waiting = stored_id(store, "a")
    commit(store, source, outbox_row(order_id="1", event_id="a", replaces=waiting))

    assert rows(store, "outbox", "event_id", "state", "reason") == [
        ("a", "skipped", "decided_before"),
        ("b", "pending", ""),
    ]
    assert rows(store, "held") == []
    assert store.translations.lease(START) is None


def test_a_replacement_never_takes_the_id_of_another_event(store, source, outbox_row):
    commit(store, source, outbox_row(order_id="1", event_id="a", **CURABLE))
    commit(store, source, outbox_row(order_id="2", event_id="b"))
    commit(store, source, outbox_row(order_id="1", event_id="b", replaces=stored_id(store, "a")))

    assert rows(store, "outbox", "event_id", "state") == [("a", "skipped"), ("b", "pending")]
    assert rows(store, "purchase", "order_id") == ["2"]


def test_stopped_events_are_skipped_for_good(store, source, outbox_row):
    commit(store, source, outbox_row(order_id="1", **WAITING), outbox_row(order_id="2"))
    ids = rows(store, "outbox", "id")
    put(store, source, "more")
    commit(store, source, stopped=dict.fromkeys(ids, "no_route"))
    commit(store, source, outbox_row(order_id="1"))

    assert rows(store, "outbox", "state", "reason") == [("skipped", "no_route"), ("pending", "")]
    assert rows(store, "held") == []


@pytest.mark.parametrize("fresh_url", ["sqlite"], indirect=True)  # PostgreSQL scans what is small
def test_lookups_by_event_id_and_by_order_read_an_index(store, source):
    with store.database.read() as connection:
        plan = connection.execute(
            text(
                "EXPLAIN QUERY PLAN SELECT id FROM outbox"
                " WHERE (source_id = 1 AND order_id IN ('1')) OR event_id IN ('a', 'b')"
            )
        ).all()

    assert not [step for step in plan if step[3].startswith("SCAN")]


def test_a_batch_may_ask_for_more_ids_than_one_statement_takes(store, source, outbox_row):
    commit(store, source, outbox_row(order_id="1"))
    many = [f"cart.{number}" for number in range(70_000)]

    [found] = store.translations.known(source.id, [], [*many, "purchase.1"])

    assert found.order_id == "1"


def test_the_id_of_what_was_pruned_is_never_given_again(store, source, outbox_row, lane):
    commit(store, source, outbox_row(order_id="1"))
    settle(store, claim(store, lane))
    before = {table: rows(store, table, "id") for table in ("delivery", "outbox", "receipt")}
    with store.database.write() as connection:
        for name in ("payload", "delivery_body", *before):
            connection.execute(delete(schema.metadata.tables[name]))
    commit(store, source, outbox_row(order_id="2"))
    settle(store, claim(store, lane))

    for table, ids in before.items():
        assert min(rows(store, table, "id")) > max(ids)


def test_nothing_is_kept_of_a_waiting_event_that_was_stopped(store, source, outbox_row):
    commit(store, source, outbox_row(order_id="1", held_keys=(b"k",), **WAITING))
    assert len(rows(store, "held_key")) == 1
    commit(store, source, stopped={stored_id(store, "purchase.1"): "cancelled"})

    assert rows(store, "held") == rows(store, "held_key") == []
