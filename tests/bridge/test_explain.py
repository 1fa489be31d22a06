"""The story of one event: what it tells, what it covers, and that nothing stops it."""

import json
from decimal import Decimal

import pytest
from sqlalchemy import text

from bridge import plan as plans
from bridge.events import Outcome, Receipt
from bridge.explain import COVERED, explain, masked
from bridge.secrets import Vault
from bridge.store import Lane, Settled, Store
from tests.bridge.translate.line import ANY_CONSENT, apply, connect
from tests.bridge.translate.shops import SHOPS, order
from tests.stores import rows

NET = '[value]\ntax = false\nshipping = false\n[consent]\nunknown_optin = "send"\n'
CANARIES = (
    "canary@example.com", "+4915112345678", "203.0.113.9", "Mozilla/5.0 canary",
    "fb.1.1795423777000.canary", "Canary Street",
)  # fmt: skip


@pytest.fixture(params=SHOPS)
def line(request, store):
    return connect(store, request.param, plan=ANY_CONSENT)


def told(line, *details, **more):
    """Tell one order and return the id of its outbox row."""
    line.tell(*order(line.source.kind, *details, **more))
    return max(rows(line.store, "outbox", "id"))


def answer(store, row_id, receipt, state, **changes):
    """Let the platform answer to the event."""
    (destination_id,) = rows(store, "destination", "id")
    claim = store.outbox.claim(Lane(destination_id=destination_id, mode="live"), 10, store.now())
    settled = Settled(**{"id": row_id, "state": state, "reason": receipt.reason, **changes})
    store.outbox.settle(
        claim, [settled], receipt, sent_at=store.now(), duration_ms=7, now=store.now()
    )


def test_a_paid_order_is_told_from_its_arrival_to_its_payload(line):
    found = explain(line.store, told(line, 1001, "paid"))

    (delivery,) = found.deliveries
    assert (delivery["verdict"], delivery["order_state"], delivery["raw"]) == ("send", "paid", True)
    assert (found.source["name"], found.destination["name"]) == ("shop", "dataset")
    assert found.trace["consent"]["rule"] == "granted"
    assert found.payload["event_name"] == "Purchase"
    assert (found.attempts, found.related, found.plan_is_newer) == ([], [], False)
    assert not found.may_be_replayed


def test_the_value_is_told_line_by_line_while_the_raw_delivery_is_held(store, line):
    apply(store, NET)
    row_id = told(line, 1001, "paid")
    before = explain(store, row_id).value
    with store.database.write() as connection:
        connection.execute(text("DELETE FROM delivery_body"))
    after = explain(store, row_id).value

    assert {label for label, _ in before.lines} >= {"total", "tax"}
    assert sum(amount for _, amount in before.lines) == Decimal(before.value) == before.total
    assert before.agrees
    assert (after.value, after.currency) == (before.value, before.currency)
    assert (list(after.lines), after.total, after.agrees) == ([], None, True)


def test_a_value_that_the_plan_of_now_would_count_otherwise_says_so(store, line):
    row_id = told(line, 1001, "paid")
    apply(store, NET)
    found = explain(store, row_id)

    assert found.plan_is_newer
    assert not found.value.agrees


def test_every_delivery_of_an_order_is_told_in_turn(line):
    told(line, 1001, "placed", 1)
    row_id = told(line, 1001, "paid", 2)
    found = explain(line.store, row_id)

    assert [row["order_state"] for row in found.deliveries] == ["placed", "paid"]
    assert found.deliveries[0]["reason"] == "not_paid"


def test_every_answer_is_told_also_those_before_the_last(store, line):
    row_id = told(line, 1001, "paid")
    busy = Receipt(outcome=Outcome.RETRY, status=500, reason="http_500", trace_id="A1")
    taken = Receipt(outcome=Outcome.ACCEPTED, status=200, accepted=1, trace_id="A2")
    answer(store, row_id, busy, "pending", next_at=store.now())
    answer(store, row_id, taken, "sent")

    assert [row["trace_id"] for row in explain(store, row_id).attempts] == ["A1", "A2"]


def test_what_was_not_sent_may_be_replayed_while_it_is_held_raw(store, line):
    row_id = told(line, 1001, "paid", consent="v1;marketing=0;sale=0;ts=1795423777000")
    assert explain(store, row_id).may_be_replayed
    store.replays.replay_events([row_id])
    assert not explain(store, row_id).may_be_replayed
    with store.database.write() as connection:
        connection.execute(text("UPDATE outbox SET reason = 'consent_denied'"))
        connection.execute(text("DELETE FROM delivery_body"))

    assert not explain(store, row_id).may_be_replayed


def test_the_same_order_at_another_destination_is_related(store):
    line = connect(store, "shopify", datasets=("dataset", "second"), plan=ANY_CONSENT)
    row_id = told(line, 1001, "paid")

    assert len(explain(store, row_id).related) == 1


def test_an_event_that_is_gone_has_no_story(store):
    assert explain(store, 1) is None


def test_an_adapter_that_fails_and_a_lost_key_cost_the_lines_and_not_the_story(
    store, store_url, line
):
    row_id = told(line, 1001, "paid")
    with store.database.write() as connection:
        connection.execute(text("UPDATE source SET kind = 'nobody'"))
    assert list(explain(store, row_id).value.lines) == []
    stranger = Store(store_url, Vault("another key that opens nothing here"))
    found = explain(stranger, row_id)
    stranger.close()

    assert (found.payload, found.value.value) == (None, explain(store, row_id).value.value)


def test_a_damaged_delivery_costs_the_lines_and_not_the_story(store, line):
    row_id = told(line, 1001, "paid")
    with store.database.write() as connection:
        connection.execute(text("UPDATE delivery_body SET body = :body"), {"body": b"x" * 40})

    assert list(explain(store, row_id).value.lines) == []


def test_an_event_that_its_delivery_does_not_tell_alone_keeps_its_value(store, line):
    row_id = told(line, 1001, "paid")
    with store.database.write() as connection:
        connection.execute(text("UPDATE outbox SET event_id = 'cart.elsewhere'"))

    found = explain(store, row_id).value
    assert (list(found.lines), found.value is None) == ([], False)


def test_a_payload_is_shown_with_its_people_covered():
    payload = {
        "event_name": "Purchase",
        "event_id": "purchase.1",
        "event_source_url": "https://shop.example/canary@example.com?x=1",
        "referrer_url": "Canary Street",
        "user_data": {
            "em": ["a" * 64],
            "ph": CANARIES[1],
            "client_ip_address": CANARIES[2],
            "client_user_agent": CANARIES[3],
            "fbp": CANARIES[4],
            "order_id": {"deep": CANARIES[5]},
            "value": CANARIES[5],
        },
        "custom_data": {
            "value": 9.9,
            "contents": [{"id": "sku", "quantity": 1, "title": "Canary Street"}],
            "note": "Canary Street",
        },
        "unknown": {"deeper": [CANARIES[0]]},
    }
    found = masked(json.dumps(payload).encode())

    assert found["user_data"]["em"] == ["aaaaaa…"]
    assert found["user_data"]["fbp"] == found["custom_data"]["note"] == COVERED
    assert found["event_source_url"] == "https://shop.example/…"
    assert found["custom_data"]["contents"] == [{"id": "sku", "quantity": 1, "title": COVERED}]
    assert (found["event_id"], found["custom_data"]["value"]) == ("purchase.1", 9.9)
    assert not [canary for canary in CANARIES if canary in repr(found)]


@pytest.mark.parametrize("payload", [b"", b"[]", b"\xff", b'"canary"', b"1"])
def test_a_payload_that_is_no_event_shows_nothing(payload):
    assert masked(payload) == {}


def test_no_story_holds_what_a_person_said(line):
    found = explain(line.store, told(line, 1001, "paid"))
    raw = line.store.translations.delivery(found.deliveries[0]["delivery_id"]).delivery.body
    people = json.loads(raw)["billing_address" if line.source.kind == "shopify" else "billing"]

    shown = repr((found, found.payload)).casefold()
    names = ("first_name", "last_name", "address1", "address_1", "phone", "email")
    said = [people[name] for name in names if people.get(name)]
    assert said
    assert [one for one in said if one.casefold() in shown] == []


def test_the_built_in_plan_explains_where_none_was_applied(store):
    line = connect(store, "shopify")
    found = explain(store, told(line, 1001, "paid"))

    assert found.event["plan_digest"] == plans.digest(plans.default_text())
    assert not found.plan_is_newer
