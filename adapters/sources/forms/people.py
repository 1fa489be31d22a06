"""Who it was, in what browser, and what they said about marketing."""

import re
from datetime import datetime

from bridge.events import Consent, UserData, reading

from .fields import Fields

COUNTRY = re.compile(r"[A-Za-z]{2}\Z")
LEAD_ID = re.compile(r"\d{15,17}\Z", re.ASCII)
PLAIN = (
    "email", "phone", "first_name", "last_name", "gender", "birthday", "city", "state", "zip",
)  # fmt: skip
PERSONAL = frozenset({*PLAIN, "country", "customer_id"})


def read_person(person: Fields, browser: Fields, lead: Fields, at: datetime) -> UserData:
    """Return what `user_data`, `browser` and `lead` tell.

    A browser's cookies come from the visitor, so an odd one is left out, never refused.
    """
    click = reading.text(browser.told("fbclid"))
    return UserData(
        **{name: person.text(name) for name in PLAIN},
        country=_country(person),
        customer_id=person.identifier("customer_id"),
        client_ip_address=reading.text(browser.told("ip")),
        client_user_agent=reading.text(browser.told("user_agent")),
        fbp=reading.text(browser.told("fbp")),
        fbc=reading.text(browser.told("fbc")),
        fbclid=click,
        fbclid_at=at if click else None,
        lead_id=_lead_id(lead),
    )


def read_consent(said: Fields) -> Consent | None:
    """Return what was said; None if neither of the two questions was answered."""
    marketing, sale = said.flag("marketing"), said.flag("sale_of_data")
    if marketing is None and sale is None:
        return None
    return Consent(
        marketing=marketing,
        sale_of_data=sale,
        at=said.moment("at"),
        source="body:consent",
    )


def _country(person: Fields) -> str | None:
    """Return the country's code.  A name for it would pass the rules of consent by."""
    country = person.text("country")
    if country is not None and not COUNTRY.match(country):
        raise person.refusal("country", "a code of two letters, such as DE")
    return country.upper() if country else None


def _lead_id(lead: Fields) -> str | None:
    """Return Meta's number of a lead from an instant form; other ids are the sender's own.

    Source: Meta, conversion-leads-integration/payload-specification (read 2026-11-23).
    """
    lead_id = reading.identifier(lead.told("id"))
    return lead_id if lead_id and LEAD_ID.match(lead_id) else None
