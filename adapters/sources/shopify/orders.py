"""An order body read as a purchase.  The body decides everything, the topic nothing.

Source: shopify.dev/docs/api/webhooks/2026-07, orders/create (read 2026-11-23).
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge.events import (
    Channel,
    Event,
    Occasion,
    OrderCancelled,
    Settings,
    TranslationError,
)
from bridge.events.reading import identifier, moment, text

from .channels import (
    channel,
    has_selling_plan,
    is_cash_on_delivery,
    is_settled,
    is_test,
    order_state,
    payment_methods,
    tags,
)
from .consent import is_denial, read_consent
from .money import baskets
from .people import residence, user_data
from .urls import event_source_url, referrer_url
from .visits import attribute, visitor_keys, with_browser

# Keys that an order has and a checkout, cart, draft, refund or fulfilment has not.
ORDER_KEYS = ("financial_status", "order_number", "confirmation_number", "payment_gateway_names")
OWN_EVENT_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}\Z")


def is_order(body: Mapping[str, Any]) -> bool:
    """Return whether *body* is an order, whatever its topic says."""
    named = identifier(body.get("id")) is not None
    return named and "line_items" in body and any(key in body for key in ORDER_KEYS)


def is_deleted_order(body: Mapping[str, Any]) -> bool:
    """Return whether *body* only names an order, as the body of a deletion does."""
    return identifier(body.get("id")) is not None and len(body) <= 2


def read_deletion(body: Mapping[str, Any]) -> OrderCancelled:
    """Return that the order is gone; the body of ``orders/delete`` is ``{"id": …}``."""
    return OrderCancelled(order_id=identifier(body.get("id")) or "")


def read_order(order: Mapping[str, Any], topic: str, settings: Settings, shop_domain: str) -> Event:
    """Return the purchase that *order* is, whatever its state.

    `event_time` is the creation and `paid_at` is None: the body has no time of payment
    (`processed_at` is when the order was made, `updated_at` of any change).  So cash on
    delivery ends when the order is paid, and from then on its state proves the money.
    What browsers told belongs to this order only on the web: on renewals, drafts and sales
    of the staff it is the till's, the merchant's or copied from an earlier order.  Only a
    denial is kept there.
    Raises TranslationError without any time.
    """
    created_at = moment(order.get("created_at")) or moment(order.get("processed_at"))
    if created_at is None:
        raise TranslationError("no_created_at", "the order has no created_at")
    made = channel(order, settings)
    basket, shop_basket = baskets(order)
    methods = payment_methods(order)
    country, state = residence(order)
    consent = read_consent(order)
    order_id = identifier(order.get("id")) or ""
    event = Event(
        occasion=Occasion.PURCHASE,
        subject_id=order_id,
        event_time=created_at,
        topic=topic,
        updated_at=moment(order.get("updated_at")),
        created_at=created_at,
        channel=made,
        order_state=order_state(order),
        order_id=order_id,
        order_number=text(order.get("name")) or identifier(order.get("order_number")),
        test=is_test(order),
        payment_methods=methods,
        cash_on_delivery=is_cash_on_delivery(methods) and not is_settled(order),
        subscription=made is Channel.WEB and has_selling_plan(order),
        tags=tags(order),
        user_data=user_data(order),
        basket=basket,
        shop_basket=shop_basket,
        country=country,
        state=state,
        consent=consent if consent and is_denial(consent) else None,
    )
    if made is not Channel.WEB:
        return event
    return replace(
        event,
        event_id=attribute(order, "_meta_event_id", OWN_EVENT_ID),
        user_data=with_browser(event.user_data, order, created_at),
        event_source_url=event_source_url(order, settings, shop_domain),
        referrer_url=referrer_url(order),
        visitor_keys=visitor_keys(order.get("cart_token"), order.get("checkout_token")),
        consent=consent,
    )
