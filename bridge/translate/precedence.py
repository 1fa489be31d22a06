"""What a verdict says of who may tell of an event, and of what its buyer said."""

from bridge import policy
from bridge.consent import DENIED
from bridge.events import Event


def unowned(event: Event, verdict: policy.Verdict) -> str:
    """Return why *event* is another's to tell; empty if it is not."""
    skipped = verdict.reason if isinstance(verdict, policy.Skip) else ""
    unowned = {"owner_webhook", "owner_browser"} | ({"event_off"} if event.collected else set())
    return skipped if skipped in unowned else ""


def is_denied(verdict: policy.Verdict) -> bool:
    """Return whether the buyer said no."""
    return isinstance(verdict, policy.Skip) and verdict.reason == DENIED
