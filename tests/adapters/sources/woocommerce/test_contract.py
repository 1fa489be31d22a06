"""WooCommerce keeps the contract of a source, over captured deliveries and signed traps."""

from pathlib import Path

from adapters.sources.woocommerce import adapter
from bridge.events.testing import SourceContract


class TestContract(SourceContract):
    adapter = adapter
    deliveries = Path(__file__).parents[3] / "deliveries" / "woocommerce"
