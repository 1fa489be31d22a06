"""What the browser handed on in the body of an order or a checkout."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bridge.events import UserData
from bridge.events.reading import identifier, mapping, text

from .consent import attributes
from .urls import fbclid

BROWSER_ID = re.compile(r"fb\.[0-2]\.\d{10,13}\.[A-Za-z0-9_.-]{1,600}\Z")


def with_browser(known: UserData, body: Mapping[str, Any], created_at: datetime) -> UserData:
    """Add what the browser told.  When the click was is not known: not after *created_at*."""
    client = mapping(body.get("client_details"))
    click = fbclid(body)
    return replace(
        known,
        client_ip_address=text(client.get("browser_ip")) or text(body.get("browser_ip")),
        client_user_agent=text(client.get("user_agent")),
        fbp=attribute(body, "_fbp", BROWSER_ID),
        fbc=attribute(body, "_fbc", BROWSER_ID),
        fbclid=click,
        fbclid_at=created_at if click else None,
    )


def attribute(body: Mapping[str, Any], name: str, form: re.Pattern[str]) -> str | None:
    """Return a note attribute of the given form; buyers can write anything into them.

    A name that begins with two underscores is one that Shopify keeps from the buyer.
    """
    found = attributes(body, (name, f"_{name}"))
    return next((value for _, value in found if form.match(value)), None)


def cart_token(value: object) -> str | None:
    """Return the token of a cart.

    The browser's cookie may end in ``?key=…``, which the webhooks' token does not have.
    """
    return identifier((text(value) or "").partition("?")[0])


def visitor_keys(cart: object, checkout: object) -> tuple[str, ...]:
    """Return the keys of these tokens, which the browser knows too."""
    keys = (("cart", cart_token(cart)), ("checkout", identifier(text(checkout))))
    return tuple(f"{kind}:{token}" for kind, token in keys if token)
