"""One's own password and sessions."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bridge.web.admin import accounts, current, passwords
from bridge.web.admin.browser import here
from bridge.web.admin.security import needs

blueprint = Blueprint("account", __name__)


@blueprint.get("")
@needs("reader")
def index() -> ResponseReturnValue:
    """Show one's own account."""
    return _page({})


@blueprint.post("/password")
@needs("reader")
def password() -> ResponseReturnValue:
    """Change one's own password; all other sessions end."""
    operator = current.signed_in().operator
    new = request.form.get("password", "")
    errors = accounts.new_account_errors(operator.name, new, request.form.get("again", ""))
    if not errors and not accounts.confirmed(operator, request.form.get("current", "")):
        errors["current"] = current.text("account.wrong_password")
    if errors:
        return _page(errors), 422
    current.store().accounts.set_password(operator.id, passwords.hashed(new))
    current.audit("operator.password", operator.name)
    accounts.sign_in(operator)
    current.tell("account.password_changed")
    return redirect(url_for(".index"), 303)


@blueprint.post("/sessions/<int:session_id>/end")
@needs("reader")
def end_session(session_id: int) -> ResponseReturnValue:
    """End one of one's own sessions."""
    mine = current.signed_in()
    if not current.store().accounts.end_session(mine.operator.id, session_id):
        abort(404)
    current.audit("session.ended", mine.operator.name)
    if session_id == mine.id:
        here().renew()
        return redirect(url_for("accounts.login"), 303)
    current.tell("account.session_ended")
    return redirect(url_for(".index"), 303)


def _page(errors: dict[str, str]) -> str:
    mine = current.signed_in()
    return render_template(
        "admin/settings/account.html",
        errors=errors,
        sessions=current.store().accounts.sessions(mine.operator.id),
        mine=mine,
    )
