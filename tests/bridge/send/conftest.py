"""A queue of sound events, the sandbox as the platform, and one clock for both."""

import hashlib
import itertools
import json
import socket

import pytest

from bridge import net
from bridge.events import Endpoint
from bridge.sandbox import Rules, Sandbox
from bridge.send import Sender
from tests.stores import SECOND, commit, rows

TOKEN = "EAAcanaryTOKENthatNobodyMaySee"
EMAIL = hashlib.sha256(b"canary@example.com").hexdigest()


@pytest.fixture
def destination(store):
    settings = {"dataset_id": "1234567890", "access_token": TOKEN}
    return store.connections.add_destination("meta", "dataset", settings)


@pytest.fixture
def sandbox(clock):
    rules = Rules(unknown_datasets=frozenset({"404"}))
    with Sandbox(rules=rules, clock=lambda: clock() / SECOND) as running:
        yield running


@pytest.fixture
def endpoint(sandbox):
    return Endpoint(url=sandbox.url, version="v26.0")


@pytest.fixture
def post():
    """Return a `post` with a short deadline that keeps the requests it carried out."""

    def carry(request):
        carry.requests.append(request)
        return net.send(request, deadline_s=carry.deadline_s)

    carry.requests, carry.deadline_s = [], 5.0
    return carry


@pytest.fixture
def sender(store, endpoint, post):
    return Sender(store, endpoint, post)


@pytest.fixture
def payload(clock):
    """Return a function that gives a Purchase as the destination gets it."""

    def make(event_id, **changes):
        event = {
            "event_name": "Purchase",
            "event_id": event_id,
            "event_time": clock() // SECOND - 60,
            "action_source": "website",
            "event_source_url": "https://shop.example/thanks",
            "user_data": {"em": [EMAIL], "client_user_agent": "Mozilla/5.0"},
            "custom_data": {"value": 12.5, "currency": "EUR"},
        }
        return json.dumps(event | changes).encode()

    return make


@pytest.fixture
def queue(store, source, outbox_row, payload, clock):
    """Return a function that queues events and gives their ids; *bad* ones lack a currency."""
    numbers = itertools.count(1)

    def put(count, *, bad=(), **changes):
        ids = [f"purchase.{next(numbers)}" for _ in range(count)]
        made = []
        for place, event_id in enumerate(ids):
            wrong = {"custom_data": {"value": 1}} if place in bad else {}
            values = {"event_id": event_id, "order_id": event_id, "next_at": clock()}
            values["payload"] = payload(event_id, **wrong)
            made.append(outbox_row(**values | changes))
        assert commit(store, source, *made)
        return ids

    return put


@pytest.fixture
def drain(store, clock, destination):
    """Return a function that lets a sender work, moving the clock on wherever it must wait."""

    def until_done(sender, turns=500):
        for turn in range(turns):
            sender.send_due()
            now = store.connections.destination(str(destination.id))
            open_rows = [
                at
                for state, at in rows(store, "outbox", "state", "next_at")
                if state in {"pending", "sending"}
            ]
            if not open_rows:
                return turn + 1
            clock.now = max(clock.now, now.next_at, min(open_rows))
        raise AssertionError("the queue did not drain")

    return until_done


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}"
