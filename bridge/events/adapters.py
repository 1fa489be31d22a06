"""The two contracts: what a source adapter and a destination adapter are.

An adapter is a folder in `adapters/` whose module ends in ``adapter = Name()``.  Adapters
are pure: they open no socket, read no clock and keep no state.  `bridge.events.testing`
has the tests that every adapter must pass.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from .conversion import Conversion
from .facts import Fact

if TYPE_CHECKING:
    from .shop import Finding, ShopAdmin

Settings = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting of an adapter: forms, commands, validation and docs are made of it.

    `secret` values are write-only.  `many` values hold one entry a line.  `help` says in one
    sentence where to find the value.  `remembered` values are written by the adapter itself
    through `Shop.remember`: no form asks for them.  `texts` are label and help in languages other
    than English.
    """

    name: str
    label: str
    help: str = ""
    secret: bool = False
    many: bool = False
    required: bool = True
    default: str = ""
    choices: tuple[str, ...] = ()
    remembered: bool = False
    texts: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def in_language(self, language: str) -> "Setting":
        """Return this setting with label and help in *language*, where it has them."""
        label, told = self.texts.get(language, (self.label, self.help))
        return replace(self, label=label, help=told)


@dataclass(frozen=True, kw_only=True)
class Request:
    """An HTTP request, in or out.  Header names are looked up without regard to case."""

    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    url: str = ""

    def header(self, name: str) -> str:
        """Return the header's value, or an empty text."""
        wanted = name.lower()
        for key, value in self.headers.items():
            if key.lower() == wanted:
                return value
        return ""


@dataclass(frozen=True, kw_only=True)
class Response:
    """An HTTP answer, whatever its body is."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One verified webhook.

    `key` is unique a source: the same delivery sent again has the same key.  `headers` are
    the few that translation needs.  `received_at` is set by the bridge when it is stored.
    """

    topic: str
    key: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    received_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A delivery to show the product with: its name, topic and raw body."""

    name: str
    topic: str
    body: bytes


@dataclass(frozen=True, kw_only=True)
class OtherSender:
    """Another tool of such shops that may report the same sales to the platform.

    `sides` are where it reports from: ``browser``, ``server``.  `ids` says which event id its
    purchase has: ``shared`` (the order carries it, see `Event.event_id`), ``chosen`` (the
    operator sets it) or ``own`` (nobody else can make it).  `marks_orders` is True where orders
    tell that it sent them (`Event.sent_elsewhere`).  `label` and `switch`, what exactly to turn
    off, are texts by language; English is always there.
    """

    name: str
    label: Mapping[str, str]
    switch: Mapping[str, str]
    sides: tuple[str, ...] = ("browser",)
    ids: str = "own"
    marks_orders: bool = False


class SourceAdapter:
    """A shop system.

    `labels` are the label in languages other than English, where it is no name.  `topics` maps
    each topic it reads to the occasion or fact it may report.  `local_ids` is True where the
    shop system's ids are only unique within one shop.  `secret_setting` names the setting that
    holds the webhook secrets.  `admin` is None where the shop system has no API that we use:
    then webhooks are made by hand.  `other_senders` are tools of its own that may report the
    same sales.  `first_settings` name the few that suffice to connect a shop that `admin` can
    see to; a form asks for the others later.
    """

    kind: str
    label: str
    labels: Mapping[str, str] = {}
    settings: tuple[Setting, ...] = ()
    first_settings: tuple[str, ...] = ()
    other_senders: tuple[OtherSender, ...] = ()
    topics: Mapping[str, str] = {}
    local_ids = False
    secret_setting = "secret"
    admin: "ShopAdmin | None" = None

    def refuse(self, settings: Settings) -> None:
        """Raise BridgeError, ``<setting>: <what to write>``, for what cannot be meant."""

    def verify(self, request: Request, settings: Settings) -> Delivery | None:
        """Return the delivery that *request* carries; None for a ping that wants a 200.

        Raises VerificationError.  Judges the raw bytes; parses nothing.
        """
        raise NotImplementedError

    def translate(self, delivery: Delivery, settings: Settings) -> Iterable[Fact]:
        """Yield what *delivery* tells; nothing if its topic is of no interest.

        Raises TranslationError for a body that cannot be understood at all.
        """
        raise NotImplementedError

    def sign(self, topic: str, body: bytes, settings: Settings) -> Mapping[str, str]:
        """Return the headers with which the shop system would send *body*."""
        raise NotImplementedError

    def samples(self) -> Sequence[Sample]:
        """Return deliveries with invented people, for the demo; their times are re-dated."""
        return ()

    def companion(self) -> tuple[str, bytes] | None:
        """Return file name and bytes of what is to be installed in the shop; None if nothing is."""
        return None

    def instructions(self, webhook_url: str, language: str = "en") -> str:
        """Return in plain words how to connect the shop by hand; English for another language."""
        del language
        return webhook_url

    def browser_script(self, collect_url: str) -> str | None:
        """Return the storefront script that posts to *collect_url*; None if there is none.

        It adds what webhooks lack (cookies, page, consent) and never reports a purchase.
        """


class Outcome(StrEnum):
    """What an answer means for the events of the request.

    ACCEPTED all are in · DOUBTFUL the platform counted fewer than we sent · AMBIGUOUS sent,
    but no sound answer · RETRY a passing fault · THROTTLED slow down · REFUSED the platform
    will not take at least one event: split · TOO_LARGE split · PARKED token, permission or
    configuration: the destination waits for its operator, no event is blamed.
    """

    ACCEPTED = "accepted"
    DOUBTFUL = "doubtful"
    AMBIGUOUS = "ambiguous"
    RETRY = "retry"
    THROTTLED = "throttled"
    REFUSED = "refused"
    TOO_LARGE = "too_large"
    PARKED = "parked"


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the platform answered to one request.

    `reason` is a short word (``token``, ``permission``, ``100/2804003``); `message` is the
    platform's own sentence without personal data.  `retry_after_s` is what it asked for.
    """

    outcome: Outcome
    status: int = 0
    accepted: int | None = None
    reason: str = ""
    message: str = ""
    trace_id: str = ""
    retry_after_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Quality:
    """How good the platform finds the events of one name; None: it did not say.

    `match_score` is from 0 to 10, percentages from 0 to 100.
    """

    event_name: str
    match_score: float | None = None
    coverage_percent: float | None = None
    dedup_percent: float | None = None
    freshness: str = ""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where a destination's API is: base URL and version, from the environment."""

    url: str
    version: str


class DestinationAdapter:
    """An advertising platform.

    `labels` are as a source's.  `max_batch` events go in one request at most.
    `standard_events` are the names it knows.
    """

    kind: str
    label: str
    labels: Mapping[str, str] = {}
    settings: tuple[Setting, ...] = ()
    max_batch = 1
    standard_events: tuple[str, ...] = ()

    def max_age(self, action_source: str) -> timedelta:
        """Return how old an event of this kind may be when it is sent."""
        raise NotImplementedError

    def render(self, conversion: Conversion, settings: Settings) -> bytes:
        """Return the event as the platform gets it: JSON, normalised and hashed.

        Raises RenderError for an event that the platform would refuse or drop in silence.
        """
        raise NotImplementedError

    def request(
        self,
        payloads: Sequence[bytes],
        settings: Settings,
        endpoint: Endpoint,
        test_event_code: str = "",
    ) -> Request:
        """Return the request that sends *payloads*; no secret in its URL or body."""
        raise NotImplementedError

    def read(self, response: Response, count: int) -> Receipt:
        """Return what *response* means for the *count* events of its request.

        Never raises, whatever the answer is.
        """
        raise NotImplementedError

    def dataset_request(self, settings: Settings, endpoint: Endpoint) -> Request | None:
        """Return a request that only reads, to see whether access works; None if there is none."""

    def read_dataset(self, response: Response) -> "Finding":
        """Return what the answer to `dataset_request` says.  Never raises."""
        raise NotImplementedError

    def quality_request(self, settings: Settings, endpoint: Endpoint) -> Request | None:
        """Return a request that reads how good the events are; None: there is none."""

    def read_quality(self, response: Response) -> "list[Quality] | None":
        """Return the quality by event name; None where it may not be read.  Never raises."""


def as_json(value: object) -> bytes:
    """Return *value* as compact JSON in UTF-8."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
