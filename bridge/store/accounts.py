"""Who may use the admin: operators, their sessions, and how often a login was tried."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from bridge.events import ConfigError
from bridge.secrets import Vault

from . import schema
from .database import Database
from .verdicts import insert_on

SECOND = 1_000_000
IDLE = 2 * 3600 * SECOND
ABSOLUTE = 12 * 3600 * SECOND
LONGEST_WAIT = 60 * SECOND
PER_MINUTE = 10
_TOUCH = 60 * SECOND  # at most one write a minute and session
_FORGET = 24 * 3600 * SECOND
_KNOWN = 30 * 24 * 3600 * SECOND
_SETUP = "setup_done"
_TOKEN = "setup_token"
_URL = "public_url"


@dataclass(frozen=True, kw_only=True)
class Operator:
    """A person who signs in; `role` is ``owner``, ``operator`` or ``reader``."""

    id: int
    name: str
    role: str
    created_at: int


@dataclass(frozen=True, kw_only=True)
class Session:
    """A signed-in browser; times in microseconds, `agent` in a word or two."""

    id: int
    operator: Operator
    agent: str
    created_at: int
    seen_at: int


class Accounts:
    """Reads and writes of operators, sessions and login attempts."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def exist(self) -> bool:
        """Return whether the installation was set up."""
        with self._database.read() as connection:
            return _setting(connection, _SETUP) is not None

    def setup_token(self) -> str:
        """Return the token that is kept for the setup; made at first use."""
        with self._database.write() as connection:
            sealed = _setting(connection, _TOKEN)
            if sealed is None:
                self._keep(connection, _TOKEN, secrets.token_urlsafe(18))
                sealed = _setting(connection, _TOKEN)
        assert sealed is not None  # noqa: S101  just written
        return self._vault.open(sealed, "setting").decode()

    def public_url(self) -> str:
        """Return the address at which the installation was set up; empty if none was learnt."""
        with self._database.read() as connection:
            sealed = _setting(connection, _URL)
        return self._vault.open(sealed, "setting").decode() if sealed else ""

    def set_up(self, name: str, password_hash: str, public_url: str = "") -> Operator:
        """Make the first owner, once; raises ConfigError if somebody was first."""
        with self._database.write() as connection:
            if not self._keep(connection, _SETUP, "1"):
                raise ConfigError("setup: there is an owner already")
            connection.execute(delete(schema.setting).where(schema.setting.c.name == _TOKEN))
            if public_url:
                self._keep(connection, _URL, public_url)
            return self._add(connection, name, "owner", password_hash)

    def operators(self) -> list[Operator]:
        """Return all operators by name."""
        table = schema.operator
        with self._database.read() as connection:
            rows = connection.execute(select(*_fields()).order_by(table.c.name))
            return [Operator(**row._asdict()) for row in rows]

    def operator(self, name: str) -> tuple[Operator, str] | None:
        """Return the operator of that name and the hash of the password."""
        table = schema.operator
        query = select(*_fields(), table.c.password_hash).where(table.c.name == name)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        values = dict(row)
        password_hash = values.pop("password_hash")
        return Operator(**values), password_hash

    def add_operator(self, name: str, role: str, password_hash: str) -> Operator:
        """Store a new operator; raises ConfigError if the name is taken."""
        with self._database.write() as connection:
            return self._add(connection, name, role, password_hash)

    def set_role(self, operator_id: int, role: str) -> None:
        """Change a role; the last owner stays one.  The sessions go: they had the old one."""
        with self._database.write() as connection:
            if role != "owner":
                _check_owners(connection, operator_id)
            self._change(connection, operator_id, {"role": role})

    def set_password(self, operator_id: int, password_hash: str) -> None:
        """Change a password; all sessions of the operator end."""
        with self._database.write() as connection:
            self._change(connection, operator_id, {"password_hash": password_hash})

    def remove_operator(self, operator_id: int) -> None:
        """Remove an operator with all sessions; the last owner stays."""
        table = schema.operator
        with self._database.write() as connection:
            _check_owners(connection, operator_id)
            _end(connection, operator_id)
            connection.execute(delete(table).where(table.c.id == operator_id))

    def open_session(self, operator_id: int, agent: str) -> str:
        """Return the token of a new session: 256 random bits, of which only a hash is kept."""
        table = schema.session
        token = secrets.token_urlsafe(32)
        now = self._database.local_now()
        with self._database.write() as connection:
            connection.execute(delete(table).where(table.c.created_at < now - ABSOLUTE))
            connection.execute(delete(table).where(table.c.seen_at < now - IDLE))
            connection.execute(
                insert(table).values(
                    token_hash=_hash(token),
                    operator_id=operator_id,
                    agent=agent,
                    created_at=now,
                    seen_at=now,
                )
            )
        return token

    def session(self, token: str, *, touch: bool = True) -> Session | None:
        """Return the session of *token*; None after two idle hours, or twelve in all.

        Without *touch* the request does not count as use: pages that refresh themselves.
        """
        now = self._database.local_now()
        found = self._sessions(now, schema.session.c.token_hash == _hash(token))
        if not found:
            return None
        if touch and found[0].seen_at < now - _TOUCH:
            table = schema.session
            with self._database.write() as connection:
                ours = table.c.id == found[0].id
                connection.execute(update(table).where(ours).values(seen_at=now))
        return found[0]

    def is_open(self, token_hash: bytes) -> bool:
        """Return whether the session of that hash is still signed in."""
        now = self._database.local_now()
        return bool(self._sessions(now, schema.session.c.token_hash == token_hash))

    def sessions(self, operator_id: int) -> list[Session]:
        """Return the operator's sessions, newest first."""
        now = self._database.local_now()
        return self._sessions(now, schema.session.c.operator_id == operator_id)

    def end_session(self, operator_id: int, session_id: int) -> bool:
        """End one session of the operator; return whether there was one."""
        table = schema.session
        ours = (table.c.id == session_id) & (table.c.operator_id == operator_id)
        with self._database.write() as connection:
            return connection.execute(delete(table).where(ours)).rowcount > 0

    def end_sessions(self, operator_id: int) -> None:
        """End all sessions of the operator."""
        with self._database.write() as connection:
            _end(connection, operator_id)

    def attempt(self, account: bytes, address: bytes) -> int:
        """Count an attempt to sign in; return how long to wait first, in microseconds (0: none).

        An account waits 1, 2, 4 up to 60 seconds after each failure, an address has ten
        attempts a minute.  An attempt made too early is not counted, so that nobody is
        locked out for longer by the attempts of others.
        """
        now = self._database.local_now()
        with self._database.write() as connection:
            theirs = self._attempts(connection, address)
            fresh = theirs["since"] < now - 60 * SECOND
            count = 1 if fresh else theirs["count"] + 1
            since = now if fresh else theirs["since"]
            if count > PER_MINUTE:
                return since + 60 * SECOND - now
            mine = self._attempts(connection, account)
            if mine["next_at"] > now:
                return mine["next_at"] - now
            failures = mine["count"] + 1
            delay = min(SECOND << min(failures - 1, 6), LONGEST_WAIT)
            _count(connection, account, failures, mine["since"] or now, now + delay)
            _count(connection, address, count, since, now)
        return 0

    def succeeded(self, account: bytes, known: bytes | None = None) -> None:
        """Forget the account's failures and old ones of others; keep *known* for a month."""
        table = schema.login_attempt
        now = self._database.local_now()
        with self._database.write() as connection:
            connection.execute(delete(table).where(table.c.key == account))
            connection.execute(delete(table).where(table.c.next_at < now - _FORGET))
            if known:
                self._attempts(connection, known)
                _count(connection, known, 0, now, now + _KNOWN)

    def knows(self, known: bytes) -> bool:
        """Return whether *known* succeeded within the last month."""
        table = schema.login_attempt
        query = select(table.c.next_at).where(table.c.key == known)
        with self._database.read() as connection:
            return (connection.scalar(query) or 0) > self._database.local_now()

    def _attempts(self, connection: Connection, key: bytes) -> Mapping[str, int]:
        """Return the counters of *key*, locked until the transaction ends."""
        table = schema.login_attempt
        fresh = insert_on(table, is_sqlite=self._database.is_sqlite).values(
            key=key, count=0, since=0, next_at=0
        )
        connection.execute(fresh.on_conflict_do_nothing())
        query = select(table).where(table.c.key == key).with_for_update()
        return dict(connection.execute(query).mappings().one())

    def _sessions(self, now: int, where: ColumnElement[bool]) -> list[Session]:
        table, operator = schema.session, schema.operator
        names = ("id", "agent", "created_at", "seen_at")
        query = (
            select(*(table.c[name] for name in names), *_fields("operator_"))
            .join(operator, operator.c.id == table.c.operator_id)
            .where(where, table.c.created_at >= now - ABSOLUTE, table.c.seen_at >= now - IDLE)
            .order_by(table.c.seen_at.desc(), table.c.id.desc())
        )
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            Session(
                **{name: row[name] for name in names},
                operator=Operator(
                    **{name: row[f"operator_{name}"] for name in Operator.__dataclass_fields__}
                ),
            )
            for row in rows
        ]

    def _add(self, connection: Connection, name: str, role: str, password_hash: str) -> Operator:
        now = self._database.local_now()
        values = {"name": name, "role": role, "created_at": now}
        fresh = insert_on(schema.operator, is_sqlite=self._database.is_sqlite)
        added = connection.execute(
            fresh.values(**values, password_hash=password_hash)
            .on_conflict_do_nothing()
            .returning(schema.operator.c.id)
        ).first()
        if added is None:
            raise ConfigError(f"operator: the name {name} is taken")
        return Operator(id=added.id, name=name, role=role, created_at=now)

    def _change(self, connection: Connection, operator_id: int, values: Mapping[str, str]) -> None:
        table = schema.operator
        _end(connection, operator_id)
        connection.execute(update(table).where(table.c.id == operator_id).values(values))

    def _keep(self, connection: Connection, name: str, value: str) -> bool:
        """Keep a setting unless there is one; return whether it is ours that is kept."""
        table = schema.setting
        fresh = insert_on(table, is_sqlite=self._database.is_sqlite).values(
            name=name, value=self._vault.seal(value.encode(), "setting")
        )
        kept = connection.execute(fresh.on_conflict_do_nothing().returning(table.c.name))
        return kept.first() is not None


def _setting(connection: Connection, name: str) -> bytes | None:
    table = schema.setting
    value: bytes | None = connection.scalar(select(table.c.value).where(table.c.name == name))
    return value


def _fields(prefix: str = "") -> list[ColumnElement[Any]]:
    table = schema.operator
    return [table.c[name].label(f"{prefix}{name}") for name in Operator.__dataclass_fields__]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _end(connection: Connection, operator_id: int) -> None:
    table = schema.session
    connection.execute(delete(table).where(table.c.operator_id == operator_id))


def _check_owners(connection: Connection, operator_id: int) -> None:
    """Refuse to lose the last owner; two who demote each other at once are told apart."""
    table = schema.operator
    owners = select(table.c.id).where(table.c.role == "owner").with_for_update()
    if set(connection.scalars(owners)) == {operator_id}:
        raise ConfigError("operator: the last owner stays one")


def _count(connection: Connection, key: bytes, count: int, since: int, next_at: int) -> None:
    table = schema.login_attempt
    values = {"count": count, "since": since, "next_at": next_at}
    connection.execute(update(table).where(table.c.key == key).values(values))
