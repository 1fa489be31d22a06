"""What a test looks at: states, reasons, copies, the destination as it is."""

from collections import Counter

import pytest

from tests.stores import rows

# The state machine is the same on both engines; what differs has tests on both.
on_sqlite = pytest.mark.parametrize("fresh_url", ["sqlite"], indirect=True)


def states(store):
    """Return how many events are in each state."""
    return Counter(rows(store, "outbox", "state"))


def reasons(store, state):
    """Return why events are in *state*, and how many."""
    found = rows(store, "outbox", "state", "reason")
    return Counter(reason for one, reason in found if one == state)


def copies(sandbox):
    """Return how often each event was accepted."""
    return Counter(event["event_id"] for event in sandbox.accepted())


def as_it_is(store, destination):
    """Return the destination as the store has it now."""
    return store.connections.destination(str(destination.id))
