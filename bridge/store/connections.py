"""What is connected: sources, destinations, routes, plans."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from bridge.events import ConfigError, Settings
from bridge.secrets import Vault

from . import schema
from .database import Database
from .rows import Destination, Route, Source

GONE = "disconnected"


def key_hash(key: str) -> bytes:
    """Return what is stored of a URL's key for looking it up."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


class Connections:
    """Reads and writes of the tables that an operator fills."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def add_source(self, kind: str, name: str, settings: Settings, word: str = "") -> Source:
        """Store a new source and return it with its fresh keys."""
        _check_name("source", name)
        word = word or secrets.token_hex(3)
        keys = {"webhook": secrets.token_urlsafe(16), "collect": secrets.token_urlsafe(16)}
        with self._database.write() as connection:
            found = connection.execute(
                select(schema.source.c.name).where(
                    (schema.source.c.name == name) | (schema.source.c.word == word)
                )
            ).first()
            if found:
                what = f"name {name}" if found[0] == name else f"word {word}"
                raise ConfigError(f"source: the {what} is taken by another source")
            connection.execute(
                insert(schema.source).values(
                    kind=kind,
                    name=name,
                    word=word,
                    webhook_key_hash=key_hash(keys["webhook"]),
                    collect_key_hash=key_hash(keys["collect"]),
                    keys=self._seal(keys, "source.keys"),
                    settings=self._seal(settings, "source.settings"),
                    state="active",
                    created_at=self._database.local_now(),
                )
            )
        return self.source(name)

    def sources(self) -> list[Source]:
        """Return all sources, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(select(schema.source).order_by(schema.source.c.id))
            return [self._source(row) for row in rows.mappings()]

    def source(self, name: str) -> Source:
        """Return the source of that name or id; raises ConfigError if there is none."""
        column = schema.source.c.id if name.isdecimal() else schema.source.c.name
        with self._database.read() as connection:
            query = select(schema.source).where(column == _typed(name))
            row = connection.execute(query).mappings().first()
        if row is None:
            raise ConfigError(f"source: there is none named {name}")
        return self._source(row)

    def source_by_webhook_key(self, key: str) -> Source | None:
        """Return the source whose webhook URL has *key*."""
        return self._source_where(schema.source.c.webhook_key_hash == key_hash(key))

    def source_by_collect_key(self, key: str) -> Source | None:
        """Return the source whose collector URL has *key*."""
        return self._source_where(schema.source.c.collect_key_hash == key_hash(key))

    def _source_where(self, where: ColumnElement[bool]) -> Source | None:
        with self._database.read() as connection:
            row = connection.execute(select(schema.source).where(where)).mappings().first()
        return self._source(row) if row else None

    def set_source(
        self, source_id: int, *, state: str | None = None, settings: Settings | None = None
    ) -> None:
        """Change a source's state or its whole settings."""
        values: dict[str, Any] = {}
        if state is not None:
            values["state"] = state
        if settings is not None:
            values["settings"] = self._seal(settings, "source.settings")
        with self._database.write() as connection:
            connection.execute(
                update(schema.source).where(schema.source.c.id == source_id).values(values)
            )

    def remember(self, source_id: int, values: Settings) -> None:
        """Lay *values* over a source's settings in one transaction."""
        table = schema.source
        with self._database.write() as connection:
            query = select(table.c.settings).where(table.c.id == source_id).with_for_update()
            sealed = connection.scalar(query)
            if sealed is None:
                return
            settings = {**self._open(sealed, "source.settings"), **values}
            connection.execute(
                update(table)
                .where(table.c.id == source_id)
                .values(settings=self._seal(settings, "source.settings"))
            )

    def expect_grant(self, state: str, source_id: int, session: str, until: int) -> None:
        """Note that a shop may hand over keys under *state*, until then."""
        table = schema.grant
        with self._database.write() as connection:
            connection.execute(delete(table).where(table.c.until < self._database.local_now()))
            connection.execute(
                insert(table).values(
                    state_hash=key_hash(state),
                    source_id=source_id,
                    session_hash=key_hash(session),
                    until=until,
                )
            )

    def take_grant(self, state: str, now: int) -> tuple[int, bytes] | None:
        """Return the source that expects keys under *state*, with the hash of the session that
        asked for them, and forget the state.
        """
        table = schema.grant
        ours = table.c.state_hash == key_hash(state)
        with self._database.read() as connection:
            if connection.scalar(select(table.c.until).where(ours)) is None:
                return None  # anybody may ask: a flood must not queue for the write lock
        with self._database.write() as connection:
            row = connection.execute(
                delete(table)
                .where(ours)
                .returning(table.c.source_id, table.c.session_hash, table.c.until)
            ).first()
        return (row.source_id, row.session_hash) if row and row.until >= now else None

    def ping_seen(self, source_id: int, now: int) -> None:
        """Note that the shop's test request arrived; at most one write a minute."""
        table = schema.source
        stale = table.c.ping_at.is_(None) | (table.c.ping_at < now - 60_000_000)
        due = and_(table.c.id == source_id, stale)
        with self._database.read() as connection:
            if connection.scalar(select(table.c.id).where(due)) is None:
                return  # pings are not signed: a flood of them must not queue for the write lock
        with self._database.write() as connection:
            connection.execute(update(table).where(due).values(ping_at=now))

    def add_destination(self, kind: str, name: str, settings: Settings) -> Destination:
        """Store a new destination."""
        _check_name("destination", name)
        with self._database.write() as connection:
            try:
                connection.execute(
                    insert(schema.destination).values(
                        kind=kind,
                        name=name,
                        settings=self._seal(settings, "destination.settings"),
                        state="active",
                        created_at=self._database.local_now(),
                    )
                )
            except IntegrityError:
                raise ConfigError(f"destination: the name {name} is taken") from None
        return self.destination(name)

    def destinations(self) -> list[Destination]:
        """Return all destinations that were not removed, oldest first."""
        table = schema.destination
        with self._database.read() as connection:
            rows = connection.execute(
                select(table).where(table.c.state != "removed").order_by(table.c.id)
            )
            return [self._destination(row) for row in rows.mappings()]

    def destination(self, name: str) -> Destination:
        """Return the destination of that name or id; raises ConfigError if there is none."""
        column = schema.destination.c.id if name.isdecimal() else schema.destination.c.name
        with self._database.read() as connection:
            query = select(schema.destination).where(column == _typed(name))
            row = connection.execute(query).mappings().first()
        if row is None or row["state"] == "removed":
            raise ConfigError(f"destination: there is none named {name}")
        return self._destination(row)

    def set_destination(
        self,
        destination_id: int,
        *,
        state: str | None = None,
        reason: str = "",
        settings: Settings | None = None,
    ) -> None:
        """Change a destination; whatever changes, its lane is tried again at once."""
        values: dict[str, Any] = {"next_at": 0, "failures": 0}
        if state is not None:
            values |= {"state": state, "reason": reason}
        if settings is not None:
            values["settings"] = self._seal(settings, "destination.settings")
        table = schema.destination
        with self._database.write() as connection:
            connection.execute(update(table).where(table.c.id == destination_id).values(values))

    def set_route(self, route: Route) -> None:
        """Store *route* in place of the one between the same ends.

        From now on a shadow sends nothing: what is still pending is skipped.
        """
        table, outbox = schema.route, schema.outbox
        ends = (table.c.source_id == route.source_id) & (
            table.c.destination_id == route.destination_id
        )
        with self._database.write() as connection:
            connection.execute(delete(table).where(ends))
            connection.execute(
                insert(table).values(
                    source_id=route.source_id,
                    destination_id=route.destination_id,
                    mode=route.mode,
                    toggles=_dumped(route.toggles),
                    live_since=route.live_since,
                    test_event_code=route.test_event_code,
                    test_until=route.test_until,
                    mode_after=route.mode_after,
                    toggles_before=_dumped(route.toggles_before),
                )
            )
            if route.mode == "shadow":
                connection.execute(
                    update(outbox)
                    .where(
                        outbox.c.source_id == route.source_id,
                        outbox.c.destination_id == route.destination_id,
                        outbox.c.state == "pending",
                    )
                    .values(state="skipped", reason="shadow", done_at=self._database.local_now())
                )

    def routes(self, source_id: int | None = None) -> list[Route]:
        """Return the routes of a source (None: of all) to destinations not removed, as of now."""
        table = schema.route
        query = (
            select(table)
            .join(schema.destination)
            .where(schema.destination.c.state != "removed")
            .order_by(table.c.source_id, table.c.destination_id)
        )
        if source_id is not None:
            query = query.where(table.c.source_id == source_id)
        with self._database.read() as connection:
            now = self._database.local_now()
            return [_route(row, now) for row in connection.execute(query).mappings()]

    def _seal(self, value: Mapping[str, str], context: str) -> bytes:
        return self._vault.seal(json.dumps(dict(value)).encode(), context)

    def _open(self, sealed: bytes, context: str) -> dict[str, str]:
        opened: dict[str, str] = json.loads(self._vault.open(sealed, context))
        return opened

    def _source(self, row: RowMapping) -> Source:
        keys = self._open(row["keys"], "source.keys")
        return Source(
            id=row["id"],
            kind=row["kind"],
            name=row["name"],
            word=row["word"],
            state=row["state"],
            settings=self._open(row["settings"], "source.settings"),
            webhook_key=keys["webhook"],
            collect_key=keys["collect"],
            created_at=row["created_at"],
            ping_at=row["ping_at"],
            delivery_at=row["delivery_at"],
            collected_at=row["collected_at"],
        )

    def _destination(self, row: RowMapping) -> Destination:
        return Destination(
            id=row["id"],
            kind=row["kind"],
            name=row["name"],
            state=row["state"],
            reason=row["reason"],
            settings=self._open(row["settings"], "destination.settings"),
            next_at=row["next_at"],
            failures=row["failures"],
        )


def _check_name(what: str, name: str) -> None:
    """Refuse a name that would be read as an id, or as nothing."""
    if name.isdecimal() or not name.strip():
        raise ConfigError(f"{what}: a name needs a letter")


def _typed(name: str) -> str | int:
    return min(int(name[:19]), 2**63 - 1) if name.isdecimal() else name


def _dumped(toggles: Mapping[str, bool] | None) -> str:
    return "" if toggles is None else json.dumps(dict(toggles), sort_keys=True)


def _route(row: RowMapping, now: int) -> Route:
    until, before = row["test_until"], row["toggles_before"]
    over = row["mode"] == "test" and until is not None and until <= now
    return Route(
        source_id=row["source_id"],
        destination_id=row["destination_id"],
        mode=row["mode_after"] if over else row["mode"],
        toggles=json.loads(row["toggles"]),
        live_since=row["live_since"],
        test_event_code=row["test_event_code"],  # events of the test may still be under way
        test_until=None if over else until,
        mode_after="" if over else row["mode_after"],
        toggles_before=json.loads(before) if before else None,
    )
