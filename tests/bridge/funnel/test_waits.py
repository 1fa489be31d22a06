"""What a cart or checkout waits for: a match key, consent, more of the same; and never for ever."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bridge.events import Amounts, Basket, Channel, Event, OrderState
from bridge.plan import parse
from bridge.policy import RouteView, Skip, decide

from .visit import AGENT, CART_KEY, CHECKOUT, CHECKOUT_KEY, FBP, PAGE, Visit, connect

GRANTED = [{"name": "_capi_consent", "value": "v1;marketing=1;sale=1;ts=1795420000000"}]
DENIED = [{"name": "_capi_consent", "value": "v1;marketing=0;sale=0;ts=1795420000000"}]
WAITS = [("waiting", "visitor")]


def started(visit: Visit, **changes) -> None:
    visit.checkout(**changes)
    visit.translate()


def test_a_checkout_without_a_match_key_waits_and_is_sent_when_its_browser_tells(visit):
    began = visit.now()
    started(visit, note_attributes=GRANTED)
    assert visit.events() == WAITS

    visit.browse()
    visit.translate()

    [event] = visit.sent("InitiateCheckout")
    assert event["event_id"] == f"checkout.{CHECKOUT}"
    assert event["event_time"] == int(began.timestamp())
    assert event["user_data"]["fbp"] == FBP
    assert event["user_data"]["client_user_agent"] == AGENT


def test_an_address_told_later_and_the_browser_complete_one_and_the_same_event(visit):
    began = visit.now()
    started(visit)
    visit.clock.move(60)
    visit.checkout("checkouts/update", began, email="anna.muster@example.com")
    visit.translate()
    assert visit.events() == WAITS  # known by e-mail, but not the browser, nor what it said

    visit.browse(marketing=True, consent={"marketing": True, "at": visit.clock() // 1000 - 90_000})
    visit.translate()
    visit.checkout("checkouts/update", began, email="anna.muster@example.com", phone="+4917100000")
    visit.wait(minutes=31)

    [event] = visit.sent("InitiateCheckout")
    assert visit.events() == [("pending", "")]
    assert event["event_id"] == f"checkout.{CHECKOUT}"
    assert {"em", "fbp", "client_user_agent", "client_ip_address"} <= event["user_data"].keys()


def test_what_comes_before_the_checkout_completes_it_at_once(visit):
    visit.browse()
    visit.translate()
    started(visit)

    assert visit.events() == [("pending", "")]


@pytest.mark.parametrize("in_one_batch", [True, False])
def test_a_browser_received_after_the_checkout_completes_it(visit, in_one_batch):
    visit.checkout(note_attributes=GRANTED)
    if not in_one_batch:
        visit.translate()
    visit.browse()
    visit.translate()

    assert visit.events() == [("pending", "")]


@pytest.mark.parametrize(("told", "reason"), [(GRANTED, "no_match_key"), ([], "consent_unknown")])
def test_what_nobody_completes_is_skipped_when_the_wait_is_over(visit, told, reason):
    started(visit, note_attributes=told)
    visit.wait(minutes=29, seconds=59)
    assert visit.events() == WAITS

    visit.wait(seconds=1)
    assert visit.events() == [("skipped", reason)]

    visit.browse()
    visit.wait(days=2)
    assert visit.events() == [("skipped", reason)]


def test_the_plan_says_how_long_it_waits(visit):
    visit.apply("[funnel]\nwait_minutes = 0")
    started(visit, note_attributes=GRANTED)

    assert visit.events() == [("skipped", "no_match_key")]


def test_a_checkout_told_late_waits_only_for_the_rest(visit):
    began = visit.now()
    visit.clock.move(29 * 60)
    started(visit, at=began)
    assert visit.events() == WAITS

    visit.wait(minutes=1)
    assert visit.events() == [("skipped", "consent_unknown")]


@pytest.mark.parametrize("told", [GRANTED, []])
def test_a_browser_that_says_no_ends_the_wait(visit, told):
    started(visit, note_attributes=told)
    visit.browse(marketing=False)
    visit.translate()

    assert visit.events() == [("skipped", "consent_denied")]

    visit.browse(marketing=True)
    visit.wait(days=1)
    assert visit.events() == [("skipped", "consent_denied")]


def test_a_checkout_whose_buyer_said_no_waits_for_nothing(visit):
    started(visit, note_attributes=DENIED)

    assert visit.events() == [("skipped", "consent_denied")]


def test_a_grant_after_the_checkout_does_not_release_it(visit):
    started(visit)
    visit.clock.move(5 * 60)
    visit.browse(marketing=True)
    visit.translate()
    assert visit.events() == WAITS

    visit.wait(minutes=30)
    assert visit.events() == [("skipped", "consent_unknown")]


def test_a_browser_without_a_word_of_consent_changes_nothing(visit):
    started(visit)
    for _ in range(3):
        visit.browse(marketing=None)
        visit.translate()
    assert visit.events() == WAITS

    visit.wait(minutes=31)
    assert visit.events() == [("skipped", "consent_unknown")]


def test_another_visitor_changes_nothing(visit):
    started(visit, note_attributes=GRANTED)
    visit.browse(keys=("cart:somebodyElsesCart", "checkout:somebodyElses"))
    visit.translate()

    assert visit.events() == WAITS


def test_a_visitor_does_not_cut_the_debounce_short(visit):
    visit.cart("carts/create", v7=1)
    visit.translate()
    visit.browse(marketing=True)
    visit.translate()
    assert visit.events() == [("waiting", "more")]

    visit.clock.move(2)
    visit.cart(v7=3)
    visit.translate()
    for _ in range(3):
        visit.browse()
        visit.translate()
    assert visit.events() == [("waiting", "more")]

    visit.wait(seconds=5)
    [event] = visit.sent("AddToCart")
    assert event["custom_data"]["num_items"] == 3
    assert event["custom_data"]["value"] == pytest.approx(104.7)
    assert event["event_source_url"] == PAGE


def test_an_addition_waits_for_its_visitor_under_the_id_it_began_with(visit):
    began = visit.now()
    visit.cart("carts/create", v7=1)
    visit.translate()
    assert visit.events() == WAITS

    visit.wait(minutes=1)
    visit.browse(keys=(CART_KEY,), consent={"marketing": True, "at": began.timestamp() * 1000})
    visit.translate()

    [event] = visit.sent("AddToCart")
    assert event["event_id"].endswith(f".7.{int(began.timestamp())}")


def test_a_removal_makes_nothing(visit):
    visit.cart("carts/create", v7=2)
    visit.browse()
    visit.wait(minutes=1)
    visit.cart(v7=1)
    visit.cart(at=visit.now(1))
    visit.wait(minutes=1)

    assert len(visit.sent("AddToCart")) == len(visit.events()) == 1


@pytest.mark.parametrize("ahead_s", [60, 86_400, 40 * 3_600, 10**8])
def test_a_shops_fast_clock_lets_nothing_wait_for_ever(visit, ahead_s):
    visit.checkout(at=visit.now(ahead_s), note_attributes=GRANTED)
    visit.cart("carts/create", at=visit.now(ahead_s), v7=1)
    visit.translate()
    for _ in range(4 * 48):
        visit.wait(minutes=15)

    assert {state for state, _ in visit.events()} <= {"skipped", "pending", "expired"}
    assert len(visit.events()) == 2


def test_what_waits_on_a_route_that_goes_is_skipped(visit):
    started(visit, note_attributes=GRANTED)
    [end] = visit.store.connections.destinations()
    visit.store.connections.set_destination(end.id, state="removed")
    visit.wait(minutes=31)

    assert visit.events() == [("skipped", "no_route")]


def test_an_order_gets_what_its_browser_told_under_the_checkouts_token(visit):
    visit.browse(keys=(CHECKOUT_KEY,))
    visit.translate()
    visit.order()
    visit.translate()

    [event] = visit.sent("Purchase")
    assert event["user_data"]["fbp"] == FBP
    assert event["user_data"]["fbc"].endswith("IwY2xjawcanary")
    assert event["user_data"]["client_user_agent"] == AGENT
    assert event["user_data"]["client_ip_address"] == "203.0.113.77"


def test_an_order_keeps_its_own_browser(visit):
    visit.browse()
    visit.order(client_details={"browser_ip": "198.51.100.4", "user_agent": "Own/1.0"})
    visit.translate()

    [event] = visit.sent("Purchase")
    assert event["user_data"]["client_user_agent"] == "Own/1.0"
    assert event["user_data"]["client_ip_address"] == "198.51.100.4"


def test_an_order_waits_for_no_browser(visit):
    visit.order(note_attributes=GRANTED, client_details={"user_agent": "Own/1.0"})
    visit.translate()

    assert visit.events() == [("pending", "")]


def test_an_order_that_is_held_is_joined_when_it_is_decided(visit):
    visit.apply("[purchase]\nhold_minutes = 5")
    visit.order(note_attributes=GRANTED)
    visit.translate()
    visit.browse()
    visit.translate()
    assert visit.events() == [("waiting", "held")]

    visit.wait(minutes=6)
    [event] = visit.sent("Purchase")
    assert event["user_data"]["fbp"] == FBP


def test_a_visitor_of_one_shop_completes_nothing_of_another(visit, store, clock):
    other = connect(store, clock, word="other")
    other.browse()
    other.translate()
    started(visit, note_attributes=GRANTED)

    assert visit.events() == WAITS


def test_the_trace_of_a_wait_names_nobody(visit):
    started(visit, email="anna.muster@example.com")
    table = visit.store.history.events(limit=9)

    assert "anna" not in json.dumps(table, default=str).lower()


def test_after_an_outage_what_was_received_in_time_counts_in_whatever_batch_it_comes(visit):
    visit.checkout(note_attributes=GRANTED)
    visit.cart("carts/create", v7=1)
    for number in range(120):
        visit.post("orders/edited", {"id": number})
    visit.browse()
    visit.cart(v7=2)
    visit.clock.move(3_600)
    visit.translate()

    [added] = visit.sent("AddToCart")
    assert visit.events() == [("pending", ""), ("pending", "")]
    assert added["custom_data"]["num_items"] == 2


def test_after_an_outage_what_nobody_completed_is_skipped(visit):
    visit.checkout(note_attributes=GRANTED)
    for number in range(120):
        visit.post("orders/edited", {"id": number})
    visit.clock.move(3_600)
    visit.translate()

    assert visit.events() == [("skipped", "no_match_key")]


def test_an_order_created_in_years_to_come_is_not_held_till_then():
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    made = Event(
        occasion="purchase",
        subject_id="1",
        event_time=at,
        created_at=at + timedelta(days=9_999),
        channel=Channel.WEB,
        order_state=OrderState.PAID,
        basket=Basket(amounts=Amounts(currency="EUR", total=Decimal(5))),
    )
    rules = parse("[purchase]\nhold_minutes = 5").base
    week = timedelta(days=7)
    verdict = decide(made, rules, RouteView(), at, shop_country="US", max_age=lambda _: week)

    assert isinstance(verdict, Skip)
    assert verdict.reason == "invalid:event_time"
