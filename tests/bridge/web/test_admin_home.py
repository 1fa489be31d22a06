"""Home: what it says at a glance, of little, of much, of trouble."""

import re

import pytest
from sqlalchemy import text

from bridge.policy import REASONS
from bridge.store import Count, Week
from bridge.web.admin import home, texts
from tests.fakes.browser import Browser
from tests.stores import SECOND, START, claim, commit, settle

HOME = "/admin/"


@pytest.fixture
def browser(application):
    return Browser(application).signed_in("reader")


def count(count, state="sent", **more):
    known = {"day": 6, "event_name": "Purchase", "purchase": True, "reason": ""}
    return Count(**(known | more), state=state, count=count)


def week(*counts, **more):
    known = {"computed_at": 0, "start": 0, "keys": {}, "sampled": 0}
    return Week(**(known | more), counts=counts)


def test_an_empty_installation_says_what_will_stand_here(browser):
    page = browser.get(HOME).text

    for key in ("home.orders_none", "home.shops_none", "home.destinations_none", "home.none_yet"):
        assert texts.text("en", key) in page
    assert "No worker was ever seen" in page


def test_orders_that_count_are_those_that_should_have_been_sent():
    found = week(
        count(8),
        count(1, "pending"),
        count(1, "dead"),
        count(5, "skipped", reason="not_paid"),
        count(9, "sent", purchase=False),
        count(20, "sent", day=0),
        missing=(2, 4),
    )

    assert home.orders(found, today=True) == home.Orders(sent=8, eligible=12)
    assert home.orders(found, today=False) == home.Orders(sent=28, eligible=34)
    assert home.orders(found, today=True).percent == 66
    assert home.Orders(sent=999, eligible=1000).percent == 99
    assert home.Orders(sent=0, eligible=0).percent is None


def test_a_reason_that_skips_most_orders_is_told_today_before_the_week():
    skips = {"state": "skipped", "reason": "consent_unknown"}
    today = week(count(6, **skips), count(4))
    earlier = week(count(60, **skips, day=1), count(4, day=1), count(1))

    assert home.dominant(today) == ("today", 60, "consent_unknown")
    assert home.dominant(earlier) == ("week", 92, "consent_unknown")
    assert home.dominant(week(count(5, **skips), count(5))) is None
    assert home.dominant(week(count(4, **skips))) is None
    assert home.dominant(week(count(9, **skips, purchase=False))) is None
    assert home.dominant(week()) is None


def test_a_click_id_counts_whichever_way_it_was_told():
    found = dict(home.coverage(week(keys={"fbclid": 3, "fbc": 1, "email": 2}, sampled=4)))

    assert (found["fbc"], found["email"], found["phone"]) == (3, 2, 0)


def test_days_and_states_of_the_chart_add_up_to_all_events():
    counts = (count(3), count(2, "waiting"), count(1, "brand_new"), count(4, "expired", day=0))
    parts = dict(home.stacked(counts))

    assert parts["sent"] == [0, 0, 0, 0, 0, 0, 3]
    assert parts["dead"] == [4, 0, 0, 0, 0, 0, 0]
    assert sum(map(sum, parts.values())) == 10


def test_the_reason_that_skips_most_stands_at_the_top_in_words(store, source, browser, outbox_row):
    skipped = [outbox_row(state="skipped", reason="consent_unknown") for _ in range(6)]
    commit(store, source, *skipped, outbox_row())
    page = browser.get(HOME).text
    in_french = browser.get(HOME, Accept_Language="fr").text

    assert "85\xa0% of today’s orders are skipped." in page
    assert REASONS["consent_unknown"].replace("'", "&#39;") in page
    assert "85\xa0% des commandes d’aujourd’hui sont écartées." in in_french


def test_the_last_orders_stand_there_once_with_state_and_reason(
    store, source, browser, outbox_row, lane, destination
):
    second = store.connections.add_destination("bogus", "second", {})
    shadow = {"state": "skipped", "reason": "shadow", "mode": "shadow"}
    commit(
        store,
        source,
        outbox_row(order_id="1"),
        outbox_row(order_id="1", destination_id=second.id, **shadow),
        outbox_row(order_id="2", state="skipped", reason="invalid:currency"),
    )
    settle(store, claim(store, lane))
    page = browser.get(HOME).text

    assert page.count(">#1</a>") == page.count(">#2</a>") == 1
    assert "Meta would refuse it, for the field named. (currency)" in page


def test_what_waits_is_told_with_its_oldest_and_its_next_expiry(
    store, source, browser, outbox_row, clock
):
    commit(store, source, outbox_row(expires_at=START + 7200 * SECOND))
    clock.move(1800)
    page = re.sub("<[^>]+>", "", browser.get(HOME).text)

    assert "oldest 30 min ago, first expires in 1 h" in page


def test_lamps_and_lanes_say_what_is_wrong_and_what_to_do(store, source, destination, browser):
    store.watches.raise_alert("silent", source.name, "No webhook of shop came through.")
    with store.database.write() as connection:
        connection.execute(text("UPDATE destination SET state = 'parked', reason = 'token'"))
    page = browser.get(HOME).text

    assert "No webhook of shop came through." in page
    assert texts.text("en", "todo.alert_silent") in page
    in_french = browser.get(HOME, Accept_Language="fr").text
    assert "Les webhooks de shop n’arrivent pas" in in_french
    assert "The access token is not accepted." in page
    assert page.count("lamp is-fail") == 2


@pytest.mark.parametrize(
    ("changes", "alerts", "lamp"),
    [
        ({"delivery_at": 1}, set(), "ok"),
        ({"ping_at": 1}, set(), "ok"),
        ({}, set(), "warn"),
        ({"delivery_at": 1}, {"webhooks"}, "warn"),
        ({"delivery_at": 1}, {"silence"}, "fail"),
        ({"state": "paused"}, set(), "off"),
        ({"state": "disconnected"}, set(), "fail"),
    ],
)
def test_a_shop_has_one_lamp(changes, alerts, lamp):
    known = {"state": "active", "delivery_at": None, "ping_at": None}

    assert home.lamp(known | changes, alerts) == lamp


def test_orders_that_never_arrived_are_told(store, source, browser):
    store.watches.listed(source.id, [("77", START)], START)

    assert "One order of the shops’ own lists never arrived here" in browser.get(HOME).text


def test_many_shops_are_cut_short_with_those_in_trouble_first(store, source, browser):
    for number in range(20):
        store.connections.add_source("bogus", f"more-{number:02}", {})
    store.watches.raise_alert("silence", "more-19", "more-19 has sent nothing.")
    page = browser.get(HOME).text

    assert page.index("</i>more-19") < page.index("</i>more-00")
    assert "9 more" in page


def test_names_and_messages_are_shown_as_text_and_not_as_elements(store, browser):
    store.connections.add_source("bogus", "<script>alert(1)</script>", {})
    store.watches.raise_alert("silence", "x", "<img src=x onerror=alert(1)>")
    page = browser.get(HOME).text

    assert "<script>alert" not in page
    assert "<img" not in page


def test_every_reason_of_the_policy_has_a_text_in_every_language():
    english = texts.texts("en")

    assert {name: english.get(f"reason.{name}") for name in REASONS} == dict(REASONS)


def test_what_the_platform_says_of_token_and_events_is_shown_as_it_was_kept(browser, store):
    row = {"event_name": "Purchase", "match_score": 7.44, "dedup_percent": 98.0}
    kept = {"asked_at": START, "rows_at": START, "rows": [row]}
    access = {"name": "access", "status": "fail", "message": "Meta refuses the token"}
    found = store.connections.add_destination("meta", "dataset", {"dataset_id": "1"})
    assert texts.text("en", "quality.not_asked") in browser.get(HOME).text
    store.overview.set_answer(f"quality.{found.id}", kept | {"access": access})

    page = browser.get(HOME).text
    for told in ("7.4 of 10", "98 %", "The token is refused", "Meta refuses the token"):
        assert told in page


def test_every_reason_has_a_short_form_for_lists():
    english = texts.texts("en")
    names = {
        kind: {key.partition(".")[2] for key in english if key.startswith(f"{kind}.")}
        for kind in ("reason", "short")
    }

    assert names["reason"] ^ names["short"] == set()
    assert max(len(text) for key, text in english.items() if key.startswith("short.")) < 30
