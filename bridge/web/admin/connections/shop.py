"""What a shop is asked for, and what it is given: access, webhooks, orders, files."""

import io
from dataclasses import replace
from typing import Any

from flask import Blueprint, abort, current_app, redirect, render_template, request, send_file
from flask import url_for as url
from flask.typing import ResponseReturnValue

from bridge import connect, registry
from bridge.connect.guardian import ShopOf
from bridge.costs import read_costs
from bridge.events import ConfigError, Finding, Shop, ShopError
from bridge.store import Source
from bridge.web.admin import current
from bridge.web.admin.browser import here
from bridge.web.admin.security import needs

from .links import source_of

DAY_US = 86_400_000_000
MAX_COSTS = 5 * 1024 * 1024
DAYS = (1, 2, 7)
_STATUS = {"active": "ok", "silent": "warn", "unavailable": "ok"}
blueprint = Blueprint("shop", __name__, url_prefix="/sources/<int:source_id>")


def shop_of(source: Source) -> Shop:
    """Return how the shop of *source* is reached; tests set ``SHOP_OF``."""
    reach: ShopOf | None = current_app.config.get("SHOP_OF")
    if reach is None:
        config = current.config()
        reach = connect.live_shops(current.store(), private=config.allow_private_shops)
    return reach(source)


def webhook_url(source: Source) -> str:
    """Return where the shop posts to."""
    return f"{current.base_url()}/webhooks/{source.webhook_key}"


def has_access(source: Source) -> bool:
    """Return whether the shop's API is open to us."""
    admin = registry.source(source.kind).admin
    return bool(admin and admin.topics(source.settings))


def can_ask(source: Source) -> bool:
    """Return whether the shop has a page on which its operator grants access."""
    admin, base = registry.source(source.kind).admin, current.base_url()
    return admin is not None and bool(
        admin.authorize_url(source.settings, state="s", callback_url=base, return_url=base)
    )


def mend(source: Source) -> bool:
    """Make the webhooks that are missing, and say how it went; return whether it went well."""
    if not is_reachable():
        current.tell("connections.no_public_url", kind="bad")
        return False
    try:
        repairs = connect.subscribe(current.store(), source, shop_of(source), webhook_url(source))
    except (ShopError, ConfigError) as error:
        current.tell("connections.shop_says", kind="bad", sentence=str(error))
        return False
    current.audit("source.subscribed", source.name, str(len(repairs)))
    current.tell("connections.mended", count=len(repairs))
    return True


def is_reachable() -> bool:
    """Return whether we know an address under which a shop can reach us."""
    return bool(current.config().public_url or current.store().accounts.public_url())


@blueprint.post("/authorise")
@needs("operator")
def authorise(source_id: int) -> ResponseReturnValue:
    """Lead to the shop's own page that grants access.

    By a link, not by a redirect: the policy lets forms go nowhere but here.
    """
    source = source_of(source_id)
    back = url("connections.sources.show", source_id=source.id)
    if not is_reachable():
        current.tell("connections.no_public_url", kind="bad")
        return redirect(back, 303)
    try:
        wanted = connect.authorise_url(
            current.store(),
            source,
            current.base_url(),
            session=here().token,
            return_url=f"{current.base_url()}{back}",
        )
    except ConfigError as error:
        current.tell("connections.shop_says", kind="bad", sentence=str(error))
        return redirect(back, 303)
    current.audit("source.asked_access", source.name)
    return render_template("admin/connections/authorise.html", source=source, url=wanted)


@blueprint.post("/repair")
@needs("operator")
def repair(source_id: int) -> ResponseReturnValue:
    """Make the webhooks that are missing, replace those that are broken."""
    source = source_of(source_id)
    if mend(source):
        _look(source)
    return _back(source)


@blueprint.post("/check")
@needs("operator")
def check(source_id: int) -> ResponseReturnValue:
    """Look at access, rights and webhooks; nothing is changed in the shop."""
    source = source_of(source_id)
    _look(source)
    current.audit("source.checked", source.name)
    current.tell("connections.checked")
    return _back(source)


@blueprint.post("/read")
@needs("operator")
def read(source_id: int) -> ResponseReturnValue:
    """Let the worker read the shop's own order list, from its next turn on."""
    source = source_of(source_id)
    days = request.form.get("days", type=int)
    if days not in DAYS or not has_access(source):
        abort(400)
    store = current.store()
    now = store.database.local_now()
    watch = store.watches.watch(source.id)
    asked = replace(watch, read_since=now - days * DAY_US, cursor=None, next_at=0)
    store.watches.set_watch(asked)
    store.overview.set_answer(f"reading.{source.id}", {"asked_at": now, "days": days})
    current.audit("source.reconcile_asked", source.name, f"{days} days")
    current.tell("connections.reading")
    return _back(source)


@blueprint.post("/costs")
@needs("operator")
def costs(source_id: int) -> ResponseReturnValue:
    """Keep the unit costs of a CSV file in place of all before."""
    source = source_of(source_id)
    file = request.files.get("file")
    content = file.read(MAX_COSTS + 1) if file else b""
    if not content or len(content) > MAX_COSTS:
        current.tell("connections.no_file", kind="bad")
        return _back(source)
    try:
        found = read_costs(current.text("connections.the_file"), content)
    except ConfigError as error:
        current.tell("connections.shop_says", kind="bad", sentence=str(error))
        return _back(source)
    current.store().subjects.set_costs(source.id, found)
    current.audit("source.costs", source.name, f"{len(found)} costs")
    current.tell("connections.costs_kept", count=len(found))
    return _back(source)


@blueprint.get("/companion")
@needs("reader")
def companion(source_id: int) -> ResponseReturnValue:
    """Return the file that is to be installed in the shop."""
    made = registry.source(source_of(source_id).kind).companion()
    if made is None:
        abort(404)
    return send_file(io.BytesIO(made[1]), as_attachment=True, download_name=made[0])


def facts(source: Source) -> dict[str, Any]:
    """Return what a page tells of the shop's side; nobody is asked for it."""
    adapter, store = registry.source(source.kind), current.store()
    collect_url = f"{current.base_url()}/collect/{source.collect_key}"
    made = adapter.companion()
    asked = store.overview.answer(f"reading.{source.id}")
    watch = store.watches.watch(source.id)
    return {
        "webhook_url": webhook_url(source),
        "instructions": adapter.instructions(webhook_url(source), current.language()),
        "script": adapter.browser_script(collect_url),
        "script_url": f"{collect_url}.js",
        "companion": made[0] if made else None,
        "has_access": has_access(source),
        "can_ask": can_ask(source),
        "watch": watch,
        "days": [(one, _days(one)) for one in DAYS],
        "reading": asked and (asked, *store.overview.read_since(source.id, asked["asked_at"])),
    }


def _days(count: int) -> str:
    return current.text("connections.one_day" if count == 1 else "connections.days", count=count)


def _look(source: Source) -> None:
    """Keep what the shop's API and its webhooks look like now."""
    store, admin = current.store(), registry.source(source.kind).admin
    if admin is None:
        abort(404)
    reached = shop_of(source)
    found = list(admin.check(reached))
    if has_access(source):
        try:
            webhooks = admin.subscriptions(reached, webhook_url(source))
        except ShopError as error:
            found.append(Finding(name="webhooks", status="fail", message=str(error)))
        else:
            found += [
                Finding(
                    name=one.topic,
                    status=_STATUS.get(one.state, "fail"),
                    message=one.detail or one.state,
                )
                for one in webhooks
            ]
    store.watches.set_watch(replace(store.watches.watch(source.id), findings=found))


def _back(source: Source) -> ResponseReturnValue:
    return redirect(url("connections.sources.show", source_id=source.id), 303)
