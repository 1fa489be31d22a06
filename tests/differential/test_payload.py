"""A whole event against the one that Meta's own library makes of the same facts."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from facebook_business.adobjects.serverside import custom_data as their_custom_data
from facebook_business.adobjects.serverside import event as their_event
from facebook_business.adobjects.serverside.action_source import ActionSource
from facebook_business.adobjects.serverside.content import Content
from facebook_business.adobjects.serverside.gender import Gender
from facebook_business.adobjects.serverside.original_event_data import OriginalEventData
from facebook_business.adobjects.serverside.user_data import UserData as TheirUserData

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

from .both import sha256
from .deviations import EVENT_DEVIATIONS

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
PAGE = "https://shop.example/checkout"
# In words that both sides write alike, see the deviations for the others.
PERSON = UserData(
    email="jane.doe@example.com",
    phone="+4930901820",
    first_name="jane",
    last_name="doe",
    gender="f",
    birthday="19970216",
    city="münchen",
    state="bayern",
    zip="80331",
    country="DE",
    subscription_id="sub-1",
    client_ip_address="203.0.113.7",
    client_user_agent="Mozilla/5.0",
    fbp="fb.1.1700000000000.1234567",
    fbc="fb.1.1700000000000.AbCdEf",
    lead_id="1234567890123456",
)
PURCHASE = Conversion(
    event_name="Purchase",
    event_id="purchase.1",
    event_time=AT,
    action_source="website",
    user_data=PERSON,
    external_id="shop:7",
    custom_data=CustomData(
        value=Decimal("41.5"),
        currency="EUR",
        contents=(
            Item(id="11", quantity=2, item_price=Decimal("10.25")),
            Item(id="12", quantity=1, item_price=Decimal("21")),
        ),
        content_type="product",
        order_id="1",
        num_items=3,
        net_revenue=Decimal("12.25"),
        predicted_ltv=Decimal("83"),
        status="paid",
        extra={"customer_segmentation": "new_customer_to_business"},
    ),
    event_source_url=PAGE,
    referrer_url="https://search.example/",
    limited_data_use=LimitedDataUse(country=1, state=1000),
)
LATER = OriginalEvent(event_name="Purchase", event_id="purchase.1", event_time=AT, order_id="1")


def ours(conversion: Conversion) -> Any:
    return json.loads(adapter.render(conversion, {}))


def theirs(conversion: Conversion = PURCHASE) -> Any:
    """Return what the library makes of *conversion*; its caller hashes the external id."""
    person, custom, limits = (
        conversion.user_data,
        conversion.custom_data,
        conversion.limited_data_use,
    )
    told = TheirUserData(
        emails=_listed(person.email),
        phones=_listed(person.phone),
        first_names=_listed(person.first_name),
        last_names=_listed(person.last_name),
        genders=[Gender(person.gender)] if person.gender else None,
        dates_of_birth=_listed(person.birthday),
        cities=_listed(person.city),
        states=_listed(person.state),
        zip_codes=_listed(person.zip),
        country_codes=_listed(person.country),
        external_ids=_listed(sha256(conversion.external_id)),
        subscription_id=person.subscription_id,
        client_ip_address=person.client_ip_address,
        client_user_agent=person.client_user_agent,
        fbp=person.fbp,
        fbc=person.fbc,
        # It passes on what it is given; Meta documents a number.
        lead_id=int(person.lead_id) if person.lead_id else None,
    )
    contents = [
        Content(product_id=one.id, quantity=one.quantity, item_price=float(one.item_price or 0))
        for one in custom.contents
    ]
    about = their_custom_data.CustomData(
        value=_number(custom.value),
        currency=custom.currency,
        content_ids=[one.id for one in custom.contents],
        contents=contents,
        content_type=custom.content_type,
        order_id=custom.order_id,
        num_items=custom.num_items,
        net_revenue=_number(custom.net_revenue),
        predicted_ltv=_number(custom.predicted_ltv),
        status=custom.status,
        custom_properties=dict(custom.extra),
    )
    original = conversion.original_event
    made = their_event.Event(
        event_name=conversion.event_name,
        event_time=int(conversion.event_time.timestamp()),
        event_id=conversion.event_id,
        action_source=ActionSource(conversion.action_source),
        event_source_url=conversion.event_source_url,
        referrer_url=conversion.referrer_url,
        user_data=told,
        custom_data=about,
        data_processing_options=["LDU"] if limits else None,
        data_processing_options_country=limits.country if limits else None,
        data_processing_options_state=limits.state if limits else None,
        original_event_data=OriginalEventData(
            event_name=original.event_name,
            event_time=int(original.event_time.timestamp()) if original.event_time else None,
            order_id=original.order_id,
            event_id=original.event_id,
        )
        if original
        else None,
    )
    return made.normalize()


def _listed(text: str | None) -> list[str] | None:
    return None if text is None else [text]


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def shape(value: Any) -> Any:
    """Return keys and types of a JSON value; numbers are one type."""
    match value:
        case dict():
            return {key: shape(part) for key, part in value.items()}
        case list():
            return [shape(part) for part in value]
        case int() | float():
            return "number"
        case _:
            return type(value).__name__


def test_a_purchase_has_the_keys_and_types_that_the_library_gives_it():
    assert shape(ours(PURCHASE)) == shape(theirs())


def test_a_purchase_says_what_the_librarys_says():
    wanted = theirs()
    wanted["custom_data"]["currency"] = "EUR"  # the one deviation that every event has

    assert ours(PURCHASE) == wanted


def test_an_event_that_belongs_to_an_earlier_one_names_it_alike():
    later = replace(PURCHASE, original_event=LATER)

    assert ours(later)["original_event_data"] == theirs(later)["original_event_data"]


def at(value: Any, path: str) -> Any:
    """Return what stands at a path of keys; None where nothing does."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


@pytest.mark.parametrize("deviation", EVENT_DEVIATIONS, ids=lambda one: one.kind)
def test_each_listed_deviation_of_an_event_is_one(deviation):
    conversion = deviation.change(PURCHASE)
    try:
        told = at(ours(conversion), deviation.path)
    except RenderError as error:
        told = f"refused: {error.field}"

    assert told == deviation.ours
    assert at(theirs(conversion), deviation.path) == deviation.theirs
    assert deviation.reason
