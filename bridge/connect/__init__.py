"""The fourth verb: subscribe, watch, reconcile, authorise."""

from .authorise import authorise_url, take_grant
from .guardian import (
    Repair,
    after_outage,
    live_shops,
    look_after,
    subscribe,
    unsubscribe,
    watch_due,
)
from .reconcile import Read, admin_of, reconcile
from .shop import LiveShop

__all__ = [
    "LiveShop",
    "Read",
    "Repair",
    "admin_of",
    "after_outage",
    "authorise_url",
    "live_shops",
    "look_after",
    "reconcile",
    "subscribe",
    "take_grant",
    "unsubscribe",
    "watch_due",
]
