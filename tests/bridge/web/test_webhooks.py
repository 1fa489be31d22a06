"""What a shop is told: its webhooks live and die by the status."""

import io
from collections.abc import Callable

import pytest
from werkzeug.test import Client

from bridge import alerts
from bridge.receive import HARD_LIMIT, SOFT_LIMIT
from bridge.store import Store
from bridge.translate import translate_due
from tests.stores import rows

from .conftest import HUSH, ORDER, Shop

PING = {"Content-Type": "application/x-www-form-urlencoded"}


def signature_name(shop: Shop) -> str:
    return next(name for name in shop.signed(b"") if "Hmac" in name or "Signature" in name)


def test_a_signed_delivery_is_on_disk_when_200_is_said(shop, store):
    answer = shop.post()

    assert answer.status_code == 200
    assert rows(store, "delivery", "topic", "state") == [(shop.topic, "received")]


def test_the_same_delivery_again_is_200_and_one_row(shop, store):
    answers = [shop.post().status_code for _ in range(3)]

    assert answers == [200, 200, 200]
    assert len(rows(store, "delivery")) == 1


def test_the_ping_is_answered_with_exactly_200_and_no_delivery(woocommerce, store):
    answer = woocommerce.post(b"webhook_id=7", PING)

    assert answer.status_code == 200
    assert rows(store, "delivery") == []
    assert rows(store, "source", "ping_at") != [None]


@pytest.mark.parametrize(
    "signature",
    ["", "wrong", "YW=\nJj!!", "ä" * 44, "\x80\xff", "a" * 10_240, "two,signatures"],
    ids=["empty", "wrong", "lax", "not-ascii", "not-utf8", "10-kB", "two"],
)
def test_a_wrong_signature_is_401_and_nothing_is_stored(shop, store, signature):
    headers = shop.signed(ORDER)
    del headers[signature_name(shop)]
    name = f"HTTP_{signature_name(shop).upper().replace('-', '_')}"

    answer = shop.post(headers=headers, **{name: signature})

    assert answer.status_code == 401
    assert rows(store, "delivery") == []


def test_no_signature_is_401(shop, store):
    headers = shop.signed(ORDER)
    del headers[signature_name(shop)]

    answer = shop.post(headers=headers)

    assert answer.status_code == 401
    assert rows(store, "delivery") == []


def test_one_bit_changed_is_401(shop, store):
    headers = shop.signed(ORDER)

    answer = shop.post(bytes([ORDER[0] ^ 1]) + ORDER[1:], headers)

    assert answer.status_code == 401
    assert rows(store, "delivery") == []


def test_the_secret_of_another_shop_is_401(shop):
    assert shop.post(headers=shop.signed(ORDER, "of-another-shop")).status_code == 401


def test_refused_webhooks_are_an_alert_until_the_shop_is_heard_for_an_hour(shop, store, clock):
    for _ in range(3):
        shop.post(headers=shop.signed(ORDER, "of-another-shop"))
    (alert,) = store.watches.alerts()
    assert (alert.kind, alert.subject) == ("signature", shop.source.name)

    heard = []
    for _ in range(2):
        clock.move(1900)
        shop.post(str(clock()).encode())
        translate_due(store)
        alerts.inspect(store)
        heard.append("signature" in {one.kind for one in store.watches.alerts()})
    assert heard == [True, False]


def test_both_secrets_count_while_they_rotate_and_then_only_the_new_one(connect, store):
    shop = connect("shopify", "orders/paid", secret="new\nold")
    rotating = [
        shop.post(b"{}", shop.signed(b"{}", secret)).status_code for secret in ("new", "old")
    ]
    store.connections.set_source(shop.source.id, settings={"secret": "new"})
    forget(shop)

    assert rotating == [200, 200]
    assert shop.post(b"[]", shop.signed(b"[]", "old")).status_code == 401
    assert shop.post(b"[]", shop.signed(b"[]", "new")).status_code == 200


def forget(shop: Shop) -> None:
    """Let the two seconds pass for which a source is remembered."""
    shop.client.application._front._sources.clear()


def test_the_domain_in_the_headers_must_be_the_shops_where_it_is_named(connect):
    shop = connect("shopify", "orders/paid", shop_domain="mine.myshopify.com")
    other = shop.signed(ORDER) | {"X-Shopify-Shop-Domain": "other.myshopify.com"}

    assert shop.post(headers=other).status_code == 401
    assert shop.post().status_code == 200


def test_an_unknown_key_is_404_whatever_is_posted(shop, store):
    wrong = [
        shop.post(path="/webhooks/unknown"),
        shop.post(path="/webhooks/"),
        shop.post(b"forged", {}, path=f"{shop.path}x"),
        shop.post(path=f"/webhooks/{shop.source.webhook_key.swapcase()}"),
        shop.post(path=f"/webhooks/{shop.source.collect_key}"),
        shop.post(path="/webhooks/%00%FF%F0%9F%98%80"),
    ]

    assert {(answer.status_code, answer.data) for answer in wrong} == {(404, b"not found\n")}
    assert rows(store, "delivery") == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
def test_only_post_is_allowed(shop, client, method):
    answers = [client.open(path, method=method) for path in (shop.path, "/webhooks/unknown")]

    assert [(answer.status_code, answer.headers["Allow"]) for answer in answers] == [
        (405, "POST")
    ] * 2


def test_a_removed_shop_is_410(shop, store):
    store.connections.set_source(shop.source.id, state="removed")

    assert shop.post().status_code == 410
    assert rows(store, "delivery") == []


def test_a_paused_shop_is_still_received(shop, store):
    store.connections.set_source(shop.source.id, state="paused")

    assert shop.post().status_code == 200
    assert len(rows(store, "delivery")) == 1


@pytest.mark.parametrize("form", ["//webhooks/{}", "/webhooks/{}/", "/webhooks//{}//"])
def test_no_spelling_of_the_path_is_redirected(shop, form):
    assert shop.post(path=form.format(shop.source.webhook_key)).status_code == 200


@pytest.mark.parametrize(
    "form", ["/WEBHOOKS/{}", "/Webhooks/{}/", "/webhooks", "/x/../webhooks/{}"]
)
def test_another_path_is_404_and_no_redirect(shop, form):
    assert shop.post(path=form.format(shop.source.webhook_key)).status_code == 404


def test_a_body_without_length_is_no_body(shop, store):
    answer = shop.post(b"", shop.signed(ORDER), CONTENT_LENGTH="", SERVER_PROTOCOL="HTTP/1.0")

    assert answer.status_code == 401
    assert rows(store, "delivery") == []


def test_a_chunked_body_is_read_to_its_end(shop, store):
    answer = post_open_end(shop, ORDER)

    assert answer == 200
    assert len(rows(store, "delivery")) == 1


def test_an_endless_chunked_body_is_413(shop, store):
    assert post_open_end(shop, bytes(HARD_LIMIT + 1)) == 413
    assert rows(store, "delivery") == []


def post_open_end(shop: Shop, body: bytes) -> int:
    """Post *body* as a server hands a chunked one over: without a length."""
    answer = shop.client.open(
        shop.path,
        method="POST",
        headers=shop.signed(body),
        environ_overrides={
            "HTTP_TRANSFER_ENCODING": "chunked",
            "CONTENT_LENGTH": "",
            "wsgi.input": io.BytesIO(body),
        },
    )
    return answer.status_code


def test_a_body_that_breaks_off_is_408(shop, store):
    answer = shop.post(headers=shop.signed(ORDER), CONTENT_LENGTH=str(len(ORDER) + 1))

    assert answer.status_code == 408
    assert rows(store, "delivery") == []


def test_an_announced_body_over_the_hard_limit_is_413_unread(shop):
    class Unread:
        def read(self, size: int) -> bytes:
            raise AssertionError("it was read")

    announced = {"CONTENT_LENGTH": str(HARD_LIMIT + 1), "wsgi.input": Unread()}

    assert shop.post(b"", **announced).status_code == 413


def test_a_signed_body_of_10_megabytes_is_200_and_dead(shop, store):
    large = b'{"note":"' + b"x" * 10_000_000 + b'"}'

    answers = [shop.post(large).status_code for _ in range(2)]

    assert answers == [200, 200]
    assert rows(store, "delivery", "state", "reason") == [("dead", "too_large")]
    assert all(len(body) < 1000 for body in rows(store, "delivery_body", "body"))


def test_an_unsigned_body_of_10_megabytes_is_401(shop, store):
    answer = shop.post(b"x" * 10_000_000, shop.signed(b"other"))

    assert answer.status_code == 401
    assert rows(store, "delivery") == []


def test_a_body_of_the_soft_limit_is_kept_whole(shop, store):
    assert shop.post(b"x" * SOFT_LIMIT).status_code == 200
    assert rows(store, "delivery", "state") == ["received"]


def test_a_packed_body_is_not_unpacked(shop, store):
    packed = b"\x1f\x8b\x08\x00" + b"\x00" * 100

    unsigned = shop.post(packed, shop.signed(ORDER) | {"Content-Encoding": "gzip"})
    signed = shop.post(packed, shop.signed(packed) | {"Content-Encoding": "gzip"})

    assert (unsigned.status_code, signed.status_code) == (401, 200)
    assert len(rows(store, "delivery")) == 1


def test_a_signed_delivery_without_topic_is_200(shop, store):
    headers = {name: value for name, value in shop.signed(ORDER).items() if "Topic" not in name}

    assert shop.post(headers=headers).status_code == 200
    assert rows(store, "delivery", "topic") == [""]


def test_odd_bytes_in_headers_cost_nobody_the_delivery(shop, store):
    odd = {"X-Odd": "ü\x7f", "X-Shopify-Event-Id": "\udcff", "X-Shopify-Webhook-Id": "x" * 9000}

    answer = shop.post(headers=shop.signed(ORDER), **environ_of(odd))

    assert answer.status_code == 200
    assert len(rows(store, "delivery")) == 1


def environ_of(headers: dict[str, str]) -> dict[str, str]:
    return {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}


def test_what_is_not_a_webhook_goes_to_the_pages(client: Client):
    assert client.get("/healthz").status_code == 200
    assert client.get("/nowhere").status_code == 404


def test_answers_say_nothing_of_the_body_or_the_secret(shop):
    answers = [shop.post(), shop.post(headers={}), shop.post(path="/webhooks/canary-jane")]

    for answer in answers:
        told = answer.data + str(answer.headers).encode()
        assert b"canary" not in told
        assert HUSH.encode() not in told
        assert len(answer.data) < 100


def test_a_delivery_wakes_the_worker(application, shop: Shop):
    woken: list[str] = []

    class Listening:
        def wake(self) -> None:
            woken.append("now")

    application.worker = Listening()
    shop.post()
    shop.post()

    assert woken == ["now"]


def test_two_shops_may_send_the_same_bytes(connect: Callable[..., Shop], store: Store):
    shops = [connect("shopify", "orders/paid"), connect("woocommerce", "order.created")]

    assert [one.post(b"{}").status_code for one in shops] == [200, 200]
    assert len(rows(store, "delivery")) == 2
