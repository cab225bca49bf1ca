"""The driver of the browser: one for each process of the tests, because it keeps a loop that no second one may join."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Playwright, sync_playwright


@pytest.fixture(scope="session")
def driver() -> Iterator[Playwright]:
    """Playwright, started once."""
    with sync_playwright() as started:
        yield started
