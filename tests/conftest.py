"""What all tests share: stores, readable contract failures, and REQUIRE_ALL."""

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
import pytest
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from .postgresql import postgresql_server  # noqa: F401  one server for all
from .stores import *  # noqa: F403  fixtures
from .stores import sqlite_template  # noqa: F401

pytest.register_assert_rewrite("bridge.events.testing")

REQUIRE_ALL = os.environ.get("REQUIRE_ALL") == "1"
MEMORY = Path("/dev/shm")
ROOM = 4 * 1024**3

# Databases that live for one test need no disk to wait for.
if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
    tempfile.tempdir = os.environ["TMPDIR"] = str(MEMORY)

# How long an example takes says more about the machine than about us.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


class Templates(BytecodeCache):
    """The templates of all applications of a test process, compiled once."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if kept := self._kept.get(bucket.key):
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


Flask.jinja_options = {"bytecode_cache": Templates()}


@pytest.fixture
def tool():
    """Return a function that gives the path of the first program found, or skips the test."""

    def find(*names: str) -> str:
        paths = [path for name in names if (path := shutil.which(name))]
        if not paths:
            pytest.skip(f"needs {' or '.join(names)}")
        return paths[0]

    return find


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker is left alone with it."""
    items.sort(key=lambda item: "e2e" not in item.path.parts)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Under REQUIRE_ALL=1 turn a skip into a failure; live tests and xfails stay as they are."""
    report = yield
    expected = hasattr(report, "wasxfail") or item.get_closest_marker("live")
    if REQUIRE_ALL and report.skipped and not expected:
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL=1 allows no skip: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Under REQUIRE_ALL=1 turn the skip of a whole file into a failure."""
    report = yield
    if REQUIRE_ALL and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL=1 allows no skip: {report.longrepr}"
    return report
