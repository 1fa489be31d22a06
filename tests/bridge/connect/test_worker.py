"""The worker notices that nobody was there, and asks no shop to call this machine."""

from datetime import timedelta

import pytest

from bridge import config
from bridge.worker import Worker
from tests.stores import SECRET_KEY


@pytest.fixture
def worker_of(shop):
    """Return a function that makes a worker that is not started."""

    def make(**more):
        environment = {"DATABASE_URL": "sqlite:///unused", "SECRET_KEY": SECRET_KEY, **more}
        made = Worker(shop.store, config.load(environment))
        made._shop_of = shop.shop
        return made

    return make


def test_the_first_beat_after_an_outage_lets_every_shop_be_read(shop, worker_of):
    worker_of()._beat()
    shop.clock.move(timedelta(minutes=6).total_seconds())
    assert shop.watch().next_at > shop.clock()

    worker_of()._beat()

    assert (shop.watch().next_at, shop.watch().nightly_at) == (0, 0)
    assert shop.store.history.last_beat() == shop.clock()


def test_a_restart_is_no_outage(shop, worker_of):
    worker_of()._beat()
    shop.clock.move(60)

    worker_of()._beat()

    assert shop.watch().next_at > shop.clock()


def test_a_worker_that_could_not_beat_for_long_lets_every_shop_be_read(shop, worker_of):
    worker = worker_of()
    worker._beat()
    shop.clock.move(600)  # the database was down, and no webhook was stored
    worker._beat()
    assert (shop.watch().next_at, shop.watch().nightly_at) == (0, 0)
    shop.tick()

    shop.clock.move(10)
    worker._beat()

    assert shop.watch().nightly_at > shop.clock()


def test_orders_of_an_outage_are_read_at_the_first_turn(shop, worker_of):
    worker_of()._beat()
    shop.sold(3)
    shop.clock.move(600)
    worker = worker_of(PUBLIC_URL=shop.bridge.url)
    worker._beat()

    worker._guard()
    shop.translate_and_send()

    assert (shop.coverage().sent, shop.coverage().repaired) == (3, 3)


def test_without_a_public_address_no_shop_is_asked_for_anything(shop, worker_of):
    calls, webhooks = len(shop.fake.calls), shop.listed()
    shop.clock.move(7200)

    worker_of()._guard()

    assert len(shop.fake.calls) == calls
    assert shop.listed() == webhooks
