"""What an address asks of the lists: filters, views and places, whatever else stands in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from bridge.store import DeliveryFilter, EventFilter, Place, micros

OPEN: Final = ("pending", "sending", "waiting")
CONSENT: Final = ("consent_denied", "consent_unknown")
STATES: Final = ("sent", "pending", "sending", "waiting", "skipped", "dead", "expired")
DELIVERY_STATES: Final = ("received", "translated", "ignored", "dead")
# Name of the text, filters: what people look for most.
EVENT_VIEWS: Final[tuple[tuple[str, Mapping[str, str]], ...]] = (
    ("all", {}),
    ("waiting", {"state": "open"}),
    ("sent", {"state": "sent"}),
    ("skipped", {"state": "skipped"}),
    ("consent", {"reason": "consent"}),
    ("dead", {"state": "dead"}),
    ("expired", {"state": "expired"}),
)
DELIVERY_VIEWS: Final[tuple[tuple[str, Mapping[str, str]], ...]] = (
    ("all", {}),
    ("received", {"state": "received"}),
    ("translated", {"state": "translated"}),
    ("ignored", {"state": "ignored"}),
    ("dead", {"state": "dead"}),
)
EVENT_NAMES: Final = ("q", "state", "reason", "event", "source", "destination", "from", "to")
DELIVERY_NAMES: Final = ("state", "topic", "source", "from", "to")
_PLACE = re.compile(r"(\d{1,17})-(\d{1,15})", re.ASCII)
_LONGEST = 200


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The filters of an address by name, only those that mean something."""

    values: Mapping[str, str]

    def get(self, name: str) -> str:
        """Return what is asked for, or an empty text."""
        return self.values.get(name, "")

    def query(self, **more: str) -> str:
        """Return the filters as the query of an address, with *more*."""
        return urlencode({**self.values, **more})

    def is_view(self, wanted: Mapping[str, str]) -> bool:
        """Return whether exactly this view is asked for."""
        return self.values == wanted

    def events(self) -> EventFilter:
        """Return the filter of events."""
        state, reason = self.get("state"), self.get("reason")
        return EventFilter(
            states=OPEN if state == "open" else (state,) if state else (),
            reasons=CONSENT if reason == "consent" else (reason,) if reason else (),
            event_name=self.get("event"),
            source_id=_number(self.get("source")),
            destination_id=_number(self.get("destination")),
            start=_day(self.get("from")),
            end=_day(self.get("to"), after=True),
            words=self.get("q"),
        )

    def deliveries(self) -> DeliveryFilter:
        """Return the filter of deliveries."""
        return DeliveryFilter(
            state=self.get("state"),
            topic=self.get("topic"),
            source_id=_number(self.get("source")),
            start=_day(self.get("from")),
            end=_day(self.get("to"), after=True),
        )


def asked_events(arguments: Mapping[str, str]) -> Asked:
    """Return what is asked of the list of events."""
    return _asked(arguments, EVENT_NAMES, {*STATES, "open"})


def asked_deliveries(arguments: Mapping[str, str]) -> Asked:
    """Return what is asked of the list of deliveries."""
    return _asked(arguments, DELIVERY_NAMES, set(DELIVERY_STATES))


def place(text: str) -> Place | None:
    """Return the place that `placed` wrote; None for anything else."""
    found = _PLACE.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None


def placed(where: Place | None) -> str:
    """Return a place as it stands in an address; empty for None."""
    return f"{where[0]}-{where[1]}" if where else ""


def _asked(arguments: Mapping[str, str], names: tuple[str, ...], states: set[str]) -> Asked:
    values = {}
    for name in names:
        value = arguments.get(name, "").replace("\0", "").strip()[:_LONGEST]
        value = value.encode("utf-8", "replace").decode()
        unknown = (
            (name == "state" and value not in states)
            or (name in {"source", "destination"} and _number(value) is None)
            or (name in {"from", "to"} and _day(value) is None)
        )
        if value and not unknown:
            values[name] = value
    return Asked(values=values)


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{1,15}", text, re.ASCII) else None


def _day(text: str, *, after: bool = False) -> int | None:
    """Return when a day begins, or with *after* ends, in microseconds UTC; None for no day."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        return micros(day + timedelta(days=1) if after else day)
    except (ValueError, OverflowError):
        return None
