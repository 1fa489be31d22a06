"""Orders as two shop systems write them, in a state and at a minute of our choice."""

import copy
import json
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from .line import DELIVERIES

STATUS = {
    "placed": "on-hold",
    "paid": "processing",
    "refunded": "refunded",
    "cancelled": "cancelled",
    "unheard_of": "deposit-paid",
}
FINANCIAL = {
    "placed": "pending",
    "paid": "paid",
    "refunded": "refunded",
    "cancelled": "voided",
    "unheard_of": "deposit_paid",
}
GRANTED = "v1;marketing=1;sale=1;ts=1795423777000"
DENIED = "v1;marketing=0;sale=0;ts=1795423777000"
BASE = datetime(2026, 11, 23, 14)  # noqa: DTZ001  the shop's own notation has no zone
SHOPS = ("woocommerce", "shopify")


@cache
def _recorded(case: str) -> str:
    return (DELIVERIES / case / "body.json").read_text("utf-8")


def recorded(case: str) -> dict[str, Any]:
    """Return the body of a recorded delivery, to be changed at will."""
    return copy.deepcopy(json.loads(_recorded(case)))


def woocommerce_order(
    order_id: int,
    state: str,
    minute: int = 1,
    consent: str | None = GRANTED,
    event_id: str | None = None,
) -> tuple[str, dict[str, Any]]:
    """Return topic and body of a web order."""
    body = recorded("woocommerce/11.0.1/058-order.updated")
    body |= {"id": order_id, "number": str(order_id), "status": STATUS[state]}
    body["date_modified_gmt"] = (BASE + timedelta(minutes=minute)).isoformat()
    body["date_paid_gmt"] = body["date_created_gmt"] if state in {"paid", "refunded"} else None
    marks = {"_bridge_consent": consent, "_meta_event_id": event_id}
    body["meta_data"] += [{"key": key, "value": value} for key, value in marks.items() if value]
    return "order.updated", body


def shopify_order(
    order_id: int,
    state: str,
    minute: int = 1,
    consent: str | None = GRANTED,
    event_id: str | None = None,
) -> tuple[str, dict[str, Any]]:
    """Return topic and body of a web order."""
    body = recorded("shopify/orders_paid")
    at = f"{(BASE + timedelta(minutes=minute)).isoformat()}+00:00"
    body |= {"id": order_id, "name": f"#{order_id}", "financial_status": FINANCIAL[state]}
    body |= {"updated_at": at, "cancelled_at": at if state == "cancelled" else None}
    marks = {"_capi_consent": consent, "_meta_event_id": event_id}
    body["note_attributes"] = [
        {"name": name, "value": value} for name, value in marks.items() if value
    ]
    return "orders/updated", body


def order(kind: str, *details: Any, **more: Any) -> tuple[str, dict[str, Any]]:
    """Return topic and body of a web order of a shop of *kind*."""
    make = woocommerce_order if kind == "woocommerce" else shopify_order
    return make(*details, **more)


def deletion(kind: str, order_id: int) -> tuple[str, dict[str, Any]]:
    """Return topic and body that tell that an order is gone."""
    return ("order.deleted" if kind == "woocommerce" else "orders/delete"), {"id": order_id}


def event_id_of(kind: str, order_id: int, word: str = "shop") -> str:
    """Return the event id of an order's purchase."""
    return f"purchase.{word}.{order_id}" if kind == "woocommerce" else f"purchase.{order_id}"
