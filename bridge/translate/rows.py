"""A verdict becomes an outbox row: rendered, traced, with the keys to find its person by."""

import json
from typing import Any

from bridge import policy, shape
from bridge.events import Event, RenderError
from bridge.shape import Costs
from bridge.store import OutboxRow, micros
from bridge.subjects import SubjectKeys

from .view import View, Way


def row_of(
    view: View,
    way: Way,
    event: Event,
    verdict: policy.Verdict,
    *,
    event_id: str,
    delivery_id: int,
    keys: SubjectKeys,
    costs: Costs,
    sale: shape.Sale | None = None,
) -> OutboxRow:
    """Return the outbox row of *verdict*; what cannot be rendered is skipped.

    *sale* is the purchase that a refund gives back.
    """
    now = micros(view.now)
    ends: dict[str, Any] = {"state": "skipped", "expires_at": now, "next_at": now}
    shaped: shape.Shaped | None = None
    match verdict:
        case policy.Skip():
            state = "expired" if verdict.reason == "expired" else "skipped"
            ends |= {"state": state, "reason": verdict.reason, "curable": verdict.curable}
        case policy.Wait():
            ends |= {"state": "waiting", "reason": verdict.reason, "curable": True}
            ends |= {"next_at": micros(verdict.until)}
        case policy.Send():
            shaped = shape.shape(
                event,
                verdict,
                view.rules,
                event_id=event_id,
                external_id=shape.external_id_for(event, view.rules.who, view.source.word),
                now=view.now,
                costs=costs,
                sale=sale,
            )
            try:
                ends |= _rendered(way, shaped)
            except RenderError as error:
                shaped = None
                ends |= {"reason": f"invalid:{error.field}"}
    return OutboxRow(
        source_id=view.source.id,
        destination_id=way.destination.id,
        delivery_id=delivery_id,
        mode=way.route.mode,
        occasion=str(event.occasion),
        event_name=verdict.event_name,
        event_id=event_id,
        order_id=event.order_id,
        order_number=event.order_number,
        channel=event.channel,
        event_at=micros(event.event_time),
        plan_digest=view.plan_digest,
        trace=json.dumps(_trace(event, verdict, shaped)),
        **vars(keys),
        **ends,
    )


def _rendered(way: Way, shaped: shape.Shaped) -> dict[str, Any]:
    """Return what is to be sent, and until when; raises RenderError."""
    conversion = shaped.conversion
    shadow = way.route.mode == "shadow"
    age = way.adapter.max_age(conversion.action_source)
    return {
        "payload": way.adapter.render(conversion, way.destination.settings),
        "state": "skipped" if shadow else "pending",
        "reason": "shadow" if shadow else "",
        "expires_at": micros(conversion.event_time + age),
    }


def _trace(
    event: Event, verdict: policy.Verdict, shaped: shape.Shaped | None = None
) -> dict[str, Any]:
    """Return what explains the event for ever: no personal data, only which keys there were."""
    trace: dict[str, Any] = {
        "topic": event.topic,
        "channel": event.channel,
        "order_state": event.order_state,
        "user_data": sorted(name for name, value in vars(event.user_data).items() if value),
    }
    if verdict.decision:
        trace["consent"] = verdict.decision.proof()
    if shaped:
        conversion = shaped.conversion
        custom_data = conversion.custom_data
        trace |= {
            "action_source": conversion.action_source,
            "value": None if custom_data.value is None else str(custom_data.value),
            "currency": custom_data.currency,
            "content_ids": [item.id for item in custom_data.contents][:20],
            "notes": list(shaped.notes),
        }
    return trace
