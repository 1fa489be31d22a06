"""The event id: the shop's own, the plan's template, or the public formula."""

from bridge.events import Event, Occasion, event_id
from bridge.plan import IdRules, Rules, fill, parts_of


def event_ids_for(event: Event, rules: Rules, word: str, local_ids: bool) -> list[str]:  # noqa: FBT001  # a fact of the adapter
    """Return the ids under which *event* may be sent, the same whenever it is told again.

    The first that no other order has is its id: by the plan's template two shops may give the
    same one.  *word* stands in the last where the shop system's ids are local (*local_ids*).
    """
    if event.event_id:
        return [event.event_id]
    own = _filled(rules.ids.purchase, event) if event.occasion == Occasion.PURCHASE else ""
    public = event_id(event.occasion, event.subject_id, word if local_ids else None)
    return [own, public] if own else [public]


def order_id_for(event: Event, ids: IdRules) -> str | None:
    """Return the order_id as it is sent; None where there is no order."""
    return _filled(ids.order_id, event) or event.order_id


def _filled(template: str, event: Event) -> str:
    """Return *template* with the order's ids, empty if it or one of them is missing."""
    if not template:
        return ""
    parts = {"order_id": event.order_id, "order_number": event.order_number}
    return fill(template, parts) if all(parts[part] for part in parts_of(template)) else ""
