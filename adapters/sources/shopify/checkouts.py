"""A checkout body read as a checkout that was started, once a token.

Source: shopify.dev/docs/api/webhooks/2026-07, checkouts/create (read 2026-11-23).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge.events import Channel, Event, Occasion, Settings, TranslationError
from bridge.events.reading import identifier, moment

from .channels import channel, is_test
from .consent import is_denial, read_consent
from .money import baskets
from .people import residence, user_data
from .urls import event_source_url, referrer_url
from .visits import visitor_keys, with_browser

# Keys that a checkout has and an order, cart or draft has not.
CHECKOUT_KEYS = ("abandoned_checkout_url", "completed_at", "reservation_token")
ORDER_KEY = "financial_status"


def is_checkout(body: Mapping[str, Any]) -> bool:
    """Return whether *body* is a checkout, whatever its topic says.

    Its token and not its id: since version 2026-04 it has none.
    Source: changelog removed-checkout-id-from-checkouts-and-orders-webhooks (read 2026-11-23).
    """
    named = identifier(body.get("token")) is not None
    told = any(key in body for key in CHECKOUT_KEYS) and ORDER_KEY not in body
    return named and told and "line_items" in body


def read_checkout(
    checkout: Mapping[str, Any], topic: str, settings: Settings, shop_domain: str
) -> Event:
    """Return that *checkout* was started, at its creation, also where it is completed by now.

    `abandoned_checkout_url`, which is a key to the checkout, is never read.
    Raises TranslationError without any time.
    """
    created_at = moment(checkout.get("created_at"))
    if created_at is None:
        raise TranslationError("no_created_at", "the checkout has no created_at")
    made = channel(checkout, settings)
    consent = read_consent(checkout)
    country, state = residence(checkout)
    event = Event(
        occasion=Occasion.CHECKOUT_STARTED,
        subject_id=identifier(checkout.get("token")) or "",
        event_time=created_at,
        topic=topic,
        updated_at=moment(checkout.get("updated_at")),
        created_at=created_at,
        channel=made,
        test=is_test(checkout),
        user_data=user_data(checkout),
        # Amounts are told once, and which side they are on where the buyer's currency is not
        # the shop's is told nowhere: there `baskets` finds none on the buyer's side, and its
        # reading of the shop's would be a guess.
        basket=baskets(checkout)[0],
        country=country,
        state=state,
        consent=consent if consent and is_denial(consent) else None,
    )
    if made is not Channel.WEB:
        return event
    return replace(
        event,
        user_data=with_browser(event.user_data, checkout, created_at),
        event_source_url=event_source_url(checkout, settings, shop_domain),
        referrer_url=referrer_url(checkout),
        visitor_keys=visitor_keys(checkout.get("cart_token"), checkout.get("token")),
        consent=consent,
    )
