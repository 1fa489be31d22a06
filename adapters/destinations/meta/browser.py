"""What the browser told: click and browser ids, address, user agent and pages.

Nothing here is hashed.  All of it comes from outside, so that what has not the right form is
not sent.
"""

import ipaddress
import re
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

from adapters.destinations.meta.normalise import clean

MAX_USER_AGENT = 1_000
MAX_URL = 2_048

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# fb.<subdomain index>.<time>.<id>; Meta's parameter builder adds a fifth segment.
# Source: Meta, conversions-api/parameters/fbp-and-fbc (read 2026-11-23).
_COOKIE = re.compile(r"fb\.[0-9]\.[0-9]{10,13}\.([A-Za-z0-9_-]{1,500})(?:\.[A-Za-z0-9_-]{1,20})?")
_FBCLID = re.compile(r"[A-Za-z0-9_-]{1,500}")
_URL = re.compile(
    r"(https?://)(?:[^\s/?#@]*@)?([^\s/?#@]+)(/[^\s?#]*)?(?:\?([^#]*))?(?:#[\s\S]*)?", re.IGNORECASE
)
_UTM = re.compile(r"utm_\w+=(?:(?!%40)[^\s@])*", re.IGNORECASE)
_EMAIL_IN_PATH = re.compile(r"[^/](?:@|%40)[^/@]{1,255}\.", re.IGNORECASE)
_PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)


def browser_id(value: str | None) -> str | None:
    """Return the ``_fbp`` cookie unchanged, or None."""
    return value if value and _COOKIE.fullmatch(value) else None


def click_id(cookie: str | None, fbclid: str | None, seen_at: datetime) -> str | None:
    """Return ``fbc``: the ``_fbc`` cookie unchanged, or one made of *fbclid* and *seen_at*.

    A click id in the address is newer than another one in the cookie and wins.
    """
    match = _COOKIE.fullmatch(cookie) if cookie else None
    if not fbclid or not _FBCLID.fullmatch(fbclid) or (match and match[1] == fbclid):
        return cookie if match else None
    # Index 1 is what Meta asks for where no cookie was set; the time is in milliseconds.
    return f"fb.1.{(seen_at - _EPOCH) // timedelta(milliseconds=1)}.{fbclid}"


def ip_address(value: str | None) -> str | None:
    """Return the buyer's address, or None if it cannot be one on the internet.

    Ranges set aside for documentation pass: samples and tests are made of them.
    """
    text = (value or "").strip()
    try:
        address: IPv4Address | IPv6Address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id:
            return None
        if address.ipv4_mapped:
            address = address.ipv4_mapped
            text = str(address)
    if address.is_loopback or address.is_link_local or address.is_unspecified:
        return None
    return None if any(address in network for network in _PRIVATE) else text


def user_agent(value: str | None) -> str | None:
    """Return the user agent without control characters, at most 1,000 long."""
    return (clean(value[:MAX_USER_AGENT]) or None) if value else None


def page(value: str | None) -> str | None:
    """Return an http(s) address with nothing but ``utm_`` parameters behind its path.

    Query and fragment may hold order keys, tokens and e-mail addresses.
    """
    match = _URL.fullmatch(clean(value[: MAX_URL * 4])) if value else None
    if match is None:
        return None
    scheme, host, path, query = match.groups(default="")
    if _EMAIL_IN_PATH.search(path):
        path = "/"
    address = f"{scheme}{host}{path}"
    kept = "&".join(part for part in query.split("&") if _UTM.fullmatch(part))
    forms = (f"{address}?{kept}" if kept else address, address, f"{scheme}{host}/")
    return next((form for form in forms if len(form) <= MAX_URL), None)
