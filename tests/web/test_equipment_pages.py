"""A kiosk offers what it has: a mute one says nothing aloud, one without a printer prints nothing."""

import dataclasses
from typing import cast

import pytest

from storage.database import Database
from storage.errors import DatabaseUnreachable
from tests.vault.builders import MadePerson, Office, make_person
from tests.vault.papers import keep
from tests.web.site import EVERYTHING, NO_PRINTER, Shown, Site, wired
from vault.kiosks import Equipment

MUTE = Equipment(camera=True, scanner=True, printer=True, sound=False)


@pytest.fixture
def awa(site: Site, office: Office) -> MadePerson:
    made = make_person(site.house, "Awa", kiosk=office.kiosk)
    keep(site.house, made.session, "Lettre")
    return made


class Down:
    """A database of rows that does not answer."""

    def transaction(self, **_: object) -> None:
        raise DatabaseUnreachable


def said_aloud(page: Shown) -> list[str]:
    """Whatever could be heard, or offers to say it."""
    sounds = "//@data-audio | //@data-audio-fr | //@data-hear | //@data-listen | //audio/@src | //@data-warning"
    return [str(one) for one in page.tree.xpath(sounds) if str(one)]


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_a_mute_kiosk_says_nothing_and_offers_no_ear(site: Site, office: Office, awa: MadePerson, language: str) -> None:
    places = ("", "ouvrir/avant/1", "maison", "partages", "nulle-part")
    for equipment, heard in ((EVERYTHING, True), (MUTE, False)):
        site.stand_at(office.administrators[0], office.structure, equipment)
        site.open(awa)
        for place in places:
            page = site.get(f"/{language}/{place}".rstrip("/"))
            assert bool(said_aloud(page)) == heard, (place, equipment)
            assert bool(page.tree.xpath("//a[@href='#listening'] | //*[@id='listening']")) == heard, place


def test_without_a_printer_nothing_is_offered_on_paper(site: Site, office: Office, awa: MadePerson) -> None:
    places = ("regards", "ce-qu-abri-sait", "regards?preuve=1", "certificat")
    offered = {}
    for equipment in (EVERYTHING, NO_PRINTER):
        site.stand_at(office.administrators[0], office.structure, equipment)
        site.open(awa)
        pages = {place: site.get(f"/fr/{place}") for place in places}
        assert {page.status for page in pages.values()} == {200}
        offered[equipment.printer] = {place: "mprimer" in page.text for place, page in pages.items()}
    assert offered == {True: dict.fromkeys(places, True), False: dict.fromkeys(places, False)}


def test_a_failure_has_its_page_when_nobody_can_say_which_kiosk_this_is(
    site: Site, office: Office, awa: MadePerson
) -> None:  # fmt: skip
    site.stand_at(office.administrators[0], office.structure, MUTE)
    site.open(awa)
    wired(dataclasses.replace(site.house, database=cast("Database", Down())))
    shown = site.get("/fr/moi")
    assert (shown.status, shown.errors) == (503, "Abri ne répond pas. Rien n'a changé. Essayez dans un moment.")
