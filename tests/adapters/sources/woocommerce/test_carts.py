"""Carts and checkouts of the companion plug-in, its experimental form, and drafts of orders."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.sources.woocommerce import adapter
from bridge.events import Channel, Consent, Delivery, Occasion, TranslationError, UserData

DELIVERIES = Path(__file__).parents[3] / "deliveries" / "woocommerce"
ADDED = DELIVERIES / "companion/01-granted-item-added/body.json"
STARTED = DELIVERIES / "companion/03-granted-checkout-started/body.json"


def tell(topic, body, **settings):
    delivery = Delivery(topic=topic, key="k", body=json.dumps(body).encode())
    (event,) = adapter.translate(delivery, {"secret": "x", **settings})
    return event


@pytest.fixture
def added():
    return json.loads(ADDED.read_bytes())


@pytest.fixture
def started():
    return json.loads(STARTED.read_bytes())


def test_the_value_of_an_added_item_is_its_own_and_not_the_carts(added):
    event = tell("cart.item_added", added)

    assert event.occasion == Occasion.CART_ADDED
    assert event.channel is Channel.WEB
    assert event.basket.amounts.total == Decimal("29.80")
    assert [(line.quantity, line.price) for line in event.basket.contents] == [
        (2, Decimal("14.90"))
    ]


def test_an_item_is_told_under_the_id_of_its_capture(added):
    assert tell("cart.item_added", added).subject_id == added["id"]


def test_a_checkout_holds_all_lines_and_adds_up(started):
    event = tell("checkout.started", started)
    amounts = event.basket.amounts
    parts = amounts.items - amounts.discount + amounts.shipping + amounts.fees + amounts.tax

    assert event.occasion == Occasion.CHECKOUT_STARTED
    assert len(event.basket.contents) == 2
    assert amounts.total == parts


def test_the_visitor_is_told_as_the_browser_was(added):
    assert tell("cart.item_added", added).user_data == UserData(
        client_ip_address=added["visitor"]["ip"],
        client_user_agent=added["visitor"]["user_agent"],
        fbp="fb.1.1795426800000.1122334455",
        fbclid="IwAR0Companion42",
        fbclid_at=datetime(2026, 11, 23, 21, 40, 12, tzinfo=UTC),
    )


@pytest.mark.parametrize("visitor", [{}, [], None, "x"])
def test_a_visitor_who_was_left_out_is_nobody(added, visitor):
    event = tell("cart.item_added", {**added, "visitor": visitor})

    assert event.user_data == UserData()
    assert event.event_source_url is None


@pytest.mark.parametrize(
    ("marketing", "sale", "wanted"),
    [(True, None, (True, None)), (False, False, (False, False)), (1, "no", (None, None))],
)
def test_consent_is_told_with_its_source_and_time(added, marketing, sale, wanted):
    said = {"marketing": marketing, "sale": sale, "source": "my_banner", "at": 1795426815000}
    told = tell("cart.item_added", {**added, "consent": said}).consent

    assert told == Consent(
        marketing=wanted[0],
        sale_of_data=wanted[1],
        source="companion:my_banner",
        at=datetime(2026, 11, 23, 9, 40, 15, tzinfo=UTC),
    )


def test_a_body_without_consent_says_nothing(added):
    del added["consent"]

    assert tell("cart.item_added", added).consent is None


@pytest.mark.parametrize("key", ["", "42", "A" * 32, None, 7, "g" * 32])
def test_a_key_that_could_be_guessed_joins_nothing(added, key):
    assert tell("cart.item_added", {**added, "cart": key}).visitor_keys == ()


@pytest.mark.parametrize(
    ("country", "setting", "wanted"),
    [("FR", "", "FR"), ("fr", "DE", "FR"), ("", "", "DE"), ("", "AT", None), ("France", "", None)],
)
def test_a_visitor_lives_where_the_shop_is_unless_somebody_knows_better(
    added, country, setting, wanted
):
    event = tell("cart.item_added", {**added, "country": country}, shop_country=setting)

    assert event.country == wanted


def test_a_capture_that_was_forgotten_is_dead():
    with pytest.raises(TranslationError) as caught:
        tell("cart.item_added", {"id": "0" * 32, "expired": True})

    assert caught.value.reason == "capture_expired"


def test_a_body_without_a_time_is_dead(added):
    with pytest.raises(TranslationError) as caught:
        tell("cart.item_added", {**added, "at": "now"})

    assert caught.value.reason == "no_time"


def test_the_whole_visit_shares_one_key():
    names = ("01-granted-item-added", "03-granted-checkout-started", "05-granted-order-paid")
    topics = ("cart.item_added", "checkout.started", "order.paid")
    bodies = [json.loads((DELIVERIES / "companion" / n / "body.json").read_bytes()) for n in names]
    keys = [tell(topic, body).visitor_keys for topic, body in zip(topics, bodies, strict=True)]

    assert set(keys[0]) == set(keys[1]) == set(keys[2]) - {f"order:{bodies[2]['order_key']}"}


def test_a_renewal_does_not_inherit_the_key_of_the_first_cart(order):
    order["meta_data"] += [
        {"key": "_bridge_cart", "value": "a" * 32},
        {"key": "_subscription_renewal", "value": "7"},
    ]

    assert tell("order.updated", order).visitor_keys == (f"order:{order['order_key']}",)


@pytest.mark.parametrize("name", ["135-cart.item_added", "147-cart.item_added"])
def test_the_experimental_item_is_read_as_far_as_it_goes(name):
    body = json.loads((DELIVERIES / "11.0.1" / name / "body.json").read_bytes())
    event = tell("cart.item_added", body)

    assert event.subject_id == body["id"]
    assert event.basket.amounts.total == Decimal(str(body["added"]["price"]))
    assert event.user_data.client_ip_address == body["ip"]
    assert event.consent == Consent(source="companion")


def test_the_experimental_checkout_is_read_as_far_as_it_goes():
    body = json.loads((DELIVERIES / "11.0.1/138-checkout.started/body.json").read_bytes())
    event = tell("checkout.started", body)

    assert event.basket.amounts.total == Decimal("54.65")
    assert [line.price for line in event.basket.contents] == [
        Decimal("16.722689"),
        Decimal("12.521008"),
    ]


@pytest.fixture
def draft(order):
    return {**order, "status": "checkout-draft"}


def test_a_draft_is_an_order_that_is_not_paid_unless_drafts_begin_checkouts(draft):
    for settings in ({}, {"draft_checkouts": "off"}):
        event = tell("order.updated", draft, **settings)

        assert (event.occasion, event.order_state) == (Occasion.PURCHASE, "draft")


def test_a_draft_begins_a_checkout_without_what_was_typed(draft):
    event = tell("order.updated", draft, draft_checkouts="on")
    told = {name for name, value in vars(event.user_data).items() if value}

    assert event.occasion == Occasion.CHECKOUT_STARTED
    assert event.subject_id == str(draft["id"])
    assert event.order_id is None
    assert len(event.basket.contents) == 2
    assert event.country == "DE"
    assert told <= {
        "client_ip_address", "client_user_agent", "fbp", "fbc", "fbclid", "fbclid_at",
    }  # fmt: skip


def test_a_placed_order_is_no_checkout(order):
    assert tell("order.updated", order, draft_checkouts="on").occasion == Occasion.PURCHASE
