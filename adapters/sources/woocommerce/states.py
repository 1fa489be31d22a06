"""How far an order has come, and where it was made."""

import re
from collections.abc import Mapping
from typing import Any

from bridge.events import Channel, OrderState, Settings
from bridge.events.reading import identifier, mappings, text

_STATES = {
    "auto-draft": OrderState.DRAFT,
    "checkout-draft": OrderState.DRAFT,
    "pending": OrderState.PLACED,
    "failed": OrderState.PLACED,  # a payment failed; the buyer may try again
    "on-hold": OrderState.PLACED,  # waits for a transfer
    "processing": OrderState.PAID,
    "completed": OrderState.PAID,
    "refunded": OrderState.REFUNDED,
    "cancelled": OrderState.CANCELLED,
    "trash": OrderState.CANCELLED,
}
_RENEWAL = "_subscription_renewal"  # and _subscription_renewal_early
_ON_DELIVERY = {"on-hold", "processing", "completed"}
_CHANNELS = {
    "checkout": Channel.WEB,  # the classic checkout page
    "store-api": Channel.WEB,  # checkout blocks
    "admin": Channel.ADMIN,
    "subscription": Channel.RENEWAL,
}
# pos-rest-api is WooCommerce's own till; others are woocommerce-pos, wcpos, point-of-sale.
_POS = re.compile(r"(?:^|[^a-z])[a-z]*pos(?:[^a-z]|$)|point.of.sale")


def order_state(order: Mapping[str, Any], settings: Settings) -> OrderState | None:
    """Return the state by the status in the body; None for a status nobody explained.

    A refund in part leaves the status as it is and only adds to ``refunds``.
    """
    status = text(order.get("status")) or ""
    state = custom_states(settings).get(status, _STATES.get(status))
    if state is OrderState.PAID and mappings(order.get("refunds")):
        return OrderState.PARTIALLY_REFUNDED
    return state


def custom_states(settings: Settings) -> dict[str, OrderState]:
    """Return the shop's own statuses by the setting's lines; lines of no sense are left out."""
    pairs = [line.partition("=") for line in settings.get("custom_states", "").splitlines()]
    states = {state.value: state for state in OrderState}
    return {
        status.strip().removeprefix("wc-"): states[word.strip()]
        for status, _, word in pairs
        if word.strip() in states
    }


def cash_on_delivery(order: Mapping[str, Any], settings: Settings) -> bool:
    """Return whether the order is placed, alive, and to be paid at the door."""
    methods = settings.get("cash_on_delivery_methods", "cod").split()
    status, method = text(order.get("status")), text(order.get("payment_method"))
    return status in _ON_DELIVERY and method in methods


def channel(order: Mapping[str, Any], meta: Mapping[str, Any]) -> Channel | None:
    """Return where the sale was made, by ``created_via``; None where it is empty.

    ``rest-api`` and words we do not know are imports: software wrote the order, on whose
    behalf and from what sale it does not say, so it must not pass for the shop's own checkout.
    WooCommerce Subscriptions marks a renewal even where the buyer paid it in the checkout.
    """
    word = (text(order.get("created_via")) or "").lower()
    if any(identifier(meta[key]) for key in meta if key.startswith(_RENEWAL)):
        return Channel.RENEWAL
    if not word:
        return None
    return _CHANNELS.get(word) or (Channel.POS if _POS.search(word) else Channel.IMPORT)
