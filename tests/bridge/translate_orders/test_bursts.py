"""So many orders a minute are an import, unless they come late for another reason."""

import pytest

from bridge.translate import translate_due
from tests.bridge.translate.line import connect
from tests.bridge.translate.shops import order
from tests.stores import rows

PLAN = """
[purchase]
burst = 3
[channels.draft]
send = true
[channels.pos]
send = true
[consent]
no_browser = "send"
"""
SENT = ("pending", "")
BURST = ("skipped", "import_burst")
NAMES = {"draft": "shopify_draft_order", "pos": "pos", "web": "web"}


@pytest.fixture
def line(store):
    return connect(store, "shopify", plan=PLAN)


def arrive(line, *numbers, channel="draft"):
    for number in numbers:
        topic, body = order("shopify", number, "paid")
        line.post(topic, body | {"source_name": NAMES[channel], "note_attributes": []})


def ends(line):
    """Return state and reason of the orders in the order received."""
    found = {row[0]: row[1:] for row in line.purchases()}
    return [found[str(number)] for number in range(1, len(found) + 1)]


def test_more_than_the_limit_within_a_minute_are_stopped(line):
    arrive(line, *range(1, 7))
    translate_due(line.store)

    assert ends(line) == [SENT] * 4 + [BURST] * 2


def test_one_by_one_they_count_as_well(line):
    for number in range(1, 7):
        arrive(line, number)
        translate_due(line.store)

    assert ends(line) == [SENT] * 4 + [BURST] * 2


def test_while_it_lasts_nothing_more_is_sent(line, clock):
    for number in range(1, 13):
        arrive(line, number)
        translate_due(line.store)
        clock.move(12)  # five a minute, for more than two minutes

    assert ends(line)[4:] == [BURST] * 8


def test_a_minute_later_it_is_over(line, clock):
    arrive(line, *range(1, 7))
    translate_due(line.store)
    clock.move(61)
    arrive(line, 7)
    translate_due(line.store)

    assert ends(line)[-1] == SENT


def test_orders_that_came_over_hours_are_no_burst_when_they_are_translated_late(line, clock):
    for number in range(1, 11):
        arrive(line, number)
        clock.move(25)
    translate_due(line.store)

    assert ends(line) == [SENT] * 10


def test_a_burst_that_is_translated_late_is_one_all_the_same(line, clock):
    arrive(line, *range(1, 7))
    clock.move(7200)
    translate_due(line.store)

    assert ends(line) == [SENT] * 4 + [BURST] * 2


def test_a_backlog_of_several_batches_is_judged_by_its_own_time(line, clock, monkeypatch):
    monkeypatch.setattr("bridge.translate.BATCH", 2)
    arrive(line, *range(1, 7))
    clock.move(3600)
    translate_due(line.store)

    assert ends(line) == [SENT] * 4 + [BURST] * 2


@pytest.mark.parametrize("channel", ["web", "pos"])
def test_a_shop_front_and_a_till_may_be_as_busy_as_they_like(line, channel):
    arrive(line, *range(1, 8), channel=channel)
    translate_due(line.store)

    assert BURST not in ends(line)


def test_each_channel_is_counted_for_itself(line):
    arrive(line, *range(1, 5), channel="web")
    arrive(line, *range(5, 9))
    translate_due(line.store)

    assert BURST not in ends(line)


def test_an_order_counts_once_however_many_datasets_and_deliveries_it_has(store):
    line = connect(store, "shopify", plan=PLAN, datasets=("one", "two"))
    for minute in (1, 2, 3):
        for number in (1, 2, 3):
            topic, body = order("shopify", number, "paid", minute)
            line.post(topic, body | {"source_name": NAMES["draft"], "note_attributes": []})
    translate_due(store)
    arrive(line, 4)
    translate_due(store)

    assert set(rows(store, "outbox", "reason")) == {""}


def test_an_order_that_is_told_again_later_is_no_other_one(line):
    for minute, state in ((1, "placed"), (2, "placed"), (3, "paid")):
        for number in (1, 2, 3):
            topic, body = order("shopify", number, state, minute)
            line.post(topic, body | {"source_name": NAMES["draft"], "note_attributes": []})
        translate_due(line.store)

    assert ends(line) == [SENT] * 3


def test_zero_is_no_limit(store):
    line = connect(store, "shopify", plan=PLAN.replace("burst = 3", "burst = 0"))
    arrive(line, *range(1, 8))
    translate_due(store)

    assert set(ends(line)) == {SENT}


def test_what_was_held_was_counted_when_it_came(store, clock):
    plan = PLAN + "[source.shop.purchase]\nburst = 3\nhold_minutes = 10\n"
    line = connect(store, "shopify", plan=plan)
    clock.move(-405 * 60)
    for number in range(1, 9):
        arrive(line, number)
        translate_due(store)
        clock.move(50)
    clock.move(3600)
    translate_due(store)

    assert ends(line) == [SENT] * 8
