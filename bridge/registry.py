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
    packaged = {entry.name for entry in entry_points(group=f"capi_bridge.{group}")}
    return sorted(_folders(group) | packaged)


def _folders(group: str) -> set[str]:
    folder = import_module(f"adapters.{group}")
    return {module.name for module in pkgutil.iter_modules(folder.__path__)}


def _load(group: str, kind: str) -> object:
    if kind not in _kinds(group):
        known = ", ".join(_kinds(group))
        raise ConfigError(f"there is no {group.removesuffix('s')} of kind {kind}; known: {known}")
    if kind in _folders(group):  # a package never takes the place of our own
        return import_module(f"adapters.{group}.{kind}").adapter
    (entry, *_) = entry_points(group=f"capi_bridge.{group}", name=kind)
    try:
        return entry.load()
    except (ImportError, AttributeError):
        raise ConfigError(f"adapter {kind}: cannot be loaded from {entry.value}") from None
