"""Where an order was made, and how far it has come."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bridge.events import Channel, OrderState, Settings
from bridge.events.reading import identifier, mappings, moment, text

# Shopify's own words in `source_name`; API clients put their app id or a word of theirs.
# Source: public order bodies and repositories (read 2026-11-23).
CHANNELS = {
    "web": Channel.WEB,
    "pos": Channel.POS,
    "iphone": Channel.POS,
    "android": Channel.POS,
    "shopify_draft_order": Channel.DRAFT,
}
RENEWAL_PREFIX = "subscription_contract"
RENEWAL_TAG = "subscription recurring order"  # set by subscription apps such as Recharge
BACK_DATED = timedelta(days=1)
LONGEST_TAGS = 20_000

STATES = {
    "pending": OrderState.PLACED,
    "expired": OrderState.PLACED,
    "authorized": OrderState.AUTHORIZED,
    "partially_paid": OrderState.PAID,
    "paid": OrderState.PAID,
    "partially_refunded": OrderState.PARTIALLY_REFUNDED,
    "refunded": OrderState.REFUNDED,
    "voided": OrderState.CANCELLED,
}

SETTLED = {"paid", "partially_refunded", "refunded"}

# The test order of Settings > Notifications > Webhooks.
NOTIFICATION_TEST_ID = "820982911946154508"
NOTIFICATION_TEST_EMAIL = "jon@example.com"


def channel(order: Mapping[str, Any], settings: Settings) -> Channel | None:
    """Return where *order* was made; None where it has no `source_name`.

    No source is not taken for the web: orders that an app creates may lack it too.
    """
    source = (text(order.get("source_name")) or "").lower()
    if source.startswith(RENEWAL_PREFIX) or RENEWAL_TAG in map(str.lower, tags(order)):
        return Channel.RENEWAL
    found = CHANNELS.get(source)
    if found in {Channel.POS, Channel.DRAFT}:
        return found
    if _back_dated(order):
        return Channel.IMPORT
    if found or {source, identifier(order.get("app_id"))} & _web_sources(settings):
        return Channel.WEB
    return Channel.MARKETPLACE if source else None


def order_state(order: Mapping[str, Any]) -> OrderState | None:
    """Return how far *order* has come; None for a status we do not know."""
    if text(order.get("cancelled_at")):
        return OrderState.CANCELLED
    return STATES.get((text(order.get("financial_status")) or "").lower())


def is_test(order: Mapping[str, Any]) -> bool:
    """Return whether *order* was paid in test mode or is the admin's test notification."""
    emails = {(text(order.get(key)) or "").lower() for key in ("email", "contact_email")}
    return (
        order.get("test") is True
        or identifier(order.get("id")) == NOTIFICATION_TEST_ID
        or NOTIFICATION_TEST_EMAIL in emails
    )


def has_selling_plan(order: Mapping[str, Any]) -> bool:
    """Return whether a line was bought as a subscription.

    Source: changelog orders-webhooks-now-include-selling_plan_id-on-line-items, 2026-10-01.
    """
    keys = ("selling_plan_id", "selling_plan", "selling_plan_allocation")
    return any(line.get(key) for line in mappings(order.get("line_items")) for key in keys)


def payment_methods(order: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the payment gateways as the shop calls them."""
    names = order.get("payment_gateway_names")
    found = [text(name) for name in names[:20]] if isinstance(names, list) else []
    return tuple(name for name in found if name)


def is_cash_on_delivery(methods: tuple[str, ...]) -> bool:
    """Return whether one of *methods* is Shopify's "Cash on Delivery (COD)".

    Its English name and the mark COD are known; what other languages call it is not.
    """
    return any(re.search(r"cash[ _]on[ _]delivery|\bcod\b", name, re.I) for name in methods)


def is_settled(order: Mapping[str, Any]) -> bool:
    """Return whether all the money of *order* was there once."""
    return (text(order.get("financial_status")) or "").lower() in SETTLED


def tags(order: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the order's tags, which come as one text with commas."""
    joined = order.get("tags")
    parts = joined[:LONGEST_TAGS].split(",") if isinstance(joined, str) else []
    return tuple(tag for tag in map(text, parts) if tag)


def _web_sources(settings: Settings) -> set[str | None]:
    lines = settings.get("web_source_names", "").splitlines()
    return {line.strip().lower() for line in lines if line.strip()}


def _back_dated(order: Mapping[str, Any]) -> bool:
    created = moment(order.get("created_at"))
    processed = moment(order.get("processed_at"))
    return bool(created and processed and created - processed > BACK_DATED)
