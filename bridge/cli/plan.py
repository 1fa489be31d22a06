"""``capi-bridge plan``: the tagging plan."""

from collections.abc import Mapping
from pathlib import Path

import click

from bridge import plan as plans
from bridge import translate
from bridge.store import Store

from .shared import as_json_option, open_store, print_json, print_table, read_file


@click.group()
def plan() -> None:
    """Show, check and apply the tagging plan."""


@plan.command()
@click.option("--default", is_flag=True, help="The built-in one, every key explained.")
def show(default: bool) -> None:
    """Print the plan in force."""
    applied = None if default else open_store().history.plan()
    click.echo(applied or plans.default_text(), nl=False)


@plan.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(path: Path) -> None:
    """Name every mistake in the plan at PATH."""
    text = read_file(path)
    plans.parse(text)
    click.echo(f"{path.name}: no mistake found (digest {plans.digest(text)})")


@plan.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def diff(path: Path) -> None:
    """Say what the plan at PATH would change."""
    store, new = open_store(), plans.parse(read_file(path))
    _warn(store, new)
    before = store.history.plan() or plans.default_text()
    changes = plans.diff(plans.parse(before), new)
    click.echo("\n".join(changes) or "no change")


@plan.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def apply(path: Path) -> None:
    """Check the plan at PATH and put it in force; earlier versions are kept."""
    text = read_file(path)
    new = plans.parse(text)
    store = open_store()
    _warn(store, new)
    store.history.apply_plan(text, plans.digest(text))
    store.history.audit("cli", "plan.applied", plans.digest(text))
    click.echo(f"plan {plans.digest(text)} is in force")


@plan.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--limit", default=20, show_default=True, help="So many changed events at most.")
@as_json_option
def preview(path: Path, limit: int, as_json: bool) -> None:
    """Decide the deliveries of the last days under the plan at PATH; nothing is changed."""
    store, new = open_store(), plans.parse(read_file(path))
    _warn(store, new)
    found = translate.preview(store, new)
    sides = {"before": found.before, "after": found.after}
    if as_json:
        print_json(
            {
                "deliveries": found.deliveries,
                "changed": len(found.changes),
                **{name: vars(side) for name, side in sides.items()},
                "changes": [vars(change) for change in found.changes[:limit]],
            }
        )
        return
    click.echo(f"{found.deliveries} deliveries are still held raw")
    print_table(
        ("", "sent", "value", "skipped"),
        (
            (name, side.sent, _listed(side.value), _listed(side.skipped))
            for name, side in sides.items()
        ),
    )
    click.echo(f"\n{len(found.changes)} events would change")
    if found.changes:
        print_table(
            ("shop", "event id", "order", "before", "after"),
            (
                (one.source, one.event_id, one.order_number, one.before, one.after)
                for one in found.changes[:limit]
            ),
        )


def _warn(store: Store, plan: plans.Plan) -> None:
    sources = [one.name for one in store.connections.sources()]
    destinations = [one.name for one in store.connections.destinations()]
    for sentence in plans.strangers(plan, sources, destinations):
        click.echo(f"warning: {sentence}", err=True)


def _listed(amounts: Mapping[str, object]) -> str:
    return ", ".join(f"{amount} {name}" for name, amount in sorted(amounts.items())) or "-"
