"""Keeping shops connected: locks, what was read of their order lists, alerts."""

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, insert, or_, select, text, update

from bridge.events import Finding

from . import schema
from .database import Database
from .verdicts import insert_on

LOCK_US = 300_000_000


@dataclass(frozen=True, kw_only=True)
class Watch:
    """How far a shop's order list was read, and when it is looked at again; microseconds.

    `read_since` and `cursor` belong to a reading under way; `read_until` is where the last
    whole reading ended.
    """

    source_id: int
    next_at: int = 0
    nightly_at: int = 0
    read_since: int | None = None
    cursor: str | None = None
    read_until: int | None = None
    findings: Sequence[Finding] = ()


@dataclass(frozen=True, kw_only=True)
class Alert:
    """Something that somebody must know; told once, and once more when it is over."""

    id: int
    kind: str
    subject: str
    message: str
    raised_at: int
    recovered_at: int | None


class Watches:
    """Reads and writes of what watches over connections."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def lock(self, name: str) -> Iterator[bool]:
        """Hold *name* across all processes; yield False if another one holds it.

        A lock whose holder died is free after five minutes.
        """
        token = secrets.token_hex(8)
        taken = self._take(name, token)
        try:
            yield taken
        finally:
            if taken:
                table = schema.lock
                with self._database.write() as connection:
                    connection.execute(
                        delete(table).where(table.c.name == name, table.c.token == token)
                    )

    def _take(self, name: str, token: str) -> bool:
        table = schema.lock
        now = self._database.now()
        with self._database.write() as connection:
            connection.execute(delete(table).where(table.c.name == name, table.c.until < now))
            fresh = insert_on(table, is_sqlite=self._database.is_sqlite).values(
                name=name, token=token, until=now + LOCK_US
            )
            result = connection.execute(fresh.on_conflict_do_nothing().returning(table.c.name))
            return result.first() is not None

    def watch(self, source_id: int) -> Watch:
        """Return what is known of the watch over a source."""
        table = schema.watch
        with self._database.read() as connection:
            row = (
                connection.execute(select(table).where(table.c.source_id == source_id))
                .mappings()
                .first()
            )
        if row is None:
            return Watch(source_id=source_id)
        found = [Finding(**one) for one in json.loads(row["findings"])]
        return Watch(**{**row, "findings": found})

    def set_watch(self, watch: Watch) -> None:
        """Keep *watch*, whatever others have changed of it meanwhile."""
        changes = dict(vars(watch))
        self.change_watch(changes.pop("source_id"), **changes)

    def change_watch(self, source_id: int, **changes: Any) -> None:
        """Keep these fields of the watch over a source, and leave the others as they are."""
        values = dict(changes)
        if "findings" in values:
            values["findings"] = json.dumps([vars(one) for one in values["findings"]])
        fresh = insert_on(schema.watch, is_sqlite=self._database.is_sqlite).values(
            source_id=source_id, **values
        )
        with self._database.write() as connection:
            connection.execute(
                fresh.on_conflict_do_update(index_elements=["source_id"], set_=values)
            )

    def listed(
        self,
        source_id: int,
        orders: Iterable[tuple[str, int]],
        now: int,
        keys: Mapping[str, str] | None = None,
    ) -> None:
        """Note orders of the shop's own list, each with its last change.

        *keys* are those of the deliveries that the orders were put as, by order id.
        """
        with self._database.write() as connection:
            for order_id, changed_at in orders:
                values = {
                    "changed_at": changed_at,
                    "seen_at": now,
                    "delivery_key": (keys or {}).get(order_id),
                }
                fresh = insert_on(schema.listed_order, is_sqlite=self._database.is_sqlite).values(
                    source_id=source_id, order_id=order_id, **values
                )
                connection.execute(
                    fresh.on_conflict_do_update(
                        index_elements=["source_id", "order_id"], set_=values
                    )
                )

    def raise_alert(self, kind: str, subject: str, message: str) -> bool:
        """Raise an alert, unless it is raised already; return whether it is new.

        One that is raised already tells *message* from now on; nobody is told of it again.
        """
        table = schema.alert
        ours = and_(
            table.c.kind == kind, table.c.subject == subject, table.c.recovered_at.is_(None)
        )
        with self._database.read() as connection:
            if connection.scalar(select(table.c.message).where(ours)) == message:
                return False
        with self._database.write() as connection:
            if not self._database.is_sqlite:  # of two workers that see it at once one raises it
                connection.execute(text("LOCK TABLE alert IN SHARE ROW EXCLUSIVE MODE"))
            if connection.execute(update(table).where(ours).values(message=message)).rowcount:
                return False
            connection.execute(
                insert(table).values(
                    kind=kind,
                    subject=subject,
                    message=message,
                    raised_at=self._database.local_now(),
                )
            )
        return True

    def recover(self, kind: str, subject: str) -> bool:
        """Note that what an alert told is over; return whether there was one."""
        table = schema.alert
        ours = and_(
            table.c.kind == kind, table.c.subject == subject, table.c.recovered_at.is_(None)
        )
        with self._database.read() as connection:
            if connection.scalar(select(table.c.id).where(ours)) is None:
                return False
        with self._database.write() as connection:
            return (
                connection.execute(
                    update(table).where(ours).values(recovered_at=self._database.local_now())
                ).rowcount
                > 0
            )

    def alerts(self, *, untold: bool = False, limit: int = 100) -> list[Alert]:
        """Return the newest open alerts; with *untold* those that nobody was told of yet."""
        table = schema.alert
        fields = [table.c[name] for name in Alert.__dataclass_fields__]
        wanted = (
            or_(
                table.c.told_at.is_(None),
                and_(table.c.recovered_at.is_not(None), table.c.recovery_told_at.is_(None)),
            )
            if untold
            else table.c.recovered_at.is_(None)
        )
        query = select(*fields).where(wanted).order_by(table.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [Alert(**row._asdict()) for row in connection.execute(query)]

    def told(self, alert: Alert, now: int) -> None:
        """Note that somebody was told of *alert*, and of its end if it has one."""
        values: Mapping[str, int] = {"told_at": now} | (
            {"recovery_told_at": now} if alert.recovered_at is not None else {}
        )
        table = schema.alert
        with self._database.write() as connection:
            connection.execute(update(table).where(table.c.id == alert.id).values(values))
