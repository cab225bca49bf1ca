"""The application on a house of the vault's tests, and a browser in front of it."""

import dataclasses
from collections.abc import Callable, Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.vault.conftest import clock, confinement, house, reading_house, tmp_path
from tests.web.everybody import everybody
from tests.web.site import ORIGIN, Site
from vault.app import create_app
from vault.context import Context

__all__ = ["clock", "confinement", "everybody", "house", "reading_house", "tmp_path"]


@pytest.fixture(scope="session")
def application() -> Callable[[Context], Litestar]:
    """The real application, wired once: each test stands it on its own house."""
    made: list[Litestar] = []

    def on(context: Context) -> Litestar:
        if not made:
            made.append(create_app(context))
        made[0].state.context = context
        return made[0]

    return on


@pytest.fixture
def site(reading_house: Context, application: Callable[[Context], Litestar]) -> Iterator[Site]:
    """A browser over HTTPS, as far as cookies know; `site.house` is the context behind the pages."""
    settings = dataclasses.replace(reading_house.settings, origins=(ORIGIN,))
    context = dataclasses.replace(reading_house, settings=settings)
    with TestClient(application(context), base_url=ORIGIN, raise_server_exceptions=False) as client:
        yield Site(context, client)
