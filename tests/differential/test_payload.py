"""A whole event against the one that Meta's own library makes of the same facts."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from facebook_business.adobjects.serverside import custom_data as their_custom_data
from facebook_business.adobjects.serverside import event as their_event
from facebook_business.adobjects.serverside.action_source import ActionSource
from facebook_business.adobjects.serverside.content import Content
from facebook_business.adobjects.serverside.gender import Gender
from facebook_business.adobjects.serverside.original_event_data import OriginalEventData
from facebook_business.adobjects.serverside.user_data import UserData as TheirUserData

from adapters.destinations.meta import adapter
from bridge.events import Conversion, CustomData, Item, LimitedDataUse, OriginalEvent, UserData

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


def theirs(**more: Any) -> Any:
    person = TheirUserData(
        emails=[PERSON.email],
        phones=[PERSON.phone],
        first_names=[PERSON.first_name],
        last_names=[PERSON.last_name],
        genders=[Gender.FEMALE],
        dates_of_birth=[PERSON.birthday],
        cities=[PERSON.city],
        states=[PERSON.state],
        zip_codes=[PERSON.zip],
        country_codes=[PERSON.country],
        external_ids=[ours(PURCHASE)["user_data"]["external_id"][0]],
        subscription_id=PERSON.subscription_id,
        client_ip_address=PERSON.client_ip_address,
        client_user_agent=PERSON.client_user_agent,
        fbp=PERSON.fbp,
        fbc=PERSON.fbc,
        lead_id=int(PERSON.lead_id or 0),  # it passes on what it is given; Meta documents a number
    )
    contents = [
        Content(product_id="11", quantity=2, item_price=10.25),
        Content(product_id="12", quantity=1, item_price=21),
    ]
    custom = their_custom_data.CustomData(
        value=41.5,
        currency="eur",
        content_ids=["11", "12"],
        contents=contents,
        content_type="product",
        order_id="1",
        num_items=3,
        net_revenue=12.25,
        predicted_ltv=83,
        status="paid",
        custom_properties={"customer_segmentation": "new_customer_to_business"},
    )
    made = their_event.Event(
        event_name="Purchase",
        event_time=int(AT.timestamp()),
        event_id="purchase.1",
        action_source=ActionSource.WEBSITE,
        event_source_url=PAGE,
        referrer_url="https://search.example/",
        user_data=person,
        custom_data=custom,
        data_processing_options=["LDU"],
        data_processing_options_country=1,
        data_processing_options_state=1000,
        **more,
    )
    return made.normalize()


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
    wanted["custom_data"]["currency"] = "EUR"  # theirs is in lower case

    assert ours(PURCHASE) == wanted


def test_an_event_that_belongs_to_an_earlier_one_names_it_alike():
    original = OriginalEventData(
        event_name="Purchase", event_time=int(AT.timestamp()), order_id="1", event_id="purchase.1"
    )
    told = ours(replace(PURCHASE, original_event=LATER))["original_event_data"]

    assert told == theirs(original_event_data=original)["original_event_data"]
