"""The coverage ledger: each order of the shop's own list ends in exactly one line."""

from dataclasses import dataclass, field

from bridge.store import LedgerLine, Source, Store

_WANTED = {"sent", "pending", "sending", "waiting", "dead", "expired", "never_received"}
# The plan wanted these too: they were lost on the way, not left out on purpose.
_LOST = {"invalid", "expired", "no_match_key", "fault", "unreadable"}


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What became of a period's orders.

    `eligible` is what the plan wants sent.  `repaired` came by reading the shop's list after
    their webhooks never did.
    """

    total: int = 0
    sent: int = 0
    eligible: int = 0
    repaired: int = 0
    by_state: dict[str, int] = field(default_factory=dict)
    by_reason: dict[str, int] = field(default_factory=dict)

    @property
    def of_eligible(self) -> float | None:
        """Return sent / eligible; None where nothing was eligible."""
        return self.sent / self.eligible if self.eligible else None

    @property
    def of_total(self) -> float | None:
        """Return (sent + skipped) / total; None where there were no orders."""
        handled = self.sent + self.by_state.get("skipped", 0)
        return handled / self.total if self.total else None


def is_wanted(state: str, reason: str) -> bool:
    """Return whether the plan wanted this event sent, whatever became of it."""
    return state in _WANTED or (state == "skipped" and reason.partition(":")[0] in _LOST)


def lines(store: Store, source: Source, start: int, end: int) -> list[LedgerLine]:
    """Return a line for each order of the period, by when it last changed; microseconds."""
    return store.ledger.lines(source.id, start, end)


def coverage(found: list[LedgerLine]) -> Coverage:
    """Return the sums of *found*."""
    by_state: dict[str, int] = {}
    by_reason: dict[str, int] = {}
    for line in found:
        by_state[line.state] = by_state.get(line.state, 0) + 1
        if line.state == "skipped":
            by_reason[line.reason] = by_reason.get(line.reason, 0) + 1
    return Coverage(
        total=len(found),
        sent=by_state.get("sent", 0),
        eligible=sum(is_wanted(line.state, line.reason) for line in found),
        repaired=sum(line.repaired_at is not None for line in found),
        by_state=by_state,
        by_reason=by_reason,
    )
