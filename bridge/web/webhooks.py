"""``POST /webhooks/<key>``: a small WSGI callable in front of the Flask application.

Shops read the status as an order: 200 is success, a redirect would be taken for success by
some and lose the order, a 503 asks for another try.  So nothing of a web framework stands
between the shop and the disk.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from bridge.events import BridgeError, Request, VerificationError
from bridge.receive import Received, receive
from bridge.store import Source, Store, StoreError

from .admin.security import HEADERS
from .body import BodyTooLargeError, BodyTooSlowError, read_body

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

PREFIX = "/webhooks/"
CACHE_S = 2.0
_CACHE_SIZE = 10_000
REFUSED_S = 60.0  # so seldom is a refusal noted: a forged request must not cost a write
_HEADERS = (
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Cache-Control", "no-store"),
    *HEADERS.items(),
)
_GONE = {"removed"}  # by the operator; a shop that left still asks for redactions
log = logging.getLogger(__name__)

Answer = tuple[HTTPStatus, str]


class Webhooks:
    """Answers webhooks itself and passes everything else on."""

    def __init__(
        self, store: Store, application: "WSGIApplication", stored: Callable[[], None]
    ) -> None:
        self._store = store
        self._application = application
        self._stored = stored
        self._sources: dict[str, tuple[float, Source]] = {}
        self._refused: dict[int, float] = {}

    def __call__(self, environ: dict[str, Any], start: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        path = f"/{environ.get('PATH_INFO', '').lstrip('/')}"  # //webhooks must not redirect
        if not path.startswith(PREFIX):
            return self._application(environ, start)
        status, text = self._answer(environ, path.removeprefix(PREFIX).strip("/"))
        body = f"{text}\n".encode()
        headers = [
            *_HEADERS,
            ("Content-Length", str(len(body))),
        ]
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", "POST"))
        if status is HTTPStatus.SERVICE_UNAVAILABLE:
            headers.append(("Retry-After", "60"))
        start(f"{status.value} {status.phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _answer(self, environ: dict[str, Any], key: str) -> Answer:
        if environ["REQUEST_METHOD"] != "POST":
            return HTTPStatus.METHOD_NOT_ALLOWED, "webhooks are posted"
        try:
            source = self._source(key)
            if source is None:
                return HTTPStatus.NOT_FOUND, "not found"
            if source.state in _GONE:
                return HTTPStatus.GONE, "this shop was disconnected"
            body = read_body(environ)
            return self._receive(source, Request(headers=_headers(environ), body=body))
        except BodyTooLargeError:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large"
        except BodyTooSlowError:
            return HTTPStatus.REQUEST_TIMEOUT, "the body did not arrive in time"
        except StoreError as error:
            log.error("webhook.not_stored", extra={"reason": str(error)})
            return HTTPStatus.SERVICE_UNAVAILABLE, "try again"
        except BridgeError as error:
            log.error("webhook.misconfigured", extra={"reason": str(error)})
            return HTTPStatus.SERVICE_UNAVAILABLE, "try again"

    def _receive(self, source: Source, request: Request) -> Answer:
        try:
            received = receive(self._store, source, request)
        except VerificationError as error:
            log.warning("webhook.refused", extra={"source": source.id, "reason": str(error)})
            self._note_refusal(source, str(error))
            return HTTPStatus.UNAUTHORIZED, "the signature does not match"
        if received is Received.STORED:
            self._stored()
        return HTTPStatus.OK, str(received)

    def _note_refusal(self, source: Source, sentence: str) -> None:
        """Raise an alert: whoever knows the address is the shop, with a wrong secret."""
        now = time.monotonic()
        if self._refused.get(source.id, 0.0) > now:
            return
        self._refused[source.id] = now + REFUSED_S
        with contextlib.suppress(StoreError):  # the answer is the same without it
            message = f"Webhooks of {source.name} are refused: {sentence}."
            self._store.watches.raise_alert("signature", source.name, message)

    def _source(self, key: str) -> Source | None:
        """Return the source of *key*, as it was at most two seconds ago."""
        now = time.monotonic()
        known = self._sources.get(key)
        if known and known[0] > now:
            return known[1]
        source = self._store.connections.source_by_webhook_key(key)
        if source:
            if len(self._sources) >= _CACHE_SIZE:
                self._sources = {}
            self._sources[key] = (now + CACHE_S, source)
        else:
            self._sources.pop(key, None)
        return source


def _headers(environ: dict[str, Any]) -> dict[str, str]:
    """Return the request's headers, as text in which every byte of the wire survives."""
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    return headers | {"content-type": environ.get("CONTENT_TYPE", "")}
