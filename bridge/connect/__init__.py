"""The fourth verb: subscribe, watch, reconcile, authorise."""

from .authorise import TERMINAL, authorise_url, made_secret, take_grant
from .guardian import (
    Repair,
    after_outage,
    live_shops,
    look_after,
    subscribe,
    unsubscribe,
    watch_due,
)
from .reconcile import HORIZON, Read, admin_of, reconcile
from .shop import LiveShop

__all__ = [
    "HORIZON",
    "TERMINAL",
    "LiveShop",
    "Read",
    "Repair",
    "admin_of",
    "after_outage",
    "authorise_url",
    "live_shops",
    "look_after",
    "made_secret",
    "reconcile",
    "subscribe",
    "take_grant",
    "unsubscribe",
    "watch_due",
]
