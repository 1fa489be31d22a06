"""A customer body read as a registration."""

from collections.abc import Mapping
from typing import Any

from bridge.events import Event, Occasion, TranslationError
from bridge.events.reading import identifier, moment

from .people import residence, user_data

# Keys that a customer has and nothing else; none of them is personal, so none is redacted.
CUSTOMER_KEYS = ("verified_email", "multipass_identifier", "tax_exemptions")


def is_customer(body: Mapping[str, Any]) -> bool:
    """Return whether *body* is a customer, whatever its topic says."""
    named = identifier(body.get("id")) is not None
    return named and any(key in body for key in CUSTOMER_KEYS)


def read_customer(customer: Mapping[str, Any], topic: str) -> Event:
    """Return the registration of *customer*.

    Checkouts and newsletters create customers too: whether it counts is the plan's to say.
    Raises TranslationError without any time.
    """
    created_at = moment(customer.get("created_at"))
    if created_at is None:
        raise TranslationError("no_created_at", "the customer has no created_at")
    wrapped = {"customer": customer}
    country, state = residence(wrapped)
    return Event(
        occasion=Occasion.CUSTOMER_REGISTERED,
        subject_id=identifier(customer.get("id")) or "",
        event_time=created_at,
        topic=topic,
        updated_at=moment(customer.get("updated_at")),
        created_at=created_at,
        user_data=user_data(wrapped),
        country=country,
        state=state,
    )
