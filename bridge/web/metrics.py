"""``/metrics`` for Prometheus, behind a token; computed from the database, not per process."""

import hmac

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from bridge.config import Config
from bridge.store import Store, StoreError

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Return counts by state, ages and lanes; 404 without the token."""
    config: Config = current_app.config["CONFIG"]
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not config.metrics_token or not hmac.compare_digest(
        given.encode(), config.metrics_token.encode()
    ):
        return "", 404
    store: Store = current_app.config["STORE"]
    try:
        return Response(generate_latest(_gauges(store)), content_type=CONTENT_TYPE_LATEST)
    except StoreError:
        return "", 503


def _gauges(store: Store) -> CollectorRegistry:
    registry = CollectorRegistry()
    now = store.now()
    counts = store.history.counts()
    for table, name in (("delivery", "deliveries"), ("outbox", "events")):
        gauge = Gauge(f"capi_bridge_{name}", f"{name} by state", ["state"], registry=registry)
        for state, count in counts[table].items():
            gauge.labels(state).set(count)
    lanes = Gauge(
        "capi_bridge_destination_up", "1: accepts events", ["destination"], registry=registry
    )
    for one in store.connections.destinations():
        lanes.labels(one.name).set(one.state == "active" and not one.failures)
    beat = store.history.last_beat()
    if beat is not None:
        Gauge(
            "capi_bridge_worker_silence_seconds", "since a worker was seen", registry=registry
        ).set((now - beat) / 1_000_000)
    Gauge("capi_bridge_alerts", "open alerts", registry=registry).set(len(store.watches.alerts()))
    return registry
