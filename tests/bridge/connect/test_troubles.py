"""Each trouble of a shop has a sentence of its own, and none stops the guardian."""

import logging
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest

from adapters.sources.woocommerce import adapter
from bridge.connect import LiveShop, after_outage, subscribe, watch_due
from bridge.connect import shop as shop_module
from bridge.events import Request, Response, ShopError
from bridge.fetch import fetch
from bridge.secrets import Vault
from bridge.store import Store
from tests.fakes.server import FakeServer
from tests.stores import SECRET_KEY, FakeClock, rows

from .connected import Connected

CLOSED = "http://127.0.0.1:9"


def told(shop: Connected) -> str:
    """Return the alert after the guardian has looked, twice."""
    shop.next_tick()
    first = shop.alerts().get("shop", "")
    shop.next_tick()
    assert len([one for one in shop.store.watches.alerts() if one.kind == "shop"]) == bool(first)
    return first


def set_settings(shop: Connected, **changes: str) -> None:
    shop.store.connections.remember(shop.source.id, changes)


def answer(shop: Connected, status: int) -> None:
    shop.fake.fail_next(status, times=100)


def set_keys(shop: Connected, **changes: object) -> None:
    for name, value in changes.items():
        setattr(shop.fake.keys, name, value)


WOO_TROUBLES = {
    "wrong key": (
        lambda it: set_settings(it, consumer_key="ck_x"),
        "consumer_key or consumer_secret",
    ),
    "wrong secret": (lambda it: set_settings(it, consumer_secret="cs_x"), "is wrong or revoked"),
    "owner gone": (lambda it: set_keys(it, owner="gone"), "has lost its rights"),
    "owner demoted": (lambda it: set_keys(it, owner="customer"), "needs the role Shop manager"),
    "reads only": (
        lambda it: (it.break_webhooks(), set_keys(it, permissions="read")),
        "the key may only read",
    ),
    "plain permalinks": (lambda it: setattr(it.fake, "permalinks", "plain"), "but Plain under"),
    "no plug-in": (lambda it: setattr(it.fake, "active", False), "WooCommerce is not active"),
    "redirect": (lambda it: it.fake.redirect_all("https://www.shop.example"), "redirects from"),
    "firewall": (lambda it: answer(it, 403), "a firewall or a security plug-in"),
    "fault": (lambda it: answer(it, 502), "the shop has a fault"),
    "throttled": (lambda it: answer(it, 429), "the shop's host asks for fewer requests"),
    "closed": (lambda it: set_settings(it, shop_url=CLOSED), "cannot be reached"),
    "odd port": (lambda it: set_settings(it, shop_url="https://shop.example:99999"), "must be"),
    "odd name": (lambda it: set_settings(it, shop_url="https://a..example"), "must be like"),
    "no address": (lambda it: set_settings(it, shop_url="shop.example"), "write the shop's whole"),
}
SHOPIFY_TROUBLES = {
    "wrong client": (
        lambda it: (it.fake.revoke_tokens(), set_settings(it, client_secret="x")),
        "Shopify refuses client_id and client_secret",
    ),
    "organisation": (
        lambda it: (it.fake.revoke_tokens(), setattr(it.fake, "permitted", False)),
        "the same organisation",
    ),
    "scope": (
        lambda it: (it.fake.scopes.clear(), after_outage(it.store)),
        "give it the access scopes it needs",
    ),
    "redirect": (lambda it: it.fake.redirect_all("https://x.example"), "another name now"),
    "frozen": (lambda it: answer(it, 402), "the shop is frozen"),
    "locked": (lambda it: answer(it, 423), "has locked the shop"),
    "unknown": (lambda it: answer(it, 404), "knows no such shop"),
    "fault": (lambda it: answer(it, 503), "Shopify has a fault"),
    "throttled": (lambda it: it.fake.throttle_next(100), "limits are used up by other apps"),
    "not its name": (
        lambda it: set_settings(it, shop_domain="www.brand.com"),
        "write the shop's own name",
    ),
    "version": (lambda it: set_settings(it, api_version="2020-01"), "api_version: must be"),
}


@pytest.mark.parametrize("trouble", WOO_TROUBLES)
def test_a_trouble_of_woocommerce_has_its_own_sentence(woocommerce, trouble):
    cause, sentence = WOO_TROUBLES[trouble]
    cause(woocommerce)

    assert sentence in told(woocommerce)


@pytest.mark.parametrize("trouble", SHOPIFY_TROUBLES)
def test_a_trouble_of_shopify_has_its_own_sentence(shopify, trouble):
    cause, sentence = SHOPIFY_TROUBLES[trouble]
    cause(shopify)

    assert sentence in told(shopify)


@pytest.mark.parametrize(
    ("kind", "again"), [("certificate", False), ("timeout", True), ("address", False)]
)
def test_a_trouble_of_the_network_is_told_as_it_is(shop, kind, again):
    sentence = f"the shop: {kind}"
    asked = []

    def fail(request: Request) -> Response:
        asked.append(request)
        raise ShopError(kind, sentence, again=again)

    broken = replace(shop)
    broken.fetch = fail
    assert told(broken) == f"shop: {sentence}"
    assert 1 <= len(asked) <= 24


def test_a_private_address_is_refused_by_default(woocommerce):
    shop = woocommerce
    calls = len(shop.fake.calls)
    public = lambda source: LiveShop(shop.store, source, fetcher=fetch)  # noqa: E731
    set_settings(shop, shop_url="http://127.0.0.1:8080")
    shop.clock.move(3600)

    watch_due(shop.store, shop.bridge.url, public)

    assert "private network" in shop.alerts()["shop"]
    assert len(shop.fake.calls) == calls


def test_the_alert_tells_the_newest_trouble_and_ends_with_it(woocommerce):
    shop = woocommerce
    answer(shop, 502)
    shop.next_tick()
    shop.fake._faults.clear()
    set_keys(shop, owner="gone")
    shop.next_tick()
    assert "lost its rights" in shop.alerts()["shop"]
    set_keys(shop, owner="manager")

    shop.next_tick()

    assert shop.alerts() == {}
    assert len(rows(shop.store, "alert")) == 1


def test_a_webhook_that_never_reaches_us_is_told(open_shop):
    shop = open_shop("woocommerce", webhooks=False)
    shop.fake.pings = False

    shop.tick()

    assert "has not reached us since it was made" in shop.alerts()["silent"]


def test_a_fault_of_an_adapter_stops_neither_the_guardian_nor_other_shops(
    open_shop, monkeypatch, caplog
):
    faulty, sound = open_shop("woocommerce"), open_shop("shopify", name="other")

    def explode(*_: object) -> object:
        raise KeyError("canary@example.com")

    admin = SimpleNamespace(topics=lambda settings: ("order.updated",), subscriptions=explode)
    monkeypatch.setattr(adapter, "admin", admin)
    calls = len(sound.fake.calls)
    caplog.set_level(logging.INFO)
    faulty.clock.move(3600)

    assert watch_due(faulty.store, faulty.bridge.url, lambda one: shop_of(one, faulty, sound)) == 2

    assert faulty.alerts() == {"shop": "shop: its adapter has a fault (KeyError)"}
    assert len(sound.fake.calls) > calls
    assert "canary" not in caplog.text


def shop_of(source, *shops):
    [ours] = [one for one in shops if one.source.id == source.id]
    return ours.shop(source)


def test_a_key_that_opens_nothing_any_more_reaches_no_log(woocommerce, caplog):
    caplog.set_level(logging.DEBUG)
    set_keys(woocommerce, owner="gone")
    answer(woocommerce, 502)

    woocommerce.next_tick()
    woocommerce.next_tick()

    for secret in (woocommerce.fake.keys.key, woocommerce.fake.keys.secret, "client-secret-1"):
        assert secret not in "".join(f"{vars(record)}" for record in caplog.records)
        assert secret not in str(woocommerce.store.watches.alerts())


def test_two_workers_repair_once(shop, store_url):
    shop.deliver(shop.sold(1))
    shop.break_webhooks()
    shop.clock.move(3600)
    wanted = len(shop.audited("webhook.made"))
    start = threading.Barrier(2)
    looked, faults = [], []

    def work() -> None:
        own = Store(store_url, Vault(SECRET_KEY), shop.clock)
        start.wait()
        try:
            shop_of_own = lambda source: shop.shop(source, own)  # noqa: E731
            looked.append(watch_due(own, shop.bridge.url, shop_of_own))
        except BaseException as error:  # noqa: BLE001  told below
            faults.append(error)
        own.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert faults == []
    assert sorted(looked) == [0, 1]
    assert len(shop.listed()) == len(set(shop.listed())) == wanted
    assert len(shop.audited("webhook.made")) == 2 * wanted
    assert len(rows(shop.store, "alert")) == 1


def test_a_lock_is_held_on_by_its_holder_and_by_nobody_else(shop, store_url, monkeypatch):
    monkeypatch.setattr(shop_module, "LOCK_TRIES", 3)
    first, second = shop.shop(), shop.shop()
    with first.lock("webhooks"):
        with first.lock("webhooks"):
            pass
        with pytest.raises(ShopError) as error, second.lock("webhooks"):
            raise AssertionError("both have it")
        assert (error.value.kind, error.value.again) == ("timeout", True)
        with second.lock("token"):
            pass

    with second.lock("webhooks"):
        pass


def test_a_lock_of_a_dead_holder_is_free_after_five_minutes(store, clock: FakeClock):
    held = store.watches.lock("guardian 1")
    assert held.__enter__()
    with store.watches.lock("guardian 1") as taken:
        assert not taken
    clock.move(301)

    with store.watches.lock("guardian 1") as taken:
        assert taken
        held.__exit__(None, None, None)  # the dead one comes back; it must not free ours
        with store.watches.lock("guardian 1") as another:
            assert not another


def test_making_webhooks_while_the_guardian_makes_them_makes_each_once(open_shop, store_url):
    shop = open_shop("woocommerce", webhooks=False)
    errors = []

    def make() -> None:
        try:
            subscribe(shop.store, shop.source, LiveShop(
                shop.store, shop.source, fetcher=shop.fetch), shop.hook)  # fmt: skip
        except ShopError as error:
            errors.append(error)

    workers = [threading.Thread(target=make) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert errors == []
    assert len(shop.listed()) == len(set(shop.listed())) == 6


def test_requests_that_only_read_are_tried_again_and_others_never(shop):
    with FakeServer() as server:
        server.fail_next(503, times=9)
        live = shop.shop()
        for method in ("GET", "POST"):
            request = Request(method=method, url=server.url, headers={}, body=b"")
            assert live.request(request).status == 503

    assert [call.method for call in server.calls] == ["GET"] * 3 + ["POST"]


def test_the_patience_with_a_slow_api_is_bounded(shop):
    live = shop.shop()
    live.sleep(59)

    with pytest.raises(ShopError) as error:
        live.sleep(2)
    assert (error.value.kind, error.value.again) == ("throttled", True)
    assert shop.waits == [59]
