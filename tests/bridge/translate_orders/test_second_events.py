"""Beside the purchase: subscriptions, registrations, and refunds that name their purchase."""

import json

import pytest

from bridge import care, registry
from bridge.events import Occasion, OrderState, Redaction, UserData
from bridge.store import Erasure
from bridge.translate import translate_due
from tests.bridge.translate.bogus import FAULTS, event, shop
from tests.bridge.translate.line import ANY_CONSENT, apply, connect
from tests.bridge.translate.shops import DENIED, GRANTED, SHOPS, event_id_of, order, recorded
from tests.stores import rows

from .sight import payload, states

SUBSCRIBE = '[events]\noff = ["refund"]\n'
REFUNDS = "[events]\noff = []\n"
REFUND_ID = "refund.912345678101"


def subscription(line, order_id=1, state="paid", minute=1, **more):
    topic, body = order(line.source.kind, order_id, state, minute, **more)
    body["line_items"][0]["selling_plan_id"] = 7
    line.tell(topic, body)


def refund(line, order_id=1):
    body = recorded("shopify/refunds_create_partial")
    body |= {"order_id": order_id, "created_at": "2026-11-23T15:00:00+00:00"}
    line.post("refunds/create", body)
    translate_due(line.store)


def test_by_default_a_subscription_is_a_purchase_and_nothing_else(store):
    line = connect(store, "shopify")
    subscription(line)

    assert states(line) == {
        "purchase.1": ("Purchase", "pending", ""),
        "subscribe.1": ("Subscribe", "skipped", "event_off"),
    }


def test_switched_on_its_start_is_an_event_of_its_own(store):
    line = connect(store, "shopify", plan=SUBSCRIBE + "[value.Subscribe]\npredicted_ltv = 3\n")
    subscription(line)

    purchase = payload(line, "purchase.1")
    started = payload(line, "subscribe.1", "Subscribe")
    assert started["custom_data"]["value"] == purchase["custom_data"]["value"]
    assert started["custom_data"]["predicted_ltv"] == 3 * purchase["custom_data"]["value"]
    assert "predicted_ltv" not in purchase["custom_data"]
    assert started["event_name"] == "Subscribe"


def test_the_start_of_a_subscription_keeps_its_id_beside_a_pixels(store):
    line = connect(store, "shopify", plan=SUBSCRIBE)
    subscription(line, event_id="pixel-1")

    assert sorted(states(line)) == ["pixel-1", "subscribe.1"]


def test_both_are_sent_once_however_often_they_are_told(store):
    line = connect(store, "shopify", plan=SUBSCRIBE)
    for minute, state in ((1, "placed"), (2, "paid"), (3, "paid")):
        subscription(line, state=state, minute=minute)

    assert {one[1:] for one in states(line).values()} == {("pending", "")}


def test_a_toggle_switches_one_off_and_not_the_other(store):
    line = connect(store, "shopify", plan=SUBSCRIBE)
    line.route(toggles={"Subscribe": False})
    subscription(line)

    assert states(line)["purchase.1"][1:] == ("pending", "")
    assert states(line)["subscribe.1"][1:] == ("skipped", "toggled_off")


def test_a_refund_is_off_by_default(store):
    line = connect(store, "shopify")
    line.tell(*order("shopify", 1, "paid"))
    refund(line)

    assert states(line)[REFUND_ID] == ("Refund", "skipped", "event_off")


WHO = '[who]\nuser_data = ["email", "client_user_agent", "fbp", "city"]\n'
BROWSERS = {"client_ip_address", "client_user_agent", "fbp", "fbc"}


@pytest.mark.parametrize("in_one_batch", [True, False])
def test_a_refund_follows_its_purchase_and_is_about_the_same_person(store, in_one_batch):
    line = connect(store, "shopify", plan=REFUNDS + WHO)
    line.post(*order("shopify", 1, "paid"))
    if not in_one_batch:
        translate_due(store)
    refund(line)

    purchase, told = payload(line, "purchase.1"), payload(line, REFUND_ID, "Refund")
    told_of = {key: purchase["user_data"][key] for key in ("em", "ct")}
    assert told["user_data"] == told_of
    assert told["custom_data"]["value"] > 0
    assert told["original_event_data"] == {
        "event_name": "Purchase",
        "event_time": purchase["event_time"],
        "event_id": "purchase.1",
        "order_id": "1",
    }
    keys = rows(store, "outbox", "email_key", "phone_key", "customer_key")
    assert keys[0] == keys[1]
    proofs = [json.loads(trace)["consent"] for trace in rows(store, "outbox", "trace")]
    assert proofs[0] == proofs[1]


def test_a_refund_takes_no_more_than_the_plan_of_now_allows(store):
    line = connect(store, "shopify", plan=REFUNDS)
    line.tell(*order("shopify", 1, "paid"))
    apply(store, REFUNDS + '[who]\nuser_data = ["phone", "client_user_agent"]\n')
    refund(line)

    assert set(payload(line, "purchase.1")["user_data"]) > BROWSERS - {"fbp", "fbc"}
    assert set(payload(line, REFUND_ID, "Refund")["user_data"]) == {"ph"}


def test_limited_data_use_counts_for_the_refund_too(store):
    topic, body = order("shopify", 1, "paid", consent="v1;marketing=1;sale=0;ts=1795423777000")
    body["billing_address"] |= {"country_code": "US", "province_code": "OR"}
    line = connect(store, "shopify", plan=REFUNDS)
    line.tell(topic, body)
    refund(line)

    told = payload(line, REFUND_ID, "Refund")
    assert told["data_processing_options"] == ["LDU"]
    assert told["data_processing_options_state"] == 1004


@pytest.mark.parametrize(
    ("state", "consent"), [("placed", GRANTED), ("paid", DENIED), ("paid", None)]
)
def test_without_a_purchase_that_was_sent_there_is_no_refund(store, state, consent):
    line = connect(store, "shopify", plan=REFUNDS)
    line.tell(*order("shopify", 1, state, consent=consent))
    refund(line)

    assert states(line)[REFUND_ID] == ("Refund", "skipped", "purchase_not_sent")


@pytest.mark.parametrize(("mode", "reason"), [("shadow", "shadow"), ("live", "purchase_not_sent")])
def test_what_ran_in_the_shadow_is_given_back_in_the_shadow_alone(store, mode, reason):
    line = connect(store, "shopify", plan=REFUNDS)
    line.route(mode="shadow")
    line.tell(*order("shopify", 1, "paid"))
    line.route(mode=mode)
    refund(line)

    assert states(line)[REFUND_ID] == ("Refund", "skipped", reason)


def test_a_denial_takes_back_the_refund_that_followed_its_purchase(store):
    line = connect(store, "shopify", plan=REFUNDS)
    line.tell(*order("shopify", 1, "paid", 1))
    refund(line)
    assert states(line)[REFUND_ID] == ("Refund", "pending", "")

    line.tell(*order("shopify", 1, "refunded", 2, consent=DENIED))

    assert states(line)[REFUND_ID] == ("Refund", "skipped", "consent_denied")
    assert rows(store, "payload") == []


def test_each_refund_of_an_order_that_lists_them_is_told_once(store):
    line = connect(store, "woocommerce", plan=REFUNDS)
    line.tell(*order("woocommerce", 1, "paid", 1))
    for minute, ids in ((2, (77,)), (3, (78, 77)), (4, (78, 77))):
        topic, body = order("woocommerce", 1, "paid", minute)
        line.tell(topic, body | {"refunds": [{"id": one, "total": f"-{one}.50"} for one in ids]})

    refunds = {key: told for key, told in states(line).items() if told[0] == "Refund"}
    assert set(refunds) == {"refund.shop.77", "refund.shop.78"}
    told = payload(line, "refund.shop.77", "Refund")
    assert told["custom_data"]["value"] == 77.5
    assert told["original_event_data"]["event_id"] == "purchase.shop.1"
    assert "em" in told["user_data"]
    assert not BROWSERS & told["user_data"].keys()


def test_a_refund_that_came_before_its_purchase_follows_when_it_is_told_again(store):
    line = connect(store, "woocommerce", plan=REFUNDS)
    for minute, state, end in (
        (1, "placed", ("skipped", "purchase_not_sent")),
        (2, "paid", ("pending", "")),
        (3, "paid", ("pending", "")),
    ):
        topic, body = order("woocommerce", 1, state, minute)
        line.tell(topic, body | {"refunds": [{"id": 77, "total": "-7.50"}]})
        assert states(line)["refund.shop.77"] == ("Refund", *end)


@pytest.mark.parametrize("erased_first", [True, False])
def test_what_a_purchase_lent_its_refund_is_erased_with_it(store, erased_first):
    line = connect(store, "shopify", plan=REFUNDS)
    topic, body = order("shopify", 1, "paid")
    whose = Redaction(email=body["email"])
    steps = [
        lambda: refund(line),
        lambda: care.erase(store, Erasure(id=0, source_id=None, redaction=whose, actor="")),
    ]
    line.tell(topic, body)
    for step in reversed(steps) if erased_first else steps:
        step()

    assert payload(line, REFUND_ID, "Refund") is None
    assert rows(store, "payload") == []
    assert set(rows(store, "outbox", "email_key", "phone_key")) == {(None, None)}


@pytest.fixture
def telling(store, monkeypatch):
    """Return a line of a shop whose refunds tell of whom they are."""
    find = registry.source
    monkeypatch.setattr(registry, "source", lambda kind: shop if kind == shop.kind else find(kind))
    told = {"occasion": Occasion.REFUND, "subject_id": "r1", "channel": None, "order_state": None}
    person = UserData(email="ann@mail.example", client_user_agent="Mozilla/5.0")
    website = {"user_data": person, "event_source_url": "https://shop.example/"}
    monkeypatch.setitem(FAULTS, "refund", lambda order_id: [event(order_id, **told)])
    monkeypatch.setitem(FAULTS, "paid", lambda order_id: [event(order_id, **website)])
    monkeypatch.setitem(
        FAULTS, "marked", lambda order_id: [event(order_id, **website, event_id="pixel-1")]
    )
    monkeypatch.setitem(
        FAULTS, "placed", lambda order_id: [event(order_id, order_state=OrderState.PLACED)]
    )
    return connect(store, shop.kind, settings={"secret": "hush"}, plan=REFUNDS)


@pytest.mark.parametrize(
    ("topic", "named"),
    [
        ("paid", {"event_id": "purchase.1"}),
        ("marked", {"event_id": "pixel-1"}),
    ],
)
@pytest.mark.parametrize("in_one_batch", [True, False])
def test_a_refund_names_the_purchase_that_was_let_through(telling, topic, named, in_one_batch):
    for one in (topic, "refund"):
        telling.post(one, {"id": "1"})
        if not in_one_batch:
            translate_due(telling.store)
    translate_due(telling.store)

    told = payload(telling, "refund.r1", "Refund")
    wanted = {"event_name": "Purchase", "order_id": "1", **named}
    assert told["original_event_data"].items() >= wanted.items()
    assert told["action_source"] == "system_generated"
    assert told["custom_data"] == {"value": 9.9, "currency": "EUR", "order_id": "1"}


def customer(line):
    case = "shopify/customers_create"
    if line.source.kind == "shopify":
        body = recorded(case) | {"created_at": "2026-11-23T15:00:00+00:00"}
        return "customers/create", body
    return "customer.created", recorded("woocommerce/11.0.1/160-customer.created")


@pytest.fixture(params=SHOPS)
def each_shop(request, store):
    return request.param, store


def test_a_registration_is_off_by_default(each_shop):
    line = connect(each_shop[1], each_shop[0], plan=ANY_CONSENT)
    line.tell(*customer(line))

    [(name, state, reason)] = states(line).values()
    assert (name, state, reason) == ("CompleteRegistration", "skipped", "event_off")


def test_a_registration_counts_where_the_plan_says_so(each_shop):
    plan = ANY_CONSENT + '[events]\noff = []\n[channels.web]\naction_source = "other"\n'
    line = connect(each_shop[1], each_shop[0], plan=plan)
    line.tell(*customer(line))

    [(name, state, reason)] = states(line).values()
    assert (name, state, reason) == ("CompleteRegistration", "pending", "")


def test_an_account_of_the_shops_own_people_is_excluded_by_its_role(store):
    plan = ANY_CONSENT + '[events]\noff = []\n[who]\nexclude_roles = ["Customer"]\n'
    line = connect(store, "woocommerce", plan=plan)
    line.tell(*customer(line))

    [(_, state, reason)] = states(line).values()
    assert (state, reason) == ("skipped", "excluded:role")


def test_event_ids_are_the_public_formula(each_shop):
    line = connect(each_shop[1], each_shop[0])
    line.tell(*order(each_shop[0], 1, "paid"))

    assert line.pending() == [event_id_of(each_shop[0], 1)]
