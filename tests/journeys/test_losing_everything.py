"""A2 and A4 of the acceptance scenarios, in Chromium: the bag is stolen and the thief knows the code; she hides from who knows all."""

import dataclasses
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from consent.ids import PaperId
from consent.purposes import PurposeId, ShelfKind
from consent.scope import Act
from crypto.printed import sheet_digits
from tests.journeys.house import Hands, hands, kiosk_of
from tests.vault.builders import MadePerson, make_office, make_person, make_worker, unlock
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, face, make_circle, new_card, set_circle
from tests.vault.conftest import clock, confinement, house, reading_house
from tests.vault.papers import SAID
from tests.vault.scenes import saved, sheet
from vault import account_numbers, audit, documents, intake, sharing, showing
from vault.circles import NewSheet
from vault.context import Context
from vault.sharing import Offer

__all__ = ["clock", "confinement", "hands", "house", "reading_house"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("tour")]
SitDown = Callable[[], Hands]


def received(house: Context, person: MadePerson, papers: list[PaperId]) -> list[bytes]:
    """The papers as they came, each byte."""
    session = unlock(house, person)
    found = []
    for paper in papers:
        with documents.open_paper(house, session, paper, "received") as content:
            found.append(b"".join(content.chunks()))
    return found


def confirm(desk: Hands, name: str, code: str) -> None:
    """A guardian finds the person in "people who count on me", types the kiosk's code and says: theft, beside me."""
    desk.go("bureau/confiance")
    desk.page.locator("main tr", has_text=name).locator("a").first.click()
    desk.page.locator("[name=code]").fill(code)
    desk.page.locator("[name=where][value=beside]").check()
    desk.page.locator("[name=theft]").check()
    desk.page.locator("main button[type=submit]").first.click()
    desk.page.wait_for_url("**/bureau/confiance?dit=confirme")


WITH_A_CARD = ("carte", "avec-la-carte/retour", "avec-la-carte/reouverture", "avec-la-carte/effacement")


def with_card(one: Hands, card: str, code: str, *places: str) -> list[str]:
    """A card is shown and a code typed, to open and for everything else that a card can be for: all the pages."""
    pages = []
    for place in places or WITH_A_CARD:
        one.show_card(card, place)
        pages.append(one.reads())
        one.type_code(code)
        pages.append(one.reads())
    return pages


def test_a2_the_bag_is_stolen_and_the_thief_knows_the_code(reading_house: Context, clock: Clock, hands: SitDown) -> None:
    """Four browsers: the kiosk, two desks, the thief's; and a fifth, of somebody with a card of nobody's, to compare with."""
    house, made = reading_house, make_circle(reading_house)
    awa, pages = made.awa, intake.prepare(reading_house.confinement, [saved(sheet(420, 594), "JPEG", quality=80)])
    papers = [documents.deposit(house, awa.session, pages, ShelfKind("money"), title=f"Papier {n}") for n in range(9)]
    clock.forward(days=1)
    unlock(house, awa)
    see = frozenset({Act.SEE})
    until = house.clock().date().replace(month=12, day=28)
    grants = [
        sharing.grant(house, awa.session, worker.id, Offer(PurposeId("home"), see, until, SAID, tuple(papers[:2]), None))
        for worker in (made.fatou, made.marc)
    ]
    before = received(house, awa, papers)

    # Given a thief with card and code who has opened once this morning, and is inside
    canal = kiosk_of(house, made.canal)
    thief, stranger = hands().stands_at(canal), hands().stands_at(canal)
    thief.open_safe(awa)
    clock.forward(hours=2)
    thief.open_safe(awa)
    nour = make_person(house, "Nour", kiosk=made.canal.kiosk)
    stranger.open_safe(nour)

    # When Awa arrives with nothing and says so to Marc, and both guardians confirm "vol" at their own desks
    kiosk = hands().stands_at(kiosk_of(house, made.tilleuls))
    kiosk.go("perdu")
    kiosk.touch("On m'a pris la carte")
    kiosk.touch("Continuer")
    code = re.sub(r"\D", "", kiosk.page.locator(".number").inner_text())
    assert "réponse" not in kiosk.page.locator("main").inner_text()
    marc, fatou = hands(), hands()
    marc.sign_in(house, made.marc)
    confirm(marc, "Awa", code)

    # Then from the first confirmation on the thief's next click and next login are those of an unknown card
    unknown = new_card()
    unlock(house, nour)  # her session ends because she opens elsewhere
    for one in (thief, stranger):
        one.go("papiers")
    assert thief.reads() == stranger.reads()
    assert "Papier 1" not in thief.reads()
    assert with_card(thief, awa.card, awa.code) == with_card(stranger, unknown, awa.code)
    kiosk.go("perdu/attente")
    kiosk.says("1 réponse sur 2")

    # With two confirmations she chooses a new code on a new card
    fatou.sign_in(house, made.fatou)
    confirm(fatou, "Awa", code)
    kiosk.go("perdu/attente")
    kiosk.page.wait_for_url("**/perdu/code")
    for _ in range(2):
        kiosk.type_code(NEW_CODE)
    kiosk.page.wait_for_url("**/perdu/carte")
    card = new_card()
    kiosk.page.locator("input[name=card]").fill(card)
    kiosk.page.locator("input[name=card]").press("Enter")
    kiosk.page.wait_for_url("**/maison")
    kiosk.says("9 papiers")

    # All nine papers are byte-identical, shares live on
    back = dataclasses.replace(awa, card=card, code=NEW_CODE)
    for worker, desk, grant in ((made.fatou, fatou, grants[0]), (made.marc, marc, grants[1])):
        answer = desk.page.goto(f"/fr/bureau/papiers/{grant}/{papers[0]}")
        assert answer is not None
        assert answer.status == 200, worker.first_name
        expect(desk.page.locator("img.viewer-page")).to_have_count(1)
    # ... export and whole erasure wait 24 hours
    kiosk.go("effacer-tout/code")
    kiosk.type_code(NEW_CODE)
    kiosk.says("C'est possible le 25 novembre 2026")
    kiosk.go("emporter")
    kiosk.page.locator("button[value=usb]").click()
    kiosk.says("C'est possible le 25 novembre 2026")
    # ... the morning's opening is on her page, without place
    kiosk.go("regards")
    text = kiosk.page.locator("main").inner_text()
    assert "Vous avez ouvert" in text
    assert "Tilleuls" not in text
    assert "Canal" not in text
    assert received(house, back, papers) == before
    assert {one.grant for one in showing.grants_of(house, unlock(house, back))} == set(grants)
    # And a day later, as on this one, the thief's card is a card of nobody's
    clock.forward(hours=25)
    assert with_card(thief, awa.card, awa.code, "carte") == with_card(stranger, unknown, awa.code, "carte")
    kiosk.open_safe(back)
    kiosk.go("effacer-tout/code")
    kiosk.type_code(NEW_CODE)
    assert kiosk.page.url.endswith("/effacer-tout")
    kiosk.says("effac")


def test_a4_she_hides(reading_house: Context, clock: Clock, hands: SitDown) -> None:
    """Her partner photographed her card, knows her code, keeps one of her two sheets, and both go to the same ESI."""
    house = reading_house
    office = make_office(house)
    fatou, marc = make_worker(house, office), make_worker(house, make_office(house, "ESI Le Canal"), "Marc")
    mariam = make_person(house, "Mariam", words=True, kiosk=office.kiosk, language="ar")
    pages = intake.prepare(house.confinement, [saved(sheet(420, 594), "JPEG", quality=80)])
    papers = [documents.deposit(house, mariam.session, pages, ShelfKind("other"), title=f"Livret {n}") for n in range(2)]
    sheets = set_circle(house, mariam, [face(fatou, "Mariam"), NewSheet("Rosa"), NewSheet("lui")]).sheets
    clock.forward(days=1)
    unlock(house, mariam)
    until = house.clock().date().replace(month=12, day=28)
    sharing.grant(
        house, mariam.session, fatou.id, Offer(PurposeId("home"), frozenset({Act.SEE}), until, SAID, tuple(papers[:1]), None)
    )
    before = received(house, mariam, papers)
    start = kiosk_of(house, office)
    partner, stranger, her = (hands().stands_at(start) for _ in range(3))

    # He had pressed "Tout effacer" an hour earlier: it looked done to him
    partner.open_safe(mariam)
    partner.go("effacer-tout/code")
    partner.type_code(mariam.code)
    partner.says("effac")
    partner.touch("Recommencer")
    clock.forward(hours=1)
    # ... and it is cancelled by her card within 72 hours
    her.show_card(mariam.card, "avec-la-carte/effacement")
    her.type_code(mariam.code)
    her.says("annul")

    # A second simultaneous session of the same safe ends the first in neutral words
    partner.open_safe(mariam)
    her.open_safe(mariam)
    partner.go("papiers")
    told = partner.page.locator("main").inner_text()
    assert not any(word in told for word in ("Mariam", "ailleurs", "Livret", "carte", "quelqu'un"))
    partner.page.locator(".choice-main a").first.click()  # where a kiosk begins: it is still a kiosk

    # When she taps "Je me protège" and freezes
    her.go("aide")
    her.touch("Je me protège")
    her.touch("Tout bloquer maintenant")
    her.touch("Oui, bloquer")
    her.says("C'est bloqué.")
    her.go("aide")
    her.touch("Je me protège")
    her.touch("Débloquer")
    her.page.locator("input[name=card]").fill(mariam.card)
    her.page.locator("input[name=card]").press("Enter")
    her.page.wait_for_url("**/debloquer")
    her.fill(code=mariam.code, number=mariam.number, words=" ".join(mariam.words or ()))
    her.page.wait_for_url("**/maison")
    # ... gets a new card and code
    card = new_card()
    her.go("proteger")
    her.touch("Tout changer")
    her.touch("Commencer")
    for _ in range(2):
        her.type_code(NEW_CODE)
    her.page.wait_for_url("**/nouveau/carte")
    her.page.locator("input[name=card]").fill(card)
    her.page.locator("input[name=card]").press("Enter")
    her.page.wait_for_url("**/nouveau/oui")
    her.type_code(mariam.code)
    her.page.wait_for_url("**/ouvrir/feuillet")
    number = re.sub(r"\D", "", her.page.locator(".number").first.inner_text())
    assert number != mariam.number
    her.page.locator("main form button[type=submit]").last.click()
    # ... reviews guardians and shares one by one
    her.page.wait_for_url("**/proteger/revue")
    her.says("Fatou")
    her.touch("Oui, je garde")
    her.says("2 sur 2")
    her.touch("Non, j'arrête")
    assert her.heading() == "Vous avez tout revu"
    her.page.locator("main button[name=done]").click()
    her.page.wait_for_load_state()
    renewed = dataclasses.replace(mariam, card=card, code=NEW_CODE, number=number)

    # Then his old card and code, and her number, are those of nobody
    unknown = new_card()
    assert with_card(partner, mariam.card, mariam.code) == with_card(stranger, unknown, mariam.code)
    waiting = []
    for one, shown in ((partner, mariam.number), (stranger, account_numbers.draw())):
        one.go("perdu/raison/lost")
        one.fill(number=shown)
        one.page.wait_for_url("**/perdu/attente")
        waiting.append(one.page.locator(".number").inner_text())
    assert re.sub(r"\d", "0", partner.reads()) == re.sub(r"\d", "0", stranger.reads())
    # ... the sheet with an unaware worker is void before any change
    desk = hands()
    desk.sign_in(house, fatou)
    desk.go("bureau/confiance")
    desk.page.locator("main tr", has_text="Mariam").locator("a").first.click()
    desk.page.locator("[name=code]").fill(re.sub(r"\D", "", waiting[0]))
    desk.page.locator("[name=where][value=beside]").check()
    desk.page.locator("main button[type=submit]").first.click()
    partner.go("perdu/feuille")
    partner.page.locator("[name=sheet]").fill(sheet_digits(next(one for one in sheets if one.label == "lui").secret))
    partner.page.locator("[name=sheet]").press("Enter")
    partner.page.locator("#errors").wait_for()
    partner.go("perdu/attente")
    assert partner.page.url.endswith("/perdu/attente")
    # ... no desk and no office page tells that a safe named so exists
    desk.sign_in(house, marc)
    for place in ("bureau", "bureau/demandes", "bureau/confiance", "bureau/actes", "bureau/bientot", "bureau/carte"):
        desk.go(place)
        assert "Mariam" not in desk.page.content(), place
    # ... nothing is lost, nothing names a place, and the share that she stopped is stopped
    assert received(house, renewed, papers) == before
    assert showing.grants_of(house, unlock(house, renewed)) == []
    her.open_safe(renewed)
    her.go("regards")
    assert not any(place in her.page.locator("main").inner_text() for place in ("Tilleuls", "Canal", "poste"))
    assert {one.event.place for one in audit.history(house, renewed.session) if one.event.tag == "means.protected"} == {""}
    # ... her language and her name are nowhere on the next person's screen
    her.language = "ar"
    her.open_safe(renewed)
    assert her.page.locator("html").get_attribute("dir") == "rtl"
    her.page.locator(".control-done").click()
    her.page.wait_for_url("**/fin")
    assert "Mariam" not in her.page.content()
    her.page.goto("/")
    assert her.page.locator("html").get_attribute("lang") == "fr"
    assert "Mariam" not in her.page.content()
