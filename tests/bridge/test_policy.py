"""Policy: which events are sent, and the one reason why another is not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bridge.events import Amounts, Basket, Channel, Consent, Event, Occasion, OrderState, UserData
from bridge.plan import Rules, parse
from bridge.policy import REASONS, RouteView, Send, Skip, Wait, decide, occasions, sentence

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=1)
EUR = Basket(amounts=Amounts(currency="EUR", total=Decimal(50)))
ORDER = Event(
    occasion=Occasion.PURCHASE,
    subject_id="1",
    order_id="1",
    event_time=EARLIER,
    created_at=EARLIER,
    channel=Channel.WEB,
    order_state=OrderState.PAID,
    basket=EUR,
    country="DE",
    consent=Consent(marketing=True, source="cookie"),
)


def verdict_on(event, plan="", route=None, shop_country="DE", max_age_days=7, follows=None):
    return decide(
        event,
        parse(plan).base,
        route or RouteView(),
        NOW,
        shop_country=shop_country,
        max_age=lambda source: timedelta(days=62 if source == "physical_store" else max_age_days),
        follows=follows,
    )


def outcome(plan="", route=None, **changes):
    """Return ``send``, ``wait`` or the reason of the skip for ORDER with *changes*."""
    match verdict_on(replace(ORDER, **changes), plan, route):
        case Send():
            return "send"
        case Wait():
            return "wait"
        case Skip(reason=reason):
            return reason


def test_a_paid_web_order_is_sent_as_a_website_purchase():
    verdict = verdict_on(ORDER)

    assert isinstance(verdict, Send)
    assert (verdict.event_name, verdict.action_source) == ("Purchase", "website")
    assert verdict.decision.rule == "granted"
    assert verdict.browser


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (OrderState.AUTHORIZED, "send"),
        (OrderState.PARTIALLY_REFUNDED, "send"),
        (OrderState.PLACED, "not_paid"),
        (OrderState.DRAFT, "not_paid"),
        (OrderState.CANCELLED, "cancelled"),
        (OrderState.REFUNDED, "refunded"),
        (None, "unknown_state"),
    ],
)
def test_by_default_an_order_counts_when_the_money_is_in(state, expected):
    assert outcome(order_state=state) == expected


def test_the_plan_may_count_orders_as_soon_as_they_are_placed():
    plan = '[purchase]\npaid_states = ["placed", "paid"]'

    assert outcome(plan, order_state=OrderState.PLACED) == "send"
    assert outcome(plan, order_state=OrderState.AUTHORIZED) == "not_paid"


def test_a_channel_may_have_states_of_its_own():
    plan = '[channels.web]\nstates = ["placed"]'

    assert outcome(plan, order_state=OrderState.PLACED) == "send"
    assert outcome(plan, order_state=OrderState.PAID) == "not_paid"


def test_a_payment_method_may_count_when_placed():
    plan = '[purchase]\nplaced_payment_methods = ["BACS"]'

    assert outcome(plan, order_state=OrderState.PLACED, payment_methods=("bacs",)) == "send"
    assert outcome(plan, order_state=OrderState.PLACED, payment_methods=("card",)) == "not_paid"
    assert outcome(plan, order_state=OrderState.DRAFT, payment_methods=("bacs",)) == "not_paid"


@pytest.mark.parametrize("state", [OrderState.PLACED, OrderState.AUTHORIZED, OrderState.PAID])
def test_cash_on_delivery_counts_when_placed(state):
    assert outcome(order_state=state, cash_on_delivery=True) == "send"


def test_cash_on_delivery_may_count_only_when_the_money_is_there():
    plan = '[purchase]\ncash_on_delivery = "paid"'

    assert outcome(plan, cash_on_delivery=True) == "not_paid"
    assert outcome(plan, cash_on_delivery=True, paid_at=NOW) == "send"
    assert outcome(plan) == "send"


@pytest.mark.parametrize("channel", [one for one in Channel if one is not Channel.WEB])
def test_by_default_only_web_sales_are_sent(channel):
    assert outcome(channel=channel) == f"channel:{channel}"


def test_a_sale_of_an_unknown_channel_is_not_a_web_sale():
    assert outcome(channel=None) == "channel:unknown"
    assert outcome("[channels.web]\nsend = false") == "channel:web"


@pytest.mark.parametrize(
    ("channel", "source"),
    [
        (Channel.POS, "physical_store"),
        (Channel.RENEWAL, "system_generated"),
        (Channel.DRAFT, "phone_call"),
        (Channel.ADMIN, "other"),
    ],
)
def test_another_channel_once_on_is_sent_for_what_it_is(channel, source):
    verdict = verdict_on(replace(ORDER, channel=channel), f"[channels.{channel}]\nsend = true")

    assert isinstance(verdict, Send)
    assert verdict.action_source == source
    assert not verdict.browser


def test_a_channel_may_have_an_event_name_of_its_own():
    plan = '[channels.renewal]\nsend = true\nevent_name = "Renewal"'
    verdict = verdict_on(replace(ORDER, channel=Channel.RENEWAL), plan)

    assert verdict.event_name == "Renewal"


def test_without_a_browser_no_answer_has_its_own_rule():
    on = "[channels.renewal]\nsend = true\n"
    changes = {"channel": Channel.RENEWAL, "consent": None, "country": "US"}

    assert outcome(on, **changes) == "consent_unknown"
    assert outcome(on + '[consent]\nno_browser = "send"', **changes) == "send"


@pytest.mark.parametrize(
    "occasion", [Occasion.CART_ADDED, Occasion.CHECKOUT_STARTED, Occasion.FORM_SUBMITTED, "Search"]
)
def test_what_is_no_sale_needs_neither_channel_nor_state_nor_amounts(occasion):
    changes = {"channel": None, "order_state": None, "basket": Basket()}

    assert outcome(occasion=occasion, **changes) == "send"


def test_a_purchase_by_its_event_name_must_show_channel_and_state():
    assert outcome(occasion="Purchase", channel=None) == "channel:unknown"
    assert outcome(occasion="Purchase", order_state=None) == "unknown_state"


def test_a_refund_is_the_shops_own_act():
    plan = "[events]\noff = []"
    refund = replace(ORDER, occasion=Occasion.REFUND, channel=None, order_state=None, consent=None)
    sold = verdict_on(ORDER).decision
    verdict = verdict_on(refund, plan, follows=sold)

    assert isinstance(verdict, Send)
    assert (verdict.action_source, verdict.browser) == ("system_generated", False)
    assert verdict.decision is sold
    denied = replace(refund, consent=Consent(marketing=False, source="cookie"))
    assert verdict_on(denied, plan, follows=sold).reason == "consent_denied"
    assert verdict_on(refund, plan).reason == "purchase_not_sent"
    assert outcome(plan, occasion=Occasion.REFUND, channel=Channel.POS) == "channel:pos"


@pytest.mark.parametrize(
    ("occasion", "name"),
    [(Occasion.REFUND, "Refund"), ("orders/made", "orders/made")],
)
def test_an_occasion_that_is_off_is_skipped_under_the_name_it_would_have(occasion, name):
    verdict = verdict_on(replace(ORDER, occasion=occasion))

    assert verdict == Skip(reason="event_off", event_name=name)


def test_test_orders_are_skipped_but_where_the_plan_wants_them():
    plan = '[purchase]\ntest_orders = "test"'

    assert outcome(test=True) == "test_order"
    assert outcome(plan, test=True) == "test_order"
    assert outcome(plan, RouteView(mode="test"), test=True) == "send"
    assert outcome('[purchase]\ntest_orders = "send"', test=True) == "send"


def test_another_tools_mark_counts_only_where_it_shares_the_dataset():
    plan = "[purchase]\nother_tool_shares_dataset = true"

    assert outcome(sent_elsewhere=True) == "send"
    assert outcome(plan, sent_elsewhere=True) == "sent_elsewhere"
    assert outcome(plan) == "send"


def test_what_happened_before_go_live_is_skipped():
    route = RouteView(live_since=NOW - timedelta(minutes=30))

    assert outcome(route=route) == "before_go_live"
    assert outcome(route=route, created_at=None) == "before_go_live"
    assert outcome(route=route, created_at=NOW) == "send"


def test_a_toggle_stops_one_event_of_one_route():
    assert outcome(route=RouteView(toggles={"Purchase": False})) == "toggled_off"
    assert outcome(route=RouteView(toggles={"AddToCart": False})) == "send"


@pytest.mark.parametrize(
    ("plan", "changes", "reason"),
    [
        ('exclude_tags = ["staff"]', {"tags": ("Staff",)}, "tag"),
        ('exclude_emails = ["A@b.de"]', {"user_data": UserData(email=" a@B.de")}, "email"),
        ('exclude_domains = ["b.de"]', {"user_data": UserData(email="a@b.de")}, "domain"),
        ('exclude_domains = ["@b.de"]', {"user_data": UserData(email="a@x.B.de")}, "domain"),
        ('exclude_payment_methods = ["gift"]', {"payment_methods": ("gift",)}, "payment_method"),
        ('customers = "ledger"\nnew_customers_only = true', {"customer_is_new": False}, "not_new"),
        ('customers = "ledger"\nnew_customers_only = true', {"customer_is_new": None}, "not_new"),
    ],
)
def test_the_plan_may_exclude_buyers(plan, changes, reason):
    assert outcome(f"[who]\n{plan}", **changes) == f"excluded:{reason}"
    assert outcome(f"[who]\n{plan}", user_data=UserData(email="a@bb.de"), customer_is_new=True) == (
        "send"
    )


def test_a_channel_may_take_only_some_payment_methods():
    plan = '[channels.web]\npayment_methods = ["card"]'

    assert outcome(plan, payment_methods=("Card",)) == "send"
    assert outcome(plan, payment_methods=("paypal",)) == "excluded:payment_method"


def of(total, currency="EUR"):
    return Basket(amounts=Amounts(currency=currency, total=Decimal(total)))


@pytest.mark.parametrize(
    ("basket", "reason"),
    [
        (of(0), "zero_value"),
        (of(-1), "invalid:value"),
        (of("NaN"), "invalid:value"),
        (of(1, "EURO"), "invalid:currency"),
        (of(1, ""), "invalid:currency"),
        (of(1, "€UR"), "invalid:currency"),
        (Basket(), "invalid:value"),
    ],
)
def test_a_purchase_needs_a_value_and_a_currency(basket, reason):
    assert outcome(basket=basket) == reason


def test_orders_that_cost_nothing_may_be_sent():
    assert outcome('[purchase]\nzero_value = "send"', basket=of(0)) == "send"


def test_the_shops_own_side_is_enough():
    assert outcome(basket=Basket(), shop_basket=EUR) == "send"


def test_a_clock_that_is_fast_is_forgiven_up_to_two_days():
    assert outcome(event_time=NOW + timedelta(hours=40), created_at=None) == "send"
    assert outcome(event_time=NOW + timedelta(hours=49)) == "invalid:event_time"


def test_what_is_too_old_for_its_action_source_expires():
    old = {"event_time": NOW - timedelta(days=8)}

    assert outcome(**old) == "expired"
    assert outcome("[channels.pos]\nsend = true", channel=Channel.POS, **old) == "send"


def test_a_hold_waits_from_the_orders_creation():
    plan = "[purchase]\nhold_minutes = 60"
    verdict = verdict_on(replace(ORDER, created_at=NOW - timedelta(minutes=20)), plan)

    assert isinstance(verdict, Wait)
    assert verdict.until == NOW + timedelta(minutes=40)
    assert verdict.reason == "held"
    assert outcome(plan) == "send"
    assert outcome(plan, occasion=Occasion.CHECKOUT_STARTED, created_at=NOW) == "send"


def test_a_hold_is_bounded_when_the_shops_clock_is_fast():
    future = NOW + timedelta(hours=30)
    verdict = verdict_on(replace(ORDER, created_at=future), "[purchase]\nhold_minutes = 5")

    assert verdict.until == NOW + timedelta(minutes=5)


def test_the_buyers_country_counts_before_the_shops():
    silent = replace(ORDER, consent=None, country=None)
    from_germany = replace(silent, user_data=UserData(country="DE"))

    assert verdict_on(replace(silent, country="US")).decision.region == "opt_out"
    assert verdict_on(from_germany, shop_country="US").reason == "consent_unknown"
    assert isinstance(verdict_on(silent, shop_country="US"), Send)
    assert verdict_on(silent, shop_country=None).reason == "consent_unknown"


def test_the_shops_country_brings_no_state_along():
    opted_out = Consent(sale_of_data=False, source="cookie")
    event = replace(ORDER, country=None, state="CA", consent=opted_out)

    assert verdict_on(event, shop_country="US").reason == "consent_denied"


def test_only_the_state_of_an_order_can_be_cured():
    curable = {reason for reason in REASONS if Skip(reason=reason, event_name="").curable}

    assert curable == {
        "not_paid", "held", "refunded", "cancelled", "unknown_state", "purchase_not_sent",
    }  # fmt: skip


def test_what_time_cures_is_told_before_what_is_final():
    everything = {
        "order_state": OrderState.PLACED,
        "basket": Basket(),
        "consent": Consent(marketing=False, source="cookie"),
    }
    route = RouteView(toggles={"Purchase": False}, live_since=NOW)

    assert outcome(route=route, **everything) == "not_paid"


def test_a_skip_for_consent_carries_the_decision():
    verdict = verdict_on(replace(ORDER, consent=Consent(marketing=False, source="cookie")))

    assert verdict.reason == "consent_denied"
    assert verdict.decision.rule == "denied"


@pytest.mark.parametrize("reason", [*REASONS, "channel:pos", "excluded:tag", "invalid:value"])
def test_every_reason_is_explained_in_a_sentence(reason):
    assert sentence(reason).endswith(".")


def test_a_word_that_is_no_reason_has_no_sentence():
    assert sentence("whatever") == ""


def test_the_first_order_of_a_subscription_starts_it():
    order = replace(ORDER, subscription=True, event_id="carried")
    first, second = occasions(order, Rules())

    assert first == order
    assert (second.occasion, second.event_id) == (Occasion.SUBSCRIPTION_STARTED, None)
    assert occasions(ORDER, Rules()) == [ORDER]


@pytest.mark.parametrize(("recent", "expected"), [(200, "send"), (201, "import_burst")])
def test_a_burst_in_a_channel_without_shoppers_is_taken_for_an_import(recent, expected):
    plan = "[channels.marketplace]\nsend = true"
    route = RouteView(recent={"marketplace": recent, "web": 9000})

    assert outcome(plan, route, channel=Channel.MARKETPLACE) == expected
    assert outcome(plan, route) == "send"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ('currencies = ["usd"]', "other_market"),
        ('currencies = ["EUR"]', "send"),
        ('countries = ["AT"]', "other_market"),
        ('countries = ["AT", "DE"]', "send"),
    ],
)
def test_a_destination_takes_only_its_markets(table, expected):
    plan = f"[destinations.main]\n{table}"

    assert outcome(plan, RouteView(destination="main")) == expected
    assert outcome(plan, RouteView(destination="other")) == "send"


def test_a_buyer_with_an_excluded_role_is_not_sent():
    assert outcome('[who]\nexclude_roles = ["Wholesale"]', customer_role="wholesale") == (
        "excluded:role"
    )
