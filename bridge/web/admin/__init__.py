"""The admin: pages drawn on the server, behind one guard.

A page is a module with a `blueprint`, whose views name the role they need (`security.needs`),
templates in ``templates/admin`` and texts in ``texts/<language>/<page>.json``.  It is listed
in `PAGES`; the navigation shows what is there.
"""

from typing import Final

from flask import Blueprint, Flask, current_app, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect  # type: ignore[import-untyped]  # it has none

from bridge.config import Config
from bridge.secrets import keyed_hash

from . import (
    accounts,
    activity,
    connections,
    current,
    errors,
    events,
    forms,
    home,
    security,
    settings,
    start,
    texts,
    words,
)
from .browser import Browsers

PAGES: Final = (
    accounts.blueprint,
    home.blueprint,
    start.blueprint,
    events.blueprint,
    activity.blueprint,
    connections.blueprint,
    settings.blueprint,
)
# Word of the text, endpoint; those of pages that are not there are left out.
NAVIGATION: Final = (
    ("home", "home.index"),
    ("events", "events.index"),
    ("activity", "activity.index"),
    ("connections", "connections.index"),
    ("settings", "settings.account.index"),
)
MAX_FORM: Final = 1024 * 1024


def register(app: Flask) -> None:
    """Add the admin to *app*, and its headers and errors to all that *app* answers."""
    config: Config = app.config["CONFIG"]
    key = config.secret_key.encode("utf-8", "surrogateescape")
    app.secret_key = keyed_hash(key, "admin").hex()
    app.config.update(
        WTF_CSRF_TIME_LIMIT=None,  # the token lives as long as the session
        WTF_CSRF_SSL_STRICT=False,  # it wants a referrer, and our policy sends none
        MAX_CONTENT_LENGTH=MAX_FORM,
        MAX_FORM_MEMORY_SIZE=MAX_FORM,
    )
    app.session_interface = Browsers()
    app.before_request(security.guard)
    app.after_request(security.secure)
    csrf = CSRFProtect(app)
    for name in security.OPEN:
        if found := app.blueprints.get(name):
            csrf.exempt(found)
    for page in PAGES:
        app.register_blueprint(page)
    app.register_blueprint(_root)
    errors.register(app)
    words.register(app)
    app.jinja_env.globals.update(
        t=current.text,
        word=current.word,
        when=current.when,
        ago=current.ago,
        span=current.span,
        may=current.may,
        visit=current.visit,
        language=current.language,
        languages=texts.LANGUAGES,
        navigation=navigation,
        pairs=forms.pairs,
        label_of=forms.label_of,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def navigation() -> list[tuple[str, str]]:
    """Return word and endpoint of the pages that are there."""
    return [item for item in NAVIGATION if item[1] in current_app.view_functions]


_root = Blueprint("root", __name__)


@_root.get("/")
@security.needs(security.ANYONE)
def index() -> ResponseReturnValue:
    """Lead to the admin."""
    return redirect(url_for(navigation()[0][1]), 303)
