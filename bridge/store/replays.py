"""An operator's second chance: decide again what was not sent, from its raw delivery."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, delete, exists, select, update

from bridge.events import Occasion

from . import schema
from .database import Database
from .verdicts import DECIDED_BEFORE

REPLAYABLE = ("dead", "expired", "skipped")
# It may have been sent: only who asks for it by name may send it again.
UNKNOWN_OUTCOME = "unknown_outcome"
CHUNK = 200  # events a transaction, so that no webhook has to wait for it


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """How many events and deliveries are decided again, and how many are no longer held raw."""

    events: int = 0
    deliveries: int = 0
    gone: int = 0


class Replays:
    """Gives final verdicts back to the second verb; what was sent is never touched."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, *, state: str = "", reason: str = "", limit: int = 10_000) -> list[int]:
        """Return the ids of events that may be replayed, newest first.

        Those that may have been sent are among them only where *reason* names them.
        """
        table = schema.outbox
        states = [state] if state in REPLAYABLE else list(REPLAYABLE)
        query = (
            select(table.c.id)
            .where(table.c.state.in_(states), table.c.reason != DECIDED_BEFORE)
            .order_by(table.c.id.desc())
        )
        query = query.where(
            table.c.reason == reason if reason else table.c.reason != UNKNOWN_OUTCOME
        )
        with self._database.read() as connection:
            return list(connection.scalars(query.limit(limit)))

    def replay_events(self, ids: Collection[int]) -> Replayed:
        """Let these events be decided again, under plan, toggles and consent of now."""
        wanted = sorted(set(ids))
        parts = [
            self._replay_some(wanted[start : start + CHUNK])
            for start in range(0, len(wanted), CHUNK)
        ]
        return Replayed(
            events=sum(part.events for part in parts),
            deliveries=sum(part.deliveries for part in parts),
            gone=sum(part.gone for part in parts),
        )

    def _replay_some(self, ids: Sequence[int]) -> Replayed:
        outbox, body = schema.outbox, schema.delivery_body
        found = (
            select(outbox, body.c.delivery_id.label("raw"))
            .outerjoin(body, body.c.delivery_id == outbox.c.delivery_id)
            .where(
                outbox.c.id.in_(ids),
                outbox.c.state.in_(REPLAYABLE),
                outbox.c.reason != DECIDED_BEFORE,
            )
        )
        with self._database.write() as connection:
            rows = connection.execute(found).mappings().all()
            raw = [row for row in rows if row["raw"] is not None]
            for row in raw:
                connection.execute(
                    update(outbox)
                    .where(outbox.c.id == row["id"])
                    .values(
                        state="skipped",
                        reason="replayed",
                        curable=True,
                        attempts=0,
                        ambiguous_at=None,
                    )
                )
                if row["occasion"] == Occasion.PURCHASE and row["order_id"]:
                    _strike(connection, row)
            deliveries = {row["raw"] for row in raw}
            self._again(connection, sorted(deliveries))
        return Replayed(events=len(raw), deliveries=len(deliveries), gone=len(rows) - len(raw))

    def replay_deliveries(self, ids: Collection[int]) -> Replayed:
        """Let these dead deliveries be translated again."""
        delivery, body = schema.delivery, schema.delivery_body
        with self._database.write() as connection:
            dead = set(
                connection.scalars(
                    select(delivery.c.id).where(delivery.c.id.in_(ids), delivery.c.state == "dead")
                )
            )
            raw = list(
                connection.scalars(select(body.c.delivery_id).where(body.c.delivery_id.in_(dead)))
            )
            self._again(connection, raw)
        return Replayed(deliveries=len(raw), gone=len(dead) - len(raw))

    def _again(self, connection: Connection, ids: Sequence[int]) -> None:
        table = schema.delivery
        connection.execute(
            update(table)
            .where(table.c.id.in_(ids))
            .values(state="received", reason="", detail="", done_at=None)
        )


def _strike(connection: Connection, row: RowMapping) -> None:
    """Take the order out of the ledger of purchases, unless another event of it went on."""
    ledger, other = schema.purchase, schema.outbox.alias()
    went_on = exists().where(
        other.c.source_id == row["source_id"],
        other.c.order_id == row["order_id"],
        other.c.destination_id == row["destination_id"],
        other.c.occasion == Occasion.PURCHASE,
        other.c.state.in_(("pending", "sending", "sent")),
    )
    connection.execute(
        delete(ledger).where(
            ledger.c.destination_id == row["destination_id"],
            ledger.c.source_id == row["source_id"],
            ledger.c.order_id == row["order_id"],
            ledger.c.event_id == row["event_id"],
            ~went_on,
        )
    )
