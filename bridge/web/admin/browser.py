"""The browser's side of a session: one random cookie, and what the next page is to say."""

import re
import secrets
from typing import Any, cast

from flask import Flask, Request, Response, request, session
from flask.sessions import SessionInterface, SessionMixin
from itsdangerous import BadSignature, URLSafeSerializer

from bridge.secrets import keyed_hash

from .hosts import is_https

_TOKEN = re.compile(r"[\w-]{43}", re.ASCII)
_TOLD = "told"
_MAX_TOLD = 3000  # browsers keep 4 kB a cookie


class Browser(dict[str, Any], SessionMixin):
    """What Flask takes for the session: the CSRF token, bound to the cookie, and messages.

    Who is signed in stands in the database, under a hash of `token`.
    """

    def __init__(self, key: bytes, token: str, told: list[Any] | None = None) -> None:
        self._key = key
        self.token = token
        self.is_known = True
        self.told = told
        self.sets_cookie = False
        super().__init__(csrf_token=keyed_hash(key, "csrf", token).hex())
        if told:
            self["_flashes"] = told

    def renew(self, token: str = "") -> None:
        """Go on under *token*, or under a new one of nobody's: no token outlives a sign-in."""
        self.token = token or secrets.token_urlsafe(32)
        self.sets_cookie = True
        self["csrf_token"] = keyed_hash(self._key, "csrf", self.token).hex()

    def keep(self) -> None:
        """See to it that the browser has a token: forms need one before anybody signs in."""
        self.sets_cookie = self.sets_cookie or not self.is_known


def here() -> Browser:
    """Return the browser of the request under way."""
    return cast(Browser, session)


class Browsers(SessionInterface):
    """Reads and writes the cookies; never the database."""

    def open_session(self, app: Flask, asked: Request) -> Browser:
        """Return what the browser's cookies say."""
        key = str(app.secret_key).encode()
        token = asked.cookies.get(_cookie_name(app, asked), "")
        browser = Browser(key, token, _read_told(key, asked.cookies.get(_TOLD, "")))
        if not _TOKEN.fullmatch(token):
            browser.renew()
            browser.sets_cookie = False  # only for pages, see `keep`
            browser.is_known = False
        return browser

    def save_session(self, app: Flask, found: SessionMixin, response: Response) -> None:
        """Set the cookies that changed."""
        browser = cast(Browser, found)
        safe: dict[str, Any] = {
            "secure": is_https(app.config["CONFIG"], request),
            "httponly": True,
            "samesite": "Lax",
        }
        if browser.sets_cookie:
            response.set_cookie(_cookie_name(app, request), browser.token, **safe)
        told = browser.get("_flashes")
        if told and told != browser.told:
            text = str(URLSafeSerializer(str(app.secret_key).encode(), salt=_TOLD).dumps(told))
            if len(text) <= _MAX_TOLD:
                response.set_cookie(_TOLD, text, **safe)
        elif browser.told and not told:
            response.delete_cookie(_TOLD, **safe)


def _cookie_name(app: Flask, request: Request) -> str:
    # The prefix keeps other hosts of the domain from planting a cookie; it needs https.
    return "__Host-session" if is_https(app.config["CONFIG"], request) else "session"


def _read_told(key: bytes, text: str) -> list[Any] | None:
    try:
        told = URLSafeSerializer(key, salt=_TOLD).loads(text)
    except BadSignature:
        return None
    return [tuple(one) for one in told]
