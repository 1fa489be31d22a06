"""One fact may be several events: the plan's own, and the start of a subscription."""

from dataclasses import replace

from bridge.events import Event, Occasion
from bridge.plan import CustomRule, Rules, is_topic


def occasions(event: Event, rules: Rules) -> list[Event]:
    """Return *event*, what else it is by its topic, and the plan's own events.

    That is the start of a subscription, and what the plan calls the shop's topic itself.  An id
    that the shop carries belongs to the event alone.
    """
    found = [event]
    if is_topic(event.topic) and rules.events.name(event.topic) and event.topic != event.occasion:
        found.append(replace(event, occasion=event.topic, event_id=None))
    if event.subscription and event.occasion == Occasion.PURCHASE:
        found.append(replace(event, occasion=Occasion.SUBSCRIPTION_STARTED, event_id=None))
    found += [
        replace(event, occasion=rule.name, event_id=None)
        for rule in rules.custom
        if _matches(event, rule)
    ]
    return found


def _matches(event: Event, rule: CustomRule) -> bool:
    """Return whether *event* meets every condition of the plan's own event."""
    lines = event.basket.contents
    ids = {one for line in lines for one in (line.product_id, line.variant_id, line.sku) if one}
    total = event.basket.amounts.total if event.basket.amounts else None
    limited = rule.min_amount > 0 or rule.max_amount < 10**9
    return (
        event.occasion in rule.occasions
        and (not rule.topics or event.topic in rule.topics)
        and (not rule.channels or event.channel in rule.channels)
        and (not rule.states or event.order_state in rule.states)
        and (not rule.tags or bool(_folded(event.tags) & _folded(rule.tags)))
        and (not rule.products or bool(ids & set(rule.products)))
        and (not limited or (total is not None and rule.min_amount <= total <= rule.max_amount))
    )


def _folded(words: tuple[str, ...]) -> set[str]:
    return {word.casefold() for word in words}
