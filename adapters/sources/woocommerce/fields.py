"""Fields that more than one kind of body has."""

import html
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bridge.events import TranslationError
from bridge.events.reading import identifier, moment, text


def required_id(body: Mapping[str, Any]) -> str:
    """Return the resource's id.  Raises TranslationError ``no_id``."""
    found = identifier(body.get("id"))
    if found is None:
        raise TranslationError(
            "no_id", "the body has no id: set the webhook to API version v3 in the shop"
        )
    return found


def utc(body: Mapping[str, Any], name: str) -> datetime | None:
    """Return a ``_gmt`` field.

    All times come without a zone; those without ``_gmt`` are in the shop's own, unknown one.
    """
    return moment(body.get(name), "+00:00")


def required_moment(body: Mapping[str, Any], name: str) -> datetime:
    """Return a ``_gmt`` field.  Raises TranslationError ``no_time``."""
    found = utc(body, name)
    if found is None:
        raise TranslationError("no_time", f"the body has no usable {name}")
    return found


def plain(value: object) -> str | None:
    """Return a text as the buyer typed it.

    Checkout blocks store HTML entities (``Smith &amp; Sons``), which would hash otherwise.
    Captured on 9.4 to 11.0.1 (read 2026-11-23).
    """
    return text(html.unescape(text(value) or ""))
