"""Lines to test with: the recorded days of real shops end at 16:00 of 23 November 2026."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.secrets import Vault
from bridge.store import Store, micros
from tests.stores import SECRET_KEY, FakeClock

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(micros(NOW))


@pytest.fixture
def fresh_store(sqlite_template: Path, clock: FakeClock) -> Iterator[Callable[[], Store]]:
    """Return a function that makes another empty store in memory: quick, on SQLite alone."""
    opened: list[Store] = []

    def make() -> Store:
        store = Store("sqlite://", Vault(SECRET_KEY), clock)
        held = store.database.engine.raw_connection()
        template = sqlite3.connect(sqlite_template)
        template.backup(held.driver_connection)
        template.close()
        held.close()
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def memory(fresh_store: Callable[[], Store]) -> Store:
    """Return one empty store in memory."""
    return fresh_store()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep a warning of one test from the next: the level of our loggers is as it was."""
    before = logging.getLogger("bridge").level
    yield
    logging.getLogger("bridge").setLevel(before)
