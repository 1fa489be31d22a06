"""WooCommerce's admin side: one class that lends the shop to the modules beside it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from bridge.events import Finding, OrderPage, Request, Setting, Settings, Shop, Subscription

from . import checks, keys, orders, webhooks
from .client import Client

# order.updated alone brings every state; order.created is a second chance, since a delivery
# that fails is not tried again.  Not product.updated, which each sale sends too.
TOPICS = (
    "order.created",
    "order.updated",
    "order.deleted",
    "order.restored",
    "customer.created",
    "customer.deleted",
)
COMPANION_TOPICS = ("order.paid", "cart.item_added", "checkout.started")

SETTINGS = (
    Setting(
        name="consumer_key",
        label="Consumer key",
        help="Of a key with Read/Write under WooCommerce > Settings > Advanced > REST API; it "
        "begins with ck_. With it webhooks are made and watched, and missed orders are read.",
        required=False,
        texts={
            "fr": (
                "Clé client",
                (
                    "D’une clé Lecture/Écriture sous WooCommerce > Réglages > Avancé > API REST ; "
                    "elle commence par ck_. Avec elle les webhooks sont créés et surveillés, et "
                    "les commandes manquées sont lues."
                ),
            )
        },
    ),
    Setting(
        name="consumer_secret",
        label="Consumer secret",
        help="Shown once beside the consumer key; it begins with cs_.",
        secret=True,
        required=False,
        texts={
            "fr": (
                "Secret client",
                "Affiché une seule fois à côté de la clé client ; il commence par cs_.",
            )
        },
    ),
)


class WooCommerceAdmin:
    """Makes and watches webhooks, and reads orders, through the REST API."""

    def topics(self, settings: Settings) -> Sequence[str]:
        """Return the topics to subscribe; those of the companion may be unavailable."""
        if not all(settings.get(name, "") for name in ("consumer_key", "consumer_secret")):
            return ()
        return (*TOPICS, *COMPANION_TOPICS)

    def check(self, shop: Shop) -> Sequence[Finding]:
        """Return what an operator should know of the shop.  Never raises."""
        if not self.topics(shop.settings):
            message = "webhooks are made by hand: nobody watches them, and missed orders stay so"
            return [Finding(name="key", status="warn", message=message)]
        return checks.check(shop)

    def subscriptions(self, shop: Shop, webhook_url: str) -> Sequence[Subscription]:
        """Return our webhooks at the shop; raises ShopError."""
        return webhooks.subscriptions(Client(shop), webhook_url)

    def subscribe(self, shop: Shop, webhook_url: str, topic: str) -> Subscription:
        """Return an active webhook of *topic*, made if there is none; raises ShopError."""
        return webhooks.subscribe(Client(shop), webhook_url, topic)

    def unsubscribe(self, shop: Shop, subscription: Subscription) -> None:
        """Delete one webhook of ours; raises ShopError."""
        webhooks.unsubscribe(Client(shop), subscription)

    def orders_since(self, shop: Shop, since: datetime, cursor: str | None) -> OrderPage:
        """Return the next page of orders changed at or after *since*; raises ShopError."""
        return orders.orders_since(Client(shop), since, cursor)

    def count_orders(self, shop: Shop, since: datetime) -> int | None:
        """Return how many orders changed at or after *since*; raises ShopError."""
        return orders.count_orders(Client(shop), since)

    def unit_costs(self, shop: Shop) -> Mapping[str, Decimal] | None:  # noqa: ARG002
        """Return None: the REST API that we read tells no cost of goods."""
        return None

    def authorize_url(
        self, settings: Settings, *, state: str, callback_url: str, return_url: str
    ) -> str | None:
        """Return the shop's page that grants a key; None without a sound `shop_url`."""
        return keys.authorize_url(
            settings, state=state, callback_url=callback_url, return_url=return_url
        )

    def authorized(self, request: Request) -> tuple[str, Mapping[str, str]]:
        """Return (state, the key) of the shop's call; raises VerificationError."""
        return keys.authorized(request)
