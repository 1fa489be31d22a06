"""The adviser: who else sends decides which parts stay, and what the plan must say."""

import pytest

from bridge import advice, plan, registry
from bridge.advice import Answer, advise
from bridge.events import OtherSender

MARKING = OtherSender(
    name="plugin",
    label={"en": "Plug-in"},
    switch={"en": "Turn it off."},
    sides=("browser", "server"),
    ids="shared",
    marks_orders=True,
)
SECRETIVE = OtherSender(
    name="app", label={"en": "App"}, switch={"en": "Off."}, sides=("browser", "server")
)
SHARING = OtherSender(name="pixel", label={"en": "Pixel"}, switch={"en": "Off."}, ids="shared")


def test_where_nobody_else_sends_the_bridge_sends_all():
    assert advise(Answer()) == advice.Advice(verdict="alone")


@pytest.mark.parametrize("sender", [MARKING, SECRETIVE, SHARING, *advice.COMMON])
def test_a_tool_that_is_off_is_as_none(sender):
    assert advise(Answer(sender=sender, dataset="off")) == advice.Advice(verdict="alone")


@pytest.mark.parametrize("sender", [MARKING, SECRETIVE, SHARING, *advice.COMMON])
def test_on_another_dataset_all_may_stay(sender):
    found = advise(Answer(sender=sender, dataset="other"))

    assert (found.verdict, found.bridge, found.turn_off, found.shares) == (
        "apart", "keep", False, False,
    )  # fmt: skip


def test_a_tool_that_marks_orders_goes_first_and_the_bridge_fills():
    found = advise(Answer(sender=MARKING, dataset="same"))

    assert (found.verdict, found.bridge, found.shares, found.turn_off) == (
        "filled", "fill", True, True,
    )  # fmt: skip


def test_a_tool_with_ids_of_its_own_must_be_turned_off_and_the_bridge_holds_until_then():
    found = advise(Answer(sender=SECRETIVE, dataset="same"))

    assert (found.verdict, found.pixel, found.server, found.bridge) == (
        "double", "off", "off", "hold",
    )  # fmt: skip
    assert found.turn_off
    assert not found.shares


def test_a_tool_whose_id_the_order_carries_is_paired_without_a_change():
    found = advise(Answer(sender=SHARING, dataset="same"))

    assert (found.verdict, found.pixel, found.purchase_id) == ("paired", "keep", "")


@pytest.mark.parametrize(
    ("chosen", "template"),
    [("formula", ""), ("order_id", "{order_id}"), ("order_number", "{order_number}")],
)
def test_a_tool_whose_id_is_chosen_is_paired_by_a_template(chosen, template):
    found = advise(Answer(sender=advice.TAGS, dataset="same", chosen_id=chosen))

    assert (found.verdict, found.purchase_id) == ("paired", template)
    plan.parse(f'[ids]\npurchase = "{found.purchase_id}"\n')


def test_a_tool_with_another_id_would_count_twice():
    assert advise(Answer(sender=advice.TAGS, dataset="same")).verdict == "double"
    assert advise(Answer(sender=advice.TAGS, dataset="same", chosen_id="x")).verdict == "double"


def test_an_id_cannot_be_chosen_for_a_tool_with_its_own():
    found = advise(Answer(sender=SECRETIVE, dataset="same", chosen_id="order_id"))

    assert found.verdict == "double"


@pytest.mark.parametrize("kind", registry.source_kinds())
def test_every_adapter_names_its_senders_in_both_languages(kind):
    found = advice.senders(registry.source(kind).other_senders)
    names = [one.name for one in found]

    assert len(set(names)) == len(names)
    for one in registry.source(kind).other_senders:
        assert {"en", "fr"} <= one.label.keys()
        assert {"en", "fr"} <= one.switch.keys()
        assert set(one.sides) <= {"browser", "server"}
        assert one.ids in {"shared", "chosen", "own"}


def test_a_purchase_has_one_id_so_the_second_template_would_count_twice():
    answers = [
        Answer(sender=advice.TAGS, dataset="same", chosen_id="order_id"),
        Answer(sender=advice.CODE, dataset="same", chosen_id="order_number"),
        Answer(sender=advice.TAGS_SERVER, dataset="same", chosen_id="order_id"),
    ]

    found = advice.advise_all(answers)

    # Of two servers the platform keeps both, whatever their ids: the third is double too.
    assert [one.verdict for one in found] == ["paired", "double", "double"]


@pytest.mark.parametrize("ids", ["chosen", "shared"])
def test_equal_ids_pair_the_pixel_but_never_a_second_server(ids):
    both = OtherSender(name="x", label={}, switch={}, sides=("browser", "server"), ids=ids)
    chosen = "formula" if ids == "chosen" else ""

    found = advise(Answer(sender=both, dataset="same", chosen_id=chosen))

    assert (found.verdict, found.pixel, found.server) == ("paired", "keep", "off")
    assert found.turn_off


def test_tools_that_are_off_or_elsewhere_change_nothing_for_the_others():
    answers = [
        Answer(sender=MARKING, dataset="other"),
        Answer(sender=SECRETIVE),
        Answer(sender=advice.CODE, dataset="same", chosen_id="order_number"),
    ]

    assert [one.verdict for one in advice.advise_all(answers)] == ["apart", "alone", "paired"]
