"""The second durable stop: claim events, settle them under the lease they were claimed with."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, func, insert, or_, select, update

from bridge.events import Receipt
from bridge.secrets import Vault

from . import schema
from .database import Database
from .rows import Claimed, Settled

LEASE_US = 120_000_000


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One (destination, mode) that has something due."""

    destination_id: int
    mode: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Events leased together under one token."""

    lane: Lane
    token: str
    events: Sequence[Claimed]


class Outbox:
    """Reads and writes of the third verb."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def lanes(self, now: int) -> list[Lane]:
        """Return what may be sent now: due events of destinations that are not waiting."""
        outbox, destination = schema.outbox, schema.destination
        due = and_(
            outbox.c.destination_id == destination.c.id,
            outbox.c.state == "pending",
            outbox.c.next_at <= now,
        )
        lanes = []
        with self._database.read() as connection:
            for mode in ("live", "test"):
                query = select(destination.c.id).where(
                    destination.c.state.in_(("active", "parked")),
                    destination.c.next_at <= now,
                    select(outbox.c.id).where(due, outbox.c.mode == mode).exists(),
                )
                lanes += [
                    Lane(destination_id=found, mode=mode) for found in connection.scalars(query)
                ]
        return lanes

    def recover(self, now: int) -> int:
        """Give back what a dead worker had claimed; return how many.

        It may have been sent already, so each counts as ambiguous from now.
        """
        table = schema.outbox
        stale = and_(table.c.state == "sending", table.c.lease_until < now)
        with self._database.read() as connection:
            if connection.scalar(select(table.c.id).where(stale).limit(1)) is None:
                return 0
        with self._database.write() as connection:
            return connection.execute(
                update(table)
                .where(stale)
                .values(
                    state="pending",
                    lease_token=None,
                    lease_until=None,
                    next_at=now,
                    ambiguous_at=func.coalesce(table.c.ambiguous_at, now),
                )
            ).rowcount

    def claim(self, lane: Lane, limit: int, now: int) -> Claim:
        """Lease up to *limit* due events; what is too old becomes expired instead."""
        table = schema.outbox
        token = secrets.token_hex(8)
        in_lane = and_(
            table.c.destination_id == lane.destination_id,
            table.c.mode == lane.mode,
            table.c.state == "pending",
        )
        due = (
            select(table.c.id)
            .where(in_lane, table.c.next_at <= now)
            .order_by(table.c.next_at, table.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with self._database.write() as connection:
            ids = list(connection.scalars(due))
            old = and_(table.c.id.in_(ids), table.c.expires_at <= now)
            connection.execute(
                update(table)
                .where(old, table.c.state == "pending")
                .values(state="expired", reason="expired", done_at=now)
            )
            rows = connection.execute(
                update(table)
                .where(table.c.id.in_(ids), table.c.state == "pending")
                .values(state="sending", lease_token=token, lease_until=now + LEASE_US)
                .returning(table.c.id, table.c.source_id, table.c.attempts, table.c.ambiguous_at)
            ).all()
            bodies = self._bodies(connection, [row.id for row in rows])
        events = [
            Claimed(
                id=row.id,
                source_id=row.source_id,
                attempts=row.attempts,
                ambiguous_at=row.ambiguous_at,
                payload=self._vault.open(bodies[row.id], "payload"),
            )
            for row in sorted(rows)
        ]
        return Claim(lane=lane, token=token, events=events)

    def _bodies(self, connection: Connection, ids: Sequence[int]) -> dict[int, bytes]:
        table = schema.payload
        rows = connection.execute(select(table).where(table.c.outbox_id.in_(ids)))
        return {row.outbox_id: row.body for row in rows}

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
            receipt_id = connection.scalar(
                insert(schema.receipt)
                .values(
                    destination_id=claim.lane.destination_id,
                    sent_at=sent_at,
                    duration_ms=duration_ms,
                    events=len(settled) if events is None else events,
                    outcome=str(receipt.outcome),
                    status=receipt.status,
                    accepted=receipt.accepted,
                    reason=receipt.reason,
                    message=receipt.message,
                    trace_id=receipt.trace_id,
                )
                .returning(schema.receipt.c.id)
            )
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
        table = schema.outbox
        statement = (
            update(table)
            .where(table.c.id == bindparam("row"), table.c.lease_token == claim.token)
            .values(
                state=bindparam("new_state"),
                reason=bindparam("new_reason"),
                next_at=bindparam("new_next_at"),
                attempts=bindparam("new_attempts"),
                ambiguous_at=bindparam("new_ambiguous_at"),
                done_at=bindparam("new_done_at"),
                receipt_id=receipt_id,
                lease_token=None,
                lease_until=None,
            )
        )
        first = settled[0] if settled else None
        if first and first.state == "sent" and all(one.state == "sent" for one in settled):
            # The usual end of a batch: one statement for all of it.
            sent = (
                update(table)
                .where(
                    table.c.id.in_([one.id for one in settled]),
                    table.c.lease_token == claim.token,
                )
                .values(
                    state="sent",
                    reason=first.reason,
                    attempts=table.c.attempts + 1,
                    done_at=now,
                    receipt_id=receipt_id,
                    lease_token=None,
                    lease_until=None,
                )
            )
            return connection.execute(sent).rowcount
        count = 0
        for one in settled:
            count += connection.execute(
                statement,
                {
                    "row": one.id,
                    "new_state": one.state,
                    "new_reason": one.reason,
                    "new_next_at": one.next_at,
                    "new_attempts": one.attempts,
                    "new_ambiguous_at": one.ambiguous_at,
                    "new_done_at": None if one.state == "pending" else now,
                },
            ).rowcount
        return count

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
