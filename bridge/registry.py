"""Adapters by name: a folder in `adapters/`, then entry points.  Imported on first use."""

import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from bridge.events import ConfigError, DestinationAdapter, SourceAdapter


@cache
def source(kind: str) -> SourceAdapter:
    """Return the source adapter of that kind; raises ConfigError if there is none."""
    adapter = _load("sources", kind)
    if not isinstance(adapter, SourceAdapter):
        raise ConfigError(f"adapter {kind}: is not a SourceAdapter")
    return adapter


@cache
def destination(kind: str) -> DestinationAdapter:
    """Return the destination adapter of that kind; raises ConfigError if there is none."""
    adapter = _load("destinations", kind)
    if not isinstance(adapter, DestinationAdapter):
        raise ConfigError(f"adapter {kind}: is not a DestinationAdapter")
    return adapter


def source_kinds() -> list[str]:
    """Return the kinds of source that are installed, sorted."""
    return _kinds("sources")


def destination_kinds() -> list[str]:
    """Return the kinds of destination that are installed, sorted."""
    return _kinds("destinations")


def _kinds(group: str) -> list[str]:
    folder = import_module(f"adapters.{group}")
    ours = {module.name for module in pkgutil.iter_modules(folder.__path__)}
    return sorted(ours | {entry.name for entry in entry_points(group=f"capi_bridge.{group}")})


def _load(group: str, kind: str) -> object:
    if kind not in _kinds(group):
        known = ", ".join(_kinds(group))
        raise ConfigError(f"there is no {group.removesuffix('s')} of kind {kind}; known: {known}")
    for entry in entry_points(group=f"capi_bridge.{group}", name=kind):
        return entry.load()
    return import_module(f"adapters.{group}.{kind}").adapter
