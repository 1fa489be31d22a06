"""Shopify's admin: the token, what refusals mean, webhooks, and what is checked."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest

from adapters.sources.shopify import adapter
from bridge.events import Request, ShopAdmin, ShopError, VerificationError
from tests.fakes.server import FakeServer
from tests.fakes.shop import NOW, FakeShop
from tests.fakes.shopify_admin import ShopifyFake

HOOK = "https://bridge.example/webhooks/k1"
admin: ShopAdmin = adapter.admin


@pytest.fixture
def shopify():
    with ShopifyFake() as fake:
        yield fake


@pytest.fixture
def shop(shopify):
    return FakeShop(shopify.app, shopify.routes)


def refused(shop, call=None):
    with pytest.raises(ShopError) as error:
        (call or (lambda: admin.subscriptions(shop, HOOK)))()
    return error.value


def findings(shop):
    return {each.name: (each.status, each.message) for each in admin.check(shop)}


# The token


def test_a_token_is_asked_once_and_remembered(shopify, shop):
    admin.subscriptions(shop, HOOK)
    admin.subscriptions(shop, HOOK)

    assert shopify.tokens == 1
    assert shop.settings["access_token"] == "shpua_1"
    assert shop.settings["granted_scopes"] == "read_orders,read_customers"


@pytest.mark.parametrize(("left_min", "asked"), [(16, 1), (14, 2)])
def test_a_token_is_renewed_a_quarter_of_an_hour_before_it_ends(shopify, shop, left_min, asked):
    admin.subscriptions(shop, HOOK)
    shop.time = NOW + timedelta(seconds=86399) - timedelta(minutes=left_min)

    admin.subscriptions(shop, HOOK)

    assert shopify.tokens == asked


def test_a_refused_token_is_renewed_once(shopify, shop):
    admin.subscriptions(shop, HOOK)
    shopify.revoke_tokens()

    assert admin.subscriptions(shop, HOOK) == []
    assert shopify.tokens == 2


def test_a_token_that_is_refused_again_is_an_error(shopify, shop):
    admin.subscriptions(shop, HOOK)
    shopify.fail_next(401)
    shopify.client_id = "another app"

    assert refused(shop).kind == "unauthorized"
    assert shopify.tokens == 1


def test_two_workers_renew_the_token_once(shopify, shop):
    start = threading.Barrier(2)
    failed = []

    def work():
        start.wait()
        try:
            admin.subscriptions(shop, HOOK)
        except ShopError as error:
            failed.append(error)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert failed == []
    assert shopify.tokens == 1


def test_a_legacy_token_serves_until_it_is_revoked(shopify):
    settings = {"shop_domain": shopify.domain, "admin_token": shopify.admin_token}
    shop = FakeShop(settings, shopify.routes)

    assert admin.subscriptions(shop, HOOK) == []
    shopify.revoke_tokens()
    assert "admin_token" in str(refused(shop))
    assert shopify.tokens == 0


def test_a_shop_of_another_organisation_is_named_as_that(shopify, shop):
    shopify.permitted = False

    assert "same organisation" in str(refused(shop))


@pytest.mark.parametrize(
    "domain",
    ["", "www.brand.com", "brand", "https://a.myshopify.com", "a.myshopify.com.evil.example"],
)
def test_no_shop_is_guessed_from_another_address(domain):
    shop = FakeShop({"shop_domain": domain, "admin_token": "t"})

    assert refused(shop).kind == "address"


@pytest.mark.parametrize("version", ["latest", "2026-10\n2026-07", "2026", "2026-04", "unstable"])
def test_an_unsound_version_is_refused(shopify, version):
    shop = FakeShop({**shopify.app, "api_version": version}, shopify.routes)

    assert "api_version" in str(refused(shop))


# What refusals mean


@pytest.mark.parametrize(
    ("status", "kind"),
    [(301, "redirected"), (402, "refused"), (403, "scope"), (404, "not_found"), (423, "refused")],
)
def test_a_status_is_told_as_what_to_do(shopify, shop, status, kind):
    admin.subscriptions(shop, HOOK)
    shopify.fail_next(status)

    error = refused(shop)

    assert (error.kind, error.again) == (kind, False)


def test_a_redirect_is_not_followed_with_the_token(shopify, shop):
    admin.subscriptions(shop, HOOK)
    with FakeServer() as elsewhere:
        shopify.redirect_all(elsewhere.url)
        refused(shop)

        assert elsewhere.calls == []


def test_too_many_requests_are_waited_for(shopify, shop):
    admin.subscriptions(shop, HOOK)
    shopify.fail_next(429, Retry_After="3")

    assert admin.subscriptions(shop, HOOK) == []
    assert shop.slept == [3.0]


def test_a_throttled_query_waits_until_it_is_restored(shopify, shop):
    shopify.throttle_next(2)

    assert admin.subscriptions(shop, HOOK) == []
    assert shop.slept == [2.0, 2.0]


def test_a_shop_that_stays_throttled_is_tried_later(shopify, shop):
    shopify.throttle_next(99)

    assert (refused(shop).kind, refused(shop).again) == ("throttled", True)


def test_a_query_is_tried_again_after_a_fault_and_a_change_is_not(shopify, shop):
    admin.subscriptions(shop, HOOK)
    shopify.fail_next(502)
    assert admin.subscriptions(shop, HOOK) == []

    subscription = admin.subscribe(shop, HOOK, "orders/create")
    shopify.fail_next(502)
    error = refused(shop, lambda: admin.unsubscribe(shop, subscription))

    assert (error.kind, error.again) == ("fault", True)


@pytest.mark.parametrize("kind", ["certificate", "timeout", "unreachable", "address"])
def test_what_the_bridge_cannot_reach_is_a_finding(shop, kind):
    shop.failing = ShopError(kind, f"the shop: {kind}")

    assert findings(shop) == {"token": ("fail", f"the shop: {kind}")}


# Webhooks


def test_a_webhook_is_made_once(shopify, shop):
    made = admin.subscribe(shop, HOOK, "orders/create")

    assert (made.topic, made.url, made.state) == ("orders/create", HOOK, "active")
    assert admin.subscribe(shop, HOOK, "orders/create") == made
    assert admin.subscriptions(shop, HOOK) == [made]
    assert len(shopify.subscriptions) == 1


def test_webhooks_of_others_are_neither_listed_nor_touched(shopify, shop):
    before = HOOK.replace("bridge.example", "earlier.example")  # the key is ours alone
    shopify.add_subscription("ORDERS_CREATE", "https://other.example/webhooks/theirs")
    shopify.add_subscription("ORDERS_CREATE", "https://bridge.example.evil/webhooks/theirs")
    shopify.add_subscription("ORDERS_PAID", "https://bridge.example/webhooks/old-key")
    shopify.add_subscription("ORDERS_PAID", before)

    found = admin.subscriptions(shop, HOOK)

    assert [each.url for each in found] == ["https://bridge.example/webhooks/old-key", before]


def test_all_pages_of_webhooks_are_read(shopify, shop):
    for number in range(230):
        shopify.add_subscription("ORDERS_CREATE", f"https://bridge.example/webhooks/{number}")

    assert len(admin.subscriptions(shop, HOOK)) == 230


def test_a_deleted_webhook_is_made_anew_and_its_deletion_is_no_error(shopify, shop):
    made = admin.subscribe(shop, HOOK, "orders/create")
    shopify.drop_webhooks()

    admin.unsubscribe(shop, made)

    assert admin.subscriptions(shop, HOOK) == []
    assert admin.subscribe(shop, HOOK, "orders/create").id != made.id


def test_a_filtered_webhook_is_changed_and_another_version_is_only_told(shopify, shop):
    shopify.add_subscription("ORDERS_CREATE", HOOK, filter="test:false")
    shopify.add_subscription("ORDERS_PAID", HOOK, apiVersion={"handle": "2026-07"})

    found = {each.topic: each for each in admin.subscriptions(shop, HOOK)}

    assert found["orders/create"].state == "changed"
    assert found["orders/paid"].state == "active"
    assert "2026-07" in found["orders/paid"].detail


def test_a_missing_scope_and_a_refused_address_are_told_without_the_address(shopify, shop):
    shopify.scopes = ["read_orders"]
    scope = refused(shop, lambda: admin.subscribe(shop, HOOK, "customers/create"))
    plain = refused(shop, lambda: admin.subscribe(shop, "http://b.example/x", "orders/create"))

    assert scope.kind == "scope"
    assert plain.kind == "refused"
    assert "protocol" in str(plain)
    assert "b.example" not in str(plain)


def test_registrations_are_subscribed_only_where_customers_may_be_read(shop):
    assert admin.topics({"secret": "by hand"}) == ()
    assert "customers/create" not in admin.topics(shop.settings)
    admin.check(shop)
    assert "customers/create" in admin.topics(shop.settings)


def test_deliveries_signed_with_the_client_secret_are_taken():
    headers = adapter.sign("orders/create", b"{}", {"secret": "client-secret-1"})
    settings = {"client_secret": " client-secret-1\n"}

    assert adapter.verify(Request(headers=headers, body=b"{}"), settings).body == b"{}"
    with pytest.raises(VerificationError):
        adapter.verify(Request(headers=headers, body=b"{}"), {"client_secret": "other"})


# Checks


def test_a_sound_shop_is_found_sound(shopify, shop):
    shopify.add_orders(3)

    assert {status for status, _ in findings(shop).values()} == {"ok"}
    assert list(findings(shop)) == ["token", "scopes", "personal data", "API version"]


def test_a_wrong_secret_is_the_only_finding(shopify):
    shop = FakeShop({**shopify.app, "client_secret": "wrong"}, shopify.routes)

    assert [(each.name, each.status) for each in admin.check(shop)] == [("token", "fail")]


def test_missing_scopes_are_named(shopify, shop):
    shopify.scopes = ["read_products", "customer_read_orders"]
    assert findings(shop)["scopes"] == ("fail", "give the app the access scope read_orders")

    shopify.scopes = ["write_orders"]
    assert findings(shop)["scopes"][0] == "warn"


def test_withheld_personal_data_are_noticed(shopify, shop):
    shopify.add_orders(5)
    shopify.redacted = True

    status, message = findings(shop)["personal data"]

    assert status == "warn"
    assert "protected customer data" in message


def test_a_drifting_version_is_noticed(shopify, shop):
    shopify.add_subscription("ORDERS_PAID", HOOK, apiVersion={"handle": "2027-01"})
    assert "2027-01" in findings(shop)["API version"][1]

    shopify.supported = ["2027-01"]
    assert "no longer supports" in findings(shop)["API version"][1]


def test_a_shop_without_access_is_told_to_be_by_hand():
    assert [each.status for each in admin.check(FakeShop({"secret": "s"}))] == ["warn"]
    assert admin.authorize_url({}, state="s", callback_url="c", return_url="r") is None


def test_every_topic_that_is_subscribed_is_read(shop):
    admin.check(shop)

    assert set(admin.topics(shop.settings)) <= set(adapter.topics)


def test_unit_costs_are_read_by_variant_and_by_sku(shopify, shop):
    shopify.costs = [(str(number), f"SKU-{number}", f"{number}.50") for number in range(1, 151)]
    shopify.costs.append(("900", "NO-COST", None))

    costs = admin.unit_costs(shop)

    assert (costs["150"], costs["SKU-150"], len(costs)) == (Decimal("150.50"),) * 2 + (300,)
    assert "NO-COST" not in costs
