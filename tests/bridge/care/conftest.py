"""A database in which two people have left all that a shop can leave."""

from tests.bridge.translate.conftest import *  # noqa: F403  fixtures
