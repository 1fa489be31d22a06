"""``/healthz`` and ``/readyz``: alive; database and worker.  They say nothing more."""

from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue

from bridge.store import Store, StoreError

SILENT_US = 60_000_000
blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> ResponseReturnValue:
    """Return 200 while the process answers at all."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def ready() -> ResponseReturnValue:
    """Return 200 if deliveries can be stored and a worker was seen in the last minute."""
    store: Store = current_app.config["STORE"]
    try:
        migrated = store.database.is_migrated()
        beat = store.history.last_beat() if migrated else None
        now = store.now()
    except StoreError:
        return {"database": "unavailable", "worker": "unknown"}, 503
    checks = {
        "database": "ok" if migrated else "not migrated",
        "worker": "ok" if beat is not None and now - beat < SILENT_US else "silent",
    }
    return checks, 200 if set(checks.values()) == {"ok"} else 503
