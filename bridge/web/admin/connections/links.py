"""Shops by their id; what leads from one to a dataset begins in shadow mode: nothing is sent."""

from flask import abort

from bridge import routes
from bridge.store import Destination, Source
from bridge.web.admin import current


def source_of(source_id: int) -> Source:
    """Return the source of that id; 404 if it is none, or removed."""
    found = [one for one in current.store().connections.sources() if one.id == source_id]
    if not found or found[0].state == "removed":
        abort(404)
    return found[0]


def connect(source: Source, destination: Destination) -> None:
    """Make the route, unless it is there."""
    store = current.store()
    known = store.connections.routes(source.id)
    if any(one.destination_id == destination.id for one in known):
        return
    fresh = routes.new_route(source.id, destination.id)
    store.connections.set_route(routes.in_mode(fresh, "shadow", store.database.local_now()))
    current.audit("route.mode", f"{source.name} > {destination.name}", "shadow")


def connect_only_pair() -> None:
    """Make the route where there is one shop and one dataset: nobody has to be asked."""
    store = current.store()
    sources = [one for one in store.connections.sources() if one.state != "removed"]
    destinations = store.connections.destinations()
    if len(sources) == len(destinations) == 1:
        connect(sources[0], destinations[0])
