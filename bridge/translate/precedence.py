"""What a batch asks of a delivery and of a verdict: who may tell it, who said no, what is kept."""

from collections.abc import Iterable

from bridge import policy
from bridge.consent import DENIED
from bridge.events import Delivery, Event, Fact, Redaction
from bridge.visitors import COLLECTED


def unowned(event: Event, verdict: policy.Verdict) -> str:
    """Return why *event* is another's to tell; empty if it is not."""
    skipped = verdict.reason if isinstance(verdict, policy.Skip) else ""
    unowned = {"owner_webhook", "owner_browser"} | ({"event_off"} if event.collected else set())
    return skipped if skipped in unowned else ""


def is_denied(event: Event, verdict: policy.Verdict) -> bool:
    """Return whether the buyer said no, also where *verdict* names what was found before that."""
    said_no = event.consent is not None and event.consent.marketing is False
    return said_no or (isinstance(verdict, policy.Skip) and verdict.reason == DENIED)


def is_noted(delivery: Delivery, facts: Iterable[Fact]) -> bool:
    """Return whether all that *delivery* told is kept elsewhere: visitors, who is to be erased.

    A browser's body that makes no sense is not kept either: nobody knows if it may be.
    """
    return delivery.topic == COLLECTED or any(isinstance(fact, Redaction) for fact in facts)
