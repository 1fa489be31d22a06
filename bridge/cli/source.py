"""``capi-bridge source``: the connected shops."""

from pathlib import Path
from typing import Any

import click

from bridge import config, connect, registry
from bridge.costs import read_costs
from bridge.events import ConfigError, Settings
from bridge.store import Source

from .shared import as_json_option, masked, open_store, print_json, print_table, read_settings, when


@click.group()
def source() -> None:
    """Connect shops and see how they are."""


@source.command()
@click.argument("kind")
@click.option("--name", required=True, help="Your name for the shop.")
@click.option("--secret", multiple=True, help="Webhook secret; give it again for an older one.")
@click.option("--word", default="", help="Permanent word in event ids (default: random).")
@click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help="A further setting.")
@as_json_option
def add(
    kind: str, name: str, secret: tuple[str, ...], word: str, pairs: tuple[str, ...], as_json: bool
) -> None:
    """Connect a shop of KIND and print where its webhooks go."""
    adapter = registry.source(kind)
    given = {adapter.secret_setting: "\n".join(secret)}
    settings = read_settings(adapter.settings, given, pairs)
    environment = config.load()
    store = open_store(environment)
    added = store.connections.add_source(kind, name, settings, word)
    store.history.audit("cli", "source.added", name, kind)
    urls = urls_of(added, environment.base_url)
    if as_json:
        print_json(urls)
    else:
        click.echo(adapter.instructions(urls["webhook_url"]))


def urls_of(source: Source, base_url: str) -> dict[str, Any]:
    """Return a source's id with the addresses that belong to it."""
    return {
        "id": source.id,
        "webhook_url": f"{base_url}/webhooks/{source.webhook_key}",
        "webhook_key": source.webhook_key,
        "collect_url": f"{base_url}/collect/{source.collect_key}",
        "collect_key": source.collect_key,
    }


@source.command("list")
@as_json_option
def list_(as_json: bool) -> None:
    """List the connected shops."""
    sources = open_store().connections.sources()
    if as_json:
        print_json([_described(one) for one in sources])
        return
    print_table(
        ("id", "name", "kind", "word", "state", "last delivery"),
        (
            (one.id, one.name, one.kind, one.word, one.state, when(one.delivery_at))
            for one in sources
        ),
    )


@source.command()
@click.argument("name")
@as_json_option
def show(name: str, as_json: bool) -> None:
    """Show one shop with its webhook address; secrets are never shown."""
    environment = config.load()
    found = open_store(environment).connections.source(name)
    described = _described(found) | urls_of(found, environment.base_url)
    if as_json:
        print_json(described)
    else:
        print_table(("what", "value"), described.items())


@source.command()
@click.argument("name")
@click.option("--off", is_flag=True, help="Go on again.")
def pause(name: str, off: bool) -> None:
    """Keep receiving, but translate nothing until `pause --off`."""
    store = open_store()
    found = store.connections.source(name)
    store.connections.set_source(found.id, state="active" if off else "paused")
    store.history.audit("cli", "source.resumed" if off else "source.paused", found.name)


@source.command()
@click.argument("name")
def remove(name: str) -> None:
    """Disconnect a shop: its webhooks are answered with 410 from now on."""
    store = open_store()
    found = store.connections.source(name)
    store.connections.set_source(found.id, state="removed")
    store.history.audit("cli", "source.removed", found.name)


@source.command()
@click.argument("name")
@click.argument(
    "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False
)
def costs(name: str, path: Path | None) -> None:
    """Load unit costs from a CSV file (SKU or id, cost), or else from the shop itself.

    They are in the shop's own currency and take the place of all costs before.
    """
    store = open_store()
    found = store.connections.source(name)
    if path:
        read = read_costs(path.name, path.read_bytes())
    else:
        shop = connect.live_shops(store, private=config.load().allow_private_shops)(found)
        read = dict(connect.admin_of(found).unit_costs(shop) or {})
        if not read:
            raise ConfigError(f"source {name}: its shop tells no costs; give a CSV file")
    store.subjects.set_costs(found.id, read)
    store.history.audit("cli", "source.costs", found.name, f"{len(read)} costs")
    click.echo(f"{len(read)} costs are kept for {found.name}")


def _described(source: Source) -> dict[str, Any]:
    settings: Settings = masked(registry.source(source.kind).settings, source.settings)
    return {
        "id": source.id,
        "name": source.name,
        "kind": source.kind,
        "word": source.word,
        "state": source.state,
        "settings": settings,
        "created_at": when(source.created_at),
        "ping_at": when(source.ping_at),
        "delivery_at": when(source.delivery_at),
        "collected_at": when(source.collected_at),
    }
