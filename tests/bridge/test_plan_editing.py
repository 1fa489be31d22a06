"""A plan is changed in place: what people wrote stays, and what is written is read again."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import plan
from bridge.events import ConfigError
from bridge.plan.editing import with_values

TEXT = """# ours
[purchase]  # orders
hold_minutes = 5   # a moment
paid_states = [
  "paid",  # really
]

[value]
tax = true
[source."my shop".value]
tax = false
"""


def test_a_value_is_set_where_it_stands_with_its_comment():
    found = with_values(TEXT, {("purchase", "hold_minutes"): 10})

    assert found == TEXT.replace("hold_minutes = 5   #", "hold_minutes = 10   #")


def test_a_list_over_many_lines_is_replaced_whole():
    found = with_values(TEXT, {("purchase", "paid_states"): ("paid", "placed")})

    assert plan.parse(found).base.purchase.paid_states == ("paid", "placed")
    assert "really" not in found
    assert found.endswith(TEXT[TEXT.index("[value]") :])


def test_a_key_is_added_below_its_header():
    found = with_values(TEXT, {("value", "shipping"): False})

    assert "[value]\nshipping = false\ntax = true\n" in found


def test_a_table_is_added_at_the_end():
    found = with_values(TEXT, {("source", "my shop", "value", "Lead", "tax"): True})

    assert found == TEXT + '\n[source."my shop".value.Lead]\ntax = true\n'
    assert plan.parse(found).rules("my shop").value_for("Lead").tax


def test_a_quoted_table_is_found():
    found = with_values(TEXT, {("source", "my shop", "value", "tax"): True})

    assert found == TEXT.replace("tax = false", "tax = true")


def test_what_is_so_already_is_not_touched():
    assert with_values(TEXT, {("value", "tax"): True}) == TEXT


def test_an_empty_plan_becomes_one_table():
    assert (
        with_values("", {("ids", "purchase"): "{order_id}"}) == '[ids]\npurchase = "{order_id}"\n'
    )


@pytest.mark.parametrize("text", ["purchase = { hold_minutes = 5 }", "purchase.hold_minutes = 5"])
def test_a_layout_that_cannot_be_changed_in_place_is_told(text):
    with pytest.raises(ConfigError):
        with_values(text, {("purchase", "hold_minutes"): 10})


def test_no_toml_is_told():
    with pytest.raises(ConfigError):
        with_values("[", {("purchase", "hold_minutes"): 10})


def test_the_built_in_plan_can_be_changed_in_place():
    changes = {
        ("value", "multiplier"): Decimal("1.5"),
        ("consent", "unknown_optin"): "send",
        ("events", "off"): (),
        ("collector", "events"): ("ViewContent",),
    }
    found = plan.parse(with_values(plan.default_text(), changes)).base

    assert (found.value.multiplier, found.consent.unknown_optin) == (Decimal("1.5"), "send")
    assert (found.events.off, found.collector.events) == ((), ("ViewContent",))


@given(st.text(max_size=20), st.text(st.characters(codec="utf-8"), max_size=20))
def test_any_source_and_any_word_are_read_again_as_written(name, word):
    found = with_values("", {("source", name, "contents", "prefix"): word})

    assert plan.parse(found).rules(name).contents.prefix == word.strip()
