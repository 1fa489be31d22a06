"""Shopify: refunds, customers, erasure and the end of access."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bridge.events import DataRequest, Disconnected, Occasion, OrderCancelled, Redaction

from .shop import outcome, recorded, translate

REFUND = recorded("refunds_create_partial")
TRANSFER = REFUND["transactions"][0]


def refunded(*transactions: dict[str, object]) -> list:
    return translate("refunds/create", {**REFUND, "transactions": list(transactions)})


def test_a_refund_tells_the_money_that_moved():
    other = {**TRANSFER, "amount": "10.00"}
    failed = {**TRANSFER, "status": "failure"}
    kept = {**TRANSFER, "kind": "capture"}

    [event] = refunded(TRANSFER, other, failed, kept)

    assert (event.occasion, event.subject_id) == (Occasion.REFUND, "912345678101")
    assert event.order_id == "6104532287601"
    assert event.event_time == datetime(2026, 11, 29, 9, 14, 27, tzinfo=UTC)
    assert (event.basket.amounts.total, event.basket.amounts.currency) == (Decimal("41.41"), "EUR")


@pytest.mark.parametrize(
    "change", [{"status": "pending"}, {"kind": "void"}, {"amount": "0.00"}, {"amount": "x"}]
)
def test_a_refund_without_moved_money_tells_nothing(change):
    assert refunded({**TRANSFER, **change}) == []
    assert refunded() == []


def test_a_refund_in_two_currencies_has_no_total():
    [event] = refunded(TRANSFER, {**TRANSFER, "currency": "USD"})

    assert event.basket.amounts is None


def test_a_refund_of_a_test_payment_is_a_test():
    assert refunded({**TRANSFER, "test": True})[0].test
    assert not refunded(TRANSFER)[0].test


def test_a_new_customer_is_a_registration_with_their_data():
    [event] = translate("customers/create", recorded("customers_create"))

    assert (event.occasion, event.subject_id) == (Occasion.CUSTOMER_REGISTERED, "7412345678920")
    assert event.user_data.email == "lea.probst@example.com"
    assert (event.user_data.city, event.user_data.customer_id) == ("Wien", "7412345678920")
    assert event.country == "AT"
    assert event.consent is None


def test_a_deleted_order_is_cancelled():
    assert translate("orders/delete", {"id": 7}) == [OrderCancelled(order_id="7")]


def test_a_customers_redaction_names_customer_and_all_orders():
    body = recorded("customers_redact")
    many = list(range(1, 2_001))

    assert translate("customers/redact", {**body, "orders_to_redact": many}) == [
        Redaction(
            customer_id="7412345678901",
            email="Juergen.Muessig@Example.com",
            phone="+491713920000",
            order_ids=tuple(map(str, many)),
        )
    ]


def test_a_redaction_without_a_customer_still_names_its_orders():
    body = {**recorded("customers_redact"), "customer": None}

    assert translate("customers/redact", body)[0].order_ids[0] == "6104532287601"


def test_a_redaction_of_nobody_is_a_dead_letter():
    body = {**recorded("customers_redact"), "customer": {}, "orders_to_redact": None}

    assert outcome("customers/redact", body)[1].reason == "nobody_named"


def test_only_a_body_that_names_nothing_but_the_shop_erases_all():
    assert translate("shop/redact", recorded("shop_redact")) == [Redaction(whole_shop=True)]
    for case in ("customers_redact", "customers_data_request", "app_uninstalled", "orders_create"):
        assert outcome("shop/redact", recorded(case))[1].reason == "not_a_shop_redaction"


def test_a_data_request_tells_who_asks_under_which_number():
    assert translate("customers/data_request", recorded("customers_data_request")) == [
        DataRequest(
            request_id="99123",
            customer_id="7412345678901",
            email="Juergen.Muessig@Example.com",
            phone="+491713920000",
        )
    ]


def test_a_data_request_that_lost_its_parts_is_still_one():
    body = {"shop_domain": "a.myshopify.com", "data_request": 7, "customer": []}

    assert translate("customers/data_request", body) == [DataRequest()]


def test_an_uninstalled_app_is_disconnected():
    [fact] = translate("app/uninstalled", recorded("app_uninstalled"))

    assert fact == Disconnected(at=datetime(2026, 11, 23, 9, 14, 27, tzinfo=UTC))


@pytest.mark.parametrize(
    ("topic", "case"),
    [("refunds/create", "refunds_create_partial"), ("customers/create", "customers_create")],
)
def test_without_any_time_there_is_no_event(topic, case):
    body = {**recorded(case), "created_at": None, "processed_at": "yesterday"}

    assert outcome(topic, body)[1].reason == "no_created_at"
