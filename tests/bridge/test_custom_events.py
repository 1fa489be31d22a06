"""Events of the plan's own: what meets every condition, under an id and a value of its own."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bridge import registry
from bridge.events import (
    Amounts,
    Basket,
    Channel,
    ConfigError,
    Consent,
    Content,
    Delivery,
    Event,
    Occasion,
    OrderState,
    UserData,
)
from bridge.plan import parse
from bridge.policy import RouteView, Send, Skip, Wait, decide, occasions
from bridge.shape import event_ids_for, shape

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
DELIVERIES = Path(__file__).parents[1] / "deliveries"
ORDER = Event(
    occasion=Occasion.PURCHASE,
    subject_id="1001",
    order_id="1001",
    topic="orders/paid",
    event_time=AT,
    created_at=AT,
    channel=Channel.WEB,
    order_state=OrderState.PAID,
    tags=("VIP", "spring"),
    country="DE",
    consent=Consent(marketing=True, source="order"),
    user_data=UserData(email="anna@example.com", client_user_agent="Own/1.0"),
    basket=Basket(
        amounts=Amounts(currency="EUR", total=Decimal(250), items=Decimal(200), tax=Decimal(50)),
        contents=(Content(product_id="9", variant_id="7", sku="HAT", price=Decimal(250)),),
    ),
)


def custom(conditions="", event=ORDER):
    """Return the plan's own events that *event* is, under one rule with *conditions*."""
    rules = parse(f'[[custom]]\nname = "BigOrder"\n{conditions}').base
    return [one for one in occasions(event, rules) if one.occasion == "BigOrder"]


def verdict(plan, event=ORDER, now=AT):
    """Return the verdict on the plan's own event."""
    rules = parse(plan).base
    own = next(one for one in occasions(event, rules) if one.occasion == rules.custom[0].name)
    return decide(
        own, rules, RouteView(), now, shop_country="DE", max_age=lambda _: timedelta(days=7)
    )


@pytest.mark.parametrize(
    ("conditions", "meets"),
    [
        ("", True),
        ('occasions = ["purchase"]', True),
        ('occasions = ["refund", "purchase"]', True),
        ('occasions = ["checkout_started"]', False),
        ("occasions = []", False),
        ('topics = ["orders/paid"]', True),
        ('topics = ["orders/create"]', False),
        ('channels = ["web", "pos"]', True),
        ('channels = ["pos"]', False),
        ('states = ["paid"]', True),
        ('states = ["refunded"]', False),
        ('tags = ["vip"]', True),
        ('tags = ["wholesale"]', False),
        ('products = ["7"]', True),
        ('products = ["9"]', True),
        ('products = ["HAT"]', True),
        ('products = ["hat", "8"]', False),
        ("min_amount = 250", True),
        ("min_amount = 250.01", False),
        ("max_amount = 250", True),
        ("max_amount = 249.99", False),
        ("min_amount = 200\nmax_amount = 300", True),
        ('tags = ["vip"]\nmin_amount = 300', False),  # every condition, not any
        ('tags = ["vip"]\nchannels = ["web"]\nproducts = ["7"]\nmin_amount = 100', True),
    ],
)
def test_an_order_meets_every_condition_or_is_none(conditions, meets):
    assert bool(custom(conditions)) is meets


def test_without_amounts_no_condition_on_amounts_is_met():
    bare = replace(ORDER, basket=Basket())

    assert not custom("min_amount = 1", bare)
    assert not custom("max_amount = 1", bare)
    assert custom("", bare)


def test_the_shops_own_event_stays_beside_it():
    rules = parse('[[custom]]\nname = "BigOrder"\n[[custom]]\nname = "AnyOrder"').base

    assert [one.occasion for one in occasions(ORDER, rules)] == ["purchase", "BigOrder", "AnyOrder"]


SHIPPED = '[events]\n"orders/fulfilled" = "Shipped"'


@pytest.mark.parametrize(
    ("plan", "topic", "found"),
    [
        (SHIPPED, "orders/fulfilled", ["purchase", "orders/fulfilled"]),
        (SHIPPED, "orders/paid", ["purchase"]),
        (SHIPPED + '\noff = ["orders/fulfilled"]', "orders/fulfilled", ["purchase"]),
        ('[events]\n"orders/fulfilled" = ""', "orders/fulfilled", ["purchase"]),
        ("", "Contact", ["purchase"]),  # a form's label is no topic of a shop
    ],
)
def test_a_topic_that_the_plan_names_is_an_event_beside_the_usual_one(plan, topic, found):
    rules = parse(plan).base

    assert [one.occasion for one in occasions(replace(ORDER, topic=topic), rules)] == found


@pytest.mark.parametrize("state", [OrderState.PAID, OrderState.PLACED, OrderState.CANCELLED, None])
def test_a_topic_of_its_own_name_is_sent_whatever_the_orders_state(state):
    rules = parse(SHIPPED).base
    told = replace(ORDER, topic="orders/fulfilled", order_state=state, visitor_keys=())
    _, own = occasions(told, rules)
    found = decide(
        own, rules, RouteView(), AT, shop_country="DE", max_age=lambda _: timedelta(days=7)
    )

    assert isinstance(found, Send)
    assert found.event_name == "Shipped"
    assert event_ids_for(own, rules, "shop", local_ids=True) == ["orders/fulfilled.shop.1001"]


def test_an_id_that_the_shop_carries_belongs_to_the_shops_own_event():
    [own] = custom(event=replace(ORDER, event_id="pixel-1"))

    assert own.event_id is None
    assert event_ids_for(own, parse("").base, "shop", local_ids=False) == ["BigOrder.1001"]


def recorded(case):
    """Return the adapter and the event of a recorded order."""
    kind, _, _ = case.partition("/")
    topic = json.loads((DELIVERIES / case / "headers.json").read_text("utf-8"))
    named = {name.lower(): value for name, value in topic.items()}
    body = (DELIVERIES / case / "body.json").read_bytes()
    found = next(value for name, value in named.items() if name.endswith("-topic"))
    adapter = registry.source(kind)
    [event] = adapter.translate(Delivery(topic=found, key="k", body=body), {})
    return adapter, event


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("shopify/orders_paid", "BigOrder.{id}"),
        ("woocommerce/11.0.1/058-order.updated", "BigOrder.shop.{id}"),
    ],
)
def test_the_id_names_the_event_and_the_order_of_either_shop(case, expected):
    adapter, told = recorded(case)
    [own] = custom('channels = ["web"]\nmin_amount = 1', told)

    [found] = event_ids_for(own, parse("").base, "shop", adapter.local_ids)
    assert found == expected.format(id=told.order_id)


def test_its_value_is_its_own():
    plan = '[[custom]]\nname = "BigOrder"\n[value.BigOrder]\ntax = false\nmultiplier = 2'
    send, rules = verdict(plan), parse(plan).base
    own = next(one for one in occasions(ORDER, rules) if one.occasion == "BigOrder")
    shaped = shape(own, send, rules, event_id="BigOrder.1001", external_id=None, now=AT)

    assert isinstance(send, Send)
    assert shaped.conversion.event_name == "BigOrder"
    assert shaped.conversion.custom_data.value == Decimal(400)


def test_its_contents_are_its_own():
    plan = (
        '[[custom]]\nname = "BigOrder"\n[contents]\nprefix = "p"\n[contents.BigOrder]\nid = "{sku}"'
    )
    rules = parse(plan).base
    found = {}
    for one in occasions(ORDER, rules):
        send = decide(
            one, rules, RouteView(), AT, shop_country="DE", max_age=lambda _: timedelta(days=7)
        )
        shaped = shape(one, send, rules, event_id="1", external_id=None, now=AT)
        found[send.event_name] = [item.id for item in shaped.conversion.custom_data.contents]

    assert found == {"Purchase": ["p7"], "BigOrder": ["pHAT"]}


def test_its_consent_is_its_own():
    plan = '[[custom]]\nname = "BigOrder"\n[consent.BigOrder]\nunknown_elsewhere = "skip"'
    unknown = replace(ORDER, country="US", consent=None)

    assert verdict(plan, unknown).reason == "consent_unknown"


@pytest.mark.parametrize(
    ("state", "reason"),
    [(OrderState.PLACED, "not_paid"), (OrderState.CANCELLED, "cancelled"), (None, "")],
)
def test_it_counts_as_the_order_does(state, reason):
    found = verdict('[[custom]]\nname = "BigOrder"', replace(ORDER, order_state=state))

    assert (found.reason if isinstance(found, Skip) else "") == reason


def test_a_plan_that_names_the_states_says_itself_which_orders_count():
    plan = '[[custom]]\nname = "SentBack"\nstates = ["refunded"]'

    assert isinstance(verdict(plan, replace(ORDER, order_state=OrderState.REFUNDED)), Send)


def test_it_is_held_back_as_its_order_is():
    found = verdict('[purchase]\nhold_minutes = 5\n[[custom]]\nname = "BigOrder"')

    assert isinstance(found, Wait)
    assert found.until == AT + timedelta(minutes=5)


def test_what_a_cart_makes_waits_for_more_as_the_cart_does():
    added = replace(ORDER, occasion=Occasion.CART_ADDED, order_state=None, event_source_url="x")
    found = verdict('[[custom]]\nname = "BigCart"\noccasions = ["cart_added"]', added)

    assert isinstance(found, Wait)
    assert found.reason == "more"


def test_a_denial_counts_for_it_too():
    denied = replace(ORDER, consent=Consent(marketing=False, source="order"))

    assert verdict('[[custom]]\nname = "BigOrder"', denied).reason == "consent_denied"


def test_a_form_may_be_one_too():
    form = replace(ORDER, occasion="QuoteAsked", order_state=None, topic="form")
    plan = '[[custom]]\nname = "Quote"\noccasions = ["QuoteAsked"]'

    assert isinstance(verdict(plan, form), Send)


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        ('[value.BigOder]\ntax = false\n[[custom]]\nname = "BigOrder"', 'did you mean "BigOrder"?'),
        ('[consent.BigOder]\nunknown_optin = "send"', 'unknown event "BigOder"'),
        ('[[custom]]\nname = ""', "a custom event needs a name"),
        ("[[custom]]\nmin_amount = 3", "a custom event needs a name"),
        ('[[custom]]\nname = "a@b"', "must be an event name"),
        ('[custom]\nname = "BigOrder"', "[[custom]]"),
        ('[[custom]]\nname = "BigOrder"\nchanels = []', 'did you mean "channels"?'),
        ('[[custom]]\nname = "BigOrder"\nchannels = ["wed"]', 'did you mean "web"?'),
        ('[[custom]]\nname = "BigOrder"\nstates = ["refundet"]', 'did you mean "refunded"?'),
        ('[[custom]]\nname = "BigOrder"\nmin_amount = -1', "must be from 0"),
        # Two events of one name would count each order twice.
        ('[[custom]]\nname = "Purchase"', "needs a name of its own"),
        ('[events]\npurchase = "Sale"\n[[custom]]\nname = "Sale"', "needs a name of its own"),
        ('[[custom]]\nname = "purchase"', "needs a name of its own"),
        ('[events]\n"orders/paid" = "Purchase"', "orders/paid needs a name that no sale has"),
        ('[contents.BigOder]\nid = "{sku}"', 'unknown event "BigOder"'),
        ('[[custom]]\nname = "Quote"\noccasions = ["Quote"]', "needs a name of its own"),
        ('[[source.x.custom]]\nname = "Purchase"', "needs a name of its own"),
        ('[[custom]]\nname = "Sale"\n[source.x.events]\npurchase = "Sale"', "name of its own"),
    ],
)
def test_a_mistake_in_the_plan_is_explained(plan, sentence):
    with pytest.raises(ConfigError) as refused:
        parse(plan)

    assert sentence in str(refused.value)
    assert "plan, line" in str(refused.value)


def test_a_source_may_have_events_of_its_own():
    plan = parse('[[custom]]\nname = "BigOrder"\n[[source.shop.custom]]\nname = "AnyOrder"')

    assert [one.name for one in plan.rules("shop").custom] == ["AnyOrder"]
    assert [one.name for one in plan.rules("other").custom] == ["BigOrder"]
