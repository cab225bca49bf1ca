"""What was blocked is opened again through links, by digits or by pictures; a card that is there says which safe comes back."""

import re

import pytest

from crypto.printed import sheet_digits
from tests.vault.builders import PICTURES, MadePerson, Office, make_office, make_person, make_worker
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, new_card, set_circle
from tests.web.site import HOST, Shown, Site
from tests.web.test_what_is_lost import Typed
from vault import audit, people
from vault.circles import NewSheet
from vault.web.guards import KIOSK_COOKIE


@pytest.fixture
def office(site: Site) -> Office:
    made = make_office(site.house)
    site.stand_at(made.administrators[0], made.structure)
    return made


def blocked(site: Site, person: MadePerson) -> None:
    site.open(person)
    people.freeze(site.house, site.session())
    sit_down(site)


def sit_down(site: Site) -> None:
    """Nobody is in front of the kiosk; it stays what it is."""
    kiosk = site.client.cookies.get(KIOSK_COOKIE)
    site.leave()
    if kiosk:
        site.client.cookies.set(KIOSK_COOKIE, kiosk, domain=HOST, path="/")


def thaw(site: Site, card: str, person: MadePerson) -> Shown:
    """From "je me protège" to the last answer, by what the pages lead to."""
    asked = site.get(site.get("/fr/proteger").link("/avec-la-carte/deblocage"))
    page = site.post(asked.path, {"card": card})
    assert page.path == "/fr/debloquer"
    typed = {"number": person.number, "words": " ".join(person.words or ())}
    if person.pictures:
        page = site.get(page.link("/debloquer/images"))
        typed |= {f"picture_{number}": str(one) for number, one in enumerate(person.pictures, 1)}
    else:
        typed["code"] = person.code
    return site.press(page, **typed)


@pytest.mark.parametrize("pictures", [None, PICTURES], ids=["digits", "pictures"])
def test_what_was_blocked_opens_by_what_the_pages_lead_to(site: Site, pictures: tuple[int, ...] | None) -> None:
    awa = make_person(site.house, "Awa", words=True, pictures=pictures)
    blocked(site, awa)
    assert thaw(site, awa.card, awa).path == "/fr/maison"


def test_the_page_of_a_refusal_leads_there_for_everybody_outside(site: Site) -> None:
    """A blocked card, one that nobody has, a wrong code of an open safe: the same page with the same links; not for who is inside."""
    awa, nour = make_person(site.house, "Awa"), make_person(site.house, "Nour")
    blocked(site, awa)
    texts = set()
    for card, code in ((awa.card, awa.code), (new_card(), awa.code), (nour.card, NEW_CODE)):
        shown = site.post("/fr/carte", {"card": card})
        refused = site.press(shown, code=code)
        assert refused.status == 401
        assert refused.link("/avec-la-carte/deblocage")
        texts.add(refused.text)
        sit_down(site)
    assert len(texts) == 1
    site.open(nour)
    page = site.get("/fr/moi/nouveau/code")
    inside = site.press(site.press(site.press(page, code=NEW_CODE), code=NEW_CODE), code="739152")
    assert inside.status == 401
    assert not [one for one in inside.links if "deblocage" in one]
    assert not [one for one in site.get("/fr/proteger").links if "deblocage" in one]


def test_what_is_typed_wrongly_is_said_and_what_is_wrong_is_not(site: Site) -> None:
    awa = make_person(site.house, "Awa", words=True)
    blocked(site, awa)
    page = site.post("/fr/avec-la-carte/deblocage", {"card": awa.card})
    words = " ".join(awa.words or ())
    assert "chiffres" in site.press(page, number=awa.number, words=words, code="12").errors
    assert site.press(page, number="12", words=words, code=awa.code).status == 422
    assert site.press(page, number=awa.number, words="abeille", code=awa.code).status == 422
    pictures = site.get(page.link("/debloquer/images"))
    assert site.press(pictures, number=awa.number, words=words, picture_1="3").status == 422
    assert site.press(page, number=awa.number, words="abeille " * 5, code=awa.code).status == 401
    assert site.get("/fr/avec-la-carte/deblocage/code").status == 404
    assert site.press(page, number=awa.number, words=words, code=awa.code).path == "/fr/maison"


def test_a_forgotten_code_with_the_card_and_two_sheets(site: Site, office: Office, clock: Clock) -> None:
    """No slip with the number, no worker: from the page of the code to the new card, by links alone."""
    mariam = make_person(site.house, "Mariam")
    sheets = set_circle(site.house, mariam, [NewSheet("Rosa"), NewSheet("Ali")]).sheets
    shown = site.post("/fr/carte", {"card": mariam.card})
    forgotten = site.get(shown.link("/aide/code-oublie"))
    where = site.get(forgotten.link("/perdu?oubli=code"))
    begin = site.get(where.link("/perdu/raison/forgotten"))
    assert "Avec la carte que j'ai montrée" in begin.text
    waiting = site.press(begin)
    assert waiting.path == "/fr/perdu/attente"
    for sheet in sheets:
        page = site.get("/fr/perdu/feuille")
        told = site.press(Typed(page), sheet=sheet_digits(sheet.secret))
        assert told.status == 200
    code = site.get("/fr/perdu/attente")
    assert code.path == "/fr/perdu/code"
    again = site.press(code, code=NEW_CODE)
    assert site.press(again, code=NEW_CODE).path == "/fr/perdu/carte"
    card = new_card()
    end = site.post("/fr/perdu/carte", {"token": again.fields()["token"][0], "card": card})
    assert end.path == "/fr/perdu/demain"
    clock.forward(hours=24, minutes=1)
    back = site.post("/fr/avec-la-carte/retour", {"card": card})
    assert site.press(back, code=NEW_CODE).path == "/fr/maison"
    assert [one.event.detail for one in audit.history(site.house, site.session()) if one.event.tag == "recovery.started"] == [
        "forgotten"
    ]


def test_the_card_can_be_shown_first_and_a_card_of_nobody_looks_the_same(site: Site, office: Office) -> None:
    awa = make_person(site.house, "Awa")
    make_worker(site.house, office)
    texts = []
    for card in (awa.card, new_card()):
        sit_down(site)
        asked = site.get(site.get("/fr/perdu/raison/lost").link("/avec-la-carte/oublie"))
        begin = site.post(asked.path, {"card": card})
        assert begin.path == "/fr/perdu/raison/forgotten"
        waiting = site.press(begin)
        assert waiting.path == "/fr/perdu/attente"
        texts.append(re.sub(r"\d", "0", waiting.text))
    assert texts[0] == texts[1]
    sit_down(site)
    assert not [one for one in site.get("/fr/perdu/raison/stolen").links if "avec-la-carte" in one]


def test_a_card_that_was_left_there_by_somebody_else_is_unticked(site: Site, office: Office) -> None:
    """Whoever stood here before showed a card: the next one says no, and no safe is designated."""
    awa = make_person(site.house, "Awa")
    site.post("/fr/carte", {"card": awa.card})
    begin = site.get("/fr/perdu/raison/lost")
    token = begin.fields()["token"]
    site.post("/fr/perdu/commencer", {"token": token, "reason": "lost", "number": ""})
    site.open(awa)
    assert "recovery.started" not in {one.event.tag for one in audit.history(site.house, site.session())}
