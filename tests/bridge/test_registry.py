"""Adapters are found by name: first a folder of our own, then what a package declares."""

import importlib

import pytest

from bridge import registry
from bridge.events import ConfigError, DestinationAdapter, SourceAdapter

ADAPTER = """
from bridge.events import DestinationAdapter, SourceAdapter

class Shop(SourceAdapter):
    kind = "plugged"
    label = "Plugged"

class Platform(DestinationAdapter):
    kind = "plugged"
    label = "Plugged"

shop, platform = Shop(), Platform()
"""
ENTRY_POINTS = """
[capi_bridge.sources]
plugged = plugged_adapters:shop
swapped = plugged_adapters:platform
gone = plugged_adapters:never_written
missing = no_such_module_at_all:adapter
shopify = plugged_adapters:shop

[capi_bridge.destinations]
plugged = plugged_adapters:platform
"""


@pytest.fixture(autouse=True)
def forgetful():
    """Let no adapter of one test be remembered in the next."""
    yield
    registry.source.cache_clear()
    registry.destination.cache_clear()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Install a package that declares adapters, some of them badly."""
    registry.source.cache_clear()
    (tmp_path / "plugged_adapters.py").write_text(ADAPTER)
    info = tmp_path / "plugged-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()


def test_our_own_adapters_are_found_by_their_folder():
    for kind in registry.source_kinds():
        assert registry.source(kind).kind == kind
    for kind in registry.destination_kinds():
        assert registry.destination(kind).kind == kind


def test_the_kinds_are_told_sorted():
    assert {"shopify", "woocommerce"} <= set(registry.source_kinds())
    assert registry.source_kinds() == sorted(registry.source_kinds())
    assert "meta" in registry.destination_kinds()


def test_an_adapter_is_made_once():
    assert registry.source("shopify") is registry.source("shopify")


@pytest.mark.parametrize(
    "kind", ["", "nothing", "Shopify", "shopify.orders", "../shopify", "__init__", "os"]
)
def test_a_kind_that_there_is_not_is_told_with_those_there_are(kind):
    with pytest.raises(ConfigError, match=r"known: .*shopify"):
        registry.source(kind)
    with pytest.raises(ConfigError, match=r"there is no destination of kind .*known: .*meta"):
        registry.destination(kind)


def test_a_package_may_bring_adapters(package):
    assert "plugged" in registry.source_kinds()
    assert isinstance(registry.source("plugged"), SourceAdapter)
    assert isinstance(registry.destination("plugged"), DestinationAdapter)


def test_a_package_does_not_take_the_place_of_our_own(package):
    assert registry.source("shopify").label == "Shopify"
    assert registry.source_kinds().count("shopify") == 1


def test_a_package_that_brings_the_wrong_thing_is_told(package):
    with pytest.raises(ConfigError, match="adapter swapped: is not a SourceAdapter"):
        registry.source("swapped")


@pytest.mark.parametrize("kind", ["gone", "missing"])
def test_a_package_that_cannot_be_loaded_is_told(package, kind):
    with pytest.raises(ConfigError, match=f"adapter {kind}: cannot be loaded"):
        registry.source(kind)
