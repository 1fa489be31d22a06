"""WooCommerce: signed webhooks, read as facts.

Facts about the shop system come from its source, includes/class-wc-webhook.php and the order
controller of REST API v3 (WooCommerce 11.0.1), and from deliveries captured on versions
8.2 to 11.0 (read 2026-11-23).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bridge.events import (
    Delivery,
    Event,
    Fact,
    Occasion,
    Request,
    Sample,
    Setting,
    Settings,
    SourceAdapter,
    TranslationError,
    VerificationError,
    fingerprint,
    hmac_matches,
    hmac_sha256_base64,
    split_secrets,
)
from bridge.events.reading import parse_object

from .admin import SETTINGS as ADMIN_SETTINGS
from .admin import WooCommerceAdmin
from .admin.client import shop_url
from .carts import checkout_started, item_added
from .companion import COMPANION_FILE, companion_zip
from .customers import customer_deleted, customer_registered
from .errors import refuse_error
from .orders import order_deleted, order_event
from .other_senders import OTHER_SENDERS
from .refunds import refunds

_PING = re.compile(rb"webhook_id=[0-9]{1,53}")
_FORM = "application/x-www-form-urlencoded"
_SAMPLES = Path(__file__).parent / "samples"

_READERS: Mapping[str, Callable[[Mapping[str, Any], str, Settings], Fact]] = {
    "order.created": order_event,
    "order.updated": order_event,
    "order.restored": order_event,
    "order.paid": order_event,  # a custom topic; WooCommerce supplies the whole order
    "order.deleted": order_deleted,
    "cart.item_added": item_added,  # these two too are topics of our companion plug-in
    "checkout.started": checkout_started,
    "customer.created": customer_registered,
    "customer.deleted": customer_deleted,
}


INSTRUCTIONS = {
    "en": """\
In WordPress open WooCommerce > Settings > Advanced > Webhooks and add one webhook for each of
the topics Order created, Order updated, Order deleted and Order restored, with status Active and
API version WP REST API Integration v3.
Delivery URL: {url}
Secret: one of letters and digits only, the same for all, and the same here.
For carts, checkouts and consent upload the companion plug-in under Plugins > Add New; it adds the
topics Cart item added, Checkout started and Order paid.""",
    "fr": """\
Dans WordPress, ouvrez WooCommerce > Réglages > Avancé > Webhooks et ajoutez un webhook pour chacun
des sujets Commande créée, Commande mise à jour, Commande supprimée et Commande restaurée, avec
l’état Actif et la version d’API WP REST API Integration v3.
URL de livraison : {url}
Secret : lettres et chiffres seulement, le même pour tous, et le même ici.
Pour les paniers, les paiements et le consentement, téléversez l’extension compagnon sous
Extensions > Ajouter ; elle ajoute les sujets article ajouté au panier, paiement commencé et
commande payée.""",
}


class WooCommerce(SourceAdapter):
    """A WordPress shop that posts its orders by webhook."""

    kind = "woocommerce"
    label = "WooCommerce"
    local_ids = True
    admin = WooCommerceAdmin()
    first_settings = ("shop_url",)
    other_senders = OTHER_SENDERS
    settings = (
        Setting(
            name="secret",
            label="Webhook secret",
            help="The secret of the shop's webhooks, letters and digits only: WooCommerce may "
            "change others when the form is saved. One a line while you rotate.",
            secret=True,
            many=True,
            texts={
                "fr": (
                    "Secret des webhooks",
                    (
                        "Le secret des webhooks de la boutique, lettres et chiffres seulement : "
                        "WooCommerce peut changer les autres caractères à l’enregistrement. Un par "
                        "ligne pendant que vous en changez."
                    ),
                )
            },
        ),
        Setting(
            name="shop_url",
            label="Shop address",
            help="Such as https://shop.example, the address of the shop's home page.",
            required=False,
            texts={
                "fr": (
                    "Adresse de la boutique",
                    (
                        "Par exemple https://boutique.exemple, l’adresse de la page d’accueil de "
                        "la boutique."
                    ),
                )
            },
        ),
        Setting(
            name="shop_country",
            label="Shop country",
            help="Two letters, such as DE: where a buyer counts as living whose order has no "
            "address.",
            required=False,
            texts={
                "fr": (
                    "Pays de la boutique",
                    (
                        "Deux lettres, par exemple FR : le pays où est censé vivre l’acheteur "
                        "d’une commande sans adresse."
                    ),
                )
            },
        ),
        Setting(
            name="cash_on_delivery_methods",
            label="Payment methods that pay on delivery",
            help="Ids of payment methods, one a line; their orders may count when placed.",
            many=True,
            required=False,
            default="cod",
            texts={
                "fr": (
                    "Moyens de paiement à la livraison",
                    (
                        "Identifiants des moyens de paiement, un par ligne ; leurs commandes "
                        "peuvent compter dès qu’elles sont passées."
                    ),
                )
            },
        ),
        Setting(
            name="custom_states",
            label="Order statuses of your own",
            help="One a line, as shipped=paid: a status of your shop, and one of draft, placed, "
            "authorized, paid, partially_refunded, cancelled or refunded. Wins over the built-in "
            "meaning.",
            many=True,
            required=False,
            texts={
                "fr": (
                    "Vos propres états de commande",
                    (
                        "Un par ligne, comme shipped=paid : un état de votre boutique, et l’un de "
                        "draft, placed, authorized, paid, partially_refunded, cancelled ou "
                        "refunded. L’emporte sur le sens intégré."
                    ),
                )
            },
        ),
        Setting(
            name="draft_checkouts",
            label="Drafts of orders begin a checkout",
            help="WooCommerce 8.9 to 10.6 saves a draft when a block checkout is opened: on tells "
            "it as a checkout, without what was typed. Not beside the companion plug-in, which "
            "tells the same checkouts.",
            required=False,
            choices=("off", "on"),
            default="off",
            texts={
                "fr": (
                    "Les brouillons de commande ouvrent un paiement",
                    (
                        "WooCommerce 8.9 à 10.6 enregistre un brouillon à l’ouverture du paiement "
                        "par blocs : activé, il est transmis comme un paiement commencé, sans ce "
                        "qui a été saisi. Pas avec l’extension compagnon, qui transmet les mêmes "
                        "paiements."
                    ),
                )
            },
        ),
        *ADMIN_SETTINGS,
    )
    topics: Mapping[str, str] = {
        "order.created": Occasion.PURCHASE,
        "order.updated": Occasion.PURCHASE,
        "order.restored": Occasion.PURCHASE,
        "order.paid": Occasion.PURCHASE,
        "order.deleted": "order_cancelled",
        "cart.item_added": Occasion.CART_ADDED,
        "checkout.started": Occasion.CHECKOUT_STARTED,
        "customer.created": Occasion.CUSTOMER_REGISTERED,
        "customer.deleted": "redaction",
    }

    def refuse(self, settings: Settings) -> None:
        """Raise ShopError for a `shop_url` that is no whole address."""
        if settings.get("shop_url"):
            shop_url(settings)

    def verify(self, request: Request, settings: Settings) -> Delivery | None:
        """Return the delivery, or None for the ping; VerificationError for any other caller.

        The topic is empty where a valid request names none.
        """
        if _is_ping(request):
            return None
        secrets = split_secrets(settings.get("secret", ""))
        if not hmac_matches(secrets, request.body, request.header("x-wc-webhook-signature")):
            raise VerificationError("X-WC-Webhook-Signature does not match the webhook secret")
        topic = request.header("x-wc-webhook-topic")
        return Delivery(
            topic=topic,
            # Not X-WC-Webhook-Delivery-ID, which different orders share within one second; and
            # not the body alone, which is {"id":5} for a deleted order and a deleted customer.
            key=fingerprint(topic.encode("utf-8", "surrogatepass"), request.body),
            body=request.body,
        )

    def translate(self, delivery: Delivery, settings: Settings) -> Iterable[Fact]:
        """Return the fact of a topic we read, an order's with its refunds; nothing for others.

        TranslationError: ``no_topic``, ``no_id``, ``no_time``, ``capture_expired``,
        ``shop_error_<status>`` for an error that WooCommerce signed instead of the order, and
        those of `parse_object`.
        """
        if not delivery.topic:
            raise TranslationError(
                "no_topic",
                "X-WC-Webhook-Topic is missing: something between shop and bridge removes it",
            )
        reader = _READERS.get(delivery.topic)
        if reader is None:
            return ()
        body = parse_object(delivery.body)
        refuse_error(body)
        told = reader(body, delivery.topic, settings)
        if isinstance(told, Event) and told.occasion == Occasion.PURCHASE:
            return (told, *refunds(told, body))
        return (told,)

    def sign(self, topic: str, body: bytes, settings: Settings) -> Mapping[str, str]:
        """Return the headers of a delivery, signed with the first secret."""
        resource, _, event = topic.partition(".")
        secrets = split_secrets(settings.get("secret", ""))
        return {
            "User-Agent": "WooCommerce/11.0.1 Hookshot (WordPress/6.9)",
            "Content-Type": "application/json",
            "X-WC-Webhook-Source": settings.get("shop_url") or "https://shop.example/",
            "X-WC-Webhook-Topic": topic,
            "X-WC-Webhook-Resource": resource,
            "X-WC-Webhook-Event": event,
            "X-WC-Webhook-Signature": hmac_sha256_base64(secrets[0] if secrets else "", body),
            "X-WC-Webhook-ID": "1",
            "X-WC-Webhook-Delivery-ID": fingerprint(topic.encode(), body)[:32],
        }

    def samples(self) -> Sequence[Sample]:
        """Return the samples in the order of their file names, ``NN-<topic>-<name>.json``."""
        named = [(path.stem.split("-", 2), path) for path in sorted(_SAMPLES.glob("*.json"))]
        return [
            Sample(name=name.replace("_", " "), topic=topic, body=path.read_bytes())
            for (_, topic, name), path in named
        ]

    def companion(self) -> tuple[str, bytes]:
        """Return the WordPress plug-in that tells carts, checkouts and consent."""
        return COMPANION_FILE, companion_zip()

    def instructions(self, webhook_url: str, language: str = "en") -> str:
        """Return the steps in the shop's admin."""
        return INSTRUCTIONS.get(language, INSTRUCTIONS["en"]).format(url=webhook_url)


def _is_ping(request: Request) -> bool:
    """Return whether this is the unsigned form that WooCommerce posts for a new webhook."""
    content_type = request.header("content-type").partition(";")[0].strip().lower()
    return content_type == _FORM and _PING.fullmatch(request.body) is not None


adapter = WooCommerce()
