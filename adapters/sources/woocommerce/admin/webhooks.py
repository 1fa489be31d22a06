"""Our webhooks at the shop: which there are, one more, one less.

Source: WooCommerce 11.0.1, class-wc-webhook.php and the webhooks' REST controllers (read
2026-11-23), and deliveries tried on versions 8.2 to 11.0.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from bridge.events import Shop, ShopError, Subscription, split_secrets
from bridge.events.reading import identifier, mapping, moment, text

from .client import Client, objects
from .refusals import INVALID_TOPIC

PER_PAGE = 100
MAX_PAGES = 20
# The shop pings when a webhook is made; its clock may be ahead of ours.
CLOCKS_DIFFER = timedelta(minutes=10)
STOPPED = {
    "disabled": "WooCommerce stopped it after 7 failures in a row; those are not sent again",
    "paused": "somebody paused it in the shop's admin",
}
SILENT = (
    "the shop has not reached us since it was made: it delivers only to public addresses on the "
    "ports 80, 443 and 8080"
)


def subscriptions(client: Client, webhook_url: str) -> Sequence[Subscription]:
    """Return the webhooks that come to this bridge; raises ShopError."""
    parts = urlsplit(webhook_url)
    ours = f"{parts.scheme}://{parts.netloc}/webhooks/"
    # The key at the end is random: whatever stands before it, the webhook is ours.
    end = f"/webhooks/{webhook_url.rpartition('/')[2]}"
    return [
        _subscription(client.shop, found)
        for found in _listed(client)
        if (url := text(found.get("delivery_url")) or "").startswith(ours) or url.endswith(end)
    ]


def subscribe(client: Client, webhook_url: str, topic: str) -> Subscription:
    """Return an active webhook of *topic*, made if there is none; raises ShopError.

    One that was stopped does not count: started again it would keep its failures and be
    stopped by the next one, so that only a fresh one serves.  A topic of our companion that
    the shop does not know is ``unavailable``.
    """
    with client.shop.lock("webhooks"):  # WooCommerce would make a second one
        for there in subscriptions(client, webhook_url):
            same = (there.topic, there.url) == (topic, webhook_url)
            if same and there.state != "disabled":
                return there
        return _made(client, webhook_url, topic)


def unsubscribe(client: Client, subscription: Subscription) -> None:
    """Delete one webhook; one that is gone is no error.  Raises ShopError."""
    try:
        client.send("DELETE", f"webhooks/{subscription.id}", force="true")
    except ShopError as error:
        if error.kind != "not_found":
            raise


def _made(client: Client, webhook_url: str, topic: str) -> Subscription:
    secrets = split_secrets(client.shop.settings.get("secret", ""))
    if not secrets:
        raise ShopError("refused", "secret is missing: webhooks are signed with its first line")
    asked = {
        "name": f"capi-bridge {topic}",
        "topic": topic,
        "delivery_url": webhook_url,
        "secret": secrets[0].strip(),
    }
    try:
        made = client.send("POST", "webhooks", asked)
    except ShopError as error:
        if error.kind != "refused" or INVALID_TOPIC not in str(error):
            raise
        detail = "the shop's companion plug-in is not installed, or too old"
        return Subscription(id="", topic=topic, url=webhook_url, state="unavailable", detail=detail)
    return _subscription(client.shop, mapping(made))


def _listed(client: Client) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for page in range(1, MAX_PAGES + 1):
        answer, _ = client.get(
            "webhooks", per_page=str(PER_PAGE), page=str(page), orderby="id", order="asc"
        )
        found += objects(answer)
        if len(objects(answer)) < PER_PAGE:
            break
    return found


def _subscription(shop: Shop, found: Mapping[str, Any]) -> Subscription:
    status = text(found.get("status")) or ""
    state, detail = "active", ""
    if status != "active":
        state, detail = "disabled", STOPPED.get(status, "it is not active in the shop")
    elif _is_silent(shop, found):
        state, detail = "silent", SILENT
    return Subscription(
        id=identifier(found.get("id")) or "",
        topic=text(found.get("topic")) or "",
        url=text(found.get("delivery_url")) or "",
        state=state,
        detail=detail,
    )


def _is_silent(shop: Shop, found: Mapping[str, Any]) -> bool:
    """Return whether not even the ping of this webhook reached us; the shop does not tell."""
    made_at = moment(found.get("date_created_gmt"), "+00:00")
    heard_at = shop.heard_at()
    if heard_at is None:
        return True
    return made_at is not None and heard_at < made_at - CLOCKS_DIFFER
