"""The recorded days of real shops: one purchase for each paid web order, whatever the order."""

import random
from pathlib import Path

import pytest

from bridge.events.testing.recordings import find_cases
from bridge.receive import Received
from bridge.translate import translate_due

from .line import ANY_CONSENT, DELIVERIES, connect

SEEDS = range(20)
PENDING = ("pending", "")
SILENT = ("skipped", "consent_unknown")
IMPORT = ("skipped", "channel:import")
# What each order of the recorded days ends as where silence is no obstacle, and by default.
WOOCOMMERCE = {
    "11.0.1": {
        "18": PENDING,  # cash on delivery
        "19": PENDING,  # a transfer that came, then refunded in two parts
        "22": IMPORT,  # written by software, paid, cancelled, trashed and restored
        "23": IMPORT,
        "28": PENDING,
        "29": PENDING,
        "30": IMPORT,
    },
    "8.9.3": {
        "18": ("skipped", "not_paid"),
        "19": PENDING,  # trashed at the end
    },
}
SENT_IN_ANY_ORDER = {"11.0.1": ["18", "19", "28", "29"], "8.9.3": []}
SHOPIFY = {
    "6099111122201": ("expired", "expired"),
    "6104532287601": PENDING,
    "6104532287602": ("skipped", "channel:pos"),
    "6104532287603": ("skipped", "channel:draft"),
    "6104532287605": ("skipped", "zero_value"),
    "6104532287606": PENDING,
    "6104532287610": ("skipped", "test_order"),
    "7001000003101": PENDING,
    "7001000003102": PENDING,
    "7001000003103": PENDING,
    "7001000003104": PENDING,  # in the shop's own currency, the only one told
    "7001000003105": ("skipped", "unknown_state"),
    "7001000003106": PENDING,  # cash on delivery
    "7001000003107": ("skipped", "channel:renewal"),
    "7001000003108": ("skipped", "channel:renewal"),
    "7001000003109": ("skipped", "channel:renewal"),
    "7001000003110": PENDING,  # without a user agent
    "7001000003111": PENDING,
    "7001000003112": PENDING,
    "7001000003113": IMPORT,
    "7001000003114": ("skipped", "channel:marketplace"),
    "7001000003115": ("skipped", "channel:unknown"),
    "7001000003116": PENDING,
    "7001000003117": ("skipped", "consent_denied"),
    "7001000003118": PENDING,
    "7001000003119": PENDING,
    "820982911946154508": ("skipped", "test_order"),
}
# Buyers outside of Europe, whose silence is no obstacle by default, and those who said yes.
SHOPIFY_HEARD = {"6104532287601", "6104532287606", "7001000003101", "7001000003103"}
SHOPIFY_HEARD |= {"7001000003111"}
# These end the order, the shop or the person, and are told in tests of their own.
ENDS = {"orders_cancelled", "trap_deleted", "app_uninstalled", "shop_redact", "customers_redact"}


def cases(name: str) -> list[Path]:
    found = find_cases(DELIVERIES / name)
    return [case for case in found if case.name not in ENDS] if name == "shopify" else found


def silenced(table: dict[str, tuple[str, str]], heard: set[str]) -> dict[str, tuple[str, str]]:
    """Return *table* as it is by default: who said nothing is not sent."""
    return {
        order_id: SILENT if end == PENDING and order_id not in heard else end
        for order_id, end in table.items()
    }


def run(store, kind, history, plan=""):
    """Return the line after all of *history* was received, then translated."""
    line = connect(store, kind, plan=plan)
    received = [line.post_recorded(case) for case in history]
    stored = received.count(Received.STORED)
    assert translate_due(store) == stored
    assert translate_due(store) == 0
    return line


def table_of(line) -> dict[str, tuple[str, str]]:
    purchases = line.purchases()
    table = {order_id: (state, reason) for order_id, state, reason in purchases}
    assert len(table) == len(purchases)
    return table


@pytest.mark.parametrize("version", WOOCOMMERCE)
def test_each_paid_web_order_of_a_recorded_day_is_one_purchase(store, version):
    line = run(store, "woocommerce", cases(f"woocommerce/{version}"), ANY_CONSENT)

    assert table_of(line) == WOOCOMMERCE[version]


@pytest.mark.parametrize("version", WOOCOMMERCE)
def test_by_default_nobody_is_sent_who_said_nothing(store, version):
    line = run(store, "woocommerce", cases(f"woocommerce/{version}"))

    assert table_of(line) == silenced(WOOCOMMERCE[version], set())


def test_each_order_of_the_other_shop_has_its_own_reason(store):
    line = run(store, "shopify", cases("shopify"), ANY_CONSENT)

    assert table_of(line) == SHOPIFY
    assert "order-4711" in line.pending()


def test_by_default_the_other_shop_sends_who_said_yes_or_was_not_to_be_asked(store):
    line = run(store, "shopify", cases("shopify"))

    assert table_of(line) == silenced(SHOPIFY, SHOPIFY_HEARD)


@pytest.mark.parametrize("end", ["orders_cancelled", "trap_deleted"])
@pytest.mark.parametrize("first", [True, False])
def test_an_end_stops_only_what_was_not_let_through_before(store, end, first):
    sale = [DELIVERIES / "shopify" / case for case in ("orders_create", "orders_paid")]
    ended = DELIVERIES / "shopify" / end
    line = run(store, "shopify", [ended, *sale] if first else [*sale, ended])

    assert line.pending() == ([] if first else ["purchase.6104532287601"])


@pytest.mark.parametrize("version", WOOCOMMERCE)
def test_every_delivery_of_a_recorded_day_ends_in_a_state_with_a_reason(store, version):
    line = run(store, "woocommerce", cases(f"woocommerce/{version}"))

    for state, reason in line.ends():
        assert (state, reason) == ("translated", "") or (state in {"ignored", "dead"} and reason)


@pytest.mark.parametrize("version", WOOCOMMERCE)
def test_a_repeated_delivery_changes_nothing(store, version):
    twice = [case for case in cases(f"woocommerce/{version}") for _ in range(2)]
    line = run(store, "woocommerce", twice, ANY_CONSENT)

    assert table_of(line) == WOOCOMMERCE[version]


def always_sent(version):
    return {f"purchase.shop.{order_id}" for order_id in SENT_IN_ANY_ORDER[version]}


@pytest.mark.parametrize("version", WOOCOMMERCE)
def test_backwards_the_same_purchases_are_sent(store, version):
    line = run(store, "woocommerce", cases(f"woocommerce/{version}")[::-1], ANY_CONSENT)

    assert set(line.pending()) == always_sent(version)


@pytest.mark.parametrize("version", WOOCOMMERCE)
@pytest.mark.parametrize("seed", SEEDS)
def test_shuffled_the_same_purchases_are_sent_once(memory, version, seed):
    history = cases(f"woocommerce/{version}") * 2
    random.Random(seed).shuffle(history)
    line = run(memory, "woocommerce", history, ANY_CONSENT)

    # The order trashed at the end is sent or not, as the one or the other came first.
    trashed = {"purchase.shop.19"} if version == "8.9.3" else set()
    assert set(line.pending()) - trashed == always_sent(version)
    assert len(line.pending()) == len(set(line.pending()))
    assert set(table_of(line)) == set(WOOCOMMERCE[version])


def turns(line, history):
    """Translate after each delivery, as a worker that has nothing else to do."""
    for case in history:
        line.post_recorded(case)
        translate_due(line.store)


@pytest.mark.parametrize("seed", SEEDS)
def test_shuffled_and_one_by_one_the_same_purchases_are_sent_once(memory, seed):
    history = cases("woocommerce/11.0.1")
    random.Random(seed).shuffle(history)
    line = connect(memory, "woocommerce", plan=ANY_CONSENT)
    turns(line, history)

    assert set(line.pending()) == always_sent("11.0.1")
    assert set(table_of(line)) == set(WOOCOMMERCE["11.0.1"])
