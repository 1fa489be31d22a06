"""A reader only looks; and what is essential works without scripts."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.shops import connect

from .steps import sign_in, toggle

pytestmark = pytest.mark.timeout(300)  # on a machine that does other work too

CHANGES = ("save", "preview", "pause", "remove", "connect", "set the mode", "replay", "add")


@pytest.fixture
def source(store):
    """Return a shop that is connected and live."""
    return connect(store, "axe", ["woocommerce"])[0]


def test_a_reader_sees_all_and_changes_nothing(machine, store, operators, source, page):
    machine.serve()
    sign_in(page, "rita")
    (route,) = store.connections.routes()

    for path in ("events", "activity", "connections", f"connections/sources/{source.id}"):
        page.goto(f"/admin/{path}")
        named = {one.inner_text().lower() for one in page.locator("main .button").all()}
        assert not [name for name in named if name.startswith(CHANGES)], path
        assert page.locator("main form[method=post] button, main [type=checkbox]").count() == 0, (
            path
        )
    token = page.locator("[name=csrf_token]").first.input_value()
    answer = page.request.post(
        f"/admin/events/{route.source_id}/{route.destination_id}/mode",
        form={"csrf_token": token, "mode": "shadow"},
    )

    assert answer.status == 403
    assert store.connections.routes() == [route]


def test_what_is_essential_works_without_scripts(machine, store, operators, source, chromium):
    machine.serve()
    page = without_scripts(chromium, machine.url)

    sign_in(page, "ada")
    toggle(page, "Purchase", on=False)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Preview")).to_be_visible()
    page.get_by_text("Change the mode").click()
    page.get_by_role("radio", name="Shadow").check()
    page.get_by_role("button", name="Set the mode").click()
    expect(page.get_by_role("status")).to_contain_text("in shadow mode")
    page.goto("/admin/activity")
    page.get_by_text("Filters").click()
    page.get_by_label("State").select_option("dead")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("main")).to_contain_text("No event fits")
    page.get_by_role("button", name="Français").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Activité")
    page.get_by_role("button", name="English").click()
    page.goto(f"/admin/connections/sources/{source.id}")
    page.get_by_text("Show the settings").click()
    page.locator("[name=shop_country]").fill("FR")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("The settings are saved.")

    (route,) = store.connections.routes()
    assert (route.toggles, route.mode) == ({"Purchase": False}, "shadow")
    assert store.connections.source(source.name).settings["shop_country"] == "FR"


def without_scripts(chromium: Browser, url: str) -> Page:
    context = chromium.new_context(base_url=url, locale="en-GB", java_script_enabled=False)
    context.set_default_timeout(60_000)
    return context.new_page()
