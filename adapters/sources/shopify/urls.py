"""Addresses of pages, freed of everything that is nobody's business."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from bridge.events import Settings

LONGEST = 8_000
LONGEST_SENT = 2_048
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?(:\d{1,5})?\Z")
SHOP_HOST = re.compile(r"[a-z0-9][a-z0-9-]{0,80}\.myshopify\.com\Z")
# Pages whose path is, or may hold, a key to somebody's account, order, cart or checkout.
PRIVATE = frozenset({"account", "authenticate", "cart", "checkout", "checkouts", "orders"})
CLICK_ID = re.compile(r"[A-Za-z0-9_.-]{1,1000}\Z")
PATH = re.compile(r"[^\s\x00-\x20\x7f\ud800-\udfff\"<>\\^`{|}]*\Z")


def event_source_url(
    order: Mapping[str, Any], settings: Settings, shop_domain: str = ""
) -> str | None:
    """Return the page that the buyer first came to, with only its ``utm_*`` parameters.

    Without the setting `storefront_url` only the origin is known.  Of `order_status_url`
    no more than that is ever read: the rest is a key to the order.
    """
    storefront = origin(settings.get("storefront_url", ""))
    if storefront:
        return _landing_url(storefront, _landing(order))
    status_page = origin(order.get("order_status_url"))
    # The accounts of all shops are on shopify.com: that page is not this shop's.
    if status_page and not re.search(r"[/.]shopify\.com\Z", status_page):
        return f"{status_page}/"
    domain = shop_domain.lower()
    return f"https://{domain}/" if SHOP_HOST.match(domain) else None


def referrer_url(order: Mapping[str, Any]) -> str | None:
    """Return the origin of the page that led the buyer here; paths may name people."""
    referrer = origin(order.get("referring_site"))
    return f"{referrer}/" if referrer else None


def fbclid(order: Mapping[str, Any]) -> str | None:
    """Return the click id in the landing page's query, as it was clicked."""
    for key, value in _query(_landing(order)):
        if key == "fbclid" and CLICK_ID.match(value):
            return value
    return None


def origin(value: object) -> str | None:
    """Return ``https://host`` of a web address without name and password, or None."""
    if not isinstance(value, str) or len(value) > LONGEST:
        return None
    try:
        parts = urlsplit(value.strip())
    except ValueError:
        return None
    host = parts.netloc.lower()
    if parts.scheme not in {"http", "https"} or not HOST.match(host):
        return None
    return f"{parts.scheme}://{host}"


def _landing(order: Mapping[str, Any]) -> str:
    """Return path and query of `landing_site`, which is not a whole address as a rule."""
    landing = order.get("landing_site")
    if not isinstance(landing, str) or len(landing) > LONGEST:
        return ""
    without_host = re.sub(r"\A\s*(https?:)?//[^/?#]*", "", landing)
    return without_host.partition("#")[0].strip()


def _landing_url(storefront: str, landing: str) -> str:
    path = landing.partition("?")[0]
    url = storefront + (path if _is_public(path) else "/")
    marks = [f"{key}={value}" for key, value in _query(landing) if _is_campaign(key, value)]
    whole = f"{url}?{'&'.join(marks)}" if marks else url
    return whole if len(whole) <= LONGEST_SENT else f"{storefront}/"


def _query(landing: str) -> list[tuple[str, str]]:
    pairs = (part.partition("=") for part in landing.partition("?")[2].split("&")[:100])
    return [(key, value) for key, _, value in pairs if key]


def _is_public(path: str) -> bool:
    segments = unquote(path).lower().split("/")
    if not path.startswith("/") or not PATH.match(path) or "@" in segments[-1]:
        return False
    return not PRIVATE.intersection(segments) and not segments[1].isdigit()


def _is_campaign(key: str, value: str) -> bool:
    """Return whether a parameter is a campaign's mark; mailings put addresses into some."""
    readable = PATH.match(key) and PATH.match(value)
    return bool(key.startswith("utm_") and readable and "@" not in unquote(unquote(value)))
