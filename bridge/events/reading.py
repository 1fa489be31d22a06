"""Reading foreign JSON without ever raising for its shape.

`parse_json` refuses what is not sound JSON.  The readers take any value and return the
wanted kind or None, so that one odd field never costs the order.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from .errors import TranslationError

MAX_TEXT = 2_000
MAX_ITEMS = 500
_UNSOUND = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\Z", re.ASCII)
_ID = re.compile(r"[^\s\x00-\x1f\x7f]{1,200}\Z")


def parse_json(body: bytes) -> Any:
    """Return the parsed *body*; numbers with a fraction become `Decimal`.

    Raises TranslationError with reason ``not_utf8`` or ``not_json``.  Strict where Python
    is lax: UTF-8 only, no NaN or Infinity, no number beyond reason, bounded depth.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TranslationError("not_utf8", "the body is not UTF-8 text") from None
    try:
        return json.loads(text, parse_float=_decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise TranslationError("not_json", "the body is not sound JSON") from None


def parse_object(body: bytes) -> Mapping[str, Any]:
    """Return the parsed *body*, which must be a JSON object (reason ``not_object``)."""
    value = parse_json(body)
    if not isinstance(value, dict):
        raise TranslationError("not_object", "the body is not a JSON object")
    return value


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:  # an exponent too long for any Decimal
        raise ValueError("number beyond reason") from None
    if not _sane(value):
        raise ValueError("number beyond reason")
    return value


def _no_constant(_: str) -> Decimal:
    raise ValueError("NaN and Infinity are not JSON")


def _sane(value: Decimal) -> bool:
    return value.is_finite() and abs(value.adjusted()) <= 20


def text(value: object) -> str | None:
    """Return a stripped, non-empty text without control characters, at most 2,000 long."""
    if not isinstance(value, str):
        return None
    if not value.isprintable() or len(value) > MAX_TEXT:
        value = _UNSOUND.sub("", value[: MAX_TEXT * 2]).strip()[:MAX_TEXT]
    return value.strip() or None


def identifier(value: object) -> str | None:
    """Return an id as text: a positive whole number, or a text without white space."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value) if 0 < value < 10**40 else None
    if isinstance(value, str) and _ID.match(value) and not _UNSOUND.search(value):
        return None if value == "0" else value
    return None


def number(value: object) -> Decimal | None:
    """Return a finite amount from a number or a decimal text, else None."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    if isinstance(value, str) and not (len(value) <= 40 and _NUMBER.match(value.strip())):
        return None
    if isinstance(value, int) and abs(value) >= 10**21:
        return None
    result = Decimal(value)
    return result if _sane(result) else None


def whole(value: object) -> int | None:
    """Return a whole number, else None."""
    result = number(value)
    return int(result) if result is not None and result == result.to_integral() else None


def moment(value: object, zone: str = "") -> datetime | None:
    """Return an ISO 8601 time as aware UTC.

    *zone* (``+00:00``) is appended where the shop leaves it out; a time without any zone
    is None, never guessed.
    """
    if not isinstance(value, str) or not 10 < len(value) <= 40:
        return None
    try:
        result = datetime.fromisoformat(value)
        if result.tzinfo is None:
            if not zone:
                return None
            result = datetime.fromisoformat(value + zone)
        result = result.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return result if 1990 < result.year < 2200 else None


def moment_ms(value: object) -> datetime | None:
    """Return a Unix time in milliseconds as aware UTC."""
    milliseconds = whole(value)
    if milliseconds is None or not 10**11 < milliseconds < 7 * 10**12:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def mapping(value: object) -> Mapping[str, Any]:
    """Return an object, or an empty one."""
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> list[Mapping[str, Any]]:
    """Return the objects of a list, at most 500, or none."""
    if not isinstance(value, list):
        return []
    return [item for item in value[:MAX_ITEMS] if isinstance(item, dict)]
