"""Scenarios A2 and A4 at the screens: what a thief and a violent partner see is what anybody sees with a card of nobody's."""

import re
from typing import cast

import pytest

from crypto.printed import sheet_digits
from tests.vault.builders import MadePerson, make_person, unlock
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, Circle, confirm, face, make_circle, new_card, set_circle, start
from tests.vault.papers import keep
from tests.web.renewing_steps import all_new
from tests.web.site import Shown, Site
from tests.web.test_what_is_lost import Typed
from vault import account_numbers, audit, circles, coming_back, documents, erasure, protecting, recovery, sessions
from vault.circles import NewSheet
from vault.errors import Conflict

TOKENS = re.compile(rb"\b[0-9a-f]{32}\b")


def as_read(page: Shown) -> tuple[int, str, bytes]:
    """All that a browser could tell two answers by, without the token of the session that each has."""
    return page.status, page.path, TOKENS.sub(b"", page.content)


def with_card(browser: Site, card: str, code: str) -> tuple[Shown, Shown]:
    """A card is shown, a code is typed: both pages."""
    browser.leave()
    shown = browser.post("/fr/carte", {"card": card})
    return shown, browser.press(shown, code=code)


def test_from_the_first_confirmation_on_a_thief_sees_what_a_stranger_sees(site: Site) -> None:
    """A2: the thief is inside, Marc confirms theft: the next click, the next login and a recovery tell nothing."""
    made, unknown = make_circle(site.house), new_card()
    with site.phone() as stranger:
        site.open(made.awa)  # the thief, with card and code
        stranger.open(make_person(site.house, "Nour"))
        _, code = start(site.house, made.canal.kiosk, "stolen")
        confirm(site.house, made.marc, code, theft=True)
        sessions.end(site.house, sessions.find(site.house, stranger.client.cookies["__Host-abri"]))
        assert as_read(site.get("/fr/maison")) == as_read(stranger.get("/fr/maison"))
        thief, nobody = with_card(site, made.awa.card, made.awa.code), with_card(stranger, unknown, made.awa.code)
        assert [as_read(page) for page in thief] == [as_read(page) for page in nobody]
        assert thief[1].status == 401
        for address in ("retour", "reouverture", "effacement"):
            pages = []
            for browser, card in ((site, made.awa.card), (stranger, unknown)):
                browser.leave()
                shown = browser.post(f"/fr/avec-la-carte/{address}", {"card": card})
                pages.append(as_read(browser.press(shown, code=made.awa.code)))
            assert pages[0] == pages[1], address


def _protected(site: Site, made: Circle) -> tuple[MadePerson, str, str]:
    """Mariam, whose partner erased everything an hour ago; she cancels it, then protects herself at the kiosk. Her old sheet."""
    house = site.house
    mariam = make_person(house, "Mariam", kiosk=made.tilleuls.kiosk)
    keep(house, mariam.session, "Titre", text="un papier")
    sheets = circles.set_circle(house, mariam.session, mariam.code, [NewSheet("Rosa"), NewSheet("Ali")], 2).sheets
    erasure.ask(house, unlock(house, mariam), mariam.code)  # her partner, with a photo of the card
    cast("Clock", house.clock).forward(hours=1)
    site.stand_at(made.tilleuls.administrators[0], made.tilleuls.structure)
    shown = site.post("/fr/avec-la-carte/effacement", {"card": mariam.card})
    assert "annul" in site.press(shown, code=mariam.code).text.lower()
    site.open(mariam)
    card = new_card()
    assert all_new(site, mariam, card, NEW_CODE).path == "/fr/ouvrir/feuillet"
    return mariam, card, sheet_digits(sheets[0].secret)


def test_she_hides_and_nothing_of_the_old_means_answers(site: Site) -> None:
    """A4: old card and code, her number, the sheet with an unaware worker, a desk that is asked: all as for nobody."""
    house, made = site.house, make_circle(site.house)
    mariam, card, sheet = _protected(site, made)
    with site.phone() as partner, site.phone() as stranger:
        tries = [(mariam.card, mariam.code, mariam.number), (new_card(), mariam.code, account_numbers.draw())]
        answers = [
            [as_read(page) for page in with_card(one, *told[:2])] for one, told in zip((partner, stranger), tries, strict=True)
        ]
        assert answers[0] == answers[1]
        for browser, (_, _, number) in zip((partner, stranger), tries, strict=True):
            browser.leave()
            browser.stand_at(made.tilleuls.administrators[0], made.tilleuls.structure)
            page = browser.get("/fr/perdu/raison/lost")
            assert browser.press(page, number=number).path == "/fr/perdu/attente"
        before = [as_read(browser.press(Typed(browser.get("/fr/perdu/feuille")), sheet=sheet)) for browser in (partner, stranger)]
        assert before[0] == before[1]
        assert before[0][0] == 422
        for browser, (old, _, _) in zip((partner, stranger), tries, strict=True):  # an unaware worker helps, card in hand
            browser.leave()
            browser.sign_in(made.fatou)
            assert browser.send(browser.get("/fr/bureau/carte"), card=old).path == "/fr/bureau/carte"
    site.leave()
    wards = [one.text for one in _desk_pages(site, made)]
    assert not any("Mariam" in text for text in wards)
    back = unlock(house, MadePerson(**{**vars(mariam), "card": card, "code": NEW_CODE}))
    assert documents.count(house, back) == 1
    assert [one.event.place for one in audit.history(house, back) if one.event.tag == "means.protected"] == [""]
    assert site.get("/").status == 200
    assert "Mariam" not in site.get("/fr").text


def _desk_pages(site: Site, made: Circle) -> list[Shown]:
    """Every page of the desk and of the office that has no parameter: nowhere does her name stand."""
    site.sign_in(made.fatou)
    desk = [site.get(f"/fr/{one}") for one in ("bureau", "bureau/demandes", "bureau/confiance", "bureau/actes", "bureau/bientot")]
    site.sign_in_administrator(made.tilleuls.administrators[0])
    return desk + [site.get(f"/fr/{one}") for one in ("association", "association/registre", "association/personnel")]


def test_a_sheet_of_before_is_void_in_a_recovery_that_had_begun(site: Site) -> None:
    """The sheet was shown an hour before she protected herself: what it had sent counts no more."""
    house, made = site.house, make_circle(site.house)
    unlock(house, made.awa)
    (sheet,) = set_circle(house, made.awa, [face(made.fatou), face(made.marc), NewSheet("sac")]).sheets
    session, code = start(house, made.tilleuls.kiosk)
    confirm(house, made.marc, code)
    recovery.with_sheet(house, session, sheet_digits(sheet.secret))
    assert recovery.state(house, session).must_wait
    protecting.protect(house, unlock(house, made.awa), made.awa.code, new_card(), NEW_CODE)
    assert not recovery.state(house, session).must_wait
    with pytest.raises(Conflict):
        coming_back.wait(house, session, new_card(), "482957")
