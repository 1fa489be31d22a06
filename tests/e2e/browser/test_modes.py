"""A route that first only looks, and a second chance for what was refused."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.shops import connect

from .steps import in_activity, order

pytestmark = pytest.mark.timeout(300)  # on a machine that does other work too


def test_what_a_shadow_held_is_shown_and_live_sends_the_next(machine, store, graph, signed_in):
    page, (source,) = signed_in, connect(store, "axe", ["woocommerce"])
    set_mode(page, "Shadow")
    first = order(machine, source)
    in_activity(page, first, "Skipped")
    page.goto("/admin/events")
    page.get_by_role("link", name="What would be sent").click()
    expect(page.get_by_role("cell", name=first, exact=True)).to_be_visible()
    set_mode(page, "Live")
    second = order(machine, source)
    in_activity(page, second, "Sent")

    assert [one["event_id"].rsplit(".")[-1] for one in graph.accepted()] == [second]


def test_a_dead_event_is_replayed_and_sent(machine, store, graph, signed_in):
    page, (source,) = signed_in, connect(store, "axe", ["woocommerce"])
    graph.faults.set("refuse=n:1")
    number = order(machine, source)

    in_activity(page, number, "Dead").get_by_role("link", name="Purchase").click()
    page.on("dialog", lambda dialog: dialog.accept())
    graph.faults.set("")
    page.get_by_role("button", name="Decide again").click()
    expect(page.get_by_role("status")).to_contain_text("decided again")

    in_activity(page, number, "Sent")


def set_mode(page: Page, name: str) -> None:
    page.goto("/admin/events")
    page.get_by_text("Change the mode").click()
    page.get_by_role("radio", name=name).check()
    page.get_by_role("button", name="Set the mode").click()
    page.get_by_role("status").wait_for()
