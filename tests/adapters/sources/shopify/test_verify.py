"""Shopify: who may deliver, and what a delivery is known by."""

import json
import re

import pytest

from adapters.sources.shopify import adapter
from bridge.events import Request, TranslationError, VerificationError

from .shop import DELIVERIES, outcome, recorded, translate

BODY = (DELIVERIES / "orders_create" / "body.json").read_bytes()
RECORDED = json.loads((DELIVERIES / "variations.json").read_bytes())["variations"]
VARIATIONS = {variation["name"]: variation for variation in RECORDED}
ALL_SECRETS = {"secret": "hush\nhush-previous\nnotify-hush"}
FORGED = sorted(name for name, found in VARIATIONS.items() if found["expect"].startswith("401"))
GENUINE = sorted(VARIATIONS.keys() - set(FORGED))


def request(name: str) -> Request:
    return Request(headers=VARIATIONS[name]["headers"], body=BODY)


def signed(body: bytes = BODY, **changes: str) -> Request:
    headers = {**adapter.sign("orders/create", body, {"secret": "hush"}), **changes}
    return Request(headers={k: v for k, v in headers.items() if v}, body=body)


@pytest.mark.parametrize("name", GENUINE)
def test_a_genuine_variation_is_taken(name):
    assert adapter.verify(request(name), ALL_SECRETS).body == BODY


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_variation_is_refused(name):
    with pytest.raises(VerificationError):
        adapter.verify(request(name), ALL_SECRETS)


@pytest.mark.parametrize(
    "name", ["signed_with_rotated_out_secret", "signed_with_admin_notification_key"]
)
def test_a_secret_that_is_not_listed_counts_no_more(name):
    with pytest.raises(VerificationError):
        adapter.verify(request(name), {"secret": "hush"})


@pytest.mark.parametrize("secret", ["", "\n"])
def test_without_a_secret_nothing_is_genuine(secret):
    empty = Request(headers=adapter.sign("orders/create", BODY, {"secret": ""}), body=BODY)

    with pytest.raises(VerificationError):
        adapter.verify(empty, {"secret": secret})


def test_a_retry_has_the_same_key_and_a_second_subscription_another():
    first = adapter.verify(signed(), ALL_SECRETS)
    other = adapter.verify(request("second_subscription_same_event"), ALL_SECRETS)

    assert adapter.verify(signed(), ALL_SECRETS).key == first.key
    assert other.key == "c13b8c77-b8aa-439b-a7a2-9f6bf4ee223e"


def test_without_a_delivery_id_topic_and_body_are_the_key():
    first = adapter.verify(signed(**{"X-Shopify-Webhook-Id": ""}), ALL_SECRETS)
    other = adapter.verify(
        signed(**{"X-Shopify-Webhook-Id": "", "X-Shopify-Topic": "orders/paid"}), ALL_SECRETS
    )

    assert len(first.key) == 64
    assert other.key != first.key


def test_header_names_without_x_are_read_too():
    plain = {name.removeprefix("X-"): value for name, value in signed().headers.items()}

    delivery = adapter.verify(Request(headers=plain, body=BODY), ALL_SECRETS)

    assert delivery == adapter.verify(signed(), ALL_SECRETS)


def test_only_the_headers_that_translation_needs_are_kept():
    delivery = adapter.verify(request("retry_of_orders_create"), ALL_SECRETS)

    assert delivery.headers == {
        "X-Shopify-Shop-Domain": "nordlicht-studio.myshopify.com",
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Triggered-At": "2026-11-23T09:14:27.508956162Z",
        "X-Shopify-Event-Id": "f420ae5d-4395-442a-9e15-be24684e49a0",
    }


def test_a_missing_topic_is_no_forgery_but_a_dead_letter():
    delivery = adapter.verify(signed(**{"X-Shopify-Topic": ""}), ALL_SECRETS)

    with pytest.raises(TranslationError) as error:
        list(adapter.translate(delivery, ALL_SECRETS))
    assert error.value.reason == "no_topic"


def test_another_shop_is_refused_where_the_source_names_its_own():
    own = {**ALL_SECRETS, "shop_domain": "Nordlicht-Studio.myshopify.com"}

    assert adapter.verify(signed(), own)
    for domain in ("some-other-shop.myshopify.com", ""):
        with pytest.raises(VerificationError):
            adapter.verify(signed(**{"X-Shopify-Shop-Domain": domain}), own)


@pytest.mark.parametrize("topic", ["orders/edited", "products/update", "orders", "ORDERS_CREATE"])
def test_a_topic_that_is_not_read_yields_nothing(topic):
    assert translate(topic, BODY) == []


@pytest.mark.parametrize("topic", sorted(adapter.topics))
def test_an_order_under_a_wrong_topic_is_an_order_or_a_dead_letter(topic):
    facts, error = outcome(topic, BODY)

    if error:
        assert error.reason.startswith("not_a")
    else:
        assert [fact.subject_id for fact in facts] == ["6104532287601"]


def test_no_error_text_holds_anything_of_the_body():
    cases = ("customers_create", "customers_redact", "refunds_create_partial")
    errors = [outcome(topic, recorded(case))[1] for topic in adapter.topics for case in cases]
    texts = [str(error) for error in errors if error]

    assert len(texts) > 20
    assert not [text for text in texts if re.search(r"example|\d|Lea|Jürgen", text)]
