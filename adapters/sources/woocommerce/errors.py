"""Errors that WooCommerce signs and sends in the place of an order."""

from collections.abc import Mapping
from typing import Any

from bridge.events import TranslationError
from bridge.events.reading import mapping, text, whole

_LOST_RIGHTS = (
    "the WordPress user who owns the webhook may no longer read this: "
    "let a shop manager or administrator save the webhook again"
)
_SENTENCES = {
    401: _LOST_RIGHTS,
    403: _LOST_RIGHTS,
    404: "the order or customer was deleted in the shop before its webhook was sent: "
    "send it by hand if it was a real sale",
}
_OTHER = "WooCommerce sent an error instead of the order: see WooCommerce > Status > Logs"


def refuse_error(body: Mapping[str, Any]) -> None:
    """Raise TranslationError ``shop_error_<status>`` where *body* is an error of the REST API.

    The webhook's body is whatever the REST API answers to the webhook's owner.
    Source: class-wc-webhook.php, get_wp_api_payload; captured on 11.0.1 (read 2026-11-23).
    """
    status = whole(mapping(body.get("data")).get("status"))
    if text(body.get("code")) is None or status is None or not 100 <= status <= 599:
        return
    raise TranslationError(f"shop_error_{status}", _SENTENCES.get(status, _OTHER))
