"""Setting up, signing in, signing out."""

import hmac
import ipaddress
import re

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bridge.config import Config
from bridge.events import ConfigError
from bridge.secrets import keyed_hash
from bridge.store import Operator, Store

from . import current, passwords
from .browser import here
from .security import ANYONE, needs
from .texts import LANGUAGES

NAME = re.compile(r"[^\s\x00-\x1f\x7f]{1,64}")
_AGENTS = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"),
    ("Mac OS", "macOS"), ("Linux", "Linux"),
)  # fmt: skip
blueprint = Blueprint("accounts", __name__)


def setup_notice(config: Config, store: Store) -> str | None:
    """Return what to tell on the console before the setup; None once it is done."""
    if store.accounts.exist():
        return None
    if config.setup_token:
        return f"open {config.base_url}/setup and type your SETUP_TOKEN"
    return f"open {config.base_url}/setup and type {store.accounts.setup_token()}"


@blueprint.get("/setup")
@needs(ANYONE)
def setup() -> ResponseReturnValue:
    """Ask for the token, a name and a password."""
    if current.store().accounts.exist():
        return redirect(url_for(".login"), 303)
    return render_template("admin/setup.html", errors={}, name="")


@blueprint.post("/setup")
@needs(ANYONE)
def set_up() -> ResponseReturnValue:
    """Make the first owner."""
    store, config = current.store(), current.config()
    if store.accounts.exist():
        return redirect(url_for(".login"), 303)
    name, password = _name(), request.form.get("password", "")
    errors = new_account_errors(name, password, request.form.get("again", ""))
    address = _address()
    attempts = _key("setup", address)  # of this address only: nobody can hold up the owner
    wait = store.accounts.attempt(attempts, _key("address", address))
    if wait:
        return _wait("admin/setup.html", wait, name=name, errors={})
    token = config.setup_token or store.accounts.setup_token()
    given = request.form.get("token", "").strip()
    if not hmac.compare_digest(given.encode("utf-8", "replace"), token.encode()):
        errors["token"] = current.text("setup.wrong_token")
    else:
        store.accounts.succeeded(attempts)
    if errors:
        return render_template("admin/setup.html", errors=errors, name=name), 422
    learnt = "" if config.public_url or not request.is_secure else f"https://{request.host}"
    try:
        owner = store.accounts.set_up(name, passwords.hashed(password), learnt)
    except ConfigError:  # somebody was first
        return redirect(url_for(".login"), 303)
    store.history.audit(owner.name, "setup.done", owner.name)
    sign_in(owner)
    return redirect(start_url(), 303)


@blueprint.get("/admin/login")
@needs(ANYONE)
def login() -> ResponseReturnValue:
    """Ask for name and password."""
    if not current.store().accounts.exist():
        return redirect(url_for(".setup"), 303)
    if current.visit():
        return redirect(start_url(), 303)
    return render_template("admin/login.html", name="", error=None)


@blueprint.post("/admin/login")
@needs(ANYONE)
def log_in() -> ResponseReturnValue:
    """Sign in; an unknown name is answered like a wrong password, and as slowly."""
    store = current.store()
    name, password = _name(), request.form.get("password", "")
    account = _account_key(name)
    wait = store.accounts.attempt(account, _key("address", _address()))
    if wait:
        return _wait("admin/login.html", wait, name=name)
    found = store.accounts.operator(name)
    if not passwords.matches(found and found[1], password) or found is None:
        store.history.audit("nobody", "login.failed", name if found else "unknown")
        error = current.text("login.wrong")
        return render_template("admin/login.html", name=name, error=error), 401
    store.accounts.succeeded(account, _key("known", name, _address()))
    store.history.audit(found[0].name, "login.done", found[0].name)
    sign_in(found[0])
    return redirect(safe_next() or start_url(), 303)


@blueprint.post("/admin/logout")
@needs("reader")
def logout() -> ResponseReturnValue:
    """End all sessions of who is signed in."""
    operator = current.signed_in().operator
    current.store().accounts.end_sessions(operator.id)
    current.audit("logout.done", operator.name)
    here().renew()
    current.tell("login.out")
    return redirect(url_for(".login"), 303)


@blueprint.post("/admin/language")
@needs(ANYONE)
def language() -> ResponseReturnValue:
    """Keep the language that was chosen, for a year."""
    answer = make_response(redirect(safe_next() or url_for(".login"), 303))
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        answer.set_cookie(
            "language", chosen, max_age=31_536_000, httponly=True, samesite="Lax",
            secure=request.is_secure,
        )  # fmt: skip
    return answer


def sign_in(operator: Operator) -> None:
    """Begin a session; the browser gets a new token, whatever it had before."""
    here().renew(current.store().accounts.open_session(operator.id, _agent()))


def confirmed(operator: Operator, password: str) -> bool:
    """Return whether it is the operator's password; counts as an attempt to sign in."""
    accounts = current.store().accounts
    account = _account_key(operator.name)
    if accounts.attempt(account, _key("address", _address())):
        return False
    found = accounts.operator(operator.name)
    if not passwords.matches(found and found[1], password):
        return False
    accounts.succeeded(account)
    return True


def new_account_errors(name: str, password: str, again: str) -> dict[str, str]:
    """Return what is wrong with a new account, by field."""
    errors = {}
    if not NAME.fullmatch(name):
        errors["name"] = current.text("password.name")
    if fault := passwords.fault(password, name):
        errors["password"] = current.text(fault)
    elif password != again:
        errors["again"] = current.text("password.again")
    return errors


def safe_next() -> str:
    """Return the page of ours to go on with; empty for none or another's."""
    wanted = request.values.get("next", "")
    return wanted if re.fullmatch(r"/(admin|setup)(?![^/?])[\w/?=&.,:%+-]*", wanted) else ""


def start_url() -> str:
    """Return the first page of the navigation."""
    from . import navigation

    return url_for(navigation()[0][1])


def _wait(template: str, wait: int, **values: object) -> ResponseReturnValue:
    seconds = wait // 1_000_000 + 1
    error = current.text("login.wait", seconds=seconds)
    answer = make_response(render_template(template, error=error, **values), 429)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _name() -> str:
    return request.form.get("name", "").strip().casefold()


def _key(*parts: str) -> bytes:
    return keyed_hash(current.store().subject_key(), "login", *parts)


def _account_key(name: str) -> bytes:
    """Return what an account's failures are counted under.

    An address that signed in before is counted apart, so that whoever guesses from elsewhere
    cannot keep the owner waiting.
    """
    address = _address()
    if current.store().accounts.knows(_key("known", name, address)):
        return _key("account", name, address)
    return _key("account", name)


def _address() -> str:
    """Return who asks; one household has many IPv6 addresses, but one /64."""
    address = request.remote_addr or ""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))


def _agent() -> str:
    """Return browser and system in two words: to tell sessions apart needs no more."""
    text = request.headers.get("User-Agent", "")
    words = [
        next((name for mark, name in table if mark in text), "") for table in (_AGENTS, _SYSTEMS)
    ]
    return ", ".join(filter(None, words))
