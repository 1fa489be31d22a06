"""Forms made of an adapter's declared settings."""

from collections.abc import Mapping, Sequence

from bridge.events import DestinationAdapter, Setting, Settings, SourceAdapter

from . import current


def read_settings(
    declared: Sequence[Setting], form: Mapping[str, str], known: Settings
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the whole settings, and what is wrong with them by name.

    A secret left empty stays as *known* has it; so does what the adapter itself remembered.
    """
    values = dict(known)
    errors = {}
    for one in declared:
        if one.remembered:
            continue
        typed = _lines(form.get(one.name, "")) if one.many else form.get(one.name, "").strip()
        if typed:
            values[one.name] = typed
        elif not one.secret:
            values.pop(one.name, None)
        if one.required and not values.get(one.name):
            errors[one.name] = current.text("base.required_missing")
        elif one.choices and values.get(one.name, one.choices[0]) not in one.choices:
            errors[one.name] = current.text("base.choice_wrong")
    return values, errors


def pairs(choices: Sequence[str]) -> list[tuple[str, str]]:
    """Return choices as value and text, for a select field."""
    return [(one, current.word("choice", one)) for one in choices]


def label_of(adapter: SourceAdapter | DestinationAdapter) -> str:
    """Return what the adapter's system is called, in the reader's language."""
    return adapter.labels.get(current.language(), adapter.label)


def _lines(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())
