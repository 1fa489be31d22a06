"""Every test of the store runs on both engines."""

from tests.stores import *  # noqa: F403  fixtures
