"""What goes wrong, on a page that tells the number of the request and nothing of the program."""

import logging

from flask import Flask, Response, make_response, render_template
from flask_wtf.csrf import CSRFError  # type: ignore[import-untyped]  # it has none
from werkzeug.exceptions import HTTPException

from bridge.events import BridgeError
from bridge.store import StoreError
from bridge.translate import blame

from . import current
from .passwords import BusyError

_OWN = {"host", "foreign", "role"}  # descriptions that our guard gives
log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Answer all errors of *app*."""
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(BridgeError, _misconfigured)
    app.register_error_handler(StoreError, _unavailable)
    app.register_error_handler(BusyError, _busy)
    app.register_error_handler(Exception, _fault)


def page(status: int, key: str, detail: str = "") -> Response:
    """Return the error page with the text ``error.<key>``."""
    values = {"status": status, "key": key, "detail": detail, "request_id": current.request_id()}
    return make_response(render_template("admin/error.html", **values), status)


def _refused(error: HTTPException) -> Response:
    status = error.code or 500
    if isinstance(error, CSRFError):
        key = "csrf"
    elif error.description in _OWN:
        key = str(error.description)
    else:
        key = str(status) if status in {404, 405, 413, 429} else "other"
    answer = page(status, key)
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            answer.headers[name] = value
    return answer


def _misconfigured(error: BridgeError) -> Response:
    return page(400, "config", str(error))


def _unavailable(error: StoreError) -> Response:
    log.error("web.store_unavailable", extra={"reason": str(error)})
    answer = page(503, "503")
    answer.headers["Retry-After"] = "10"
    return answer


def _busy(error: BusyError) -> Response:
    del error
    answer = page(503, "busy")
    answer.headers["Retry-After"] = "5"
    return answer


def _fault(error: Exception) -> Response:
    extra = {"request": current.request_id(), "reason": blame(error)}
    log.error("web.fault", extra=extra)
    return page(500, "500")
