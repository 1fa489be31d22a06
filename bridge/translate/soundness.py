"""What an adapter may tell: facts with ids and times that the database takes."""

from dataclasses import replace
from datetime import datetime

from bridge.events import Consent, Event, Fact, TranslationError, UserData

_TEXTS = {
    "occasion", "subject_id", "topic", "event_id", "order_id", "order_number", "channel",
    "order_state", "cart_token", "request_id",
}  # fmt: skip
_TIMES = {"event_time", "updated_at", "created_at", "paid_at", "at"}


def sound(told: object, topic: str) -> Fact:
    """Return what an adapter told as a fact, an event with its *topic*.

    Raises TranslationError for what is no fact or could not be stored: it is to cost its own
    delivery, not the batch that it came with.
    """
    if not isinstance(told, Fact):
        raise TranslationError("unsound_fact", "the adapter told something that is no fact")
    for name, value in vars(told).items():
        if not _is_sound(name, value):
            raise TranslationError("unsound_fact", f"the adapter told an unsound {name}")
    return replace(told, topic=topic) if isinstance(told, Event) and not told.topic else told


def _is_sound(name: str, value: object) -> bool:
    if name == "user_data":  # browsers' and buyers' data are joined, across deliveries
        return isinstance(value, UserData)
    if value is None:
        return True
    if name == "consent":
        return isinstance(value, Consent)
    if name in _TEXTS:
        return _is_text(value)
    return name not in _TIMES or _is_time(value)


def _is_text(value: object) -> bool:
    """Return whether *value* is text as both engines take it: no NUL, no half a character."""
    return isinstance(value, str) and "\0" not in value and _is_utf8(value)


def _is_utf8(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_time(value: object) -> bool:
    return isinstance(value, datetime) and value.utcoffset() is not None
