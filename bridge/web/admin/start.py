"""The first visit: a checklist that stays on the home page until all of it is green."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from bridge import advice, registry, translate
from bridge.advice import Advice, Answer
from bridge.events import ConfigError, OtherSender, event_id
from bridge.plan.editing import Path, Value
from bridge.store import Destination, Route, Source

from . import current, forms, plan_change
from .connections.lamps import is_proven
from .connections.links import source_of
from .events.rows import all_ends
from .security import needs

CONSENT = {"unknown_optin": ("skip", "send"), "unknown_elsewhere": ("send", "skip")}
blueprint = Blueprint("start", __name__, url_prefix="/admin/start")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: its word, ``done``, ``doing`` (begun, it waits) or ``todo``, and its page.

    `url` is empty where an earlier step comes first.
    """

    name: str
    status: str
    url: str = ""


def steps() -> list[Step]:
    """Return all steps, in order."""
    store = current.store()
    sources = [one for one in store.connections.sources() if one.state != "removed"]
    destinations = store.connections.destinations()
    source = sources[0] if sources else None
    return [
        Step(name="demo", status="done", url=url_for("start.demo")),
        _shop_step(sources),
        _dataset_step(destinations),
        _asked("senders", source),
        _asked("consent", source),
        _live_step(store.connections.routes(), source, destinations),
    ]


def open_steps() -> list[Step]:
    """Return all steps while one of them is not done, then none."""
    found = steps()
    return found if any(one.status != "done" for one in found) else []


@blueprint.record_once
def _lend(state: BlueprintSetupState) -> None:
    """Let the home page include the checklist without asking for it."""
    state.app.jinja_env.globals["checklist"] = open_steps


@blueprint.get("")
@needs("reader")
def index() -> ResponseReturnValue:
    """Show the whole checklist."""
    return render_template("admin/start/index.html", steps=steps())


@blueprint.get("/demo")
@needs("reader")
def demo() -> ResponseReturnValue:
    """Show what becomes of sample orders; nothing leaves this server."""
    played = [
        (forms.label_of(registry.source(kind)), row, json.loads(row.trace))
        for kind in registry.source_kinds()
        for row in translate.rehearse(kind, registry.destination_kinds()[0])
    ]
    return render_template("admin/start/demo.html", played=played)


@blueprint.get("/senders/<int:source_id>")
@needs("reader")
def senders(source_id: int) -> ResponseReturnValue:
    """Ask who else reports the sales of a shop."""
    source = source_of(source_id)
    kept = current.store().overview.answer(f"senders.{source.id}")
    return _senders_page(source, kept or {}, advise=kept is not None)


@blueprint.post("/senders/<int:source_id>")
@needs("operator")
def keep_senders(source_id: int) -> ResponseReturnValue:
    """Say what follows from the answers; keep them, and write what the plan must say."""
    source = source_of(source_id)
    typed = {
        one.name: [request.form.get(one.name, ""), request.form.get(f"{one.name}.id", "")]
        for one in _asked_for(source)
    }
    if request.form.get("do") != "save":
        return _senders_page(source, typed, advise=True)
    values = _plan_for(source, _advised(source, typed))
    try:
        text, _ = plan_change.changed(source, values)
    except ConfigError as error:
        return _senders_page(source, typed, advise=True, error=str(error)), 422
    plan_change.apply(text)
    current.store().overview.set_answer(f"senders.{source.id}", typed)
    current.audit("source.other_senders", source.name)
    current.tell("start.senders_kept")
    return redirect(url_for(".senders", source_id=source.id), 303)


@blueprint.get("/consent/<int:source_id>")
@needs("reader")
def consent(source_id: int) -> ResponseReturnValue:
    """Show how a buyer's choice reaches us, and what unknown means."""
    return _consent_page(source_of(source_id))


@blueprint.post("/consent/<int:source_id>")
@needs("operator")
def keep_consent(source_id: int) -> ResponseReturnValue:
    """Count what other rules would skip, or put them in force."""
    source = source_of(source_id)
    typed = {key: request.form.get(key, "") for key in CONSENT}
    if any(typed[key] not in words for key, words in CONSENT.items()):
        return _consent_page(source, error=current.text("base.choice_wrong")), 422
    rules = plan_change.rules_of(source).consent
    values: dict[Path, Value] = {
        ("consent", key): word for key, word in typed.items() if getattr(rules, key) != word
    }
    try:
        text, plan = plan_change.changed(source, values)
    except ConfigError as error:
        return _consent_page(source, error=str(error)), 422
    if request.form.get("do") != "save":
        return _consent_page(source, typed=typed, plan=plan)
    plan_change.apply(text)
    current.store().overview.set_answer(f"consent.{source.id}", typed)
    current.audit("source.consent", source.name)
    current.tell("start.consent_kept")
    return redirect(url_for(".index"), 303)


@blueprint.get("/live/<int:source_id>")
@needs("reader")
def live(source_id: int) -> ResponseReturnValue:
    """Show the ways to go live."""
    source = source_of(source_id)
    kept = current.store().overview.answer(f"senders.{source.id}") or {}
    doubled = any(one.verdict == "double" for _, one in _advised(source, kept))
    ends = [one for one in all_ends() if one.source.id == source.id]
    return render_template("admin/start/live.html", source=source, ends=ends, doubled=doubled)


def _shop_step(sources: Sequence[Source]) -> Step:
    if not sources:
        return Step(name="shop", status="todo", url=url_for("connections.sources.new"))
    heard = [one for one in sources if one.delivery_at or one.ping_at]
    shown = (heard or sources)[0]
    url = url_for("connections.sources.show", source_id=shown.id)
    return Step(name="shop", status="done" if heard else "doing", url=url)


def _dataset_step(destinations: Sequence[Destination]) -> Step:
    if not destinations:
        return Step(name="dataset", status="todo", url=url_for("connections.destinations.new"))
    proven = [one for one in destinations if is_proven(one)]
    shown = (proven or destinations)[0]
    url = url_for("connections.destinations.show", destination_id=shown.id)
    return Step(name="dataset", status="done" if proven else "doing", url=url)


def _asked(name: str, source: Source | None) -> Step:
    if source is None:
        return Step(name=name, status="todo")
    known = current.store().overview.answer(f"{name}.{source.id}")
    url = url_for(f"start.{name}", source_id=source.id)
    return Step(name=name, status="todo" if known is None else "done", url=url)


def _live_step(
    routes: Sequence[Route], source: Source | None, destinations: Sequence[Destination]
) -> Step:
    if source is None or not destinations:
        return Step(name="live", status="todo")
    modes = {one.mode for one in routes}
    status = "done" if "live" in modes else "doing" if "test" in modes else "todo"
    return Step(name="live", status=status, url=url_for("start.live", source_id=source.id))


def _asked_for(source: Source) -> tuple[OtherSender, ...]:
    return advice.senders(registry.source(source.kind).other_senders)


def _advised(
    source: Source, typed: Mapping[str, Sequence[str]]
) -> list[tuple[OtherSender, Advice]]:
    """Return the tools with what follows from what was said of each."""
    found = _asked_for(source)
    answers = []
    for one in found:
        dataset, chosen_id = typed.get(one.name, ("off", ""))
        dataset = dataset if dataset in advice.DATASETS else "off"
        answers.append(Answer(sender=one, dataset=dataset, chosen_id=chosen_id))
    return list(zip(found, advice.advise_all(answers), strict=True))


def _plan_for(source: Source, advised: Sequence[tuple[OtherSender, Advice]]) -> dict[Path, Value]:
    """Return what the plan must say, where it says otherwise now."""
    rules = plan_change.rules_of(source)
    shares = any(one.shares for _, one in advised)
    chosen = [one for sender, one in advised if one.verdict == "paired" and sender.ids == "chosen"]
    values: dict[Path, Value] = {}
    if shares != rules.purchase.other_tool_shares_dataset:
        values["purchase", "other_tool_shares_dataset"] = shares
    if chosen and chosen[0].purchase_id != rules.ids.purchase:
        values["ids", "purchase"] = chosen[0].purchase_id
    return values


def _senders_page(
    source: Source, typed: Mapping[str, Any], *, advise: bool, error: str = ""
) -> str:
    adapter = registry.source(source.kind)
    word = source.word if adapter.local_ids else None
    advised = _advised(source, typed)
    return render_template(
        "admin/start/senders.html",
        source=source,
        tools=_asked_for(source),
        typed=typed,
        advised=[pair for pair in advised if pair[1].verdict != "alone"] if advise else None,
        plan=_plan_for(source, advised) if advise else {},
        formula=event_id("purchase", current.text("start.order_id"), word),
        named=_named,
        error=error,
    )


def _named(sender: OtherSender, what: str) -> str:
    """Return the label, or the switch, of a tool in the reader's language."""
    texts: Mapping[str, str] = getattr(sender, what)
    if not texts:
        return current.text(f"start.{what}_{sender.name}")
    return texts.get(current.language(), texts["en"])


def _consent_page(
    source: Source,
    *,
    typed: Mapping[str, str] | None = None,
    plan: Any = None,
    error: str = "",
) -> str:
    store = current.store()
    rules = plan_change.rules_of(source).consent
    routes = store.connections.routes(source.id)
    found = None
    if routes:
        _, strict = plan_change.changed(source, {("consent", key): "skip" for key in CONSENT})
        found = translate.preview(store, plan or strict, routes[:1], since_go_live=False)
    findings = store.watches.watch(source.id).findings
    return render_template(
        "admin/start/consent.html",
        source=source,
        rules=rules,
        typed=typed or {key: getattr(rules, key) for key in CONSENT},
        words=CONSENT,
        found=found,
        is_changed=plan is not None,
        findings=[one for one in findings if one.name == "consent"],
        error=error,
    )
