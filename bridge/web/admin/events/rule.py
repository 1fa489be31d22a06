"""One event's rules: when it counts, who tells it, what it is worth, which ids it carries."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bridge import translate
from bridge.events import ConfigError
from bridge.plan import Rules
from bridge.plan.editing import Path, Value
from bridge.plan.rules import SALE_STATES
from bridge.web.admin import current, plan_change
from bridge.web.admin.security import needs

from .rows import Ends, ends_of, is_purchase, may_change_owner, owner_of

SHOWN = 20
CHOICES: Mapping[str, tuple[str, ...]] = {
    "basis": ("total", "margin"),
    "money": ("presentment", "shop"),
    "cash_on_delivery": ("placed", "paid"),
    "zero_value": ("skip", "send"),
    "content_type": ("product", "product_group"),
    "owner": ("webhook", "browser"),
}
PARTS = ("tax", "shipping", "discounts", "fees")
NUMBERS = ("margin_percent", "multiplier", "minimum", "predicted_ltv")
CONTENTS = ("id", "prefix", "suffix", "content_type")
blueprint = Blueprint("rule", __name__)
_ROUTE = "/<int:source_id>/<int:destination_id>/event/<event_name>"


class _FormError(Exception):
    """A field that cannot be read."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@blueprint.get(_ROUTE)
@needs("reader")
def show(source_id: int, destination_id: int, event_name: str) -> ResponseReturnValue:
    """Show the rules of an event, worked out on the last real one."""
    ends = ends_of(source_id, destination_id)
    return _page(ends, event_name, plan_change.rules_of(ends.source))


@blueprint.post(_ROUTE)
@needs("operator")
def change(source_id: int, destination_id: int, event_name: str) -> ResponseReturnValue:
    """Preview other rules, or put them in force."""
    ends = ends_of(source_id, destination_id)
    rules = plan_change.rules_of(ends.source)
    try:
        values = _values(request.form, rules, event_name)
        text, plan = plan_change.changed(ends.source, values)
    except _FormError as error:
        errors = {error.field: current.text("events.not_a_number")}
        return _page(ends, event_name, rules, errors=errors), 422
    except ConfigError as error:
        return _page(ends, event_name, rules, errors={"": str(error)}), 422
    wanted = plan.rules(ends.source.name)
    if request.form.get("do") != "save":
        found = translate.preview(current.store(), plan, [ends.route], since_go_live=False)
        return _page(ends, event_name, wanted, preview=found)
    if plan_change.apply(text):
        current.tell("events.rule_saved", name=event_name)
    else:
        current.tell("events.rule_same", kind="warn")
    return redirect(
        url_for("events.show", source_id=ends.source.id, destination_id=ends.destination.id), 303
    )


def _values(form: Mapping[str, str], rules: Rules, name: str) -> dict[Path, Value]:
    """Return what the form changes, by its place in the plan."""
    lists: Callable[[str], list[str]] = request.form.getlist
    found: dict[Path, Value] = {}
    own = rules.value_for(name)
    for key in PARTS:
        _add(found, own, ("value", name, key), key in lists("parts"))
    for key in ("basis", "money"):
        _add(found, own, ("value", name, key), form.get(key, ""))
    for key in NUMBERS:
        _add(found, own, ("value", name, key), _number(form, key))
    for key in CONTENTS:
        _add(found, rules.contents, ("contents", key), form.get(f"contents_{key}", "").strip())
    if is_purchase(rules, name):
        states = tuple(str(one) for one in SALE_STATES if one in lists("paid_states"))
        _add(found, rules.purchase, ("purchase", "paid_states"), states)
        for key in ("cash_on_delivery", "zero_value"):
            _add(found, rules.purchase, ("purchase", key), form.get(key, ""))
        _add(found, rules.purchase, ("purchase", "hold_minutes"), _whole(form, "hold_minutes"))
    if may_change_owner(rules, name) and form.get("owner") != owner_of(rules, name):
        others = tuple(one for one in rules.collector.events if one != name)
        owned = (*others, name) if form.get("owner") == "browser" else others
        found["collector", "events"] = owned
    return found


def _add(found: dict[Path, Value], known: Any, path: Path, value: Value) -> None:
    before = getattr(known, path[-1])
    same = set(before) == set(value) if isinstance(value, tuple) else before == value
    if not same:
        found[path] = value


def _number(form: Mapping[str, str], key: str) -> Decimal:
    try:
        found = Decimal(form.get(key, "").strip().replace(",", "."))
    except InvalidOperation:
        raise _FormError(key) from None
    if not found.is_finite() or abs(found.adjusted()) > 12:
        raise _FormError(key)
    return found


def _whole(form: Mapping[str, str], key: str) -> int:
    found = _number(form, key)
    if found != found.to_integral():
        raise _FormError(key)
    return int(found)


def _pairs(key: str) -> list[tuple[str, str]]:
    return [(one, current.text(f"events.{key}_{one}")) for one in CHOICES[key]]


def _page(
    ends: Ends,
    name: str,
    rules: Rules,
    *,
    preview: translate.Preview | None = None,
    errors: Mapping[str, str] | None = None,
) -> str:
    if name not in rules.event_names():
        abort(404)
    return render_template(
        "admin/events/rule.html",
        ends=ends,
        name=name,
        rules=rules,
        value=rules.value_for(name),
        example=translate.examples(current.store(), ends.source, rules).get(name),
        owner=owner_of(rules, name) if may_change_owner(rules, name) else None,
        is_purchase=is_purchase(rules, name),
        states=[str(one) for one in SALE_STATES],
        pairs_of=_pairs,
        parts=PARTS,
        numbers=NUMBERS,
        preview=preview,
        shown=SHOWN,
        errors=errors or {},
    )
