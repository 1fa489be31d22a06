"""A browser in front of a machine that the sandbox stands beside."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from bridge.web.admin import passwords
from tests.e2e.machine import Machine

from .steps import PASSWORD, sign_in

PATIENCE_MS = 60_000  # of a machine that does other work too
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def store_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Return a fresh database: what pages show does not depend on the engine."""
    path = tmp_path / "bridge.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def chromium(tool) -> Iterator[Browser]:
    path = tool(*CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser, machine: Machine) -> BrowserContext:
    made = chromium.new_context(base_url=machine.url, locale="en-GB")
    made.set_default_timeout(PATIENCE_MS)
    return made


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def operators(store) -> None:
    """Make an owner and a reader, both with the same password."""
    store.accounts.set_up("ada", passwords.hashed(PASSWORD), "")
    store.accounts.add_operator("rita", "reader", passwords.hashed(PASSWORD))


@pytest.fixture
def signed_in(machine: Machine, operators, page: Page) -> Page:
    """Return a page of the owner's, with the server running."""
    machine.serve()
    sign_in(page, "ada")
    return page
