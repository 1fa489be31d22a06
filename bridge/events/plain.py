"""Facts as plain JSON values and back, for events that wait in the database."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

Fact = TypeVar("Fact")


def as_plain(value: object) -> Any:
    """Return *value* as JSON values: of a dataclass only the fields that differ from default."""
    if is_dataclass(value):
        return {
            field.name: as_plain(content)
            for field in fields(value)
            if (content := getattr(value, field.name)) != _default(field)
        }
    if isinstance(value, tuple | list):
        return [as_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def from_plain(kind: type[Fact], value: Any) -> Fact:
    """Return the *kind* that `as_plain` made *value* of; unknown fields are passed over."""
    read: Fact = _read(kind, value)
    return read


def dump(fact: object) -> bytes:
    """Return a fact as JSON."""
    return json.dumps(as_plain(fact), separators=(",", ":")).encode()


def load(kind: type[Fact], data: bytes) -> Fact:
    """Return the fact that `dump` wrote."""
    return from_plain(kind, json.loads(data))


def _default(field: Any) -> object:
    return field.default_factory() if field.default_factory is not MISSING else field.default


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, value: Any) -> Any:
    origin = get_origin(kind)
    if value is None:
        return None
    if origin is UnionType:
        return _read(next(part for part in get_args(kind) if part is not type(None)), value)
    if origin is tuple:
        return tuple(_read(get_args(kind)[0], item) for item in value)
    if origin is Mapping:
        return {key: _read(get_args(kind)[1], item) for key, item in value.items()}
    if is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        return kind(
            **{name: _read(hints[name], item) for name, item in value.items() if name in hints}
        )
    if kind is datetime:
        return datetime.fromisoformat(value)
    return kind(value) if isinstance(kind, type) and kind is not dict else value
