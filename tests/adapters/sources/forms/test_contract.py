"""Forms keep the contract of source adapters."""

from adapters.sources.forms import adapter as forms
from bridge.events.testing import SourceContract

from .sender import DELIVERIES


class TestContract(SourceContract):
    adapter = forms
    deliveries = DELIVERIES
