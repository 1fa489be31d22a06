"""Lines of orders, with the means to look at what is sent."""

from tests.bridge.translate.conftest import *  # noqa: F403  fixtures
