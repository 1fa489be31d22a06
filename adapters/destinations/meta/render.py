"""An event as Meta gets it: one JSON object, validated, normalised and hashed.

Meta answers 200 to some events that it then drops, and refuses a whole batch for one bad
event; both kinds are refused here, one by one.
Source: Meta, conversions-api/parameters/server-event and custom-data (read 2026-11-23).
"""

import re

import orjson

from adapters.destinations.meta import browser, money
from adapters.destinations.meta.people import user_data
from bridge.events import Conversion, CustomData, Item, LimitedDataUse, OriginalEvent, RenderError

ACTION_SOURCES = frozenset(
    {
        "website",
        "app",
        "phone_call",
        "chat",
        "email",
        "physical_store",
        "system_generated",
        "business_messaging",
        "other",
    }
)
MAX_COUNT = 10**9

_EMAIL_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_SURROGATES = re.compile("[\ud800-\udfff]")
_EMPTY: tuple[object, ...] = ("", [], {})
_OWN_KEYS = frozenset(
    {
        "value",
        "currency",
        "content_ids",
        "contents",
        "content_type",
        "num_items",
        "order_id",
        "net_revenue",
        "predicted_ltv",
        "status",
    }
)


def render(conversion: Conversion) -> bytes:
    """Return the server event as JSON.

    Raises RenderError with the field that Meta would refuse the event, or drop it, for.
    """
    _require_names(conversion)
    event: dict[str, object] = {
        "event_name": conversion.event_name,
        "event_time": int(conversion.event_time.timestamp()),
        "event_id": conversion.event_id,
        "action_source": conversion.action_source,
        "event_source_url": browser.page(conversion.event_source_url),
        "referrer_url": browser.page(conversion.referrer_url),
        "user_data": (person := user_data(conversion)),
        "custom_data": _custom_data(conversion),
    }
    if conversion.action_source == "website":
        _require_browser(conversion, person, event)
    if conversion.limited_data_use:
        event.update(_limited(conversion.limited_data_use))
    if conversion.original_event:
        event["original_event_data"] = _original(conversion.original_event)
    return _serialise(_without_empty(event))


def _require_names(conversion: Conversion) -> None:
    if not conversion.event_name.strip():
        raise RenderError("event_name", "the event has no name")
    if not conversion.event_id.strip():
        raise RenderError("event_id", "the event has no id")
    if conversion.action_source not in ACTION_SOURCES:
        raise RenderError("action_source", "action_source is none that Meta knows")


def _require_browser(
    conversion: Conversion, person: dict[str, object], event: dict[str, object]
) -> None:
    # Meta documents both as required and takes events without them in silence.  An order whose
    # shop does not tell the user agent is a sale all the same: it is sent, and says so in a note.
    if "client_user_agent" not in person and not conversion.custom_data.order_id:
        raise RenderError("client_user_agent", "a website event needs the browser's user agent")
    if not event["event_source_url"]:
        raise RenderError("event_source_url", "a website event needs its page's http(s) address")


def _custom_data(conversion: Conversion) -> dict[str, object]:
    """Return `custom_data`; an amount without a sound currency means nothing and is left out."""
    custom = conversion.custom_data
    currency = money.currency(custom.currency)
    value = money.amount(custom.value)
    if conversion.event_name == "Purchase":
        _require_value(custom, currency, value)
    result: dict[str, object] = dict(_extra(custom))
    if currency:
        result["currency"] = currency
        result["value"] = value
        result["net_revenue"] = money.amount(custom.net_revenue)
        result["predicted_ltv"] = money.amount(custom.predicted_ltv)
    contents = [_content(item, currency) for item in custom.contents if _is_sound(item)]
    result["content_ids"] = list(dict.fromkeys(content["id"] for content in contents))
    result["contents"] = contents
    result["content_type"] = custom.content_type
    result["num_items"] = _count(custom.num_items)
    result["order_id"] = custom.order_id
    result["status"] = custom.status
    return _without_empty(result)


def _require_value(custom: CustomData, currency: str | None, value: object) -> None:
    if currency is None:
        raise RenderError("currency", "a Purchase needs an ISO 4217 currency")
    if custom.value is None:
        raise RenderError("value", "a Purchase needs a value")
    if value is None:
        raise RenderError("value", "the value is negative or beyond reason")


def _extra(custom: CustomData) -> dict[str, str]:
    """Return the custom properties; a key of ours and an e-mail address never pass."""
    return {
        key: text
        for key, text in custom.extra.items()
        if key and key not in _OWN_KEYS and not _EMAIL_ADDRESS.search(text)
    }


def _is_sound(item: Item) -> bool:
    return bool(item.id.strip()) and 1 <= item.quantity <= MAX_COUNT


def _content(item: Item, currency: str | None) -> dict[str, object]:
    content: dict[str, object] = {"id": item.id, "quantity": item.quantity}
    price = money.amount(item.item_price) if currency else None
    if price is not None:
        content["item_price"] = price
    return content


def _count(number: int | None) -> int | None:
    return number if number is not None and 1 <= number <= MAX_COUNT else None


def _limited(use: LimitedDataUse) -> dict[str, object]:
    return {
        "data_processing_options": ["LDU"],
        "data_processing_options_country": use.country,
        "data_processing_options_state": use.state,
    }


def _original(original: OriginalEvent) -> dict[str, object]:
    event_time = original.event_time
    return _without_empty(
        {
            "event_name": original.event_name,
            "event_time": int(event_time.timestamp()) if event_time else None,
            "order_id": original.order_id,
            "event_id": original.event_id,
        }
    )


def _without_empty(fields: dict[str, object]) -> dict[str, object]:
    return {
        key: value for key, value in fields.items() if value is not None and value not in _EMPTY
    }


def _serialise(event: dict[str, object]) -> bytes:
    try:
        return orjson.dumps(event)
    except orjson.JSONEncodeError:
        return orjson.dumps(_encodable(event))


def _encodable(value: object) -> object:
    """Return *value* without lone surrogates, which no JSON in UTF-8 can hold."""
    if isinstance(value, str):
        return _SURROGATES.sub("", value)
    if isinstance(value, list):
        return [_encodable(part) for part in value]
    if isinstance(value, dict):
        return {_SURROGATES.sub("", key): _encodable(part) for key, part in value.items()}
    return value
