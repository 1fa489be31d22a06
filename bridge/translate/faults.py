"""What is told of a delivery that could not be understood."""

import traceback

from bridge.events import BridgeError, TranslationError
from bridge.store import DeliveryEnd, StoredDelivery
from bridge.visitors import COLLECTED


def ended(stored: StoredDelivery, error: Exception) -> DeliveryEnd:
    """Return the end of a delivery that *error* stopped.

    It is dead, for somebody to see to; but anybody may post nonsense to the collector, so that
    is ignored: it is nobody's to mend, and must not hide the dead letters that are.
    """
    reason = error.reason if isinstance(error, TranslationError) else "fault"
    nonsense = reason != "fault" and stored.delivery.topic == COLLECTED
    return DeliveryEnd(
        delivery_id=stored.id,
        state="ignored" if nonsense else "dead",
        reason=reason,
        detail=blame(error),
    )


def blame(error: Exception) -> str:
    """Describe *error* without personal data: our own words, or a type and a line."""
    if isinstance(error, BridgeError):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {last.filename.rsplit('/', 1)[-1]}:{last.lineno}"
