"""The tagging plan: what events mean here, as TOML that people edit and keep in git."""

import hashlib
from importlib.resources import files

from bridge.plan.changes import diff, strangers
from bridge.plan.kinds import fill, parts_of
from bridge.plan.reading import parse
from bridge.plan.rules import (
    ChannelRules,
    CollectorRules,
    ConsentRules,
    ContentRules,
    CustomRule,
    DestinationRules,
    EventRules,
    FunnelRules,
    IdRules,
    Plan,
    PurchaseRules,
    Rules,
    ValueRules,
    WhoRules,
    is_topic,
)

__all__ = [
    "ChannelRules",
    "CollectorRules",
    "ConsentRules",
    "ContentRules",
    "CustomRule",
    "DestinationRules",
    "EventRules",
    "FunnelRules",
    "IdRules",
    "Plan",
    "PurchaseRules",
    "Rules",
    "ValueRules",
    "WhoRules",
    "default_text",
    "diff",
    "digest",
    "fill",
    "is_topic",
    "parse",
    "parts_of",
    "strangers",
]


def default_text() -> str:
    """Return the plan that counts until the operator writes one: every key, explained."""
    return files("bridge.plan").joinpath("default.toml").read_text(encoding="utf-8")


def digest(text: str) -> str:
    """Return a short name of this very text: 12 lower-case hex digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
