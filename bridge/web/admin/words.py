"""Reasons, numbers and sentences with times in the reader's language, for templates."""

import json
import re
from datetime import datetime
from typing import Any

from flask import Flask
from markupsafe import Markup

from bridge.store import Alert

from . import current, texts

_LIST_OF_ONE = re.compile(r'\[\s+("[^"\n]*"|[\d.]+)\s+\]')
_CODE = re.compile(r"\d+(/\d+)?", re.ASCII)


def register(app: Flask) -> None:
    """Let templates write ``{{ row.reason|reason }}``, ``|todo``, ``|number`` and the others."""
    app.jinja_env.globals["rich"] = rich
    app.jinja_env.filters.update(
        reason=reason,
        short=short,
        todo=todo,
        told=told,
        number=number,
        day=day,
        as_text=as_text,
        with_word=with_word,
        with_reason=with_reason,
    )


def rich(key: str, **values: object) -> Markup:
    """Return a text whose values may be elements of the page, such as times."""
    return Markup(texts.texts(current.language())[key]).format(**values)  # noqa: S704  our own text


def reason(name: str) -> str:
    """Return what a reason means, with what it names; an unknown word stands for itself."""
    return _told("reason", name)


def short(name: str) -> str:
    """Return a reason in two or three words, for lists."""
    told = _told("short", name)
    return _told("reason", name) if told == name else told


def _told(kind: str, name: str) -> str:
    known = texts.texts(current.language())
    if found := known.get(f"{kind}.{name}"):
        return found
    if _CODE.fullmatch(name):
        return current.text(f"{kind}.code", code=name)
    first, _, rest = name.partition(":")
    if first.startswith("http_"):
        return current.text(f"{kind}.http", code=first.removeprefix("http_"))
    if found := known.get(f"{kind}.{first}"):
        return f"{found} ({_told(kind, rest) if _CODE.fullmatch(rest) else rest})"
    return name


def todo(name: str) -> str:
    """Return what to do about a reason; empty where there is nothing to do."""
    known = texts.texts(current.language())
    first = name.partition(":")[0]
    if _CODE.fullmatch(name):
        first = "code"
    elif name.startswith("http_"):
        first = "http"
    return known.get(f"todo.{name}") or known.get(f"todo.{first}", "")


def told(alert: Alert) -> str:
    """Return what an alert is about; its own sentence, which is English, where no text says it."""
    key = f"alert.{alert.kind}"
    if key not in texts.texts(current.language()):
        return alert.message
    return current.text(key, subject=alert.subject)


def number(value: int) -> str:
    """Return a whole number with its thousands apart."""
    apart = "\N{NARROW NO-BREAK SPACE}" if current.language() == "fr" else ","
    return f"{value:,}".replace(",", apart)


def day(value: datetime) -> str:
    """Return a day of the year as charts show it."""
    if current.language() == "fr":
        return value.strftime("%d/%m")
    return f"{value.day} {value.strftime('%b')}"


def as_text(value: Any) -> str:
    """Return JSON values as people read them, a list of one on one line."""
    return _LIST_OF_ONE.sub(r"[\1]", json.dumps(value, indent=2, ensure_ascii=False, default=str))


def with_word(name: str, kind: str) -> tuple[str, str]:
    """Return a name with its text, for a select field."""
    return name, current.word(kind, name)


def with_reason(name: str) -> tuple[str, str]:
    """Return a reason with its text, for a select field."""
    return name, short(name)
