"""The second durable stop: claim events, settle them under the lease they were claimed with."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Row,
    and_,
    bindparam,
    func,
    insert,
    or_,
    update,
)

from bridge.events import Receipt
from bridge.secrets import DamagedError, Vault

from . import schema
from .database import Database
from .driver import insert_many, run
from .rows import UNREADABLE, Claimed, Destination, Settled, storable

LEASE_US = 120_000_000
RETIRE_AT_ONCE = 5_000  # a long outage must not make us look at old events batch by batch
AMBIGUOUS_US = 40 * 3600 * 1_000_000  # later, nobody would find the copy beside the first
_STALE = "SELECT id FROM outbox WHERE state = 'sending' AND lease_until < ? LIMIT 1"
_RECOVER = (
    "UPDATE outbox SET state = 'pending', lease_token = NULL, lease_until = NULL, next_at = ?,"
    " ambiguous_at = coalesce(ambiguous_at, ?) WHERE state = 'sending' AND lease_until < ?"
)
_LANES = (
    "SELECT id FROM destination WHERE state IN ('active', 'parked') AND next_at <= ? AND EXISTS"
    " (SELECT 1 FROM outbox WHERE outbox.destination_id = destination.id AND outbox.mode = ?"
    " AND outbox.state = 'pending' AND outbox.next_at <= ?)"
)
_DUE = (
    "SELECT id, source_id, attempts, ambiguous_at, expires_at, body"
    " FROM outbox LEFT JOIN payload ON payload.outbox_id = outbox.id"
    " WHERE destination_id = ? AND mode = ? AND state = 'pending' AND next_at <= ?"
    " ORDER BY next_at, id LIMIT ?"
)
_LEASE = "UPDATE outbox SET state = 'sending', lease_token = ?, lease_until = ? WHERE id IN ?"
_SENT = (
    "UPDATE outbox SET state = 'sent', reason = ?, attempts = attempts + 1, done_at = ?,"
    " receipt_id = ?, lease_token = NULL, lease_until = NULL WHERE id IN ? AND lease_token = ?"
)
_RECEIPT = (
    "destination_id", "sent_at", "duration_ms", "events", "outcome", "status", "accepted",
    "reason", "message", "trace_id",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One (destination, mode) that has something due."""

    destination_id: int
    mode: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Events leased together under one token; `retired` is how many ended instead."""

    lane: Lane
    token: str
    events: Sequence[Claimed]
    retired: int = 0


class Outbox:
    """Reads and writes of the third verb."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def lanes(self, now: int) -> list[Lane]:
        """Return what may be sent now: due events of destinations that are not waiting."""
        with self._database.read() as connection:
            return [
                Lane(destination_id=row.id, mode=mode)
                for mode in ("live", "test")
                for row in run(connection, _LANES, now, mode, now)
            ]

    def recover(self, now: int) -> int:
        """Give back what a dead worker had claimed; return how many.

        It may have been sent already, so each counts as ambiguous from now.
        """
        with self._database.read() as connection:
            if run(connection, _STALE, now).first() is None:
                return 0
        with self._database.write() as connection:
            return run(connection, _RECOVER, now, now, now).rowcount

    def claim(self, lane: Lane, limit: int, now: int) -> Claim:
        """Lease up to *limit* due events; what is too old becomes expired instead.

        An event that may have been sent 40 hours ago becomes dead: sent now it could count
        twice.  So does one whose payload is damaged.  Raises ConfigError, and leases nothing,
        where the payloads were sealed under a key that is not known.
        """
        token = secrets.token_hex(8)
        retired = 0
        with self._database.write() as connection:
            picked = self._due(connection, lane, limit, now)
            rows = [row for row in picked if not _is_over(row, now)]
            if len(rows) < len(picked):
                retired = self._retire(connection, lane, now)
                picked = self._due(connection, lane, limit, now)
                rows = [row for row in picked if not _is_over(row, now)]
            if rows:
                run(connection, _LEASE, token, now + LEASE_US, [row.id for row in rows])
            events = self._opened(connection, sorted(rows, key=attrgetter("id")), now)
        retired += len(rows) - len(events)
        return Claim(lane=lane, token=token, events=events, retired=retired)

    def _due(self, connection: Connection, lane: Lane, limit: int, now: int) -> Sequence[Row[Any]]:
        """Return the events that are due next, with their payloads; locked where others write."""
        due = _DUE if self._database.is_sqlite else f"{_DUE} FOR UPDATE OF outbox SKIP LOCKED"
        return run(connection, due, lane.destination_id, lane.mode, now, limit).all()

    def _retire(self, connection: Connection, lane: Lane, now: int) -> int:
        """End what is too old among the events that are due next; return how many were."""
        table = schema.outbox
        next_due = self._due(connection, lane, RETIRE_AT_ONCE, now)
        over = [row for row in next_due if _is_over(row, now)]
        expired = [row.id for row in over if row.ambiguous_at is None]
        unknown = [row.id for row in over if row.ambiguous_at is not None]
        for ids, state, reason in (
            (expired, "expired", "expired"),
            (unknown, "dead", "unknown_outcome"),
        ):
            connection.execute(
                update(table)
                .where(table.c.id.in_(ids))
                .values(state=state, reason=reason, done_at=now)
            )
        return len(over)

    def _opened(self, connection: Connection, rows: Sequence[Row[Any]], now: int) -> list[Claimed]:
        """Return the leased *rows* with their payloads; one that does not open is dead."""
        table = schema.outbox
        events, damaged = [], []
        for row in rows:
            try:
                payload = self._vault.open(row.body or b"", "payload")
            except DamagedError:
                damaged.append(row.id)
                continue
            events.append(
                Claimed(
                    id=row.id,
                    source_id=row.source_id,
                    attempts=row.attempts,
                    ambiguous_at=row.ambiguous_at,
                    payload=payload,
                )
            )
        if damaged:
            connection.execute(
                update(table)
                .where(table.c.id.in_(damaged))
                .values(
                    state="dead",
                    reason=UNREADABLE,
                    done_at=now,
                    lease_token=None,
                    lease_until=None,
                )
            )
        return events

    def settle(
        self,
        claim: Claim,
        settled: Sequence[Settled],
        receipt: Receipt,
        *,
        events: int | None = None,
        sent_at: int,
        duration_ms: int,
        now: int,
    ) -> int:
        """Store *receipt* and what becomes of its events; return how many were still ours.

        *events* is how many the request held, where it settles fewer.  An event whose lease
        another worker has taken over is left to that worker.
        """
        with self._database.write() as connection:
            told = (
                claim.lane.destination_id,
                sent_at,
                duration_ms,
                len(settled) if events is None else events,
                str(receipt.outcome),
                receipt.status,
                receipt.accepted,
                storable(receipt.reason),
                storable(receipt.message),
                storable(receipt.trace_id),
            )
            [(receipt_id,)] = insert_many(connection, "receipt", _RECEIPT, [told], "RETURNING id")
            return self._finish(connection, claim, settled, receipt_id, now)

    def give_back(self, claim: Claim, ids: Sequence[int], now: int) -> int:
        """Return claimed events that were never sent to the queue, without an attempt."""
        table = schema.outbox
        with self._database.write() as connection:
            return connection.execute(
                update(table)
                .where(table.c.id.in_(ids), table.c.lease_token == claim.token)
                .values(state="pending", lease_token=None, lease_until=None, next_at=now)
            ).rowcount

    def _finish(
        self,
        connection: Connection,
        claim: Claim,
        settled: Sequence[Settled],
        receipt_id: int | None,
        now: int,
    ) -> int:
        first = settled[0] if settled else None
        if first and first.state == "sent" and all(one.state == "sent" for one in settled):
            # The usual end of a batch: one statement for all of it.
            ids = [one.id for one in settled]
            return run(connection, _SENT, first.reason, now, receipt_id, ids, claim.token).rowcount
        table = schema.outbox
        statement = (
            update(table)
            .where(table.c.id == bindparam("row"), table.c.lease_token == claim.token)
            .values(
                state=bindparam("new_state"),
                reason=bindparam("new_reason"),
                next_at=func.coalesce(bindparam("new_next_at", type_=BigInteger), table.c.next_at),
                attempts=bindparam("new_attempts"),
                ambiguous_at=bindparam("new_ambiguous_at"),
                done_at=bindparam("new_done_at"),
                receipt_id=receipt_id,
                lease_token=None,
                lease_until=None,
            )
        )
        ours = []
        for one in settled:
            changed = connection.execute(
                statement,
                {
                    "row": one.id,
                    "new_state": one.state,
                    "new_reason": storable(one.reason),
                    "new_next_at": one.next_at,
                    "new_attempts": one.attempts,
                    "new_ambiguous_at": one.ambiguous_at,
                    "new_done_at": None if one.state == "pending" else now,
                },
            ).rowcount
            ours += [one.id] * changed
        if ours:
            answers = [{"outbox_id": row_id, "receipt_id": receipt_id} for row_id in ours]
            connection.execute(insert(schema.attempt), answers)
        return len(ours)

    def take_probe(self, destination: Destination, now: int) -> bool:
        """Let one worker alone try a destination that failed; return whether that is us.

        Whatever is answered sets its clock anew; should we die before, it waits for a lease.
        """
        table = schema.destination
        unchanged = and_(table.c.id == destination.id, table.c.next_at == destination.next_at)
        with self._database.write() as connection:
            values = {"next_at": now + LEASE_US}
            return connection.execute(update(table).where(unchanged).values(values)).rowcount == 1

    def slow_down(self, destination_id: int, *, next_at: int, failures: int) -> None:
        """Let the whole destination wait until *next_at*: its clock, not each event's."""
        self._set_lane(destination_id, next_at=next_at, failures=failures)

    def park(self, destination_id: int, reason: str, *, next_at: int) -> None:
        """Let the destination wait for its operator; it is probed at *next_at*."""
        self._set_lane(destination_id, state="parked", reason=reason, next_at=next_at)

    def recovered(self, destination_id: int) -> None:
        """Note that the destination accepts events again."""
        self._set_lane(destination_id, state="active", reason="", next_at=0, failures=0)

    def _set_lane(self, destination_id: int, **values: str | int) -> None:
        table = schema.destination
        running = or_(table.c.state == "active", table.c.state == "parked")
        with self._database.write() as connection:
            connection.execute(
                update(table).where(table.c.id == destination_id, running).values(values)
            )


def _is_over(row: Row[Any], now: int) -> bool:
    """Return whether an event is too old to be sent, or to be sent again."""
    unknown = row.ambiguous_at is not None and row.ambiguous_at <= now - AMBIGUOUS_US
    return row.expires_at <= now or unknown
