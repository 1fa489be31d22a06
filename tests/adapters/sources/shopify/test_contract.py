"""Shopify keeps the contract of source adapters."""

from adapters.sources.shopify import adapter as shopify
from bridge.events.testing import SourceContract

from .shop import DELIVERIES


class TestContract(SourceContract):
    adapter = shopify
    deliveries = DELIVERIES
