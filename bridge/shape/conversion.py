"""An event that policy lets through becomes the Conversion that a destination renders."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from bridge.events import Conversion, CustomData, Event, Lender, OriginalEvent, UserData
from bridge.plan import Rules
from bridge.policy import Send
from bridge.shape.contents import items
from bridge.shape.ids import order_id_for
from bridge.shape.people import clean_url, lendable, origin_of, user_data
from bridge.shape.value import Costs, side, worth


@dataclass(frozen=True, kw_only=True)
class Sale:
    """A purchase that was let through, and its `payload` while that is kept."""

    original: OriginalEvent
    payload: bytes | None = field(default=None, repr=False)


NO_BROWSER = {"physical_store", "system_generated"}


@dataclass(frozen=True, kw_only=True)
class Shaped:
    """The conversion, and notes on what the plan asked for but the shop did not tell."""

    conversion: Conversion
    notes: tuple[str, ...] = ()


def shape(
    event: Event,
    send: Send,
    rules: Rules,
    *,
    event_id: str,
    external_id: str | None,
    now: datetime,
    costs: Costs | None = None,
    sale: Sale | None = None,
) -> Shaped:
    """Return *event* as the plan wants it sent.

    *costs* holds unit costs in the shop's own currency by SKU or id.  *sale* is the
    purchase that a refund gives back: it is named, and lends its person to a refund of which
    the shop names nobody.  A time in the future (a shop's clock that is fast) becomes *now*.
    """
    # A form or CRM hands on what it was told at the time; shops copy it from earlier orders.
    told = event.action_source is not None
    browser = send.browser and (told or send.action_source not in NO_BROWSER)
    page = clean_url(event.event_source_url) if browser else None
    referrer = clean_url(event.referrer_url) if browser else None
    if rules.who.restricted:  # Meta wants a page of website events, so the shop's front door
        page, referrer = origin_of(page), None
    custom_data, notes = _custom_data(event, rules, send.event_name, costs)
    conversion = Conversion(
        event_name=send.event_name,
        event_id=event_id,
        event_time=min(event.event_time, now),
        action_source=send.action_source,
        user_data=user_data(event.user_data, rules.who, browser=browser),
        external_id=external_id if "external_id" in rules.who.user_data else None,
        lender=_lender(event, rules, sale),
        custom_data=custom_data,
        event_source_url=page,
        referrer_url=referrer,
        limited_data_use=send.decision.limited_data_use,
        original_event=event.original_event or _original(event, rules, sale),
    )
    return Shaped(conversion=conversion, notes=(*notes, *_unsaid(conversion)))


def _unsaid(conversion: Conversion) -> tuple[str, ...]:
    """Return what lacks of an order that is sent all the same."""
    agent = conversion.user_data.client_user_agent
    unknown = conversion.action_source == "website" and not agent
    return ("no user agent: it may count for less",) if unknown else ()


def _custom_data(
    event: Event, rules: Rules, event_name: str, costs: Costs | None
) -> tuple[CustomData, tuple[str, ...]]:
    money = worth(event, rules, event_name, costs)
    own = rules.value_for(event_name)
    catalogue = rules.contents_for(event_name)
    contents, notes = items(side(event, own), catalogue, own)
    if rules.who.restricted:
        contents, notes = (), []
    custom_data = replace(
        money.custom_data,
        contents=contents,
        content_type=catalogue.content_type if contents else None,
        num_items=sum(item.quantity for item in contents) or None,
        order_id=order_id_for(event, rules.ids),
        extra={
            **({} if rules.who.restricted else event.extra),
            **_segmentation(event, rules),
        },
    )
    return custom_data, (*money.notes, *notes)


def _segmentation(event: Event, rules: Rules) -> dict[str, str]:
    """Return whether the buyer is new, in Meta's words.

    Meta lists the key as a field of the event, but its only example has it in custom_data,
    where any property is taken.  Source: developers.facebook.com, conversions-api,
    parameters/server-event (read 2026-11-23).
    """
    if not rules.who.segmentation or event.customer_is_new is None:
        return {}
    word = "new" if event.customer_is_new else "existing"
    return {"customer_segmentation": f"{word}_customer_to_business"}


def _original(event: Event, rules: Rules, sale: Sale | None) -> OriginalEvent | None:
    """Return the purchase that a refund gives back, with the order's id as it was sent."""
    return replace(sale.original, order_id=order_id_for(event, rules.ids)) if sale else None


def _lender(event: Event, rules: Rules, sale: Sale | None) -> Lender | None:
    if sale is None or sale.payload is None or event.user_data != UserData():
        return None
    return Lender(payload=sale.payload, fields=lendable(rules.who))
