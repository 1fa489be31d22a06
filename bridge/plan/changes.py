"""What differs between two plans, in lines that a person reads before applying one."""

from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass

from bridge.plan.kinds import nearest
from bridge.plan.rules import Plan, Rules

NOT_SET = "not set"
_TRANSPARENT = {"by_event", "names"}


def diff(old: Plan, new: Plan) -> list[str]:
    """Return a line ``section.key: old -> new`` for each rule that changes, sorted.

    A source's line stands only where its change is not the one that all have.
    """
    common = _compare(old.base, new.base)
    lines = list(common)
    for name in sorted({*old.sources, *new.sources}):
        own = _compare(old.rules(name), new.rules(name))
        lines += [f"source.{name}.{line}" for line in own if line not in common]
    return lines


def strangers(plan: Plan, sources: Collection[str], destinations: Collection[str]) -> list[str]:
    """Return a sentence for each name in *plan* that no source or destination has (yet).

    Its words count for nobody, so a misspelt name takes them away in silence.
    """
    own = {name for rules in (plan.base, *plan.sources.values()) for name in rules.destinations}
    pairs = (("source", plan.sources, sources), ("destination", own, destinations))
    return [
        f'no {kind} is called "{name}"' + (f"; {nearest(name, sorted(known))}" if known else "")
        for kind, named, known in pairs
        for name in sorted(set(named) - set(known))
    ]


def _compare(old: Rules, new: Rules) -> list[str]:
    before, after = _flat("", old), _flat("", new)
    return [
        f"{path}: {before.get(path, NOT_SET)} -> {after.get(path, NOT_SET)}"
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    ]


def _flat(path: str, value: object) -> dict[str, str]:
    if is_dataclass(value):
        parts = {part.name: getattr(value, part.name) for part in fields(value)}
    elif isinstance(value, Mapping):
        parts = dict(value)
    else:
        return {path: _shown(value)}
    flat: dict[str, str] = {}
    for name, part in parts.items():
        flat |= _flat(path if name in _TRANSPARENT else f"{path}.{name}".lstrip("."), part)
    return flat


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_shown, value)) + "]"
    return str(value)
