"""Shopify: a checkout is told once a token, in one currency, without its recovery key."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bridge.events import Channel, Event, Occasion, event_id

from .shop import ABSENT, DENIED, GRANTED, attributes, order, outcome, recorded, translate

CREATED_AT = datetime(2026, 11, 23, 9, 8, 27, tzinfo=UTC)
RECOVERY_KEY = "ff036c9fd67050a5a20ef0650891e0ab"


def checkout(case: str = "checkouts_create", settings: dict | None = None, **changes) -> Event:
    body = {**recorded(case), **changes}
    body = {key: value for key, value in body.items() if value is not ABSENT}
    [event] = translate("checkouts/create", body, **(settings or {}))
    assert isinstance(event, Event)
    return event


def test_all_that_is_told_of_a_checkout_has_one_id_and_one_time():
    told = [checkout(), checkout("checkouts_update_completed")]

    assert {event.event_time for event in told} == {CREATED_AT}
    assert {event_id(event.occasion, event.subject_id) for event in told} == {
        "checkout.1483d7a598ac5d960c71f2731a0ce76f"
    }
    assert {event.occasion for event in told} == {Occasion.CHECKOUT_STARTED}
    assert told[0].updated_at < told[1].updated_at


def test_the_order_has_the_visitor_keys_of_its_checkout_and_cart():
    body = recorded("checkouts_create")
    [cart] = translate("carts/create", recorded("carts_create"))

    purchase = order(cart_token=body["cart_token"], checkout_token=body["token"])

    assert purchase.visitor_keys == checkout().visitor_keys
    assert f"cart:{cart.cart_token}" in purchase.visitor_keys


@pytest.mark.parametrize("case", ["checkouts_create", "checkouts_update_completed"])
def test_the_recovery_address_never_leaves_the_adapter(case):
    event = checkout(case)

    assert RECOVERY_KEY in str(recorded(case))
    assert RECOVERY_KEY not in repr(event)
    assert "recover" not in repr(event)


def test_what_the_buyer_gave_so_far_is_told():
    person = checkout("checkouts_update_completed").user_data

    assert (person.email, person.first_name) == ("anna.muster@example.com", "Anna")
    assert (person.city, person.country) == ("München", "DE")
    assert checkout().user_data.email is None


def test_what_the_browser_handed_on_is_told():
    event = checkout(landing_site="/?fbclid=IwAR_1", note_attributes=attributes(
        _fbp="fb.1.1795166067000.1", __fbc="fb.1.1795166067000.Iw", _capi_consent=GRANTED,
    ))  # fmt: skip

    person = event.user_data
    assert (person.fbp, person.fbc) == ("fb.1.1795166067000.1", "fb.1.1795166067000.Iw")
    assert (person.fbclid, person.fbclid_at) == ("IwAR_1", CREATED_AT)
    assert (person.client_ip_address, person.client_user_agent) == (None, None)
    assert event.consent.marketing is True


def test_the_page_is_the_one_the_buyer_first_came_to():
    shop = {"storefront_url": "https://www.example.com"}

    assert checkout(settings=shop).event_source_url == (
        "https://www.example.com/products/leinenhemd"
        "?utm_source=facebook&utm_medium=paid&utm_campaign=herbst"
    )


def test_amounts_are_in_the_shops_currency():
    amounts = checkout("checkouts_update_completed").basket.amounts

    assert (amounts.currency, amounts.total) == ("EUR", Decimal("147.82"))
    assert checkout(presentment_currency=ABSENT).basket.amounts.currency == "EUR"


def test_where_the_buyers_currency_is_another_no_amount_is_told():
    event = checkout(presentment_currency="CHF")

    assert event.basket.amounts is None
    assert event.shop_basket is None
    assert [content.price for content in event.basket.contents] == [None, None]
    assert [content.quantity for content in event.basket.contents] == [2, 1]


def test_a_checkout_at_the_till_tells_nothing_of_a_browser():
    event = checkout(source_name="pos")

    assert event.channel is Channel.POS
    assert (event.user_data.fbp, event.event_source_url, event.visitor_keys) == (None, None, ())
    assert event.consent is None


def test_a_denial_is_kept_on_every_channel():
    denied = attributes(_capi_consent=DENIED)

    assert checkout(source_name="pos", note_attributes=denied).consent.marketing is False


def test_a_checkout_of_the_tests_buyer_is_a_test():
    assert checkout(email="jon@example.com").test
    assert not checkout().test


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"token": ""}, "not_a_checkout"),
        ({"financial_status": "paid"}, "not_a_checkout"),
        ({"created_at": None}, "no_created_at"),
    ],
)
def test_what_is_no_checkout_is_a_dead_letter(changes, reason):
    _, error = outcome("checkouts/update", {**recorded("checkouts_create"), **changes})

    assert error.reason == reason


@pytest.mark.parametrize("case", ["orders_create", "carts_create", "checkouts_delete"])
def test_no_other_body_passes_for_a_checkout(case):
    assert outcome("checkouts/create", recorded(case))[1].reason == "not_a_checkout"


def test_of_a_deleted_checkout_nothing_is_told():
    assert translate("checkouts/delete", recorded("checkouts_delete")) == []
