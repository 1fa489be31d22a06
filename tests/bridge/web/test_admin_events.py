"""Events: switches, rules, modes, previews, and the way back."""

from dataclasses import replace

import pytest

from bridge import plan as plans
from tests.bridge.web.pages import CANARIES, dataset, link, shop, tell
from tests.fakes.browser import Browser
from tests.stores import START, rows

DAY = 86_400 * 1_000_000
NOON = START + 4 * 3600 * 1_000_000  # after the recorded orders


@pytest.fixture(autouse=True)
def after_the_orders(clock):
    clock.now = NOON


@pytest.fixture
def operator(application):
    return Browser(application).signed_in("operator", "olga")


@pytest.fixture
def reader(application, operator):
    return Browser(application).signed_in("reader", "ray")


@pytest.fixture
def path(store):
    """Return the path of a live route of a shop with two paid orders."""
    source, destination = shop(store), dataset(store)
    link(store, source, destination)
    tell(store, source, 4001)
    tell(store, source, 4002)
    return f"/admin/events/{source.id}/{destination.id}"


def route(store):
    [found] = store.connections.routes()
    return found


def rules(store):
    return plans.parse(store.history.plan() or plans.default_text()).base


def on(store, *without, also=()):
    """Return the event names whose boxes are ticked, but for some."""
    known = {"Purchase", "InitiateCheckout", "AddPaymentInfo", "AddToCart", "Lead"}
    known |= {"ViewContent", "Search", "AddToWishlist", "Contact"}
    return sorted((known | set(also)) - set(without))


def rule_form(**changes):
    """Return the form of an event's rules as it stands at first."""
    form = {
        "basis": "total", "money": "presentment", "margin_percent": "100", "multiplier": "1",
        "parts": ["tax", "shipping", "discounts", "fees"], "minimum": "0", "predicted_ltv": "0",
        "contents_id": "{id}", "contents_prefix": "", "contents_suffix": "",
        "contents_content_type": "product", "owner": "webhook",
        "paid_states": ["authorized", "paid", "partially_refunded"],
        "cash_on_delivery": "placed", "zero_value": "skip", "hold_minutes": "0",
    }  # fmt: skip
    return form | changes


def test_without_a_route_the_page_leads_to_the_checklist(operator):
    assert "/admin/start" in operator.get("/admin/events").text


def test_a_row_tells_count_ids_and_a_worked_example(operator, path):
    text = operator.get(path).text

    assert "#4002: " in text
    assert ">2</td>" in text
    assert "an order that counts" in text
    assert "Payment authorized · Paid · Partly refunded" in text


def test_a_reader_sees_and_changes_nothing(reader, path, store):
    before = route(store)
    text = reader.get(path).text

    assert 'name="on"' not in text
    assert reader.post(path, on=[], do="save").status_code == 403
    assert reader.post(f"{path}/mode", mode="shadow").status_code == 403
    assert reader.post(f"{path}/back").status_code == 403
    assert reader.post("/admin/events/plan/back").status_code == 403
    assert reader.post(f"{path}/event/Purchase", **rule_form(), do="save").status_code == 403
    assert route(store) == before


def test_a_change_is_previewed_before_it_counts(operator, path, store):
    before = route(store)
    answer = operator.post(path, on=on(store, "Purchase"), do="preview")

    assert answer.status_code == 200
    assert "skipped: toggled_off" in answer.text
    assert "Events that would change: 2" in answer.text
    assert route(store) == before


def test_a_switch_is_kept_noted_and_counts(operator, path, store):
    answer = operator.post(path, on=on(store, "Purchase"), do="save")
    tell(store, store.connections.source("shop"), 4003)

    assert answer.status_code == 303
    assert route(store).toggles == {"Purchase": False}
    audit = rows(store, "audit", "actor", "action", "detail")
    assert audit[-1] == ("olga", "route.toggles", "Purchase off")
    found = dict(rows(store, "outbox", "order_id", "reason"))
    assert found["4003"] == "toggled_off"


def test_what_the_plan_has_off_is_switched_on_in_the_plan(operator, path, store):
    operator.post(path, on=on(store, also=["Refund"]), do="save")

    assert "refund" not in rules(store).events.off
    assert "subscription_started" in rules(store).events.off
    assert route(store).toggles == {"Refund": True}


def test_saving_what_is_so_already_changes_nothing(operator, path, store):
    before = route(store)
    operator.post(path, on=on(store), do="save")

    assert route(store) == before
    assert store.history.plan() is None


def test_the_last_switches_are_taken_back(operator, path, store):
    operator.post(path, on=on(store, "Lead"), do="save")
    operator.post(path, on=on(store, "Lead", "Purchase"), do="save")
    answer = operator.post(f"{path}/back")

    assert answer.status_code == 303
    assert route(store).toggles == {"Lead": False}


def test_the_value_rule_is_previewed_on_a_real_order(operator, path, store):
    answer = operator.post(
        f"{path}/event/Purchase", **rule_form(parts=["shipping", "discounts", "fees"]), do="preview"
    )

    assert answer.status_code == 200
    assert "Events that would change: 2" in answer.text
    assert store.history.plan() is None


def test_rules_are_written_into_the_plan_and_taken_back(operator, path, store):
    form = rule_form(parts=["shipping", "discounts", "fees"], multiplier="1,5", hold_minutes="10")
    operator.post(f"{path}/event/Purchase", **form, do="save")
    own = rules(store).value_for("Purchase")

    assert (own.tax, own.shipping, str(own.multiplier)) == (False, True, "1.5")
    assert rules(store).purchase.hold_minutes == 10
    assert rules(store).value_for("Lead").tax

    operator.post("/admin/events/plan/back")
    assert rules(store) == plans.parse(plans.default_text()).base
    assert [one[1] for one in rows(store, "audit", "actor", "action")][-2:] == ["plan.applied"] * 2


def test_states_and_ids_are_written_into_the_plan(operator, path, store):
    form = rule_form(paid_states=["placed", "paid"], contents_id="{sku}", contents_prefix="shop_")
    operator.post(f"{path}/event/Purchase", **form, do="save")

    assert rules(store).purchase.paid_states == ("placed", "paid")
    assert (rules(store).contents.id, rules(store).contents.prefix) == ("{sku}", "shop_")


def test_with_two_shops_a_rule_counts_for_its_own_alone(operator, path, store):
    shop(store, "woocommerce", "other")
    operator.post(f"{path}/event/Purchase", **rule_form(hold_minutes="7"), do="save")
    plan = plans.parse(store.history.plan())

    assert plan.rules("shop").purchase.hold_minutes == 7
    assert plan.rules("other").purchase.hold_minutes == 0


def test_an_event_of_carts_may_change_its_owner(operator, path, store):
    operator.post(f"{path}/event/AddToCart", **rule_form(owner="browser"), do="save")
    browser = rules(store).collector.events
    operator.post(f"{path}/event/AddToCart", **rule_form(owner="webhook"), do="save")

    assert "AddToCart" in browser
    assert "AddToCart" not in rules(store).collector.events


def test_a_purchase_is_never_the_browsers(operator, path, store):
    operator.post(f"{path}/event/Purchase", **rule_form(owner="browser"), do="save")

    assert "Purchase" not in rules(store).collector.events
    assert 'name="owner"' not in operator.get(f"{path}/event/Purchase").text


@pytest.mark.parametrize(
    "wrong",
    [
        {"multiplier": "much"}, {"minimum": "NaN"}, {"hold_minutes": "1.5"},
        {"hold_minutes": "600"}, {"contents_id": "{wrong}"}, {"basis": "wrong"},
        {"multiplier": "1e99999"},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told_and_not_kept(operator, path, store, wrong):
    answer = operator.post(f"{path}/event/Purchase", **rule_form(**wrong), do="save")

    assert answer.status_code == 422
    assert store.history.plan() is None


def test_an_event_that_is_nobodys_has_no_page(operator, path):
    assert operator.get(f"{path}/event/Nonsense").status_code == 404
    assert operator.get("/admin/events/77/78").status_code == 404


def test_a_route_goes_live_from_now(operator, path, store):
    operator.post(f"{path}/mode", mode="shadow")
    answer = operator.post(f"{path}/mode", mode="live")

    assert answer.status_code == 303
    assert (route(store).mode, route(store).live_since) == ("live", NOON)
    assert rows(store, "audit", "action", "detail")[-1] == ("route.mode", "live")


def test_a_test_needs_a_code_and_ends_after_a_day(operator, path, store, clock):
    missing = operator.post(f"{path}/mode", mode="test", test_event_code=" ")
    answer = operator.post(f"{path}/mode", mode="test", test_event_code="TEST123")
    during = operator.get(path).text
    clock.move(86_400)

    assert (missing.status_code, answer.status_code) == (422, 303)
    assert "Meta counts test events" in during
    assert route(store).mode == "live"
    assert route(store).live_since == NOON - 30 * DAY


def test_no_other_mode_is_taken(operator, path):
    assert operator.post(f"{path}/mode", mode="wild").status_code == 400


def test_shadow_shows_order_by_order_what_would_be_sent(operator, path, store):
    operator.post(f"{path}/mode", mode="shadow")
    source = store.connections.source("shop")
    store.connections.set_route(replace(route(store), live_since=0))
    tell(store, source, 4010)
    text = operator.get(f"{path}/shadow").text

    assert "purchase.4010" in text
    assert "email" in text
    assert "nothing leaves this server" in operator.get(path).text


@pytest.mark.parametrize("page", ["", "/shadow", "/event/Purchase", "/event/AddToCart"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_secret_and_no_person_stands_in_a_page(operator, path, page, language):
    answer = operator.get(path + page, Accept_Language=language)

    assert answer.status_code == 200
    assert not [word for word in CANARIES if word in answer.text]


def test_a_form_without_its_token_changes_nothing(operator, path, store):
    before = route(store)

    assert operator.post(path, csrf="wrong", on=[], do="save").status_code == 400
    assert route(store) == before
