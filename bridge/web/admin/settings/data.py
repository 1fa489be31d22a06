"""People's data: how long it is kept, how it is erased; events for a spreadsheet."""

from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bridge import care
from bridge.events import Redaction
from bridge.store import Erasure, EventLine, Source
from bridge.web.admin import current, spreadsheet
from bridge.web.admin.security import needs

DAYS = (1, 7, 30, 90)
blueprint = Blueprint("data", __name__, url_prefix="/data")


@blueprint.get("")
@needs("reader")
def index() -> ResponseReturnValue:
    """Show what is kept for how long, with the forms."""
    return _page()


@blueprint.post("/erase")
@needs("operator")
def erase() -> ResponseReturnValue:
    """Count what there is of a person, or have the worker erase it."""
    store, form = current.store(), {name: text.strip() for name, text in request.form.items()}
    shops = {str(one.id): one for one in store.connections.sources()}
    shop = shops.get(form.get("source", ""))
    person = Redaction(
        email=form.get("email") or None,
        phone=form.get("phone") or None,
        customer_id=form.get("customer") or None,
    )
    errors = _errors(person, shop, list(shops.values()))
    if errors:
        return _page(errors=errors, form=form), 422
    actor = current.signed_in().operator.name
    scope = shop.id if shop else None
    if form.get("do") != "erase":
        found = care.count(store, Erasure(id=0, source_id=scope, redaction=person, actor=actor))
        return _page(form=form, found=found)
    store.subjects.ask(scope, person, actor)
    current.audit("privacy.erasure_asked", shop.name if shop else "everywhere")
    current.tell("data.erasure_asked")
    return redirect(url_for(".index"), 303)


@blueprint.get("/events.csv")
@needs("reader")
def export() -> ResponseReturnValue:
    """Return events as a file, written while it is read; nothing of a person is in it."""
    store = current.store()
    days = request.args.get("days", 30, type=int)
    since = store.now() - max(1, min(days, 400)) * 86_400_000_000
    return spreadsheet.download("events", EventLine, store.records.events(since))


def _page(
    *,
    errors: dict[str, str] | None = None,
    form: dict[str, str] | None = None,
    found: int | None = None,
) -> str:
    config, store = current.config(), current.store()
    kept = {
        "raw": config.retention_raw,
        "dead": config.retention_dead,
        "payload": config.retention_payload,
        "trace": config.retention_trace,
        "ledger": care.LEDGER,
    }
    return render_template(
        "admin/settings/data.html",
        kept={name: current.span(span / timedelta(seconds=1)) for name, span in kept.items()},
        shops=[("", current.text("data.all_shops"))]
        + [(str(one.id), one.name) for one in store.connections.sources()],
        asked=len(store.subjects.asked()),
        days=DAYS,
        errors=errors or {},
        form=form or {},
        found=found,
    )


def _errors(person: Redaction, shop: Source | None, shops: list[Source]) -> dict[str, str]:
    """Return what keeps the person from being found, by field."""
    if person == Redaction():
        return {"email": current.text("data.say_who")}
    if person.customer_id and shop is None:
        return {"customer": current.text("data.customer_needs_shop")}
    for one in [shop] if shop else shops:
        if person.phone and not care.keys_for(current.store(), one, person).phone_key:
            return {"phone": current.text("data.phone_needs_country")}
    return {}
