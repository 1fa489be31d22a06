"""``/collect/<key>``: what the storefront script posts, and the script itself.

It is public: small bodies, a limit per address, no cookie, nothing echoed, and never a
purchase.  What is no JSON object is refused before it is stored; whatever else the body says, it
answers 204, so that it is no oracle.
"""

import ipaddress
import re
import threading
import time
from collections.abc import Callable

from flask import Blueprint, Response, current_app, request, url_for
from flask.typing import ResponseReturnValue

from bridge import registry
from bridge.events import TranslationError
from bridge.events.reading import parse_object
from bridge.receive import collect
from bridge.store import Store, StoreError

from .admin import current

MAX_BODY = 8 * 1024
PER_MINUTE = 120
_MAX_ADDRESSES = 10_000
# Cubot makes telephones.
_ROBOT = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|headless|preview|lighthouse|monitor|curl|wget", re.I
)

blueprint = Blueprint("collect", __name__)


class Throttle:
    """Counts requests by address and minute, in this process.

    Of IPv6 a line has 2**64 addresses at the least, so all of a /64 count as one.
    """

    def __init__(
        self, per_minute: int = PER_MINUTE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = 0
        self._counts: dict[str, int] = {}

    def allows(self, address: str) -> bool:
        """Return whether *address* may go on in this minute."""
        line = _line(address)
        minute = int(self._clock() // 60)
        with self._lock:
            if minute != self._minute or len(self._counts) > _MAX_ADDRESSES:
                self._minute, self._counts = minute, {}
            count = self._counts[line] = self._counts.get(line, 0) + 1
        return count <= self._per_minute


def _line(address: str) -> str:
    """Return what *address* has in common with all that are its owner's too."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    mapped = parsed.ipv4_mapped
    return str(mapped or int(parsed) >> 64)


_throttle = Throttle()


@blueprint.after_request
def allow_every_page(response: Response) -> Response:
    """Let pages of any origin post; sandboxed pixels have none.  No credentials are read."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Headers"] = "Content-Type"
    response.headers["Access-Control-Allow-Methods"] = "POST"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@blueprint.post("/collect/<key>", provide_automatic_options=False)
def post(key: str) -> ResponseReturnValue:
    """Keep what a browser told of itself, as one more delivery of the source."""
    if request.content_length is None or request.content_length > MAX_BODY:
        return "", 413
    if not _throttle.allows(request.remote_addr or ""):
        return "", 429
    agent = request.headers.get("User-Agent", "")
    store: Store = current_app.config["STORE"]
    try:
        source = store.connections.source_by_collect_key(key)
        if source is None or source.state != "active":
            return "", 404
        if not agent or _ROBOT.search(agent):
            return "", 204
        body = request.get_data(cache=False)
        parse_object(body)
        collect(store, source, body, address=request.remote_addr or "", agent=agent)
        current_app.config["STORED"]()
    except TranslationError:
        return "", 400
    except StoreError:
        return "", 503
    return "", 204


@blueprint.route("/collect/<key>", methods=["OPTIONS"])
def preflight(key: str) -> ResponseReturnValue:
    """Answer a browser that asks first."""
    del key
    return "", 204


@blueprint.get("/collect/<key>.js")
def script(key: str) -> ResponseReturnValue:
    """Return the storefront script for this source."""
    store: Store = current_app.config["STORE"]
    try:
        source = store.connections.source_by_collect_key(key)
        base_url = current.base_url()
    except StoreError:
        return "", 503
    if source is None or source.state == "removed":
        return "", 404
    address = f"{base_url}{url_for('collect.post', key=key)}"
    text = registry.source(source.kind).browser_script(address) or _own_script(address)
    return Response(
        text, mimetype="text/javascript", headers={"Cache-Control": "public, max-age=300"}
    )


def _own_script(address: str) -> str:
    with current_app.open_resource("static/collect.js", "r") as file:
        return str(file.read()).replace("https://bridge.example/collect/KEY", address)
