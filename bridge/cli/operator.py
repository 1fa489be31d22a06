"""``capi-bridge operator``: who may use the admin, and the way back in."""

import click

from bridge.events import ConfigError

from .shared import as_json_option, open_store, print_json, print_table, when


@click.group()
def operator() -> None:
    """See who may use the admin, and let somebody in again."""


@operator.command("list")
@as_json_option
def list_(as_json: bool) -> None:
    """List all operators with their roles."""
    found = open_store().accounts.operators()
    if as_json:
        print_json([vars(one) for one in found])
    else:
        columns = ("name", "role", "since")
        print_table(columns, [(one.name, one.role, when(one.created_at)) for one in found])


@operator.command()
@click.argument("name")
@as_json_option
def reset(name: str, as_json: bool) -> None:
    """Print a new password for NAME, this once; the old one and all sessions end."""
    from bridge.web.admin import passwords  # and with it all of the web

    store = open_store()
    found = store.accounts.operator(name.strip().casefold())
    if found is None:
        raise ConfigError(f"operator {name}: is none; `capi-bridge operator list` shows them")
    password = passwords.fresh()
    store.accounts.set_password(found[0].id, passwords.hashed(password))
    store.history.audit("cli", "operator.password", found[0].name)
    if as_json:
        print_json({"name": found[0].name, "password": password})
    else:
        click.echo(f"The new password of {found[0].name}: {password}")
        click.echo("Sign in with it, then choose your own under Settings > My account.")
