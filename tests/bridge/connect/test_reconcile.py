"""The shop's own list is read whole, once, in pages, whatever happens meanwhile."""

import json
import threading
import weakref
from collections import Counter
from datetime import timedelta

import pytest

from adapters.sources.woocommerce import adapter
from bridge.connect import reconcile
from bridge.events import OrderPage, ShopError
from bridge.store import moment
from bridge.store import rows as stored
from bridge.translate import translate_due
from tests.stores import rows

from .connected import CHANGED

ORDERS = 5_000
on_sqlite = pytest.mark.parametrize("fresh_url", ["sqlite"], indirect=True)


def hours(count):
    return int(timedelta(hours=count).total_seconds()) * 1_000_000


def purchases(shop):
    """Return how often each event id is to be sent, or was."""
    found = rows(shop.store, "outbox", "occasion", "state", "event_id")
    return Counter(row[2] for row in found if row[0] == "purchase" and row[1] != "skipped")


class Pages:
    """A shop's list of two orders a page, of which one may fail."""

    def __init__(self, count, failing=()):
        self.count, self.failing = count, set(failing)
        self.asked, self.alive, self.most = [], weakref.WeakSet(), 0

    def topics(self, settings):
        return ("order.updated",)

    def orders_since(self, shop, since, cursor):
        number = int(cursor or 0)
        self.asked.append(number)
        self.most = max(self.most, len(self.alive))
        if number in self.failing:
            self.failing.remove(number)
            raise ShopError("fault", "the shop has a fault", again=True)
        page = OrderPage(
            deliveries=(),
            listed=tuple((f"{number}-{place}", shop.now()) for place in range(2)),
            cursor=str(number + 1) if number + 1 < self.count else None,
        )
        self.alive.add(page)
        return page


@pytest.fixture
def pages(monkeypatch):
    """Return a function that puts such a list in the place of the adapter's admin."""

    def put(*details, **more):
        monkeypatch.setattr(adapter, "admin", Pages(*details, **more))
        return adapter.admin

    return put


@pytest.mark.fault
@on_sqlite
def test_five_thousand_orders_survive_throttling_and_a_page_that_fails(shop):
    shop.fake.add_orders(ORDERS)
    calls = len(shop.fake.calls)
    if shop.kind == "shopify":
        shop.fake.throttle_next(4)
    else:
        shop.fake.fail_next(429, times=2, Retry_After="3")
    first = reconcile_until(shop, calls + 60)
    assert 0 < first < ORDERS
    cursor = shop.watch().cursor
    shop.fake.fail_next(503, times=9)  # as often as the page is tried
    with pytest.raises(ShopError):
        reconcile(shop.store, shop.source, shop.shop())
    assert shop.watch().cursor == cursor
    shop.fake._faults.clear()

    second = reconcile(shop.store, shop.source, shop.shop())

    assert second.finished
    assert 0 <= first + second.new - ORDERS <= 1  # one second's order may stand on two pages
    assert len(rows(shop.store, "listed_order")) == ORDERS
    assert len(rows(shop.store, "delivery")) == ORDERS
    assert sum(shop.waits) >= 6


def reconcile_until(shop, calls):
    """Read until the shop was asked so often; return how many orders were new."""
    since = shop.clock() - hours(24)
    stop = lambda: len(shop.fake.calls) >= calls  # noqa: E731
    read = reconcile(shop.store, shop.source, shop.shop(), since=since, should_stop=stop)
    assert not read.finished
    return read.new


def test_a_page_that_fails_is_gone_on_from_in_the_next_turn(woocommerce, pages):
    shop = woocommerce
    asked = pages(6, failing=[3]).asked
    since = shop.clock() - hours(30)
    with pytest.raises(ShopError):
        reconcile(shop.store, shop.source, shop.shop(), since=since)

    read = reconcile(shop.store, shop.source, shop.shop())

    assert asked == [0, 1, 2, 3, 3, 4, 5]
    assert (read.orders, read.finished) == (6, True)
    assert len(rows(shop.store, "listed_order")) == 12
    assert shop.watch().read_since is None


def test_a_fault_that_may_pass_is_looked_at_soon_and_any_other_in_an_hour(woocommerce):
    for status, most_min in ((503, 10), (403, 60)):
        woocommerce.fake.fail_next(status, times=30)
        woocommerce.next_tick()
        assert 0 < woocommerce.watch().next_at - woocommerce.clock() <= most_min * 60_000_000
        woocommerce.fake._faults.clear()


def test_no_more_than_a_page_is_held_in_memory(woocommerce, pages):
    list_ = pages(50)

    reconcile(woocommerce.store, woocommerce.source, woocommerce.shop(), since=woocommerce.clock())

    assert len(list_.asked) == 50
    assert list_.most <= 1


def test_reading_while_webhooks_arrive_sends_nothing_twice(shop):
    numbers = shop.sold(60)
    done = threading.Event()
    faults = []

    def deliver():
        try:
            for number in numbers:
                assert shop.deliver([number]) == [[200]]
        except BaseException as error:  # noqa: BLE001  told below
            faults.append(error)
        finally:
            done.set()

    def translate():
        while not done.is_set():
            translate_due(shop.store)

    threads = [threading.Thread(target=target) for target in (deliver, translate)]
    for thread in threads:
        thread.start()
    while not done.is_set():
        reconcile(shop.store, shop.source, shop.shop(), since=shop.clock() - hours(3))
    for thread in threads:
        thread.join()
    shop.translate_and_send()

    assert faults == []
    assert set(purchases(shop).values()) == {1}
    assert len(purchases(shop)) == 60
    assert shop.coverage().sent == 60


def test_an_order_read_twice_is_stored_once_and_again_when_it_changed(shop):
    [number] = shop.sold(1, **unpaid(shop))
    since = shop.clock() - hours(1)
    assert reconcile(shop.store, shop.source, shop.shop(), since=since).new == 1
    assert reconcile(shop.store, shop.source, shop.shop(), since=since).new == 0
    at = moment(shop.clock.move(60))
    shop.fake.change_order(number, at, **paid(shop, at))

    assert reconcile(shop.store, shop.source, shop.shop(), since=since).new == 1

    shop.translate_and_send()
    assert shop.coverage().by_state == {"sent": 1}


def unpaid(shop):
    if shop.kind == "shopify":
        return {"financial_status": "pending", "payment_gateway_names": ["bank_deposit"]}
    return {"status": "on-hold", "payment_method": "bacs", "date_paid_gmt": None}


def paid(shop, at):
    if shop.kind == "shopify":
        return {"financial_status": "paid"}
    return {"status": "processing", "date_paid_gmt": f"{at:%Y-%m-%dT%H:%M:%S}"}


def test_orders_from_before_going_live_are_skipped(shop):
    shop.fake.add_order(changed_at=moment(shop.clock()) - timedelta(hours=5))
    shop.sold(1)

    reconcile(shop.store, shop.source, shop.shop(), since=shop.clock() - hours(24))
    shop.translate_and_send()

    found = shop.coverage()
    assert (found.sent, found.by_reason) == (1, {"before_go_live": 1})
    assert (found.of_eligible, found.of_total) == (1, 1)


def test_a_web_order_without_a_user_agent_is_never_relabelled(shopify):
    shopify.fake.rest = False  # then only GraphQL tells it, without the agent
    shopify.sold(1)

    read = reconcile(
        shopify.store, shopify.source, shopify.shop(), since=shopify.clock() - hours(1)
    )
    shopify.translate_and_send()

    assert "tells no user agent" in read.notes[0]
    found = rows(shopify.store, "outbox", "state", "channel", "trace")
    [(state, channel, trace)] = found
    assert (state, channel) == ("sent", "web")
    assert json.loads(trace)["action_source"] == "website"
    assert json.loads(trace)["notes"] == ["no user agent: it may count for less"]
    assert shopify.coverage().sent == 1


def test_the_list_has_the_topic_of_a_change_and_a_key_of_its_own(shop):
    shop.sold(1)

    reconcile(shop.store, shop.source, shop.shop(), since=shop.clock() - hours(1))

    [(topic, key)] = rows(shop.store, "delivery", "topic", "key")
    assert (topic, key.startswith(stored.RECONCILED)) == (CHANGED[shop.kind], True)


def test_a_reading_that_leaves_a_gap_does_not_count_as_whole(shop):
    shop.next_tick()
    until = shop.watch().read_until
    shop.clock.move(3 * 86_400)

    reconcile(shop.store, shop.source, shop.shop(), since=shop.clock() - hours(1))
    assert shop.watch().read_until == until
    reconcile(shop.store, shop.source, shop.shop())
    assert shop.watch().read_until == shop.clock()


def test_after_more_than_a_week_only_what_could_be_sent_is_read(woocommerce, pages):
    shop = woocommerce
    shop.next_tick()
    shop.clock.move(30 * 86_400)
    pages(1)

    reconcile(shop.store, shop.source, shop.shop())

    assert shop.watch().read_until == shop.clock()
