"""A body read as events, all of them or none."""

import re
from collections.abc import Mapping
from decimal import Decimal

from bridge.events import (
    Amounts,
    Basket,
    Delivery,
    Event,
    Occasion,
    OriginalEvent,
    TranslationError,
    fingerprint,
)
from bridge.events.reading import number, parse_object, text

from .fields import Fields
from .people import PERSONAL, read_consent, read_person

MAX_EVENTS = 100
# Under this name the default plan sends a form; other names stand for themselves.
LEAD = "Lead"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,49}\Z")
CURRENCY = re.compile(r"[A-Za-z]{3}\Z")
ACTION_SOURCES = (
    "website", "phone_call", "chat", "email", "physical_store", "system_generated", "other",
)  # fmt: skip
# What the tagging plan decides, what `lead` tells, and what would tell plainly who it was.
NOT_EXTRA = PERSONAL | {
    "value", "currency", "contents", "content_ids", "content_type", "num_items", "order_id",
    "net_revenue", "predicted_ltv", "lead_event_source", "event_source", "lead_stage",
    "name", "full_name", "address", "street", "mobile", "telephone",
}  # fmt: skip
MAX_EXTRA = 20
LONGEST_EXTRA = 200


def read_delivery(delivery: Delivery) -> list[Event]:
    """Return the events of *delivery*: one, or those of the list `events`.

    Raises TranslationError: ``not_json`` and its like, ``bad_<field>``, ``no_event_time``.
    """
    body = Fields(values=parse_object(delivery.body))
    if "events" not in body.values:
        return [_event(body, delivery, fingerprint(delivery.body))]
    return [
        _event(told, delivery, fingerprint(delivery.body, str(place).encode()))
        for place, told in enumerate(body.each("events", MAX_EVENTS))
    ]


def _event(told: Fields, delivery: Delivery, subject_id: str) -> Event:
    """Return one event; *subject_id* stands in where the sender gives no id."""
    name = _name(told)
    lead, custom_data = told.below("lead"), told.below("custom_data")
    at = told.moment("event_time") or delivery.received_at
    if at is None:
        raise TranslationError("no_event_time", f"{told.path}event_time is not told")
    amounts = _amounts(custom_data)
    return Event(
        occasion=Occasion.FORM_SUBMITTED if name == LEAD else name,
        subject_id=told.identifier("event_id") or subject_id,
        event_time=at,
        topic=delivery.topic,
        user_data=read_person(told.below("user_data"), told.below("browser"), lead, at),
        basket=Basket(amounts=amounts),
        event_source_url=told.text("event_source_url"),
        consent=read_consent(told.below("consent")),
        action_source=_action_source(told, lead),
        original_event=_original(told.below("original_event")),
        extra={**_extra(custom_data), **_stage(lead)},
    )


def _name(told: Fields) -> str:
    """Return the event's name; the bridge's own words for what shops report are none."""
    name = told.text("event_name")
    if name is None or not NAME.match(name) or name in set(Occasion):
        raise told.refusal("event_name", "a name such as Lead: a letter, then letters, digits, _ -")
    return name


def _amounts(custom_data: Fields) -> Amounts | None:
    value, currency = custom_data.number("value"), custom_data.text("currency")
    if currency is not None and not CURRENCY.match(currency):
        raise custom_data.refusal("currency", "a code of three letters, such as EUR")
    if value is None:
        return None
    if currency is None:
        raise custom_data.refusal("currency", "told, but the value is")
    return Amounts(currency=currency.upper(), total=value)


def _action_source(told: Fields, lead: Fields) -> str | None:
    """Return where it happened.  A stage that a lead reached is made by the CRM, not a page.

    Source: Meta, conversion-leads-integration/payload-specification (read 2026-11-23).
    """
    said = told.choice("action_source", ACTION_SOURCES)
    return said or ("system_generated" if lead.text("stage") else None)


def _original(original: Fields) -> OriginalEvent | None:
    if not original.values:
        return None
    return OriginalEvent(
        event_name=_name(original),
        event_id=original.identifier("event_id"),
        event_time=original.moment("event_time"),
    )


def _stage(lead: Fields) -> Mapping[str, str]:
    """Return what Meta wants to be told of a lead in a CRM.

    Source: Meta, conversion-leads-integration/payload-specification (read 2026-11-23).
    """
    stage = lead.text("stage")
    told = {
        "lead_stage": stage,
        "event_source": "crm" if stage else None,
        "lead_event_source": lead.text("event_source"),
    }
    return {name: value for name, value in told.items() if value}


def _extra(custom_data: Fields) -> Mapping[str, str]:
    """Return the custom properties: plain values, none of them an e-mail address."""
    found = {
        name: word
        for name, value in custom_data.values.items()
        if NAME.match(name) and name.lower() not in NOT_EXTRA and (word := _word(value))
    }
    return dict(list(found.items())[:MAX_EXTRA])


def _word(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | Decimal):
        amount = number(value)
        return None if amount is None else f"{amount:f}"
    word = text(value)
    return word if word and len(word) <= LONGEST_EXTRA and "@" not in word else None
