"""What becomes of an event on a route: Send, Skip with a reason, or Wait."""

from collections.abc import Callable
from datetime import datetime, timedelta

from bridge.consent import DENIED, UNKNOWN, Decision, judge
from bridge.events import Event, Occasion
from bridge.plan import Rules

from .checks import BY_PEOPLE, CHECKS, Case, case_of, created
from .occasions import occasions
from .reasons import REASONS, sentence
from .verdicts import CURABLE, RouteView, Send, Skip, Verdict, Wait

# A shop without a single browser heard for so long has no storefront script.
LISTENS = timedelta(days=1)

__all__ = [
    "BY_PEOPLE",
    "CURABLE",
    "REASONS",
    "RouteView",
    "Send",
    "Skip",
    "Verdict",
    "Wait",
    "decide",
    "occasions",
    "sentence",
]


def decide(
    event: Event,
    rules: Rules,
    route: RouteView,
    now: datetime,
    *,
    shop_country: str | None,
    max_age: Callable[[str], timedelta],
    heard_at: datetime | None = None,
    browser_at: datetime | None = None,
    follows: Decision | None = None,
) -> Verdict:
    """Return the verdict on *event* at *now*.

    *max_age* tells by action source how old an event may be when it is sent.  The first
    check that finds a reason decides; `checks.CHECKS` has their order.  *heard_at* is when it
    was received: where much else has been received since and is not read yet, an event that
    would have waited then is to wait until that is known, however late it is now.
    *browser_at* is when any browser of the shop was last heard: an order waits for its own only
    where browsers are listened to, None where none ever was.
    *follows* is the decision under which a refund's purchase was let through: what was said
    with the purchase counts for it too, and without a purchase there is nothing to give back.
    """
    heard_at = heard_at or now
    custom = rules.custom_rule(event.occasion)
    name = custom.name if custom else rules.events.name(event.occasion)
    if name is None:
        known = rules.events.names.get(event.occasion)
        return Skip(reason="event_off", event_name=known or event.occasion)
    case = case_of(event, rules, route, now, name)
    for check in CHECKS:
        if reason := check(case):
            return Skip(reason=reason, event_name=case.name)
    refunds = event.occasion == Occasion.REFUND
    if refunds and follows is None:
        return Skip(reason="purchase_not_sent", event_name=case.name)
    country, state = _home(event, shop_country)
    decision = judge(
        event.consent, country, state, rules, event_name=case.name, browser=case.browser
    )
    if follows and refunds and decision.reason != DENIED:
        decision = follows
    patience = _begun(case) + timedelta(minutes=rules.funnel.wait_minutes)
    may_wait = _expects_browser(case, heard_at, browser_at) and patience > heard_at
    waits_for_visitor = Wait(
        until=patience, reason="visitor", event_name=case.name, decision=decision
    )
    if not decision.allowed:
        if decision.reason == UNKNOWN and may_wait:
            return waits_for_visitor
        return Skip(reason=decision.reason, event_name=case.name, decision=decision)
    source = case.channel_rules.action_source
    if now - event.event_time > max_age(source):
        return Skip(reason="expired", event_name=case.name, decision=decision)
    if _lacks_match_key(case):
        if may_wait:
            return waits_for_visitor
        if not case.sale:  # what an order lacks, its destination says
            return Skip(reason="no_match_key", event_name=case.name, decision=decision)
    until, reason = _held_until(case)
    if until > heard_at:
        return Wait(until=until, reason=reason, event_name=case.name, decision=decision)
    return Send(event_name=case.name, action_source=source, decision=decision, browser=case.browser)


def _home(event: Event, shop_country: str | None) -> tuple[str | None, str | None]:
    """Return country and state of the buyer, else the shop's country and no state."""
    if event.country:
        return event.country, event.state
    if event.user_data.country:
        return event.user_data.country, event.user_data.state
    return shop_country, None


def _joins_visitor(case: Case) -> bool:
    """Return whether it is an event that its browser's word may complete."""
    return bool(case.event.visitor_keys) and case.browser and not case.event.collected


def _expects_browser(case: Case, heard_at: datetime, browser_at: datetime | None) -> bool:
    """Return whether its browser may still tell something; of orders only where any does."""
    listened_to = browser_at is not None and heard_at - browser_at < LISTENS
    return _joins_visitor(case) and (listened_to or not case.event.order_id)


def _lacks_match_key(case: Case) -> bool:
    """Return whether Meta could do nothing with the event.

    Website events need the browser's agent and page, and some key to find the person by.
    Source: developers.facebook.com, conversions-api, parameters/server-event and
    best-practices (read 2026-11-23).
    """
    if not _joins_visitor(case) or case.channel_rules.action_source != "website":
        return False
    who = case.event.user_data
    keys = (who.email, who.phone, who.customer_id, who.fbp, who.fbc, who.fbclid)
    found = any(keys) or who.client_ip_address
    return not (found and who.client_user_agent and case.event.event_source_url)


def _held_until(case: Case) -> tuple[datetime, str]:
    """Return until when it is held back although it may be sent, and why."""
    begun, custom = _begun(case), case.rules.custom_rule(case.event.occasion)
    if case.sale:
        return begun + timedelta(minutes=case.rules.purchase.hold_minutes), "held"
    beneath = custom.occasions if custom else (case.event.occasion,)
    if Occasion.CART_ADDED in beneath and not case.event.collected:
        return begun + timedelta(seconds=case.rules.funnel.debounce_seconds), "more"
    return begun, ""


def _begun(case: Case) -> datetime:
    """Return from when a wait counts, also where the shop's clock is fast."""
    return min(created(case.event), case.now)
