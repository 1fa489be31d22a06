"""A verdict becomes an outbox row: rendered, traced, with the keys to find its person by."""

import json
from dataclasses import replace
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
    row = OutboxRow(
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
        state="skipped",
        event_at=micros(event.event_time),
        expires_at=now,
        next_at=now,
        plan_digest=view.plan_digest,
        trace=json.dumps(_trace(event, verdict)),
        **vars(keys),
    )
    match verdict:
        case policy.Skip():
            state = "expired" if verdict.reason == "expired" else "skipped"
            return replace(row, state=state, reason=verdict.reason, curable=verdict.curable)
        case policy.Wait():
            return replace(
                row,
                state="waiting",
                reason=verdict.reason,
                curable=True,
                next_at=micros(verdict.until),
            )
        case policy.Send():
            return _sendable(view, way, event, verdict, row, costs=costs, sale=sale)


def _sendable(
    view: View,
    way: Way,
    event: Event,
    send: policy.Send,
    row: OutboxRow,
    *,
    costs: Costs,
    sale: shape.Sale | None,
) -> OutboxRow:
    shaped = shape.shape(
        event,
        send,
        view.rules,
        event_id=row.event_id,
        external_id=shape.external_id_for(event, view.rules.who, view.source.word),
        now=view.now,
        costs=costs,
        sale=sale,
    )
    try:
        payload = way.adapter.render(shaped.conversion, way.destination.settings)
    except RenderError as error:
        return replace(row, reason=f"invalid:{error.field}")
    shadow = way.route.mode == "shadow"
    age = way.adapter.max_age(shaped.conversion.action_source)
    return replace(
        row,
        state="skipped" if shadow else "pending",
        reason="shadow" if shadow else "",
        expires_at=micros(shaped.conversion.event_time + age),
        payload=payload,
        trace=json.dumps(_trace(event, send, shaped)),
    )


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
