"""The command ``capi-bridge``: one module a noun."""

import sys

import click

from bridge.events import BridgeError

from . import (
    connect,
    demo,
    destination,
    events,
    operator,
    plan,
    privacy,
    replay,
    route,
    serve,
    source,
    translate,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="capi-bridge")
def cli() -> None:
    """Turn shop webhooks into Meta Conversions API events."""


for _command in (
    demo.demo,
    serve.serve,
    serve.worker,
    serve.migrate,
    serve.sandbox,
    translate.translate,
    source.source,
    destination.destination,
    route.route,
    plan.plan,
    events.log,
    events.explain,
    connect.examine,
    connect.coverage,
    privacy.erase,
    operator.operator,
    replay.dead,
    replay.replay,
    replay.rotate_keys,
):
    cli.add_command(_command)


def main() -> None:
    """Run a command; what an operator can mend is told in one sentence."""
    try:
        cli()
    except BridgeError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except OSError as error:  # a file that cannot be read or written
        click.echo(f"Error: {error.filename or 'file'}: {error.strerror}", err=True)
        sys.exit(1)
