"""The driver of the browser: one for each process of the tests, because it keeps a loop that no second one may join."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Playwright, sync_playwright

CHROMIUM = shutil.which("chromium-headless-shell") or "/usr/bin/chromium"
"""Debian's Chromium. Without windows it opens a page in a quarter of the time; the one with windows does as well."""


@pytest.fixture(scope="session")
def driver() -> Iterator[Playwright]:
    """Playwright, started once."""
    with sync_playwright() as started:
        yield started
