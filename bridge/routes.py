"""Changing a route: its mode, its toggles, and since when it counts."""

from collections.abc import Mapping
from dataclasses import replace

from bridge.store import Route

TEST_US = 24 * 3600 * 1_000_000


def new_route(source_id: int, destination_id: int) -> Route:
    """Return a route that was never set: it has no mode."""
    return Route(
        source_id=source_id, destination_id=destination_id, mode="", toggles={}, live_since=None
    )


def in_mode(
    route: Route, mode: str, now: int, *, test_event_code: str = "", live_since: int | None = None
) -> Route:
    """Return *route* in *mode*, from *now* on (microseconds).

    A route that begins to send counts orders made from now on, unless *live_since* says
    otherwise; one that keeps its mode, or tests for a while, goes on as before.  A test ends
    after 24 hours, and the route is in the mode that it had: nobody is to forget it.
    """
    after = route.mode_after if route.mode == "test" else route.mode
    goes_on = mode == route.mode or (mode, after) == ("live", "live")
    goes_on = goes_on or (mode == "test" and route.mode == "live")
    since = route.live_since if goes_on else now
    tests = mode == "test"
    return replace(
        route,
        mode=mode,
        live_since=since if live_since is None else live_since,
        test_event_code=test_event_code or route.test_event_code,
        test_until=now + TEST_US if tests else None,
        mode_after=(after or "shadow") if tests else "",
    )


def with_toggles(route: Route, toggles: Mapping[str, bool]) -> Route:
    """Return *route* with *toggles* laid over its own; what was is kept for going back."""
    wanted = {**route.toggles, **toggles}
    if wanted == dict(route.toggles):
        return route
    return replace(route, toggles=wanted, toggles_before=route.toggles)


def rolled_back(route: Route) -> Route:
    """Return *route* with the toggles of before; a second time takes that back."""
    if route.toggles_before is None:
        return route
    return replace(route, toggles=route.toggles_before, toggles_before=route.toggles)
