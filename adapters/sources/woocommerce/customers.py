"""Customers of the shop: a new account, and one that was deleted."""

from collections.abc import Mapping
from typing import Any

from bridge.events import Event, Occasion, Redaction, Settings
from bridge.events.reading import text

from .fields import required_id, required_moment
from .people import account


def customer_registered(customer: Mapping[str, Any], topic: str, _: Settings) -> Event:
    """Return the registration; its channel is None, as the shop does not say where it was."""
    customer_id = required_id(customer)
    created_at = required_moment(customer, "date_created_gmt")
    user_data = account(customer, customer_id)
    return Event(
        occasion=Occasion.CUSTOMER_REGISTERED,
        topic=topic,
        subject_id=customer_id,
        event_time=created_at,
        created_at=created_at,
        customer_role=text(customer.get("role")),
        user_data=user_data,
        country=user_data.country,
        state=user_data.state,
    )


def customer_deleted(customer: Mapping[str, Any], _: str, __: Settings) -> Redaction:
    """Return the erasure of a person of whom the shop tells the id alone."""
    return Redaction(customer_id=required_id(customer))
