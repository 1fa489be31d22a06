"""What decides about one source's events at this moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache

from bridge import plan, registry
from bridge.events import DestinationAdapter, SourceAdapter
from bridge.plan import Rules
from bridge.policy import RouteView
from bridge.store import Destination, Route, Source, Store, moment


@dataclass(frozen=True, kw_only=True)
class Way:
    """A route with the destination at its end."""

    route: Route
    destination: Destination
    adapter: DestinationAdapter

    def for_policy(self, recent: Mapping[str, int]) -> RouteView:
        """Return what policy needs to know of the route; *recent* orders by channel."""
        return replace(self._quiet, recent=recent) if recent else self._quiet

    @cached_property
    def _quiet(self) -> RouteView:
        since = self.route.live_since
        return RouteView(
            toggles=self.route.toggles,
            live_since=None if since is None else moment(since),
            mode=self.route.mode,
            destination=self.destination.name,
        )


@dataclass(frozen=True, kw_only=True)
class View:
    """A source with its adapter, rules and ways; the same for a whole batch."""

    source: Source
    adapter: SourceAdapter
    rules: Rules
    plan_digest: str
    ways: Sequence[Way]
    subject_key: bytes = field(repr=False)
    now: datetime

    @property
    def shop_country(self) -> str | None:
        """Return the country that counts for an order without an address."""
        return self.source.settings.get("shop_country") or None


def view_of(store: Store, source: Source, now: datetime) -> View:
    """Return the view of *source* under the plan, routes and toggles in force."""
    text = store.history.plan() or plan.default_text()
    destinations = {one.id: one for one in store.connections.destinations()}
    ends = [
        (route, destinations[route.destination_id]) for route in store.connections.routes(source.id)
    ]
    return View(
        source=source,
        adapter=registry.source(source.kind),
        rules=_parsed(text).rules(source.name),
        plan_digest=plan.digest(text),
        ways=[
            Way(route=route, destination=end, adapter=registry.destination(end.kind))
            for route, end in ends
        ],
        subject_key=store.subject_key(),
        now=now,
    )


@lru_cache(maxsize=2)
def _parsed(text: str) -> plan.Plan:
    """Return the plan of *text*: the same one for batch after batch."""
    return plan.parse(text)
