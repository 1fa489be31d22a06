"""What the store hands out and takes in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bridge.events import Delivery, Settings

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Keys of deliveries that the shop did not send by itself.
RECONCILED = "reconcile:"
COLLECTED_KEY = "collect:"
OWN_KEYS = (RECONCILED, COLLECTED_KEY)
UNREADABLE = "unreadable"  # a sealed value is missing or damaged; nothing can be made of it


def micros(moment: datetime) -> int:
    """Return *moment* as microseconds since 1970 UTC."""
    return (moment - EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """Return microseconds since 1970 as an aware time."""
    return EPOCH + timedelta(microseconds=value)


def storable(text: str) -> str:
    """Return *text* as both engines take it: no NUL, no half of a surrogate pair."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


@dataclass(frozen=True, kw_only=True)
class Source:
    """A connected shop.  `settings` are plain, secrets included.

    `collected_at` is when one of its visitors' browsers was last heard.
    """

    id: int
    kind: str
    name: str
    word: str
    state: str
    settings: Settings = field(repr=False)
    webhook_key: str = field(repr=False)
    collect_key: str = field(repr=False)
    created_at: int
    ping_at: int | None = None
    delivery_at: int | None = None
    collected_at: int | None = None


@dataclass(frozen=True, kw_only=True)
class Destination:
    """A connected dataset.  `reason` says why it is parked."""

    id: int
    kind: str
    name: str
    state: str
    reason: str
    settings: Settings = field(repr=False)
    next_at: int = 0
    failures: int = 0


@dataclass(frozen=True, kw_only=True)
class Route:
    """Source to destination: mode, toggles (event name to on), `live_since` in microseconds.

    A test ends at `test_until`: then the mode is `mode_after`.  `toggles_before` are those of
    before the last change, None if they were never changed.
    """

    source_id: int
    destination_id: int
    mode: str
    toggles: Mapping[str, bool]
    live_since: int | None
    test_event_code: str = ""
    test_until: int | None = None
    mode_after: str = ""
    toggles_before: Mapping[str, bool] | None = None


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to translate one source until it runs out."""

    source_id: int
    token: str


@dataclass(frozen=True, kw_only=True)
class StoredDelivery:
    """A delivery with its row id."""

    id: int
    delivery: Delivery = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class DeliveryEnd:
    """How a delivery ended: translated, ignored or dead, and why."""

    delivery_id: int
    state: str
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class OutboxRow:
    """One event for one destination, with its verdict.

    `replaces` is the id of the row that this verdict takes the place of; `payload` is set
    for pending and shadowed events, `held_event` and `next_at` for waiting ones.
    """

    source_id: int
    destination_id: int
    delivery_id: int | None
    mode: str
    occasion: str
    event_name: str
    event_id: str
    order_id: str | None
    order_number: str | None
    channel: str | None = None
    state: str
    reason: str = ""
    curable: bool = False
    event_at: int
    expires_at: int
    next_at: int
    plan_digest: str
    trace: str
    payload: bytes | None = field(default=None, repr=False)
    held_event: bytes | None = field(default=None, repr=False)
    held_keys: tuple[bytes, ...] = ()
    email_key: bytes | None = None
    phone_key: bytes | None = None
    customer_key: bytes | None = None
    replaces: int | None = None


@dataclass(frozen=True, kw_only=True)
class KnownRow:
    """What the outbox already holds of an event."""

    id: int
    destination_id: int
    source_id: int
    occasion: str
    event_name: str
    event_id: str
    order_id: str | None
    state: str
    reason: str
    curable: bool


@dataclass(frozen=True, kw_only=True)
class Sold:
    """A purchase in the outbox, with its `payload` while that is kept."""

    event_name: str
    event_id: str
    event_at: int
    order_number: str | None
    trace: str
    email_key: bytes | None
    phone_key: bytes | None
    customer_key: bytes | None
    payload: bytes | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class HeldEvent:
    """An event that waited long enough, as `plain.dump` wrote it."""

    outbox_id: int
    destination_id: int
    delivery_id: int
    event: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class VerdictRow:
    """What one delivery led to: send, skip or wait, and why.

    `channel` and `order_state` are as this delivery told them; later ones may tell more.
    """

    delivery_id: int
    destination_id: int
    event_name: str
    event_id: str
    verdict: str
    reason: str
    channel: str | None = None
    order_state: str | None = None


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """An event leased for sending."""

    id: int
    source_id: int
    attempts: int
    ambiguous_at: int | None
    payload: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What becomes of a claimed event after one request; `next_at` None: due as before."""

    id: int
    state: str
    reason: str = ""
    next_at: int | None = None
    attempts: int = 0
    ambiguous_at: int | None = None
