"""What all tests share: readable contract failures, and REQUIRE_ALL."""

import os
import shutil

import pytest

pytest.register_assert_rewrite("bridge.events.testing")

REQUIRE_ALL = os.environ.get("REQUIRE_ALL") == "1"


@pytest.fixture
def tool():
    """Return a function that gives the path of the first program found, or skips the test."""

    def find(*names: str) -> str:
        paths = [path for name in names if (path := shutil.which(name))]
        if not paths:
            pytest.skip(f"needs {' or '.join(names)}")
        return paths[0]

    return find


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
