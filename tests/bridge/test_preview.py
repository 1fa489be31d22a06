"""What another plan would change, over the deliveries that are still held raw."""

import json
import tracemalloc

import pytest
from click.testing import CliRunner

from bridge import plan as plans
from bridge import registry
from bridge.cli import cli
from bridge.cli import plan as plan_command
from bridge.events import ConfigError
from bridge.store import schema
from bridge.translate import preview
from tests.bridge.translate.bogus import platform, shop
from tests.bridge.translate.conftest import *  # noqa: F403  fixtures
from tests.bridge.translate.line import ANY_CONSENT, apply, connect
from tests.bridge.translate.shops import DENIED, order, recorded
from tests.stores import rows


@pytest.fixture
def line(store):
    """Return a line of two paid orders, one unpaid and one whose buyer said no."""
    line = connect(store, "shopify")
    line.tell(*order("shopify", 1, "paid"))
    line.tell(*order("shopify", 2, "paid"))
    line.tell(*order("shopify", 3, "placed"))
    line.tell(*order("shopify", 4, "paid", consent=DENIED))
    return line


def seen(line, plan):
    return preview(line.store, plans.parse(plan))


def value(side):
    return {currency: str(amount) for currency, amount in side.value.items()}


def in_words(found):
    return [(one.event_id, one.before, one.after) for one in found.changes]


def test_the_plan_in_force_changes_nothing(line):
    found = seen(line, plans.default_text())

    assert found.changes == []
    assert found.before == found.after
    assert (found.deliveries, found.before.sent) == (4, 2)
    assert found.before.skipped == {"not_paid": 1, "consent_denied": 1}


def test_another_value_rule_shows_both_sums_and_each_event(line):
    total = seen(line, "").before.value["EUR"] / 2
    found = seen(line, "[value]\nmultiplier = 2\n")

    assert found.after.value == {"EUR": found.before.value["EUR"] * 2}
    assert in_words(found) == [
        (f"purchase.{number}", f"Purchase {total} EUR", f"Purchase {total * 2} EUR")
        for number in (1, 2)
    ]
    assert [one.order_number for one in found.changes] == ["#1", "#2"]
    assert {one.source for one in found.changes} == {"shop"}


def test_a_channel_that_is_switched_off_shows_why_nothing_is_sent(line):
    found = seen(line, "[channels.web]\nsend = false\n")

    assert found.after.sent == 0
    assert found.after.value == {}
    assert found.after.skipped == {"channel:web": 4}
    assert {one.after for one in found.changes} == {"skipped: channel:web"}
    assert {one.before for one in found.changes if one.event_id == "purchase.3"} == {
        "skipped: not_paid"
    }


def test_a_laxer_consent_rule_shows_who_would_be_sent_and_never_who_said_no(store):
    line = connect(store, "shopify")
    line.tell(*order("shopify", 1, "paid", consent=None))
    line.tell(*order("shopify", 2, "paid", consent=DENIED))
    found = seen(line, ANY_CONSENT)

    assert (found.before.sent, found.after.sent) == (0, 1)
    [change] = found.changes
    assert (change.event_id, change.before) == ("purchase.1", "skipped: consent_unknown")
    assert found.after.skipped == {"consent_denied": 1}


def test_another_name_is_a_change_of_each_event(line):
    found = seen(line, '[events]\npurchase = "Bought"\n')

    words = [one.after.split()[0] for one in found.changes]
    assert words == ["Bought", "Bought", "skipped:", "skipped:"]
    assert found.before.value == found.after.value


def test_what_changes_within_the_payload_alone_is_a_change_too(line):
    found = seen(line, '[who]\nuser_data = ["email", "client_user_agent"]\n')

    assert {one.before == one.after for one in found.changes} == {True}
    assert len(found.changes) == 2


def test_another_event_id_is_one_event_less_and_one_more(line):
    found = seen(line, '[ids]\npurchase = "o{order_id}"\n')

    assert ("purchase.1", "nothing") in [(one.event_id, one.after) for one in found.changes]
    assert ("o1", "nothing") in [(one.event_id, one.before) for one in found.changes]


def test_a_hold_that_is_over_would_hold_nothing(line):
    assert seen(line, "[purchase]\nhold_minutes = 60\n").changes == []


def test_costs_and_known_customers_count_as_they_would(line):
    ledger = '[who]\ncustomers = "ledger"\n'
    apply(line.store, ledger)
    line.tell(*order("shopify", 5, "paid"))
    only_new = seen(line, ledger + "new_customers_only = true\n")
    line.store.subjects.set_costs(line.source.id, {"NO-SUCH": 1})
    margin = seen(line, '[value]\nbasis = "margin"\nmargin_percent = 50\n')

    # All five orders are of one buyer, of whom the ledger knows the last one.
    assert only_new.after.sent == 1
    assert only_new.after.skipped == {"excluded:not_new": 3, "not_paid": 1}
    assert margin.after.value["EUR"] < margin.before.value["EUR"]


def test_a_refund_is_previewed_with_its_purchase(line):
    body = recorded("shopify/refunds_create_partial")
    line.tell("refunds/create", body | {"order_id": 1, "created_at": "2026-11-23T15:00:00+00:00"})
    found = seen(line, "[events]\noff = []\n")

    [change] = [one for one in found.changes if one.event_id.startswith("refund.")]
    assert (change.before, change.after.split()[0]) == ("skipped: event_off", "Refund")


def test_many_renewals_of_some_days_are_no_burst(store, clock):
    plan = "[purchase]\nburst = 2\n[channels.draft]\nsend = true\n[consent]\nno_browser = 'send'\n"
    line = connect(store, "shopify", plan=plan)
    for number in range(5):
        topic, body = order("shopify", number + 1, "paid", consent=None)
        line.post(topic, body | {"source_name": "shopify_draft_order"})
        clock.move(45)

    assert seen(line, plan).after.sent == 5


def test_each_dataset_of_each_shop_counts(store):
    lines = [
        connect(store, "shopify", word="first", datasets=("one", "two")),
        connect(store, "woocommerce", word="second", datasets=("two",)),
    ]
    lines[0].route(1, toggles={"Purchase": False})
    for line in lines:
        line.tell(*order(line.source.kind, 1, "paid"))
    found = preview(store, plans.parse("[source.second.value]\nmultiplier = 3\n"))

    assert (found.before.sent, found.after.sent) == (2, 2)
    assert found.before.skipped == {"toggled_off": 1}
    assert [(one.source, one.event_id) for one in found.changes] == [
        ("second", "purchase.second.1")
    ]


def test_nothing_is_written(line):
    before = {table.name: rows(line.store, table.name) for table in schema.metadata.sorted_tables}
    seen(line, '[events]\npurchase = "Bought"\n[purchase]\nhold_minutes = 60\n')

    after = {table.name: rows(line.store, table.name) for table in schema.metadata.sorted_tables}
    assert after == before


def test_a_damaged_body_is_passed_over(line):
    table = schema.delivery_body
    [(_, sealed), *_] = rows(line.store, "delivery_body", "delivery_id", "body")
    with line.store.database.write() as connection:
        damaged = table.update().where(table.c.delivery_id == 1)
        connection.execute(damaged.values(body=sealed[:-1]))

    assert seen(line, "").deliveries == 3


def test_a_thousand_deliveries_are_not_all_in_memory_at_once(memory, monkeypatch):
    find, send = registry.source, registry.destination
    monkeypatch.setattr(registry, "source", lambda kind: {shop.kind: shop}.get(kind) or find(kind))
    monkeypatch.setattr(
        registry, "destination", lambda kind: {platform.kind: platform}.get(kind) or send(kind)
    )
    line = connect(memory, shop.kind, settings={"secret": "hush"}, to=platform.kind)
    with memory.database.write() as connection:
        for number in range(1_000, 2_000):
            raw = json.dumps({"id": str(number), "note": "x" * 50_000}).encode()
            known = {"source_id": line.source.id, "topic": "orders/paid", "received_at": 1}
            connection.execute(
                schema.delivery.insert().values(
                    **known, id=number, key=str(number), state="translated"
                )
            )
            connection.execute(
                schema.delivery_body.insert().values(
                    delivery_id=number, body=memory.vault.seal(b"{}\n" + raw, "delivery")
                )
            )
    tracemalloc.start()
    found = seen(line, '[events]\npurchase = "Bought"\n')
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (found.deliveries, len(found.changes)) == (1_000, 1_000)
    assert peak < 30_000_000  # all bodies together have 50


@pytest.fixture
def run(line, monkeypatch, tmp_path):
    """Return a function that runs the command over a plan."""
    monkeypatch.setattr(plan_command, "open_store", lambda: line.store)

    def call(text, *arguments):
        path = tmp_path / "plan.toml"
        path.write_text(text, "utf-8")
        command = ["plan", "preview", str(path), *arguments]
        return CliRunner().invoke(cli, command, catch_exceptions=False).output

    return call


def test_the_command_tells_people_both_sides_and_some_changes(run):
    told = run("[value]\nmultiplier = 2\n", "--limit", "1")

    assert told.startswith("4 deliveries are still held raw\n")
    assert "2 events would change" in told
    assert "purchase.1" in told
    assert "purchase.2" not in told


def test_the_command_tells_scripts_the_same(run):
    told = json.loads(run("[value]\nmultiplier = 2\n", "--json", "--limit", "1"))

    assert told["changed"] == 2
    assert len(told["changes"]) == 1
    assert told["before"]["skipped"] == {"not_paid": 1, "consent_denied": 1}
    assert float(told["after"]["value"]["EUR"]) == 2 * float(told["before"]["value"]["EUR"])


def test_a_plan_with_a_mistake_is_not_previewed(run):
    with pytest.raises(ConfigError, match="multiplier"):
        run("[value]\nmultiplier = -1\n")
