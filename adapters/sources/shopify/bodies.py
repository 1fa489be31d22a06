"""Which body a topic announces, and how it is read."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.events import Delivery, Fact, Occasion, Redaction, Settings, TranslationError
from bridge.events.reading import parse_object

from .carts import is_cart, read_cart
from .checkouts import is_checkout, read_checkout
from .customers import is_customer, read_customer
from .orders import is_deleted_order, is_order, read_deletion, read_order
from .privacy import (
    is_customer_redaction,
    is_data_request,
    is_shop,
    is_shop_redaction,
    read_customer_redaction,
    read_data_request,
    read_disconnection,
)
from .refunds import is_refund, read_refund

Body = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a topic's body must look like: topics are not signed and can be relabelled.

    `fact` is what it may report, `noun` and `reason` say what a foreign body is not.
    """

    fact: str
    noun: str
    fits: Callable[[Body], bool]
    read: Callable[[Body, Delivery, Settings], Fact | None]

    @property
    def reason(self) -> str:
        """Return the short word for a body that does not fit."""
        return f"not_{self.noun.replace(' ', '_')}"


def _read_order(body: Body, delivery: Delivery, settings: Settings) -> Fact:
    domain = delivery.headers.get("X-Shopify-Shop-Domain", "")
    return read_order(body, delivery.topic, settings, domain)


def _read_checkout(body: Body, delivery: Delivery, settings: Settings) -> Fact:
    domain = delivery.headers.get("X-Shopify-Shop-Domain", "")
    return read_checkout(body, delivery.topic, settings, domain)


ORDER = Shape(fact=Occasion.PURCHASE, noun="an order", fits=is_order, read=_read_order)
CART = Shape(
    fact="cart_snapshot",
    noun="a cart",
    fits=is_cart,
    read=lambda body, delivery, _settings: read_cart(body, delivery.topic),
)
CHECKOUT = Shape(
    fact=Occasion.CHECKOUT_STARTED, noun="a checkout", fits=is_checkout, read=_read_checkout
)

SHAPES: Mapping[str, Shape] = {
    "orders/create": ORDER,
    "orders/paid": ORDER,
    "orders/updated": ORDER,
    "orders/cancelled": ORDER,
    "orders/fulfilled": ORDER,
    "orders/partially_fulfilled": ORDER,
    "orders/delete": Shape(
        fact="order_cancelled",
        noun="a deletion",
        fits=is_deleted_order,
        read=lambda body, _delivery, _settings: read_deletion(body),
    ),
    "carts/create": CART,
    "carts/update": CART,
    "checkouts/create": CHECKOUT,
    "checkouts/update": CHECKOUT,
    "refunds/create": Shape(
        fact=Occasion.REFUND,
        noun="a refund",
        fits=is_refund,
        read=lambda body, delivery, _settings: read_refund(body, delivery.topic),
    ),
    "customers/create": Shape(
        fact=Occasion.CUSTOMER_REGISTERED,
        noun="a customer",
        fits=is_customer,
        read=lambda body, delivery, _settings: read_customer(body, delivery.topic),
    ),
    "customers/redact": Shape(
        fact="redaction",
        noun="a customer redaction",
        fits=is_customer_redaction,
        read=lambda body, _delivery, _settings: read_customer_redaction(body),
    ),
    "shop/redact": Shape(
        fact="redaction",
        noun="a shop redaction",
        fits=is_shop_redaction,
        read=lambda _body, _delivery, _settings: Redaction(whole_shop=True),
    ),
    "customers/data_request": Shape(
        fact="data_request",
        noun="a data request",
        fits=is_data_request,
        read=lambda body, _delivery, _settings: read_data_request(body),
    ),
    "app/uninstalled": Shape(
        fact="disconnected",
        noun="a shop",
        fits=is_shop,
        read=lambda body, _delivery, _settings: read_disconnection(body),
    ),
}


def read_delivery(delivery: Delivery, settings: Settings) -> Iterable[Fact]:
    """Yield what *delivery* tells; nothing for a topic that is not in SHAPES.

    So for ``orders/edited``, whose body is an edit and no order, and ``checkouts/delete``.
    Raises TranslationError: ``no_topic``, ``not_json`` and its like, ``not_an_order`` …
    """
    if not delivery.topic:
        raise TranslationError("no_topic", "the header X-Shopify-Topic is missing")
    shape = SHAPES.get(delivery.topic)
    if shape is None:
        return
    body = parse_object(delivery.body)
    if not shape.fits(body):
        raise TranslationError(shape.reason, f"the body is not {shape.noun}")
    fact = shape.read(body, delivery, settings)
    if fact is not None:
        yield fact
