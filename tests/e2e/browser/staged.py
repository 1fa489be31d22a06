"""A stage for a tour: a machine that lived through a busy week, and one that nobody has set up.

No worker runs, so that what the pages show stands still.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext
from werkzeug.routing import Map

from bridge import config
from bridge.sandbox import Sandbox
from bridge.secrets import Vault
from bridge.store import Store
from bridge.web import Application
from bridge.web.admin import passwords
from tests.e2e.machine import Machine
from tests.stores import SECRET_KEY

from . import busy
from .steps import PASSWORD
from .tour import SETUP_TOKEN

LOCALES = {"en": "en-GB", "fr": "fr-FR"}
OTHERS = {"oskar": "operator", "rita@agency.example": "reader"}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The busy machine with its memory and its address map, and the new one."""

    busy: Machine
    store: Store
    pages: Map
    new: Machine


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """Run both machines in *folder*."""
    busy.fill(folder / "busy.db", time.time_ns() // 1000)
    with (
        Sandbox() as graph,
        _served(folder, "busy", graph) as used,
        _served(folder, "new", graph) as new,
    ):
        store = Store(used.environment["DATABASE_URL"], Vault(SECRET_KEY))
        hashed = passwords.hashed(PASSWORD)
        store.accounts.set_up("ada", hashed, "")
        for name, role in OTHERS.items():
            store.accounts.add_operator(name, role, hashed)
        application = Application(config.load(used.environment), store)
        yield Stage(busy=used, store=store, pages=application.flask.url_map, new=new)
        store.close()


def look(browser: Browser, machine: Machine, language: str) -> BrowserContext:
    """Return a browser that speaks *language*; nothing in it fades from one colour to the next."""
    made = browser.new_context(
        base_url=machine.url, locale=LOCALES[language], reduced_motion="reduce"
    )
    made.set_default_timeout(60_000)
    return made


@contextmanager
def _served(folder: Path, name: str, graph: Sandbox) -> Iterator[Machine]:
    environment = {
        "DATABASE_URL": f"sqlite:///{folder}/{name}.db",
        "SECRET_KEY": SECRET_KEY,
        "GRAPH_URL": graph.url,
        "SETUP_TOKEN": SETUP_TOKEN,
        "WEB_CONCURRENCY": "1",
        "EMBED_WORKER": "0",
        "LOG_LEVEL": "WARNING",
    }
    machine = Machine(folder / name, environment)
    machine.serve()
    try:
        yield machine
    finally:
        machine.close()
