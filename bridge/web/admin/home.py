"""Home: is all well, what was sent, what was not and why."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from bridge import quality
from bridge.ledger import is_wanted
from bridge.store import Count, EventFilter, Week, moment
from bridge.store.summary import DAYS
from bridge.web.admin import current
from bridge.web.admin.security import needs

SHOWN_NAMES: Final = 10
SHOWN_REASONS: Final = 8
SHOWN_SHOPS: Final = 12
LAST_ORDERS: Final = 10
ENOUGH_ORDERS: Final = 5
MOST: Final = 0.5
SILENT_S: Final = 60
TODAY: Final = DAYS - 1
SHADOW: Final = "shadow"
# What became of events, in the order of the chart: what is sent at the foot.
STACK: Final = (
    ("sent", ("sent",)),
    ("waiting", ("pending", "sending", "waiting")),
    ("dead", ("dead", "expired")),
    ("skipped", ("skipped",)),
    ("shadow", ()),
)
KEYS: Final = (
    "email", "phone", "customer_id", "fbc", "fbp", "client_ip_address", "client_user_agent",
    "first_name", "last_name", "city", "state", "zip", "country",
)  # fmt: skip
_BAD_ALERTS: Final = {"silent", "disconnected", "shop", "silence"}
blueprint = Blueprint("home", __name__, url_prefix="/admin")


@dataclass(frozen=True, kw_only=True)
class Orders:
    """How many orders count in a period, and how many of them were sent."""

    sent: int
    eligible: int

    @property
    def percent(self) -> int | None:
        """Return the share sent, 100 only where it is all; None where none counts."""
        return self.sent * 100 // self.eligible if self.eligible else None


@dataclass(frozen=True, kw_only=True)
class Named:
    """One event name in seven days: counts a day, and in all by state."""

    name: str
    days: Sequence[int]
    states: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Return how many there were in seven days."""
        return sum(self.days)


@blueprint.get("/")
@needs("reader")
def index() -> ResponseReturnValue:
    """Show everything at a glance."""
    store = current.store()
    week = store.summary.week()
    names = by_name(week.counts)
    beat = store.history.last_beat()
    alerts = store.watches.alerts(limit=20)
    now = store.database.local_now()
    return render_template(
        "admin/home.html",
        week=week,
        today=orders(week, today=True),
        seven_days=orders(week, today=False),
        dominant=dominant(week),
        waits=_waits(week),
        totals=states(one for one in week.counts if one.reason != SHADOW),
        days=[moment(week.start) + timedelta(days=day) for day in range(DAYS)],
        stack=stacked(week.counts),
        names=names[:SHOWN_NAMES],
        other_names=len(names) - SHOWN_NAMES,
        reasons=reasons(one for one in week.counts if one.reason != SHADOW)[:SHOWN_REASONS],
        keys=coverage(week),
        last=_last_orders(),
        destinations={row["id"]: row["name"] for row in store.activity.destinations()},
        shops=_shops({(alert.kind, alert.subject) for alert in alerts}),
        lanes=_lanes(week),
        alerts=alerts,
        beat=beat,
        worker_gone=beat is None or (now - beat) / 1_000_000 > SILENT_S,
        silent_s=(now - beat) / 1_000_000 if beat else 0,
    )


def orders(week: Week, *, today: bool) -> Orders:
    """Return the orders of today, or of all seven days; those that never came count too."""
    found = [one for one in week.counts if one.purchase and (one.day == TODAY or not today)]
    missing = week.missing[0 if today else 1]
    wanted = sum(one.count for one in found if is_wanted(one.state, one.reason))
    return Orders(sent=states(found).get("sent", 0), eligible=wanted + missing)


def dominant(week: Week) -> tuple[str, int, str] | None:
    """Return the period, the share and the reason that skips most orders; None if none does."""
    for period, first in (("today", TODAY), ("week", 0)):
        found = [one for one in week.counts if one.purchase and one.day >= first]
        total = sum(one.count for one in found)
        skips = reasons(found)
        if total >= ENOUGH_ORDERS and skips and skips[0][1] > MOST * total:
            return period, skips[0][1] * 100 // total, skips[0][0]
    return None


def states(counts: Iterable[Count]) -> dict[str, int]:
    """Return how many events are in each state."""
    found: Counter[str] = Counter()
    for one in counts:
        found[one.state] += one.count
    return found


def reasons(counts: Iterable[Count]) -> list[tuple[str, int]]:
    """Return how many events were skipped for each reason, most first."""
    found: Counter[str] = Counter()
    for one in counts:
        if one.state == "skipped":
            found[one.reason] += one.count
    return found.most_common()


def by_name(counts: Iterable[Count]) -> list[Named]:
    """Return the event names of the seven days, most frequent first."""
    days: dict[str, list[int]] = {}
    ends: dict[str, Counter[str]] = {}
    for one in counts:
        days.setdefault(one.event_name, [0] * DAYS)[one.day] += one.count
        ends.setdefault(one.event_name, Counter())[one.state] += one.count
    found = [Named(name=name, days=of, states=ends[name]) for name, of in days.items()]
    return sorted(found, key=lambda one: (-one.total, one.name))


def stacked(counts: Iterable[Count]) -> list[tuple[str, list[int]]]:
    """Return the counts a day for each part of the chart, from the foot up.

    What shadow mode held back is a part of its own: mostly another destination was sent it.
    """
    part_of = {state: name for name, of in STACK for state in of}
    parts = {name: [0] * DAYS for name, _ in STACK}
    for one in counts:
        part = SHADOW if one.reason == SHADOW else part_of.get(one.state, "waiting")
        parts[part][one.day] += one.count
    return list(parts.items())


def coverage(week: Week) -> list[tuple[str, int]]:
    """Return how many of the events sampled had each match key, best first kept in its place."""
    counts = dict(week.keys)
    # A click id is sent as fbc, whichever way it was told.
    counts["fbc"] = max(counts.get("fbc", 0), counts.get("fbclid", 0))
    return [(key, counts.get(key, 0)) for key in KEYS]


def lamp(source: Mapping[str, Any], kinds: set[str]) -> str:
    """Return the lamp of a shop that has open alerts of these kinds."""
    if source["state"] == "disconnected" or kinds & _BAD_ALERTS:
        return "fail"
    if source["state"] != "active":
        return "off"
    heard = source["delivery_at"] or source["ping_at"]
    return "warn" if kinds or heard is None else "ok"


def _last_orders() -> list[list[dict[str, Any]]]:
    """Return the newest orders, each with its events at all destinations.

    What only shadow mode held back is left out where another destination says more.
    """
    found = current.store().activity.events(EventFilter(occasion="purchase"), limit=5 * LAST_ORDERS)
    by_order: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for row in found.rows:
        order = (row["source_id"], row["order_id"] or row["event_id"])
        by_order.setdefault(order, []).append(row)
    return [
        [row for row in rows if row["reason"] != "shadow"] or rows
        for rows in list(by_order.values())[:LAST_ORDERS]
    ]


def _waits(week: Week) -> dict[str, Any]:
    """Return what all destinations wait for together."""

    def first(name: str) -> int | None:
        times = [time for one in week.open if (time := getattr(one, name)) is not None]
        return min(times, default=None)

    return {
        "queued": sum(one.queued for one in week.open),
        "held": sum(one.held for one in week.open),
        **{name: first(name) for name in ("oldest", "expires_at", "decided_at")},
    }


def _shops(alerts: set[tuple[str, str]]) -> dict[str, Any]:
    """Return the shops to be shown, those in trouble first, and how many more there are."""
    found = [row for row in current.store().activity.sources() if row["state"] != "removed"]
    for row in found:
        row["lamp"] = lamp(row, {kind for kind, subject in alerts if subject == row["name"]})
    rank = ("fail", "warn", "off", "ok")
    found.sort(key=lambda row: (rank.index(row["lamp"]), row["name"]))
    return {"rows": found[:SHOWN_SHOPS], "more": max(0, len(found) - SHOWN_SHOPS)}


def _lanes(week: Week) -> list[dict[str, Any]]:
    """Return the destinations with their state and what waits for them."""
    queued = {one.destination_id: one.queued for one in week.open}
    lamps = {"parked": "fail", "paused": "off"}
    return [
        {
            **row,
            "lamp": lamps.get(row["state"], "warn" if row["failures"] else "ok"),
            "queued": queued.get(row["id"], 0),
            "told": quality.told(current.store(), row["id"]),
        }
        for row in current.store().activity.destinations()
        if row["state"] != "removed"
    ]
