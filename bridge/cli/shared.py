"""What the commands share: the store of the environment, tables, JSON."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from bridge import config
from bridge.events import ConfigError, Setting
from bridge.secrets import Vault
from bridge.store import Store, StoreError, moment

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")


def open_store(settings: config.Config | None = None, *, migrate: bool = True) -> Store:
    """Return the store that the environment names, its schema brought up to date.

    It is closed when the command ends.
    """
    found = settings or config.load()
    store = Store(found.database_url, Vault(found.secret_key, found.secret_key_previous))
    if context := click.get_current_context(silent=True):
        context.call_on_close(store.close)
    if migrate:
        try:
            store.migrate()
        except StoreError as error:
            raise ConfigError(f"DATABASE_URL: it cannot be used now ({error})") from None
    return store


def print_json(value: object) -> None:
    """Print *value* as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print *rows* under *columns*, each as wide as its widest cell."""
    lines = [[str(column) for column in columns]]
    lines += [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    for line in lines:
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo(text.rstrip())


def when(value: int | None) -> str:
    """Return microseconds as a readable UTC time; empty for None."""
    return moment(value).strftime("%Y-%m-%d %H:%M:%S") if value is not None else ""


def read_time(text: str) -> datetime:
    """Return an ISO 8601 time as aware UTC; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ConfigError(f"{text} is not a time like 2026-11-23T16:00:00Z") from None


def read_settings(
    declared: Sequence[Setting], given: Mapping[str, str], pairs: Iterable[str]
) -> dict[str, str]:
    """Return an adapter's settings from options and ``NAME=VALUE`` pairs, all checked."""
    names = {setting.name: setting for setting in declared if not setting.remembered}
    values = {name: value for name, value in given.items() if value}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name not in names:
            raise ConfigError(f"--set {name}: is none of {', '.join(names)}")
        many = names[name].many and name in values
        values[name] = f"{values[name]}\n{value}" if many else value
    for name, setting in names.items():
        if setting.required and not values.get(name):
            raise ConfigError(f"{name} is missing: {setting.label}. {setting.help}".strip())
        if setting.choices and values.get(name, setting.choices[0]) not in setting.choices:
            raise ConfigError(f"{name}: must be one of {', '.join(setting.choices)}")
    return values


def masked(declared: Sequence[Setting], values: Mapping[str, str]) -> dict[str, str]:
    """Return settings fit to be shown: of a secret only that it is set.

    What nobody declares may be a secret too: a token that an adapter remembers.
    """
    open_ones = {setting.name for setting in declared if not setting.secret}
    return {name: value if name in open_ones else "(set)" for name, value in values.items()}


def read_file(path: Path) -> str:
    """Return the text of a file that a person wrote; raises ConfigError if it is none."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path.name}: is not UTF-8 text") from None
