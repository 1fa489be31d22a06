"""The first steps: what is green, who else sends, what unknown consent means."""

import pytest
from flask import render_template

from bridge import plan as plans
from bridge.store import Lane
from tests.bridge.web.pages import CANARIES, dataset, link, shop, tell
from tests.fakes.browser import Browser
from tests.stores import claim, rows, settle

START = "/admin/start"
HOUR = 3600


@pytest.fixture(autouse=True)
def after_the_orders(clock):
    clock.move(4 * HOUR)


@pytest.fixture
def operator(application):
    return Browser(application).signed_in("operator", "olga")


@pytest.fixture
def reader(application, operator):
    return Browser(application).signed_in("reader", "ray")


@pytest.fixture
def source(store):
    return shop(store)


@pytest.fixture
def woo(store):
    return shop(store, "woocommerce", "holz")


def rules(store):
    return plans.parse(store.history.plan() or plans.default_text()).base


def statuses(operator):
    """Return the status of each step, as the page tells it."""
    words = {">Done<": "done", ">Waiting<": "doing", ">To do<": "todo"}
    text = operator.get(START).text.split("<main")[1]
    lamps = [part.split("</span>")[0] for part in text.split('class="lamp')[1:]]
    return [words[f">{lamp.rsplit('</i>', 1)[1]}<"] for lamp in lamps]


def test_a_demo_order_is_green_before_anything_is_connected(operator):
    text = operator.get(f"{START}/demo").text

    assert statuses(operator) == ["done"] + ["todo"] * 5
    assert "#5001" in text
    assert "is-sent" in text


def test_a_shop_waits_for_its_first_delivery(operator, store, source):
    waiting = statuses(operator)[1]
    store.connections.ping_seen(source.id, store.now())

    assert (waiting, statuses(operator)[1]) == ("doing", "done")


def test_a_dataset_is_green_once_it_took_an_event(operator, store, source):
    found = dataset(store)
    link(store, source, found)
    tell(store, source, 4001)
    waiting = statuses(operator)[2]
    settle(store, claim(store, Lane(destination_id=found.id, mode="live")))

    assert (waiting, statuses(operator)[2]) == ("doing", "done")


def test_all_steps_are_green_in_the_end_and_the_list_is_gone(operator, store, source):
    found = dataset(store)
    store.connections.ping_seen(source.id, store.now())
    store.overview.set_answer(f"tested.{found.id}", {"accepted": True})
    operator.post(f"{START}/senders/{source.id}", do="save")
    form = {"unknown_optin": "skip", "unknown_elsewhere": "send"}
    operator.post(f"{START}/consent/{source.id}", **form, do="save")
    link(store, source, found)
    app = operator.application.flask

    assert statuses(operator) == ["done"] * 6
    with app.test_request_context(START):
        assert "<li>" not in render_template("admin/_checklist.html")


def test_the_list_stands_on_the_home_page_until_then(operator):
    with operator.application.flask.test_request_context(START):
        text = render_template("admin/_checklist.html")

    assert text.count("<li>") == 6
    assert "1 of 6 done" in text


def test_a_tool_with_its_own_ids_must_go_and_its_switch_is_named(operator, store, source):
    form = {"shopify_app_maximum": "same", "do": "advise"}
    text = operator.post(f"{START}/senders/{source.id}", **form).text

    assert "Every sale would count twice" in text
    assert "Customer data-sharing" in text
    assert "shadow mode until then" in text
    assert store.overview.answer(f"senders.{source.id}") is None


def test_a_tool_that_marks_orders_is_written_into_the_plan(operator, store, woo):
    form = {"meta_for_woocommerce": "same"}
    advised = operator.post(f"{START}/senders/{woo.id}", **form, do="advise").text
    operator.post(f"{START}/senders/{woo.id}", **form, do="save")

    assert "[purchase] other_tool_shares_dataset = true" in advised
    assert rules(store).purchase.other_tool_shares_dataset
    assert [row for row in rows(store, "audit", "action") if row.startswith("source.")] == [
        "source.other_senders"
    ]


def test_a_tool_that_was_turned_off_is_taken_out_of_the_plan(operator, store, woo):
    operator.post(f"{START}/senders/{woo.id}", meta_for_woocommerce="same", do="save")
    operator.post(f"{START}/senders/{woo.id}", meta_for_woocommerce="off", do="save")

    assert not rules(store).purchase.other_tool_shares_dataset


def test_a_tag_with_the_order_number_is_matched_by_a_template(operator, store, source):
    form = {"tag_manager": "same", "tag_manager.id": "order_number"}
    text = operator.post(f"{START}/senders/{source.id}", **form, do="advise").text
    operator.post(f"{START}/senders/{source.id}", **form, do="save")

    assert "Meta counts the sale once" in text
    assert rules(store).ids.purchase == "{order_number}"
    assert 'value="order_number" selected' in operator.get(f"{START}/senders/{source.id}").text


def test_nonsense_counts_as_nobody_else(operator, store, source):
    form = {"tag_manager": "<script>", "tag_manager.id": "{x}", "do": "save"}
    answer = operator.post(f"{START}/senders/{source.id}", **form)

    assert answer.status_code == 303
    assert "<script>" not in operator.get(f"{START}/senders/{source.id}").text.split("<main")[1]
    assert store.history.plan() is None


def test_consent_tells_how_many_orders_it_would_skip(operator, store, source):
    link(store, source, dataset(store))
    tell(store, source, 4001)
    tell(store, source, 4002, consent=None)
    tell(store, source, 4003, consent="v1;marketing=0;sale=0;ts=1795423777000")
    text = operator.get(f"{START}/consent/{source.id}").text
    form = {"unknown_optin": "send", "unknown_elsewhere": "send"}
    counted = operator.post(f"{START}/consent/{source.id}", **form, do="count").text

    cells = '<td class="number">3</td><td class="number">{}</td><td class="number">1</td>'
    assert cells.format(1) in text
    assert cells.format(0) in counted
    assert store.history.plan() is None
    operator.post(f"{START}/consent/{source.id}", **form, do="save")
    kept = operator.get(f"{START}/consent/{source.id}").text
    assert cells.format(0) in kept  # as it is now
    assert cells.format(1) in kept  # and as it would be, which is the question


def test_rules_of_consent_are_put_in_force(operator, store, source):
    form = {"unknown_optin": "send", "unknown_elsewhere": "skip"}
    answer = operator.post(f"{START}/consent/{source.id}", **form, do="save")

    assert answer.status_code == 303
    consent = rules(store).consent
    assert (consent.unknown_optin, consent.unknown_elsewhere) == ("send", "skip")
    assert rows(store, "audit", "action")[-1] == "source.consent"


def test_no_other_word_of_consent_is_taken(operator, store, source):
    form = {"unknown_optin": "maybe", "unknown_elsewhere": "send"}

    assert operator.post(f"{START}/consent/{source.id}", **form, do="save").status_code == 422
    assert store.history.plan() is None


def test_going_live_counts_from_now_and_leads_back(operator, store, source):
    found = dataset(store)
    link(store, source, found, "shadow")
    page = operator.get(f"{START}/live/{source.id}").text
    path = f"/admin/events/{source.id}/{found.id}/mode"
    answer = operator.post(path, mode="live", next="start")
    [route] = store.connections.routes()

    assert path in page
    assert answer.location == START
    assert (route.mode, route.live_since) == ("live", store.now())


def test_going_live_is_warned_of_where_every_sale_would_count_twice(operator, store, source):
    operator.post(f"{START}/senders/{source.id}", shopify_app_standard="same", do="save")

    assert "every sale counts twice" in operator.get(f"{START}/live/{source.id}").text


def test_a_reader_sees_and_changes_nothing(reader, store, source):
    pages = [f"{START}/{name}/{source.id}" for name in ("senders", "consent", "live")]

    assert [reader.get(page).status_code for page in (START, *pages)] == [200] * 4
    assert [reader.post(page, do="save").status_code for page in pages[:2]] == [403] * 2
    assert statuses(reader)[3] == "todo"


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", ["senders", "consent", "live"])
def test_no_secret_and_no_person_stands_in_a_page(operator, store, source, name, language):
    link(store, source, dataset(store))
    tell(store, source, 4001)
    answer = operator.get(f"{START}/{name}/{source.id}", Accept_Language=language)

    assert answer.status_code == 200
    assert not [word for word in CANARIES if word in answer.text]


@pytest.mark.parametrize("name", ["senders", "consent", "live"])
def test_a_shop_that_is_gone_has_no_steps(operator, store, source, name):
    store.connections.set_source(source.id, state="removed")

    assert operator.get(f"{START}/{name}/{source.id}").status_code == 404
