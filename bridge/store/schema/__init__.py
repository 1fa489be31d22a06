"""The tables, one set for both engines.

Times are BIGINT microseconds UTC, money is text, sealed values are bytes.  Rows that hold
payloads are only inserted and deleted; state lives in narrow rows, so that a change of state
never rewrites a payload.
"""

from .around import (
    alert,
    cart,
    cost,
    erasure,
    grant,
    held_key,
    known_customer,
    listed_order,
    lock,
    login_attempt,
    operator,
    session,
    visitor,
    visitor_key,
    watch,
)
from .base import metadata
from .line import (
    audit,
    delivery,
    delivery_body,
    destination,
    heartbeat,
    held,
    known_order,
    outbox,
    payload,
    plan,
    purchase,
    receipt,
    route,
    setting,
    source,
    verdict,
)

__all__ = [
    "alert",
    "audit",
    "cart",
    "cost",
    "delivery",
    "delivery_body",
    "destination",
    "erasure",
    "grant",
    "heartbeat",
    "held",
    "held_key",
    "known_customer",
    "known_order",
    "listed_order",
    "lock",
    "login_attempt",
    "metadata",
    "operator",
    "outbox",
    "payload",
    "plan",
    "purchase",
    "receipt",
    "route",
    "session",
    "setting",
    "source",
    "verdict",
    "visitor",
    "visitor_key",
    "watch",
]
