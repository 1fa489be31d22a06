"""``capi-bridge route``: from which shop to which dataset, in which mode."""

import click

from bridge import routes
from bridge.events import ConfigError
from bridge.store import micros

from .shared import as_json_option, open_store, print_json, print_table, read_time, when


@click.group()
def route() -> None:
    """Connect a shop with a dataset; one toggle an event name."""


@route.command("set")
@click.argument("source")
@click.argument("destination")
@click.option("--mode", type=click.Choice(["live", "test", "shadow"]), required=True)
@click.option("--on", multiple=True, metavar="EVENT", help="Switch an event name on.")
@click.option("--off", multiple=True, metavar="EVENT", help="Switch an event name off.")
@click.option("--live-since", default="", metavar="ISO", help="Earlier orders are skipped.")
@click.option("--test-event-code", default="", help="For --mode test.")
def set_(
    source: str,
    destination: str,
    mode: str,
    on: tuple[str, ...],
    off: tuple[str, ...],
    live_since: str,
    test_event_code: str,
) -> None:
    """Set the route between SOURCE and DESTINATION.

    Orders made before --live-since are not sent; without it, a new live route counts from
    now.  A test ends after 24 hours; then the mode is the one before.
    """
    store = open_store()
    shop, dataset = store.connections.source(source), store.connections.destination(destination)
    if mode == "test" and not test_event_code:
        raise ConfigError(
            "--test-event-code: is missing; test mode sends with the code of the Test Events page"
        )
    before = next(
        (one for one in store.connections.routes(shop.id) if one.destination_id == dataset.id),
        routes.new_route(shop.id, dataset.id),
    )
    wanted = routes.in_mode(
        routes.with_toggles(before, {**dict.fromkeys(on, True), **dict.fromkeys(off, False)}),
        mode,
        store.now(),
        test_event_code=test_event_code,
        live_since=micros(read_time(live_since)) if live_since else None,
    )
    store.connections.set_route(wanted)
    store.history.audit("cli", "route.set", f"{shop.name} > {dataset.name}", mode)
    click.echo(f"{shop.name} > {dataset.name}: {mode}, orders since {when(wanted.live_since)} UTC")


@route.command("list")
@as_json_option
def list_(as_json: bool) -> None:
    """List the routes."""
    store = open_store()
    names = {one.id: one.name for one in store.connections.sources()}
    ends = {one.id: one.name for one in store.connections.destinations()}
    found = [
        {
            "source": names[one.source_id],
            "destination": ends[one.destination_id],
            "mode": one.mode,
            "live_since": when(one.live_since),
            "off": sorted(name for name, is_on in one.toggles.items() if not is_on),
        }
        for one in store.connections.routes()
    ]
    if as_json:
        print_json(found)
    else:
        columns = ("source", "destination", "mode", "live_since", "off")
        print_table(columns, ([one[column] for column in columns] for one in found))
