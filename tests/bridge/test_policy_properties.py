"""Policy: what holds whatever the event, the plan and the route are."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.events import Amounts, Basket, Channel, Consent, Event, Occasion, OrderState, UserData
from bridge.plan import parse
from bridge.policy import RouteView, Send, Skip, decide, sentence

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SIGNALS = st.sampled_from([True, False, None])
CONSENTS = st.none() | st.builds(
    Consent, marketing=SIGNALS, sale_of_data=SIGNALS, source=st.just("cookie")
)
TIMES = st.timedeltas(timedelta(days=-70), timedelta(days=5)).map(lambda delta: NOW + delta)
BASKETS = st.just(Basket()) | st.builds(
    Basket,
    amounts=st.builds(
        Amounts,
        currency=st.sampled_from(["EUR", "JPY", "", "EURO"]),
        total=st.sampled_from([Decimal(0), Decimal("19.90"), Decimal(-3)]),
    ),
)
PEOPLE = st.builds(
    UserData,
    email=st.sampled_from([None, "a@b.de"]),
    phone=st.sampled_from([None, "+4930123456"]),
    country=st.sampled_from([None, "DE", "US"]),
    state=st.sampled_from([None, "CA", "BY"]),
    customer_id=st.sampled_from([None, "7"]),
    client_user_agent=st.sampled_from([None, "Mozilla/5.0"]),
    fbp=st.sampled_from([None, "fb.1.1795426800000.1122334455"]),
)
EVENTS = st.builds(
    Event,
    occasion=st.sampled_from([*Occasion, "Search", "Purchase", "orders/made"]),
    subject_id=st.just("1"),
    order_id=st.sampled_from([None, "1"]),
    event_time=TIMES,
    created_at=st.none() | TIMES,
    paid_at=st.none() | TIMES,
    channel=st.sampled_from([None, *Channel]),
    order_state=st.sampled_from([None, *OrderState]),
    test=st.booleans(),
    cash_on_delivery=st.booleans(),
    sent_elsewhere=st.booleans(),
    customer_is_new=SIGNALS,
    payment_methods=st.sampled_from([(), ("cod",)]),
    user_data=PEOPLE,
    basket=BASKETS,
    country=st.sampled_from([None, "DE", "US", "BR"]),
    state=st.sampled_from([None, "CA", "NY"]),
    consent=CONSENTS,
)
WORDS = st.sampled_from(
    [
        '[consent]\nmode = "off"\nunknown_optin = "send"\nno_browser = "send"',
        '[consent]\nunknown_elsewhere = "skip"\nus_opt_out = "skip"',
        "[channels.pos]\nsend = true\n[channels.renewal]\nsend = true",
        '[purchase]\nhold_minutes = 30\ntest_orders = "send"\nzero_value = "send"',
        '[purchase]\ncash_on_delivery = "paid"\nother_tool_shares_dataset = true',
        '[who]\ncustomers = "ledger"\nnew_customers_only = true\nexclude_payment_methods = ["cod"]',
        '[events]\noff = []\n"orders/made" = "Made"',
    ]
)
PLANS = st.lists(WORDS, unique_by=lambda words: words.split("\n")[0], max_size=3).map(
    lambda parts: parse("\n".join(parts)).base
)
ROUTES = st.builds(
    RouteView,
    toggles=st.sampled_from([{}, {"Purchase": False}]),
    live_since=st.sampled_from([None, NOW - timedelta(days=1)]),
)


def verdict_on(event, rules, route=None, shop_country="DE"):
    return decide(
        event,
        rules,
        route or RouteView(),
        NOW,
        shop_country=shop_country,
        max_age=lambda _: timedelta(days=7),
    )


@given(EVENTS, PLANS, ROUTES)
@settings(max_examples=400, deadline=None)
def test_every_event_gets_a_verdict_and_every_skip_a_sentence(event, rules, route):
    verdict = verdict_on(event, rules, route)

    assert verdict.event_name
    assert isinstance(verdict, Send) or sentence(verdict.reason)


@given(EVENTS, PLANS, ROUTES)
@settings(max_examples=400, deadline=None)
def test_what_the_buyer_denied_is_never_sent_nor_held(event, rules, route):
    denied = replace(event, consent=Consent(marketing=False, source="cookie"))

    assert isinstance(verdict_on(denied, rules, route), Skip)


@given(
    EVENTS,
    PLANS,
    ROUTES,
    st.sets(st.sampled_from([part.name for part in fields(UserData)])),
    st.sampled_from([None, "DE"]),
)
@settings(max_examples=400, deadline=None)
def test_to_know_less_of_a_buyer_never_turns_a_skip_into_a_send(
    event, rules, route, forgotten, shop_country
):
    less = replace(event.user_data, **dict.fromkeys(forgotten))

    before = verdict_on(event, rules, route, shop_country)
    after = verdict_on(replace(event, user_data=less), rules, route, shop_country)

    # The shop's country stands in for a buyer's that is not known (here: a strict one or none).
    # Exclusions by e-mail are not among these plans: they cannot match what is not there.
    assert isinstance(after, Skip) or not isinstance(before, Skip)


@given(EVENTS, PLANS, ROUTES)
@settings(max_examples=300, deadline=None)
def test_silence_never_allows_what_a_grant_does_not(event, rules, route):
    granted = replace(event, consent=Consent(marketing=True, source="cookie"))
    silent = replace(event, consent=None)

    assert isinstance(verdict_on(silent, rules, route), Skip) or not isinstance(
        verdict_on(granted, rules, route), Skip
    )
