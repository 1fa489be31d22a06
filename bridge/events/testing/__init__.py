"""The two contracts as tests that ship with the product: subclass one in a test file.

Needs pytest.  Failures read best with
``pytest.register_assert_rewrite("bridge.events.testing")`` in a `conftest.py`.
"""

from .checks import check_facts
from .destination import DestinationContract
from .recordings import (
    RECEIVED_AT,
    as_plain,
    expectation,
    find_cases,
    read_request,
    read_settings,
    write_expectation,
)
from .source import SourceContract

__all__ = [
    "RECEIVED_AT",
    "DestinationContract",
    "SourceContract",
    "as_plain",
    "check_facts",
    "expectation",
    "find_cases",
    "read_request",
    "read_settings",
    "write_expectation",
]
