"""The keyboard alone: it leads to everything, and one sees where one is."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.shops import connect

pytestmark = pytest.mark.timeout(300)  # on a machine that does other work too

# Radio buttons of one name are one stop; what is folded away or not shown is none.
STOPS = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
    .filter(one => one.checkVisibility({visibilityProperty: true}) && !one.disabled)
    .filter(one => one.tabIndex >= 0 && (one.type !== "radio" || one.checked)).length"""
FOCUSED = """() => {
    const one = document.activeElement, style = getComputedStyle(one);
    const frame = one.getBoundingClientRect();
    const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    return {html: one.outerHTML.slice(0, 120), tag: one.tagName, shows: ring
        && frame.width > 0 && frame.bottom > 0 && frame.top < innerHeight};
}"""
NO_CONTROLS = {"DIV", "PRE", "MAIN"}  # what scrolls by itself is a stop too


def test_every_control_is_reached_and_shows_that_it_is(machine, store, signed_in):
    page, (source,) = signed_in, connect(store, "axe", ["woocommerce"])
    paths = ("events", "activity", "settings/operators", f"connections/sources/{source.id}")

    for path in paths:
        page.goto(f"/admin/{path}")
        page.evaluate("document.activeElement.blur()")
        expected, found = page.evaluate(STOPS), walked(page)
        assert [one["html"] for one in found if not one["shows"]] == [], path
        assert len([one for one in found if one["tag"] not in NO_CONTROLS]) == expected, path
        assert expected > 10


def test_switches_menus_and_questions_answer_to_keys(machine, store, signed_in):
    page = signed_in
    connect(store, "axe", ["woocommerce"])
    page.goto("/admin/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    page.get_by_role("navigation").get_by_role("link", name="Events").press("Enter")

    page.get_by_text("Change the mode").press("Enter")
    page.get_by_role("radio", name="Live").press("ArrowDown")
    expect(page.get_by_role("radio", name="Shadow")).to_be_checked()
    page.get_by_role("switch", name="Send Purchase").press("Space")
    page.get_by_role("button", name="Save").press("Enter")
    page.get_by_text("Saved. It counts from now on.").wait_for()
    assert store.connections.routes()[0].toggles == {"Purchase": False}

    questions = []
    page.on("dialog", lambda dialog: (questions.append(dialog.message), dialog.accept()))
    page.get_by_role("button", name="Undo the last switching").press("Enter")
    expect(page.get_by_role("switch", name="Send Purchase")).to_be_checked()
    assert len(questions) == 1


def walked(page: Page) -> list[dict[str, str]]:
    """Return each stop of the Tab key, from the first to the last of the page."""
    found: list[dict[str, str]] = []
    while len(found) < 200:
        page.keyboard.press("Tab")
        one = page.evaluate(FOCUSED)
        if one["tag"] == "BODY" or (found and one == found[0]):
            break
        found.append(one)
    return found
