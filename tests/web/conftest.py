"""The application on a house of the vault's tests, and a browser in front of it."""

import dataclasses
from collections.abc import Iterator

import pytest
from litestar.testing import TestClient

from tests.vault.builders import MadePerson, MadeWorker, Office, make_office, make_person, make_worker
from tests.vault.conftest import any_house, any_reading_house, clock, confinement, house, reading_house, tmp_path
from tests.web.everybody import everybody, everybody_of_a_room
from tests.web.site import ORIGIN, Site, wired
from vault.context import Context

__all__ = [
    "any_house", "any_reading_house", "clock", "confinement", "everybody", "everybody_of_a_room", "house", "reading_house", "tmp_path",
]  # fmt: skip


@pytest.fixture
def site(reading_house: Context) -> Iterator[Site]:
    """A browser over HTTPS, as far as cookies know; `site.house` is the context behind the pages."""
    settings = dataclasses.replace(reading_house.settings, origins=(ORIGIN,))
    context = dataclasses.replace(reading_house, settings=settings)
    with TestClient(wired(context), base_url=ORIGIN, raise_server_exceptions=False) as client:
        yield Site(context, client)


@pytest.fixture
def office(site: Site) -> Office:
    """A structure with two administrators and a kiosk."""
    return make_office(site.house)


@pytest.fixture
def fatou(site: Site, office: Office) -> MadeWorker:
    """A worker of the team, who may be shown papers."""
    return make_worker(site.house, office, "Fatou")


@pytest.fixture
def awa(site: Site, office: Office) -> MadePerson:
    """Awa, who has just opened her safe and stands before it."""
    made = make_person(site.house, "Awa")
    site.open(made)
    return made
