"""Who it was: billing and shipping address, customer account."""

import re
from collections.abc import Mapping
from typing import Any

from bridge.events import UserData
from bridge.events.reading import identifier, mapping

from .fields import plain

_COUNTRY = re.compile(r"[A-Za-z]{2}")
_PLACE = ("city", "state", "postcode", "country")


def buyer(order: Mapping[str, Any], **browser: Any) -> UserData:
    """Return the buyer: e-mail of the bill, the rest from one address.

    That is billing, or shipping where the bill has no place.  A guest's customer id (0) is
    None.  *browser* are the fields that the buyer's browser told.
    """
    billing, shipping = mapping(order.get("billing")), mapping(order.get("shipping"))
    address = shipping if _has_place(shipping) and not _has_place(billing) else billing
    return UserData(
        email=plain(billing.get("email")),
        customer_id=identifier(order.get("customer_id")),
        **_addressee(address),
        **browser,
    )


def account(customer: Mapping[str, Any], customer_id: str) -> UserData:
    """Return a customer: the account's e-mail and name, the rest from the billing address."""
    billing = mapping(customer.get("billing"))
    there = _addressee(billing)
    names = {name: plain(customer.get(name)) or there[name] for name in ("first_name", "last_name")}
    return UserData(
        email=plain(customer.get("email")) or plain(billing.get("email")),
        customer_id=customer_id,
        **there | names,
    )


def _has_place(address: Mapping[str, Any]) -> bool:
    return any(plain(address.get(name)) for name in _PLACE)


def _addressee(address: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that an address tells."""
    country = plain(address.get("country")) or ""
    country = country.upper() if _COUNTRY.fullmatch(country) else ""
    return {
        "phone": plain(address.get("phone")),
        "first_name": plain(address.get("first_name")),
        "last_name": plain(address.get("last_name")),
        "city": plain(address.get("city")),
        "state": _state(plain(address.get("state")), country),
        "zip": plain(address.get("postcode")),
        "country": country or None,
    }


def _state(state: str | None, country: str) -> str | None:
    """Return the state without its country: WooCommerce has ``DE-BY`` for Bavaria."""
    if state is None or not country:
        return state
    return state.removeprefix(f"{country}-") or None
