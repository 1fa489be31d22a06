"""Send, Skip or Wait; and what policy needs to know of a route."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bridge.consent import Decision

# Time cures these: a later delivery, or the end of a wait, may turn them into Send.  A
# refund may arrive before the payment that it undoes, a cancelled order may be paid after all
# (see `orders.current`), a state of the shop's own may stand before the payment, and the refund
# of a purchase that is still to be sent may be told again once it was.
CURABLE = {"not_paid", "unknown_state", "held", "refunded", "cancelled", "purchase_not_sent"}


@dataclass(frozen=True, kw_only=True)
class RouteView:
    """What policy needs to know of a route; an event name without a toggle is on.

    `recent` counts the orders of each channel that arrived within the last minute.
    """

    destination: str = ""
    recent: Mapping[str, int] = field(default_factory=dict)
    toggles: Mapping[str, bool] = field(default_factory=dict)
    live_since: datetime | None = None
    mode: str = "live"


@dataclass(frozen=True, kw_only=True)
class Send:
    """To be sent under this name; `browser` is False where no shopper's browser took part."""

    event_name: str
    action_source: str
    decision: Decision
    browser: bool = True


@dataclass(frozen=True, kw_only=True)
class Skip:
    """Not to be sent; `decision` is there where consent was judged."""

    reason: str
    event_name: str
    decision: Decision | None = None

    @property
    def curable(self) -> bool:
        """Return whether a later delivery may turn this into Send."""
        return self.reason in CURABLE


@dataclass(frozen=True, kw_only=True)
class Wait:
    """To be decided again at `until`, under the rules of that moment."""

    until: datetime
    reason: str
    event_name: str
    decision: Decision


Verdict = Send | Skip | Wait
