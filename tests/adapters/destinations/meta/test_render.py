"""The server event: its form, and what is refused before Meta sees it."""

import hashlib
import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.destinations.meta import adapter
from bridge.events import (
    Conversion,
    CustomData,
    Item,
    LimitedDataUse,
    OriginalEvent,
    RenderError,
    UserData,
)

ANY = st.none() | st.text(st.characters(codec=None))


def rendered(conversion: Conversion) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(adapter.render(conversion, {}), parse_float=Decimal)
    return event


def refusal(conversion: Conversion) -> str:
    with pytest.raises(RenderError) as caught:
        adapter.render(conversion, {})
    return caught.value.field


def sha256(text: str) -> list[str]:
    return [hashlib.sha256(text.encode()).hexdigest()]


def custom(purchase: Conversion, **changes: Any) -> Conversion:
    return replace(purchase, custom_data=replace(purchase.custom_data, **changes))


def person(purchase: Conversion, **changes: Any) -> Conversion:
    return replace(purchase, user_data=replace(purchase.user_data, **changes))


def test_a_purchase_has_the_form_that_meta_documents(purchase):
    assert rendered(purchase) == {
        "event_name": "Purchase",
        "event_time": 1795176000,
        "event_id": "purchase.1001",
        "action_source": "website",
        "event_source_url": "https://shop.example/thank-you",
        "user_data": {
            "em": sha256("jane.doe@example.com"),
            "ph": sha256("16505551212"),
            "fn": sha256("jane"),
            "ln": sha256("obrien"),
            "ct": sha256("münchen"),
            "st": sha256("ca"),
            "zp": sha256("94035"),
            "country": sha256("us"),
            "external_id": sha256("shop:customer42"),
            "client_ip_address": "203.0.113.9",
            "client_user_agent": "Mozilla/5.0 (X11; Linux)",
        },
        "custom_data": {
            "value": Decimal("29.9"),
            "currency": "EUR",
            "content_ids": ["11", "12"],
            "contents": [
                {"id": "11", "quantity": 1, "item_price": Decimal("9.9")},
                {"id": "12", "quantity": 2, "item_price": Decimal(10)},
            ],
            "content_type": "product",
            "order_id": "1001",
            "num_items": 3,
        },
    }


def test_what_is_told_besides_is_rendered_too(purchase):
    told = replace(
        person(
            purchase,
            gender="Female",
            birthday="1997-02-16",
            subscription_id="sub-7",
            fbp="fb.1.1700000000000.99",
            fbc="fb.1.1700000000000.IwAR0",
        ),
        referrer_url="https://shop.example/cart?token=x",
        limited_data_use=LimitedDataUse(country=0, state=0),
        original_event=OriginalEvent(
            event_name="Purchase",
            event_id="purchase.1",
            event_time=datetime(2026, 11, 1, tzinfo=UTC),
            order_id="1",
        ),
    )

    event = rendered(
        custom(
            told,
            net_revenue=Decimal("5.50"),
            predicted_ltv=Decimal(90),
            status="registered",
            extra={"coupon": "SPRING"},
        )
    )

    assert event["referrer_url"] == "https://shop.example/cart"
    assert event["data_processing_options"] == ["LDU"]
    assert event["data_processing_options_country"] == 0
    assert event["data_processing_options_state"] == 0
    assert event["original_event_data"] == {
        "event_name": "Purchase",
        "event_id": "purchase.1",
        "event_time": 1793491200,
        "order_id": "1",
    }
    assert event["user_data"]["ge"] == sha256("f")
    assert event["user_data"]["db"] == sha256("19970216")
    assert event["user_data"]["subscription_id"] == "sub-7"
    assert event["user_data"]["fbp"] == "fb.1.1700000000000.99"
    assert event["user_data"]["fbc"] == "fb.1.1700000000000.IwAR0"
    assert event["custom_data"]["net_revenue"] == Decimal("5.5")
    assert event["custom_data"]["predicted_ltv"] == 90
    assert event["custom_data"]["status"] == "registered"
    assert event["custom_data"]["coupon"] == "SPRING"


def test_a_click_id_has_the_time_of_its_first_sight(purchase):
    seen_at = datetime(2026, 11, 19, tzinfo=UTC)

    event = rendered(person(purchase, fbclid="IwAR0", fbclid_at=seen_at))

    assert event["user_data"]["fbc"] == "fb.1.1795046400000.IwAR0"


def test_a_click_id_without_a_time_was_seen_with_its_event(purchase):
    event = rendered(person(purchase, fbclid="IwAR0"))

    assert event["user_data"]["fbc"] == "fb.1.1795176000900.IwAR0"


def test_a_phone_is_read_in_its_own_country(purchase):
    event = rendered(person(purchase, phone="020 7946 0018", phone_country="GB"))

    assert event["user_data"]["ph"] == sha256("442079460018")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"event_name": " "}, "event_name"),
        ({"event_id": ""}, "event_id"),
        ({"action_source": "web"}, "action_source"),
        ({"event_source_url": None}, "event_source_url"),
        ({"event_source_url": "ftp://shop.example/"}, "event_source_url"),
    ],
)
def test_an_unsound_event_is_refused_by_its_field(purchase, changes, field):
    assert refusal(replace(purchase, **changes)) == field


@pytest.mark.parametrize("code", [None, "", "XXX", "BTC", "US$", "euro"])
def test_a_purchase_needs_a_currency(purchase, code):
    assert refusal(custom(purchase, currency=code)) == "currency"


@pytest.mark.parametrize("value", [None, *map(Decimal, ["-1", "NaN", "Infinity", "1000000001"])])
def test_a_purchase_needs_a_sound_value(purchase, value):
    assert refusal(custom(purchase, value=value)) == "value"


def test_a_purchase_for_nothing_is_sent(purchase):
    assert rendered(custom(purchase, value=Decimal("0.00")))["custom_data"]["value"] == 0


def test_a_website_event_needs_a_user_agent_unless_it_is_an_order(purchase):
    unsaid = person(purchase, client_user_agent=" ")

    assert refusal(custom(unsaid, order_id=None)) == "client_user_agent"
    event = rendered(custom(unsaid, order_id="1001"))
    assert event["action_source"] == "website"
    assert "client_user_agent" not in event["user_data"]


def test_other_sources_need_neither_user_agent_nor_page(purchase):
    sold = replace(purchase, action_source="physical_store", event_source_url=None)

    event = rendered(person(sold, client_user_agent=None))

    assert event["action_source"] == "physical_store"
    assert "event_source_url" not in event


@pytest.mark.parametrize(
    "weak",
    [
        UserData(),
        UserData(client_user_agent="Mozilla/5.0", city="Paris", country="FR", gender="f"),
        UserData(birthday="1997-02-16", client_user_agent="Mozilla/5.0"),
        UserData(first_name="Jane", gender="f"),
        UserData(last_name="Doe"),
        UserData(subscription_id="7", zip="75018"),
        UserData(email="not an address", phone="12", client_ip_address="127.0.0.1"),
    ],
)
def test_too_little_to_find_a_person_by_is_refused(purchase, weak):
    known = replace(purchase, action_source="other", external_id=None)

    assert refusal(replace(known, user_data=weak)) == "user_data"


@pytest.mark.parametrize(
    "enough",
    [
        UserData(email="jo@example.com"),
        UserData(first_name="Jane", last_name="Doe"),
        UserData(client_ip_address="203.0.113.9", client_user_agent="Mozilla/5.0"),
        UserData(birthday="1997-02-16", zip="75018"),
        UserData(fbclid="IwAR0"),
    ],
)
def test_enough_to_find_a_person_by_is_sent(purchase, enough):
    known = replace(purchase, action_source="other", external_id=None)

    assert rendered(replace(known, user_data=enough))["user_data"]


@pytest.mark.parametrize(
    ("value", "code", "kept"),
    [
        (Decimal(5), None, {}),
        (Decimal(5), "XXX", {}),
        (Decimal(-5), "EUR", {"currency": "EUR"}),
        (None, "EUR", {"currency": "EUR"}),
        (Decimal(5), "EUR", {"currency": "EUR", "value": 5}),
    ],
)
def test_any_other_event_loses_an_unsound_amount_only(purchase, value, code, kept):
    added = replace(
        purchase, event_name="AddToCart", custom_data=CustomData(value=value, currency=code)
    )

    assert rendered(added).get("custom_data", {}) == kept


def test_an_item_price_without_a_currency_is_left_out(purchase):
    added = custom(replace(purchase, event_name="AddToCart"), currency=None)

    assert rendered(added)["custom_data"]["contents"][0] == {"id": "11", "quantity": 1}


def test_lines_without_id_or_quantity_are_left_out(purchase):
    items = (
        Item(id=" ", quantity=1),
        Item(id="1", quantity=0),
        Item(id="2", quantity=10**30),
        Item(id="3", quantity=1, item_price=Decimal("NaN")),
    )

    event = rendered(custom(purchase, contents=items, num_items=10**30))

    assert event["custom_data"]["contents"] == [{"id": "3", "quantity": 1}]
    assert event["custom_data"]["content_ids"] == ["3"]
    assert "num_items" not in event["custom_data"]


def test_a_product_on_two_lines_has_one_content_id(purchase):
    event = rendered(custom(purchase, contents=(Item(id="1", quantity=1),) * 2))

    assert event["custom_data"]["content_ids"] == ["1"]
    assert len(event["custom_data"]["contents"]) == 2


def test_custom_properties_neither_replace_ours_nor_tell_an_address(purchase):
    extra = {"value": "1", "": "x", "note": "write to jane.doe@example.com", "coupon": "SPRING"}

    event = rendered(custom(purchase, extra=extra))

    assert event["custom_data"]["value"] == Decimal("29.9")
    assert event["custom_data"]["coupon"] == "SPRING"
    assert event["custom_data"].keys().isdisjoint({"", "note"})


def test_no_options_are_sent_where_none_are_set(purchase):
    assert not [key for key in rendered(purchase) if key.startswith("data_processing")]


def test_half_a_character_costs_only_itself(purchase):
    event = rendered(custom(purchase, order_id="10\ud80001", extra={"a\ud800": "b\ud800"}))

    assert event["custom_data"]["order_id"] == "1001"
    assert event["custom_data"]["a"] == "b"


def test_a_refusal_tells_no_value(purchase):
    with pytest.raises(RenderError) as caught:
        adapter.render(custom(purchase, currency="jane.doe@example.com"), {})

    assert "jane" not in str(caught.value)


PEOPLE = st.builds(
    UserData,
    **{
        name: ANY
        for name in UserData.__dataclass_fields__
        if name not in {"fbclid_at", "email", "client_user_agent"}
    },
    email=st.just("jo@example.com") | ANY,
    client_user_agent=st.just("Mozilla/5.0") | ANY,
)


@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(user_data=PEOPLE, external_id=ANY)
def test_any_person_is_rendered_or_refused(purchase, user_data, external_id):
    told = replace(purchase, user_data=user_data, external_id=external_id)

    with suppress(RenderError):
        assert rendered(told)["user_data"]


LETTERS = st.text("abcdefghjkmnpqrtuvwxyz", min_size=12, max_size=20)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(word=LETTERS, digits=st.text("0123456789", min_size=8, max_size=8))
def test_no_plain_personal_data_are_rendered(purchase, word, digits):
    told = UserData(
        email=f"{word}@example.com",
        phone=f"+4930{digits}",
        first_name=word,
        last_name=word,
        city=word,
        state=word,
        zip=word,
        customer_id=word,
        client_user_agent="Mozilla/5.0",
    )

    payload = adapter.render(replace(purchase, user_data=told, external_id=word), {}).decode()

    assert word not in payload.lower()
    assert f"4930{digits}" not in payload


@pytest.mark.parametrize(
    ("action_source", "age"),
    [("website", timedelta(days=6, hours=22)), ("physical_store", timedelta(days=61, hours=22))],
)
def test_an_event_may_be_as_old_as_meta_takes_less_two_hours(action_source, age):
    assert adapter.max_age(action_source) == age
