"""Forms and CRMs: leads that your own code posts as signed JSON.

The body and the signature are ours; docs/forms.md is what senders go by.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bridge.events import (
    Delivery,
    Fact,
    Occasion,
    Request,
    Sample,
    Setting,
    Settings,
    SourceAdapter,
    VerificationError,
    fingerprint,
    split_secrets,
)

from .bodies import read_delivery

TOPIC = "form"
TOPIC_FORM = re.compile(r"[A-Za-z0-9_./-]{1,100}\Z")
SAMPLES = Path(__file__).parent / "samples"
SAMPLE_NAMES = ("lead", "qualified_lead")

INSTRUCTIONS = {
    "en": """\
Let the code that takes your form, or your CRM, post JSON to
{url}
with the header X-Bridge-Signature: sha256=<HMAC-SHA256 of the body under the secret, in hex>.
The least it must hold is {{"event_name": "Lead", "user_data": {{"email": "..."}}}}.
docs/forms.md tells every field and has examples for curl, PHP and JavaScript.""",
    "fr": """\
Faites envoyer par le code qui reçoit votre formulaire, ou par votre CRM, du JSON à
{url}
avec l’en-tête X-Bridge-Signature: sha256=<HMAC-SHA256 du corps avec le secret, en hexadécimal>.
Il doit contenir au moins {{"event_name": "Lead", "user_data": {{"email": "..."}}}}.
docs/forms.md décrit chaque champ et donne des exemples pour curl, PHP et JavaScript.""",
}


class Forms(SourceAdapter):
    """Forms and CRMs, by signed JSON."""

    kind = "forms"
    label = "Forms and CRM"
    labels: Mapping[str, str] = {"fr": "Formulaires et CRM"}
    topics: Mapping[str, str] = {TOPIC: Occasion.FORM_SUBMITTED}
    settings = (
        Setting(
            name="secret",
            label="Signing secrets",
            help="A long random text of your own that your code signs with; one a line while "
            "you rotate.",
            secret=True,
            many=True,
            texts={
                "fr": (
                    "Secrets de signature",
                    (
                        "Un long texte aléatoire à vous, avec lequel votre code signe ; un par "
                        "ligne pendant que vous en changez."
                    ),
                )
            },
        ),
        Setting(
            name="shop_country",
            label="Country",
            help="Two letters, such as DE: where somebody counts as living whose country is not "
            "told.",
            required=False,
            texts={
                "fr": (
                    "Pays",
                    (
                        "Deux lettres, par exemple FR : le pays où est censée vivre une personne "
                        "dont le pays n’est pas indiqué."
                    ),
                )
            },
        ),
    )

    def verify(self, request: Request, settings: Settings) -> Delivery:
        """Return the delivery; raises VerificationError.

        The topic is a label of the sender's own and not signed; it changes nothing.
        """
        secrets = split_secrets(settings.get("secret", ""))
        if not _matches(secrets, request.body, request.header("X-Bridge-Signature")):
            raise VerificationError("X-Bridge-Signature does not match any signing secret")
        topic = request.header("X-Bridge-Topic")
        return Delivery(
            topic=topic if TOPIC_FORM.match(topic) else TOPIC,
            key=fingerprint(request.body),
            body=request.body,
        )

    def translate(self, delivery: Delivery, settings: Settings) -> Iterable[Fact]:  # noqa: ARG002  # the contract's signature
        """Return the events of the body, all or none; raises TranslationError."""
        return read_delivery(delivery)

    def sign(self, topic: str, body: bytes, settings: Settings) -> Mapping[str, str]:
        """Return the headers of a delivery, signed with the first secret."""
        secrets = split_secrets(settings.get("secret", "")) or [""]
        return {
            "Content-Type": "application/json",
            "X-Bridge-Topic": topic,
            "X-Bridge-Signature": _signature(secrets[0], body),
        }

    def samples(self) -> Sequence[Sample]:
        """Return a lead, and the same lead when it was qualified."""
        return [
            Sample(name=name, topic=TOPIC, body=(SAMPLES / f"{name}.json").read_bytes())
            for name in SAMPLE_NAMES
        ]

    def instructions(self, webhook_url: str, language: str = "en") -> str:
        """Return how to post to the bridge."""
        return INSTRUCTIONS.get(language, INSTRUCTIONS["en"]).format(url=webhook_url)


def _signature(secret: str, body: bytes) -> str:
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def _matches(secrets: Sequence[str], body: bytes, signature: str) -> bool:
    """Return whether *signature* is that of any secret, compared in constant time as bytes.

    Some languages write hex digits in upper case.
    """
    given = signature.strip().lower().encode("utf-8", "surrogatepass")
    found = False
    for secret in secrets:
        found |= hmac.compare_digest(_signature(secret, body).encode(), given)
    return found


adapter = Forms()
