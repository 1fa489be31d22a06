"""``source subscribe``, ``check``, ``reconcile``, ``companion``; ``doctor``; ``coverage``."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from bridge import config, connect, doctor, ledger, registry
from bridge.events import ConfigError, Finding, ShopError
from bridge.store import Source, Store, micros, moment

from .shared import as_json_option, open_store, print_json, print_table, read_time, when
from .source import connected, source, urls_of


def _open(name: str) -> tuple[config.Config, Store, Source]:
    environment = config.load()
    store = open_store(environment)
    return environment, store, connected(store, name)


@source.command()
@click.argument("name")
def subscribe(name: str) -> None:
    """Make the shop's webhooks, and mend those that are broken."""
    environment, store, found = _open(name)
    if not environment.public_url:
        raise ConfigError("PUBLIC_URL: is not set; the shop must know where to send its webhooks")
    shop = connect.live_shops(store, private=environment.allow_private_shops)(found)
    url = urls_of(found, environment.base_url)["webhook_url"]
    repairs = connect.subscribe(store, found, shop, url)
    for repair in repairs:
        click.echo(f"{repair.topic}: made ({repair.reason})")
    click.echo(f"{len(repairs)} webhooks made; all that are wanted are there")


@source.command()
@click.argument("name")
@as_json_option
def check(name: str, as_json: bool) -> None:
    """Look at the shop's credentials, webhooks and last orders; nothing is changed."""
    environment, store, found = _open(name)
    admin = connect.admin_of(found)
    shop = connect.live_shops(store, private=environment.allow_private_shops)(found)
    findings = list(admin.check(shop))
    url = urls_of(found, environment.base_url)["webhook_url"]
    try:
        webhooks = admin.subscriptions(shop, url)
    except ShopError as error:
        webhooks = []
        findings.append(Finding(name="webhooks", status="fail", message=str(error)))
    if as_json:
        print_json(
            {
                "checks": [vars(one) for one in findings],
                "webhooks": [vars(one) for one in webhooks],
            }
        )
    else:
        print_table(
            ("check", "status", "message"),
            ((one.name, one.status, one.message) for one in findings),
        )
        print_table(
            ("webhook", "state", "detail"), ((one.topic, one.state, one.detail) for one in webhooks)
        )
    sys.exit(any(one.status == "fail" for one in findings))


@source.command()
@click.argument("name")
@click.option("--since", default="", metavar="ISO", help="Read from here (at most seven days).")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json_option
def reconcile(name: str, since: str, yes: bool, as_json: bool) -> None:
    """Read the shop's own order list and receive what never came."""
    environment, store, found = _open(name)
    shop = connect.live_shops(store, private=environment.allow_private_shops)(found)
    start = read_time(since) if since else None
    if start:
        start = _within_reach(store, found, start)
    if start and not yes:
        count = connect.admin_of(found).count_orders(shop, start)
        told = "an unknown number of" if count is None else count
        click.confirm(
            f"{told} orders changed since {start:%Y-%m-%d %H:%M} UTC; read them?",
            abort=True,
            err=True,
        )
    read = connect.reconcile(store, found, shop, since=micros(start) if start else None)
    store.history.audit("cli", "source.reconciled", found.name, f"{read.new} new")
    if as_json:
        print_json(vars(read))
        return
    click.echo(f"{read.orders} orders read, {read.new} not received before or changed since")
    for note in read.notes:
        click.echo(f"note: {note}")


def _within_reach(store: Store, found: Source, start: datetime) -> datetime:
    """Return from when orders are read, and say what of earlier ones can still be sent."""
    now = moment(store.now())
    if start > now:
        raise ConfigError("--since: lies in the future")
    if start < now - connect.HORIZON:
        start = now - connect.HORIZON
        click.echo("note: what is older than seven days Meta does not take", err=True)
    live = [one.live_since for one in store.connections.routes(found.id) if one.live_since]
    if live and micros(start) < max(live):
        click.echo(
            f"note: a route sends orders since {moment(max(live)):%Y-%m-%d %H:%M} UTC; earlier"
            " ones are skipped. `capi-bridge route set … --live-since` lets them go too; those"
            " skipped before, `capi-bridge replay --reason before_go_live`",
            err=True,
        )
    return start


@source.command()
@click.argument("name")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path))
def companion(name: str, output: Path | None) -> None:
    """Write the file that is to be installed in the shop."""
    _, _, found = _open(name)
    made = registry.source(found.kind).companion()
    if made is None:
        raise ConfigError(f"source {name}: nothing is to be installed in this shop system")
    path = output or Path(made[0])
    path.write_bytes(made[1])
    click.echo(f"{path}: {len(made[1])} bytes; install it in the shop")


@click.command("doctor")
@as_json_option
def examine(as_json: bool) -> None:
    """Check everything and say what to do; nothing is sent."""
    try:
        environment = config.load()
        findings = doctor.examine(environment, open_store(environment, migrate=False))
    except ConfigError as error:
        findings = [Finding(name="configuration", status="fail", message=str(error))]
    if as_json:
        print_json({"checks": [vars(one) for one in findings]})
    else:
        print_table(
            ("check", "status", "message"),
            ((one.name, one.status, one.message) for one in findings),
        )
    sys.exit(any(one.status == "fail" for one in findings))


@click.command()
@click.argument("name")
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 90))
@click.option("--orders", is_flag=True, help="A line for each order.")
@as_json_option
def coverage(name: str, days: int, orders: bool, as_json: bool) -> None:
    """Say what became of each order of a shop's own list."""
    store = open_store()
    found = store.connections.source(name)
    end = datetime.now(UTC)
    lines = ledger.lines(store, found, micros(end - timedelta(days=days)), micros(end))
    sums = ledger.coverage(lines)
    if as_json:
        print_json(
            {
                **vars(sums),
                "of_eligible": sums.of_eligible,
                "of_total": sums.of_total,
                "orders": [vars(line) for line in lines] if orders else None,
            }
        )
        return
    ratio = "nothing eligible" if sums.of_eligible is None else f"{sums.of_eligible:.1%}"
    click.echo(f"sent / eligible: {sums.sent} / {sums.eligible} ({ratio})")
    handled = "no orders" if sums.of_total is None else f"{sums.of_total:.1%}"
    click.echo(f"(sent + skipped) / total: {handled} of {sums.total}; repaired {sums.repaired}")
    if sums.by_state:
        print_table(("state", "orders"), sorted(sums.by_state.items()))
    if sums.by_reason:
        print_table(("skipped for", "orders"), sorted(sums.by_reason.items()))
    if orders and lines:
        print_table(
            ("order", "state", "reason", "until", "expires", "repaired"),
            (
                (
                    one.order_number or one.order_id,
                    one.state,
                    one.reason,
                    when(one.until),
                    when(one.expires_at),
                    when(one.repaired_at),
                )
                for one in lines
            ),
        )
