"""The memory: the only place with SQL.  One set of tables on SQLite and PostgreSQL."""

import secrets

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from bridge.secrets import Vault

from . import schema
from .accounts import Accounts, Operator, Session
from .activity import Activity, DeliveryFilter, EventFilter, Replayable
from .connections import Connections
from .database import Clock, Database, StoreError
from .history import History, Story
from .intake import Intake
from .ledger import Ledger, LedgerLine
from .outbox import Claim, Lane, Outbox
from .overview import Overview, PlanVersion
from .places import Page, Place
from .records import AuditLine, EventLine, Records
from .replays import Replayed, Replays
from .retention import Ages, Retention
from .rotation import Rotation
from .rows import (
    COLLECTED_KEY,
    OWN_KEYS,
    RECONCILED,
    Claimed,
    DeliveryEnd,
    Destination,
    HeldEvent,
    KnownRow,
    Lease,
    OutboxRow,
    Route,
    Settled,
    Sold,
    Source,
    StoredDelivery,
    VerdictRow,
    micros,
    moment,
)
from .subjects import Erasure, Subjects, Told
from .summary import Count, Open, Seen, Summary, Week
from .translations import Outcome, Translations
from .visits import KnownVisitor, Visited, Visits
from .watches import Alert, Watch, Watches

__all__ = [
    "COLLECTED_KEY",
    "OWN_KEYS",
    "RECONCILED",
    "Ages",
    "Alert",
    "AuditLine",
    "Claim",
    "Claimed",
    "Count",
    "DeliveryEnd",
    "DeliveryFilter",
    "Destination",
    "Erasure",
    "EventFilter",
    "EventLine",
    "HeldEvent",
    "KnownRow",
    "KnownVisitor",
    "Lane",
    "Lease",
    "LedgerLine",
    "Open",
    "Operator",
    "OutboxRow",
    "Outcome",
    "Page",
    "Place",
    "PlanVersion",
    "Replayable",
    "Replayed",
    "Route",
    "Seen",
    "Session",
    "Settled",
    "Sold",
    "Source",
    "Store",
    "StoreError",
    "StoredDelivery",
    "Story",
    "Told",
    "VerdictRow",
    "Visited",
    "Watch",
    "Week",
    "micros",
    "moment",
]


class Store:
    """The whole memory, one attribute a concern."""

    def __init__(self, url: str, vault: Vault, clock: Clock | None = None) -> None:
        self.database = Database(url, clock)
        self.vault = vault
        self.connections = Connections(self.database, vault)
        self.intake = Intake(self.database, vault)
        self.translations = Translations(self.database, vault)
        self.outbox = Outbox(self.database, vault)
        self.subjects = Subjects(self.database, vault)
        self.ledger = Ledger(self.database)
        self.watches = Watches(self.database)
        self.visits = Visits(self.database, vault)
        self.replays = Replays(self.database)
        self.rotation = Rotation(self.database, vault)
        self.retention = Retention(self.database)
        self.history = History(self.database, vault)
        self.overview = Overview(self.database, vault)
        self.activity = Activity(self.database)
        self.summary = Summary(self.database)
        self.accounts = Accounts(self.database, vault)
        self.records = Records(self.database)
        self._subject_key: bytes | None = None

    def migrate(self) -> None:
        """Bring the schema to this version's revision."""
        self.database.migrate()

    def now(self) -> int:
        """Return the time in microseconds since 1970 UTC."""
        return self.database.now()

    def close(self) -> None:
        """Close all connections."""
        self.database.engine.dispose()

    def subject_key(self) -> bytes:
        """Return the installation's random key for hashing subjects; made at first use.

        It is stored sealed, so that rotating SECRET_KEY does not change it.
        """
        if self._subject_key is None:
            self._subject_key = self._read_subject_key() or self._make_subject_key()
        return self._subject_key

    def _read_subject_key(self) -> bytes | None:
        query = select(schema.setting.c.value).where(schema.setting.c.name == "subject_key")
        with self.database.read() as connection:
            sealed = connection.scalar(query)
        return self.vault.open(sealed, "setting") if sealed else None

    def _make_subject_key(self) -> bytes:
        dialect = sqlite if self.database.is_sqlite else postgresql
        sealed = self.vault.seal(secrets.token_bytes(32), "setting")
        with self.database.write() as connection:
            connection.execute(
                dialect.insert(schema.setting)
                .values(name="subject_key", value=sealed)
                .on_conflict_do_nothing()
            )
        made = self._read_subject_key()
        assert made is not None  # noqa: S101  just written, and never deleted
        return made
