"""The rules of a plan, section by section, with their defaults.

`default.toml` says in words what each key does; these are the same keys.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from bridge.events import Channel, Occasion, OrderState
from bridge.plan.kinds import (
    COUNTRIES,
    CURRENCIES,
    EMAILS,
    NAME,
    SWITCH,
    TEXT,
    list_of,
    number,
    one_of,
    template,
    whole,
)

# EU members with the territories that have a code of their own, then the other EEA states,
# the United Kingdom and Switzerland.
OPT_IN_COUNTRIES = (
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
    *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    *("AX", "GF", "GP", "MF", "MQ", "RE", "YT"),
    *("IS", "LI", "NO", "GB", "CH"),
)
ACTION_SOURCES = (
    "website",
    "phone_call",
    "chat",
    "email",
    "physical_store",
    "system_generated",
    "other",
)
USER_DATA = (
    *("email", "phone", "first_name", "last_name", "gender", "city", "state", "zip"),
    *("country", "external_id", "subscription_id", "lead_id"),
    *("client_ip_address", "client_user_agent"),
    *("fbp", "fbc", "birthday"),
)
ONLY_ON_REQUEST = {"birthday"}
SALE_STATES = (
    OrderState.PLACED,
    OrderState.AUTHORIZED,
    OrderState.PAID,
    OrderState.PARTIALLY_REFUNDED,
)
Overrides = Mapping[str, Mapping[str, Any]]  # read and checked by the section's own kinds


@dataclass(frozen=True, kw_only=True)
class ConsentRules:
    """[consent]: what is asked of the buyer; `by_event` holds [consent.EVENT_NAME]."""

    mode: str = field(default="enforce", metadata=one_of("enforce", "off"))
    unknown_optin: str = field(default="skip", metadata=one_of("skip", "send"))
    unknown_elsewhere: str = field(default="send", metadata=one_of("send", "skip"))
    no_browser: str = field(default="skip", metadata=one_of("skip", "send"))
    us_opt_out: str = field(default="ldu", metadata=one_of("ldu", "skip"))
    opt_in_countries: tuple[str, ...] = field(default=OPT_IN_COUNTRIES, metadata=COUNTRIES)
    by_event: Overrides = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PurchaseRules:
    """[purchase]: when an order counts."""

    paid_states: tuple[str, ...] = field(
        default=("authorized", "paid", "partially_refunded"), metadata=list_of(*SALE_STATES)
    )
    cash_on_delivery: str = field(default="placed", metadata=one_of("placed", "paid"))
    placed_payment_methods: tuple[str, ...] = field(default=(), metadata=list_of())
    zero_value: str = field(default="skip", metadata=one_of("skip", "send"))
    test_orders: str = field(default="skip", metadata=one_of("skip", "test", "send"))
    other_tool_shares_dataset: bool = field(default=False, metadata=SWITCH)
    hold_minutes: int = field(default=0, metadata=whole(0, 60))
    burst: int = field(default=200, metadata=whole(0, 100_000))


@dataclass(frozen=True, kw_only=True)
class ChannelRules:
    """[channels.NAME]: whether and as what the sales of one channel are sent."""

    send: bool = field(default=False, metadata=SWITCH)
    action_source: str = field(default="other", metadata=one_of(*ACTION_SOURCES))
    event_name: str = field(default="", metadata=NAME)
    states: tuple[str, ...] = field(default=(), metadata=list_of(*SALE_STATES))
    payment_methods: tuple[str, ...] = field(default=(), metadata=list_of())


def _channels() -> dict[str, ChannelRules]:
    known = {
        Channel.WEB: ChannelRules(send=True, action_source="website"),
        Channel.POS: ChannelRules(action_source="physical_store"),
        Channel.DRAFT: ChannelRules(action_source="phone_call"),
        Channel.RENEWAL: ChannelRules(action_source="system_generated"),
    }
    return {str(channel): known.get(channel, ChannelRules()) for channel in Channel}


def _names() -> dict[str, str]:
    return {
        str(Occasion.PURCHASE): "Purchase",
        str(Occasion.CHECKOUT_STARTED): "InitiateCheckout",
        str(Occasion.PAYMENT_INFO_ADDED): "AddPaymentInfo",
        str(Occasion.CART_ADDED): "AddToCart",
        str(Occasion.FORM_SUBMITTED): "Lead",
        str(Occasion.CUSTOMER_REGISTERED): "CompleteRegistration",
        str(Occasion.SUBSCRIPTION_STARTED): "Subscribe",
        str(Occasion.SUBSCRIPTION_RENEWED): "Purchase",
        str(Occasion.REFUND): "Refund",
        "ViewContent": "ViewContent",
        "Search": "Search",
        "AddToWishlist": "AddToWishlist",
        "Contact": "Contact",
    }


def is_topic(word: str) -> bool:
    """Return whether *word* is a topic of a shop, such as ``orders/fulfilled``, by its form."""
    return "/" in word or "." in word


@dataclass(frozen=True, kw_only=True)
class EventRules:
    """[events]: the event name of each occasion; what is not named is not sent."""

    names: Mapping[str, str] = field(default_factory=_names)
    off: tuple[str, ...] = field(
        default=("customer_registered", "subscription_started", "subscription_renewed", "refund"),
        metadata=list_of(),
    )

    def name(self, occasion: str) -> str | None:
        """Return the event name of *occasion*; None if the plan has it off or no name.

        A browser or a form may report an event name itself: it is on if any occasion that is
        on has this name.
        """
        if occasion in self.names:
            return None if occasion in self.off else self.names[occasion] or None
        on = (name for key, name in self.names.items() if key not in self.off)
        return occasion if occasion and occasion in on else None


@dataclass(frozen=True, kw_only=True)
class ValueRules:
    """[value]: what an event is worth; `by_event` holds [value.EVENT_NAME]."""

    money: str = field(default="presentment", metadata=one_of("presentment", "shop"))
    basis: str = field(default="total", metadata=one_of("total", "margin"))
    tax: bool = field(default=True, metadata=SWITCH)
    shipping: bool = field(default=True, metadata=SWITCH)
    discounts: bool = field(default=True, metadata=SWITCH)
    fees: bool = field(default=True, metadata=SWITCH)
    margin_percent: Decimal = field(default=Decimal(100), metadata=number(0, 100))
    multiplier: Decimal = field(default=Decimal(1), metadata=number(0, 1000))
    minimum: Decimal = field(default=Decimal(0), metadata=number(0, 10**9))
    predicted_ltv: Decimal = field(default=Decimal(0), metadata=number(0, 1000))
    net_revenue: bool = field(default=False, metadata=SWITCH)
    by_event: Overrides = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ContentRules:
    """[contents]: which lines are sent and under which catalogue id.

    `by_event` holds [contents.EVENT_NAME].
    """

    id: str = field(
        default="{id}",
        metadata=template("id", "variant_id", "product_id", "sku", "country"),
    )
    prefix: str = field(default="", metadata=TEXT)
    suffix: str = field(default="", metadata=TEXT)
    country: str = field(default="", metadata=TEXT)
    content_type: str = field(default="product", metadata=one_of("product", "product_group"))
    gift_cards: bool = field(default=True, metadata=SWITCH)
    tips: bool = field(default=False, metadata=SWITCH)
    custom: bool = field(default=True, metadata=SWITCH)
    by_event: Overrides = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class WhoRules:
    """[who]: whose events are sent, and which of their data."""

    exclude_tags: tuple[str, ...] = field(default=(), metadata=list_of())
    exclude_emails: tuple[str, ...] = field(default=(), metadata=EMAILS)
    exclude_domains: tuple[str, ...] = field(default=(), metadata=list_of())
    exclude_payment_methods: tuple[str, ...] = field(default=(), metadata=list_of())
    exclude_roles: tuple[str, ...] = field(default=(), metadata=list_of())
    customers: str = field(default="shop", metadata=one_of("shop", "ledger"))
    new_customers_only: bool = field(default=False, metadata=SWITCH)
    segmentation: bool = field(default=False, metadata=SWITCH)
    user_data: tuple[str, ...] = field(
        default=tuple(key for key in USER_DATA if key not in ONLY_ON_REQUEST),
        metadata=list_of(*USER_DATA),
    )
    external_id: str = field(default="hashed_word", metadata=one_of("hashed_word", "raw"))
    restricted: bool = field(default=False, metadata=SWITCH)


@dataclass(frozen=True, kw_only=True)
class IdRules:
    """[ids]: templates that match ids already in use; an empty one is our own formula."""

    purchase: str = field(default="", metadata=template("order_id", "order_number", optional=True))
    order_id: str = field(default="{order_id}", metadata=template("order_id", "order_number"))


@dataclass(frozen=True, kw_only=True)
class FunnelRules:
    """[funnel]: carts and checkouts before the order."""

    debounce_seconds: int = field(default=8, metadata=whole(0, 60))
    wait_minutes: int = field(default=30, metadata=whole(0, 120))


@dataclass(frozen=True, kw_only=True)
class CollectorRules:
    """[collector]: which events the storefront script owns; the webhooks own the others."""

    events: tuple[str, ...] = field(
        default=("ViewContent", "Search", "AddToWishlist", "AddPaymentInfo", "Contact"),
        metadata=list_of(),
    )


@dataclass(frozen=True, kw_only=True)
class CustomRule:
    """[[custom]]: an event of the plan's own, for what meets every condition given."""

    name: str = field(default="", metadata=NAME)
    occasions: tuple[str, ...] = field(default=("purchase",), metadata=list_of())
    topics: tuple[str, ...] = field(default=(), metadata=list_of())
    channels: tuple[str, ...] = field(default=(), metadata=list_of(*Channel))
    states: tuple[str, ...] = field(default=(), metadata=list_of(*OrderState))
    tags: tuple[str, ...] = field(default=(), metadata=list_of())
    products: tuple[str, ...] = field(default=(), metadata=list_of())
    min_amount: Decimal = field(default=Decimal(0), metadata=number(0, 10**9))
    max_amount: Decimal = field(default=Decimal(10**9), metadata=number(0, 10**9))


@dataclass(frozen=True, kw_only=True)
class DestinationRules:
    """[destinations.NAME]: which markets go to this destination; an empty list is all."""

    currencies: tuple[str, ...] = field(default=(), metadata=CURRENCIES)
    countries: tuple[str, ...] = field(default=(), metadata=COUNTRIES)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """All rules that count for one source."""

    consent: ConsentRules = field(default_factory=ConsentRules)
    purchase: PurchaseRules = field(default_factory=PurchaseRules)
    channels: Mapping[str, ChannelRules] = field(default_factory=_channels)
    events: EventRules = field(default_factory=EventRules)
    value: ValueRules = field(default_factory=ValueRules)
    contents: ContentRules = field(default_factory=ContentRules)
    who: WhoRules = field(default_factory=WhoRules)
    ids: IdRules = field(default_factory=IdRules)
    funnel: FunnelRules = field(default_factory=FunnelRules)
    collector: CollectorRules = field(default_factory=CollectorRules)
    custom: tuple[CustomRule, ...] = ()
    destinations: Mapping[str, DestinationRules] = field(default_factory=dict)

    def custom_rule(self, occasion: str) -> CustomRule | None:
        """Return the plan's own event of this name."""
        return next((rule for rule in self.custom if rule.name == occasion), None)

    def event_names(self) -> set[str]:
        """Return every event name of the plan, those that are off included."""
        own = {channel.event_name for channel in self.channels.values()}
        return {*self.events.names.values(), *own, *(one.name for one in self.custom)} - {""}

    def needs_costs(self) -> bool:
        """Return whether any value of this plan is counted with the cost of goods."""
        all_values = [self.value, *(self.value_for(name) for name in self.value.by_event)]
        return any(one.basis == "margin" or one.net_revenue for one in all_values)

    def consent_for(self, event_name: str) -> ConsentRules:
        """Return [consent] with the event's own table laid over it."""
        own = self.consent.by_event.get(event_name)
        return replace(self.consent, **own) if own else self.consent

    def value_for(self, event_name: str) -> ValueRules:
        """Return [value] with the event's own table laid over it."""
        own = self.value.by_event.get(event_name)
        return replace(self.value, **own) if own else self.value

    def contents_for(self, event_name: str) -> ContentRules:
        """Return [contents] with the event's own table laid over it."""
        return replace(self.contents, **self.contents.by_event.get(event_name, {}))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A tagging plan, parsed: the rules for all, and those of sources with their own words."""

    base: Rules = field(default_factory=Rules)
    sources: Mapping[str, Rules] = field(default_factory=dict)

    def rules(self, source_name: str) -> Rules:
        """Return the rules that count for the source of this name."""
        return self.sources.get(source_name, self.base)
