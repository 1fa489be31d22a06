"""A shop in Germany on both engines; START of the clock is the first minute of the visit."""

import pytest

from bridge.store import Store
from tests.stores import FakeClock

from .visit import Visit, connect


@pytest.fixture
def visit(store: Store, clock: FakeClock) -> Visit:
    return connect(store, clock)
