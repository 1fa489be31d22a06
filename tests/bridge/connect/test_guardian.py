"""Webhooks that the shop dropped are made anew in one turn, and nothing that was missed is lost."""

from dataclasses import replace
from datetime import timedelta

from bridge.connect import after_outage, subscribe, unsubscribe
from bridge.store import micros, moment
from tests.stores import rows

from .connected import LATER

ELSEWHERE = "https://elsewhere.example/webhooks/other"


def test_the_first_look_makes_every_webhook_and_raises_no_alarm(shop):
    topics = {topic for topic, _ in shop.listed()}

    assert len(topics) == len(shop.listed()) >= 6
    assert {url for _, url in shop.listed()} == {shop.hook}
    assert len(shop.audited("webhook.made")) == len(topics)
    assert shop.alerts() == {}


def test_orders_behind_broken_webhooks_are_repaired_in_one_turn(shop):
    wanted = shop.listed()
    assert all(200 in found for found in shop.deliver(shop.sold(5)))
    shop.translate_and_send()
    shop.break_webhooks()
    assert not any(shop.deliver(shop.sold(5)))
    assert len(rows(shop.store, "delivery")) == 5

    assert shop.next_tick() == 1

    assert shop.listed() == wanted
    assert "webhooks were made anew" in shop.alerts()["webhooks"]
    assert len(shop.audited("webhook.made")) == 2 * len(wanted)
    shop.translate_and_send()
    found = shop.coverage()
    assert (found.total, found.sent, found.repaired) == (10, 10, 5)
    assert (found.of_eligible, found.of_total) == (1, 1)


def test_the_alarm_ends_when_nothing_more_is_to_be_mended(shop):
    shop.deliver(shop.sold(1))
    shop.translate_and_send()
    shop.break_webhooks()
    shop.next_tick()

    shop.next_tick()

    assert shop.alerts() == {}
    assert [one.kind for one in shop.store.watches.alerts(untold=True)] == ["webhooks"]


def test_orders_of_an_outage_of_ours_are_read_back(shop):
    shop.deliver(shop.sold(5))
    shop.translate_and_send()
    shop.tick()
    shop.bridge.down = True
    assert all(503 in found for found in shop.deliver(shop.sold(5)))
    shop.bridge.down = False
    assert shop.tick() == 0

    after_outage(shop.store)
    assert shop.tick() == 1

    shop.translate_and_send()
    found = shop.coverage()
    assert (found.total, found.sent, found.repaired) == (10, 10, 5)


def test_an_outage_of_days_is_read_back_from_its_beginning(shop):
    shop.tick()
    first = shop.sold(1)
    shop.clock.move(timedelta(days=4).total_seconds())
    after_outage(shop.store)

    shop.tick()

    assert [row[0] for row in rows(shop.store, "listed_order", "order_id", "source_id")] == [
        str(number) for number in first
    ]


def test_a_webhook_that_keeps_counting_failures_is_replaced_by_a_fresh_one(woocommerce):
    old = set(woocommerce.fake.webhooks)
    woocommerce.break_webhooks()

    woocommerce.next_tick()

    assert not old & set(woocommerce.fake.webhooks)
    assert {one["_failures"] for one in woocommerce.fake.webhooks.values()} == {0}
    woocommerce.bridge.down = True
    number = woocommerce.sold(1)
    woocommerce.deliver(number)  # one failure disables a revived webhook, not a fresh one
    woocommerce.bridge.down = False
    assert [200] in woocommerce.deliver(number)


def test_a_webhook_that_somebody_filters_is_replaced_in_the_same_turn(shopify):
    [webhook] = [
        one for one in shopify.fake.subscriptions.values() if one["topic"] == "ORDERS_CREATE"
    ]
    webhook["filter"] = "tags:none"
    wanted = shopify.listed()

    shopify.next_tick()

    assert shopify.listed() == wanted
    assert webhook["id"] not in shopify.fake.subscriptions
    assert not any(one["filter"] for one in shopify.fake.subscriptions.values())


def add_webhook(shop, url):
    if shop.kind == "shopify":
        shop.fake.add_subscription("ORDERS_PAID", url)
    else:
        shop.fake.add_webhook(LATER[shop.kind], url)


def test_only_webhooks_of_ours_are_ever_deleted(shop):
    add_webhook(shop, ELSEWHERE)
    add_webhook(shop, f"{shop.bridge.url}/webhooks/an-earlier-key")
    add_webhook(shop, f"{shop.bridge.url}.evil.example/webhooks/key")

    shop.next_tick()
    unsubscribe(shop.source, shop.shop(), shop.hook)

    left = {url for _, url in shop.listed()}
    assert left == {ELSEWHERE, f"{shop.bridge.url}.evil.example/webhooks/key"}


def test_webhooks_follow_the_bridge_to_its_new_address(shop):
    moved = "https://old.example" + shop.hook.removeprefix(shop.bridge.url)
    wanted = shop.listed()
    shop.break_webhooks()
    add_webhook(shop, moved)

    shop.next_tick()

    assert shop.listed() == wanted


def test_a_second_source_of_the_same_shop_keeps_its_webhooks(shop):
    known = shop.store.connections
    other = known.add_source(shop.kind, "staging", shop.source.settings, "staging")
    twin = replace(shop, source=other)

    shop.next_tick()
    shop.next_tick()

    for one in (shop, twin):
        assert [url for _, url in shop.listed()].count(one.hook) == len(shop.listed()) / 2
    known.set_source(other.id, state="removed")
    unsubscribe(other, shop.shop(other), twin.hook)
    assert {url for _, url in shop.listed()} == {shop.hook}


def test_a_topic_that_is_refused_stops_neither_the_others_nor_the_reading(shopify):
    shopify.fake.drop_webhooks()
    shopify.sold(3)
    shopify.fake.scopes = ["read_orders"]  # the remembered scopes still ask for registrations

    shopify.next_tick()

    assert len(shopify.listed()) == 10
    assert shopify.alerts()["shop"].startswith("shop: the app may not do this")
    assert len(rows(shopify.store, "listed_order")) == 3


def test_what_was_mended_before_a_fault_is_read_back_after_it(shop):
    shop.deliver(shop.sold(1))
    shop.translate_and_send()
    shop.break_webhooks()
    shop.sold(2)
    subscribe(shop.store, shop.source, shop.shop(), shop.hook)  # by hand, or before a crash

    shop.next_tick()

    assert len(rows(shop.store, "listed_order")) == 3


def test_a_quiet_shop_is_read_without_a_repair(shop):
    for _ in range(20):
        shop.deliver(shop.sold(1))
    shop.translate_and_send()
    missed = shop.sold(1)

    shop.next_tick()

    assert shop.alerts() == {}
    assert str(missed[0]) in rows(shop.store, "listed_order", "order_id")


def test_the_night_reads_two_days(shop):
    shop.tick()
    before = moment(shop.clock()) - timedelta(hours=47)
    shop.fake.add_order(changed_at=before)
    shop.fake.add_order(changed_at=before - timedelta(hours=2))
    assert rows(shop.store, "listed_order") == []
    for _ in range(23):
        shop.next_tick()
        assert rows(shop.store, "listed_order") == []
    shop.fake.add_order(changed_at=moment(shop.clock()) - timedelta(hours=47))

    shop.next_tick()

    changed = rows(shop.store, "listed_order", "changed_at")
    assert changed == [micros(moment(shop.clock()) - timedelta(hours=48))]


def test_a_paused_or_removed_shop_is_left_alone(shop):
    calls = len(shop.fake.calls)
    for state in ("paused", "removed", "disconnected"):
        shop.store.connections.set_source(shop.source.id, state=state)
        assert shop.next_tick() == 0

    assert len(shop.fake.calls) == calls


def test_a_shop_connected_by_hand_is_no_fault(shop):
    by_hand = {"secret": "hush", "shop_domain": "x.myshopify.com", "shop_url": shop.fake.url}
    shop.store.connections.set_source(shop.source.id, settings=by_hand)
    calls = len(shop.fake.calls)

    shop.next_tick()

    assert (len(shop.fake.calls), shop.alerts()) == (calls, {})


def test_the_next_look_is_never_more_than_an_hour_away(shop):
    for _ in range(20):
        assert 0 < shop.watch().next_at - shop.clock() <= 3600 * 1_000_000
        shop.next_tick()


def test_webhooks_that_vanish_before_anything_came_are_told_too(shop):
    shop.break_webhooks()

    shop.next_tick()

    assert "webhooks" in shop.alerts()
