"""Stores to test with: a test that takes `store` runs on SQLite and on PostgreSQL."""

import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bridge.events import Delivery, Occasion, Outcome, Receipt
from bridge.secrets import Vault
from bridge.store import (
    Claim,
    DeliveryEnd,
    Destination,
    Lane,
    Lease,
    OutboxRow,
    Route,
    Settled,
    Source,
    Store,
    VerdictRow,
    micros,
    schema,
)
from bridge.store import Outcome as Written

from .postgresql import SECRET_KEY, migrate

__all__ = [
    "SECOND",
    "SECRET_KEY",
    "START",
    "FakeClock",
    "claim",
    "clock",
    "commit",
    "destination",
    "environment",
    "fresh_url",
    "lane",
    "outbox_row",
    "put",
    "route",
    "rows",
    "settle",
    "source",
    "state_of",
    "store",
    "store_url",
]

SECOND = 1_000_000
START = micros(datetime(2026, 11, 23, 12, tzinfo=UTC))
_numbers = itertools.count(1)


class FakeClock:
    """A clock in microseconds that stands still until it is moved."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def move(self, seconds: float) -> int:
        """Move on and return the new time."""
        self.now += int(seconds * SECOND)
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "bridge.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Return a function that makes another migrated database on the engine under test."""
    if request.param == "postgresql":
        with request.getfixturevalue("postgresql_server").lend() as lend:
            yield lend
        return
    template = request.getfixturevalue("sqlite_template")

    def copy() -> str:
        path = tmp_path / f"bridge-{next(_numbers)}.db"
        shutil.copy(template, path)
        return f"sqlite:///{path}"

    yield copy


@pytest.fixture
def store_url(fresh_url: Callable[[], str]) -> str:
    return fresh_url()


@pytest.fixture
def store(store_url: str, clock: FakeClock) -> Iterator[Store]:
    opened = Store(store_url, Vault(SECRET_KEY), clock)
    yield opened
    opened.close()


@pytest.fixture
def source(store: Store) -> Source:
    return store.connections.add_source("bogus", "shop", {"secret": "hush"}, "w1")


@pytest.fixture
def destination(store: Store) -> Destination:
    return store.connections.add_destination("bogus", "dataset", {"access_token": "hush"})


@pytest.fixture
def route(store: Store, source: Source, destination: Destination) -> Route:
    made = Route(
        source_id=source.id,
        destination_id=destination.id,
        mode="live",
        toggles={"Purchase": True},
        live_since=START,
    )
    store.connections.set_route(made)
    return made


@pytest.fixture
def lane(destination: Destination) -> Lane:
    return Lane(destination_id=destination.id, mode="live")


@pytest.fixture
def outbox_row(source: Source, destination: Destination) -> Callable[..., OutboxRow]:
    """Return a function that makes a pending Purchase of a new order, with changes."""
    numbers = itertools.count(1)

    def make(**changes: Any) -> OutboxRow:
        order_id = changes.get("order_id", str(1000 + next(numbers)))
        values: dict[str, Any] = {
            "source_id": source.id,
            "destination_id": destination.id,
            "delivery_id": None,
            "mode": "live",
            "occasion": str(Occasion.PURCHASE),
            "event_name": "Purchase",
            "event_id": f"purchase.{order_id}",
            "order_id": order_id,
            "order_number": f"#{order_id}",
            "state": "pending",
            "event_at": START,
            "expires_at": START + 6 * 86_400 * SECOND,
            "next_at": START,
            "plan_digest": "digest",
            "trace": "{}",
        }
        values |= {"payload": b'{"event_id":"%s"}' % values["event_id"].encode()}
        values |= changes
        if values["state"] != "pending" and "payload" not in changes:
            values["payload"] = None
        return OutboxRow(**values)

    return make


def put(store: Store, source: Source, key: str = "k1", body: bytes = b"{}", **more: Any) -> bool:
    """Put a delivery now; return whether it is new."""
    delivery = Delivery(topic="orders/paid", key=key, body=body, **more)
    return store.intake.put(source.id, delivery, store.database.local_now())


def commit(
    store: Store,
    source: Source,
    *written: OutboxRow,
    lease: Lease | None = None,
    ends: Sequence[DeliveryEnd] = (),
    orders: Sequence[Any] = (),
    verdicts: Sequence[VerdictRow] = (),
    stopped: dict[int, str] | None = None,
) -> bool:
    """Write rows under *lease*, or under a new one; return whether it held."""
    now = store.now()
    if lease is None:
        key = f"for-lease-{next(_numbers)}"
        put(store, source, key)
        lease = store.translations.lease(now)
        assert lease is not None
        taken = store.translations.batch(lease, 1000)
        ends = [
            *ends,
            *(
                DeliveryEnd(delivery_id=one.id, state="translated")
                for one in taken
                if one.delivery.key == key
            ),
        ]
    outcome = Written(
        ends=ends, rows=written, stopped=stopped or {}, orders=orders, verdicts=verdicts
    )
    return store.translations.commit(lease, outcome, now)


def claim(store: Store, lane: Lane, limit: int = 100) -> Claim:
    """Claim now."""
    return store.outbox.claim(lane, limit, store.now())


def settle(store: Store, claimed: Claim, state: str = "sent", **changes: Any) -> int:
    """Settle all of a claim alike; return how many events were still ours."""
    settled = [
        Settled(
            **{
                "id": event.id,
                "state": state,
                "attempts": event.attempts + 1,
                "ambiguous_at": event.ambiguous_at,
                **changes,
            }
        )
        for event in claimed.events
    ]
    accepted = len(settled) if state == "sent" else None
    receipt = Receipt(outcome=Outcome.ACCEPTED, status=200, accepted=accepted)
    now = store.now()
    return store.outbox.settle(claimed, settled, receipt, sent_at=now, duration_ms=5, now=now)


def rows(store: Store, table: str, *columns: str) -> list[Any]:
    """Return a table's rows in the order written: tuples, or values of a single column."""
    wanted = schema.metadata.tables[table]
    picked = [wanted.c[name] for name in columns] or list(wanted.c)
    with store.database.read() as connection:
        found = connection.execute(select(*picked).order_by(*wanted.primary_key)).all()
    return [row[0] if len(columns) == 1 else tuple(row) for row in found]


def state_of(store: Store, event_id: str) -> str:
    """Return the state of the one outbox row with *event_id*."""
    (state,) = [row[1] for row in rows(store, "outbox", "event_id", "state") if row[0] == event_id]
    return str(state)


def environment(**more: str) -> dict[str, str]:
    """Return the environment for a child process that imports the project."""
    return {**os.environ, "PYTHONWARNINGS": "ignore", **more}
