"""``capi-bridge plan``: the tagging plan."""

from pathlib import Path

import click

from bridge import plan as plans

from .shared import open_store


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
    text = path.read_text(encoding="utf-8")
    plans.parse(text)
    click.echo(f"{path.name}: no mistake found (digest {plans.digest(text)})")


@plan.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def diff(path: Path) -> None:
    """Say what the plan at PATH would change."""
    before = open_store().history.plan() or plans.default_text()
    changes = plans.diff(plans.parse(before), plans.parse(path.read_text(encoding="utf-8")))
    click.echo("\n".join(changes) or "no change")


@plan.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def apply(path: Path) -> None:
    """Check the plan at PATH and put it in force; earlier versions are kept."""
    text = path.read_text(encoding="utf-8")
    plans.parse(text)
    store = open_store()
    store.history.apply_plan(text, plans.digest(text))
    store.history.audit("cli", "plan.applied", plans.digest(text))
    click.echo(f"plan {plans.digest(text)} is in force")
