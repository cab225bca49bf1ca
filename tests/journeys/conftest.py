"""Fixtures of the journeys: one service for each process of the tests, one Chromium, contexts that start clean."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.browser import CHROMIUM
from tests.journeys import site as sites
from tests.journeys.site import Site
from tests.vault.conftest import in_memory

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", sites.trusted()]  # fmt: skip
LARGE, SMALL = {"width": 1280, "height": 800}, {"width": 360, "height": 640}
NewPage = Callable[..., Page]


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration, made once for all processes of one run; each service has a copy of its own."""
    base = tmp_path_factory.getbasetemp()
    return sites.made_once(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)


@pytest.fixture(scope="session")
def site(demonstration: Path) -> Iterator[Site]:
    """The service, over HTTPS, with the demonstration's people."""
    with in_memory() as folder:
        made, process = sites.start(folder, copied=demonstration)
        yield made
        sites.stop(process)


@pytest.fixture(scope="module")
def own_site(demonstration: Path) -> Iterator[Site]:
    """A service of its own, for journeys that need the demonstration's shares as they were at first. Import it as `site`."""
    with in_memory() as folder:
        made, process = sites.start(folder, copied=demonstration)
        yield made
        sites.stop(process)


@pytest.fixture(scope="module")
def named_site(demonstration: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service of its own under a name, where authenticators work. Import it as `site`."""
    made, process = sites.start(tmp_path_factory.mktemp("named-site"), name="localhost", copied=demonstration)
    yield made
    sites.stop(process)


@pytest.fixture(scope="session")
def chromium(driver: Playwright) -> Iterator[Browser]:
    """Debian's Chromium, with its back/forward cache on: that is where pages come back from."""
    if not Path(CHROMIUM).exists():
        pytest.skip("install Debian's chromium-headless-shell: tools/engines does it")
    browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET, ignore_default_args=["--disable-back-forward-cache"])
    yield browser
    browser.close()


@pytest.fixture
def new_page(chromium: Browser, site: Site) -> Iterator[NewPage]:
    """A browser of its own, as another person would sit down at. `js=False` switches scripts off."""
    contexts: list[BrowserContext] = []

    def make(*, js: bool = True, size: dict[str, int] | None = None) -> Page:
        context = chromium.new_context(
            base_url=site.base, ignore_https_errors=True, java_script_enabled=js, viewport=size or LARGE,  # type: ignore[arg-type]  # a TypedDict there
            accept_downloads=True,
        )  # fmt: skip
        context.set_default_timeout(20_000)
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()
