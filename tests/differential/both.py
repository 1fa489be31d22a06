"""One field of one person, as we send it and as Meta's own library does."""

import hashlib
from datetime import UTC, datetime

from facebook_business.adobjects.serverside.gender import Gender
from facebook_business.adobjects.serverside.user_data import UserData as TheirUserData

from adapters.destinations.meta import people
from bridge.events import Conversion, UserData

RAISES = "raises"  # the library raises, and the whole request is lost
FIELDS = {
    "em": ("email", "emails"),
    "ph": ("phone", "phones"),
    "fn": ("first_name", "first_names"),
    "ln": ("last_name", "last_names"),
    "ge": ("gender", "genders"),
    "db": ("birthday", "dates_of_birth"),
    "ct": ("city", "cities"),
    "st": ("state", "states"),
    "zp": ("zip", "zip_codes"),
    "country": ("country", "country_codes"),
    "external_id": ("", "external_ids"),
}


def ours(field: str, raw: str, country: str | None = None) -> str | None:
    """Return what our payload has in the field; None where it is left out."""
    name, _ = FIELDS[field]
    told = {"fbp": "fb.1.1700000000000.1234567"}  # some key that finds a person
    told |= {"country": country} if country else {}
    told |= {name: raw} if name else {}
    conversion = Conversion(
        event_name="Purchase",
        event_id="1",
        event_time=datetime(2026, 11, 23, tzinfo=UTC),
        action_source="other",
        user_data=UserData(**told),
        external_id=None if name else raw,
    )
    [value] = people.user_data(conversion).get(field) or [None]
    return value


def theirs(field: str, raw: str) -> str | None:
    """Return what `UserData.normalize` of the library has in the field."""
    try:
        value = Gender(raw) if field == "ge" else raw
        normal = TheirUserData(**{FIELDS[field][1]: [value]}).normalize()
    except (TypeError, ValueError):
        return RAISES
    return (normal.get(field) or [None])[0] or None


def sha256(text: str | None) -> str | None:
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()
