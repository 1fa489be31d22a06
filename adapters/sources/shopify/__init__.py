"""Shopify: signed webhooks of orders, refunds, carts, checkouts and customers.

Source: shopify.dev/docs/apps/build/webhooks (read 2026-11-23).
"""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bridge.events import (
    Delivery,
    Fact,
    Request,
    Sample,
    Setting,
    Settings,
    SourceAdapter,
    VerificationError,
    fingerprint,
    hmac_matches,
    hmac_sha256_base64,
    split_secrets,
)
from bridge.events.reading import identifier

from .admin import API_VERSION, ShopifyAdmin
from .admin import SETTINGS as ADMIN_SETTINGS
from .bodies import SHAPES, read_delivery
from .other_senders import OTHER_SENDERS

SAMPLES = Path(__file__).parent / "samples"
PIXEL = Path(__file__).parent / "browser" / "pixel.js"
PIXEL_URL = '"https://bridge.example/collect/KEY"'
SAMPLE_DOMAIN = "nordlicht-studio.myshopify.com"
KEPT = ("Shop-Domain", "API-Version", "Triggered-At", "Event-Id")

INSTRUCTIONS = {
    "en": """\
In the Shopify admin open Settings > Notifications > Webhooks.
Create a webhook for each of: Order creation, Order payment, Order cancellation, Order deletion,
Refund create; for carts and checkouts also Cart creation, Cart update, Checkout creation,
Checkout update.
Format: JSON.  API version: {version} or the latest.  URL:
{url}
Copy the signing key that the page shows into the webhook secrets of this source.""",
    "fr": """\
Dans l’admin Shopify, ouvrez Paramètres > Notifications > Webhooks.
Créez un webhook pour chacun de ces événements : création, paiement, annulation et suppression de
commande, création de remboursement ; pour les paniers et les paiements aussi : création et mise à
jour de panier, création et mise à jour de paiement (checkout).
Format : JSON. Version de l’API : {version} ou la plus récente. URL :
{url}
Copiez la clé de signature que la page affiche dans les secrets de webhook de cette source.""",
}


class Shopify(SourceAdapter):
    """Shopify, by webhooks made in the admin or by an app."""

    kind = "shopify"
    label = "Shopify"
    admin = ShopifyAdmin()
    first_settings = ("shop_domain", "client_id", "client_secret")
    other_senders = OTHER_SENDERS
    topics: Mapping[str, str] = {topic: shape.fact for topic, shape in SHAPES.items()}
    settings = (
        Setting(
            name="secret",
            label="Webhook secrets",
            help="The app's client secret, its previous one while you rotate, and the signing "
            "key shown in Settings > Notifications > Webhooks: one a line; none where the client "
            "secret is given below.",
            secret=True,
            many=True,
            required=False,
            texts={
                "fr": (
                    "Secrets des webhooks",
                    (
                        "La clé secrète de l’app, l’ancienne pendant que vous en changez, et la "
                        "clé de signature affichée sous Paramètres > Notifications > Webhooks : un "
                        "par ligne ; aucun si la clé secrète est donnée plus bas."
                    ),
                )
            },
        ),
        Setting(
            name="shop_domain",
            label="Shop domain",
            help="The shop's own name, such as example.myshopify.com; deliveries that name "
            "another shop are then refused.",
            required=False,
            texts={
                "fr": (
                    "Domaine de la boutique",
                    (
                        "Le nom propre de la boutique, par exemple exemple.myshopify.com ; les "
                        "envois qui nomment une autre boutique sont alors refusés."
                    ),
                )
            },
        ),
        Setting(
            name="shop_country",
            label="Shop country",
            help="Two letters, such as DE; where an order has no address, the rules of consent "
            "of this country count.",
            required=False,
            texts={
                "fr": (
                    "Pays de la boutique",
                    (
                        "Deux lettres, par exemple FR ; pour une commande sans adresse, les règles "
                        "de consentement de ce pays s’appliquent."
                    ),
                )
            },
        ),
        Setting(
            name="storefront_url",
            label="Storefront address",
            help="The address buyers see, such as https://www.example.com; with it the page "
            "they first came to is told.",
            required=False,
            texts={
                "fr": (
                    "Adresse de la vitrine",
                    (
                        "L’adresse que voient les acheteurs, par exemple https://www.exemple.com ; "
                        "avec elle, la première page visitée est transmise."
                    ),
                )
            },
        ),
        Setting(
            name="web_source_names",
            label="Further web sources",
            help="Source names or app ids of orders from your own headless storefronts, one a "
            "line; without them only the source web counts as your website.",
            required=False,
            many=True,
            texts={
                "fr": (
                    "Autres sources web",
                    (
                        "Noms de source ou identifiants d’app des commandes de vos propres "
                        "vitrines découplées, un par ligne ; sans eux, seule la source web compte "
                        "comme votre site."
                    ),
                )
            },
        ),
        *ADMIN_SETTINGS,
    )

    def refuse(self, settings: Settings) -> None:
        """Raise ShopError for a `shop_domain` that is not the shop's own name."""
        if settings.get("shop_domain"):
            from .admin.access import shop_domain  # late: it brings Shopify's library

            shop_domain(settings)

    def verify(self, request: Request, settings: Settings) -> Delivery:
        """Return the delivery; raises VerificationError.

        Only the body is signed.  A missing topic is no forgery: translation says so, since
        a 401 would count towards the removal of the webhook.
        """
        secrets = _secrets(settings)
        if not hmac_matches(secrets, request.body, _header(request, "Hmac-Sha256")):
            raise VerificationError("X-Shopify-Hmac-Sha256 does not match any webhook secret")
        own = settings.get("shop_domain", "").strip().lower()
        if own and _header(request, "Shop-Domain").lower() != own:
            raise VerificationError("X-Shopify-Shop-Domain is not the shop_domain of the source")
        topic = _header(request, "Topic")
        kept = {f"X-Shopify-{name}": _header(request, name)[:200] for name in KEPT}
        return Delivery(
            topic=topic,
            key=identifier(_header(request, "Webhook-Id")) or _key(topic, request.body),
            body=request.body,
            headers={name: value for name, value in kept.items() if value},
        )

    def translate(self, delivery: Delivery, settings: Settings) -> Iterable[Fact]:
        """Yield what *delivery* tells; raises TranslationError."""
        return read_delivery(delivery, settings)

    def sign(self, topic: str, body: bytes, settings: Settings) -> Mapping[str, str]:
        """Return the headers with which Shopify would send *body*.

        The delivery id is made of topic and body, so that the same delivery has the same.
        """
        secrets = _secrets(settings) or [""]
        return {
            "Content-Type": "application/json",
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": hmac_sha256_base64(secrets[0], body),
            "X-Shopify-Shop-Domain": settings.get("shop_domain", "") or SAMPLE_DOMAIN,
            "X-Shopify-API-Version": API_VERSION,
            "X-Shopify-Webhook-Id": str(uuid.UUID(hex=_key(topic, body)[:32])),
        }

    def samples(self) -> Sequence[Sample]:
        """Return deliveries of an invented shop, in the order it would send them."""
        topics: dict[str, str] = json.loads((SAMPLES / "topics.json").read_bytes())
        return [
            Sample(name=name, topic=topic, body=(SAMPLES / name / "body.json").read_bytes())
            for name, topic in topics.items()
        ]

    def instructions(self, webhook_url: str, language: str = "en") -> str:
        """Return how to connect the shop by hand."""
        text = INSTRUCTIONS.get(language, INSTRUCTIONS["en"])
        return text.format(version=API_VERSION, url=webhook_url)

    def browser_script(self, collect_url: str) -> str:
        """Return the custom pixel for Settings > Customer events, posting to *collect_url*."""
        return PIXEL.read_text("utf-8").replace(PIXEL_URL, json.dumps(collect_url))


def _secrets(settings: Settings) -> list[str]:
    """Return what webhooks are signed with: the listed secrets, and the app's own."""
    own = settings.get("client_secret", "").strip()
    return [*split_secrets(settings.get("secret", "")), *([own] if own else [])]


def _header(request: Request, name: str) -> str:
    """Return Shopify's header *name*; its newer events spell it without ``X-``."""
    return (request.header(f"X-Shopify-{name}") or request.header(f"Shopify-{name}")).strip()


def _key(topic: str, body: bytes) -> str:
    return fingerprint(topic.encode("utf-8", "surrogatepass"), body)


adapter = Shopify()
