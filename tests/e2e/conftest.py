"""A machine on each engine, and a local Graph API beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.sandbox import Sandbox
from bridge.secrets import Vault
from bridge.store import Store
from tests.stores import SECRET_KEY

from .machine import Machine


@pytest.fixture
def graph() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def machine(tmp_path: Path, store_url: str, graph: Sandbox) -> Iterator[Machine]:
    """Return a machine with two web processes on the database of `store`."""
    made = Machine(
        tmp_path / "machine",
        {
            "DATABASE_URL": store_url,
            "SECRET_KEY": SECRET_KEY,
            "GRAPH_URL": graph.url,
            "WEB_CONCURRENCY": "2",
            "LOG_LEVEL": "WARNING",
        },
    )
    yield made
    made.close()


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Return the machine's memory, by the clock on the wall."""
    opened = Store(store_url, Vault(SECRET_KEY))
    yield opened
    opened.close()
