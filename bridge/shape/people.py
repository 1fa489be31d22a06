"""Which of a buyer's data may leave, by the plan's [who] and by where the sale was made."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from bridge.events import Event, UserData
from bridge.plan import WhoRules

MAX_URL = 2048
# Keys of the plan that stand for more than the field of their name.
_FIELDS = {"fbc": ("fbc", "fbclid", "fbclid_at"), "phone": ("phone", "phone_country")}
_BROWSER = ("client_ip_address", "client_user_agent", "fbp", "fbc")
_NAMES = ("first_name", "last_name")


def user_data(whole: UserData, who: WhoRules, *, browser: bool) -> UserData:
    """Return what may be sent of *whole*.

    Without a *browser*, what looks like one's data is the till's, the staff's or a copy from
    an earlier order, so it stays here.  The customer id leaves only as external_id.
    """
    allowed = _allowed(who, browser=browser)
    kept = {
        field: getattr(whole, field)
        for key in allowed - {"external_id"}
        for field in _FIELDS.get(key, (key,))
    }
    if kept.get("phone"):  # the country may stay here, but the number is read by it
        kept["phone_country"] = whole.phone_country or whole.country
    return UserData(**kept)


def lendable(who: WhoRules) -> frozenset[str]:
    """Return the fields that an earlier event may lend: all that may be sent but the browser's."""
    return frozenset(_allowed(who, browser=False))


def _allowed(who: WhoRules, *, browser: bool) -> set[str]:
    allowed = set(who.user_data)
    if not browser:
        allowed -= set(_BROWSER)
    return allowed - set(_NAMES) if who.restricted else allowed


def external_id_for(event: Event, who: WhoRules, word: str) -> str | None:
    """Return the buyer's id before hashing, None for a guest.

    Customer ids are local to a shop, so the source's permanent *word* qualifies them, unless
    the plan wants the bare id of a pixel that is already there.
    """
    customer_id = event.user_data.customer_id
    if not customer_id:
        return None
    return customer_id if who.external_id == "raw" else f"{word}:{customer_id}"


def clean_url(url: str | None) -> str | None:
    """Return *url* with no query but utm_*, no fragment and no password; None if it is none."""
    try:
        parts = urlsplit((url or "").strip())
        host, port = parts.hostname, parts.port
        query = parse_qsl(parts.query)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host:
        return None
    place = f"[{host}]" if ":" in host else host
    kept = [(key, value) for key, value in query if key.startswith("utm_") and "@" not in value]
    netloc = f"{place}:{port}" if port else place
    clean = urlunsplit((parts.scheme, netloc, parts.path, urlencode(kept, errors="replace"), ""))
    return clean if len(clean) <= MAX_URL else urlunsplit((parts.scheme, netloc, "/", "", ""))


def origin_of(url: str | None) -> str | None:
    """Return the front page of a clean *url*."""
    return urlunsplit((*urlsplit(url)[:2], "/", "", "")) if url else None
