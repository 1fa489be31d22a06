"""Shopify: where an order was made, how far it has come, what it is not."""

import pytest

from bridge.events import Channel, OrderState

from .shop import ABSENT, DENIED, GRANTED, attributes, order

BROWSER_FIELDS = ("client_ip_address", "client_user_agent", "fbp", "fbc", "fbclid", "fbclid_at")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", OrderState.PLACED),
        ("expired", OrderState.PLACED),
        ("authorized", OrderState.AUTHORIZED),
        ("partially_paid", OrderState.PAID),
        ("paid", OrderState.PAID),
        ("partially_refunded", OrderState.PARTIALLY_REFUNDED),
        ("refunded", OrderState.REFUNDED),
        ("voided", OrderState.CANCELLED),
        ("settled_on_mars", None),
        (None, None),
        (["paid"], None),
    ],
)
def test_the_status_in_the_body_decides(status, state):
    assert order(financial_status=status).order_state is state


def test_a_cancelled_order_is_cancelled_whatever_was_paid():
    cancelled = order(financial_status="paid", cancelled_at="2026-11-23T12:14:27+01:00")

    assert cancelled.order_state is OrderState.CANCELLED


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("web", Channel.WEB),
        ("pos", Channel.POS),
        ("iphone", Channel.POS),
        ("android", Channel.POS),
        ("shopify_draft_order", Channel.DRAFT),
        ("subscription_contract", Channel.RENEWAL),
        ("subscription_contract_checkout_one", Channel.RENEWAL),
        ("2329312", Channel.MARKETPLACE),
        ("tiktok", Channel.MARKETPLACE),
        ("", None),
        (None, None),
        (ABSENT, None),
        ({"web": 1}, None),
    ],
)
def test_the_source_tells_the_channel(source, made):
    assert order(source_name=source).channel is made


def test_a_source_that_the_merchant_lists_is_the_web():
    settings = {"web_source_names": "headless\n 2329312 "}

    assert order(settings=settings, source_name="2329312", app_id=1).channel is Channel.WEB
    assert order(settings=settings, source_name="x", app_id=2329312).channel is Channel.WEB
    assert order(settings=settings, source_name="pos", app_id=2329312).channel is Channel.POS
    assert order(settings=settings, source_name="other", app_id=2).channel is Channel.MARKETPLACE


def test_a_back_dated_order_is_an_import_but_not_at_the_till():
    long_ago = "2026-11-20T10:14:25+01:00"

    assert order(processed_at=long_ago).channel is Channel.IMPORT
    assert order(processed_at=long_ago, source_name="123").channel is Channel.IMPORT
    assert order(processed_at=long_ago, source_name="pos").channel is Channel.POS
    assert order(processed_at="2026-11-22T10:14:28+01:00").channel is Channel.WEB


@pytest.mark.parametrize("source", ["pos", "shopify_draft_order", "subscription_contract", "123"])
def test_what_a_browser_told_is_not_carried_over_to_other_channels(source):
    event = order(source_name=source)

    assert not any(getattr(event.user_data, field) for field in BROWSER_FIELDS)
    assert (event.visitor_keys, event.event_source_url, event.referrer_url) == ((), None, None)
    assert event.consent is None
    assert event.user_data.email


def test_a_denial_is_kept_on_a_renewal_and_a_grant_is_not():
    renewal = {"source_name": "subscription_contract"}

    denied = order(**renewal, note_attributes=attributes(_capi_consent=DENIED))
    granted = order(**renewal, note_attributes=attributes(_capi_consent=GRANTED))

    assert denied.consent.marketing is False
    assert granted.consent is None


def test_a_subscription_starts_on_the_web_only():
    case = "orders_create_subscription_first"

    assert order(case).subscription
    assert not order(case, source_name="subscription_contract").subscription
    assert not order(case, tags="a, subscription recurring ORDER").subscription
    assert not order().subscription


@pytest.mark.parametrize(
    "change",
    [
        {"test": True},
        {"id": 820982911946154508},
        {"email": "Jon@Example.com"},
        {"email": None, "contact_email": "jon@example.com"},
    ],
)
def test_test_orders_are_told(change):
    assert order(**change).test
    assert not order().test


@pytest.mark.parametrize(
    ("names", "cash"),
    [
        (["Cash on Delivery (COD)"], True),
        (["shopify_payments", "cash_on_delivery"], True),
        (["Nachnahme (COD)"], True),
        (["Codexpay"], False),
        (["cash"], False),
        (["Bank Deposit", None, 7], False),
        ("Cash on Delivery (COD)", False),
        (None, False),
    ],
)
def test_cash_on_delivery_is_known_by_its_name(names, cash):
    told = order(payment_gateway_names=names, financial_status="pending")

    assert told.cash_on_delivery is cash


@pytest.mark.parametrize(
    ("status", "open_"),
    [
        ("pending", True),
        ("partially_paid", True),
        ("authorized", True),
        ("voided", True),
        ("paid", False),
        ("PAID", False),
        ("partially_refunded", False),
        ("refunded", False),
    ],
)
def test_cash_on_delivery_ends_when_the_order_is_paid(status, open_):
    told = order(payment_gateway_names=["Cash on Delivery (COD)"], financial_status=status)

    assert told.cash_on_delivery is open_
    assert told.paid_at is None
