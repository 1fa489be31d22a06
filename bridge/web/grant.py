"""``POST /connect/<state>``: a shop hands over keys after its operator agreed."""

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue

from bridge.connect import take_grant
from bridge.events import BridgeError, Request
from bridge.store import Store, StoreError

MAX_BODY = 8 * 1024
blueprint = Blueprint("grant", __name__)


@blueprint.post("/connect/<state>")
def take(state: str) -> ResponseReturnValue:
    """Store the keys; the shop forgets them unless it gets a 200."""
    if (request.content_length or MAX_BODY + 1) > MAX_BODY:
        return "", 413
    store: Store = current_app.config["STORE"]
    told = Request(headers=dict(request.headers), body=request.get_data(cache=False))
    try:
        take_grant(store, state, told)
    except StoreError:
        return "", 503
    except BridgeError:
        return "", 404
    return {"status": "ok"}
