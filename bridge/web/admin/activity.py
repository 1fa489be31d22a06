"""Activity: events and deliveries in lists, one event's story, and the second chance."""

import time
from collections.abc import Mapping
from typing import Final

from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bridge import explain as explanations
from bridge.store import Page, Replayed
from bridge.web.admin import current, filters
from bridge.web.admin.filters import Asked, placed
from bridge.web.admin.security import needs

PAGE: Final = 50
REPLAY_S: Final = 5.0
CHUNK: Final = 200
MAX_VIEWS: Final = 20
MAX_NAME: Final = 40
VIEWS: Final = "views.events"
MAX_ID: Final = 2**63 - 1
blueprint = Blueprint("activity", __name__, url_prefix="/admin")


@blueprint.get("/activity")
@needs("reader")
def index() -> ResponseReturnValue:
    """List events."""
    asked = filters.asked_events(request.args)
    found = current.store().activity.events(asked.events(), limit=PAGE, **_where())
    newest = (found.rows[0]["created_at"], found.rows[0]["id"]) if found.rows else (0, 0)
    return render_template(
        "admin/activity.html",
        asked=asked,
        page=found,
        names=_names(asked),
        new_url=url_for(".new") + "?" + asked.query(after=placed(newest)),
        replaying=current.store().activity.replaying(),
        views=filters.EVENT_VIEWS,
        own_views=_own_views(),
        states=filters.STATES,
        **_links(".index", asked, found),
        **_ends(),
    )


@blueprint.post("/activity/views")
@needs("operator")
def keep_view() -> ResponseReturnValue:
    """Keep the filters under a name, for everybody; filters of that name before are gone.

    Without filters the name is forgotten.
    """
    asked = filters.asked_events(request.form)
    name = " ".join(request.form.get("name", "").split())[:MAX_NAME]
    known = _own_views()
    if not name or (name not in known and len(known) >= MAX_VIEWS):
        current.tell("activity.view_unkept", kind="warn", count=MAX_VIEWS)
        return redirect(url_for(".index") + "?" + asked.query(), 303)
    known.pop(name, None)
    if asked.values:
        known[name] = dict(asked.values)
    current.store().overview.set_answer(VIEWS, known)
    current.audit("activity.view", name, asked.query())
    return redirect(url_for(".index") + "?" + asked.query(), 303)


@blueprint.get("/activity/new")
@needs("reader")
def new() -> ResponseReturnValue:
    """Return how many events of the list arrived after a place."""
    after = filters.place(request.args.get("after", ""))
    if after is None:
        abort(400)
    wanted = filters.asked_events(request.args).events()
    return jsonify(count=current.store().activity.newer_events(wanted, after))


@blueprint.get("/activity/deliveries")
@needs("reader")
def deliveries() -> ResponseReturnValue:
    """List deliveries."""
    asked = filters.asked_deliveries(request.args)
    found = current.store().activity.deliveries(asked.deliveries(), limit=PAGE, **_where())
    return render_template(
        "admin/deliveries.html",
        asked=asked,
        page=found,
        views=filters.DELIVERY_VIEWS,
        **_links(".deliveries", asked, found),
        **_ends(),
    )


@blueprint.post("/activity/deliveries/<int:delivery_id>/replay")
@needs("operator")
def replay_delivery(delivery_id: int) -> ResponseReturnValue:
    """Let one dead delivery be translated again."""
    done = current.store().replays.replay_deliveries([_known(delivery_id)])
    _told(done.deliveries, f"delivery {delivery_id}", "")
    return redirect(url_for(".deliveries", state="dead"), 303)


@blueprint.get("/activity/replay")
@needs("operator")
def replay() -> ResponseReturnValue:
    """Count what a filter would replay, and ask."""
    asked = filters.asked_events(request.args)
    older = filters.place(request.args.get("older", ""))
    found = current.store().activity.replayable(asked.events(), older)
    return render_template(
        "admin/replay.html",
        asked=asked,
        found=found,
        older=placed(older),
        next=placed(found.older),
        done=_done(request.args),
        **_ends(),
    )


@blueprint.post("/activity/replay")
@needs("operator")
def replay_many() -> ResponseReturnValue:
    """Replay what a filter finds, for some seconds; what is left is asked for again."""
    store, asked = current.store(), filters.asked_events(request.form)
    older = filters.place(request.form.get("older", ""))
    found = store.activity.replayable(asked.events(), older)
    ends, done, count = time.monotonic() + REPLAY_S, 0, 0
    while count < len(found.places) and time.monotonic() < ends:
        chunk = found.places[count : count + CHUNK]
        done += store.replays.replay_events([row_id for _, row_id in chunk]).events
        count += len(chunk)
    left = found.older if count == len(found.places) else found.places[count - 1]
    _told(done, f"{done} events", asked.query(), more=left is not None)
    if left is not None:
        more = {"older": placed(left), "done": str(_done(request.form) + done)}
        return redirect(url_for(".replay") + "?" + asked.query(**more), 303)
    return redirect(url_for(".index"), 303)


@blueprint.get("/events/<int:row_id>")
@needs("reader")
def explain(row_id: int) -> ResponseReturnValue:
    """Tell one event's story."""
    found = explanations.explain(current.store(), _known(row_id))
    if found is None:
        abort(404)
    return render_template("admin/explain.html", story=found, event=found.event)


@blueprint.post("/events/<int:row_id>/replay")
@needs("operator")
def replay_one(row_id: int) -> ResponseReturnValue:
    """Let one event be decided again."""
    event = current.store().activity.event(_known(row_id))
    if event is None:
        abort(404)
    done: Replayed = current.store().replays.replay_events([row_id])
    _told(done.events, str(event["event_id"]), "")
    return redirect(url_for(".explain", row_id=row_id), 303)


def _done(values: Mapping[str, str]) -> int:
    """Return how many the parts of a replay before this one gave back."""
    text = values.get("done", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _own_views() -> dict[str, dict[str, str]]:
    """Return the filters that were kept, by name."""
    return current.store().overview.answer(VIEWS) or {}


def _known(row_id: int) -> int:
    """Return *row_id*, which no database can hold where it is too long."""
    if row_id > MAX_ID:
        abort(404)
    return row_id


def _told(count: int, subject: str, detail: str, *, more: bool = False) -> None:
    """Say how many are decided again, and note it."""
    if not count:
        current.tell("activity.replayed_none", kind="warn")
        return
    current.audit("events.replayed", subject, detail)
    current.tell("activity.replayed_more" if more else "activity.replayed", count=count)


def _where() -> dict[str, tuple[int, int] | None]:
    """Return where the page begins, as the store takes it; one direction at most."""
    older, newer = (filters.place(request.args.get(name, "")) for name in ("older", "newer"))
    return {"older": older, "newer": None if older else newer}


def _links(endpoint: str, asked: Asked, page: Page) -> dict[str, str | None]:
    """Return the addresses of the pages around, and of the first one."""
    base = url_for(endpoint) + "?"
    return {
        "newer": base + asked.query(newer=placed(page.newer)) if page.newer else None,
        "older": base + asked.query(older=placed(page.older)) if page.older else None,
        "newest": (base + asked.query()).rstrip("?"),
    }


def _ends() -> dict[str, dict[int, str]]:
    """Return the names of all shops and destinations by id."""
    activity = current.store().activity
    return {
        "sources": {row["id"]: row["name"] for row in activity.sources()},
        "destinations": {row["id"]: row["name"] for row in activity.destinations()},
    }


def _names(asked: Asked) -> dict[str, list[str]]:
    """Return the event names and reasons to choose from: those of the week, and what is asked."""
    counts = current.store().summary.week().counts
    events = {one.event_name for one in counts} | {asked.get("event")}
    reasons = {one.reason for one in counts} | {asked.get("reason")}
    return {
        "events": sorted(events - {""}),
        "reasons": [*sorted(reasons - {"", "consent", *filters.CONSENT}), *filters.CONSENT],
    }
