"""First verb: what a shop sends is on disk before it is answered, and is parsed by nobody."""

import json
from dataclasses import replace

import pytest

from bridge.events import ConfigError, Request, VerificationError
from bridge.receive import SOFT_LIMIT, Received, receive
from bridge.store import StoreError
from bridge.translate import translate_due
from tests.bridge.translate.line import DELIVERIES, connect
from tests.stores import rows

SHOPS = ("woocommerce", "shopify")
TOPIC = {"woocommerce": "order.updated", "shopify": "orders/updated"}


@pytest.fixture(params=SHOPS)
def line(request, store):
    return connect(store, request.param)


def post(line, body=b'{"id": 1}', topic=None):
    return line.post(topic or TOPIC[line.source.kind], body)


def test_a_signed_request_is_stored_as_it_came(line):
    body = b'{"id": 1,  "raw":\t"\xff is not even text"}'

    assert post(line, body) is Received.STORED
    lease = line.store.translations.lease(line.store.now())
    [stored] = line.store.translations.batch(lease, 10)
    assert stored.delivery.body == body
    assert stored.delivery.topic == TOPIC[line.source.kind]
    assert stored.delivery.received_at is not None


def test_a_delivery_waits_for_its_translation(line, clock):
    post(line)

    assert rows(line.store, "delivery", "state", "reason", "received_at", "done_at") == [
        ("received", "", clock.now, None)
    ]


def test_the_same_delivery_is_stored_once(line):
    assert [post(line) for _ in range(3)] == [Received.STORED] + [Received.DUPLICATE] * 2
    assert len(rows(line.store, "delivery_body")) == 1


def test_the_same_delivery_is_a_duplicate_after_its_translation_too(line):
    post(line)
    translate_due(line.store)

    assert post(line) is Received.DUPLICATE


def test_another_topic_or_body_is_another_delivery(line):
    told = [post(line), post(line, b'{"id": 2}'), post(line, topic="other")]

    assert told == [Received.STORED] * 3


def test_two_sources_may_get_the_same_delivery(store):
    lines = [connect(store, "shopify", word=word) for word in ("one", "two")]

    assert [post(line) for line in lines] == [Received.STORED] * 2


def test_a_request_that_nobody_signed_is_refused_and_not_stored(line):
    with pytest.raises(VerificationError):
        receive(line.store, line.source, Request(headers={}, body=b'{"email":"a@b.de"}'))

    assert rows(line.store, "delivery") == []


def test_a_changed_body_is_refused(line):
    case = {"woocommerce": "woocommerce/11.0.1/058-order.updated", "shopify": "shopify/orders_paid"}
    folder = DELIVERIES / case[line.source.kind]
    headers = json.loads((folder / "headers.json").read_text())
    body = (folder / "body.json").read_bytes()

    with pytest.raises(VerificationError):
        receive(line.store, line.source, Request(headers=headers, body=body + b" "))
    assert receive(line.store, line.source, Request(headers=headers, body=body)) is Received.STORED


def test_a_ping_is_noted_and_not_stored(store, clock):
    line = connect(store, "woocommerce")
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    got = receive(store, line.source, Request(headers=form, body=b"webhook_id=7"))

    assert got is Received.PING
    assert rows(store, "delivery") == []
    assert store.connections.source("shop").ping_at == clock.now


def test_a_body_beyond_the_limit_is_kept_as_a_dead_line(line):
    huge = b'{"id": 1, "x": "' + b"x" * SOFT_LIMIT + b'"}'

    assert post(line, huge) is Received.DEAD
    assert post(line, huge) is Received.DUPLICATE
    assert rows(line.store, "delivery", "state", "reason") == [("dead", "too_large")]
    assert translate_due(line.store) == 0
    assert max(len(body) for body in rows(line.store, "delivery_body", "body")) < 1000


def test_a_body_at_the_limit_is_stored(line):
    body = b" " * (SOFT_LIMIT - 2) + b"{}"

    assert len(body) == SOFT_LIMIT
    assert post(line, body) is Received.STORED


TOPICS = ["", "x" * 5_000, "orders/caf\u00e9", "a\0b"]
BODIES = [b"", b"{", b"\x00\xff", b"[]", b"null"]


def test_any_signed_body_is_stored_and_ends_in_the_open(line):
    topics = [*TOPICS, TOPIC[line.source.kind]]
    received = [line.post(topic, body) for topic in topics for body in BODIES]

    assert translate_due(line.store) == received.count(Received.STORED)
    assert received.count(Received.STORED) > 15
    for state, reason in line.ends():
        assert state in {"ignored", "dead"}
        assert reason


def test_a_database_that_does_not_take_it_is_told(line):
    gone = replace(line, source=replace(line.source, id=999))

    with pytest.raises(StoreError):
        post(gone)
    assert rows(line.store, "delivery") == []


def test_a_source_without_its_adapter_is_told(store):
    line = connect(store, "shopify")
    stray = replace(line.source, kind="was_removed")

    with pytest.raises(ConfigError, match="was_removed"):
        receive(store, stray, Request(headers={}, body=b""))
