"""Connecting a shop: what the bridge lends to an adapter, and what the adapter reports."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from .adapters import Delivery, Request, Response, Settings
from .errors import BridgeError


class ShopError(BridgeError):
    """The shop's API did not do what was asked; the text tells the operator what to do.

    `kind` is a short word: ``unauthorized``, ``scope``, ``not_found``, ``certificate``,
    ``timeout``, ``unreachable``, ``redirected``, ``address``, ``throttled``, ``permalinks``,
    ``refused`` or ``fault``.  `again` is True where a later try may succeed by itself.
    """

    def __init__(self, kind: str, sentence: str, *, again: bool = False) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.again = again


class Shop(Protocol):
    """One connected shop.  The bridge adds time-outs, retries, address checks and pinning."""

    @property
    def settings(self) -> Settings:
        """The source's settings, secrets included, as they are now."""

    def now(self) -> datetime:
        """Return the time, aware and UTC."""

    def request(self, request: Request) -> Response:
        """Send *request* and return the answer, whatever its status; redirects are not followed.

        Raises ShopError (``unreachable``, ``timeout``, ``certificate``, ``address``).  Safe
        methods are tried again by the bridge, others never.
        """

    def sleep(self, seconds: float) -> None:
        """Wait, as a throttled API asks; raises ShopError (``throttled``) if it asks too much."""

    def remember(self, values: Mapping[str, str]) -> None:
        """Store *values* (a renewed token) into the source's settings."""

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Hold a lock of this shop across all processes."""

    def heard_at(self) -> datetime | None:
        """Return when a ping or a verified delivery of this shop last reached us; None if never."""


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """One webhook of ours at the shop.

    `state` is ``active``, ``disabled`` (the shop stopped it), ``changed`` (somebody filters or
    reshapes what it delivers), ``silent`` (active, but it never reached us) or ``unavailable``
    (the shop does not know the topic, for want of our companion; its id is empty, and that is
    no fault).  `detail` is a sentence where something is wrong or worth knowing.
    """

    id: str
    topic: str
    url: str
    state: str = "active"
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check of a connected shop: `status` is ``ok``, ``warn`` or ``fail``."""

    name: str
    status: str
    message: str


@dataclass(frozen=True, kw_only=True)
class OrderPage:
    """Orders of the shop's own list, as deliveries in the webhook's shape.

    `listed` tells (order id, last change) of each, `keys` the key of its delivery by order id.
    `cursor` goes on after this page; None at the end.  `notes` say what the list cannot tell (no
    user agent).
    """

    deliveries: Sequence[Delivery]
    listed: Sequence[tuple[str, datetime]]
    keys: Mapping[str, str] = field(default_factory=dict, hash=False)
    cursor: str | None = None
    notes: Sequence[str] = field(default_factory=tuple)


class ShopAdmin(Protocol):
    """What a source adapter that can administer its shop has as its `admin` attribute."""

    def topics(self, settings: Settings) -> Sequence[str]:
        """Return the topics that are to be subscribed, in the shop system's words.

        Nothing where the settings hold no access to the shop's API: its webhooks are made by hand.
        """

    def check(self, shop: Shop) -> Sequence[Finding]:
        """Read only: credentials, scopes, versions, redaction, other senders.  Never raises."""

    def subscriptions(self, shop: Shop, webhook_url: str) -> Sequence[Subscription]:
        """Return our own webhooks: those whose address is *webhook_url*, begins with its origin
        and ``/webhooks/``, or ends like it from there on, for the bridge has moved; never those
        of others.  Raises ShopError.
        """

    def subscribe(self, shop: Shop, webhook_url: str, topic: str) -> Subscription:
        """Create the webhook, or return the one that is there.  Raises ShopError."""

    def unsubscribe(self, shop: Shop, subscription: Subscription) -> None:
        """Delete one webhook of ours; one that is gone is no error.  Raises ShopError."""

    def orders_since(self, shop: Shop, since: datetime, cursor: str | None) -> OrderPage:
        """Return the next page of orders changed at or after *since*, oldest change first.

        Raises ShopError.
        """

    def count_orders(self, shop: Shop, since: datetime) -> int | None:
        """Return how many orders changed at or after *since*; None if the shop cannot tell."""

    def unit_costs(self, shop: Shop) -> Mapping[str, Decimal] | None:
        """Return unit costs by SKU or id, in the shop's own currency; None if it tells none.

        Raises ShopError.
        """

    def authorize_url(
        self, settings: Settings, *, state: str, callback_url: str, return_url: str
    ) -> str | None:
        """Return where the operator's browser grants access; None if there is no such page."""

    def authorized(self, request: Request) -> tuple[str, Mapping[str, str]]:
        """Return (state, new settings) of the shop's call to *callback_url*.

        Raises VerificationError.
        """
