"""WooCommerce's admin: proofs, what refusals mean, webhooks, keys by one click."""

import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.sources.woocommerce import adapter
from bridge.events import Request, ShopAdmin, ShopError, VerificationError
from tests.fakes.server import Answer, FakeServer
from tests.fakes.shop import FakeShop
from tests.fakes.woocommerce_rest import WooCommerceFake

SECRET = "abc123def456"
HTTPS = "https://shop.example"
admin: ShopAdmin = adapter.admin


class Receiver(FakeServer):
    """A bridge that notes what is posted and answers `status`."""

    status = 200

    def answer(self, call):
        return Answer(status=self.status)


@pytest.fixture
def woo():
    with WooCommerceFake() as fake:
        yield fake


@pytest.fixture
def bridge():
    with Receiver() as fake:
        yield fake


@pytest.fixture
def hook(bridge):
    return f"{bridge.url}/webhooks/k1"


def over(woo, scheme="http", **changes):
    """Return the shop as it is reached over *scheme*."""
    address = HTTPS if scheme == "https" else woo.url
    settings = {"shop_url": address, "secret": f"{SECRET}\nold", **woo.key, **changes}
    shop = FakeShop(settings, {HTTPS: woo.url})
    shop.heard = woo.time
    return shop


def refused(shop, call=None):
    with pytest.raises(ShopError) as error:
        (call or (lambda: admin.subscriptions(shop, "https://bridge.example/webhooks/k")))()
    return error.value


# Proofs


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_the_key_opens_over_both_schemes(woo, hook, scheme):
    shop = over(woo, scheme)
    made = admin.subscribe(shop, hook, "order.updated")

    assert admin.subscriptions(shop, hook) == [made]
    admin.unsubscribe(shop, made)
    assert admin.subscriptions(shop, hook) == []


def test_over_https_the_key_is_never_in_the_address(woo):
    admin.count_orders(over(woo, "https"), woo.time)

    assert not [call for call in woo.calls if "consumer" in str(call.query)]


def test_over_http_the_secret_is_not_sent_at_all(woo):
    admin.count_orders(over(woo), woo.time)

    assert not [call for call in woo.calls if woo.keys.secret in f"{call.query}{call.headers}"]


def test_where_the_server_drops_the_password_a_signature_serves(woo):
    woo.keys.drops_authorization = True

    assert admin.count_orders(over(woo, "https"), woo.time) == 0


def test_a_signature_that_counts_no_more_is_made_anew(woo):
    woo.fail_next(401)  # what a repeated request gets for its nonce

    assert admin.count_orders(over(woo), woo.time) == 0


# What refusals mean


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_wrong_secret_is_told(woo, scheme):
    error = refused(over(woo, scheme, consumer_secret="cs_wrong"))

    assert error.kind == "unauthorized"
    assert "wrong or revoked" in str(error)


def test_an_unknown_key_and_a_proxy_that_hides_https_are_told_together(woo):
    unknown = refused(over(woo, "https", consumer_key="ck_unknown"))
    woo.keys.behind_proxy = True
    hidden = refused(over(woo, "https"))

    assert unknown.kind == hidden.kind == "unauthorized"
    assert "proxy" in str(unknown)
    assert str(unknown) == str(hidden)


@pytest.mark.parametrize("owner", ["customer", "gone"])
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_an_owner_without_rights_is_told(woo, scheme, owner):
    woo.keys.owner = owner

    error = refused(over(woo, scheme))

    assert error.kind == "scope"
    assert "user who owns the key" in str(error)


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_key_that_only_reads_is_told_when_a_webhook_is_made(woo, hook, scheme):
    woo.keys.permissions = "read"
    shop = over(woo, scheme)

    assert admin.subscriptions(shop, hook) == []
    assert "may only read" in str(refused(shop, lambda: admin.subscribe(shop, hook, "order.paid")))


@pytest.mark.parametrize(
    ("status", "kind", "again"),
    [(301, "redirected", False), (403, "refused", False), (404, "permalinks", False),
     (500, "fault", True), (503, "fault", True)],
)  # fmt: skip
def test_a_status_is_told_as_what_to_do(woo, status, kind, again):
    woo.fail_next(status)

    error = refused(over(woo))

    assert (error.kind, error.again) == (kind, again)


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("status", [401, 403])
def test_who_stands_before_woocommerce_is_not_taken_for_it(woo, scheme, status):
    woo.fail_next(status, times=9)

    error = refused(over(woo, scheme))

    assert error.kind == "refused"
    assert "/wp-json/" in str(error)


def test_a_redirect_is_not_followed_with_the_key(woo):
    with Receiver() as elsewhere:
        woo.redirect_all(elsewhere.url)

        assert refused(over(woo, "https")).kind == "redirected"
        assert elsewhere.calls == []


def test_a_host_that_asks_for_patience_gets_it(woo):
    woo.fail_next(429, times=2, Retry_After="7")
    shop = over(woo, "https")

    assert admin.count_orders(shop, woo.time) == 0
    assert shop.slept == [7.0, 7.0]


def test_a_host_that_stays_impatient_is_tried_later(woo):
    woo.fail_next(429, times=9)

    assert refused(over(woo)).kind == "throttled"


def test_a_page_instead_of_data_is_told(woo):
    woo.fail_next(200)

    assert refused(over(woo)).kind == "permalinks"


@pytest.mark.parametrize(
    "address", ["", "shop.example", "ftp://shop.example", "https://u:p@shop.example", "https://[",
                "https://shop.example/?p=1"],
)  # fmt: skip
def test_an_unsound_address_is_told(woo, address):
    assert refused(over(woo, shop_url=address)).kind == "address"
    assert (
        admin.authorize_url({"shop_url": address}, state="s", callback_url="c", return_url="r")
        is None
    )


# Webhooks


def test_a_webhook_is_made_once_with_our_secret_and_pings(woo, bridge, hook):
    shop = over(woo)
    made = admin.subscribe(shop, hook, "order.updated")

    assert admin.subscribe(shop, hook, "order.updated") == made
    assert (made.topic, made.url, made.state) == ("order.updated", hook, "active")
    [ping] = bridge.calls
    request = Request(headers=ping.headers, body=ping.body)
    assert adapter.verify(request, shop.settings) is None


def test_a_delivery_of_our_webhook_verifies(woo, bridge, hook):
    shop = over(woo)
    admin.subscribe(shop, hook, "order.updated")
    order = woo.add_order()

    assert woo.deliver(order["id"]) == [200]

    posted = bridge.calls[-1]
    delivery = adapter.verify(Request(headers=posted.headers, body=posted.body), shop.settings)
    assert json.loads(delivery.body) == order


def test_the_seventh_failure_disables_and_only_a_fresh_webhook_serves(woo, bridge, hook):
    shop = over(woo)
    stopped = admin.subscribe(shop, hook, "order.updated")
    order = woo.add_order()
    bridge.status = 503
    statuses = [woo.deliver(order["id"]) for _ in range(8)]

    assert statuses == [[503]] * 7 + [[]]
    assert [each.state for each in admin.subscriptions(shop, hook)] == ["disabled"]

    fresh = admin.subscribe(shop, hook, "order.updated")
    admin.unsubscribe(shop, stopped)
    admin.unsubscribe(shop, stopped)
    assert woo.deliver(order["id"]) == [503]
    assert [(each.id, each.state) for each in admin.subscriptions(shop, hook)] == [
        (fresh.id, "active")
    ]


def test_a_webhook_set_active_again_keeps_its_failures(woo, bridge, hook):
    number = woo.add_webhook("order.updated", hook, failures=6)
    bridge.status = 500

    woo.deliver(woo.add_order()["id"])

    assert woo.webhooks[number]["status"] == "disabled"


def test_a_webhook_that_never_reached_us_is_silent(woo, hook):
    woo.pings = False
    shop = over(woo)
    shop.heard = None
    assert admin.subscribe(shop, hook, "order.updated").state == "silent"

    shop.heard = woo.time - timedelta(days=1)
    assert admin.subscriptions(shop, hook)[0].state == "silent"

    shop.heard = woo.time
    assert admin.subscriptions(shop, hook)[0].state == "active"


def test_webhooks_of_others_are_neither_listed_nor_taken_for_ours(woo, bridge, hook):
    before = hook.replace(bridge.url, "https://earlier.example")  # the key is ours alone
    woo.add_webhook("order.updated", "https://other.example/webhooks/theirs")
    woo.add_webhook("order.updated", f"{bridge.url}/webhooks/earlier")
    woo.add_webhook("order.updated", f"{bridge.url}0/webhooks/theirs")
    woo.add_webhook("order.updated", before)
    shop = over(woo)

    assert [each.url for each in admin.subscriptions(shop, hook)] == [
        f"{bridge.url}/webhooks/earlier",
        before,
    ]
    assert admin.subscribe(shop, hook, "order.updated").url == hook


def test_all_pages_of_webhooks_are_read(woo, hook):
    for _ in range(250):
        woo.add_webhook("order.updated", hook)

    assert len(admin.subscriptions(over(woo), hook)) == 250


def test_a_topic_of_the_companion_is_unavailable_without_it(woo, hook):
    shop = over(woo)
    absent = admin.subscribe(shop, hook, "cart.item_added")
    woo.companion = True

    assert (absent.state, absent.id) == ("unavailable", "")
    assert admin.subscribe(shop, hook, "cart.item_added").state == "active"


def test_without_a_secret_no_webhook_is_made(woo, hook):
    shop = over(woo, secret="")

    assert "secret is missing" in str(
        refused(shop, lambda: admin.subscribe(shop, hook, "order.paid"))
    )
    assert woo.webhooks == {}


def test_all_topics_are_subscribed_only_with_a_key(woo, hook):
    woo.companion = True
    shop = over(woo)

    made = [admin.subscribe(shop, hook, topic) for topic in admin.topics(shop.settings)]

    assert {each.state for each in made} == {"active"}
    assert {each.topic for each in made} == set(adapter.topics)
    assert admin.topics({"secret": SECRET}) == ()


# Keys by one click


def test_a_key_is_granted_by_one_click(woo, bridge):
    settings = {"shop_url": woo.url}
    url = admin.authorize_url(
        settings, state="state-1", callback_url=f"{bridge.url}/connect/state-1",
        return_url="https://bridge.example/admin/?a=b&c",
    )  # fmt: skip
    parts = urlsplit(url)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    sent = FakeShop({}).request(
        Request(url=f"{woo.url}/wc-auth/v1/approve", headers={}, body=parts.query.encode())
    )

    assert parts.path == "/wc-auth/v1/authorize"
    assert asked["scope"] == "read_write"
    assert sent.status == 302
    call = bridge.calls[0]
    assert admin.authorized(Request(headers=call.headers, body=call.body)) == ("state-1", woo.key)


@pytest.mark.parametrize(
    "change",
    [
        {"user_id": ""}, {"user_id": 5}, {"user_id": "a b"}, {"consumer_key": "cs_12345678"},
        {"consumer_secret": None}, {"key_permissions": "read"},
    ],
)  # fmt: skip
def test_an_odd_call_grants_nothing(change):
    call = {
        "user_id": "s", "consumer_key": "ck_12345678", "consumer_secret": "cs_12345678",
        "key_permissions": "read_write",
    }  # fmt: skip
    assert admin.authorized(Request(headers={}, body=json.dumps(call).encode()))[0] == "s"

    with pytest.raises(VerificationError):
        admin.authorized(Request(headers={}, body=json.dumps({**call, **change}).encode()))
    with pytest.raises(VerificationError):
        admin.authorized(Request(headers={}, body=b"not json"))
