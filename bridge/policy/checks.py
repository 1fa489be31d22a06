"""The checks that find a reason to skip an event, in the order in which they count."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.events import Channel, Event, Occasion, OrderState
from bridge.plan import ChannelRules, Rules

from .verdicts import RouteView

SALES = {Occasion.PURCHASE, Occasion.SUBSCRIPTION_STARTED, Occasion.SUBSCRIPTION_RENEWED}
OWN_NAME = {Occasion.PURCHASE, Occasion.SUBSCRIPTION_RENEWED}
BEFORE_THE_ORDER = {Occasion.CART_ADDED, Occasion.CHECKOUT_STARTED, Occasion.PAYMENT_INFO_ADDED}
FUTURE = timedelta(days=2)
# Channels on which many orders at once are good news, and no import.
BY_PEOPLE = frozenset({None, Channel.WEB, Channel.POS})
_CURRENCY = re.compile("[A-Za-z]{3}")


@dataclass(frozen=True, kw_only=True)
class Case:
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


def case_of(event: Event, rules: Rules, route: RouteView, now: datetime, name: str) -> Case:
    """Return the case of *event*, which the plan calls *name*, on *route*."""
    # Whoever reports a purchase by its event name must show an order's state and channel too.
    custom = rules.custom_rule(event.occasion)
    sale = event.occasion in SALES or name == rules.events.names.get(Occasion.PURCHASE)
    # An event of the plan's own counts as the order does, unless the plan names the states.
    sale = sale or bool(custom and event.order_state and not custom.states)
    refund = event.occasion == Occasion.REFUND
    channel = event.channel or (None if sale or refund else Channel.WEB)
    own = rules.channels[channel] if channel else ChannelRules(send=refund)
    if refund:  # made by the shop, long after the browser has gone; it may not tell the channel
        own = replace(own, action_source="system_generated")
    elif event.occasion in OWN_NAME and own.event_name:
        name = own.event_name
    if channel is Channel.WEB and not sale and event.action_source:
        own = replace(own, action_source=event.action_source)  # a form says how it was filled in
    return Case(
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


def _test_order(case: Case) -> str:
    wanted = case.rules.purchase.test_orders
    fine = wanted == "send" or (wanted == "test" and case.route.mode == "test")
    return "test_order" if case.event.test and not fine else ""


def _channel(case: Case) -> str:
    return "" if case.channel_rules.send else f"channel:{case.channel or 'unknown'}"


def _order_state(case: Case) -> str:
    if not case.sale:
        return ""
    match case.event.order_state:
        case None:
            return "unknown_state"
        case OrderState.CANCELLED | OrderState.REFUNDED as state:
            return str(state)
        case _:
            return "" if _counts(case) else "not_paid"


def _counts(case: Case) -> bool:
    event, purchase = case.event, case.rules.purchase
    on_placement = _share(event.payment_methods, purchase.placed_payment_methods)
    if event.cash_on_delivery:
        # Shops call such an order paid before the money is there; only its time proves it.
        if purchase.cash_on_delivery == "paid":
            return event.paid_at is not None
        on_placement = True
    if on_placement:
        return event.order_state is not OrderState.DRAFT
    return event.order_state in (case.channel_rules.states or purchase.paid_states)


def _sent_elsewhere(case: Case) -> str:
    shared = case.rules.purchase.other_tool_shares_dataset
    return "sent_elsewhere" if shared and case.event.sent_elsewhere else ""


def _go_live(case: Case) -> str:
    since = case.route.live_since
    return "before_go_live" if since and created(case.event) < since else ""


def _toggle(case: Case) -> str:
    return "" if case.route.toggles.get(case.name, True) else "toggled_off"


def _excluded(case: Case) -> str:
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


def _burst(case: Case) -> str:
    """An import through the shop's API makes orders faster than people do."""
    limit = case.rules.purchase.burst
    if not case.sale or not limit or case.channel in BY_PEOPLE:
        return ""
    return "import_burst" if case.route.recent.get(str(case.channel), 0) > limit else ""


def _market(case: Case) -> str:
    own = case.rules.destinations.get(case.route.destination)
    amounts = case.event.basket.amounts or (
        case.event.shop_basket.amounts if case.event.shop_basket else None
    )
    if own is None:
        return ""
    currency = amounts.currency.upper() if amounts else ""
    country = (case.event.country or case.event.user_data.country or "").upper()
    # What tells no money, a registration, is of no currency.
    currencies = {one.upper() for one in own.currencies} if currency else set()
    wrong_currency = currencies and currency not in currencies
    wrong_country = own.countries and country not in own.countries
    return "other_market" if wrong_currency or wrong_country else ""


def _owner(case: Case) -> str:
    """Every name has one owner, and a browser's word, which is not signed, makes no sale."""
    browsers = case.name in case.rules.collector.events and not case.sale
    if case.event.collected:
        return "" if browsers else "owner_webhook"
    return "owner_browser" if browsers and case.event.occasion in BEFORE_THE_ORDER else ""


def _amounts(case: Case) -> str:
    event = case.event
    baskets = (event.basket, event.shop_basket)
    sides = [basket.amounts for basket in baskets if basket and basket.amounts]
    if case.sale and not sides:
        return "invalid:value"
    for amounts in sides:
        if not amounts.total.is_finite() or amounts.total < 0:
            return "invalid:value"
        if not _CURRENCY.fullmatch(amounts.currency):
            return "invalid:currency"
    if case.sale and sides[0].total == 0 and case.rules.purchase.zero_value == "skip":
        return "zero_value"
    latest = max(event.event_time, created(event))  # else it could wait for ever
    return "invalid:event_time" if latest - case.now > FUTURE else ""


# What time cures, the order's state, comes before what is final.
CHECKS: tuple[Callable[[Case], str], ...] = (
    _owner,
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


def created(event: Event) -> datetime:
    """Return when the order was made, else when the event happened."""
    return event.created_at or event.event_time


def _share(ours: tuple[str, ...], listed: tuple[str, ...]) -> bool:
    if not ours or not listed:
        return False
    return bool({one.casefold() for one in ours} & {one.casefold() for one in listed})
