"""The normal forms of Meta's contact keys: plain text in, the text that is hashed out.

Every function takes any text and returns its normal form, or None if nothing sound is left:
then the key is not sent.  Where Meta's documentation is silent the Pixel's behaviour decides.
Source: Meta, conversions-api/parameters/customer-information-parameters (read 2026-11-23).
"""

import hashlib
import re
from collections.abc import Callable
from datetime import date
from unicodedata import category, normalize

from adapters.destinations.meta.countries import find_country
from adapters.destinations.meta.regions import PROVINCES, STATES, place_key

MAX_TEXT = 2_000

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_INVISIBLE = {"Cc", "Cf", "Cs"}
_NOT_ALNUM = re.compile(r"[^a-z0-9]")
_VARIATION_SELECTORS = range(0xFE00, 0xFE10)
_SHA256 = re.compile(r"([0-9A-Fa-f]{64})((?:\.[\w-]{2}|\.[\w-]{8})?)", re.ASCII)
_OTHER_HASH = re.compile(r"[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}")
_ODD = r"\s@<>()\[\],;:\\\""
_EMAIL = re.compile(rf"[^{_ODD}]+@(?:[^{_ODD}.]+\.)+(?![0-9]+\Z)[^{_ODD}.]{{2,}}")
_ISO_REGION = re.compile(r"([A-Za-z]{2})-([^-\s]{1,3})")
_ZIP_PREFIX = re.compile(r"([A-Za-z]{1,2})-(?=[0-9])")
_US_ZIP = re.compile(r"[0-9]{5}(?:[0-9]{4})?")
_DATE = re.compile(r"([0-9]{1,4})([-/.])([0-9]{1,2})\2([0-9]{1,4})")
_GENDERS = {"f": "f", "female": "f", "m": "m", "male": "m"}


def clean(value: str) -> str:
    """Return *value* in NFC, stripped, without control, format and surrogate characters."""
    if value.isascii():
        return (value if value.isprintable() else _CONTROL.sub("", value)).strip()
    kept = (char for char in value if char.isspace() or category(char) not in _INVISIBLE)
    return normalize("NFC", "".join(kept)).strip()


def hashed(value: str | None, normalise: Callable[..., str | None], *context: object) -> str | None:
    """Return the SHA-256 of ``normalise(value, *context)``: 64 lower-case hex digits.

    A value that is SHA-256 already is passed on, with the appendix of Meta's parameter
    builder if it has one; other hashes can never match and are None, as is an empty value.
    """
    if not value or len(value) > MAX_TEXT:
        return None
    text = clean(value)
    if len(text) >= 32:
        if given := _SHA256.fullmatch(text):
            return given[1].lower() + given[2]
        if _OTHER_HASH.fullmatch(text) and normalise is not external_id:
            return None
    plain = normalise(text, *context)
    return hashlib.sha256(plain.encode()).hexdigest() if plain else None


def email(value: str) -> str | None:
    """Return the address in lower case; dots and tags of the local part stay."""
    text = _lower(value)
    return text if _EMAIL.fullmatch(text) else None


def name(value: str) -> str | None:
    """Return a first or last name in lower case without spaces, punctuation and symbols."""
    return _squeeze(value) or None


def city(value: str) -> str | None:
    """Return a city as a name without digits, as the Pixel does."""
    text = "".join(char for char in _squeeze(value) if not char.isdecimal())
    return normalize("NFC", text) or None


def region(value: str, country: str | None = None) -> str | None:
    """Return the two-letter code in the US and Canada, elsewhere the name as it is written.

    *country* is an ISO code in lower case.  An ISO 3166-2 prefix (``DE-BY``) is taken off.
    """
    text = clean(value)
    prefixed = _ISO_REGION.fullmatch(text)
    if prefixed and prefixed[1].lower() == (country or prefixed[1].lower()):
        text = prefixed[2]
    if country == "us":
        return STATES.get(place_key(text))
    if country == "ca":
        return PROVINCES.get(place_key(text))
    return _squeeze(text) or None


def postcode(value: str, country: str | None = None) -> str | None:
    """Return the postcode without spaces and dashes; of a US one the first five digits.

    A country's sign before the code (``SE-111 22``, ``D-10115``) is taken off.
    """
    text = clean(value)
    sign = _ZIP_PREFIX.match(text)
    if sign and country and sign[1].lower() in (country, country[0]):
        text = text[sign.end() :]
    text = _squeeze(text)
    if country != "us":
        return text or None
    return text[:5] if _US_ZIP.fullmatch(text) else None


def country(value: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code in lower case, from a code or an English name."""
    return find_country(clean(value))


def birthday(value: str, today: date) -> str | None:
    """Return ``YYYYMMDD`` from 1900 to *today*.

    None where day and month could be taken for each other: a wrong birthday matches nobody.
    """
    text = clean(value)
    if len(text) == 8 and text.isascii() and text.isdigit():
        parsed = _day(text[:4], text[4:6], text[6:])
    else:
        parsed = _written_day(text)
    if parsed is None or not date(1900, 1, 1) <= parsed <= today:
        return None
    return f"{parsed:%Y%m%d}"


def gender(value: str) -> str | None:
    """Return ``f`` or ``m``."""
    return _GENDERS.get(clean(value).lower())


def external_id(value: str) -> str | None:
    """Return the id in lower case without white space."""
    return normalize("NFC", "".join(_lower(value).split())) or None


def _lower(value: str) -> str:
    """Return *value* clean and in lower case, which may need composing anew."""
    text = clean(value).lower()
    return text if text.isascii() else normalize("NFC", text)


def _squeeze(value: str) -> str:
    """Return *value* in lower case without white space, punctuation and symbols."""
    text = _lower(value)
    if text.isascii():
        return _NOT_ALNUM.sub("", text)
    kept = "".join(char for char in text if _is_letter_or_digit(char))
    return normalize("NFC", kept)


def _is_letter_or_digit(char: str) -> bool:
    return category(char)[0] not in "PSZC" and ord(char) not in _VARIATION_SELECTORS


def _written_day(text: str) -> date | None:
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    first, _, second, third = match.groups()
    if len(first) == 4:
        return _day(first, second, third)
    if len(first) > 2 or len(third) != 4:
        return None
    days = {_day(third, first, second), _day(third, second, first)} - {None}
    return days.pop() if len(days) == 1 else None


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
