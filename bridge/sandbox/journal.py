"""What the sandbox remembers: events it took, requests it refused, and how many of each.

Memory is bounded: the last 100,000 events as compact rows, 2,000 of them with their
payload, 2,000 refused requests, 2,000 requests, 500,000 ids for telling duplicates.
"""

import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from bridge.sandbox.judge import present
from bridge.sandbox.silence import event_warnings

MAX_ROWS = 100_000
MAX_PAYLOADS = 2_000
MAX_REQUESTS = 2_000
MAX_IDS = 500_000
# Meta drops what it has seen from the browser within 48 hours, but keeps a second copy
# from the server: source "Deduplicate pixel and server events" (read 2026-11-23).
DUPLICATE_S = 48 * 3600


@dataclass(slots=True, kw_only=True)
class Accepted:
    """One event that was taken.  `event` is None once its payload is dropped."""

    dataset: str
    event_name: str
    event_id: str | None
    event_time: int | str
    action_source: str
    value: object
    currency: object
    user_data_keys: tuple[str, ...]
    test_event_code: str
    received_at: str
    request: int
    duplicate: bool
    warnings: tuple[str, ...]
    event: Mapping[str, Any] | None


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request and its answer; `status` is None where none was given."""

    request: int = 0
    received_at: str = ""
    method: str
    path: str
    dataset: str = ""
    events: int = 0
    status: int | None = None
    code: int | None = None
    error_subcode: int | None = None
    message: str = ""
    blame: Sequence[str | int] = ()
    fault: str = ""


class Journal:
    """The memory of one sandbox, safe to use from all of its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forget everything and count from nought."""
        with self._lock:
            self._accepted: deque[Accepted] = deque(maxlen=MAX_ROWS)
            self._with_payload: deque[Accepted] = deque()
            self._refused: deque[Exchange] = deque(maxlen=MAX_REQUESTS)
            self._requests: deque[Exchange] = deque(maxlen=MAX_REQUESTS)
            self._first_seen: dict[int, float] = {}
            self._counts = {"requests": 0, "events": 0, "refusals": 0, "duplicates": 0}

    def accept(
        self,
        exchange: Exchange,
        events: Sequence[Mapping[str, Any]],
        now: float,
        *,
        test_event_code: str = "",
        warnings: tuple[str, ...] = (),
    ) -> None:
        """Record a request whose *events* are taken; *warnings* hold for each of them."""
        rows = [_row(exchange.dataset, event, test_event_code, warnings) for event in events]
        with self._lock:
            self._number(exchange, now)
            for row in rows:
                row.request, row.received_at = exchange.request, exchange.received_at
                row.duplicate = self._seen_before(row, now)
                self._keep(row)

    def refuse(self, exchange: Exchange, now: float) -> None:
        """Record a request of which nothing is taken."""
        with self._lock:
            self._number(exchange, now)
            self._refused.append(exchange)
            self._counts["refusals"] += 1

    def counts(self) -> dict[str, int]:
        """Return how many requests, events, refusals and duplicates there were."""
        with self._lock:
            return dict(self._counts)

    def accepted(self, limit: int = MAX_ROWS) -> list[dict[str, Any]]:
        """Return the last *limit* events taken, oldest first."""
        with self._lock:
            rows = list(self._accepted)
        return _dicts(rows[-limit:])

    def refused(self, limit: int = MAX_REQUESTS) -> list[dict[str, Any]]:
        """Return the last *limit* refused requests, oldest first."""
        with self._lock:
            rows = list(self._refused)
        return _dicts(rows[-limit:])

    def requests(self, limit: int = MAX_REQUESTS) -> list[dict[str, Any]]:
        """Return the last *limit* requests of any kind, oldest first."""
        with self._lock:
            rows = list(self._requests)
        return _dicts(rows[-limit:])

    def _number(self, exchange: Exchange, now: float) -> None:
        self._counts["requests"] += 1
        exchange.request = self._counts["requests"]
        at = datetime.fromtimestamp(now, UTC)
        exchange.received_at = at.isoformat(timespec="milliseconds")
        self._requests.append(exchange)

    def _seen_before(self, row: Accepted, now: float) -> bool:
        if not row.event_id:
            return False
        key = hash((row.dataset, row.event_name, row.event_id))
        first = self._first_seen.get(key)
        if first is not None and now - first < DUPLICATE_S:
            return True
        self._first_seen.pop(key, None)  # so that the oldest always stand first
        self._first_seen[key] = now
        if len(self._first_seen) > MAX_IDS:
            del self._first_seen[next(iter(self._first_seen))]
        return False

    def _keep(self, row: Accepted) -> None:
        self._counts["events"] += 1
        self._counts["duplicates"] += row.duplicate
        self._accepted.append(row)
        self._with_payload.append(row)
        if len(self._with_payload) > MAX_PAYLOADS:
            self._with_payload.popleft().event = None


def _row(
    dataset: str, event: Mapping[str, Any], test_event_code: str, warnings: tuple[str, ...]
) -> Accepted:
    custom_data = event.get("custom_data")
    given = custom_data if isinstance(custom_data, dict) else {}
    event_id = event.get("event_id")
    return Accepted(
        dataset=dataset,
        event_name=event["event_name"],
        event_id=None if event_id is None else str(event_id),
        event_time=event["event_time"],
        action_source=event["action_source"],
        value=given.get("value"),
        currency=given.get("currency"),
        user_data_keys=tuple(sorted(present(event["user_data"]))),
        test_event_code=test_event_code,
        received_at="",
        request=0,
        duplicate=False,
        warnings=warnings + event_warnings(event),
        event=event,
    )


def _dicts(rows: Iterable[Accepted | Exchange]) -> list[dict[str, Any]]:
    return [{field.name: getattr(row, field.name) for field in fields(row)} for row in rows]
