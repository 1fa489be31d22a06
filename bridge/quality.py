"""What each destination says of its token and of our events, asked seldom and kept for pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bridge import net, registry
from bridge.events import BridgeError, Endpoint, Finding, Quality, Request, Response
from bridge.store import Destination, Store
from bridge.trial import check_access

EVERY_US = 6 * 3600 * 1_000_000
Post = Callable[[Request], Response]


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a destination said; times in microseconds.

    `rows` are of `rows_at`: older than `asked_at` where it was not told since, and None where
    this token may not read them.
    """

    asked_at: int
    access: Finding
    rows: Sequence[Quality] | None = None
    rows_at: int = 0


def told(store: Store, destination_id: int) -> Told | None:
    """Return what the destination said last; None if it was not asked yet."""
    kept = store.overview.answer(_name(destination_id))
    if not kept:
        return None
    rows = kept["rows"]
    return Told(
        asked_at=kept["asked_at"],
        access=Finding(**kept["access"]),
        rows=None if rows is None else [Quality(**row) for row in rows],
        rows_at=kept["rows_at"],
    )


def forget(store: Store, destination_id: int) -> None:
    """Let the destination be asked anew: its settings are others now."""
    store.overview.set_answer(_name(destination_id), {})


def ask(
    store: Store, destination: Destination, endpoint: Endpoint, post: Post = net.send
) -> Finding:
    """Ask the destination now, keep what it says, and return whether the token works.

    It only reads.  Never raises but for the store.
    """
    now = store.database.local_now()
    before = told(store, destination.id)
    access = check_access(destination, endpoint, post)
    kept: dict[str, Any] = {"asked_at": now, "access": vars(access), "rows": None, "rows_at": now}
    adapter = registry.destination(destination.kind)
    try:
        request = adapter.quality_request(destination.settings, endpoint)
        rows = adapter.read_quality(post(request)) if request else None
        kept["rows"] = None if rows is None else [vars(row) for row in rows]
    except BridgeError:  # out of reach for now: what it said before may still be true
        if before and before.rows is not None:
            kept |= {"rows": [vars(row) for row in before.rows], "rows_at": before.rows_at}
    store.overview.set_answer(_name(destination.id), kept)
    return access


def ask_next(store: Store, endpoint: Endpoint, post: Post = net.send) -> bool:
    """Ask one destination that was not asked for six hours; return whether there was one."""
    limit = store.database.local_now() - EVERY_US
    for one in store.connections.destinations():
        last = told(store, one.id)
        if one.state != "paused" and (last is None or last.asked_at < limit):
            with store.watches.lock("quality") as taken:
                if taken:
                    ask(store, one, endpoint, post)
                return taken
    return False


def _name(destination_id: int) -> str:
    return f"quality.{destination_id}"
