"""At which address the admin answers: a foreign Host header or origin is refused."""

from urllib.parse import urlsplit

from flask import Request

from bridge.config import Config
from bridge.store import Store

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_SAFE = {"GET", "HEAD", "OPTIONS"}


def is_https(config: Config, request: Request) -> bool:
    """Return whether the browser speaks https, be it to a proxy that we were not told of."""
    public = urlsplit(config.public_url)
    return request.is_secure or (
        public.scheme == "https" and _name(request.host) == public.hostname
    )


def is_ours(config: Config, store: Store, request: Request) -> bool:
    """Return whether the Host header names this installation.

    Where PUBLIC_URL is not set, its name is not known before the setup: until then any name
    is ours that comes over https.
    """
    name = _name(request.host)
    if name in _LOOPBACK:
        return True
    known = config.public_url or store.accounts.public_url()
    if known:
        return name == urlsplit(known).hostname
    return request.is_secure and not store.accounts.exist()


def is_foreign(request: Request) -> bool:
    """Return whether another site's page sent this unsafe request.

    Source: OWASP CSRF prevention cheat sheet, Fetch Metadata (read 2026-11-23).  A browser
    without it sends the origin, or "null" under our own referrer policy: then the token in
    the form decides.
    """
    if request.method in _SAFE:
        return False
    site = request.headers.get("Sec-Fetch-Site", "")
    if site:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("Origin", "null")
    return origin != "null" and urlsplit(origin).netloc != request.host


def _name(host: str) -> str:
    """Return the host without its port, in lower case; empty for one that is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
