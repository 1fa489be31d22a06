"""``capi-bridge destination``: the connected datasets."""

import sys
import time
from datetime import UTC, datetime
from typing import Any

import click

from bridge import config, registry
from bridge.events import Outcome
from bridge.store import Destination
from bridge.trial import send_trial

from .shared import as_json_option, masked, open_store, print_json, print_table, read_settings


@click.group()
def destination() -> None:
    """Connect datasets and see how they are."""


@destination.command()
@click.argument("kind")
@click.option("--name", required=True, help="Your name for the dataset.")
@click.option("--dataset-id", default="", help="Its id.")
@click.option("--token", default="", help="Its access token.")
@click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help="A further setting.")
@as_json_option
def add(
    kind: str, name: str, dataset_id: str, token: str, pairs: tuple[str, ...], as_json: bool
) -> None:
    """Connect a dataset of KIND."""
    adapter = registry.destination(kind)
    given = {"dataset_id": dataset_id, "access_token": token}
    settings = read_settings(adapter.settings, given, pairs)
    store = open_store()
    added = store.connections.add_destination(kind, name, settings)
    store.history.audit("cli", "destination.added", name, kind)
    if as_json:
        print_json({"id": added.id})
    else:
        click.echo(f"destination {added.id} {name}: connect shops with `capi-bridge route set`")


@destination.command("list")
@as_json_option
def list_(as_json: bool) -> None:
    """List the connected datasets."""
    found = [_described(one) for one in open_store().connections.destinations()]
    if as_json:
        print_json(found)
        return
    columns = ("id", "name", "kind", "state", "reason")
    print_table(columns, ([one[column] for column in columns] for one in found))


@destination.command()
@click.argument("name")
@click.option("--test-event-code", default="", help="The code of the Test Events page.")
@as_json_option
def test(name: str, test_event_code: str, as_json: bool) -> None:
    """Send one custom event named BridgeTest, and print the answer."""
    environment = config.load()
    found = open_store(environment).connections.destination(name)
    now = datetime.fromtimestamp(time.time(), UTC)
    receipt = send_trial(found, environment.endpoint, now, test_event_code=test_event_code)
    accepted = receipt.outcome is Outcome.ACCEPTED
    if as_json:
        print_json(vars(receipt))
    else:
        click.echo(
            f"{receipt.outcome}: {receipt.message or receipt.reason or 'the event was taken'}"
            f" (status {receipt.status}, trace {receipt.trace_id})"
        )
    sys.exit(0 if accepted else 1)


@destination.command()
@click.argument("name")
def pause(name: str) -> None:
    """Keep events waiting; nothing is lost but what grows too old."""
    _set_state(name, "paused")


@destination.command()
@click.argument("name")
@click.option("--token", default="", help="A new access token.")
def resume(name: str, token: str) -> None:
    """Send again, after a pause or when the fault that parked it is mended."""
    _set_state(name, "active", token)


@destination.command()
@click.argument("name")
def remove(name: str) -> None:
    """Disconnect a dataset; what still waits for it is not sent."""
    _set_state(name, "removed")


def _set_state(name: str, state: str, token: str = "") -> None:
    store = open_store()
    found = store.connections.destination(name)
    settings = {**found.settings, "access_token": token} if token else None
    store.connections.set_destination(found.id, state=state, settings=settings)
    store.history.audit("cli", f"destination.{state}", found.name)


def _described(destination: Destination) -> dict[str, Any]:
    return {
        "id": destination.id,
        "name": destination.name,
        "kind": destination.kind,
        "state": destination.state,
        "reason": destination.reason,
        "settings": masked(registry.destination(destination.kind).settings, destination.settings),
    }
