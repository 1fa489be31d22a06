"""The rows of the events page: an event name with all that decides about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import abort

from bridge import translate
from bridge.events import Occasion
from bridge.plan import Rules, ValueRules
from bridge.policy.checks import BEFORE_THE_ORDER, SALES
from bridge.store import Destination, Route, Seen, Source
from bridge.translate import Example
from bridge.web.admin import current, plan_change

DAY_US = 86_400_000_000
ORDER = ("Purchase", "InitiateCheckout", "AddPaymentInfo", "AddToCart", "ViewContent", "Search")


@dataclass(frozen=True, kw_only=True)
class Ends:
    """A route with what stands at its ends."""

    route: Route
    source: Source
    destination: Destination


@dataclass(frozen=True, kw_only=True)
class Row:
    """One event name on a route.

    `states` are the order states that count, empty where none is asked for.  `in_plan` is
    False where the plan sends none of its occasions; `owner` is ``webhook`` or ``browser``;
    `content_ids` are those of the last event that was rendered.
    """

    name: str
    occasions: Sequence[str]
    states: Sequence[str]
    in_plan: bool
    on: bool
    owner: str
    value: ValueRules
    example: Example | None
    content_ids: Sequence[str]
    seen: Seen | None


def all_ends() -> list[Ends]:
    """Return every route whose source was not removed, with its ends."""
    connections = current.store().connections
    sources = {one.id: one for one in connections.sources() if one.state != "removed"}
    destinations = {one.id: one for one in connections.destinations()}
    return [
        Ends(
            route=route,
            source=sources[route.source_id],
            destination=destinations[route.destination_id],
        )
        for route in connections.routes()
        if route.source_id in sources
    ]


def ends_of(source_id: int, destination_id: int) -> Ends:
    """Return the route of these ids; 404 if there is none."""
    wanted = (source_id, destination_id)
    found = [one for one in all_ends() if (one.source.id, one.destination.id) == wanted]
    if not found:
        abort(404)
    return found[0]


def rows_of(ends: Ends) -> list[Row]:
    """Return a row for each event name that the plan knows or that came lately."""
    store, rules = current.store(), plan_change.rules_of(ends.source)
    pair = ends.source.id, ends.destination.id
    seen = {
        one.event_name: one
        for one in store.summary.week().seen
        if (one.source_id, one.destination_id) == pair
    }
    rendered = [one.rendered_id for one in seen.values() if one.rendered_id is not None]
    traces = store.overview.traces(rendered)
    examples = translate.examples(store, ends.source)
    return [
        Row(
            name=name,
            occasions=_told(rules, name),
            states=rules.purchase.paid_states if is_purchase(rules, name) else (),
            in_plan=is_in_plan(rules, name),
            on=is_in_plan(rules, name) and ends.route.toggles.get(name, True),
            owner=owner_of(rules, name),
            value=rules.value_for(name),
            example=examples.get(name),
            content_ids=traces.get(name, {}).get("content_ids", ())[:3],
            seen=seen.get(name),
        )
        for name in sorted(rules.event_names() | seen.keys(), key=_place)
    ]


def occasions_of(rules: Rules, name: str) -> list[str]:
    """Return the occasions that the plan calls *name*, those that are off included."""
    return [key for key, known in rules.events.names.items() if known == name]


def _told(rules: Rules, name: str) -> list[str]:
    """Return the occasions that lead to the event now, or would if it were on."""
    known = occasions_of(rules, name)
    return [one for one in known if one not in rules.events.off] or known


def is_in_plan(rules: Rules, name: str) -> bool:
    """Return whether the plan sends any occasion under *name*."""
    own = {channel.event_name for channel in rules.channels.values() if channel.send}
    if name in own or rules.custom_rule(name):
        return True
    return any(rules.events.name(one) == name for one in occasions_of(rules, name))


def owner_of(rules: Rules, name: str) -> str:
    """Return who tells of the event: ``webhook`` or ``browser``."""
    return "browser" if name in rules.collector.events and not is_sale(rules, name) else "webhook"


def is_sale(rules: Rules, name: str) -> bool:
    """Return whether orders lead to the event: then only webhooks tell it."""
    sales = any(one in set(SALES) for one in occasions_of(rules, name))
    return sales or any(name == channel.event_name for channel in rules.channels.values())


def may_change_owner(rules: Rules, name: str) -> bool:
    """Return whether both webhooks and the storefront script can tell of the event."""
    return any(one in set(BEFORE_THE_ORDER) for one in occasions_of(rules, name))


def is_purchase(rules: Rules, name: str) -> bool:
    """Return whether it is the event of an order that counts."""
    return name == rules.events.names.get(Occasion.PURCHASE)


def _place(name: str) -> tuple[int, str]:
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)
