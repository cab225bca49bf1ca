"""Losing everything is normal: each combination of what is lost and what remains, through the pages; it opens, or the page says why.

Six things can be lost: the card, the code, the slip with number and words, each of two guardians, a rescue sheet. For each of the 64
combinations somebody comes to the kiosk with what remains and goes as far as the pages let them.
"""

import re
from itertools import combinations
from typing import cast

import pytest

from crypto.printed import sheet_digits
from tests.vault.builders import MadePerson, MadeWorker, make_office, make_person, make_worker
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, face, new_card
from tests.web.site import HOST, Shown, Site
from vault import circles
from vault.circles import NewSheet
from vault.web.guards import KIOSK_COOKIE

THINGS = ("card", "code", "words", "fatou", "marc", "sheet")
WRONG_CODE = "739152"
AT_ONCE, TOMORROW, NOBODY = "at once", "tomorrow", "nobody"


def expected(left: frozenset[str]) -> str:
    """The rule, as a person is told it: two means, or two guardians of the three; with a sheet it takes a day."""
    if {"card", "code"} <= left or "words" in left or {"fatou", "marc"} <= left:
        return AT_ONCE
    if "sheet" in left and left & {"fatou", "marc"}:  # sheets alone are no set where there is a worker
        return TOMORROW
    return NOBODY


class Coming:
    """Somebody at the kiosk with what remains; guardians at desks of their own."""

    def __init__(self, site: Site, desk: Site, person: MadePerson, sheet: str, guardians: dict[str, MadeWorker]) -> None:
        self.site, self.desk, self.person, self.sheet, self.guardians = site, desk, person, sheet, guardians

    def comes_with(self, left: frozenset[str]) -> str:
        """Every way that remains, in the order in which pages offer them. What does not open must say so."""
        self._sit_down()
        if "card" in left:
            shown = self.site.post("/fr/carte", {"card": self.person.card})
            answer = self.site.press(shown, code=self.person.code if "code" in left else WRONG_CODE)
            if "code" in left:
                return AT_ONCE if answer.path == "/fr/maison" else answer.heading
            assert (answer.status, answer.heading) == (401, "Ça n'a pas marché")
        elif "code" in left:
            shown = self.site.post("/fr/carte", {"card": new_card()})
            answer = self.site.press(shown, code=self.person.code)
            assert (answer.status, answer.heading) == (401, "Ça n'a pas marché")
        self._sit_down()
        if "words" in left:
            page = self.site.get("/fr/mots")
            answer = self.site.press(page, number=self.person.number, words=" ".join(self.person.words or ()))
            return AT_ONCE if answer.path == "/fr/maison" else answer.heading
        return self._by_guardians(left)

    def _sit_down(self) -> None:
        """Nobody is in front of the kiosk; it stays a kiosk."""
        kiosk = self.site.client.cookies[KIOSK_COOKIE]
        self.site.leave()
        self.site.client.cookies.set(KIOSK_COOKIE, kiosk, domain=HOST, path="/")

    def _by_guardians(self, left: frozenset[str]) -> str:
        waiting = self.site.press(self.site.get("/fr/perdu/raison/lost"))
        assert waiting.path == "/fr/perdu/attente"
        (code,) = re.findall(r"\b\d{3} ?\d{3}\b", waiting.text)
        if "sheet" in left:  # a sheet does not designate a safe
            refused = self.site.press(self._sheet_page(), sheet=self.sheet)
            assert (refused.status, bool(refused.errors)) == (422, True)
        for name in ("fatou", "marc"):
            if name in left:
                self._confirm(self.guardians[name], code.replace(" ", ""))
        if "sheet" in left and left & {"fatou", "marc"}:
            assert self.site.press(self._sheet_page(), sheet=self.sheet).status == 200
        answered = len(left & {"fatou", "marc"}) + (1 if "sheet" in left and left & {"fatou", "marc"} else 0)
        waiting = self.site.get("/fr/perdu/attente")
        if waiting.path == "/fr/perdu/attente":
            assert answered < 2
            assert not answered or "1 réponse sur 2" in waiting.text
            assert self.site.get("/fr/perdu/code").status == 409
            return self._nothing_left()
        return self._new_means(waiting)

    def _sheet_page(self) -> Shown:
        page = self.site.get("/fr/perdu/feuille")
        for form in page.tree.xpath("//main//form[.//input[@type='file']]"):
            form.getparent().remove(form)
        return Typed(page)

    def _confirm(self, guardian: MadeWorker, code: str) -> None:
        self.desk.sign_in(guardian)
        wards = self.desk.get("/fr/bureau/confiance")
        (address,) = {
            str(line.xpath(".//a/@href")[0]) for line in wards.tree.xpath("//main//tr") if self.person.name in line.text_content()
        }  # fmt: skip
        told = self.desk.press(self.desk.get(address), code=code, where="beside")
        assert told.path == "/fr/bureau/confiance"

    def _new_means(self, page: Shown) -> str:
        assert page.path == "/fr/perdu/code"
        again = self.site.press(page, code=NEW_CODE)
        assert self.site.press(again, code=NEW_CODE).path == "/fr/perdu/carte"
        card = new_card()
        token = again.fields()["token"][0]
        answer = self.site.post("/fr/perdu/carte", {"token": token, "card": card})
        if answer.path == "/fr/maison":
            self._old_means_are_dead()
            return AT_ONCE
        assert answer.path == "/fr/perdu/demain"
        shown = self.site.post("/fr/avec-la-carte/retour", {"card": card})
        assert self.site.press(shown, code=NEW_CODE).status == 429  # not before a day
        cast("Clock", self.site.house.clock).forward(hours=24, minutes=1)
        shown = self.site.post("/fr/avec-la-carte/retour", {"card": card})
        assert self.site.press(shown, code=NEW_CODE).path == "/fr/maison"
        self._old_means_are_dead()
        return TOMORROW

    def _old_means_are_dead(self) -> None:
        """What was lost, found by somebody else."""
        self.desk.leave()
        shown = self.desk.post("/fr/carte", {"card": self.person.card})
        assert self.desk.press(shown, code=self.person.code).status == 401
        page = self.desk.get("/fr/mots")
        assert self.desk.press(page, number=self.person.number, words=" ".join(self.person.words or ())).status == 401

    def _nothing_left(self) -> str:
        last = self.site.get(self.site.get("/fr/perdu/je-ne-sais-plus").link("/perdu/plus-rien"))
        assert "personne ne peut ouvrir" in last.text
        assert "12 mois" in last.text
        assert last.link("/ouvrir/avant/1")
        return NOBODY


class Typed(Shown):
    """The page of a sheet, of which only the form that is typed in is looked at."""

    def __init__(self, page: Shown) -> None:
        super().__init__(page.status, page.url, page.headers, page.content)

    @property
    def form(self):  # type: ignore[no-untyped-def]
        (form,) = self.tree.xpath("//main//form[.//input[@name='sheet']]")
        return form


@pytest.mark.slow
def test_every_combination_of_what_is_lost(site: Site) -> None:
    house, wrong, met = site.house, [], set()
    first, second = make_office(house), make_office(house, "ESI Le Canal")
    guardians = {"fatou": make_worker(house, first), "marc": make_worker(house, second, "Marc")}

    def somebody(name: str) -> tuple[MadePerson, str]:
        person = make_person(house, name, words=True, kiosk=first.kiosk)
        chosen = [*(face(one, name) for one in guardians.values()), NewSheet()]
        (sheet,) = circles.set_circle(house, person.session, person.code, chosen, 2).sheets
        return person, sheet_digits(sheet.secret)

    with site.phone() as desk:
        site.stand_at(first.administrators[0], first.structure)
        person, sheet = somebody("Awa")
        for number, lost in enumerate(lost for size in range(len(THINGS) + 1) for lost in combinations(THINGS, size)):
            left = frozenset(THINGS) - frozenset(lost)
            came = Coming(site, desk, person, sheet, guardians).comes_with(left)
            met.add(came)
            if came != expected(left):
                wrong.append(f"{' and '.join(lost) or 'nothing'} lost: {came}, not {expected(left)}")
            own = "words" in left or {"card", "code"} <= left
            if not own or ("card" in left and "code" not in left):  # wrong codes were tried, or all means are new
                person, sheet = somebody(f"Awa {number}.")
    assert wrong == []
    assert met == {AT_ONCE, TOMORROW, NOBODY}
