"""Input that nobody should send: the right status, a visible reason, and no word too many."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bridge import registry
from bridge.events import Request
from bridge.store import Source

from .machine import Machine
from .shops import connect, post, recorded, settings_of, wait_until_done

CANARIES = ("Juergen.Muessig@Example.com", "+491713920000", "Müßig", "canary@example.com")
DEEP = 100_000
pytestmark = pytest.mark.parametrize("fresh_url", ["sqlite", "postgresql"], indirect=True)


class Shop:
    """A connected shop that posts odd bodies, soundly signed unless it is told otherwise."""

    def __init__(self, machine: Machine, source: Source) -> None:
        self.machine, self.source = machine, source
        (order,) = [one for one in recorded("shopify") if one.name.endswith("/orders_paid")]
        self.order: dict[str, Any] = json.loads(order.request.body)

    def send(self, body: bytes, topic: str = "orders/paid", **headers: str) -> int:
        adapter = registry.source("shopify")
        signed = adapter.sign(topic, body, settings_of("shopify"))
        return post(self.machine, self.source, Request(headers={**signed, **headers}, body=body))

    def changed(self, order_id: int, **changes: Any) -> bytes:
        return json.dumps({**self.order, "id": order_id, **changes}).encode()

    def without(self, order_id: int, *names: str) -> bytes:
        left = {name: value for name, value in self.order.items() if name not in names}
        return json.dumps({**left, "id": order_id}).encode()


@pytest.fixture
def shop(machine: Machine, store) -> Shop:
    machine.serve(LOG_LEVEL="DEBUG")
    (source,) = connect(store, "odd", ["shopify"])
    return Shop(machine, source)


def with_canary(body: bytes) -> bytes:
    return body + b"canary@example.com"


DEAD: dict[str, tuple[Callable[[Shop], bytes], str]] = {
    "truncated": (lambda shop: shop.changed(1)[:-200], "not_json"),
    "not JSON": (lambda _: with_canary(b"<html>"), "not_json"),
    "empty": (lambda _: b"", "not_json"),
    "a list": (lambda _: b'["canary@example.com"]', "not_object"),
    "not UTF-8": (lambda _: b'{"id":1,"email":"\xff canary@example.com"}', "not_utf8"),
    "UTF-16": (lambda shop: shop.changed(1).decode().encode("utf-16"), "not_utf8"),
    "NaN": (lambda _: b'{"id":1,"total_price":NaN,"email":"canary@example.com"}', "not_json"),
    "Infinity": (lambda _: b'{"id":1,"total_price":-Infinity}', "not_json"),
    "beyond reason": (lambda _: b'{"id":1,"total_price":1e999999}', "not_json"),
    "long number": (lambda _: b'{"id":' + b"9" * 5000 + b"}", "not_json"),
    "deep lists": (lambda _: b"[" * DEEP + b"]" * DEEP, "not_json"),
    "deep objects": (lambda _: b'{"a":' * DEEP + b"1" + b"}" * DEEP, "not_json"),
    "10 MB": (lambda _: with_canary(b" " * 10_000_000), "too_large"),
}


def test_odd_deliveries_are_dead_with_a_reason_and_orders_go_on(shop, store, graph, machine):
    statuses = {name: shop.send(made(shop)) for name, (made, _) in DEAD.items()}
    after = shop.send(shop.changed(900))
    wait_until_done(store)
    log = machine.run("log", "--deliveries", "--json", "--limit", "100")
    listed = json.loads(log.stdout)[::-1]

    assert set(statuses.values()) == {200}
    assert after == 200
    assert [(one["state"], one["reason"]) for one in listed[:-1]] == [
        ("dead", reason) for _, reason in DEAD.values()
    ]
    assert all(one["detail"] for one in listed[:-1] if one["reason"] != "too_large")
    assert [one["event_id"] for one in graph.accepted()] == ["purchase.900"]
    assert_nothing_was_told(machine, log.stdout)


def test_forged_deliveries_leave_no_trace(shop, store, machine):
    sound = shop.changed(1)
    statuses = [
        shop.send(sound, **{"X-Shopify-Hmac-Sha256": forged})
        for forged in ("", "canary@example.com", "x" * 10_000, "=" * 44)
    ]
    statuses.append(shop.send(b" " * 10_000_000, **{"X-Shopify-Hmac-Sha256": "forged"}))
    signed = registry.source("shopify").sign("orders/paid", sound, settings_of("shopify"))
    statuses += [
        post(machine, shop.source, Request(headers=signed, body=changed))
        for changed in (sound[:-1], sound + b" ", b"{}" + sound)
    ]
    after = shop.send(shop.changed(900))
    wait_until_done(store)

    assert set(statuses) == {401}
    assert after == 200
    assert [one["reason"] for one in store.history.deliveries()] == [""]
    assert_nothing_was_told(machine)


def test_orders_with_odd_fields_are_sent_with_what_is_sound(shop, store, graph, machine):
    odd = {
        901: shop.changed(901, customer=None),
        902: shop.changed(902, email="\x00canary@example.com", note="\x00"),
        903: shop.changed(903, email="\ud800canary@example.com", note="\udfff"),
        904: shop.without(904, "customer", "client_details", "shipping_address", "line_items"),
        905: shop.changed(905, line_items=[None, 7, "x", {}, {"price": "NaN"}]),
        906: shop.changed(906, phone="9" * 10_000, email="x" * 1_000_000 + "@example.com"),
        907: shop.changed(907, billing_address=[], shipping_address="", discount_codes={}),
        908: shop.changed(908, email="\u202e\u200d😀@example.com", first_name="😀" * 500),
        909: shop.changed(909, total_price="1e400", current_total_price=None),
    }

    statuses = [shop.send(body) for body in odd.values()]
    shop.send(shop.changed(910))
    wait_until_done(store)
    sent = {one["event_id"] for one in graph.accepted()}
    states = {one["event_id"]: one["reason"] for one in store.history.events()}

    assert set(statuses) == {200}
    assert {one["state"] for one in store.history.deliveries()} <= {"translated", "dead"}
    assert "fault" not in {one["reason"] for one in store.history.deliveries()}
    assert graph.refused() == []
    assert {f"purchase.{number}" for number in (901, 902, 903, 908, 910)} <= sent
    assert all(reason for event_id, reason in states.items() if event_id not in sent)
    assert_nothing_was_told(machine)


def assert_nothing_was_told(machine: Machine, *texts: str) -> None:
    """Look for tracebacks and personal data in all that was written for people."""
    told = machine.errors.read_text() + "".join(texts)
    secrets = [*settings_of("shopify")["secret"].splitlines(), "sandbox-token"]

    assert "Traceback" not in told
    assert [canary for canary in CANARIES if canary.lower() in told.lower()] == []
    assert [secret for secret in secrets if f'"{secret}"' in told or f"'{secret}'" in told] == []
