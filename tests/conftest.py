"""Fixtures for all tests, and the rule about skipped ones."""

import gc
import os
from collections.abc import Generator

import pytest
from hypothesis import settings

from tests.browser import driver
from tests.engines import engines, postgres_server, postgres_url, s3_bucket, s3_server, sqlite_templates

__all__ = ["driver", "engines", "postgres_server", "postgres_url", "s3_bucket", "s3_server", "sqlite_templates"]

# In continuous integration everything is installed: there a skipped test is a test that was lost.
NO_SKIPS = os.environ.get("ABRI_NO_SKIPS") == "1"

# What a test makes goes with it, and nothing of it is in a circle that matters: looking for circles was a thirtieth of all the time.
gc.set_threshold(20_000, 20, 20)

# A test says what is right, never how fast: a busy machine is no failure. Whoever works on the code looks for new examples each
# time; continuous integration judges a change, and gives the same answer twice.
settings.register_profile("patient", deadline=None, derandomize=NO_SKIPS)
settings.load_profile("patient")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one, when skipping is not allowed."""
    report = yield
    if NO_SKIPS and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and ABRI_NO_SKIPS is set: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole module that skips itself."""
    report = yield
    if NO_SKIPS and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"skipped, and ABRI_NO_SKIPS is set: {report.longrepr}"
    return report
