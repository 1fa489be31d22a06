"""What Meta refuses: a version, a token, a dataset, or a whole batch for one event.

Source of the rules: Meta's Conversions API pages "Using the API", "Server event
parameters", "Customer information parameters" and "Best practices"; subcodes as published
by senders that met them (read 2026-11-23).  Rules without a known subcode carry none.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from bridge.sandbox.refusals import (
    Refusal,
    bad_event,
    bad_parameter,
    of_code,
    unknown_object,
)

MAX_BATCH = 1000
DAY_S = 86_400
MAX_AGE_S = 7 * DAY_S
MAX_AGE_STORE_S = 62 * DAY_S
# Meta names no number; ten minutes is ours.
MAX_AHEAD_S = 600
NEWEST_VERSION = 26
# Source: Graph API changelog, table of versions (read 2026-11-23).  Older ones are gone.
VERSION_ENDS = {
    21: date(2027, 1, 21),
    22: date(2027, 5, 20),
    23: date(2027, 10, 8),
    24: date(2028, 2, 18),
    25: date(2028, 7, 29),
}


def words(text: str) -> frozenset[str]:
    """Return the words of *text*."""
    return frozenset(text.split())


ACTION_SOURCES = words(
    "website app phone_call chat email physical_store system_generated business_messaging other"
)
HASHED_KEYS = words("em ph fn ln ge db ct st zp country")
MATCH_KEYS = HASHED_KEYS | words(
    "external_id client_ip_address client_user_agent fbc fbp subscription_id fb_login_id "
    "lead_id anon_id madid page_id page_scoped_user_id ctwa_clid ig_account_id ig_sid"
)
# Events with no more than one of these sets are invalid.
# Source: "Best practices", invalid combinations since v13.0 (read 2026-11-23).
WEAK = (
    words("ct country st zp ge client_user_agent"),
    words("db client_user_agent"),
    words("fn ge"),
    words("ln ge"),
)
BAD_TOKENS = {
    "expired": of_code(190, 463),
    "denied": of_code(200),
    "throttled": of_code(4),
}
_TOKEN = re.compile(r"[\x21-\x7e]+\Z")
_VERSION = re.compile(r"v([1-9][0-9]{0,2})\.0\Z")
_PLAIN_PHONE = re.compile(r"[+(]?\d[\d\s().\-]{4,19}\Z")


def version_refusal(version: str, now: float) -> Refusal | None:
    """Return the refusal of a retired (2635) or unknown (2500) version."""
    match = _VERSION.match(version)
    if not match or int(match[1]) > NEWEST_VERSION:
        return of_code(2500)
    number = int(match[1])
    today = datetime.fromtimestamp(now, UTC).date()
    ends = VERSION_ENDS.get(number, date.max if number == NEWEST_VERSION else date.min)
    return of_code(2635) if today >= ends else None


def token_refusal(token: str, bad_tokens: Mapping[str, Refusal]) -> Refusal | None:
    """Return 190 for no sound token, or what *bad_tokens* has for its beginning."""
    if not _TOKEN.match(token):
        return of_code(190)
    return next((bad for start, bad in bad_tokens.items() if token.startswith(start)), None)


def dataset_refusal(dataset: str, unknown: frozenset[str]) -> Refusal | None:
    """Return 100/33 for an id that is not made of digits, or one of *unknown*."""
    known = dataset.isascii() and dataset.isdigit() and dataset not in unknown
    return None if known else unknown_object(dataset)


def batch_refusal(data: object, now: float) -> Refusal | None:
    """Return why the whole batch is refused: for its own shape or for one bad event."""
    if data is None:
        return bad_parameter("The parameter data is required.")
    if not isinstance(data, list):
        return bad_parameter("param data must be an array.")
    if not data:
        return bad_parameter("param data must be non-empty.")
    if len(data) > MAX_BATCH:
        return bad_parameter(f"param data must have at most {MAX_BATCH} events.")
    for index, event in enumerate(data):
        if refusal := _event_refusal(event, index, now):
            return refusal
    return None


def seconds(value: object) -> int | None:
    """Return Unix seconds from a whole number or its digits, else None."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def present(user_data: Mapping[str, Any]) -> frozenset[str]:
    """Return the match keys of *user_data* that hold anything."""
    return frozenset(
        key
        for key, value in user_data.items()
        if value and key in MATCH_KEYS and (not isinstance(value, list) or any(value))
    )


def values(value: object) -> Sequence[object]:
    """Return the values of a key that may hold one or a list."""
    return value if isinstance(value, list) else (value,)


def _event_refusal(event: object, index: int, now: float) -> Refusal | None:
    if not isinstance(event, dict):
        return bad_event(index, "", "Invalid event", "Each event must be an object.")
    name = event.get("event_name")
    if not isinstance(name, str) or not name.strip():
        return bad_event(index, "event_name", "Missing event name", "event_name is required.")
    source = event.get("action_source")
    if not isinstance(source, str) or source not in ACTION_SOURCES:
        text = "action_source is required and must be one of the known ones."
        return bad_event(index, "action_source", "Invalid action source", text)
    return (
        _time_refusal(event, index, now)
        or _user_refusal(event.get("user_data"), index)
        or (_purchase_refusal(event.get("custom_data"), index) if name == "Purchase" else None)
    )


def _time_refusal(event: Mapping[str, Any], index: int, now: float) -> Refusal | None:
    at = seconds(event.get("event_time"))
    if at is None:
        text = "event_time is required, in whole seconds."
        return bad_event(index, "event_time", "Invalid event time", text)
    in_store = event["action_source"] == "physical_store"
    if now - at > (MAX_AGE_STORE_S if in_store else MAX_AGE_S):
        text = "The timestamp for this event is too far in the past."
        return bad_event(index, "event_time", "Event Timestamp Too Old", text, 2804003)
    if at - now > MAX_AHEAD_S:
        text = "The timestamp for this event is in the future."
        return bad_event(index, "event_time", "Invalid event time", text)
    return None


def _user_refusal(user_data: object, index: int) -> Refusal | None:
    keys = present(user_data) if isinstance(user_data, dict) else frozenset[str]()
    if any(keys <= weak for weak in WEAK):
        text = "The event has no customer information, or too little of it to be matched."
        title = "Not enough customer information"
        return bad_event(index, "user_data", title, text, 2804050)
    assert isinstance(user_data, dict)  # noqa: S101 - it holds at least one key
    # Source: "Customer information parameters": contact data must be hashed (read
    # 2026-11-23).  The answer of the live API was not seen.
    for key in ("em", "ph"):
        if any(_plain_contact(value) for value in values(user_data.get(key))):
            text = f"{key} must be hashed with SHA-256."
            return bad_event(index, f"user_data.{key}", "Unhashed customer information", text)
    return None


def _plain_contact(value: object) -> bool:
    if isinstance(value, int):
        return True
    return isinstance(value, str) and ("@" in value or _PLAIN_PHONE.match(value) is not None)


def _purchase_refusal(custom_data: object, index: int) -> Refusal | None:
    given = custom_data if isinstance(custom_data, dict) else {}
    currency = given.get("currency")
    if not isinstance(currency, str) or not currency.strip():
        text = "A Purchase needs custom_data.currency."
        return bad_event(index, "custom_data.currency", "Missing currency", text, 2804010)
    if not is_amount(given.get("value")):
        text = "A Purchase needs custom_data.value, a number."
        return bad_event(index, "custom_data.value", "Missing value", text)
    return None


def is_amount(value: object) -> bool:
    """Return whether *value* is a number, or a text that reads as one."""
    if isinstance(value, str):
        return re.fullmatch(r"-?\d{1,20}(\.\d{1,20})?", value, re.ASCII) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)
