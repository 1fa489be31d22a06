"""The last real events whose raw bodies are still kept, worked out line by line."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from bridge import policy, shape
from bridge.consent import Decision
from bridge.events import Event
from bridge.plan import Rules
from bridge.store import Source, Store, StoredDelivery, moment

from .soundness import sound
from .view import View, view_of

LOOKED_AT = 100
# An example of a refund is one whose purchase was sent.
_SENT = Decision(allowed=True, rule="granted", region="unknown")


@dataclass(frozen=True, kw_only=True)
class Example:
    """One event and how its value comes about; `lines` sum up to `value`.

    `order` is the order's number or id, None for other events.
    """

    event_name: str
    order: str | None
    sent: bool
    lines: tuple[tuple[str, Decimal], ...]
    value: Decimal | None
    currency: str | None
    content_ids: tuple[str, ...]
    notes: tuple[str, ...]


def examples(store: Store, source: Source, rules: Rules | None = None) -> dict[str, Example]:
    """Return the newest example of each event name, under *rules* or those in force.

    An event that would be sent is taken before a newer one that would not.
    """
    view = view_of(store, source, moment(store.now()))
    rules = rules or view.rules
    found: dict[str, Example] = {}
    events = list(_events(view, store.subjects.last_raw(source.id, LOOKED_AT)))
    goods = {one for event in events for one in _goods(event)}
    costs = store.subjects.costs(source.id, goods) if rules.needs_costs() else {}
    for told in events:
        for event in policy.occasions(told, rules):
            one = _example(view, rules, event, costs)
            before = found.get(one.event_name)
            if before is None or (one.sent and not before.sent):
                found[one.event_name] = one
    return found


def _events(view: View, deliveries: Iterable[StoredDelivery]) -> Iterator[Event]:
    for stored in deliveries:
        topic = stored.delivery.topic
        try:
            told = list(view.adapter.translate(stored.delivery, view.source.settings))
            facts = [sound(fact, topic) for fact in told]
        except Exception:  # noqa: BLE001, S112  it is dead, and Activity says why
            continue
        yield from (fact for fact in facts if isinstance(fact, Event))


def _goods(event: Event) -> Iterator[str]:
    for basket in (event.basket, event.shop_basket):
        for line in basket.contents if basket else ():
            yield from (one for one in (line.sku, line.variant_id, line.product_id) if one)


def _example(view: View, rules: Rules, event: Event, costs: shape.Costs) -> Example:
    verdict = policy.decide(
        event,
        rules,
        policy.RouteView(),
        view.now,
        shop_country=view.shop_country,
        max_age=lambda _: timedelta(days=7),
        follows=_SENT,
    )
    worth = shape.worth(event, rules, verdict.event_name, costs)
    ids, notes = shape.content_ids(event, rules, verdict.event_name)
    return Example(
        event_name=verdict.event_name,
        order=event.order_number or event.order_id,
        sent=isinstance(verdict, policy.Send),
        lines=tuple(worth.lines),
        value=worth.custom_data.value,
        currency=worth.custom_data.currency,
        content_ids=ids,
        notes=(*worth.notes, *notes),
    )
