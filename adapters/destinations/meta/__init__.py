"""Meta: events for a dataset by the Conversions API."""

from collections.abc import Sequence
from datetime import timedelta

from adapters.destinations.meta import quality
from adapters.destinations.meta.read import read
from adapters.destinations.meta.render import render
from adapters.destinations.meta.request import MAX_BATCH, build
from bridge.events import (
    Conversion,
    DestinationAdapter,
    Endpoint,
    Finding,
    Quality,
    Receipt,
    Request,
    Response,
    Setting,
    Settings,
)

# Meta refuses the whole request for one event over 7 days (62 in a store); the two hours are
# for the queue, clocks that differ, and splitting a refused batch.
# Source: Meta, conversions-api/using-the-api and offline-events (read 2026-11-23).
_MARGIN = timedelta(hours=2)
_MAX_AGE = timedelta(days=7) - _MARGIN
_MAX_AGE_IN_STORE = timedelta(days=62) - _MARGIN


class Meta(DestinationAdapter):
    """The Conversions API of Meta."""

    kind = "meta"
    label = "Meta"
    settings = (
        Setting(
            name="dataset_id",
            label="Dataset (Pixel) ID",
            help="Events Manager > Data sources > your dataset > Settings: the number under its"
            " name.",
            texts={
                "fr": (
                    "Identifiant de l’ensemble de données (pixel)",
                    (
                        "Gestionnaire d’événements > Sources de données > votre ensemble de "
                        "données > Paramètres : le nombre sous son nom."
                    ),
                )
            },
        ),
        Setting(
            name="access_token",
            label="Access token",
            help="Events Manager > your dataset > Settings > Conversions API > Generate access"
            " token.",
            secret=True,
            texts={
                "fr": (
                    "Jeton d’accès",
                    (
                        "Gestionnaire d’événements > votre ensemble de données > Paramètres > API "
                        "Conversions > Générer un jeton d’accès."
                    ),
                )
            },
        ),
        Setting(
            name="app_secret",
            label="App secret",
            help="Only if your own app requires it: App Dashboard > App settings > Basic.  Leave"
            " it empty with a token from Events Manager.",
            secret=True,
            required=False,
            texts={
                "fr": (
                    "Clé secrète de l’app",
                    (
                        "Seulement si votre propre app l’exige : tableau de bord de l’app > "
                        "Paramètres de l’app > Général. Laissez vide avec un jeton du Gestionnaire "
                        "d’événements."
                    ),
                )
            },
        ),
        Setting(
            name="partner_agent",
            label="Partner agent",
            help="Only for agencies: your platform's name, under 23 characters, by which Meta's"
            " quality reports can be filtered.",
            required=False,
            texts={
                "fr": (
                    "Agent partenaire",
                    (
                        "Seulement pour les agences : le nom de votre plateforme, moins de 23 "
                        "caractères, par lequel se filtrent les rapports de qualité de Meta."
                    ),
                )
            },
        ),
    )
    max_batch = MAX_BATCH
    # Source: Meta, meta-pixel/reference (read 2026-11-23).
    standard_events = (
        "AddPaymentInfo",
        "AddToCart",
        "AddToWishlist",
        "CompleteRegistration",
        "Contact",
        "CustomizeProduct",
        "Donate",
        "FindLocation",
        "InitiateCheckout",
        "Lead",
        "PageView",
        "Purchase",
        "Schedule",
        "Search",
        "StartTrial",
        "SubmitApplication",
        "Subscribe",
        "ViewContent",
    )

    def max_age(self, action_source: str) -> timedelta:
        """Return 6 days 22 hours, and 61 days 22 hours for a sale in a store."""
        return _MAX_AGE_IN_STORE if action_source == "physical_store" else _MAX_AGE

    def render(
        self,
        conversion: Conversion,
        settings: Settings,  # noqa: ARG002  # no setting changes an event's form
    ) -> bytes:
        """Return the server event as JSON; raises RenderError for what Meta would not take."""
        return render(conversion)

    def request(
        self,
        payloads: Sequence[bytes],
        settings: Settings,
        endpoint: Endpoint,
        test_event_code: str = "",
    ) -> Request:
        """Return the POST for at most 1,000 payloads; raises ConfigError for a bad setting."""
        return build(payloads, settings, endpoint, test_event_code)

    def read(self, response: Response, count: int) -> Receipt:
        """Return what Meta's answer means; the error code decides, then the status."""
        return read(response, count)

    def dataset_request(self, settings: Settings, endpoint: Endpoint) -> Request:
        """Return the GET that shows whether the token reaches the dataset."""
        return quality.dataset_request(settings, endpoint)

    def read_dataset(self, response: Response) -> Finding:
        """Return what the answer says of dataset and token."""
        return quality.read_dataset(response)

    def quality_request(self, settings: Settings, endpoint: Endpoint) -> Request:
        """Return the GET of the dataset's quality by event name."""
        return quality.quality_request(settings, endpoint)

    def read_quality(self, response: Response) -> list[Quality] | None:
        """Return the quality of each event name; None where the token may not read it."""
        return quality.read_quality(response)


adapter = Meta()
