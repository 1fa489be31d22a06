"""What browsers told, joined to events by unguessable keys; and the collector's body."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.events import (
    Amounts,
    Basket,
    Channel,
    Consent,
    Content,
    Event,
    Fact,
    UserData,
    Visitor,
)
from bridge.events import reading as read
from bridge.plan.kinds import EVENT_NAME

COLLECTED = "collected"  # the topic of what the storefront script posted
# The browser names the same moment as the shop, by another clock, once its page has loaded.
TOLERANCE = timedelta(seconds=30)
MAX_KEYS = 8
MAX_EVENTS = 20
_SIGNALS = ("marketing", "sale_of_data")
_FILLED = ("client_ip_address", "client_user_agent", "fbp", "fbc", "fbclid", "fbclid_at")
KEY_KINDS = {"cart", "checkout", "order", "visit"}
SHORTEST_TOKEN = 12


def merge(known: Visitor | None, told: Visitor) -> Visitor:
    """Return one visitor of two that share a key: the newer word counts, no word is lost.

    Of somebody whose last word is a denial, nothing that was told before is kept.
    """
    if known is None:
        return told
    old, new = (known, told) if known.at <= told.at else (told, known)
    data = {
        one.name: getattr(new.user_data, one.name) or getattr(old.user_data, one.name)
        for one in fields(UserData)
    }
    merged = Visitor(
        keys=tuple(dict.fromkeys((*old.keys, *new.keys)))[-MAX_KEYS * 2 :],
        at=new.at,
        user_data=UserData(**data),
        event_source_url=new.event_source_url or old.event_source_url,
        consent=_newest(old.consent, new.consent),
    )
    return _forgotten(merged) if merged.consent and merged.consent.marketing is False else merged


def _newest(old: Consent | None, new: Consent | None) -> Consent | None:
    """Return what counts of two words, signal by signal; an unbroken grant is as old as it is."""
    if old is None or new is None:
        return new or old
    said = {name: getattr(new, name) for name in _SIGNALS}
    if set(said.values()) == {None}:
        return old
    said = {name: getattr(old, name) if word is None else word for name, word in said.items()}
    granted = old.marketing and False not in (old.sale_of_data, *said.values())
    return replace(old if granted else new, source=new.source, **said)


def _forgotten(visitor: Visitor) -> Visitor:
    return replace(visitor, user_data=UserData(), event_source_url=None)


def join(event: Event, visitor: Visitor) -> Event:
    """Return *event* with what its shop did not tell and the visitor's browser did.

    The event's own words stand; only its browser's are filled in, and only for something
    done in a browser.  A denial counts whenever it was said, unless the event's own word took
    it back later; a grant only if the event has no word of its own and it was said before, be
    it told however late.
    """
    if event.channel not in {None, Channel.WEB}:
        return event
    missing = {
        name: getattr(visitor.user_data, name)
        for name in _FILLED
        if getattr(event.user_data, name) is None
    }
    return replace(
        event,
        user_data=replace(event.user_data, **missing),
        event_source_url=event.event_source_url or visitor.event_source_url,
        consent=_joined_consent(event, visitor.consent),
    )


def _joined_consent(event: Event, told: Consent | None) -> Consent | None:
    own = event.consent
    if told is None or (own and own.marketing is False):
        return own
    if denied := _denies(told):
        later = own and own.at and told.at and own.at > told.at
        return own if later and all(getattr(own, name) for name in denied) else told
    if own and any(getattr(own, name) is not None for name in _SIGNALS):
        return own
    # An order is made before it is paid.
    made_at = min(event.event_time, event.created_at or event.event_time)
    return own if _is_late(told, made_at) else told


def _denies(told: Consent) -> list[str]:
    return [name for name in _SIGNALS if getattr(told, name) is False]


def _is_late(told: Consent, at: datetime) -> bool:
    return told.at is not None and told.at > at + TOLERANCE


def read_collected(
    body: bytes, headers: Mapping[str, str], received_at: datetime, *, keep_unknown: bool
) -> Iterator[Fact]:
    """Yield the facts that the storefront script posted.

    Of somebody who denied consent only the denial is kept; of somebody whose consent is not
    known too, unless *keep_unknown* (no consent is asked for first where the shop is).

    *headers* hold the browser's own address and agent, as the collector saw them.  Nothing
    in the body is believed beyond its form: it is public, so it never makes a purchase.  Its
    clock may be wrong, so its times are put right by `sent_at`, where it tells that.
    """
    document = read.parse_object(body)
    sent_at = read.moment_ms(document.get("sent_at"))
    slow = received_at - sent_at if sent_at else timedelta()
    visitor = _visitor(read.mapping(document.get("visitor")), headers, received_at, slow)
    marketing = visitor.consent.marketing if visitor.consent else None
    if marketing is False or (marketing is None and not keep_unknown):
        visitor = _forgotten(visitor)
    if visitor.keys:
        yield visitor
    for told in read.mappings(document.get("events"))[:MAX_EVENTS]:
        if event := _event(told, visitor, received_at, slow):
            yield event


def _visitor(
    told: Mapping[str, Any], headers: Mapping[str, str], at: datetime, slow: timedelta
) -> Visitor:
    keys = told.get("keys")
    sound = [read.identifier(key) for key in keys[:MAX_KEYS]] if isinstance(keys, list) else []
    consent = read.mapping(told.get("consent"))
    said_at = read.moment_ms(consent.get("at")) or read.moment(consent.get("at"))
    return Visitor(
        keys=tuple(key for key in sound if key and _is_unguessable(key)),
        at=at,
        user_data=UserData(
            client_ip_address=read.text(headers.get("ip")),
            client_user_agent=read.text(headers.get("user-agent")),
            fbp=read.text(told.get("fbp")),
            fbc=read.text(told.get("fbc")),
        ),
        event_source_url=read.text(told.get("url")),
        consent=Consent(
            marketing=_signal(consent.get("marketing")),
            sale_of_data=_signal(consent.get("sale_of_data")),
            at=min(said_at + slow, at) if said_at else at,  # else it is said now
            source="collector",
        )
        if consent
        else None,
    )


def _is_unguessable(key: str) -> bool:
    """Return whether *key* is a token long enough, and no bare number as orders have."""
    kind, _, token = key.partition(":")
    return kind in KEY_KINDS and len(token) >= SHORTEST_TOKEN and not token.isdecimal()


def _event(
    told: Mapping[str, Any], visitor: Visitor, received_at: datetime, slow: timedelta
) -> Event | None:
    name, event_id = read.text(told.get("event_name")), read.identifier(told.get("event_id"))
    if not name or not EVENT_NAME.match(name) or not event_id:
        return None
    custom = read.mapping(told.get("custom_data"))
    search = read.text(custom.get("search_string"))
    event_time = _time(told.get("event_time"), received_at, slow)
    consent = visitor.consent
    if consent and not _denies(consent) and _is_late(consent, event_time):
        consent = None  # pages keep what happens before the visitor is asked, and tell it then
    return Event(
        occasion=name,
        subject_id=event_id,
        event_id=event_id,
        event_time=event_time,
        channel=Channel.WEB,
        user_data=visitor.user_data,
        basket=_basket(custom),
        event_source_url=read.text(told.get("event_source_url")) or visitor.event_source_url,
        visitor_keys=visitor.keys,
        consent=consent,
        extra={"search_string": search} if search else {},
        collected=True,
    )


def _time(value: object, received_at: datetime, slow: timedelta) -> datetime:
    """Return the browser's time, put right, where it is plausible, else that of receipt."""
    seconds = read.whole(value)
    told = (
        datetime.fromtimestamp(seconds, UTC)
        if seconds is not None and 0 < seconds < 10**10
        else read.moment_ms(value) or read.moment(value)
    )
    if told is None or abs(received_at - slow - told) >= timedelta(days=1):
        return received_at
    return told + slow


def _basket(custom: Mapping[str, Any]) -> Basket:
    value, currency = read.number(custom.get("value")), read.text(custom.get("currency"))
    lines = tuple(
        Content(
            product_id=read.identifier(line.get("product_id")),
            variant_id=read.identifier(line.get("variant_id")) or read.identifier(line.get("id")),
            sku=read.text(line.get("sku")),
            quantity=max(1, read.whole(line.get("quantity")) or 1),
            price=read.number(line.get("item_price")),
        )
        for line in read.mappings(custom.get("contents"))
    )
    amounts = Amounts(currency=currency, total=value) if value is not None and currency else None
    return Basket(amounts=amounts, contents=lines)


def _signal(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"1": True, "granted": True, "0": False, "denied": False}.get(str(value))
