"""Who else may use the admin, and as what."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bridge.events import ConfigError
from bridge.store import Operator
from bridge.web.admin import current, passwords
from bridge.web.admin.accounts import NAME
from bridge.web.admin.security import needs

blueprint = Blueprint("operators", __name__, url_prefix="/operators")


@blueprint.get("")
@needs("owner")
def index() -> ResponseReturnValue:
    """Show all operators."""
    return _page()


@blueprint.post("")
@needs("owner")
def add() -> ResponseReturnValue:
    """Add an operator and show a password for the first sign-in, this once."""
    name, role = request.form.get("name", "").strip().casefold(), _role()
    if not NAME.fullmatch(name):
        return _page(error=current.text("password.name"), name=name), 422
    password = passwords.fresh()
    try:
        current.store().accounts.add_operator(name, role, passwords.hashed(password))
    except ConfigError:
        return _page(error=current.text("operators.taken"), name=name), 422
    current.audit("operator.added", name, role)
    return _page(shown=(name, password))


@blueprint.post("/<int:operator_id>/role")
@needs("owner")
def role(operator_id: int) -> ResponseReturnValue:
    """Change what an operator may do."""
    operator = _operator(operator_id)
    try:
        current.store().accounts.set_role(operator.id, _role())
    except ConfigError:
        return _last_owner()
    current.audit("operator.role", operator.name, _role())
    current.tell("operators.role_changed", name=operator.name)
    return redirect(url_for(".index"), 303)


@blueprint.post("/<int:operator_id>/password")
@needs("owner")
def reset(operator_id: int) -> ResponseReturnValue:
    """Set a new password and show it, this once."""
    operator = _operator(operator_id)
    if operator.id == current.signed_in().operator.id:
        return redirect(url_for("settings.account.index"), 303)
    password = passwords.fresh()
    current.store().accounts.set_password(operator.id, passwords.hashed(password))
    current.audit("operator.password", operator.name)
    return _page(shown=(operator.name, password))


@blueprint.post("/<int:operator_id>/sign-out")
@needs("owner")
def sign_out(operator_id: int) -> ResponseReturnValue:
    """End all sessions of an operator; the password stays."""
    operator = _operator(operator_id)
    current.store().accounts.end_sessions(operator.id)
    current.audit("operator.signed_out", operator.name)
    current.tell("operators.signed_out", name=operator.name)
    return redirect(url_for(".index"), 303)


@blueprint.post("/<int:operator_id>/remove")
@needs("owner")
def remove(operator_id: int) -> ResponseReturnValue:
    """Remove an operator; the sessions end at once."""
    operator = _operator(operator_id)
    try:
        current.store().accounts.remove_operator(operator.id)
    except ConfigError:
        return _last_owner()
    current.audit("operator.removed", operator.name)
    current.tell("operators.removed", name=operator.name)
    return redirect(url_for(".index"), 303)


def _page(*, error: str = "", name: str = "", shown: tuple[str, str] | None = None) -> str:
    return render_template(
        "admin/settings/operators.html",
        operators=current.store().accounts.operators(),
        roles=[(one, current.text(f"operators.{one}")) for one in current.ROLES],
        mine=current.signed_in().operator,
        error=error,
        name=name,
        shown=shown,
    )


def _last_owner() -> ResponseReturnValue:
    current.tell("operators.last_owner", kind="bad")
    return redirect(url_for(".index"), 303)


def _operator(operator_id: int) -> Operator:
    found = [one for one in current.store().accounts.operators() if one.id == operator_id]
    return found[0] if found else abort(404)


def _role() -> str:
    wanted = request.form.get("role", "")
    if wanted not in current.ROLES:
        abort(400)
    return wanted
