"""Reads for the coverage ledger: orders of the shop's list and what became of each."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import RowMapping, func, select

from bridge.events import Occasion

from . import schema
from .database import Database
from .rows import RECONCILED


@dataclass(frozen=True, kw_only=True)
class LedgerLine:
    """One order at its most telling destination; times in microseconds.

    `state` is one of the outbox, or ``never_received``.  `repaired` is True where the order
    was first heard of by reading the shop's list.
    """

    order_id: str
    order_number: str | None
    state: str
    reason: str
    event_id: str | None
    until: int | None
    expires_at: int | None
    repaired: bool


# Of an order with several destinations the state that needs most care counts.
_URGENCY = ("dead", "expired", "waiting", "pending", "sending", "skipped", "sent")


class Ledger:
    """Joins what the shop lists with what was decided."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lines(self, source_id: int, start: int, end: int) -> list[LedgerLine]:
        """Return a line for each order that the shop lists, or told, within the period."""
        listed, outbox = schema.listed_order, schema.outbox
        with self._database.read() as connection:
            orders = set(
                connection.scalars(
                    select(listed.c.order_id).where(
                        listed.c.source_id == source_id,
                        listed.c.changed_at >= start,
                        listed.c.changed_at < end,
                    )
                )
            )
            rows = connection.execute(
                select(outbox).where(
                    outbox.c.source_id == source_id,
                    outbox.c.occasion == Occasion.PURCHASE,
                    outbox.c.order_id.is_not(None),
                    outbox.c.event_at >= start,
                    outbox.c.event_at < end,
                )
            ).mappings()
            known = _most_urgent(rows)
            missing = orders - known.keys()
            for chunk in _chunks(sorted(missing)):
                later = connection.execute(
                    select(outbox).where(
                        outbox.c.source_id == source_id,
                        outbox.c.occasion == Occasion.PURCHASE,
                        outbox.c.order_id.in_(chunk),
                    )
                ).mappings()
                known |= _most_urgent(later)
            repaired = self._repaired(source_id, start)
        found = [
            LedgerLine(
                order_id=order_id,
                order_number=row["order_number"],
                state=row["state"],
                reason=row["reason"],
                event_id=row["event_id"],
                until=row["next_at"] if row["state"] == "waiting" else None,
                expires_at=row["expires_at"] if row["state"] == "pending" else None,
                repaired=row["event_id"] in repaired,
            )
            for order_id, row in known.items()
        ]
        never = [
            LedgerLine(
                order_id=order_id,
                order_number=None,
                state="never_received",
                reason="",
                event_id=None,
                until=None,
                expires_at=None,
                repaired=False,
            )
            for order_id in orders - known.keys()
        ]
        return sorted([*found, *never], key=lambda line: line.order_id)

    def _repaired(self, source_id: int, start: int) -> set[str]:
        """Return the event ids that were first told of by a reading of the shop's list."""
        verdict, delivery = schema.verdict, schema.delivery
        first = (
            select(func.min(verdict.c.id).label("id"))
            .join(delivery, delivery.c.id == verdict.c.delivery_id)
            .where(delivery.c.source_id == source_id, delivery.c.received_at >= start)
            .group_by(verdict.c.event_id)
            .subquery()
        )
        query = (
            select(verdict.c.event_id)
            .join(first, first.c.id == verdict.c.id)
            .join(delivery, delivery.c.id == verdict.c.delivery_id)
            .where(delivery.c.key.startswith(RECONCILED))
        )
        with self._database.read() as connection:
            return set(connection.scalars(query))


def _most_urgent(rows: Iterable[RowMapping]) -> dict[str, RowMapping]:
    """Return the row of each order that needs most care."""
    known: dict[str, RowMapping] = {}
    for row in rows:
        before = known.get(row["order_id"])
        if before is None or _urgency(row["state"]) < _urgency(before["state"]):
            known[row["order_id"]] = row
    return known


def _urgency(state: str) -> int:
    return _URGENCY.index(state) if state in _URGENCY else 0


def _chunks(items: list[str], size: int = 500) -> list[list[str]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
