"""What the buyer said about marketing, handed on in the order's note attributes.

No field of Shopify's holds it: `buyer_accepts_marketing` is leave to write e-mails, never
consent to be tracked.  Source: shopify.dev Admin schemas 2025-10 to 2026-10 (read 2026-11-23).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bridge.events import Consent
from bridge.events.reading import mappings, moment_ms, text

NAMES = ("_capi_consent", "__capi_consent")
SAID = {"1": True, "0": False}
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def attributes(order: Mapping[str, Any], names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the note attributes called one of *names*, in the order of *names*."""
    found = [
        (name, text(attribute.get("value")))
        for attribute in mappings(order.get("note_attributes"))
        if (name := attribute.get("name")) in names
    ]
    found.sort(key=lambda pair: names.index(pair[0]))
    return [(name, value) for name, value in found if value]


def read_consent(order: Mapping[str, Any]) -> Consent | None:
    """Return the newest consent of *order*; a denial wins where the times do not decide."""
    found = [_parse(name, value) for name, value in attributes(order, NAMES)]
    consents = [consent for consent in found if consent]
    return max(consents, key=_weight, default=None)


def is_denial(consent: Consent) -> bool:
    """Return whether *consent* refuses anything."""
    return consent.marketing is False or consent.sale_of_data is False


def _weight(consent: Consent) -> tuple[bool, datetime, bool]:
    denies = is_denial(consent)
    return denies and consent.at is None, consent.at or LONG_AGO, denies


def _parse(name: str, value: str) -> Consent | None:
    """Read ``v1;marketing=1;analytics=1;sale=1;preferences=0;ts=<ms>``; None if it is not."""
    version, *parts = [part.strip() for part in value.split(";")]
    if version != "v1":
        return None
    said: dict[str, str] = {}
    for part in parts:
        key, _, word = part.partition("=")
        if said.get(key) != "0":  # said twice: the denial stays
            said[key] = word
    marketing, sale = SAID.get(said.get("marketing", "")), SAID.get(said.get("sale", ""))
    if marketing is None and sale is None:
        return None
    return Consent(
        marketing=marketing,
        sale_of_data=sale,
        at=moment_ms(said.get("ts")),
        source=f"note_attributes:{name}",
    )
