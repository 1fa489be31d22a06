"""What Meta takes in silence but counts for nothing, or for less: a sentence each.

The live API answers 200 to all of it (read 2026-11-23: a website event without a user
agent, documented as required, was accepted).  Sentences name fields and hold no values.
"""

import hashlib
import ipaddress
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from bridge.sandbox.judge import HASHED_KEYS, MATCH_KEYS, values, words

EVENT_FIELDS = words(
    "event_name event_time event_id action_source event_source_url user_data custom_data "
    "opt_out data_processing_options data_processing_options_country "
    "data_processing_options_state referrer_url original_event_data customer_segmentation "
    "app_data attribution_data advanced_measurement_table messaging_channel store_data"
)
TOKEN_IN_URL = "the access token was in the URL, where every log keeps it"
TEST_CODE_FORM = "test_event_code is not of the form TEST12345: Test Events will not show it"

# A hash may carry the parameter builder's appendix: two or eight characters.
_HASH = re.compile(r"[0-9a-f]{64}(\.([A-Za-z0-9_-]{2}|[A-Za-z0-9_-]{8}))?\Z")
_COOKIE = re.compile(r"fb\.[0-9]\.[0-9]{13}\.[A-Za-z0-9_.-]{1,500}\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_TEST_CODE = re.compile(r"TEST[0-9]{1,10}\Z")
_WEB = re.compile(r"https?://[^\s/]+", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@]@[^\s@]+\.[a-z]", re.IGNORECASE)
_PRIVATE_URL = re.compile(
    r"@|%40|/(orders|checkouts)/(\w{1,4}/)?\w{20,}"
    r"|[?&#](key|order_key|(access_)?token|auth|e?-?mail|phone|tel"
    r"|(first|last|full)?[_-]?name|address)=",
    re.IGNORECASE,
)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


_NOTHING = frozenset(
    map(_sha256, ("", " ", "null", "NULL", "none", "None", "undefined", "nan", "NaN", "n/a", "0"))
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# Keys with so few normal forms that a hash of anything else can be told.
_NORMAL = {
    "ge": frozenset(map(_sha256, "fm")),
    "country": frozenset(_sha256(a + b) for a in _LETTERS for b in _LETTERS),
}


def request_warnings(*, token_in_url: bool, test_event_code: str) -> tuple[str, ...]:
    """Return what holds for each event of a request."""
    found = [TOKEN_IN_URL] if token_in_url else []
    if test_event_code and not _TEST_CODE.match(test_event_code):
        found.append(TEST_CODE_FORM)
    return tuple(found)


def event_warnings(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what is wrong with an accepted *event*; nothing if all of it counts."""
    return (
        *_fields(event),
        *_address(event),
        *_user_data(event["user_data"]),
        *_custom_data(event.get("custom_data")),
    )


def _fields(event: Mapping[str, Any]) -> Iterator[str]:
    for name in event.keys() - EVENT_FIELDS:
        yield f"{name[:40]}: Meta knows no such field"
    if not isinstance(event.get("event_id"), str) or not event["event_id"]:
        yield "event_id is missing or not a text: the event cannot be deduplicated"
    if isinstance(event["event_time"], str):
        yield "event_time is a text, not a number"
    if event.get("data_processing_options") and not (
        isinstance(event.get("data_processing_options_country"), int)
        and isinstance(event.get("data_processing_options_state"), int)
    ):
        yield "data_processing_options need a country and a state, as whole numbers"


def _address(event: Mapping[str, Any]) -> Iterator[str]:
    if event["action_source"] == "website":
        if not event["user_data"].get("client_user_agent"):
            yield "user_data.client_user_agent is required for a website event"
        if not event.get("event_source_url"):
            yield "event_source_url is required for a website event"
    for name in ("event_source_url", "referrer_url"):
        url = event.get(name)
        if not url:
            continue
        if not isinstance(url, str) or not _WEB.match(url):
            yield f"{name} is not a web address"
        elif _PRIVATE_URL.search(url):
            yield f"{name} seems to hold personal data, or the key of an order"


def _user_data(user_data: Mapping[str, Any]) -> Iterator[str]:
    for key, value in user_data.items():
        if key in HASHED_KEYS:
            yield from _hashes(key, value)
        elif key in {"fbp", "fbc"}:
            if not isinstance(value, str) or not _COOKIE.match(value):
                yield f"user_data.{key} is not fb.<index>.<milliseconds>.<id>"
        elif key == "client_ip_address":
            if not isinstance(value, str) or not _is_address(value):
                yield "user_data.client_ip_address is not an IP address"
        elif key not in MATCH_KEYS:
            yield f"user_data.{key[:40]}: Meta knows no such match key"


def _hashes(key: str, value: object) -> Iterator[str]:
    for item in values(value):
        if not isinstance(item, str) or not _HASH.match(item):
            yield f"user_data.{key} is not a SHA-256 in 64 lower-case hex digits"
        elif item[:64] in _NOTHING:
            yield f"user_data.{key} is the hash of an empty value"
        elif key in _NORMAL and item[:64] not in _NORMAL[key]:
            yield f"user_data.{key} is the hash of a value that was not normalised"


@lru_cache(maxsize=4096)
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _custom_data(custom_data: object) -> Iterator[str]:
    if not isinstance(custom_data, dict):
        if custom_data is not None:
            yield "custom_data is not an object"
        return
    yield from _money(custom_data)
    yield from _ids(custom_data)
    for name, value in custom_data.items():
        if isinstance(value, str) and _EMAIL.search(value):
            yield f"custom_data.{name[:40]} seems to hold an e-mail address"


def _money(custom_data: Mapping[str, Any]) -> Iterator[str]:
    value, currency = custom_data.get("value"), custom_data.get("currency")
    if isinstance(value, str):
        yield "custom_data.value is a text, not a number"
    elif isinstance(value, int | float) and value < 0:
        yield "custom_data.value is negative"
    if currency is not None and (not isinstance(currency, str) or not _CURRENCY.match(currency)):
        yield "custom_data.currency is not three upper-case letters (ISO 4217)"


def _ids(custom_data: Mapping[str, Any]) -> Iterator[str]:
    ids, contents = custom_data.get("content_ids"), custom_data.get("contents")
    if ids is not None and not (isinstance(ids, list) and _all_text(ids)):
        yield "custom_data.content_ids is not a list of texts"
    if contents is None:
        return
    if not isinstance(contents, list) or not all(isinstance(line, dict) for line in contents):
        yield "custom_data.contents is not a list of objects"
    elif not _all_text([line.get("id") for line in contents]):
        yield "custom_data.contents: an id is not a text"


def _all_text(items: list[object]) -> bool:
    return all(isinstance(item, str) and item for item in items)
