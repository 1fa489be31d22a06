"""Every page of the admin: axe finds nothing wrong, and nothing stands out of a phone.

Each page is opened once in a language, and looked at in several windows.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from .staged import LOCALES, Stage, look, staged
from .steps import sign_in_as
from .tour import Stop, stops, stops_of_nobody, stops_of_nothing, stops_of_reader

ALL = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# What width or colours can break, and what colours can.
SEEN = ("color-contrast", "target-size", "scrollable-region-focusable", "link-in-text-block")
COLOURS = SEEN[:1]
# Each page is seen in each language, width and scheme; all rules once a language.
WINDOWS = {
    "en": (
        (1280, "light", ALL),
        (1280, "dark", COLOURS),
        (390, "light", SEEN),
        (390, "dark", COLOURS),
    ),
    "fr": (
        (1280, "light", SEEN),
        (1280, "dark", COLOURS),
        (390, "light", ALL),
        (390, "dark", COLOURS),
    ),
}
# Of a long table the first rows stand for all.
AXE = """([type, values]) => axe.run(
    {exclude: ["tbody > tr:nth-child(n + 7)"]},
    {runOnly: {type, values}, preload: false, resultTypes: ["violations"]},
).then(found => found.violations.flatMap(one => one.nodes.map(
    node => `${one.id}: ${node.html.slice(0, 160)}\\n    ${node.failureSummary}`)))"""
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.mark.timeout(1800)  # of one browser for all pages, on a machine that does other work too
def test_no_page_is_at_fault_for_axe_or_wider_than_a_phone(tmp_path: Path, chromium: Browser):
    with staged(tmp_path) as stage:
        faults = [fault for way in (used, new) for fault in way(stage, chromium)]

    assert not faults, "\n".join(faults)


def used(stage: Stage, chromium: Browser) -> Iterator[str]:
    """Yield what is wrong with the pages of the busy installation, in each language."""
    for language in LOCALES:
        page = look(chromium, stage.busy, language).new_page()
        yield from walked(page, stops_of_nobody(), language)
        sign_in_as(page, "ada")
        yield from walked(page, stops(stage.pages, stage.store), language)
        page.context.clear_cookies()
        sign_in_as(page, "rita@agency.example")
        yield from walked(page, stops_of_reader(stage.store), language)
        page.context.close()


def new(stage: Stage, chromium: Browser) -> Iterator[str]:
    """Yield what is wrong with the setup, and with the pages of which nothing is to tell yet."""
    way = stops_of_nothing()
    first = {"setup": way["setup"]}
    yield from walked(look(chromium, stage.new, "fr").new_page(), first, "fr")
    yield from walked(look(chromium, stage.new, "en").new_page(), way, "en")
    page = look(chromium, stage.new, "fr").new_page()
    sign_in_as(page, "ada")
    rest = {name: go for name, go in way.items() if name.startswith("empty.")}
    yield from walked(page, {**rest, "empty.home": lambda page: page.goto("/admin/")}, "fr")


def walked(page: Page, way: Mapping[str, Stop], language: str) -> Iterator[str]:
    """Yield what is wrong with each page on the way."""
    for name, go in way.items():
        page.set_viewport_size({"width": 1280, "height": 900})
        go(page)
        page.evaluate(AXE_SCRIPT)
        for width, scheme, rules in WINDOWS[language]:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            where = f"{name}, {language}, {width}, {scheme}"
            if page.evaluate(WIDER):
                yield f"{where}: wider than the window"
            asked = ["tag" if rules is ALL else "rule", rules]
            yield from (f"{where}: {one}" for one in page.evaluate(AXE, asked))
