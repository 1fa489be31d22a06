"""A sandbox on loopback with a clock of ours, and sound events to spoil."""

import hashlib
from datetime import UTC, datetime

import pytest
import requests

from bridge.sandbox import Rules, Sandbox

NOW = int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp())
EMAIL = hashlib.sha256(b"john_smith@gmail.com").hexdigest()


class Clock:
    """Stands still until it is moved."""

    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sandbox(clock):
    rules = Rules(unknown_datasets=frozenset({"404"}))
    with Sandbox(rules=rules, clock=clock) as running:
        yield running


@pytest.fixture
def http():
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def event():
    """Make a sound Purchase; None takes a field away."""

    def make(**changes):
        sound = {
            "event_name": "Purchase",
            "event_id": "purchase.1001",
            "event_time": NOW - 60,
            "action_source": "website",
            "event_source_url": "https://shop.example/thanks",
            "user_data": {"em": [EMAIL], "client_user_agent": "Mozilla/5.0"},
            "custom_data": {"value": 12.5, "currency": "EUR"},
        }
        return {name: value for name, value in (sound | changes).items() if value is not None}

    return make


@pytest.fixture
def post(sandbox, http):
    """Post events the way the documentation shows; return the answer."""

    def send(*events, token="EAAtoken", dataset="1234567890", version="v26.0", **body):
        return http.post(
            f"{sandbox.url}/{version}/{dataset}/events",
            json={"data": list(events), **body},
            headers={"Authorization": f"Bearer {token}"} if token else {},
            allow_redirects=False,
            timeout=30,
        )

    return send
