"""What grows old is dropped, in chunks, so that no transaction holds the others up."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, delete, select, update

from . import schema
from .database import Database
from .translations import TRANSLATED_STATES

CHUNK = 2_000
FINAL_STATES = ("sent", "skipped", "dead", "expired")


@dataclass(frozen=True, kw_only=True)
class Ages:
    """Before which time, in microseconds, each kind is dropped, and the time it is."""

    now: int
    raw: int  # bodies of translated deliveries, by the end of translation
    undecided: int  # all other bodies, by receipt
    payload: int  # events as they were sent, by their final state
    trace: int  # rows about deliveries, verdicts, answers, events
    ledger: int  # ids of purchases and orders, and who has bought


class Retention:
    """Drops one chunk of each kind a call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def purge(self, ages: Ages) -> int:
        """Drop a chunk of whatever is over its age; return how many rows went (0: all done)."""
        return (
            self._bodies(ages)
            + self._stranded(ages)
            + self._payloads(ages.payload)
            + self._traces(ages.trace)
            + self._ledger(ages.ledger)
        )

    def _bodies(self, ages: Ages) -> int:
        delivery, body = schema.delivery, schema.delivery_body
        translated = and_(delivery.c.state == "translated", delivery.c.done_at < ages.raw)
        other = and_(delivery.c.state != "translated", delivery.c.received_at < ages.undecided)
        chunk = (
            select(delivery.c.id)
            .join(body, body.c.delivery_id == delivery.c.id)
            .where(translated | other)
            .limit(CHUNK)
        )
        with self._database.read() as connection:
            ids = list(connection.scalars(chunk))
        if not ids:
            return 0
        with self._database.write() as connection:
            connection.execute(delete(body).where(body.c.delivery_id.in_(ids)))
            connection.execute(
                update(delivery)
                .where(delivery.c.id.in_(ids), delivery.c.state == "received")
                .values(state="dead", reason="undecided", done_at=ages.now)
            )
        return len(ids)

    def _stranded(self, ages: Ages) -> int:
        """End what will not be sent in time, or decided, for an end of its route stands still.

        Nobody else looks at it while that lasts, and what is kept of its person would stay.
        """
        outbox, held = schema.outbox, schema.held
        source, destination = schema.source, schema.destination
        shut = select(destination.c.id).where(destination.c.state.not_in(("active", "parked")))
        still = select(source.c.id).where(source.c.state.not_in(TRANSLATED_STATES))
        unsent = and_(
            outbox.c.state == "pending",
            outbox.c.expires_at <= ages.now,
            outbox.c.destination_id.in_(shut),
        )
        undecided = (held.c.until < ages.undecided, held.c.source_id.in_(still))
        with self._database.read() as connection:
            ids = list(connection.scalars(select(outbox.c.id).where(unsent).limit(CHUNK)))
            ids += connection.scalars(select(held.c.outbox_id).where(*undecided).limit(CHUNK))
        if not ids:
            return 0
        with self._database.write() as connection:
            ours = (outbox.c.id.in_(ids), outbox.c.state.in_(("pending", "waiting")))
            ended = (
                update(outbox)
                .where(*ours)
                .values(state="expired", reason="expired", curable=False, done_at=ages.now)
            )
            gone = list(connection.scalars(ended.returning(outbox.c.id)))
            for kept in (held, schema.held_key):
                connection.execute(delete(kept).where(kept.c.outbox_id.in_(gone)))
        return len(gone)

    def _payloads(self, before: int) -> int:
        outbox, payload = schema.outbox, schema.payload
        chunk = (
            select(outbox.c.id)
            .join(payload, payload.c.outbox_id == outbox.c.id)
            .where(outbox.c.state.in_(FINAL_STATES), outbox.c.done_at < before)
            .limit(CHUNK)
        )
        with self._database.read() as connection:
            ids = list(connection.scalars(chunk))
        if not ids:
            return 0
        with self._database.write() as connection:
            connection.execute(delete(payload).where(payload.c.outbox_id.in_(ids)))
            connection.execute(
                update(outbox)
                .where(outbox.c.id.in_(ids))
                .values(email_key=None, phone_key=None, customer_key=None)
            )
        return len(ids)

    def _traces(self, before: int) -> int:
        """Drop rows with all that hangs on them, so that nothing is left that nobody finds."""
        outbox, delivery, receipt = schema.outbox, schema.delivery, schema.receipt
        count = self._drop(
            select(outbox.c.id).where(
                outbox.c.created_at < before, outbox.c.state.in_(FINAL_STATES)
            ),
            schema.payload.c.outbox_id,
            schema.held_key.c.outbox_id,
            schema.attempt.c.outbox_id,
            outbox.c.id,
        )
        count += self._drop(
            select(delivery.c.id).where(
                delivery.c.received_at < before, delivery.c.state != "received"
            ),
            schema.verdict.c.delivery_id,
            schema.delivery_body.c.delivery_id,
            delivery.c.id,
        )
        return count + self._drop(
            select(receipt.c.id).where(receipt.c.sent_at < before), receipt.c.id
        )

    def _ledger(self, before: int) -> int:
        count = 0
        for column in (
            schema.purchase.c.decided_at,
            schema.known_order.c.seen_at,
            schema.listed_order.c.seen_at,
            schema.known_customer.c.seen_at,
        ):
            old = column < before
            with self._database.read() as connection:
                if connection.scalar(select(column).where(old).limit(1)) is None:
                    continue
            with self._database.write() as connection:
                count += connection.execute(delete(column.table).where(old)).rowcount
        return count

    def _drop(self, chunk: Select[tuple[int]], *keys: ColumnElement[int]) -> int:
        """Delete a chunk of ids wherever they stand; return how many ids there were."""
        with self._database.read() as connection:
            ids = list(connection.scalars(chunk.limit(CHUNK)))
        if not ids:
            return 0
        with self._database.write() as connection:
            for key in keys:
                connection.execute(delete(key.table).where(key.in_(ids)))
        return len(ids)
