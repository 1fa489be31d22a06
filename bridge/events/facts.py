"""What an adapter can report: facts, as frozen keyword-only dataclasses.

Money is `Decimal` in major units, times are aware and UTC, ids are strings.  None always
means "the shop did not say"; a fact the shop did not send is never invented.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Occasion(StrEnum):
    """What happened, in our words, before the plan names it.  A topic may stand instead."""

    PURCHASE = "purchase"
    CHECKOUT_STARTED = "checkout_started"
    PAYMENT_INFO_ADDED = "payment_info_added"
    CART_ADDED = "cart_added"
    CUSTOMER_REGISTERED = "customer_registered"
    SUBSCRIPTION_STARTED = "subscription_started"
    SUBSCRIPTION_RENEWED = "subscription_renewed"
    REFUND = "refund"
    FORM_SUBMITTED = "form_submitted"


class Channel(StrEnum):
    """Where a sale was made."""

    WEB = "web"
    POS = "pos"
    DRAFT = "draft"
    RENEWAL = "renewal"
    MARKETPLACE = "marketplace"
    IMPORT = "import"
    ADMIN = "admin"


class OrderState(StrEnum):
    """How far an order has come, read from its body, never from the topic."""

    DRAFT = "draft"
    PLACED = "placed"
    AUTHORIZED = "authorized"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


@dataclass(frozen=True, kw_only=True)
class UserData:
    """Who it was, in plain text as the shop sent it; destinations normalise and hash.

    `country` is an ISO 3166-1 alpha-2 code of the address the other fields come from.
    `fbclid_at` is when the click id was first seen.  `phone_country` is where a national
    phone number is to be read; None means `country`.  `lead_id` is the platform's own number
    of a lead from its instant forms.
    """

    email: str | None = None
    phone: str | None = None
    phone_country: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    gender: str | None = None
    birthday: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    country: str | None = None
    customer_id: str | None = None
    subscription_id: str | None = None
    client_ip_address: str | None = None
    client_user_agent: str | None = None
    fbp: str | None = None
    fbc: str | None = None
    fbclid: str | None = None
    fbclid_at: datetime | None = None
    lead_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """An order's money on one side, in one currency.

    `total` is what the buyer pays.  `items` (before discounts), `discount` (on items,
    positive), `shipping` and `fees` (tips and duties too) are all WITHOUT tax;
    `tax` is all tax, of which `shipping_tax` and `fees_tax` are parts.  So
    ``total = items - discount + shipping + fees + tax``, up to the shop's rounding.
    """

    currency: str
    total: Decimal
    items: Decimal | None = None
    discount: Decimal = Decimal(0)
    shipping: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    shipping_tax: Decimal = Decimal(0)
    fees_tax: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Content:
    """One line.  `price` is per unit, after discounts, tax included; `tax` is the tax in it.

    Ids are None where the line has none (custom lines, tips).  `kind` is ``product``,
    ``gift_card``, ``tip`` or ``custom``.
    """

    product_id: str | None = None
    variant_id: str | None = None
    sku: str | None = None
    title: str | None = None
    quantity: int = 1
    price: Decimal | None = None
    tax: Decimal = Decimal(0)
    cost: Decimal | None = None
    kind: str = "product"


@dataclass(frozen=True, kw_only=True)
class Basket:
    """Amounts and lines on one money side."""

    amounts: Amounts | None = None
    contents: tuple[Content, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Consent:
    """What the buyer said about marketing, as it was handed on.

    `marketing` and `sale_of_data` are True (granted), False (denied) or None (not said).
    `source` names where it was read, such as ``note_attributes:_capi_consent``.
    """

    marketing: bool | None = None
    sale_of_data: bool | None = None
    at: datetime | None = None
    source: str


@dataclass(frozen=True, kw_only=True)
class OriginalEvent:
    """The earlier event that this one belongs to."""

    event_name: str
    event_id: str | None = None
    event_time: datetime | None = None
    order_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Event:
    """An occasion with its subject.

    `subject_id` makes the event id: order id, checkout token, the sender's id.
    `event_time` is when it happened (a payment's time where the shop tells it, else the
    order's creation).  `event_id` is set only where the shop carries one already.
    `updated_at` orders what is told of one order; a stale state never replaces a newer one.
    `basket` is what the buyer saw; `shop_basket` the same in the shop's own currency, where
    the shop has two sides.  `country` and `state` say where the buyer lives (billing, else
    shipping), for the rules of consent.  `visitor_keys` are unguessable tokens (cart,
    checkout, order key) shared with the browser.  `sent_elsewhere` is True where the order
    carries the mark of another tool that has sent it.  `subscription` is True for the first
    order of a subscription, `customer_is_new` says what the shop told about earlier orders.
    A refund's basket holds the money that was really returned, as a positive total.
    `collected` marks what a browser reported without a signature.
    A form or CRM may also say its `action_source` (None: that of the channel), the
    `original_event` that this one belongs to, and in `extra` custom properties to be sent.
    """

    occasion: str
    subject_id: str
    event_time: datetime
    topic: str = ""
    event_id: str | None = None
    updated_at: datetime | None = None
    created_at: datetime | None = None
    paid_at: datetime | None = None
    channel: Channel | None = None
    order_state: OrderState | None = None
    order_id: str | None = None
    order_number: str | None = None
    test: bool = False
    payment_methods: tuple[str, ...] = ()
    cash_on_delivery: bool = False
    sent_elsewhere: bool = False
    subscription: bool = False
    customer_is_new: bool | None = None
    customer_role: str | None = None
    tags: tuple[str, ...] = ()
    user_data: UserData = field(default_factory=UserData)
    basket: Basket = field(default_factory=Basket)
    shop_basket: Basket | None = None
    country: str | None = None
    state: str | None = None
    event_source_url: str | None = None
    referrer_url: str | None = None
    visitor_keys: tuple[str, ...] = ()
    consent: Consent | None = None
    collected: bool = False
    action_source: str | None = None
    original_event: OriginalEvent | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CartSnapshot:
    """A cart's lines at a time; the bridge diffs it with the last one.

    `first` is True when the shop says that the cart is new, so that all lines were added.
    """

    cart_token: str
    at: datetime
    first: bool
    currency: str | None
    contents: tuple[Content, ...]


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """What the browser told, and the unguessable keys it is joined by."""

    keys: tuple[str, ...]
    at: datetime
    user_data: UserData = field(default_factory=UserData)
    event_source_url: str | None = None
    consent: Consent | None = None


@dataclass(frozen=True, kw_only=True)
class OrderCancelled:
    """An order died: what still waits is skipped."""

    order_id: str
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Redaction:
    """Erase a person (any of the ids), or with `whole_shop` everything of the shop."""

    customer_id: str | None = None
    email: str | None = None
    phone: str | None = None
    order_ids: tuple[str, ...] = ()
    whole_shop: bool = False


@dataclass(frozen=True, kw_only=True)
class DataRequest:
    """A person asks what is kept of them; the operator answers.  `request_id` is the case."""

    request_id: str | None = None
    customer_id: str | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, kw_only=True)
class Disconnected:
    """The shop revoked our access."""

    at: datetime | None = None


Fact = Event | CartSnapshot | Visitor | OrderCancelled | Redaction | DataRequest | Disconnected
