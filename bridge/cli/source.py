"""``capi-bridge source``: the connected shops."""

import sys
from pathlib import Path
from typing import Any

import click

from bridge import config, connect, registry
from bridge.costs import read_costs
from bridge.events import ConfigError, Setting, Settings, ShopError, SourceAdapter
from bridge.store import Source, Store

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
    """Connect a shop of KIND and make its webhooks, or print how to make them.

    On a terminal the few settings that suffice are asked for.
    """
    if kind not in registry.source_kinds():
        raise ConfigError(f"source: {kind} is none of {', '.join(registry.source_kinds())}")
    adapter = registry.source(kind)
    given = {adapter.secret_setting: "\n".join(secret)}
    asked = [] if as_json or any(secret) or not sys.stdin.isatty() else ask_first(adapter, pairs)
    pairs = (*pairs, *asked)
    by_hand = any(secret) or not _may_open_api(adapter, pairs)
    if not by_hand:
        given[adapter.secret_setting] = connect.made_secret(adapter)
    settings = read_settings(adapter.settings, given, pairs)
    adapter.refuse(settings)
    environment = config.load()
    store = open_store(environment)
    added = store.connections.add_source(kind, name, settings, word)
    store.history.audit("cli", "source.added", name, kind)
    urls = urls_of(added, environment.base_url)
    if as_json:
        print_json(urls)
    else:
        _connect(environment, store, added, urls["webhook_url"], by_hand=by_hand)


def ask_first(adapter: SourceAdapter, pairs: tuple[str, ...]) -> list[str]:
    """Return the settings that suffice to connect a shop, as a person at the terminal types them.

    Whoever leaves one empty connects the shop by hand.
    """
    known = {pair.partition("=")[0] for pair in pairs}
    wanted = [one for one in adapter.settings if one.name in {*adapter.first_settings} - known]
    if wanted:
        click.echo("Leave the first one empty to make the webhooks by hand.")
    found = []
    for one in wanted:
        if not (typed := _typed(one)):
            break
        found.append(f"{one.name}={typed}")
    if not found:
        secret = {adapter.secret_setting} - known
        needed = [one for one in adapter.settings if one.name in secret and one.required]
        found += [f"{one.name}={_typed(one)}" for one in needed]
    return found


def _typed(setting: Setting) -> str:
    click.echo(setting.help)
    typed = click.prompt(setting.label, default="", show_default=False, hide_input=setting.secret)
    return str(typed).strip()


def _may_open_api(adapter: SourceAdapter, pairs: tuple[str, ...]) -> bool:
    """Return whether these settings let us make the webhooks, now or after one click."""
    given = {name: value for name, _, value in (pair.partition("=") for pair in pairs)}
    few = adapter.first_settings
    return bool(few) and all(map(given.get, few)) and adapter.secret_setting not in given


def _connect(
    environment: config.Config, store: Store, added: Source, webhook_url: str, *, by_hand: bool
) -> None:
    """Make the webhooks of a new source, or tell what its operator is to do."""
    adapter = registry.source(added.kind)
    admin = adapter.admin
    if not environment.public_url:
        click.echo("PUBLIC_URL is not set: the shop cannot reach the address below.", err=True)
    elif admin and admin.topics(added.settings):
        shop = connect.live_shops(store, private=environment.allow_private_shops)(added)
        try:
            made = connect.subscribe(store, added, shop, webhook_url)
        except ShopError as error:
            raise ConfigError(
                f"source {added.name} is kept, but the shop says: {error}. The worker tries again;"
                f" look with `capi-bridge source check {added.name}`"
            ) from None
        click.echo(f"{len(made)} webhooks made; next: `capi-bridge route set {added.name} …`")
        return
    elif not by_hand:
        page = connect.authorise_url(store, added, environment.base_url, session=connect.TERMINAL)
        click.echo(
            "Open this page within a quarter of an hour, signed in to the shop, and approve;"
            f" the webhooks are made then:\n{page}"
        )
        return
    click.echo(adapter.instructions(webhook_url))


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
    found = connected(store, name)
    store.connections.set_source(found.id, state="active" if off else "paused")
    store.history.audit("cli", "source.resumed" if off else "source.paused", found.name)


@source.command()
@click.argument("name")
def remove(name: str) -> None:
    """Disconnect a shop: its webhooks are deleted where we may, and answered with 410."""
    environment = config.load()
    store = open_store(environment)
    found = connected(store, name)
    shop = connect.live_shops(store, private=environment.allow_private_shops)(found)
    store.connections.set_source(found.id, state="removed")
    store.history.audit("cli", "source.removed", found.name)
    try:
        count = connect.unsubscribe(
            found, shop, urls_of(found, environment.base_url)["webhook_url"]
        )
    except ConfigError:
        click.echo("delete its webhooks in the shop's admin: they are answered with 410 now")
    except ShopError as error:
        click.echo(f"its webhooks are still in the shop, answered with 410 ({error})")
    else:
        click.echo(f"{count} webhooks deleted in the shop")


def connected(store: Store, name: str) -> Source:
    """Return the source of that name; raises ConfigError for one that was removed."""
    found = store.connections.source(name)
    if found.state == "removed":
        raise ConfigError(f"source {found.name}: was removed")
    return found


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
    found = connected(store, name)
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
