"""Who is new: by the shop's word, or by the orders that were seen here before."""

import pytest

from bridge.translate import translate_due
from tests.bridge.translate.line import apply, connect
from tests.bridge.translate.shops import SHOPS, event_id_of, order
from tests.stores import rows

from .sight import payload

LEDGER = '[who]\ncustomers = "ledger"\n'
ONLY_NEW = LEDGER + "new_customers_only = true\n"
NOT_NEW = ("skipped", "excluded:not_new")
SENT = ("pending", "")


@pytest.fixture(params=SHOPS)
def line(request, store):
    return connect(store, request.param, plan=ONLY_NEW)


def bought(line, order_id, state="paid", *, email="ann@mail.example", customer=None, cash=False):
    """Receive and translate an order of a buyer with this e-mail address or customer id."""
    topic, body = order(line.source.kind, order_id, state)
    if line.source.kind == "shopify":
        body |= {"email": email, "contact_email": email, "phone": None}
        body["customer"] = {"id": customer} if customer else None
        for address in ("billing_address", "shipping_address"):
            body[address] = {"country_code": "DE"}
        if cash:
            body["payment_gateway_names"] = ["Cash on Delivery (COD)"]
    else:
        body["billing"] |= {"email": email or "", "phone": ""}
        body["customer_id"] = customer or 0
        if cash:
            body["payment_method"] = "cod"
    line.tell(topic, body)


def ends(line):
    return [row[1:] for row in line.purchases()]


def test_the_first_order_of_a_buyer_is_sent_and_the_second_is_not(line):
    bought(line, 1)
    bought(line, 2)
    bought(line, 3, email="bob@mail.example")

    assert ends(line) == [SENT, NOT_NEW, SENT]


def test_both_orders_in_one_batch_are_told_apart(line):
    for number in (1, 2):
        line.post(*order(line.source.kind, number, "paid"))
    translate_due(line.store)

    assert ends(line) == [SENT, NOT_NEW]


def test_the_first_order_stays_the_first_however_often_it_is_told(line):
    bought(line, 1, "placed")
    bought(line, 1, "paid")

    assert ends(line) == [SENT]


def test_a_guest_with_the_same_address_is_the_buyer_with_an_account(line):
    bought(line, 1, email="ann@mail.example")
    bought(line, 2, email="ANN@mail.example", customer=77)
    bought(line, 3, email="new@mail.example", customer=77)

    assert ends(line) == [SENT, NOT_NEW, NOT_NEW]


def test_an_order_that_was_never_paid_makes_nobody_known(line):
    bought(line, 1, "placed")
    bought(line, 2, "paid")

    assert ends(line) == [("skipped", "not_paid"), SENT]


def test_cash_on_delivery_makes_a_buyer_known(line):
    bought(line, 1, "placed", cash=True)
    bought(line, 2, "paid")

    assert ends(line) == [SENT, NOT_NEW]


def test_of_whom_nothing_is_known_nobody_says_that_they_are_new(line):
    bought(line, 1, email=None)

    assert ends(line) == [NOT_NEW]


def test_the_ledger_holds_no_word_of_a_buyer(line):
    bought(line, 1, customer=77)

    keys = rows(line.store, "known_customer", "key")
    assert {len(key) for key in keys} == {16}
    assert b"ann" not in b"".join(keys)
    assert rows(line.store, "known_customer", "order_id") == ["1", "1"]


def test_a_buyer_of_one_shop_is_new_in_another(store):
    lines = [
        connect(store, "woocommerce", word=word, datasets=(word,), plan=ONLY_NEW)
        for word in ("first", "second")
    ]
    for line in lines:
        bought(line, 1)

    assert [ends(line) for line in lines] == [[SENT], [SENT]]


def test_segmentation_tells_the_dataset_who_is_new(line):
    apply(line.store, LEDGER + "segmentation = true\n")
    bought(line, 1)
    bought(line, 2)

    told = [
        payload(line, event_id_of(line.source.kind, number))["custom_data"]["customer_segmentation"]
        for number in (1, 2)
    ]
    assert told == ["new_customer_to_business", "existing_customer_to_business"]


def test_without_segmentation_nothing_of_it_is_told(line):
    bought(line, 1)

    custom_data = payload(line, event_id_of(line.source.kind, 1))["custom_data"]
    assert "customer_segmentation" not in custom_data
