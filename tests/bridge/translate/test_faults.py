"""A fault costs the delivery that has it, and nobody learns from it who bought what."""

import json
import logging
import threading

import pytest

from bridge import registry
from bridge.events import ConfigError, Request
from bridge.secrets import Vault
from bridge.store import Store, moment, schema
from bridge.translate import Batch, translate_due, view_of
from tests.stores import SECRET_KEY, put, rows

from .bogus import EMAIL, FAULTS, UNSOUND, platform, shop
from .line import connect
from .shops import order

DEAD = sorted(set(FAULTS) - {"nothing", "refuses"})


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """Register the bogus adapters beside the real ones."""
    source, destination = registry.source, registry.destination
    monkeypatch.setattr(
        registry, "source", lambda kind: shop if kind == shop.kind else source(kind)
    )
    monkeypatch.setattr(
        registry,
        "destination",
        lambda kind: platform if kind == platform.kind else destination(kind),
    )


def connected(store, *datasets):
    settings = {"secret": "hush"}
    return connect(
        store, shop.kind, settings=settings, datasets=datasets or ("dataset",), to=platform.kind
    )


@pytest.fixture
def line(store):
    return connected(store)


def delivery_rows(line):
    return rows(line.store, "delivery", "state", "reason", "detail")


@pytest.mark.parametrize("fault", DEAD)
def test_a_fault_makes_its_delivery_dead_and_the_rest_goes_on(line, fault, caplog):
    caplog.set_level(logging.DEBUG)
    line.post("orders/paid", {"id": "1"})
    line.post(fault, {"id": "2"})
    line.post("orders/paid", {"id": "3"})

    assert translate_due(line.store) == 3
    first, faulty, last = delivery_rows(line)
    assert first == last == ("translated", "", "")
    assert faulty[:2] == ("dead", "fault")
    assert " at " in faulty[2]
    assert line.pending() == ["purchase.1", "purchase.3"]
    assert EMAIL not in caplog.text + str(faulty)


@pytest.mark.parametrize("fault", sorted(UNSOUND))
def test_a_fact_that_could_not_be_stored_makes_its_delivery_dead(line, fault):
    line.post("orders/paid", {"id": "1"})
    line.post(fault, {"id": "2"})
    line.post("orders/paid", {"id": "3"})

    assert translate_due(line.store) == 3
    first, unsound, last = delivery_rows(line)
    assert first == last == ("translated", "", "")
    assert unsound[:2] == ("dead", "unsound_fact")
    assert unsound[2].startswith("the adapter told ")
    assert line.pending() == ["purchase.1", "purchase.3"]


def test_the_detail_of_a_fault_is_its_type_and_line(line):
    line.tell("raises", {"id": "2"})

    [(_, _, detail)] = delivery_rows(line)
    kind, _, place = detail.partition(" at ")
    assert (kind, place.partition(":")[0]) == ("KeyError", "bogus.py")
    assert place.partition(":")[2].isdecimal()


def test_an_adapters_own_refusal_keeps_its_word_and_sentence(line):
    line.tell("refuses", {"id": "2"})

    assert delivery_rows(line) == [("dead", "not_an_order", "the body is not an order")]


def test_a_body_that_is_no_json_is_dead(line):
    line.post("orders/paid", b"{")
    translate_due(line.store)

    assert delivery_rows(line) == [("dead", "not_json", "the body is not sound JSON")]


def test_a_delivery_that_tells_nothing_is_ignored_with_a_reason(line):
    line.tell("nothing", {"id": "1"})
    line.tell("orders/paid", {"id": "2"})

    assert line.ends() == [("ignored", "topic"), ("translated", "")]


def test_a_dead_delivery_of_the_second_fact_leaves_no_half_told_order(line):
    line.tell("raises_late", {"id": "2"})

    assert line.purchases() == []
    assert rows(line.store, "known_order") == []
    assert line.verdicts() == []


def test_what_the_platform_would_refuse_is_skipped_for_the_field(line):
    line.tell("orders/paid", {"id": "13"})

    assert line.purchases() == [("13", "skipped", "invalid:order_id")]
    assert line.ends() == [("translated", "")]


def test_a_platform_that_chokes_makes_the_delivery_dead(store, caplog):
    caplog.set_level(logging.DEBUG)
    line = connected(store, "one", "two")
    for order_id in ("1", "666", "3"):
        line.post("orders/paid", {"id": order_id})
    translate_due(store)

    assert line.pending() == ["purchase.1", "purchase.1", "purchase.3", "purchase.3"]
    assert [state for state, _, _ in delivery_rows(line)] == ["translated", "dead", "translated"]
    assert EMAIL not in caplog.text + str(delivery_rows(line))


def test_a_dead_delivery_told_again_soundly_is_sent(line):
    line.tell("raises", {"id": "1"})
    line.tell("orders/paid", {"id": "1"})

    assert line.pending() == ["purchase.1"]


def test_a_lost_lease_writes_nothing(line, clock):
    store = line.store
    line.post("orders/paid", {"id": "1"})
    lost = store.translations.lease(store.now())
    clock.move(121)
    taken = store.translations.lease(store.now())

    empty = Batch(view_of(store, line.source, moment(store.now())), []).outcome()
    assert not store.translations.commit(lost, empty, store.now())
    assert taken is not None
    assert rows(store, "outbox") == []
    assert rows(store, "delivery", "state") == ["received"]


class SlowShop:
    """Tells what the bogus shop tells, but a second worker is quicker."""

    def __init__(self, meanwhile):
        self.topics = shop.topics
        self.local_ids = False
        self._meanwhile = meanwhile

    def translate(self, delivery, settings):
        if self._meanwhile:
            meanwhile, self._meanwhile = self._meanwhile, None
            meanwhile()
        return shop.translate(delivery, settings)


def test_of_two_workers_at_one_source_the_slow_one_writes_nothing(line, clock, monkeypatch):
    def overtake():
        clock.move(121)
        assert translate_due(line.store) == 1

    slow = SlowShop(overtake)
    monkeypatch.setattr(registry, "source", lambda kind: slow)
    line.store.intake.put(
        line.source.id, shop.verify(signed("orders/paid", b'{"id":"1"}'), {"secret": "hush"}), 1
    )

    assert translate_due(line.store) == 0
    assert line.pending() == ["purchase.1"]
    assert line.verdicts() == [("send", "")]
    assert len(rows(line.store, "payload")) == 1


def signed(topic, body):
    return Request(headers=shop.sign(topic, body, {"secret": "hush"}), body=body)


def test_two_workers_translate_each_delivery_once(store_url, clock):
    stores = [Store(store_url, Vault(SECRET_KEY), clock) for _ in range(2)]
    line = connected(stores[0])
    for number in range(1000, 1250):
        line.post("orders/paid", {"id": str(number)})
    counts = []
    workers = [
        threading.Thread(target=lambda one=one: counts.append(translate_due(one))) for one in stores
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    while left := translate_due(stores[0]):  # a worker that found the source leased went home
        counts.append(left)

    assert sum(counts) == 250
    assert len(rows(stores[0], "verdict")) == len(set(line.pending())) == 250
    for one in stores:
        one.close()


def test_every_delivery_is_translated_in_the_order_received(line):
    for number in range(230):
        line.post("orders/paid", {"id": str(number)})

    assert translate_due(line.store) == 230
    assert rows(line.store, "verdict", "delivery_id") == rows(line.store, "delivery", "id")


def test_translation_stops_when_it_is_asked_to(line):
    for number in range(150):
        line.post("orders/paid", {"id": str(number)})
    answers = iter([False, True])

    assert translate_due(line.store, lambda: next(answers)) == 100
    assert translate_due(line.store) == 50


def test_a_delivery_whose_body_is_gone_does_not_stop_its_source(line):
    line.post("orders/paid", {"id": "1"})
    line.post("orders/paid", {"id": "2"})
    first = rows(line.store, "delivery", "id")[0]
    with line.store.database.write() as connection:
        body = schema.delivery_body
        connection.execute(body.delete().where(body.c.delivery_id == first))
    turns = iter([False] * 5 + [True])

    translate_due(line.store, lambda: next(turns))

    assert line.pending() == ["purchase.2"]
    assert line.ends() == [("dead", "unreadable"), ("translated", "")]
    assert next(turns) is False  # it found an end by itself


def test_a_source_whose_adapter_is_gone_leaves_the_others_their_turn(store, clock):
    gone = connected(store)
    other = connect(store, "shopify", word="other", datasets=("other",))
    table = schema.source
    with store.database.write() as connection:
        is_gone = table.c.id == gone.source.id
        connection.execute(table.update().where(is_gone).values(kind="was_removed"))
    put(store, gone.source)
    other.post(*order("shopify", 1, "paid"))
    with pytest.raises(ConfigError, match="was_removed"):
        translate_due(store)
    translate_due(store)

    assert other.pending() == ["purchase.1"]


def test_the_trace_tells_which_data_there_were_and_none_of_them(line):
    line.tell("orders/paid", {"id": "1"})

    [trace] = rows(line.store, "outbox", "trace")
    assert json.loads(trace)["user_data"] == ["email"]
    assert EMAIL not in trace
