"""A dataset: adding it, its token, how it is, a test on request, pausing and removing it."""

from collections.abc import Mapping
from datetime import UTC, datetime

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bridge import net, quality, registry, trial
from bridge.events import BridgeError, ConfigError, Finding, Outcome, Receipt
from bridge.store import Destination, Open
from bridge.web.admin import current, forms
from bridge.web.admin.security import needs

from .lamps import destination_lamp
from .links import connect_only_pair

MAX_NAME = 60
STATES = {"active": "resumed", "paused": "paused"}
blueprint = Blueprint("destinations", __name__, url_prefix="/destinations")


@blueprint.get("/new")
@needs("operator")
def new() -> ResponseReturnValue:
    """Ask for what the first kind of dataset needs, or the kind chosen."""
    kind = request.args.get("kind") or registry.destination_kinds()[0]
    if kind not in registry.destination_kinds():
        abort(404)
    return _form(kind)


@blueprint.post("/new/<kind>")
@needs("operator")
def add(kind: str) -> ResponseReturnValue:
    """Connect a dataset."""
    if kind not in registry.destination_kinds():
        abort(404)
    adapter = registry.destination(kind)
    name = request.form.get("name", "").strip()[:MAX_NAME]
    values, errors = forms.read_settings(adapter.settings, request.form, {})
    if not errors:
        try:
            added = current.store().connections.add_destination(kind, name, values)
        except ConfigError as error:
            errors["name"] = str(error)
    if errors:
        return _form(kind, name, values, errors), 422
    current.audit("destination.added", added.name, kind)
    connect_only_pair()
    current.tell("connections.added", name=added.name)
    return redirect(url_for(".show", destination_id=added.id), 303)


@blueprint.get("/<int:destination_id>")
@needs("reader")
def show(destination_id: int) -> ResponseReturnValue:
    """Show how a dataset is."""
    return _page(destination_of(destination_id))


@blueprint.post("/<int:destination_id>/settings")
@needs("operator")
def settings(destination_id: int) -> ResponseReturnValue:
    """Change the settings: a new token takes the old one's place at the next request."""
    found = destination_of(destination_id)
    declared = registry.destination(found.kind).settings
    values, errors = forms.read_settings(declared, request.form, found.settings)
    if errors:
        return _page(found, values=values, errors=errors), 422
    current.store().connections.set_destination(found.id, settings=values)
    quality.forget(current.store(), found.id)
    current.audit("destination.settings", found.name)
    current.tell("connections.settings_saved")
    return redirect(url_for(".show", destination_id=found.id), 303)


@blueprint.post("/<int:destination_id>/check")
@needs("operator")
def check(destination_id: int) -> ResponseReturnValue:
    """Ask whether the platform lets us in; nothing is sent."""
    found = destination_of(destination_id)
    current.audit("destination.checked", found.name)
    finding = quality.ask(current.store(), found, current.config().endpoint, _post())
    return _page(found, finding=finding)


@blueprint.post("/<int:destination_id>/test")
@needs("operator")
def test(destination_id: int) -> ResponseReturnValue:
    """Send one custom event, and show the answer in plain words."""
    found = destination_of(destination_id)
    code = request.form.get("test_event_code", "").strip()[:40]
    now = datetime.fromtimestamp(current.store().database.local_now() / 1_000_000, UTC)
    receipt, fault = None, ""
    try:
        receipt = trial.send_trial(
            found, current.config().endpoint, now, test_event_code=code, post=_post()
        )
    except BridgeError as error:
        fault = str(error)
    accepted = receipt is not None and receipt.outcome is Outcome.ACCEPTED
    current.store().overview.set_answer(f"tested.{found.id}", {"accepted": accepted})
    current.audit("destination.tested", found.name, str(receipt.outcome) if receipt else "unsent")
    return _page(destination_of(destination_id), receipt=receipt, fault=fault)


@blueprint.post("/<int:destination_id>/state")
@needs("operator")
def state(destination_id: int) -> ResponseReturnValue:
    """Pause or go on: events of a paused dataset wait, and grow too old after seven days."""
    found = destination_of(destination_id)
    wanted = request.form.get("state", "")
    if wanted not in STATES:
        abort(400)
    current.store().connections.set_destination(found.id, state=wanted)
    current.audit(f"destination.{STATES[wanted]}", found.name)
    current.tell(f"connections.now_{wanted}", name=found.name)
    return redirect(url_for(".show", destination_id=found.id), 303)


@blueprint.post("/<int:destination_id>/remove")
@needs("operator")
def remove(destination_id: int) -> ResponseReturnValue:
    """Disconnect a dataset for good; what still waits for it is not sent."""
    found = destination_of(destination_id)
    if request.form.get("sure") != "yes":
        current.tell("connections.not_sure", kind="warn")
        return redirect(url_for(".show", destination_id=found.id), 303)
    current.store().connections.set_destination(found.id, state="removed")
    current.audit("destination.removed", found.name)
    current.tell("connections.removed", name=found.name)
    return redirect(url_for("connections.index"), 303)


def destination_of(destination_id: int) -> Destination:
    """Return the destination of that id; 404 if it is none, or removed."""
    found = [one for one in current.store().connections.destinations() if one.id == destination_id]
    if not found:
        abort(404)
    return found[0]


def _post() -> trial.Post:
    """Return how requests are sent; tests set ``POST``."""
    found: trial.Post = current_app.config.get("POST", net.send)
    return found


def _form(
    kind: str,
    name: str = "",
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> str:
    adapter = registry.destination(kind)
    typed = {one.name for one in adapter.settings if not one.secret}
    return render_template(
        "admin/connections/destination_new.html",
        adapter=adapter,
        name=name,
        values={key: value for key, value in (values or {}).items() if key in typed},
        errors=errors or {},
        needed=[one for one in adapter.settings if one.required],
        others=[one for one in adapter.settings if not one.required],
    )


def _waits(destination_id: int) -> Open | None:
    """Return what is to be sent to a destination, as it was counted last; None for nothing."""
    found = current.store().summary.week().open
    return next((one for one in found if one.destination_id == destination_id and one.queued), None)


def _page(
    found: Destination,
    *,
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    finding: Finding | None = None,
    receipt: Receipt | None = None,
    fault: str = "",
) -> str:
    return render_template(
        "admin/connections/destination.html",
        destination=found,
        adapter=registry.destination(found.kind),
        lamp=destination_lamp(found),
        told=quality.told(current.store(), found.id),
        waits=_waits(found.id),
        answers=current.store().overview.answers(found.id),
        values=found.settings if values is None else values,
        errors=errors or {},
        finding=finding,
        receipt=receipt,
        fault=fault,
    )
