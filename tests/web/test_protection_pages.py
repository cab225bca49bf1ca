"""What somebody who is afraid reads: whom to call, and which people of trust to look at again."""

import dataclasses

import pytest

from tests.vault.builders import make_office, make_person, make_worker
from tests.vault.comings import face
from tests.web.desk_scene import clock_of
from tests.web.site import Site
from vault import circles
from vault.settings import UnsafeSettings, _help_numbers


def test_help_numbers_are_a_setting_and_are_read_without_any_session(site: Site) -> None:
    before = site.client.app.state.context  # type: ignore[attr-defined]
    numbers = _help_numbers("Violences Femmes: 3919; Samu social : 115")
    settings = dataclasses.replace(before.settings, help_numbers=numbers)
    site.client.app.state.context = dataclasses.replace(before, settings=settings)  # type: ignore[attr-defined]
    told = site.get("/fr/proteger/parler").text
    assert "Violences Femmes, 3919" in told
    assert "Samu social, 115" in told
    for wrong in ("3919", "name:", "a: 1; b: 2; c: 3; d: 4; e: 5", "name: <b>"):
        with pytest.raises(UnsafeSettings):
            _help_numbers(wrong)


def test_after_six_months_the_first_page_asks_to_look_at_ones_people_again(site: Site) -> None:
    house = site.house
    fatou = make_worker(house, make_office(house))
    marc = make_worker(house, make_office(house, "ESI Le Canal"), "Marc")
    awa = make_person(house, "Awa")
    circles.set_circle(house, awa.session, awa.code, [face(fatou), face(marc)], 2)
    site.open(awa)
    assert "sont à revoir" not in site.get("/fr/maison").text
    clock_of(house).forward(days=190)
    site.open(awa)
    assert "sont à revoir" in site.get("/fr/maison").text
    site.press(site.get("/fr/confiance"))
    assert "sont à revoir" not in site.get("/fr/maison").text
