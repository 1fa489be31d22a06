"""What is told of a delivery that could not be understood."""

import traceback

from bridge.events import BridgeError, TranslationError
from bridge.store import DeliveryEnd


def dead(delivery_id: int, error: Exception) -> DeliveryEnd:
    """Return the end of a delivery that *error* stopped."""
    reason = error.reason if isinstance(error, TranslationError) else "fault"
    return DeliveryEnd(delivery_id=delivery_id, state="dead", reason=reason, detail=blame(error))


def blame(error: Exception) -> str:
    """Describe *error* without personal data: our own words, or a type and a line."""
    if isinstance(error, BridgeError):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {last.filename.rsplit('/', 1)[-1]}:{last.lineno}"
