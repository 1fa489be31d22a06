"""Metrics are for who has the token, and tell counts only."""

import pytest
from werkzeug.test import Client

from bridge import config
from bridge.store import StoreError
from bridge.store.history import History
from bridge.web import Application
from tests.stores import SECRET_KEY, commit

TOKEN = "metrics-token"


@pytest.fixture
def measured(store, store_url):
    environment = {
        "DATABASE_URL": store_url, "SECRET_KEY": SECRET_KEY, "METRICS_TOKEN": TOKEN
    }  # fmt: skip
    return Client(Application(config.load(environment), store))


def get(client, token=TOKEN):
    return client.get("/metrics", headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1], "\u00e9"])
def test_without_the_token_there_is_nothing(measured, token):
    answer = get(measured, token)

    assert (answer.status_code, answer.data) == (404, b"")


def test_where_no_token_is_set_nobody_reads_them(client):
    assert get(client, "").status_code == 404
    assert client.get("/metrics").status_code == 404


def test_counts_lanes_silence_and_alerts_are_told(
    store, source, destination, outbox_row, clock, measured
):
    assert commit(store, source, outbox_row(), outbox_row(state="dead"))
    store.watches.raise_alert("shop", "shop", "wrong")
    store.history.beat("w", clock())
    clock.move(30)

    text = get(measured).text

    for line in (
        'capi_bridge_deliveries{state="translated"} 1.0',
        'capi_bridge_events{state="pending"} 1.0',
        'capi_bridge_events{state="dead"} 1.0',
        'capi_bridge_destination_up{destination="dataset"} 1.0',
        "capi_bridge_worker_silence_seconds 30.0",
        "capi_bridge_alerts 1.0",
    ):
        assert line in text.splitlines()


def test_a_parked_lane_is_down(store, destination, measured):
    store.connections.set_destination(destination.id, state="parked", reason="token")

    assert 'capi_bridge_destination_up{destination="dataset"} 0.0' in get(measured).text


def test_a_database_that_fails_is_told_as_that(measured, monkeypatch):
    def fail(_):
        raise StoreError("database: locked")

    monkeypatch.setattr(History, "counts", fail)

    assert get(measured).status_code == 503


def test_no_personal_data_and_no_ids_are_in_them(store, source, outbox_row, measured):
    assert commit(store, source, outbox_row(order_id="canary-order", event_id="canary-event"))

    assert "canary" not in get(measured).text
