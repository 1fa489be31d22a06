"""Facts that wait in the database come out as they went in."""

import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import UnionType
from typing import get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.carts import CartState, Growth
from bridge.events import (
    Amounts,
    Basket,
    Channel,
    Consent,
    Content,
    Event,
    Fact,
    Occasion,
    UserData,
    Visitor,
    plain,
)

AT = datetime(2026, 11, 23, 12, 0, 0, 288_000, tzinfo=UTC)
KINDS = (*get_args(Fact), CartState)
SIMPLE = {
    str: st.text(max_size=5),
    int: st.integers(),
    bool: st.booleans(),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False, places=3),
    datetime: st.datetimes(timezones=st.just(UTC)),
}


def values(hint):
    """Return a strategy for what a field with this *hint* may hold."""
    if get_origin(hint) is UnionType:
        return st.one_of(
            *[st.none() if one is type(None) else values(one) for one in get_args(hint)]
        )
    if get_origin(hint) is tuple:
        return st.lists(values(get_args(hint)[0]), max_size=2).map(tuple)
    if get_origin(hint) is Mapping:
        return st.dictionaries(st.text(max_size=3), values(get_args(hint)[1]), max_size=2)
    if dataclasses.is_dataclass(hint):
        named = get_type_hints(hint)
        parts = {field.name: values(named[field.name]) for field in dataclasses.fields(hint)}
        return st.builds(hint, **parts)
    return st.sampled_from(hint) if issubclass(hint, StrEnum) else SIMPLE[hint]


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_any_fact_comes_back_as_it_was(kind, data):
    fact = data.draw(values(kind))

    assert plain.load(kind, plain.dump(fact)) == fact


EVENT = Event(
    occasion=Occasion.CART_ADDED,
    subject_id="Z2Nw.7.1795435200",
    event_time=AT,
    channel=Channel.WEB,
    customer_is_new=False,
    basket=Basket(
        amounts=Amounts(currency="EUR", total=Decimal("37.50")),
        contents=(Content(variant_id="7", quantity=3, price=Decimal("12.50")),),
    ),
    consent=Consent(marketing=True, sale_of_data=False, at=AT, source="collector"),
    visitor_keys=("cart:Z2NwLWV1cm9wZQ",),
    extra={"search_string": "hät"},
)


def test_what_is_as_by_default_takes_no_room():
    assert json.loads(plain.dump(Event(occasion="purchase", subject_id="1", event_time=AT))) == {
        "occasion": "purchase",
        "subject_id": "1",
        "event_time": "2026-11-23T12:00:00.288000+00:00",
    }


def test_no_and_unknown_stay_apart():
    for said in (True, False, None):
        told = Consent(marketing=said, source="x")
        assert plain.load(Consent, plain.dump(told)).marketing is said
    assert plain.load(Event, plain.dump(EVENT)).customer_is_new is False


def test_a_loaded_event_has_its_types_back():
    event = plain.load(Event, plain.dump(EVENT))

    assert event == EVENT
    assert isinstance(event.channel, Channel)
    assert isinstance(event.basket.contents[0].price, Decimal)
    assert event.event_time.tzinfo is not None


def test_a_cart_that_grows_comes_back_with_its_times_to_the_microsecond():
    state = CartState(
        at=AT,
        quantities={"7": 3},
        growing={"7": Growth(began_at=AT - timedelta(microseconds=1), quantity=3)},
    )

    assert plain.load(CartState, plain.dump(state)) == state


def test_fields_of_another_version_are_passed_over():
    written = plain.as_plain(EVENT) | {"mood": "good"}
    written["user_data"] = {"email": "a@example.com", "shoe_size": 42}

    event = plain.from_plain(Event, written)
    assert event == dataclasses.replace(EVENT, user_data=UserData(email="a@example.com"))


@pytest.mark.parametrize("written", [b"", b"{}", b"[]", b'{"keys":[]}'])
def test_what_lacks_a_field_is_no_fact(written):
    with pytest.raises((ValueError, TypeError, AttributeError)):
        plain.load(Visitor, written)
