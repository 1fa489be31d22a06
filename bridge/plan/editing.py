"""One value of a plan set anew, in the text that people wrote: comments and order stay."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from bridge.events import ConfigError

Value = bool | int | str | Decimal | tuple[str, ...]
Path = tuple[str, ...]
_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
_HEADER = re.compile(r"\s*\[(?!\[)(.+?)\]\s*(?:#.*)?\Z")
_TABLES = re.compile(r"\s*\[\[")


def with_values(text: str, values: Mapping[Path, Value]) -> str:
    """Return the plan *text* with each value at its path, as ``("value", "tax")``.

    A value that is there already is left as it was written.  Raises ConfigError where the
    text is laid out in a way that cannot be changed in place, and for no TOML at all.
    """
    for path, value in values.items():
        if _found(text, path) != (value if not isinstance(value, tuple) else list(value)):
            text = _with_value(text, path, value)
            if _found(text, path) != (value if not isinstance(value, tuple) else list(value)):
                raise ConfigError(f"plan: {'.'.join(path)} cannot be changed here; edit the text")
    return text


def _found(text: str, path: Path) -> object:
    try:
        here: Any = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        raise ConfigError("plan: the text cannot be changed here; edit it") from None
    for name in path:
        here = here.get(name) if isinstance(here, dict) else None
    return here


def _with_value(text: str, path: Path, value: Value) -> str:
    lines = text.removesuffix("\n").split("\n") if text.strip() else []
    *table, key = path
    new = f"{_quoted(key)} = {_written(value)}"
    places = list(_places(lines, tuple(table)))
    for first, last in places:
        for at in range(first + 1, last):
            if _keyed(lines[at], key):
                end = _end(lines, at)
                lines[at : end + 1] = [new + (_comment(lines[at]) if at == end else "")]
                return _joined(lines)
    if places:
        first, _ = places[0]
        return _joined([*lines[: first + 1], new, *lines[first + 1 :]])
    header = "[" + ".".join(map(_quoted, table)) + "]"
    return _joined([*lines, *([""] if lines and lines[-1].strip() else []), header, new])


def _places(lines: Sequence[str], table: Path) -> Iterator[tuple[int, int]]:
    """Yield header and end of each stretch of lines that belongs to *table*."""
    heads = [at for at, line in enumerate(lines) if _HEADER.match(line) or _TABLES.match(line)]
    for at, end in zip(heads, [*heads[1:], len(lines)], strict=False):
        header = _HEADER.match(lines[at])
        if header and _names(header[1]) == table:
            yield at, end


def _names(dotted: str) -> Path | None:
    try:
        here = tomllib.loads(f"[{dotted}]")
    except ValueError:
        return None
    names = []
    while here:
        (name, here), *_ = here.items()
        names.append(name)
    return tuple(names)


def _keyed(line: str, key: str) -> bool:
    found = re.match(r"\s*(\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+)\s*=", line)
    return found is not None and found[1].strip("\"'") == key


def _end(lines: Sequence[str], at: int) -> int:
    """Return the last line of the value that begins on line *at*."""
    for end in range(at, len(lines)):
        try:
            tomllib.loads("\n".join(lines[at : end + 1]))
        except ValueError:
            continue
        return end
    return at


def _comment(line: str) -> str:
    """Return the comment at the end of a line with one value, with the spaces before it."""
    for found in re.finditer(r"\s*#", line):
        try:
            tomllib.loads(line[: found.start()])
        except ValueError:
            continue
        return line[found.start() :]
    return ""


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    return _text(value) if isinstance(value, str) else str(value)


def _quoted(name: str) -> str:
    return name if _BARE.match(name) else _text(name)


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return (
        '"'
        + "".join(c if ord(c) >= 32 and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped)
        + '"'
    )


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
