"""Shopify: no body, however odd, raises anything but a TranslationError."""

import copy
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.sources.shopify import adapter
from bridge.events.testing import check_facts

from .shop import outcome, recorded, translate

CASES = (
    "orders_create",
    "orders_cancelled",
    "trap_tip_gift_card_custom_line",
    "trap_multicurrency",
    "refunds_create_partial",
    "customers_create",
    "customers_redact",
    "app_uninstalled",
)
BODIES = {case: recorded(case) for case in CASES}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=40),
    st.sampled_from(
        ["9" * 40, "-1", "1e400", "1E20", "\ud800", "\0", "x" * 1_000_000, 10**30, 10**21 - 1]
    ),
    st.lists(st.none() | st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every holder and key below *value*."""
    if isinstance(value, dict):
        pairs = list(value.items())
    else:
        pairs = list(enumerate(value)) if isinstance(value, list) else []
    found = [(value, key) for key, _ in pairs]
    return found + [place for _, below in pairs for place in places(below)]


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow],
)
@given(data=st.data(), case=st.sampled_from(CASES), topic=st.sampled_from(sorted(adapter.topics)))
def test_a_body_with_odd_values_gives_sound_facts_or_a_dead_letter(data, case, topic):
    body = copy.deepcopy(BODIES[case])
    for _ in range(data.draw(st.integers(1, 6))):
        holder, key = data.draw(st.sampled_from(places(body)))
        if isinstance(holder, dict) and data.draw(st.booleans()):
            del holder[key]
        else:
            holder[key] = data.draw(ODD)
        if not body:
            break

    facts, _ = outcome(topic, body)

    check_facts(facts)


def test_an_order_without_any_one_key_is_read_or_a_dead_letter():
    whole = recorded("orders_create")
    read = {}
    for key in whole:
        body = {name: value for name, value in whole.items() if name != key}
        facts, error = outcome("orders/create", body)
        read[key] = error.reason if error else facts[0].subject_id

    dead = dict.fromkeys(("id", "line_items"), "not_an_order")
    assert read == dict.fromkeys(whole, "6104532287601") | dead


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b"\xff", "not_utf8"),
        (b"[]", "not_object"),
        (b'{"id":1e400}', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"{}", "not_an_order"),
        (b'{"order_edit":{"order_id":1}}', "not_an_order"),
    ],
)
def test_a_body_that_is_no_order_is_a_dead_letter(body, reason):
    assert outcome("orders/create", body)[1].reason == reason


def test_what_is_told_of_an_order_has_one_subject_in_any_sequence():
    told = [("orders/create", "orders_create"), ("orders/paid", "orders_paid")]
    told += [("orders/cancelled", "orders_cancelled"), ("orders/updated", "orders_create")]

    for sequence in permutations(told):
        facts = [fact for topic, case in sequence for fact in translate(topic, recorded(case))]

        assert {(fact.occasion, fact.subject_id) for fact in facts} == {
            ("purchase", "6104532287601")
        }
