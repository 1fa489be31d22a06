"""A shop: adding it, its settings and secrets, how it is, pausing and removing it."""

import contextlib
from collections.abc import Mapping
from dataclasses import replace

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bridge import ledger, registry
from bridge.connect import made_secret, unsubscribe
from bridge.events import BridgeError, ConfigError, Setting, ShopError, SourceAdapter, split_secrets
from bridge.store import Source
from bridge.web.admin import current, forms
from bridge.web.admin.security import needs

from . import shop
from .lamps import source_lamp
from .links import connect_only_pair, source_of

WEEK_US = 7 * 86_400_000_000
MAX_NAME = 60
blueprint = Blueprint("sources", __name__, url_prefix="/sources")


@blueprint.get("/new")
@needs("operator")
def new() -> ResponseReturnValue:
    """Ask for the kind of shop, then for what that kind needs."""
    kind = request.args.get("kind", "")
    if kind not in registry.source_kinds():
        kinds = [(one, forms.label_of(registry.source(one))) for one in registry.source_kinds()]
        return render_template("admin/connections/source_kinds.html", kinds=kinds)
    return _form(kind)


@blueprint.post("/new/<kind>")
@needs("operator")
def add(kind: str) -> ResponseReturnValue:
    """Connect a shop; where its API is open to us, its webhooks are made at once."""
    if kind not in registry.source_kinds():
        abort(404)
    adapter = registry.source(kind)
    name = request.form.get("name", "").strip()[:MAX_NAME]
    known = {} if _by_hand(adapter) else {adapter.secret_setting: made_secret(adapter)}
    values, errors = forms.read_settings(_asked(adapter), request.form, known)
    errors |= {} if errors else _refused(adapter, values)
    if not errors:
        try:
            source = current.store().connections.add_source(kind, name, values)
        except ConfigError as error:
            errors["name"] = str(error)
    if errors:
        return _form(kind, name, values, errors), 422
    current.audit("source.added", source.name, kind)
    connect_only_pair()
    current.tell("connections.added", name=source.name)
    if shop.has_access(source):
        shop.mend(source)
    return redirect(url_for(".show", source_id=source.id), 303)


@blueprint.get("/<int:source_id>")
@needs("reader")
def show(source_id: int) -> ResponseReturnValue:
    """Show how a shop is, and all that can be done with it."""
    return _page(source_of(source_id))


@blueprint.post("/<int:source_id>/settings")
@needs("operator")
def settings(source_id: int) -> ResponseReturnValue:
    """Change what is no webhook secret."""
    source = source_of(source_id)
    adapter = registry.source(source.kind)
    values, errors = forms.read_settings(_without_secret(adapter), request.form, source.settings)
    errors |= {} if errors else _refused(adapter, values)
    if errors:
        return _page(source, values=values, errors=errors), 422
    current.store().connections.set_source(source.id, settings=values)
    current.audit("source.settings", source.name)
    current.tell("connections.settings_saved")
    return redirect(url_for(".show", source_id=source.id), 303)


@blueprint.post("/<int:source_id>/secrets")
@needs("operator")
def add_secret(source_id: int) -> ResponseReturnValue:
    """Put a new webhook secret before the old ones, which go on counting."""
    source = source_of(source_id)
    typed = split_secrets(request.form.get("secret", "").strip())
    if len(typed) != 1 or len(typed[0]) > 500:
        errors = {"secret": current.text("connections.one_secret")}
        return _page(source, errors=errors), 422
    _set_secrets(source, [typed[0], *(one for one in _secrets(source) if one != typed[0])])
    current.audit("source.secret_added", source.name)
    current.tell("connections.secret_added")
    return redirect(url_for(".show", source_id=source.id), 303)


@blueprint.post("/<int:source_id>/secrets/<int:place>/remove")
@needs("operator")
def remove_secret(source_id: int, place: int) -> ResponseReturnValue:
    """Let a webhook secret count no more; the last one stays."""
    source = source_of(source_id)
    known = _secrets(source)
    if not 0 <= place < len(known) or len(known) < 2:
        abort(404)
    _set_secrets(source, [*known[:place], *known[place + 1 :]])
    current.audit("source.secret_removed", source.name)
    current.tell("connections.secret_removed")
    return redirect(url_for(".show", source_id=source.id), 303)


@blueprint.post("/<int:source_id>/state")
@needs("operator")
def state(source_id: int) -> ResponseReturnValue:
    """Pause or go on: a paused shop's webhooks are kept, and translated later."""
    source = source_of(source_id)
    wanted = request.form.get("state", "")
    if wanted not in {"active", "paused"}:
        abort(400)
    current.store().connections.set_source(source.id, state=wanted)
    action = "source.resumed" if wanted == "active" else "source.paused"
    current.audit(action, source.name)
    current.tell(f"connections.now_{wanted}", name=source.name)
    return redirect(url_for(".show", source_id=source.id), 303)


@blueprint.post("/<int:source_id>/remove")
@needs("operator")
def remove(source_id: int) -> ResponseReturnValue:
    """Disconnect a shop for good; its webhooks are deleted where we may."""
    source = source_of(source_id)
    if request.form.get("sure") != "yes":
        current.tell("connections.not_sure", kind="warn")
        return redirect(url_for(".show", source_id=source.id), 303)
    with contextlib.suppress(ShopError, ConfigError):  # they are answered with 410 from now on
        unsubscribe(source, shop.shop_of(source), shop.webhook_url(source))
    current.store().connections.set_source(source.id, state="removed")
    current.audit("source.removed", source.name)
    current.tell("connections.removed", name=source.name)
    return redirect(url_for("connections.index"), 303)


def _refused(adapter: SourceAdapter, values: Mapping[str, str]) -> dict[str, str]:
    """Return what cannot be meant, by the setting's name."""
    try:
        adapter.refuse(values)
    except BridgeError as error:
        name, _, sentence = str(error).partition(": ")
        return {name: sentence}
    return {}


def _secrets(source: Source) -> list[str]:
    return split_secrets(source.settings.get(registry.source(source.kind).secret_setting, ""))


def _set_secrets(source: Source, known: list[str]) -> None:
    name = registry.source(source.kind).secret_setting
    current.store().connections.remember(source.id, {name: "\n".join(known)})


def _without_secret(adapter: SourceAdapter) -> list[Setting]:
    return [one for one in adapter.settings if one.name != adapter.secret_setting]


def _by_hand(adapter: SourceAdapter) -> bool:
    return not adapter.first_settings or bool(request.values.get("hand"))


def _asked(adapter: SourceAdapter) -> list[Setting]:
    """Return the settings that the form asks for: all by hand, else the few that suffice."""
    if _by_hand(adapter):
        return list(adapter.settings)
    return [
        replace(one, required=True)
        for one in adapter.settings
        if one.name in adapter.first_settings
    ]


def _form(
    kind: str,
    name: str = "",
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> str:
    adapter = registry.source(kind)
    asked = _asked(adapter)
    typed = {one.name for one in asked if not one.secret}
    return render_template(
        "admin/connections/source_new.html",
        adapter=adapter,
        name=name,
        by_hand=_by_hand(adapter),
        first=[one for one in asked if one.required],
        others=[one for one in asked if not one.required],
        values={key: value for key, value in (values or {}).items() if key in typed},
        errors=errors or {},
    )


def _page(
    source: Source,
    *,
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> str:
    store, adapter = current.store(), registry.source(source.kind)
    now = store.database.local_now()
    coverage = ledger.coverage(ledger.lines(store, source, now - WEEK_US, now))
    return render_template(
        "admin/connections/source.html",
        source=source,
        adapter=adapter,
        lamp=source_lamp(source),
        declared=_without_secret(adapter),
        values=source.settings if values is None else values,
        errors=errors or {},
        secrets=len(_secrets(source)),
        coverage=coverage,
        **shop.facts(source),
    )
