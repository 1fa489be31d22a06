"""Carts and checkouts, as the shop's companion plug-in told them.

A body of the companion has the shape of an order's: line_items, total, total_tax and so on.
Its experimental form, without ``version``, told prices as the visitor saw them, and is read as
far as it goes.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bridge.events import (
    Basket,
    Channel,
    Consent,
    Event,
    Occasion,
    Settings,
    TranslationError,
    UserData,
)
from bridge.events.reading import (
    identifier,
    mapping,
    mappings,
    moment_ms,
    number,
    text,
    whole,
)

from .fields import required_id
from .money import basket
from .signals import cart_key, shop_page

_COUNTRY = re.compile(r"[A-Za-z]{2}")


def item_added(body: Mapping[str, Any], topic: str, settings: Settings) -> Event:
    """Return that a cart grew: its basket is the added line alone, in the added quantity."""
    if line := _priced(mapping(body.get("added"))):  # the experimental form
        body = {**body, "line_items": [line], "total": line.get("total")}
    return _event(Occasion.CART_ADDED, body, topic, settings)


def checkout_started(body: Mapping[str, Any], topic: str, settings: Settings) -> Event:
    """Return that a checkout was opened; its id is the same for the same content of a cart."""
    return _event(Occasion.CHECKOUT_STARTED, body, topic, settings)


def drafted_checkout(draft: Event) -> Event:
    """Return a draft as a checkout that was opened, without anything the buyer has typed.

    Captured on 8.9 to 10.6: a draft is saved at every field of the form (read 2026-11-23).
    """
    browser = ("client_ip_address", "client_user_agent", "fbp", "fbc", "fbclid", "fbclid_at")
    return replace(
        draft,
        occasion=Occasion.CHECKOUT_STARTED,
        event_time=draft.created_at or draft.event_time,
        order_state=None,
        order_id=None,
        order_number=None,
        event_id=None,
        sent_elsewhere=False,
        payment_methods=(),
        user_data=UserData(**{name: getattr(draft.user_data, name) for name in browser}),
        state=None,
    )


def _event(occasion: Occasion, body: Mapping[str, Any], topic: str, settings: Settings) -> Event:
    subject_id = required_id(body)
    if body.get("expired") is True:
        raise TranslationError(
            "capture_expired",
            "the shop sent it more than two days late, when its companion had forgotten it: let "
            "the shop's server call wp-cron.php every minute",
        )
    at = _at(body)
    visitor = body if "visitor" not in body else mapping(body["visitor"])
    key = cart_key(body.get("cart"))
    return Event(
        occasion=occasion,
        topic=topic,
        subject_id=subject_id,
        event_time=at,
        created_at=at,
        channel=Channel.WEB,
        user_data=_user_data(visitor),
        basket=_basket(body),
        country=_country(body, settings),
        event_source_url=shop_page(visitor.get("url"), settings),
        referrer_url=text(visitor.get("referrer")),
        visitor_keys=() if key is None else (key,),
        consent=_consent(body),
    )


def _country(body: Mapping[str, Any], settings: Settings) -> str | None:
    """Return where the visitor lives, else where the shop is, unless the settings say that."""
    told = text(body.get("country"))
    if told is None and not settings.get("shop_country"):
        told = text(body.get("shop_country"))
    return told.upper() if told and _COUNTRY.fullmatch(told) else None


def _at(body: Mapping[str, Any]) -> datetime:
    seconds = whole(body.get("event_time"))
    at = moment_ms(body.get("at")) or moment_ms(None if seconds is None else seconds * 1000)
    if at is None:
        raise TranslationError("no_time", "the body has no usable time")
    return at


def _user_data(visitor: Mapping[str, Any]) -> UserData:
    return UserData(
        customer_id=identifier(visitor.get("customer_id")),
        client_ip_address=text(visitor.get("ip")),
        client_user_agent=text(visitor.get("user_agent")),
        fbp=text(visitor.get("fbp")),
        fbc=text(visitor.get("fbc")),
        fbclid=text(visitor.get("fbclid")),
        fbclid_at=moment_ms(visitor.get("fbclid_at")),
    )


def _basket(body: Mapping[str, Any]) -> Basket:
    lines = body.get("line_items")
    if "version" in body or not isinstance(lines, list):
        return basket(body)
    return basket({**body, "line_items": [_priced(line) for line in mappings(lines)]})


def _priced(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line of the experimental form with a total, made of its price."""
    price, quantity = number(line.get("price")), number(line.get("quantity"))
    if price is None or quantity is None:
        return dict(line)
    return {**line, "total": number(price * quantity)}


def _consent(body: Mapping[str, Any]) -> Consent | None:
    """Return what the visitor said; None only where the body has no word of consent."""
    if "consent_marketing" in body:
        return Consent(marketing=_said(body["consent_marketing"]), source="companion")
    told = mapping(body.get("consent"))
    if not told:
        return None
    return Consent(
        marketing=_said(told.get("marketing")),
        sale_of_data=_said(told.get("sale")),
        at=moment_ms(told.get("at")),
        source=f"companion:{text(told.get('source')) or 'none'}",
    )


def _said(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
