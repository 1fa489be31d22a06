"""What Shopify asks to be erased, and the end of our access.

The topic is not signed: one body passed off as another's must never erase more than it
says.  Source: shopify.dev/docs/apps/build/compliance/privacy-law-compliance (read 2026-11-23).
"""

from collections.abc import Mapping
from typing import Any

from bridge.events import DataRequest, Disconnected, Redaction, TranslationError
from bridge.events.reading import identifier, mapping, moment, text


def is_customer_redaction(body: Mapping[str, Any]) -> bool:
    """Return whether *body* asks to erase a customer."""
    return "shop_domain" in body and "orders_to_redact" in body


def is_shop_redaction(body: Mapping[str, Any]) -> bool:
    """Return whether *body* asks to erase all of a shop: it names nothing but the shop."""
    return "shop_domain" in body and body.keys() <= {"shop_id", "shop_domain"}


def is_data_request(body: Mapping[str, Any]) -> bool:
    """Return whether *body* asks what is stored about a customer."""
    return "shop_domain" in body and "data_request" in body


def is_shop(body: Mapping[str, Any]) -> bool:
    """Return whether *body* is a shop, as it is sent when the app was removed."""
    return "myshopify_domain" in body and "line_items" not in body


def read_customer_redaction(body: Mapping[str, Any]) -> Redaction:
    """Return whom to erase, with all the orders named however many they are.

    Raises TranslationError where nobody is named.
    """
    customer = mapping(body.get("customer"))
    orders = body.get("orders_to_redact")
    named = map(identifier, orders) if isinstance(orders, list) else ()
    redaction = Redaction(
        customer_id=identifier(customer.get("id")),
        email=text(customer.get("email")),
        phone=text(customer.get("phone")),
        order_ids=tuple(order for order in named if order),
    )
    if redaction == Redaction():
        raise TranslationError("nobody_named", "the redaction names no customer and no order")
    return redaction


def read_data_request(body: Mapping[str, Any]) -> DataRequest:
    """Return who asks what is kept of them; the operator answers, within 30 days."""
    customer = mapping(body.get("customer"))
    return DataRequest(
        request_id=identifier(mapping(body.get("data_request")).get("id")),
        customer_id=identifier(customer.get("id")),
        email=text(customer.get("email")),
        phone=text(customer.get("phone")),
    )


def read_disconnection(shop: Mapping[str, Any]) -> Disconnected:
    """Return that the app was removed; the body's `updated_at` is about when."""
    return Disconnected(at=moment(shop.get("updated_at")))
