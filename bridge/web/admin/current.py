"""What belongs to the request under way: store, configuration, who is there, the language."""

import secrets
from datetime import UTC, datetime
from typing import Final

from flask import current_app, flash, g, request
from markupsafe import Markup

from bridge.config import Config
from bridge.store import Session, Store, moment

from . import texts

ROLES: Final = ("reader", "operator", "owner")  # each may what those before it may


def store() -> Store:
    """Return the memory."""
    found: Store = current_app.config["STORE"]
    return found


def config() -> Config:
    """Return the environment."""
    found: Config = current_app.config["CONFIG"]
    return found


def base_url() -> str:
    """Return the address that shops are told: PUBLIC_URL, else where the setup took place."""
    return config().public_url or store().accounts.public_url() or config().base_url


def visit() -> Session | None:
    """Return who is signed in; None for anybody else."""
    found: Session | None = g.get("visit")
    return found


def signed_in() -> Session:
    """Return who is signed in, in a view that needs a role."""
    found = visit()
    assert found is not None  # noqa: S101  the guard let nobody else in
    return found


def may(role: str) -> bool:
    """Return whether who is there may do what needs *role*."""
    found = visit()
    return found is not None and ROLES.index(found.operator.role) >= ROLES.index(role)


def audit(action: str, subject: str, detail: str = "") -> None:
    """Note a change by who is signed in; no secret, no personal data."""
    store().history.audit(signed_in().operator.name, action, subject, detail)


def request_id() -> str:
    """Return the name of this request in answers and logs."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(6)
    return str(g.request_id)


def language() -> str:
    """Return the language chosen, else the one that the browser asks for."""
    chosen = request.cookies.get("language", "")
    if chosen in texts.LANGUAGES:
        return chosen
    return request.accept_languages.best_match(texts.LANGUAGES) or texts.DEFAULT


def text(key: str, **values: object) -> str:
    """Return a text in the reader's language: the templates' ``t``."""
    return texts.text(language(), key, **values)


def word(kind: str, name: str) -> str:
    """Return the text ``kind.name``, or *name* itself."""
    return texts.word(language(), kind, name)


def tell(key: str, *, kind: str = "good", **values: object) -> None:
    """Say something on the next page; *kind* is ``good``, ``warn`` or ``bad``."""
    flash(text(key, **values), kind)


def when(micros: int | None) -> Markup:
    """Return a time in microseconds as UTC, to the minute; a dash for None."""
    if micros is None:
        return Markup("&ndash;")
    time = moment(micros)
    return Markup('<time datetime="{}">{}&nbsp;UTC</time>').format(
        time.isoformat(timespec="seconds"), time.strftime("%Y-%m-%d %H:%M")
    )


def ago(micros: int | None) -> Markup:
    """Return a time in microseconds as a span from now, past or to come; a dash for None."""
    if micros is None:
        return Markup("&ndash;")
    seconds = (store().database.local_now() - micros) / 1_000_000
    key = "time.ago" if seconds >= 0 else "time.in"
    time = datetime.fromtimestamp(micros / 1_000_000, UTC)
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        time.isoformat(timespec="seconds"),
        time.strftime("%Y-%m-%d %H:%M:%S"),
        text(key, span=span(abs(seconds))),
    )


def span(seconds: float) -> str:
    """Return a length of time in its largest unit."""
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= size:
            return text(f"time.{unit}", count=int(seconds // size))
    return text("time.seconds", count=int(seconds))
