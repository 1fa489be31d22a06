"""The plan changed from a page: the text in force, with some values set anew."""

from collections.abc import Mapping

from bridge import plan as plans
from bridge.plan import Plan, Rules
from bridge.plan.editing import Path, Value, with_values
from bridge.store import Source

from . import current

Values = Mapping[Path, Value]


def in_force() -> str:
    """Return the text of the plan in force."""
    return current.store().history.plan() or plans.default_text()


def rules_of(source: Source) -> Rules:
    """Return the rules that count for *source* now."""
    return plans.parse(in_force()).rules(source.name)


def changed(source: Source, values: Values) -> tuple[str, Plan]:
    """Return the plan with *values* for *source*, as text and parsed; raises ConfigError.

    They are written for all shops where there is only one, else for this shop alone.
    """
    text = in_force()
    known = plans.parse(text)
    others = [
        one
        for one in current.store().connections.sources()
        if one.state != "removed" and one.id != source.id
    ]
    place: Path = ("source", source.name) if others or source.name in known.sources else ()
    text = with_values(text, {(*place, *path): value for path, value in values.items()})
    return text, plans.parse(text)


def apply(text: str) -> bool:
    """Put a checked *text* in force; return whether it differs from what was."""
    if text == in_force():
        return False
    digest = plans.digest(text)
    current.store().history.apply_plan(text, digest)
    current.audit("plan.applied", digest)
    return True


def before() -> str | None:
    """Return the text that was in force before; None if the plan was never changed."""
    found = current.store().overview.plans(2)
    if not found:
        return None
    return found[1].text if len(found) > 1 else plans.default_text()
