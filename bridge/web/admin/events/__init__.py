"""Events: what is sent on each route, in which mode, with a look before each change."""

import re

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bridge import plan as plans
from bridge import routes, translate
from bridge.events import ConfigError
from bridge.plan.editing import Path, Value
from bridge.store import Route
from bridge.translate import Preview
from bridge.web.admin import current, plan_change
from bridge.web.admin.security import needs

from . import rule
from .rows import DAY_US, Ends, all_ends, ends_of, is_in_plan, occasions_of, rows_of

MODES = ("live", "test", "shadow")
SHOWN = 20
_CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")
blueprint = Blueprint("events", __name__, url_prefix="/admin/events")


@blueprint.get("")
@needs("reader")
def index() -> ResponseReturnValue:
    """Show the first route, or say what to connect first."""
    found = all_ends()
    if not found:
        return render_template("admin/events/none.html")
    return _page(found[0])


@blueprint.get("/<int:source_id>/<int:destination_id>")
@needs("reader")
def show(source_id: int, destination_id: int) -> ResponseReturnValue:
    """Show one route."""
    return _page(ends_of(source_id, destination_id))


@blueprint.post("/<int:source_id>/<int:destination_id>")
@needs("operator")
def change(source_id: int, destination_id: int) -> ResponseReturnValue:
    """Preview other toggles, or keep them."""
    ends = ends_of(source_id, destination_id)
    chosen = set(request.form.getlist("on"))
    wanted, values = _wanted(ends, chosen)
    try:
        text, plan = plan_change.changed(ends.source, values)
    except ConfigError as error:
        return _page(ends, chosen=chosen, error=str(error)), 422
    if request.form.get("do") != "save":
        found = translate.preview(current.store(), plan, [wanted], since_go_live=False)
        return _page(ends, chosen=chosen, preview=found)
    _keep(ends, wanted)
    plan_change.apply(text)
    current.tell("events.saved")
    return redirect(_url(ends), 303)


@blueprint.post("/<int:source_id>/<int:destination_id>/mode")
@needs("operator")
def mode(source_id: int, destination_id: int) -> ResponseReturnValue:
    """Set the mode; a test needs the code of the platform's test page."""
    ends = ends_of(source_id, destination_id)
    wanted = request.form.get("mode", "")
    code = request.form.get("test_event_code", "").strip()
    if wanted not in MODES:
        abort(400)
    if wanted == "test" and not _CODE.fullmatch(code):
        return _page(ends, code_error=current.text("events.code_missing")), 422
    now = current.store().database.local_now()
    changed = routes.in_mode(ends.route, wanted, now, test_event_code=code)
    current.store().connections.set_route(changed)
    current.audit("route.mode", _name(ends), wanted)
    current.tell(f"events.now_{wanted}", route=_name(ends))
    return redirect(_next() or _url(ends), 303)


@blueprint.post("/<int:source_id>/<int:destination_id>/back")
@needs("operator")
def back(source_id: int, destination_id: int) -> ResponseReturnValue:
    """Take the last change of toggles back."""
    ends = ends_of(source_id, destination_id)
    _keep(ends, routes.rolled_back(ends.route))
    current.tell("events.toggles_back")
    return redirect(_url(ends), 303)


@blueprint.post("/plan/back")
@needs("operator")
def plan_back() -> ResponseReturnValue:
    """Put the plan of before in force again, as a new version."""
    text = plan_change.before()
    if text is None:
        abort(404)
    plans.parse(text)
    plan_change.apply(text)
    current.tell("events.plan_back", digest=plans.digest(text))
    return redirect(url_for(".index"), 303)


@blueprint.get("/<int:source_id>/<int:destination_id>/shadow")
@needs("reader")
def shadow(source_id: int, destination_id: int) -> ResponseReturnValue:
    """Show what shadow mode held back, order by order."""
    ends = ends_of(source_id, destination_id)
    now = current.store().database.local_now()
    held = current.store().overview.shadowed(ends.source.id, ends.destination.id, now - 7 * DAY_US)
    return render_template("admin/events/shadow.html", ends=ends, held=held)


def _wanted(ends: Ends, chosen: set[str]) -> tuple[Route, dict[Path, Value]]:
    """Return the route with the toggles chosen, and what the plan must say for them.

    What the plan has off is on only after its occasions are taken from [events] off.
    """
    rules = plan_change.rules_of(ends.source)
    names = [row.name for row in rows_of(ends)]
    begun = [name for name in names if name in chosen and not is_in_plan(rules, name)]
    freed = {one for name in begun for one in occasions_of(rules, name)}
    off = tuple(one for one in rules.events.off if one not in freed)
    values: dict[Path, Value] = {} if off == rules.events.off else {("events", "off"): off}
    toggles = {
        name: name in chosen
        for name in names
        if (name in chosen) != (is_in_plan(rules, name) and ends.route.toggles.get(name, True))
    }
    return routes.with_toggles(ends.route, toggles), values


def _keep(ends: Ends, wanted: Route) -> None:
    if wanted == ends.route:
        return
    current.store().connections.set_route(wanted)
    before = ends.route.toggles
    now = {name for name, on in wanted.toggles.items() if on != before.get(name, True)}
    now |= {name for name, on in before.items() if on != wanted.toggles.get(name, True)}
    told = ", ".join(f"{name} {_on(wanted, name)}" for name in sorted(now))
    current.audit("route.toggles", _name(ends), told)


def _on(route: Route, name: str) -> str:
    return "on" if route.toggles.get(name, True) else "off"


def _name(ends: Ends) -> str:
    return f"{ends.source.name} > {ends.destination.name}"


def _url(ends: Ends) -> str:
    return url_for(".show", source_id=ends.source.id, destination_id=ends.destination.id)


def _next() -> str:
    """Return the page of the checklist, where the form stood on it."""
    return url_for("start.index") if request.form.get("next") == "start" else ""


def _page(
    ends: Ends,
    *,
    chosen: set[str] | None = None,
    preview: Preview | None = None,
    error: str = "",
    code_error: str = "",
) -> str:
    rows = rows_of(ends)
    return render_template(
        "admin/events/index.html",
        ends=ends,
        routes=all_ends(),
        rows=rows,
        chosen={row.name for row in rows if row.on} if chosen is None else chosen,
        preview=preview,
        shown=SHOWN,
        error=error,
        code_error=code_error,
        plan_before=plan_change.before(),
    )


blueprint.register_blueprint(rule.blueprint)
