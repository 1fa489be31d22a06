"""An operator's second chance: decide again what was not sent, from its raw delivery."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, delete, select, update

from bridge.events import Occasion

from . import schema
from .database import Database

REPLAYABLE = ("dead", "expired", "skipped")


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
        """Return the ids of events that may be replayed, newest first."""
        table = schema.outbox
        states = [state] if state in REPLAYABLE else list(REPLAYABLE)
        query = select(table.c.id).where(table.c.state.in_(states)).order_by(table.c.id.desc())
        if reason:
            query = query.where(table.c.reason == reason)
        with self._database.read() as connection:
            return list(connection.scalars(query.limit(limit)))

    def replay_events(self, ids: Collection[int]) -> Replayed:
        """Let these events be decided again, under plan, toggles and consent of now."""
        outbox, body = schema.outbox, schema.delivery_body
        found = (
            select(outbox, body.c.delivery_id.label("raw"))
            .outerjoin(body, body.c.delivery_id == outbox.c.delivery_id)
            .where(outbox.c.id.in_(ids), outbox.c.state.in_(REPLAYABLE))
        )
        with self._database.write() as connection:
            rows = connection.execute(found).mappings().all()
            raw = [row for row in rows if row["raw"] is not None]
            for row in raw:
                connection.execute(
                    update(outbox)
                    .where(outbox.c.id == row["id"])
                    .values(state="skipped", reason="replayed", curable=True)
                )
                if row["occasion"] == Occasion.PURCHASE and row["order_id"]:
                    ledger = schema.purchase
                    connection.execute(
                        delete(ledger).where(
                            and_(
                                ledger.c.destination_id == row["destination_id"],
                                ledger.c.source_id == row["source_id"],
                                ledger.c.order_id == row["order_id"],
                            )
                        )
                    )
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
