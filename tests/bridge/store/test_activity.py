"""Lists of events and deliveries: filters, pages that stay put, the indexes behind them."""

import pytest
from sqlalchemy import text

from bridge.store import DeliveryFilter, EventFilter, VerdictRow, places
from tests.stores import SECOND, START, claim, commit, put, rows, settle

DAY = 86_400 * SECOND


@pytest.fixture
def arrive(store, source, outbox_row, clock):
    """Return a function that lets one event arrive a second after the one before."""

    def add(order_id, **changes):
        clock.move(1)
        assert commit(store, source, outbox_row(order_id=order_id, **changes))

    return add


def ids(page):
    return [row["order_id"] for row in page.rows]


def listed(store, **wanted):
    return ids(store.activity.events(EventFilter(**wanted)))


def test_pages_follow_each_other_in_both_directions(store, arrive):
    for number in range(7):
        arrive(str(number))
    activity = store.activity
    first = activity.events(EventFilter(), limit=3)
    second = activity.events(EventFilter(), limit=3, older=first.older)
    last = activity.events(EventFilter(), limit=3, older=second.older)
    back = activity.events(EventFilter(), limit=3, newer=last.newer)
    start = activity.events(EventFilter(), limit=3, newer=back.newer)

    assert [ids(page) for page in (first, second, last)] == [
        ["6", "5", "4"], ["3", "2", "1"], ["0"]
    ]  # fmt: skip
    assert (ids(back), ids(start)) == (["3", "2", "1"], ["6", "5", "4"])
    assert (first.newer, last.older, start.newer) == (None, None, None)


def test_what_arrives_meanwhile_moves_no_page_and_is_counted(store, arrive):
    for number in range(4):
        arrive(str(number))
    first = store.activity.events(EventFilter(), limit=2)
    top = (first.rows[0]["created_at"], first.rows[0]["id"])
    arrive("4")
    arrive("5", state="skipped", reason="not_paid")

    assert ids(store.activity.events(EventFilter(), limit=2, older=first.older)) == ["1", "0"]
    assert store.activity.newer_events(EventFilter(), top) == 2
    assert store.activity.newer_events(EventFilter(states=("skipped",)), top) == 1
    assert store.activity.newer_events(EventFilter(), top, limit=1) == 1


def test_the_first_page_is_whole_even_where_paging_back_finds_little(store, arrive):
    for number in range(5):
        arrive(str(number))
    first = store.activity.events(EventFilter(), limit=2)
    second = store.activity.events(EventFilter(), limit=3, older=first.older)
    back = store.activity.events(EventFilter(), limit=3, newer=second.newer)

    assert ids(back) == ["4", "3", "2"]
    assert back.newer is None


def test_every_filter_leaves_what_fits(store, source, arrive, lane, destination):
    arrive("1")
    settle(store, claim(store, lane))
    arrive("2")
    arrive("3", state="skipped", reason="consent_denied")
    arrive("4", state="skipped", reason="consent_unknown", event_name="Lead", occasion="lead")
    arrive("5", state="dead", reason="100/1")
    arrive("6", state="waiting", reason="held", held_event=b"{}")

    assert listed(store, states=("sent",)) == ["1"]
    assert listed(store, states=("pending", "sending", "waiting")) == ["6", "2"]
    assert listed(store, states=("waiting",)) == ["6"]
    assert listed(store, states=("dead", "waiting")) == ["6", "5"]
    assert listed(store, reasons=("consent_denied", "consent_unknown")) == ["4", "3"]
    assert listed(store, reasons=("held",), states=("skipped",)) == []
    assert listed(store, event_name="Lead") == ["4"]
    assert listed(store, occasion="purchase", states=("skipped",)) == ["3"]
    assert listed(store, source_id=source.id, states=("dead",)) == ["5"]
    assert listed(store, source_id=source.id + 1) == []
    assert listed(store, destination_id=destination.id + 1) == []
    assert listed(store, start=START + 5 * SECOND) == ["6", "5"]
    assert listed(store, end=START + 2 * SECOND) == ["1"]


def test_an_order_is_found_by_number_with_or_without_its_sign_by_id_and_by_event_id(store, arrive):
    arrive("7", order_number="#1042")
    arrive("8", order_number="1043")

    for words in ("#1042", "1042", "7", "purchase.7"):
        assert listed(store, words=words) == ["7"]
    assert listed(store, words="#1043") == ["8"]
    assert listed(store, words="7", states=("dead",)) == []
    assert listed(store, words="nobody's") == []


def test_a_search_that_ends_early_says_how_far_it_looked_and_goes_on(store, arrive, monkeypatch):
    monkeypatch.setattr(places, "FIRST_WINDOW", 3)
    monkeypatch.setattr(places, "WINDOW", 4)
    arrive("0", event_name="Rare")
    for number in range(1, 6):
        arrive(str(number))
    rare = EventFilter(event_name="Rare")
    first = store.activity.events(rare, limit=2)
    second = store.activity.events(rare, limit=2, older=first.older)

    assert (ids(first), first.searched_to) == ([], START + 3 * SECOND)
    assert (ids(second), second.searched_to, second.older) == (["0"], None, None)


def test_deliveries_are_listed_with_what_they_led_to(store, source, destination, outbox_row, clock):
    put(store, source, "k1")
    (first,) = rows(store, "delivery", "id")
    verdict = VerdictRow(
        delivery_id=first,
        destination_id=destination.id,
        event_name="Purchase",
        event_id="purchase.1",
        verdict="skip",
        reason="not_paid",
    )
    commit(store, source, outbox_row(order_id="1"), verdicts=[verdict])
    clock.move(1)
    put(store, source, "k2")
    page = store.activity.deliveries(DeliveryFilter(), limit=10)

    assert page.rows[0]["key"] == "k2"
    told = {row["key"]: [one["reason"] for one in row["verdicts"]] for row in page.rows}
    assert (told["k1"], told["k2"]) == (["not_paid"], [])


def test_deliveries_are_filtered_by_state_topic_source_and_time(store, source, clock):
    other = store.connections.add_source("bogus", "other", {})
    put(store, source, "k1")
    clock.move(1)
    put(store, other, "k2")
    with store.database.write() as connection:
        connection.execute(text("UPDATE delivery SET state = 'dead' WHERE key = 'k1'"))

    def keys(**wanted):
        return [row["key"] for row in store.activity.deliveries(DeliveryFilter(**wanted)).rows]

    assert keys() == ["k2", "k1"]
    assert keys(state="dead") == ["k1"]
    assert keys(state="received") == ["k2"]
    assert keys(source_id=other.id) == ["k2"]
    assert keys(source_id=other.id, state="dead") == []
    assert keys(topic="orders/paid", start=START + SECOND) == ["k2"]
    assert keys(topic="carts/update") == []


def test_an_event_has_its_verdicts_attempts_and_relatives(store, source, lane, outbox_row):
    other = outbox_row(order_id="1", event_id="refund.1", event_name="Refund", occasion="refund")
    commit(store, source, outbox_row(order_id="1"), other)
    for state in ("pending", "dead"):
        claimed = claim(store, lane, 1)
        settle(store, claimed, state, reason="http_500", next_at=START)
    (row_id,) = [row[0] for row in rows(store, "outbox", "id", "state") if row[1] == "dead"]
    event = store.activity.event(row_id)

    assert event["reason"] == "http_500"
    assert len(store.activity.attempts(event)) == 2
    assert len(store.activity.related(event)) == 1
    assert store.activity.told(event) == []
    assert store.activity.event(10**6) is None


def test_only_what_is_held_raw_can_be_replayed_and_the_rest_is_counted(store, source, arrive):
    put(store, source, "raw")
    raw = max(rows(store, "delivery", "id"))
    arrive("1", state="dead", reason="100/1", delivery_id=raw)
    arrive("2", state="skipped", reason="consent_unknown", delivery_id=None)
    arrive("3")

    found = store.activity.replayable(EventFilter())
    assert (len(found.places), found.gone, found.older) == (1, 1, None)
    assert store.activity.replayable(EventFilter(states=("sent",))).places == []
    assert store.activity.replayable(EventFilter(reasons=("consent_unknown",))).gone == 1
    assert store.replays.replay_events([found.places[0][1]]).events == 1
    assert store.activity.replayable(EventFilter(states=("dead",))).places == []
    assert store.activity.replaying() == 1
