"""Our webhooks at the shop: which there are, one more, one less."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from bridge.events import ShopError, Subscription
from bridge.events.reading import mapping, text

from .client import Client, next_cursor, nodes, refuse_user_errors
from .queries import SUBSCRIBE, SUBSCRIPTIONS, UNSUBSCRIBE

MAX_PAGES = 50


def subscriptions(client: Client, webhook_url: str) -> Sequence[Subscription]:
    """Return the webhooks that come to this bridge; raises ShopError.

    Shopify lists those of the app alone, and deletes one that fails 8 times: there is no
    disabled state.  Source: shopify.dev/docs/apps/build/webhooks (read 2026-11-23).
    """
    return [
        _subscription(client, found)
        for found in listed(client)
        if _is_ours(text(found.get("uri")) or "", webhook_url)
    ]


def subscribe(client: Client, webhook_url: str, topic: str) -> Subscription:
    """Return the webhook of *topic*, made if it is not there; raises ShopError."""
    there = _find(client, webhook_url, topic)
    if there:
        return there
    data = client.execute(SUBSCRIBE, {"topic": _enum(topic), "uri": webhook_url}, "Subscribe")
    payload = mapping(data.get("webhookSubscriptionCreate"))
    made = mapping(payload.get("webhookSubscription"))
    if text(made.get("id")):
        return _subscription(client, made)
    # Made by another worker just now: Shopify says that the address is taken.
    there = _find(client, webhook_url, topic)
    if there:
        return there
    refuse_user_errors(payload)
    raise ShopError("fault", f"Shopify made no webhook of {topic}", again=True)


def unsubscribe(client: Client, subscription: Subscription) -> None:
    """Delete one webhook; one that is gone is no error.  Raises ShopError."""
    data = client.execute(UNSUBSCRIBE, {"id": subscription.id}, "Unsubscribe")
    payload = mapping(data.get("webhookSubscriptionDelete"))
    if text(payload.get("deletedWebhookSubscriptionId")) is None:
        there = any(text(found.get("id")) == subscription.id for found in listed(client))
        if there:
            refuse_user_errors(payload)


def listed(client: Client, topic: str | None = None) -> list[Mapping[str, Any]]:
    """Return all webhooks of the app, or those of one topic, as Shopify lists them."""
    found: list[Mapping[str, Any]] = []
    cursor = None
    for _ in range(MAX_PAGES):
        variables = {"after": cursor, "topics": [_enum(topic)] if topic else None}
        data = client.execute(SUBSCRIPTIONS, variables, "Subscriptions")
        found += nodes(data.get("webhookSubscriptions"))
        cursor = next_cursor(data.get("webhookSubscriptions"))
        if cursor is None:
            break
    return found


def _find(client: Client, webhook_url: str, topic: str) -> Subscription | None:
    for found in listed(client, topic):
        if text(found.get("uri")) == webhook_url:
            return _subscription(client, found)
    return None


def _subscription(client: Client, found: Mapping[str, Any]) -> Subscription:
    changed = (
        found.get("format") != "JSON" or found.get("filter") or found.get("includeFields")
    ) and "somebody changed its format, its filter or its fields"
    version = text(mapping(found.get("apiVersion")).get("handle"))
    # Shopify sets it by the app and not by the subscription: no other one would do better.
    drifted = f"its bodies are of version {version}" if version != client.version else ""
    return Subscription(
        id=text(found.get("id")) or "",
        topic=(text(found.get("topic")) or "").lower().replace("_", "/", 1),
        url=text(found.get("uri")) or "",
        state="changed" if changed else "active",
        detail=changed or drifted,
    )


def _is_ours(uri: str, webhook_url: str) -> bool:
    """Return whether *uri* leads to this bridge, perhaps under an earlier key or address."""
    parts = urlsplit(webhook_url)
    ours = f"{parts.scheme}://{parts.netloc}/webhooks/"
    # The key at the end is random: whatever stands before it, the webhook is ours.
    return uri.startswith(ours) or uri.endswith(f"/webhooks/{webhook_url.rpartition('/')[2]}")


def _enum(topic: str) -> str:
    return topic.replace("/", "_").upper()
