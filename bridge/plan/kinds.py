"""The kinds of values a plan may hold.

A kind is the metadata of a dataclass field: its ``read`` takes a TOML value and returns the
value to keep, or raises ValueError with the sentence that the operator reads.
"""

import re
from collections.abc import Callable, Collection
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache

Kind = dict[str, Callable[[object], object]]
MAX_SHOWN = 60
EVENT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,49}\Z")
_PART = re.compile(r"\{([^{}]*)\}")


def nearest(word: str, known: Collection[str]) -> str:
    """Return the hint that closes a sentence about a wrong *word*."""
    folded = {one.casefold(): one for one in known}
    close = get_close_matches(word[:MAX_SHOWN].casefold(), folded, n=1, cutoff=0.5)
    return f'did you mean "{folded[close[0]]}"?' if close else "known: " + ", ".join(known)


@lru_cache(maxsize=64)
def parts_of(template: str) -> tuple[str, ...]:
    """Return the names in braces, in order."""
    return tuple(_PART.findall(template))


def fill(template: str, parts: dict[str, str | None]) -> str:
    """Return *template* with its parts; a part without a value becomes nothing."""
    return _PART.sub(lambda match: parts.get(match[1]) or "", template)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text in quotes")
    return value.strip()


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _event_name(value: object) -> str:
    name = _text(value)
    if name and not EVENT_NAME.match(name):
        raise ValueError("must be an event name: a letter, then at most 49 letters or digits")
    return name


SWITCH: Kind = {"read": _switch}
TEXT: Kind = {"read": _text}
NAME: Kind = {"read": _event_name}


def one_of(*choices: str) -> Kind:
    """Return the kind of a single word out of *choices*."""
    return {"read": lambda value: _choice(value, choices)}


def list_of(*choices: str) -> Kind:
    """Return the kind of a list of texts, each out of *choices* if any are given."""

    def read(value: object) -> tuple[str, ...]:
        return tuple(_choice(text, choices) if choices else text for text in _texts(value))

    return {"read": read}


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError('must be a list of texts, like ["a", "b"]')
    return tuple(text for text in map(_text, value) if text)


def _choice(value: object, choices: Collection[str]) -> str:
    word = _text(value)
    if word not in choices:
        raise ValueError(f'unknown word "{word[:MAX_SHOWN]}"; {nearest(word, choices)}')
    return word


def _list_in(form: str, what: str) -> Kind:
    """Return the kind of a list of texts in the form of a regular expression."""

    def read(value: object) -> tuple[str, ...]:
        texts = _texts(value)
        if wrong := [text for text in texts if not re.fullmatch(form, text)]:
            raise ValueError(f'"{wrong[0][:MAX_SHOWN]}" is no {what}')
        return tuple(text if "@" in text else text.upper() for text in texts)

    return {"read": read}


COUNTRIES = _list_in("[A-Za-z]{2}", "two-letter country code")
CURRENCIES = _list_in("[A-Za-z]{3}", "three-letter currency code")
EMAILS = _list_in(r"[^@\s]+@[^@\s]+", "e-mail address")


def number(low: int, high: int) -> Kind:
    """Return the kind of a decimal number from *low* to *high*."""

    def read(value: object) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise ValueError("must be a number")
        result = Decimal(value)
        if not result.is_finite() or not low <= result <= high:
            raise ValueError(f"must be from {low} to {high}")
        return result

    return {"read": read}


def whole(low: int, high: int) -> Kind:
    """Return the kind of a whole number from *low* to *high*."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("must be a whole number")
        if not low <= value <= high:
            raise ValueError(f"must be from {low} to {high}")
        return value

    return {"read": read}


def template(*parts: str, optional: bool = False) -> Kind:
    """Return the kind of a text with *parts* in braces; empty only where *optional*."""

    def read(value: object) -> str:
        text = _text(value)
        for part in parts_of(text):
            if part not in parts:
                raise ValueError(f'unknown part "{part[:MAX_SHOWN]}"; {nearest(part, parts)}')
        if re.search("[{}]", _PART.sub("", text)):
            raise ValueError("has a brace that is not closed")
        if not (parts_of(text) or (optional and not text)):
            raise ValueError("must name at least one part: " + ", ".join(parts))
        return text

    return {"read": read}
