"""`user_data`: who it was, normalised and hashed."""

import orjson

from adapters.destinations.meta import browser, normalise
from adapters.destinations.meta.normalise import hashed
from adapters.destinations.meta.phones import phone
from bridge.events import Conversion, Lender, RenderError

# Keys that are too weak to find a person by, alone or together.
# Source: Meta, conversions-api/best-practices (read 2026-11-23).
_WEAK = (
    frozenset({"ct", "country", "st", "zp", "ge", "client_user_agent"}),
    frozenset({"db", "client_user_agent"}),
    frozenset({"fn", "ge"}),
    frozenset({"ln", "ge"}),
)


# Our fields by Meta's keys: those that are hashed, then the id of a subscription.
_FIELDS = {
    "em": "email",
    "ph": "phone",
    "fn": "first_name",
    "ln": "last_name",
    "ge": "gender",
    "db": "birthday",
    "ct": "city",
    "st": "state",
    "zp": "zip",
    "country": "country",
    "external_id": "external_id",
    "subscription_id": "subscription_id",
}


def user_data(conversion: Conversion) -> dict[str, object]:
    """Return the `user_data` object: hashes in lists, what the browser told in plain.

    Raises RenderError (``user_data``) if nobody could be found by it.
    """
    result: dict[str, object] = {
        key: [digest] for key, digest in _hashes(conversion).items() if digest
    }
    result.update((key, text) for key, text in _plain(conversion).items() if text)
    if conversion.lender:
        result |= _lent(conversion.lender)
    if (conversion.user_data.lead_id or "").isdecimal():
        result["lead_id"] = int(conversion.user_data.lead_id or "")  # Meta's own number, unhashed
    # A subscription's id finds no person, so it lends no strength.
    keys = result.keys() - {"subscription_id"}
    if any(keys <= weak for weak in _WEAK):
        raise RenderError("user_data", "user_data has too little to find a person by")
    return result


def _lent(lender: Lender) -> dict[str, object]:
    """Return what an earlier event of ours told of the person, but for the browser's data."""
    told: dict[str, object] = orjson.loads(lender.payload)["user_data"]
    return {key: value for key, value in told.items() if _FIELDS.get(key) in lender.fields}


def _hashes(conversion: Conversion) -> dict[str, str | None]:
    person = conversion.user_data
    country = normalise.country(person.country) if person.country else None
    phone_country = normalise.country(person.phone_country) if person.phone_country else country
    return {
        "em": hashed(person.email, normalise.email),
        "ph": hashed(person.phone, phone, phone_country),
        "fn": hashed(person.first_name, normalise.name),
        "ln": hashed(person.last_name, normalise.name),
        "ge": hashed(person.gender, normalise.gender),
        "db": hashed(person.birthday, normalise.birthday, conversion.event_time.date()),
        "ct": hashed(person.city, normalise.city),
        "st": hashed(person.state, normalise.region, country),
        "zp": hashed(person.zip, normalise.postcode, country),
        "country": hashed(person.country, normalise.country),
        "external_id": hashed(conversion.external_id, normalise.external_id),
    }


def _plain(conversion: Conversion) -> dict[str, str | None]:
    person = conversion.user_data
    # Where nobody noted when the click was first seen, it was seen with this event.
    seen_at = person.fbclid_at or conversion.event_time
    return {
        "client_ip_address": browser.ip_address(person.client_ip_address),
        "client_user_agent": browser.user_agent(person.client_user_agent),
        "fbp": browser.browser_id(person.fbp),
        "fbc": browser.click_id(person.fbc, person.fbclid, seen_at),
        "subscription_id": person.subscription_id,
    }
