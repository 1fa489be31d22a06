"""What a change would do: previews of toggles and plans, examples, and samples played through."""

import pytest

from bridge import plan as plans
from bridge import registry
from bridge.routes import with_toggles
from bridge.translate import examples, preview, rehearse
from tests.stores import rows

from .line import connect
from .shops import order

PLAN = plans.parse(plans.default_text())


@pytest.fixture
def line(memory):
    """Return a live shop with one paid order, one unpaid, and one without consent."""
    line = connect(memory, "shopify")
    line.tell(*order("shopify", 11, "paid"))
    line.tell(*order("shopify", 12, "placed"))
    line.tell(*order("shopify", 13, "paid", consent=None))
    return line


def route(line):
    [found] = line.store.connections.routes()
    return found


def test_a_toggle_shows_the_orders_that_it_would_skip(line):
    found = preview(line.store, PLAN, [with_toggles(route(line), {"Purchase": False})])

    assert (found.before.sent, found.after.sent) == (1, 0)
    assert {change.event_id: change.after for change in found.changes}["purchase.11"] == (
        "skipped: toggled_off"
    )


def test_orders_are_counted_apart_from_other_events(line):
    found = preview(line.store, PLAN, [route(line)])

    assert found.after.orders == 3
    assert found.after.orders_skipped == {"not_paid": 1, "consent_unknown": 1}
    assert found.changes == []


def test_orders_of_before_the_going_live_count_only_on_request(line):
    line.route(live_since=line.store.now())
    kept = preview(line.store, PLAN, [route(line)])
    ever = preview(line.store, PLAN, [route(line)], since_go_live=False)

    assert (kept.after.sent, ever.after.sent) == (0, 1)


def test_only_the_routes_that_are_asked_for_are_looked_at(memory):
    line = connect(memory, "shopify", datasets=("one", "two"))
    other = connect(memory, "woocommerce", word="other", datasets=("one",))
    line.tell(*order("shopify", 11, "paid"))
    other.tell(*order("woocommerce", 12, "paid"))
    [first, *_] = memory.connections.routes(line.source.id)

    assert preview(memory, PLAN, [first]).after.orders == 1
    assert preview(memory, PLAN).after.orders == 3


def test_a_preview_writes_nothing(line):
    before = rows(line.store, "outbox"), rows(line.store, "delivery")
    preview(line.store, PLAN, [route(line)], since_go_live=False)

    assert (rows(line.store, "outbox"), rows(line.store, "delivery")) == before


def test_an_example_is_the_newest_event_that_would_be_sent_and_sums_up(line):
    found = examples(line.store, line.source)["Purchase"]

    assert (found.order, found.sent, found.currency) == ("#11", True, "EUR")
    assert sum(amount for _, amount in found.lines) == found.value
    assert found.content_ids


def test_an_example_is_worked_out_under_other_rules(line):
    rules = plans.parse('[value]\ntax = false\n[contents]\nid = "{sku}"\n').base
    found = examples(line.store, line.source, rules)["Purchase"]

    assert [label for label, _ in found.lines] == ["total", "tax"]
    assert "LH-M-SAND" in found.content_ids


def test_a_shop_without_raw_deliveries_has_no_example(memory):
    line = connect(memory, "shopify")
    line.post("orders/paid", b"no json")

    assert examples(memory, line.source) == {}


@pytest.mark.parametrize("kind", registry.source_kinds())
def test_samples_are_played_without_a_store(kind):
    found = rehearse(kind, "meta")

    assert all(row.payload is None or row.reason == "shadow" for row in found)
    if kind != "forms":
        assert any(row.payload for row in found)
        assert any(row.reason == "consent_denied" for row in found)
