"""Shape: what of an event is sent, and under which ids."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.consent import Decision
from bridge.events import (
    Amounts,
    Basket,
    Content,
    Event,
    LimitedDataUse,
    Occasion,
    OriginalEvent,
    UserData,
)
from bridge.plan import parse
from bridge.policy import Send
from bridge.shape import Sale, clean_url, event_ids_for, external_id_for, shape

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=1)
WHOLE = UserData(
    email="a@b.de",
    phone="030 123456",
    first_name="Ada",
    last_name="Muster",
    birthday="1990-01-02",
    country="DE",
    customer_id="7",
    client_ip_address="192.0.2.1",
    client_user_agent="Mozilla/5.0",
    fbp="fb.1.1795426800000.1122334455",
    fbc="fb.1.1795426800000.IwAR0",
    fbclid="IwAR0",
    fbclid_at=EARLIER,
)
MUG = Content(
    product_id="10", variant_id="11", sku="MUG", quantity=2, price=Decimal(12), tax=Decimal(2)
)
ORDER = Event(
    occasion=Occasion.PURCHASE,
    subject_id="1",
    order_id="1",
    order_number="#1001",
    event_time=EARLIER,
    user_data=WHOLE,
    basket=Basket(amounts=Amounts(currency="eur", total=Decimal(24)), contents=(MUG,)),
    event_source_url="https://shop.example/order?key=secret&utm_source=ig",
    referrer_url="https://shop.example/cart?token=secret",
)
ALLOWED = Decision(allowed=True, rule="granted", region="opt_in")
WEB = Send(event_name="Purchase", action_source="website", decision=ALLOWED)


def shaped(event=ORDER, plan="", send=WEB, external_id="shop:7", sale=None):
    rules = parse(plan).base
    ids = {"event_id": "purchase.1", "external_id": external_id}
    return shape(event, send, rules, **ids, now=NOW, sale=sale)


def conversion(*args, **kwargs):
    return shaped(*args, **kwargs).conversion


def test_an_order_is_shaped_as_a_whole():
    result = conversion()

    assert (result.event_name, result.event_id, result.action_source) == (
        "Purchase",
        "purchase.1",
        "website",
    )
    assert (result.event_time, result.external_id) == (EARLIER, "shop:7")
    assert (result.custom_data.value, result.custom_data.currency) == (Decimal("24.00"), "EUR")
    assert (result.custom_data.num_items, result.custom_data.order_id) == (2, "1")
    assert result.custom_data.content_type == "product"
    assert (result.limited_data_use, result.original_event) == (None, None)


def test_a_time_in_the_future_becomes_now():
    assert conversion(replace(ORDER, event_time=NOW + timedelta(hours=1))).event_time == NOW


def test_limited_data_use_is_passed_on():
    limited = LimitedDataUse(country=1, state=1000)
    send = replace(WEB, decision=replace(ALLOWED, limited_data_use=limited))

    assert conversion(send=send).limited_data_use == limited


@pytest.mark.parametrize(
    "send",
    [
        replace(WEB, browser=False),
        replace(WEB, action_source="system_generated"),
        replace(WEB, action_source="physical_store"),
    ],
)
def test_without_a_browser_nothing_of_one_is_sent(send):
    result = conversion(send=send)
    person = result.user_data

    assert (result.event_source_url, result.referrer_url) == (None, None)
    assert (person.client_ip_address, person.client_user_agent) == (None, None)
    assert (person.fbp, person.fbc, person.fbclid, person.fbclid_at) == (None,) * 4
    assert person.email == "a@b.de"


def test_what_the_plan_does_not_list_stays_here():
    result = conversion(plan='[who]\nuser_data = ["phone", "birthday", "client_user_agent"]')

    assert replace(result.user_data, client_user_agent=None) == UserData(
        phone="030 123456", phone_country="DE", birthday="1990-01-02"
    )
    assert result.external_id is None


def test_by_default_birthday_and_customer_id_stay_here():
    assert conversion().user_data == replace(
        WHOLE, birthday=None, customer_id=None, phone_country="DE"
    )


def test_restricted_sends_the_front_page_no_name_and_no_contents():
    result = conversion(plan="[who]\nrestricted = true")

    assert (result.event_source_url, result.referrer_url) == ("https://shop.example/", None)
    assert (result.user_data.first_name, result.user_data.last_name) == (None, None)
    assert (result.custom_data.contents, result.custom_data.num_items) == ((), None)
    assert result.custom_data.content_type is None
    assert result.custom_data.value == Decimal("24.00")


@given(st.sets(st.sampled_from([part.name for part in fields(UserData)])), st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_fact_about_a_buyer_is_invented(forgotten, browser):
    less = replace(ORDER, user_data=replace(WHOLE, **dict.fromkeys(forgotten)))

    sent = conversion(less, send=replace(WEB, browser=browser)).user_data

    for part in fields(UserData):
        told = getattr(less.user_data, part.name)
        if part.name != "phone_country":
            assert getattr(sent, part.name) in (told, None)


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        (
            "https://shop.example/a?key=1&utm_source=x&fbclid=y#z",
            "https://shop.example/a?utm_source=x",
        ),
        ("http://u:p@shop.example:8080/a", "http://shop.example:8080/a"),
        ("https://[2001:db8::1]/a", "https://[2001:db8::1]/a"),
        ("https://shop.example/?utm_term=a%40b.de&utm_id=1", "https://shop.example/?utm_id=1"),
        ("https://shop.example/" + "a" * 3000, "https://shop.example/"),
        ("https://shop.example/?utm_id=\ud800", "https://shop.example/?utm_id=%3F"),
        ("https://[bad/a", None),
        ("https://shop.example:99999/a", None),
        ("javascript:alert(1)", None),
        ("/cart", None),
        ("", None),
        (None, None),
    ],
)
def test_an_address_keeps_nothing_secret(url, clean):
    assert clean_url(url) == clean


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{id}", "11"),
        ("{variant_id}", "11"),
        ("{product_id}", "10"),
        ("{sku}", "MUG"),
        ("{sku}_{id}", "MUG_11"),
        ("feed_{country}_{product_id}_{variant_id}", "feed_US_10_11"),
    ],
)
def test_a_line_has_the_catalogue_id_of_the_plan(template, expected):
    plan = f'[contents]\nid = "{template}"\ncountry = "US"\nprefix = "<"\nsuffix = ">"'

    (item,) = conversion(plan=plan).custom_data.contents

    assert item.id == f"<{expected}>"


def with_lines(*contents):
    return replace(ORDER, basket=replace(ORDER.basket, contents=contents))


def test_without_a_variant_the_product_is_the_id():
    (item,) = conversion(with_lines(replace(MUG, variant_id=None))).custom_data.contents

    assert item.id == "10"


def test_a_line_that_lacks_a_part_is_left_out_with_a_note():
    result = shaped(with_lines(replace(MUG, sku=None), MUG), '[contents]\nid = "{sku}"')

    assert [item.id for item in result.conversion.custom_data.contents] == ["MUG"]
    assert result.notes == ("line 1 left out of contents: no sku",)


@pytest.mark.parametrize(
    ("kind", "key", "default"),
    [("gift_card", "gift_cards", True), ("tip", "tips", False), ("custom", "custom", True)],
)
def test_the_plan_says_which_kinds_of_lines_are_sent(kind, key, default):
    event = with_lines(replace(MUG, kind=kind))

    assert bool(conversion(event).custom_data.contents) is default
    assert not conversion(event, f"[contents]\n{key} = false").custom_data.contents
    assert conversion(event, f"[contents]\n{key} = true").custom_data.contents


def test_a_line_without_a_quantity_is_no_line():
    assert conversion(with_lines(replace(MUG, quantity=0))).custom_data.contents == ()


def test_a_refund_names_its_purchase():
    event = replace(ORDER, occasion=Occasion.REFUND)
    original = OriginalEvent(event_name="Order", event_id="purchase.1")

    told = conversion(event, "[ids]\norder_id = '{order_number}'", sale=Sale(original=original))
    assert told.original_event == replace(original, order_id="#1001")


def test_the_shops_own_event_id_comes_first():
    event = replace(ORDER, event_id="uuid-1")
    rules = parse('[ids]\npurchase = "{order_number}"').base

    assert event_ids_for(event, rules, "shop", local_ids=True) == ["uuid-1"]


def test_a_template_matches_the_ids_of_a_pixel():
    rules = parse('[ids]\npurchase = "{order_number}"').base
    unnumbered = replace(ORDER, order_number=None)
    cart = replace(ORDER, occasion=Occasion.CART_ADDED)

    assert event_ids_for(ORDER, rules, "shop", local_ids=True) == ["#1001", "purchase.shop.1"]
    assert event_ids_for(unnumbered, rules, "shop", local_ids=True) == ["purchase.shop.1"]
    assert event_ids_for(cart, rules, "shop", local_ids=False) == ["cart.1"]


def test_the_word_stands_in_the_id_only_where_ids_are_local():
    rules = parse("").base

    assert event_ids_for(ORDER, rules, "shop", local_ids=True) == ["purchase.shop.1"]
    assert event_ids_for(ORDER, rules, "shop", local_ids=False) == ["purchase.1"]


def test_the_order_id_may_be_the_number():
    plan = '[ids]\norder_id = "{order_number}"'

    assert conversion(plan=plan).custom_data.order_id == "#1001"
    assert conversion(replace(ORDER, order_number=None), plan).custom_data.order_id == "1"
    assert conversion(replace(ORDER, order_id=None)).custom_data.order_id is None


def test_the_external_id_is_qualified_unless_the_plan_wants_it_raw():
    raw = parse('[who]\nexternal_id = "raw"').base.who
    guest = replace(ORDER, user_data=UserData())

    assert external_id_for(ORDER, parse("").base.who, "shop") == "shop:7"
    assert external_id_for(ORDER, raw, "shop") == "7"
    assert external_id_for(guest, raw, "shop") is None
