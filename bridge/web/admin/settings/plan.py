"""The tagging plan as text: checked by line, compared, previewed, applied."""

import re
from dataclasses import dataclass, field

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bridge import plan as plans
from bridge import translate
from bridge.events import ConfigError
from bridge.web.admin import current
from bridge.web.admin.security import needs

SHOWN = 20
_AT_LINE = re.compile(r"line (\d+)")
_WHERE = re.compile(r"^plan(?:, line \d+)?: ")
blueprint = Blueprint("plan", __name__, url_prefix="/plan")


@dataclass(kw_only=True)
class Fault:
    """One mistake: the line's number and text where it is known."""

    message: str
    number: int | None = None
    line: str = ""


@dataclass(kw_only=True)
class Review:
    """What is to be said of a text: its mistakes, or what it would change."""

    text: str
    base: str
    faults: list[Fault] = field(default_factory=list)
    changes: list[str] | None = None
    preview: translate.Preview | None = None
    is_outdated: bool = False


@blueprint.get("")
@needs("reader")
def index() -> ResponseReturnValue:
    """Show the plan in force."""
    text = _in_force()
    return _page(Review(text=text, base=plans.digest(text)))


@blueprint.post("")
@needs("operator")
def change() -> ResponseReturnValue:
    """Check the text, preview it, or put it in force."""
    text = request.form.get("text", "").replace("\r\n", "\n")
    review = Review(text=text, base=request.form.get("base", ""))
    try:
        plan = plans.parse(text)
    except ConfigError as error:
        review.faults = faults(text, str(error))
        return _page(review), 422
    before = _in_force()
    review.changes = plans.diff(plans.parse(before), plan)
    do = request.form.get("do")
    if do == "preview":
        review.preview = translate.preview(current.store(), plan)
    if do != "apply":
        return _page(review)
    if plans.digest(before) != review.base:  # somebody else applied one meanwhile
        review.is_outdated = True
        review.base = plans.digest(before)
        return _page(review), 409
    digest = plans.digest(text)
    current.store().history.apply_plan(text, digest)
    current.audit("plan.applied", digest)
    current.tell("plan.applied", digest=digest)
    return redirect(url_for(".index"), 303)


def faults(text: str, message: str) -> list[Fault]:
    """Return the mistakes that a ConfigError names, each with its line."""
    lines = text.splitlines()
    found = []
    for sentence in message.splitlines():
        at = _AT_LINE.search(sentence)
        number = int(at[1]) if at else None
        line = lines[number - 1].strip()[:120] if number and number <= len(lines) else ""
        found.append(Fault(message=_WHERE.sub("", sentence), number=number, line=line))
    return found


def _in_force() -> str:
    return current.store().history.plan() or plans.default_text()


def _page(review: Review) -> str:
    return render_template(
        "admin/settings/plan.html",
        review=review,
        is_default=current.store().history.plan() is None,
        digest=plans.digest(_in_force()),
        shown=SHOWN,
    )
