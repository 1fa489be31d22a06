"""Who bought: names, addresses, e-mail and phone as the shop sent them."""

from collections.abc import Mapping
from typing import Any

from bridge.events import UserData
from bridge.events.reading import identifier, mapping, text

LONGEST_EMAIL = 320
LONGEST_PHONE = 60
ADDRESS_KEYS = ("first_name", "last_name", "city", "zip", "province_code", "country_code")


def user_data(order: Mapping[str, Any]) -> UserData:
    """Return what *order* tells of its buyer, without what the browser told.

    Billing comes before shipping: a gift is shipped to somebody else.  All address fields
    are of one address; the customer's own name stands in where that address has none.
    """
    customer = mapping(order.get("customer"))
    address = next((found for found in _addresses(order) if _is_filled(found)), {})
    names = address
    if not text(address.get("first_name")) and not text(address.get("last_name")):
        names = customer
    phone, phone_country = _phone(order)
    return UserData(
        email=_email(order.get("email"), order.get("contact_email"), customer.get("email")),
        phone=phone,
        phone_country=phone_country,
        first_name=text(names.get("first_name")),
        last_name=text(names.get("last_name")),
        city=text(address.get("city")),
        state=_state(address),
        zip=text(address.get("zip")),
        country=_country(address),
        customer_id=identifier(customer.get("id")),
    )


def residence(order: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return country and state of the first address that names its country, else None."""
    for address in _addresses(order):
        country = _country(address)
        if country:
            return country, _state(address)
    return None, None


def _addresses(order: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    return (
        mapping(order.get("billing_address")),
        mapping(order.get("shipping_address")),
        mapping(mapping(order.get("customer")).get("default_address")),
    )


def _is_filled(address: Mapping[str, Any]) -> bool:
    return any(text(address.get(key)) for key in ADDRESS_KEYS)


def _country(address: Mapping[str, Any]) -> str | None:
    code = (text(address.get("country_code")) or "").upper()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None


def _state(address: Mapping[str, Any]) -> str | None:
    return text(address.get("province_code")) or text(address.get("province"))


def _email(*candidates: object) -> str | None:
    for candidate in candidates:
        email = text(candidate)
        if email and "@" in email and len(email) <= LONGEST_EMAIL:
            return email
    return None


def _phone(order: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return a phone and the country to read it in.

    The order's and the customer's are E.164; those of addresses are free text, so each
    needs the country of its own address.
    """
    customer = mapping(order.get("customer"))
    for holder in (order, customer, *_addresses(order)):
        phone = text(holder.get("phone"))
        if phone and len(phone) <= LONGEST_PHONE:
            return phone, _country(holder)
    return None, None
