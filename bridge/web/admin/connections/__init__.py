"""Connections: shops, datasets, and what leads from one to the other."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bridge import registry
from bridge.web.admin import current, forms
from bridge.web.admin.security import needs

from . import destinations, shop, sources
from .lamps import destination_lamp, source_lamp
from .links import connect, source_of

blueprint = Blueprint("connections", __name__, url_prefix="/admin/connections")


@blueprint.get("")
@needs("reader")
def index() -> ResponseReturnValue:
    """Show all shops and datasets with their lamps, and what leads where."""
    store = current.store()
    found = [one for one in store.connections.sources() if one.state != "removed"]
    ends = store.connections.destinations()
    routes = {(one.source_id, one.destination_id): one for one in store.connections.routes()}
    return render_template(
        "admin/connections/index.html",
        sources=[
            (one, forms.label_of(registry.source(one.kind)), source_lamp(one)) for one in found
        ],
        destinations=[
            (one, forms.label_of(registry.destination(one.kind)), destination_lamp(one))
            for one in ends
        ],
        pairs=[(source, end, routes.get((source.id, end.id))) for source in found for end in ends],
    )


@blueprint.post("/routes")
@needs("operator")
def link() -> ResponseReturnValue:
    """Let a shop lead to a dataset, in shadow mode."""
    source = source_of(request.form.get("source", type=int) or 0)
    destination = destinations.destination_of(request.form.get("destination", type=int) or 0)
    connect(source, destination)
    current.tell("connections.linked", source=source.name, destination=destination.name)
    return redirect(url_for("events.show", source_id=source.id, destination_id=destination.id), 303)


for _part in (sources, shop, destinations):
    blueprint.register_blueprint(_part.blueprint)
