"""Phone numbers, read with the country of the address they came with."""

import phonenumbers
from phonenumbers import NumberParseException, ValidationResult

from adapters.destinations.meta.normalise import clean


def phone(value: str, country: str | None = None) -> str | None:
    """Return the number in E.164 without the plus sign and without an extension.

    *country* is an ISO code; None means that only an international number can be read.
    None is returned for what is no possible number, two numbers, or a local one.
    """
    text = clean(value)
    region = country.upper() if country else None
    number = _read(text, region)
    if number is None and text.startswith("00"):
        # "00" is how most of the world dials abroad; not so the US, Japan and Australia.
        number = _read("+" + text[2:], None)
    return number


def _read(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    # A number possible only within its own town has no place in E.164.
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    national = phonenumbers.national_significant_number(number)
    return None if national.startswith("00") else f"{number.country_code}{national}"
