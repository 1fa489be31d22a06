"""Reads for the coverage ledger: orders of the shop's list and what became of each."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, RowMapping, and_, func, select

from bridge.events import Occasion

from . import schema
from .database import Database
from .rows import RECONCILED

_WEEK_US = timedelta(days=7) // timedelta(microseconds=1)  # what is older Meta does not take


@dataclass(frozen=True, kw_only=True)
class LedgerLine:
    """One order at its most telling destination; times in microseconds.

    `state` is one of the outbox, or ``never_received``.  `until` and `expires_at` are of what
    still waits.  `repaired_at` is when reading the shop's list brought an order of which no
    webhook had told.
    """

    order_id: str
    order_number: str | None = None
    state: str
    reason: str = ""
    event_id: str | None = None
    until: int | None = None
    expires_at: int | None = None
    repaired_at: int | None = None


# Of an order with several destinations the state that needs most care counts; where one of them
# took it, another that is not to have it takes nothing away.
_URGENCY = ("dead", "expired", "waiting", "pending", "sending", "sent", "skipped")
_OPEN = {"waiting", "pending", "sending"}
# What became of an order without an event, by the state of the delivery that listed it.
_UNREAD = {"received": ("waiting", "untranslated"), "dead": ("dead", "")}


class Ledger:
    """Joins what the shop lists with what was decided."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lines(self, source_id: int, start: int, end: int) -> list[LedgerLine]:
        """Return a line for each order that the shop lists, or told, within the period."""
        listed, outbox = schema.listed_order, schema.outbox
        ours = and_(
            outbox.c.source_id == source_id,
            outbox.c.occasion == Occasion.PURCHASE,
            outbox.c.order_id.is_not(None),
        )
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
            period = and_(outbox.c.event_at >= start, outbox.c.event_at < end)
            known = _most_urgent(connection.execute(select(outbox).where(ours, period)).mappings())
            for chunk in _chunks(sorted(orders - known.keys())):
                query = select(outbox).where(ours, outbox.c.order_id.in_(chunk))
                known |= _most_urgent(connection.execute(query).mappings())
            repaired = _repaired(connection, source_id, start)
            found = [_line(row, repaired) for row in known.values()]
            for chunk in _chunks(sorted(orders - known.keys())):
                found += _without_event(connection, source_id, chunk)
        return sorted(found, key=lambda line: line.order_id)


def _line(row: RowMapping, repaired: dict[str, int]) -> LedgerLine:
    state = row["state"]
    # What waits is given its end only when it is rendered.
    expires_at = row["event_at"] + _WEEK_US if state == "waiting" else row["expires_at"]
    return LedgerLine(
        order_id=row["order_id"],
        order_number=row["order_number"],
        state=state,
        reason=row["reason"],
        event_id=row["event_id"],
        until=row["next_at"] if state == "waiting" else None,
        expires_at=expires_at if state in _OPEN else None,
        repaired_at=repaired.get(row["event_id"]),
    )


def _without_event(
    connection: Connection, source_id: int, order_ids: Collection[str]
) -> list[LedgerLine]:
    """Return the lines of orders that the shop lists and that led to no event.

    Their delivery waits or is dead; or it was understood, and there is no route to decide on.
    """
    listed, delivery, order = schema.listed_order, schema.delivery, schema.known_order
    same = and_(delivery.c.source_id == source_id, delivery.c.key == listed.c.delivery_key)
    understood = and_(order.c.source_id == source_id, order.c.order_id == listed.c.order_id)
    query = (
        select(
            listed.c.order_id,
            delivery.c.state,
            delivery.c.reason,
            order.c.order_id.label("understood"),
        )
        .outerjoin(delivery, same)
        .outerjoin(order, understood)
        .where(listed.c.source_id == source_id, listed.c.order_id.in_(order_ids))
    )
    found = []
    for row in connection.execute(query):
        told = ("skipped", "no_route") if row.understood else ("never_received", "")
        state, reason = _UNREAD.get(row.state or "", told)
        found.append(
            LedgerLine(
                order_id=row.order_id,
                state=state,
                reason=row.reason or reason if state == "dead" else reason,
            )
        )
    return found


def _repaired(connection: Connection, source_id: int, start: int) -> dict[str, int]:
    """Return when a reading of the shop's list first told of an event, by event id."""
    verdict, delivery = schema.verdict, schema.delivery
    first = (
        select(func.min(verdict.c.id).label("id"))
        .join(delivery, delivery.c.id == verdict.c.delivery_id)
        .where(delivery.c.source_id == source_id, delivery.c.received_at >= start)
        .group_by(verdict.c.event_id)
        .subquery()
    )
    query = (
        select(verdict.c.event_id, delivery.c.received_at)
        .join(first, first.c.id == verdict.c.id)
        .join(delivery, delivery.c.id == verdict.c.delivery_id)
        .where(delivery.c.key.startswith(RECONCILED))
    )
    return {row.event_id: row.received_at for row in connection.execute(query)}


def _most_urgent(rows: Iterable[RowMapping]) -> dict[str, RowMapping]:
    """Return the row of each order that needs most care."""
    known: dict[str, RowMapping] = {}
    for row in rows:
        before = known.get(row["order_id"])
        if before is None or _urgency(row) < _urgency(before):
            known[row["order_id"]] = row
    return known


def _urgency(row: RowMapping) -> tuple[int, bool]:
    """Return a low number for what needs care; a shadow tells less than any other skip."""
    state = row["state"]
    return _URGENCY.index(state) if state in _URGENCY else 0, row["reason"] == "shadow"


def _chunks(items: list[str], size: int = 500) -> list[list[str]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
