"""What becomes of an event on a route: Send, Skip with a reason, or Wait."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bridge.consent import Decision, judge
from bridge.events import Channel, Event, Occasion, OrderState
from bridge.plan import ChannelRules, Rules

SALES = {Occasion.PURCHASE, Occasion.SUBSCRIPTION_STARTED, Occasion.SUBSCRIPTION_RENEWED}
OWN_NAME = {Occasion.PURCHASE, Occasion.SUBSCRIPTION_RENEWED}
FUTURE = timedelta(days=2)
# Time cures these: a later delivery, or the end of the hold, may turn them into Send.  A
# refund may arrive before the payment that it undoes (see `orders.current`).
CURABLE = {"not_paid", "held", "refunded"}

# Every reason, in plain English.  ``invalid:<field>`` and ``excluded:<what>`` are looked up by
# their first word, see `sentence`.
REASONS: Mapping[str, str] = {
    "event_off": "The tagging plan does not send this occasion.",
    "test_order": "It is a test order.",
    "channel": "The tagging plan does not send sales of this channel.",
    "channel:unknown": "The shop does not say where this sale was made.",
    "cancelled": "The order was cancelled.",
    "refunded": "The order was refunded.",
    "unknown_state": "The order's state is not one that we know.",
    "not_paid": "The order does not count as paid yet; it is decided again when that changes.",
    "sent_elsewhere": "The order says that another tool has sent it to the same dataset.",
    "before_go_live": "It happened before this route went live.",
    "toggled_off": "This event is switched off on this route.",
    "import_burst": "So many orders a minute in this channel are taken for an import.",
    "other_market": "The tagging plan sends this market to another destination.",
    "excluded": "The tagging plan excludes this buyer or way of payment.",
    "zero_value": "The order costs nothing.",
    "invalid": "Meta would refuse it, for the field named.",
    "consent_denied": "The buyer said no.",
    "consent_unknown": "The buyer's consent is not known, and the plan asks for it here.",
    "expired": "It is older than Meta accepts.",
    "held": "It waits for the hold of the tagging plan to end.",
    "unreadable": "What was kept of it can no longer be read.",
    "erased": "The data of its person were erased.",
    "no_route": "The route was removed while it waited.",
    "shadow": "The route runs in shadow mode: everything but the sending was done.",
    "decided_before": "An earlier delivery has told of it already.",
}


def sentence(reason: str) -> str:
    """Return what *reason* means in plain English; empty for a word that is none of ours."""
    return REASONS.get(reason) or REASONS.get(reason.partition(":")[0], "")


@dataclass(frozen=True, kw_only=True)
class RouteView:
    """What policy needs to know of a route; an event name without a toggle is on.

    `recent` counts the orders of each channel that arrived within the last minute.
    """

    destination: str = ""
    recent: Mapping[str, int] = field(default_factory=dict)
    toggles: Mapping[str, bool] = field(default_factory=dict)
    live_since: datetime | None = None
    mode: str = "live"


@dataclass(frozen=True, kw_only=True)
class Send:
    """To be sent under this name; `browser` is False where no shopper's browser took part."""

    event_name: str
    action_source: str
    decision: Decision
    browser: bool = True


@dataclass(frozen=True, kw_only=True)
class Skip:
    """Not to be sent; `decision` is there where consent was judged."""

    reason: str
    event_name: str
    decision: Decision | None = None

    @property
    def curable(self) -> bool:
        """Return whether a later delivery may turn this into Send."""
        return self.reason in CURABLE


@dataclass(frozen=True, kw_only=True)
class Wait:
    """To be decided again at `until`, under the rules of that moment."""

    until: datetime
    reason: str
    event_name: str
    decision: Decision


Verdict = Send | Skip | Wait


def occasions(event: Event) -> tuple[Event, ...]:
    """Return *event*, and with the first order of a subscription the start of that too."""
    if not event.subscription or event.occasion != Occasion.PURCHASE:
        return (event,)
    # An id that the shop carries is that of the purchase.
    return event, replace(event, occasion=Occasion.SUBSCRIPTION_STARTED, event_id=None)


@dataclass(frozen=True, kw_only=True)
class _Case:
    """One event on one route, with what the plan says about its name and channel."""

    event: Event
    rules: Rules
    route: RouteView
    now: datetime
    name: str
    sale: bool
    channel: Channel | None
    channel_rules: ChannelRules
    browser: bool


def decide(
    event: Event,
    rules: Rules,
    route: RouteView,
    now: datetime,
    *,
    shop_country: str | None,
    max_age: Callable[[str], timedelta],
) -> Verdict:
    """Return the verdict on *event* at *now*.

    *max_age* tells by action source how old an event may be when it is sent.  The first
    check that finds a reason decides; `CHECKS` has their order.
    """
    name = rules.events.name(event.occasion)
    if name is None:
        known = rules.events.names.get(event.occasion)
        return Skip(reason="event_off", event_name=known or event.occasion)
    case = _case(event, rules, route, now, name)
    for check in CHECKS:
        if reason := check(case):
            return Skip(reason=reason, event_name=case.name)
    country, state = _home(event, shop_country)
    decision = judge(
        event.consent, country, state, rules, event_name=case.name, browser=case.browser
    )
    if not decision.allowed:
        return Skip(reason=decision.reason, event_name=case.name, decision=decision)
    source = case.channel_rules.action_source
    if now - event.event_time > max_age(source):
        return Skip(reason="expired", event_name=case.name, decision=decision)
    if (until := _hold_ends(case)) > now:
        return Wait(until=until, reason="held", event_name=case.name, decision=decision)
    return Send(event_name=case.name, action_source=source, decision=decision, browser=case.browser)


def _case(event: Event, rules: Rules, route: RouteView, now: datetime, name: str) -> _Case:
    # Whoever reports a purchase by its event name must show an order's state and channel too.
    sale = event.occasion in SALES or name == rules.events.names.get(Occasion.PURCHASE)
    refund = event.occasion == Occasion.REFUND
    channel = event.channel or (None if sale or refund else Channel.WEB)
    own = rules.channels[channel] if channel else ChannelRules(send=refund)
    if refund:  # made by the shop, long after the browser has gone; it may not tell the channel
        own = replace(own, action_source="system_generated")
    elif event.occasion in OWN_NAME and own.event_name:
        name = own.event_name
    return _Case(
        event=event,
        rules=rules,
        route=route,
        now=now,
        name=name,
        sale=sale,
        channel=channel,
        channel_rules=own,
        browser=channel is Channel.WEB and not refund,
    )


def _test_order(case: _Case) -> str:
    wanted = case.rules.purchase.test_orders
    fine = wanted == "send" or (wanted == "test" and case.route.mode == "test")
    return "test_order" if case.event.test and not fine else ""


def _channel(case: _Case) -> str:
    return "" if case.channel_rules.send else f"channel:{case.channel or 'unknown'}"


def _order_state(case: _Case) -> str:
    if not case.sale:
        return ""
    match case.event.order_state:
        case None:
            return "unknown_state"
        case OrderState.CANCELLED | OrderState.REFUNDED as state:
            return str(state)
        case _:
            return "" if _counts(case) else "not_paid"


def _counts(case: _Case) -> bool:
    event, purchase = case.event, case.rules.purchase
    on_placement = any(
        method in purchase.placed_payment_methods for method in event.payment_methods
    )
    if event.cash_on_delivery:
        # Shops call such an order paid before the money is there; only its time proves it.
        if purchase.cash_on_delivery == "paid":
            return event.paid_at is not None
        on_placement = True
    if on_placement:
        return event.order_state is not OrderState.DRAFT
    return event.order_state in (case.channel_rules.states or purchase.paid_states)


def _sent_elsewhere(case: _Case) -> str:
    shared = case.rules.purchase.other_tool_shares_dataset
    return "sent_elsewhere" if shared and case.event.sent_elsewhere else ""


def _go_live(case: _Case) -> str:
    since = case.route.live_since
    return "before_go_live" if since and _created(case.event) < since else ""


def _toggle(case: _Case) -> str:
    return "" if case.route.toggles.get(case.name, True) else "toggled_off"


def _excluded(case: _Case) -> str:
    event, who = case.event, case.rules.who
    email = (event.user_data.email or "").strip().casefold()
    domain = "." + email.rpartition("@")[2]
    only = case.channel_rules.payment_methods
    if _share(event.tags, who.exclude_tags):
        return "excluded:tag"
    if email and email in {one.casefold() for one in who.exclude_emails}:
        return "excluded:email"
    if any(domain.endswith("." + one.casefold().lstrip("@.")) for one in who.exclude_domains):
        return "excluded:domain"
    if event.customer_role and _share((event.customer_role,), who.exclude_roles):
        return "excluded:role"
    if _share(event.payment_methods, who.exclude_payment_methods):
        return "excluded:payment_method"
    if case.sale and only and not _share(event.payment_methods, only):
        return "excluded:payment_method"
    if case.sale and who.new_customers_only and event.customer_is_new is not True:
        return "excluded:not_new"
    return ""


def _burst(case: _Case) -> str:
    """An import through the shop's API makes orders faster than people do."""
    limit = case.rules.purchase.burst
    if not case.sale or not limit or case.channel in {None, Channel.WEB, Channel.POS}:
        return ""
    return "import_burst" if case.route.recent.get(str(case.channel), 0) > limit else ""


def _market(case: _Case) -> str:
    own = case.rules.destinations.get(case.route.destination)
    amounts = case.event.basket.amounts or (
        case.event.shop_basket.amounts if case.event.shop_basket else None
    )
    if own is None:
        return ""
    currency = amounts.currency.upper() if amounts else ""
    country = (case.event.country or case.event.user_data.country or "").upper()
    wrong_currency = own.currencies and currency not in {one.upper() for one in own.currencies}
    return (
        "other_market" if wrong_currency or (own.countries and country not in own.countries) else ""
    )


def _amounts(case: _Case) -> str:
    event = case.event
    baskets = (event.basket, event.shop_basket)
    sides = [basket.amounts for basket in baskets if basket and basket.amounts]
    if case.sale and not sides:
        return "invalid:value"
    for amounts in sides:
        if not amounts.total.is_finite() or amounts.total < 0:
            return "invalid:value"
        if not re.fullmatch("[A-Za-z]{3}", amounts.currency):
            return "invalid:currency"
    if case.sale and sides[0].total == 0 and case.rules.purchase.zero_value == "skip":
        return "zero_value"
    return "invalid:event_time" if event.event_time - case.now > FUTURE else ""


# Only `not_paid` is cured by time, so it comes before what is final.
CHECKS: tuple[Callable[[_Case], str], ...] = (
    _test_order,
    _channel,
    _order_state,
    _sent_elsewhere,
    _go_live,
    _toggle,
    _burst,
    _market,
    _excluded,
    _amounts,
)


def _home(event: Event, shop_country: str | None) -> tuple[str | None, str | None]:
    """Return country and state of the buyer, else the shop's country and no state."""
    if event.country:
        return event.country, event.state
    if event.user_data.country:
        return event.user_data.country, event.user_data.state
    return shop_country, None


def _hold_ends(case: _Case) -> datetime:
    minutes = case.rules.purchase.hold_minutes if case.sale else 0
    return min(_created(case.event), case.now) + timedelta(minutes=minutes)


def _created(event: Event) -> datetime:
    return event.created_at or event.event_time


def _share(ours: tuple[str, ...], listed: tuple[str, ...]) -> bool:
    return bool({one.casefold() for one in ours} & {one.casefold() for one in listed})
