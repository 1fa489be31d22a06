"""What the browser left in an order's meta data: click and browser ids, consent, page."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit

from bridge.events import Consent, Settings
from bridge.events.reading import MAX_TEXT, mapping, mappings, moment, moment_ms, text

_CONSENT = "_bridge_consent"
_ATTRIBUTION = "_wc_order_attribution_"
_SOURCE = re.compile(r"[a-z0-9_]{1,40}")
_CART = re.compile(r"[0-9a-f]{32}")
_SAID = {"granted": True, "denied": False, "1": True, "0": False}


@dataclass(frozen=True, kw_only=True)
class Click:
    """An ad click: Meta's click id and when it was first seen."""

    fbclid: str | None = None
    at: datetime | None = None


def meta_data(order: Mapping[str, Any]) -> dict[str, Any]:
    """Return the meta data of an order or a line by key; of one key the first, as the shop does.

    All entries are read, however many: a denial must not get lost behind others.
    """
    entries = order.get("meta_data")
    found: dict[str, Any] = {}
    for entry in entries if isinstance(entries, list) else ():
        key = mapping(entry).get("key")
        if isinstance(key, str):
            found.setdefault(key, entry.get("value"))
    return found


def cookie(meta: Mapping[str, Any], name: str) -> str | None:
    """Return Meta's cookie *name* (``fbp``, ``fbc``): ours, else what PixelYourSite kept.

    Source: PixelYourSite, saveFbTagsInOrder (read 2026-11-23).
    """
    theirs = mapping(meta.get("pys_fb_cookie"))
    return text(meta.get(f"_bridge_{name}")) or text(theirs.get(name))


def click(meta: Mapping[str, Any]) -> Click:
    """Return the click by WooCommerce's order attribution.

    The start of the session is in UTC: order-attribution.js starts Sourcebuster with
    ``timezone_offset: '0'`` (read 2026-11-23).
    """
    entry = _split(meta.get(f"{_ATTRIBUTION}session_entry"))
    fbclid = text(dict(parse_qsl(entry.query)).get("fbclid")) if entry else None
    if fbclid is None:
        return Click()
    return Click(fbclid=fbclid, at=moment(meta.get(f"{_ATTRIBUTION}session_start_time"), "+00:00"))


def consent(meta: Mapping[str, Any]) -> Consent | None:
    """Return what the buyer said; None where nothing was handed on.

    The value is a word, or ``v1;marketing=1;sale=1;source=<who told>;ts=<ms>``.  What is
    neither granted nor denied is not said.
    """
    if _CONSENT not in meta:
        return None
    word = text(meta[_CONSENT]) or ""
    parts = dict(part.partition("=")[::2] for part in word.split(";"))
    versioned = parts if word.startswith("v1;") else {"marketing": word}
    told_by = versioned.get("source", "")
    return Consent(
        marketing=_SAID.get(versioned.get("marketing", "")),
        sale_of_data=_SAID.get(versioned.get("sale", "")),
        at=moment_ms(versioned.get("ts")),
        source=f"meta_data:{_CONSENT}" + (f":{told_by}" if _SOURCE.fullmatch(told_by) else ""),
    )


def is_set(value: object) -> bool:
    """Return whether a flag of another plug-in is on, however it wrote it."""
    return value is True or (
        isinstance(value, str | int) and str(value).lower() not in {"", "0", "no", "false"}
    )


def page_url(order: Mapping[str, Any], meta: Mapping[str, Any], settings: Settings) -> str | None:
    """Return the page of the sale, else the shop's home page; None if neither is told.

    Of the query only ``utm_`` stays: the rest may hold the order key, which opens the order.
    """
    selves = mappings(mapping(order.get("_links")).get("self"))
    home = _home(selves[0].get("href") if selves else None) or _home(settings.get("shop_url"))
    page = text(meta.get("_bridge_url"))
    return (page and _page(page, home)) or home


def shop_page(page: object, settings: Settings) -> str | None:
    """Return *page* as `page_url` does, where there is no order that names the shop."""
    home, path = _home(settings.get("shop_url")), text(page)
    return (path and _page(path, home)) or home


def cart_key(key: object) -> str | None:
    """Return the visitor key of a cart that our companion marked, which nobody can guess."""
    return f"cart:{key}" if isinstance(key, str) and _CART.fullmatch(key) else None


def _page(page: str, home: str | None) -> str | None:
    absolute = page if home is None else _join(home, page)
    parts = _split(absolute)
    if parts is None or "wc_order_" in parts.path:
        return None
    query = urlencode([pair for pair in parse_qsl(parts.query) if pair[0].startswith("utm_")])
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path or '/'}" + (f"?{query}" if query else "")


def _join(home: str, page: str) -> str | None:
    try:
        return urljoin(home, page)
    except ValueError:
        return None


def _home(url: object) -> str | None:
    parts = _split(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/" if parts else None


def _split(url: object) -> SplitResult | None:
    """Return the parts of a web address, None for anything else; one cut off is none."""
    if not isinstance(url, str) or len(url) > MAX_TEXT:
        return None
    try:
        parts = urlsplit(text(url) or "")
    except ValueError:
        return None
    return parts if parts.scheme in {"http", "https"} and parts.hostname else None
