"""A shop and a platform that do as the body tells them, to fault the line between them."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bridge.events import (
    Amounts,
    Basket,
    Channel,
    Consent,
    Conversion,
    Delivery,
    DestinationAdapter,
    Event,
    Fact,
    Occasion,
    OrderCancelled,
    OrderState,
    RenderError,
    Request,
    Settings,
    SourceAdapter,
    TranslationError,
    UserData,
    VerificationError,
    Visitor,
    as_json,
    fingerprint,
)
from bridge.events.reading import parse_object

AT = datetime(2026, 11, 23, 15, tzinfo=UTC)
EMAIL = "canary.bird@example.com"


def event(order_id: str, **changes: Any) -> Event:
    """Return a paid web order of a buyer who said yes."""
    values: dict[str, Any] = {
        "occasion": Occasion.PURCHASE,
        "subject_id": order_id,
        "order_id": order_id,
        "event_time": AT,
        "created_at": AT,
        "updated_at": AT,
        "channel": Channel.WEB,
        "order_state": OrderState.PAID,
        "country": "DE",
        "consent": Consent(marketing=True, source="body"),
        "user_data": UserData(email=EMAIL),
        "basket": Basket(amounts=Amounts(currency="EUR", total=Decimal("9.90"))),
    }
    return Event(**(values | changes))


class BogusShop(SourceAdapter):
    """Topics are faults; ``orders/paid`` is a sound order."""

    kind = "bogus_shop"
    label = "Bogus shop"
    topics: Mapping[str, str] = {"orders/paid": "purchase"}

    def verify(self, request: Request, settings: Settings) -> Delivery | None:
        if request.header("x-ping"):
            return None
        if request.header("x-secret") != settings["secret"]:
            raise VerificationError("X-Secret is wrong")
        topic = request.header("x-topic")
        return Delivery(
            topic=topic,
            key=fingerprint(topic.encode(), request.body),
            body=request.body,
            headers={"X-Kept": request.header("x-kept")},
        )

    def sign(self, topic: str, body: bytes, settings: Settings) -> dict[str, str]:
        return {"X-Topic": topic, "X-Secret": settings["secret"]}

    def translate(self, delivery: Delivery, settings: Settings) -> Iterable[Fact]:
        body = parse_object(delivery.body)
        return (FAULTS | UNSOUND).get(delivery.topic, _sound)(str(body.get("id", "1")))


class BogusPlatform(DestinationAdapter):
    """Refuses order 13, chokes on order 666, knows every other."""

    kind = "bogus_platform"
    label = "Bogus platform"
    standard_events = ("Purchase",)

    def max_age(self, action_source: str) -> timedelta:
        return timedelta(days=7)

    def render(self, conversion: Conversion, settings: Settings) -> bytes:
        order_id = conversion.custom_data.order_id
        if order_id == "13":
            raise RenderError("order_id", "order_id brings bad luck")
        if order_id == "666":
            raise ArithmeticError(f"no such number for {conversion.user_data.email}")
        return as_json({"event_id": conversion.event_id})


def _sound(order_id: str) -> list[Fact]:
    return [event(order_id)]


def _raises(order_id: str) -> list[Fact]:
    raise KeyError(f"{EMAIL} bought {order_id}")


def _raises_late(order_id: str) -> Iterator[Fact]:
    yield event(order_id)
    raise KeyError(f"{EMAIL} bought {order_id}")


def _overflows(order_id: str) -> list[Fact]:
    return _overflows(order_id)


def _refuses(_: str) -> list[Fact]:
    raise TranslationError("not_an_order", "the body is not an order")


FAULTS = {
    "raises": _raises,
    "raises_late": _raises_late,
    "overflows": _overflows,
    "refuses": _refuses,
    "no_iterable": lambda _: None,
    "total_is_a_text": lambda order_id: [
        event(order_id, basket=Basket(amounts=Amounts(currency="EUR", total="9.90")))
    ],
    "unknown_channel": lambda order_id: [event(order_id, channel="bazaar")],
    "nothing": lambda _: [],
}

NAIVE = AT.replace(tzinfo=None)
UNSOUND = {
    "no_user_data": lambda order_id: [event(order_id, user_data=None)],
    "no_visitor": lambda _: [Visitor(keys=("visit:0123456789",), at=AT, user_data=None)],
    "consent_is_a_text": lambda order_id: [event(order_id, consent="granted")],
    "no_fact": lambda order_id: [event(order_id), "fact"],
    "none": lambda _: [None],
    "naive_time": lambda order_id: [event(order_id, event_time=NAIVE)],
    "naive_update": lambda order_id: [event(order_id, updated_at=NAIVE)],
    "time_is_a_text": lambda order_id: [event(order_id, event_time=AT.isoformat())],
    "naive_end": lambda order_id: [OrderCancelled(order_id=order_id, at=NAIVE)],
    "end_of_a_number": lambda _: [OrderCancelled(order_id=5)],
    "id_is_a_number": lambda _: [event(5)],
    "id_is_a_list": lambda _: [event(["5"])],
    "id_has_a_nul": lambda _: [event("5\0")],
    "number_has_half_a_character": lambda order_id: [event(order_id, order_number="\ud800")],
    "occasion_is_a_list": lambda order_id: [event(order_id, occasion=["purchase"])],
    "state_is_a_list": lambda order_id: [event(order_id, order_state=["paid"])],
}

shop = BogusShop()
platform = BogusPlatform()
