"""An event after the plan has named and priced it, before a destination renders it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from .facts import OriginalEvent, UserData


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line as it is sent: `id` by the plan's template, unit price by its value rule."""

    id: str
    quantity: int
    item_price: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class CustomData:
    """What the event is about.  `extra` holds custom properties."""

    value: Decimal | None = None
    currency: str | None = None
    contents: tuple[Item, ...] = ()
    content_type: str | None = None
    order_id: str | None = None
    num_items: int | None = None
    net_revenue: Decimal | None = None
    predicted_ltv: Decimal | None = None
    status: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LimitedDataUse:
    """Meta's data processing option: country and state codes, 0 = let Meta geolocate."""

    country: int
    state: int


@dataclass(frozen=True, kw_only=True)
class Lender:
    """An earlier event of the same person, as this destination rendered it.

    It lends `fields` (of `UserData`, and ``external_id``) to an event of which the shop names
    nobody.
    """

    payload: bytes = field(repr=False)
    fields: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """One event as the plan wants it sent; `external_id` is already qualified by source."""

    event_name: str
    event_id: str
    event_time: datetime
    action_source: str
    user_data: UserData = field(default_factory=UserData)
    external_id: str | None = None
    lender: Lender | None = None
    custom_data: CustomData = field(default_factory=CustomData)
    event_source_url: str | None = None
    referrer_url: str | None = None
    limited_data_use: LimitedDataUse | None = None
    original_event: OriginalEvent | None = None
