"""Orders: the status in the body says how far one has come, never the topic.

Topics lie: 8.9 sends order.created for a draft and never again, and later versions send
order.updated before order.created.  Captured on 8.2 to 11.0.1 (read 2026-11-23).
"""

from collections.abc import Mapping
from typing import Any

from bridge.events import Channel, Consent, Event, Occasion, OrderCancelled, Settings
from bridge.events.reading import identifier, text

from .carts import drafted_checkout
from .fields import required_id, required_moment, utc
from .money import basket
from .people import buyer
from .signals import cart_key, click, consent, cookie, is_set, meta_data, page_url
from .states import cash_on_delivery, channel, order_state


def order_event(order: Mapping[str, Any], topic: str, settings: Settings) -> Event:
    """Return the order as a purchase in its state; a draft as a checkout where that is asked for.

    What the browser left counts on the shop's own checkout alone: a renewal, a duplicate or an
    import carries it as a copy, or it is the merchant's own.  A denial counts everywhere.
    Whether the order begins a subscription and which role the buyer has is told by our companion
    alone; whether the customer is new by nobody.
    """
    event = _sale(order, topic, settings)
    if settings.get("draft_checkouts") == "on" and order.get("status") == "checkout-draft":
        return drafted_checkout(event)
    return event


def _sale(order: Mapping[str, Any], topic: str, settings: Settings) -> Event:
    """Return the order as a purchase, whatever its state."""
    order_id = required_id(order)
    created_at = required_moment(order, "date_created_gmt")
    paid_at = utc(order, "date_paid_gmt")
    meta = meta_data(order)
    made = channel(order, meta)
    said = consent(meta)
    browser = meta if made is Channel.WEB else {}
    user_data = buyer(order, **_browser(order, meta)) if made is Channel.WEB else buyer(order)
    return Event(
        occasion=Occasion.PURCHASE,
        topic=topic,
        subject_id=order_id,
        order_id=order_id,
        order_number=text(order.get("number")) or identifier(order.get("number")),
        event_time=paid_at or created_at,
        created_at=created_at,
        paid_at=paid_at,
        updated_at=utc(order, "date_modified_gmt"),
        channel=made,
        order_state=order_state(order, settings),
        cash_on_delivery=cash_on_delivery(order, settings),
        payment_methods=_one(text(order.get("payment_method"))),
        event_id=identifier(browser.get("_meta_event_id")),
        # Meta's own plug-in has sent it; a renewal only inherits the mark.
        sent_elsewhere=made is not Channel.RENEWAL
        and is_set(meta.get("_meta_purchase_tracked_server")),
        subscription=is_set(browser.get("_bridge_subscription")),
        customer_role=text(browser.get("_bridge_role")),
        user_data=user_data,
        country=user_data.country,
        state=user_data.state,
        basket=basket(order),
        event_source_url=page_url(order, browser, settings),
        visitor_keys=(*_one(_visitor_key(order)), *_one(cart_key(browser.get("_bridge_cart")))),
        consent=said if made is Channel.WEB or _denies(said) else None,
    )


def order_deleted(order: Mapping[str, Any], _: str, __: Settings) -> OrderCancelled:
    """Return the end of an order that went to the trash; the shop tells its id alone."""
    return OrderCancelled(order_id=required_id(order))


def _browser(order: Mapping[str, Any], meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that the buyer's browser told."""
    clicked = click(meta)
    return {
        "client_ip_address": text(order.get("customer_ip_address")),
        "client_user_agent": text(order.get("customer_user_agent")),
        "fbp": cookie(meta, "fbp"),
        "fbc": cookie(meta, "fbc"),
        "fbclid": clicked.fbclid,
        "fbclid_at": clicked.at,
    }


def _denies(said: Consent | None) -> bool:
    return said is not None and False in (said.marketing, said.sale_of_data)


def _visitor_key(order: Mapping[str, Any]) -> str | None:
    """Return the key of the thank-you page's address, which only the buyer knows."""
    key = identifier(order.get("order_key"))
    return None if key is None else f"order:{key}"


def _one(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)
