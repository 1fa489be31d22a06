"""A held order is sent as it is told last, and by all that was told before its hold ended."""

import pytest

from bridge import registry
from bridge.store import schema
from bridge.translate import translate_due
from tests.bridge.translate.bogus import platform, shop
from tests.bridge.translate.line import apply, connect
from tests.bridge.translate.shops import DENIED, SHOPS, deletion, event_id_of, order
from tests.stores import rows

from .sight import AGE, MINUTE, payload

HOLD = "[purchase]\nhold_minutes = 10\n"
ENOUGH = 30


@pytest.fixture(params=SHOPS)
def line(request, store, clock):
    clock.move(-AGE[request.param] * MINUTE)
    return connect(store, request.param, plan=HOLD)


def priced(line, minute, total, state="paid", consent=None):
    """Return an order as it was told at *minute*, with this total."""
    more = {"consent": consent} if consent else {}
    topic, body = order(line.source.kind, 1, state, minute, **more)
    if line.source.kind == "shopify":
        money = {"amount": total, "currency_code": body["currency"]}
        body |= {"total_price": total, "current_total_price": total}
        body["total_price_set"] = {"shop_money": money, "presentment_money": money}
    return topic, body | {"total": total}


def only(line):
    [(_, state, reason)] = line.purchases()
    return state, reason


def value(line):
    return payload(line, event_id_of(line.source.kind, 1))["custom_data"]["value"]


@pytest.mark.parametrize("in_one_batch", [True, False])
@pytest.mark.parametrize("told", [(2, 3), (3, 2)], ids=["in order", "the newer first"])
def test_the_newest_body_is_sent_in_whatever_order_it_comes(line, clock, told, in_one_batch):
    for minute in told:
        line.post(*priced(line, minute, f"{minute}0.50"))
        if not in_one_batch:
            translate_due(line.store)
    translate_due(line.store)
    clock.move(ENOUGH * MINUTE)
    translate_due(line.store)

    assert only(line) == ("pending", "")
    assert value(line) == 30.5
    assert rows(line.store, "held") == []


def test_an_older_refund_does_not_undo_a_newer_payment(line, clock):
    line.tell(*priced(line, 3, "30.50"))
    line.tell(*priced(line, 2, "30.50", state="refunded"))
    clock.move(ENOUGH * MINUTE)
    translate_due(line.store)

    assert only(line) == ("pending", "")


def test_an_older_denial_counts_whenever_it_comes(line, clock):
    line.tell(*priced(line, 3, "30.50"))
    line.tell(*priced(line, 2, "30.50", consent=DENIED))
    clock.move(ENOUGH * MINUTE)
    translate_due(line.store)

    assert only(line) == ("skipped", "consent_denied")


@pytest.mark.parametrize("end", ["cancelled", "refunded", "deleted"])
def test_an_end_that_was_received_before_the_hold_ended_counts_in_the_same_turn(line, clock, end):
    line.tell(*priced(line, 2, "30.50"))
    told = deletion(line.source.kind, 1) if end == "deleted" else order(line.source.kind, 1, end, 3)
    line.post(*told)
    clock.move(ENOUGH * MINUTE)
    translate_due(line.store)

    assert only(line) == ("skipped", "cancelled" if end == "deleted" else end)
    assert rows(line.store, "held") == []


def test_a_newer_body_that_was_received_before_the_end_is_the_one_sent(line, clock):
    line.tell(*priced(line, 2, "20.50"))
    line.post(*priced(line, 3, "30.50"))
    clock.move(ENOUGH * MINUTE)
    translate_due(line.store)

    assert value(line) == 30.5
    assert line.verdicts() == [("wait", "held"), ("send", "")]


def test_an_end_at_the_bottom_of_a_backlog_counts_too(memory, clock, monkeypatch):
    monkeypatch.setattr("bridge.translate.BATCH", 3)
    clock.move(-AGE["shopify"] * MINUTE)
    line = connect(memory, "shopify", plan=HOLD)
    line.tell(*order("shopify", 1, "paid", 2))
    for number in range(2, 9):
        line.post(*order("shopify", number, "placed", 2))
    line.post(*deletion("shopify", 1))
    clock.move(ENOUGH * MINUTE)
    translate_due(memory)

    assert line.purchases()[0] == ("1", "skipped", "cancelled")
    assert rows(memory, "held") == []


def test_a_backlog_does_not_keep_what_waited_from_being_decided(memory, clock, monkeypatch):
    monkeypatch.setattr("bridge.translate.BATCH", 3)
    clock.move(-AGE["shopify"] * MINUTE)
    line = connect(memory, "shopify", plan=HOLD)
    for number in range(1, 8):
        line.tell(*order("shopify", number, "paid", 2))
    for number in range(8, 11):  # as many as fit into one batch
        line.post(*order("shopify", number, "placed", 2))
    clock.move(ENOUGH * MINUTE)
    translate_due(memory)

    assert len(line.pending()) == 7
    assert rows(memory, "held") == []


def test_each_dataset_decides_by_its_own_toggles_at_the_end(store, clock):
    clock.move(-AGE["shopify"] * MINUTE)
    line = connect(store, "shopify", plan=HOLD, datasets=("one", "two"))
    line.tell(*order("shopify", 1, "paid", 2))
    line.route(1, toggles={"Purchase": False})
    clock.move(ENOUGH * MINUTE)
    translate_due(store)

    assert sorted(row[1:] for row in line.purchases()) == [
        ("pending", ""),
        ("skipped", "toggled_off"),
    ]


def test_a_removed_dataset_leaves_the_other_alone(store, clock):
    clock.move(-AGE["shopify"] * MINUTE)
    line = connect(store, "shopify", plan=HOLD, datasets=("one", "two"))
    line.tell(*order("shopify", 1, "paid", 2))
    store.connections.set_destination(line.destinations[1].id, state="removed")
    clock.move(ENOUGH * MINUTE)
    translate_due(store)

    assert sorted(row[1:] for row in line.purchases()) == [("pending", ""), ("skipped", "no_route")]


def test_a_plan_that_asks_for_new_customers_meanwhile_knows_who_is_new(line, clock):
    line.tell(*priced(line, 2, "20.50"))
    apply(line.store, '[who]\ncustomers = "ledger"\nnew_customers_only = true\nsegmentation = true')
    clock.move(ENOUGH * MINUTE)
    translate_due(line.store)

    told = payload(line, event_id_of(line.source.kind, 1))["custom_data"]
    assert told["customer_segmentation"] == "new_customer_to_business"


def test_a_damaged_held_event_is_dead_and_visible(line, clock):
    line.tell(*priced(line, 2, "20.50"))
    [sealed] = rows(line.store, "held", "event")
    with line.store.database.write() as connection:
        connection.execute(schema.held.update().values(event=sealed[:-1]))
    clock.move(ENOUGH * MINUTE)
    translate_due(line.store)

    assert only(line) == ("dead", "unreadable")
    assert rows(line.store, "held") == []


def test_an_event_that_a_platform_chokes_on_at_the_end_stops_no_other(store, clock, monkeypatch):
    source, destination = registry.source, registry.destination
    bogus = {shop.kind: shop, platform.kind: platform}
    monkeypatch.setattr(registry, "source", lambda kind: bogus.get(kind) or source(kind))
    monkeypatch.setattr(registry, "destination", lambda kind: bogus.get(kind) or destination(kind))
    line = connect(
        store,
        shop.kind,
        settings={"secret": "hush"},
        to=platform.kind,
        plan="[purchase]\nhold_minutes = 60\n",
    )
    clock.move(-50 * MINUTE)
    for order_id in ("1", "666", "13", "2"):
        line.tell("orders/paid", {"id": order_id})
    waiting = {row[1:] for row in line.purchases()}
    clock.move(120 * MINUTE)
    translate_due(store)

    assert waiting == {("waiting", "held")}
    assert line.purchases() == [
        ("1", "pending", ""),
        ("13", "skipped", "invalid:order_id"),
        ("2", "pending", ""),
        ("666", "skipped", "fault"),
    ]
    assert rows(store, "held") == []
