"""The shop's own list of orders, as deliveries in the webhook's shape.

Pages are of our own making: the header Link repeats the key and the signature.
Source: WooCommerce 11.0.1, REST API v3, tried (2026-11-23).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.events import Delivery, OrderPage, as_json, fingerprint
from bridge.events.reading import identifier, moment, whole

from .client import Client, objects

PER_PAGE = 50
TOPIC = "order.updated"
SECOND = timedelta(seconds=1)  # `modified_after` leaves out its own second


def orders_since(client: Client, since: datetime, cursor: str | None) -> OrderPage:
    """Return the next page of orders changed at or after *since*; raises ShopError.

    A cursor is ``<last change seen>|<page>``.  Each page asks for what changed at or after
    the last change seen, since orders that change meanwhile move to the end and would shift
    numbered pages.  The orders of that one second come twice, with the same key.
    """
    seen, _, numbered = (cursor or "").partition("|")
    start = moment(seen) or since
    page = max(1, whole(numbered) or 1)
    answer, _ = client.get(
        "orders", **_changed_since(start), per_page=str(PER_PAGE), page=str(page)
    )
    found = objects(answer)
    entries = [(order, *entry) for order in found if (entry := _entry(order))]
    last = entries[-1][2] if entries else start
    follows = f"{last.isoformat()}|{page + 1 if last <= start else 1}"
    made = [(order_id, _delivery(order, order_id, at)) for order, order_id, at in entries]
    return OrderPage(
        deliveries=[delivery for _, delivery in made],
        listed=[(order_id, changed_at) for _, order_id, changed_at in entries],
        keys={order_id: delivery.key for order_id, delivery in made},
        cursor=follows if len(found) >= PER_PAGE else None,
    )


def count_orders(client: Client, since: datetime) -> int | None:
    """Return how many orders changed at or after *since*; None where the shop does not say."""
    _, headers = client.get("orders", **_changed_since(since), per_page="1", _fields="id")
    return whole(headers.get("x-wp-total"))


def _changed_since(since: datetime) -> dict[str, str]:
    before = since.astimezone(UTC) - SECOND
    return {
        "modified_after": f"{before:%Y-%m-%dT%H:%M:%S}",
        "dates_are_gmt": "true",
        "orderby": "modified",
        "order": "asc",
    }


def _entry(order: Mapping[str, Any]) -> tuple[str, datetime] | None:
    order_id = identifier(order.get("id"))
    changed_at = moment(order.get("date_modified_gmt"), "+00:00")
    return (order_id, changed_at) if order_id and changed_at else None


def _delivery(order: Mapping[str, Any], order_id: str, changed_at: datetime) -> Delivery:
    """Return the order as a delivery; read twice without a change it has the same key."""
    return Delivery(
        topic=TOPIC,
        key=fingerprint(b"reconcile", order_id.encode(), changed_at.isoformat().encode()),
        body=as_json(order),
    )
