"""Shopify's admin side: one class that lends the shop to the modules beside it.

They are imported on the first use: the process that takes webhooks needs none of Shopify's
library.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from bridge.events import (
    Finding,
    OrderPage,
    Request,
    Setting,
    Settings,
    Shop,
    Subscription,
    VerificationError,
)

if TYPE_CHECKING:
    from .client import Client

API_VERSION = "2026-10"
# Not orders/updated, which comes with every tag and fulfilment: reconciling reads changes.
# Not orders/edited, whose body is no order.
TOPICS = (
    "orders/create",
    "orders/paid",
    "orders/cancelled",
    "orders/delete",
    "refunds/create",
    "checkouts/create",
    "checkouts/update",
    "carts/create",
    "carts/update",
    "app/uninstalled",
)
CUSTOMER_TOPIC = "customers/create"
CUSTOMER_SCOPES = {"read_customers", "write_customers"}

SETTINGS = (
    Setting(
        name="client_id",
        label="Client id",
        help="Of your app in Shopify's Dev Dashboard, under Settings; with it webhooks are made "
        "and watched, and missed orders are read.",
        required=False,
        texts={
            "fr": (
                "Identifiant client",
                (
                    "De votre app dans le Dev Dashboard de Shopify, sous Paramètres ; avec lui les "
                    "webhooks sont créés et surveillés, et les commandes manquées sont lues."
                ),
            )
        },
    ),
    Setting(
        name="client_secret",
        label="Client secret",
        help="Beside the client id; Shopify signs the app's webhooks with it too.",
        secret=True,
        required=False,
        texts={
            "fr": (
                "Clé secrète du client",
                (
                    "À côté de l’identifiant client ; Shopify signe aussi avec elle les webhooks "
                    "de l’app."
                ),
            )
        },
    ),
    Setting(
        name="admin_token",
        label="Admin API token",
        help="Only of an app made in the shop's admin before 2026: it begins with shpat_.",
        secret=True,
        required=False,
        texts={
            "fr": (
                "Jeton de l’API Admin",
                (
                    "Seulement pour une app créée dans l’admin de la boutique avant 2026 : il "
                    "commence par shpat_."
                ),
            )
        },
    ),
    Setting(
        name="api_version",
        label="API version",
        help="Of the Admin API, such as 2026-10; Shopify keeps each for a year.",
        required=False,
        default=API_VERSION,
        texts={
            "fr": (
                "Version de l’API",
                "De l’API Admin, par exemple 2026-10 ; Shopify garde chacune un an.",
            )
        },
    ),
    Setting(
        name="access_token",
        label="Access token",
        secret=True,
        required=False,
        remembered=True,
    ),
    Setting(
        name="access_token_expires_at",
        label="Access token expires at",
        secret=True,
        required=False,
        remembered=True,
    ),
    Setting(name="granted_scopes", label="Granted scopes", required=False, remembered=True),
)


class ShopifyAdmin:
    """Makes and watches webhooks, and reads orders, through the Admin API."""

    def topics(self, settings: Settings) -> Sequence[str]:
        """Return the topics to subscribe; registrations only where the app may read customers."""
        client = settings.get("client_id", "") and settings.get("client_secret", "")
        if not client and not settings.get("admin_token", ""):
            return ()
        granted = set(settings.get("granted_scopes", "").split(","))
        return (*TOPICS, CUSTOMER_TOPIC) if granted & CUSTOMER_SCOPES else TOPICS

    def check(self, shop: Shop) -> Sequence[Finding]:
        """Return what an operator should know of the shop.  Never raises."""
        if not self.topics(shop.settings):
            message = "webhooks are made by hand: nobody watches them, and missed orders stay so"
            return [Finding(name="token", status="warn", message=message)]
        from .checks import check

        return check(shop)

    def subscriptions(self, shop: Shop, webhook_url: str) -> Sequence[Subscription]:
        """Return our webhooks at the shop; raises ShopError."""
        from .webhooks import subscriptions

        return subscriptions(_client(shop), webhook_url)

    def subscribe(self, shop: Shop, webhook_url: str, topic: str) -> Subscription:
        """Return the webhook of *topic*, made if it is not there; raises ShopError."""
        from .webhooks import subscribe

        return subscribe(_client(shop), webhook_url, topic)

    def unsubscribe(self, shop: Shop, subscription: Subscription) -> None:
        """Delete one webhook of ours; raises ShopError."""
        from .webhooks import unsubscribe

        unsubscribe(_client(shop), subscription)

    def orders_since(self, shop: Shop, since: datetime, cursor: str | None) -> OrderPage:
        """Return the next page of orders changed at or after *since*; raises ShopError."""
        from .orders import orders_since

        return orders_since(_client(shop), since, cursor)

    def count_orders(self, shop: Shop, since: datetime) -> int | None:
        """Return how many orders changed at or after *since*; raises ShopError."""
        from .orders import count_orders

        return count_orders(_client(shop), since)

    def unit_costs(self, shop: Shop) -> Mapping[str, Decimal] | None:
        """Return unit costs by variant id and by SKU; raises ShopError."""
        from .costs import unit_costs

        return unit_costs(_client(shop))

    def authorize_url(
        self,
        settings: Settings,  # noqa: ARG002  here and below: the contract's
        *,
        state: str,  # noqa: ARG002
        callback_url: str,  # noqa: ARG002
        return_url: str,  # noqa: ARG002
    ) -> str | None:
        """Return None: client id and secret are copied from the Dev Dashboard."""
        return None

    def authorized(self, request: Request) -> tuple[str, Mapping[str, str]]:  # noqa: ARG002
        """Raise VerificationError: Shopify calls nothing back."""
        raise VerificationError("Shopify is connected by client id and secret")


def _client(shop: Shop) -> "Client":
    from .client import Client

    return Client(shop)
