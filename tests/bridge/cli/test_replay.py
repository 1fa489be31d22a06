"""``dead`` and ``replay``: decided again under what holds now, and what was sent is let alone."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, update

from bridge.events import Delivery
from bridge.store import Lane, Store, micros, schema
from bridge.translate import translate_due
from tests.bridge.translate.line import ANY_CONSENT, DELIVERIES, apply, connect
from tests.bridge.translate.shops import SHOPS, event_id_of, order
from tests.stores import *  # noqa: F403  fixtures, of both engines
from tests.stores import SECOND, FakeClock, claim, rows, settle

from .conftest import SECRET_KEY, assert_one_sentence

NOW = micros(datetime(2026, 11, 23, 16, tzinfo=UTC))


@pytest.fixture
def clock():
    return FakeClock(NOW)


@pytest.fixture
def database(store_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", store_url)
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    return store_url


@pytest.fixture
def kind():
    return "shopify"


@pytest.fixture
def line(store, kind):
    return connect(store, kind)


def lane_of(line):
    return Lane(destination_id=line.destinations[0].id, mode="live")


def bury(line, order_id=1, reason="100/2804003"):
    """Let an order be decided, and its event end dead."""
    line.tell(*order(line.source.kind, order_id, "paid"))
    assert settle(line.store, claim(line.store, lane_of(line)), "dead", reason=reason) == 1


def replay(cli, *arguments):
    ended = cli("replay", *arguments, "--yes")
    assert ended.code == 0, ended.complaint
    return ended.out


@pytest.mark.parametrize("kind", SHOPS)
def test_a_purchase_that_was_dead_once_is_sent_once(line, cli, kind):
    bury(line)
    event_id = event_id_of(kind, 1)

    for _ in range(2):
        assert replay(cli, event_id).startswith("1 events and 0 dead")
    translate_due(line.store)

    assert line.pending() == [event_id]
    assert settle(line.store, claim(line.store, lane_of(line))) == 1
    for _ in range(2):
        assert replay(cli, event_id).startswith("0 events")
        assert translate_due(line.store) == 0
    line.post(*order(kind, 1, "paid", 9))
    translate_due(line.store)
    assert line.purchases() == [("1", "sent", "")]
    assert len(rows(line.store, "purchase")) == 1


@pytest.mark.parametrize("state", ["pending", "sending", "sent"])
def test_what_goes_on_is_let_alone(line, cli, state):
    line.tell(*order("shopify", 1, "paid"))
    if state != "pending":
        claimed = claim(line.store, lane_of(line))
        if state == "sent":
            settle(line.store, claimed)
    before = rows(line.store, "outbox")

    assert replay(cli, "purchase.1").startswith("0 events")

    assert rows(line.store, "outbox") == before
    assert rows(line.store, "purchase") != []
    assert translate_due(line.store) == 0


def test_the_toggle_of_now_counts(line, cli):
    bury(line)
    line.route(toggles={"Purchase": False})

    replay(cli, "--state", "dead")
    translate_due(line.store)

    assert line.purchases() == [("1", "skipped", "toggled_off")]
    assert rows(line.store, "purchase") == []


def test_the_plan_of_now_counts_both_ways(line, cli):
    line.tell(*order("shopify", 1, "paid", consent=None))
    [(_, state, reason)] = line.purchases()
    assert (state, reason.startswith("consent")) == ("skipped", True)
    apply(line.store, ANY_CONSENT)
    replay(cli, "--reason", reason)
    translate_due(line.store)
    assert line.pending() == ["purchase.1"]
    settle(line.store, claim(line.store, lane_of(line)), "dead", reason="x")
    apply(line.store, '[consent]\nunknown_optin = "skip"\n')

    replay(cli, "--state", "dead")
    translate_due(line.store)

    assert line.purchases() == [("1", "skipped", reason)]


def test_a_denial_stays_a_denial(line, cli):
    line.tell(*order("shopify", 1, "paid", consent="v1;marketing=0;sale=0;ts=1795423777000"))
    before = line.purchases()
    apply(line.store, ANY_CONSENT)

    replay(cli, "--state", "skipped")
    translate_due(line.store)

    assert line.purchases() == before
    assert line.pending() == []


def test_an_order_that_was_cancelled_since_is_not_sent(line, cli):
    bury(line)
    line.post(*order("shopify", 1, "cancelled", 30))
    translate_due(line.store)

    replay(cli, "purchase.1")
    translate_due(line.store)

    assert line.purchases() == [("1", "skipped", "cancelled")]


def test_what_is_too_old_expires_again(line, cli, clock):
    bury(line)
    clock.move(8 * 86_400)

    replay(cli, "purchase.1")
    translate_due(line.store)

    assert line.purchases() == [("1", "expired", "expired")]


def test_what_is_no_longer_held_raw_is_counted_and_left(line, cli):
    bury(line, 1)
    bury(line, 2)
    with line.store.database.write() as connection:
        body = schema.delivery_body
        connection.execute(delete(body).where(body.c.delivery_id == 1))

    said = replay(cli, "--state", "dead")

    assert said.startswith("1 events")
    assert said.strip().endswith("1 are no longer held raw")
    translate_due(line.store)
    assert [state for _, state, _ in line.purchases()] == ["dead", "pending"]


def test_what_may_have_been_sent_is_sent_again_only_by_name(line, cli, clock):
    bury(line, reason="unknown_outcome")
    with line.store.database.write() as connection:
        connection.execute(update(schema.outbox).values(ambiguous_at=NOW - 50 * 3600 * SECOND))

    assert_one_sentence(cli("replay", "--state", "dead", "--yes"), "nothing fits")
    replay(cli, "purchase.1")
    translate_due(line.store)

    assert len(claim(line.store, lane_of(line)).events) == 1


def test_what_another_event_was_sent_for_is_not_sent_again(line, cli):
    line.tell(*order("shopify", 1, "paid"))
    settle(line.store, claim(line.store, lane_of(line)))
    with line.store.database.write() as connection:  # as after a restore of an older backup
        connection.execute(
            update(schema.outbox).values(state="skipped", reason="decided_before", curable=False)
        )

    assert_one_sentence(cli("replay", "--state", "skipped", "--yes"), "nothing fits")
    assert replay(cli, "purchase.1").startswith("0 events")
    translate_due(line.store)

    assert line.purchases() == [("1", "skipped", "decided_before")]
    assert len(rows(line.store, "purchase")) == 1


def test_a_dead_delivery_is_translated_again(line, cli):
    case = DELIVERIES / "shopify" / "orders_paid"
    told = Delivery(topic="orders/paid", key="k", body=(case / "body.json").read_bytes())
    line.store.intake.put(line.source.id, told, NOW, "fault")
    assert line.ends() == [("dead", "fault")]

    said = replay(cli, "--delivery", "1", "--delivery", "99")

    assert said.startswith("0 events and 1 dead deliveries")
    translate_due(line.store)
    assert line.ends() == [("translated", "")]
    assert len(line.pending()) == 1


def test_a_delivery_that_is_not_dead_is_not_translated_again(line, cli):
    line.tell(*order("shopify", 1, "paid"))

    replay(cli, "--delivery", "1")

    assert translate_due(line.store) == 0


def test_many_are_replayed_in_parts(line, cli):
    for number in range(1, 451):
        line.post(*order("shopify", number, "paid"))
    translate_due(line.store)
    while (claimed := claim(line.store, lane_of(line))).events:
        settle(line.store, claimed, "dead", reason="x")

    assert replay(cli, "--state", "dead").startswith("450 events")
    translate_due(line.store)

    assert len(line.pending()) == 450


def test_nothing_that_fits_is_told(line, cli):
    assert_one_sentence(cli("replay", "purchase.none", "--yes"), "nothing fits")
    assert_one_sentence(cli("replay"), "nothing fits")


def test_who_does_not_say_yes_changes_nothing(line, cli, monkeypatch):
    bury(line)

    assert cli("replay", "--state", "dead").code == 1
    assert line.purchases()[0][1] == "dead"


def test_a_replay_is_audited(line, cli):
    bury(line)

    replay(cli, "--state", "dead")

    assert ("events.replayed", "1 events", "dead") in rows(
        line.store, "audit", "action", "subject", "detail"
    )


def test_the_dead_are_listed(line, cli):
    bury(line)
    line.post("orders/paid", b"{")
    translate_due(line.store)

    listed = cli("dead", "--json").json
    table = cli("dead").out

    assert [one["event_id"] for one in listed["events"]] == ["purchase.1"]
    assert [one["reason"] for one in listed["deliveries"]] == ["not_json"]
    assert "purchase.1" in table
    assert "not_json" in table


def test_a_replay_leaves_other_destinations_of_the_order_alone(store: Store, cli):
    line = connect(store, "shopify", datasets=("one", "two"))
    line.tell(*order("shopify", 1, "paid"))
    settle(store, claim(store, lane_of(line)), "dead", reason="x")
    other = Lane(destination_id=line.destinations[1].id, mode="live")
    settle(store, claim(store, other))

    assert replay(cli, "purchase.1").startswith("1 events")
    translate_due(store)

    assert sorted(rows(store, "outbox", "destination_id", "state")) == [
        (line.destinations[0].id, "pending"),
        (line.destinations[1].id, "sent"),
    ]
