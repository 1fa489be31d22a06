"""Who may speak for the shop, and under which key a delivery is known."""

import pytest

from adapters.sources.woocommerce import adapter
from bridge.events import Delivery, Request, TranslationError, VerificationError

SETTINGS = {"secret": "newsecret1\noldsecret1"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def signed(topic: str, body: bytes, secret: str = "newsecret1") -> Request:
    return Request(headers=adapter.sign(topic, body, {"secret": secret}), body=body)


@pytest.mark.parametrize(
    "content_type", [FORM["Content-Type"], f"{FORM['Content-Type']}; charset=UTF-8"]
)
def test_the_unsigned_ping_is_answered_and_not_kept(content_type):
    ping = Request(headers={"content-type": content_type}, body=b"webhook_id=17")

    assert adapter.verify(ping, SETTINGS) is None


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b"webhook_id=17"),
        ({"Content-Type": "application/json"}, b"webhook_id=17"),
        (FORM, b"webhook_id="),
        (FORM, b"webhook_id=17\n"),
        (FORM, b"webhook_id=17&id=5"),
        (FORM, b"webhook_id=" + b"1" * 54),
        (FORM, "webhook_id=\u0661".encode()),
    ],
)
def test_what_only_looks_like_a_ping_is_refused(headers, body):
    with pytest.raises(VerificationError):
        adapter.verify(Request(headers=headers, body=body), SETTINGS)


@pytest.mark.parametrize("secret", ["newsecret1", "oldsecret1"])
def test_while_secrets_rotate_both_are_good(secret):
    delivery = adapter.verify(signed("order.created", b"{}", secret), SETTINGS)

    assert (delivery.topic, delivery.body) == ("order.created", b"{}")


def test_a_removed_secret_is_refused():
    with pytest.raises(VerificationError):
        adapter.verify(signed("order.created", b"{}", "oldsecret1"), {"secret": "newsecret1"})


def test_without_a_secret_nobody_is_believed():
    for settings in ({}, {"secret": ""}, {"secret": "\n"}):
        with pytest.raises(VerificationError):
            adapter.verify(signed("order.created", b"{}", ""), settings)


def test_a_deleted_order_and_a_deleted_customer_have_different_keys():
    bodies = [signed(topic, b'{"id":5}') for topic in ("order.deleted", "customer.deleted")]

    keys = {adapter.verify(request, SETTINGS).key for request in bodies}

    assert len(keys) == 2


def test_orders_of_one_second_share_a_delivery_id_and_no_key():
    requests = [signed("order.created", body) for body in (b'{"id":5}', b'{"id":6}')]
    for request in requests:
        request.headers["X-WC-Webhook-Delivery-ID"] = "64f244538ccd52ace0571efdd6a00e89"

    keys = {adapter.verify(request, SETTINGS).key for request in requests}

    assert len(keys) == 2


def test_a_signed_delivery_without_topic_is_kept_and_dead():
    request = signed("", b'{"id":5}')
    delivery = adapter.verify(request, SETTINGS)

    assert delivery.topic == ""
    with pytest.raises(TranslationError) as caught:
        adapter.translate(delivery, SETTINGS)
    assert caught.value.reason == "no_topic"


def test_every_declared_topic_is_read():
    for topic in adapter.topics:
        body = b'{"code":"rest_forbidden","message":"No.","data":{"status":403}}'
        with pytest.raises(TranslationError) as caught:
            adapter.translate(Delivery(topic=topic, key="k", body=body), SETTINGS)
        assert caught.value.reason == "shop_error_403"


@pytest.mark.parametrize("topic", ["product.updated", "customer.updated", "action.x", "order"])
def test_other_topics_tell_nothing_whatever_their_body(topic):
    assert not adapter.translate(Delivery(topic=topic, key="k", body=b"\xff"), SETTINGS)
