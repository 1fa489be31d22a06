"""Who may ask for what: the guard in front of every view, and the headers of every answer.

A view names the role it needs.  One that names none is open to nobody: a page that was
forgotten here is a page that does not answer.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from flask import Flask, Response, abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from . import current
from .browser import here
from .hosts import is_foreign, is_https, is_ours

ANYONE: Final = "anyone"
# Blueprints for machines, with keys of their own instead of a session.
OPEN: Final = frozenset({"health", "collect", "grant", "metrics"})

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
View = TypeVar("View", bound=Callable[..., Any])


def needs(role: str) -> Callable[[View], View]:
    """Return a decorator that lets only *role*, or a higher one, into the view."""
    assert role in {*current.ROLES, ANYONE}  # noqa: S101  a slip of the pen

    def mark(view: View) -> View:
        view.needs = role  # type: ignore[attr-defined]  # read by the guard
        return view

    return mark


def role_of(app: Flask, endpoint: str) -> str | None:
    """Return the role that an endpoint needs; None where it names none."""
    return getattr(app.view_functions.get(endpoint), "needs", None)


def guard() -> ResponseReturnValue | None:
    """Refuse a request, or send it to the sign-in, or let it pass with None."""
    if request.endpoint == "static" or request.blueprint in OPEN:
        return None
    if not is_ours(current.config(), current.store(), request):
        abort(400, "host")
    if request.endpoint is None:  # no such page; its error says so
        return None
    if is_foreign(request):
        abort(403, "foreign")
    role = role_of(current_app, str(request.endpoint))
    if role is None:
        abort(404)
    browser = here()
    browser.keep()
    touch = "X-Live" not in request.headers  # a page that refreshes itself is nobody's use
    g.visit = current.store().accounts.session(browser.token, touch=touch)
    if role == ANYONE:
        return None
    if g.visit is None:
        return _to_sign_in()
    if not current.may(role):
        abort(403, "role")
    return None


def secure(response: Response) -> Response:
    """Add to an answer the headers that every answer has."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-Id"] = current.request_id()
    if request.endpoint != "static":  # the storefront script says how long it is good
        response.headers.setdefault("Cache-Control", "no-store")
    if request.endpoint != "static" and request.blueprint not in OPEN:
        response.vary.update(("Cookie", "Accept-Language"))
    if is_https(current.config(), request):
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response


def _to_sign_in() -> ResponseReturnValue:
    if not current.store().accounts.exist():
        return redirect(url_for("accounts.setup"), 303)
    wanted = request.full_path.rstrip("?") if request.method == "GET" else ""
    return redirect(url_for("accounts.login", next=wanted or None), 303)
