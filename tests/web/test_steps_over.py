"""A step whose way is over, by Back, a second tap or a page of long ago, leads to how things stand: never to "Cette page n'existe pas"."""

import pytest

from consent.purposes import PurposeId
from tests.vault.builders import MadePerson, MadeWorker, Office, make_person, sign_in, unlock
from tests.vault.papers import keep
from tests.web.sharing_steps import awa_on_another_day, share_paper, tax_notice
from tests.web.site import Shown, Site
from tests.web.test_adding_pages import SHEET, taken
from tests.web.test_sending_pages import choose
from vault import asking, copying, documents, outside
from vault.web.shell import COPY_COOKIE

__all__ = ["awa_on_another_day"]  # the Awa of these tests


def led(page: Shown) -> str:
    """Where a page led; it must be one that says how things stand."""
    assert page.status == 200, (page.path, page.status)
    return page.path


@pytest.mark.parametrize("way", ["code", "images"])
def test_the_code_sent_once_more_leads_in(site: Site, office: Office, way: str) -> None:
    """The form holds the token of the card alone; whoever is inside by now did it twice, and nothing is done with it."""
    touched = (3, 5, 7, 0, 2)
    person = make_person(site.house, "Awa", pictures=touched if way == "images" else None)
    site.show_card(person)
    asked = site.get(f"/fr/{way}")
    fields = {"code": person.code} if way == "code" else {f"picture_{at}": str(one) for at, one in enumerate(touched, 1)}
    assert led(site.press(asked, **fields)) == "/fr/maison"
    assert led(site.press(asked, **fields)) == "/fr/maison"
    other = site.get("/fr/moi/nom")
    site.leave()
    site.open(person)
    assert site.press(other, name="Autre").status == 403, "any other form of another session stays refused"


def test_the_steps_of_a_link_that_was_made_or_not(site: Site, awa: MadePerson) -> None:
    steps = ("envoyer", "envoyer/qui", "envoyer/pourquoi", "envoyer/mots", "envoyer/accord")
    begun = f"/fr/papiers/{keep(site.house, awa.session)}/lien"
    assert site.press(choose(site, begun), answer="no").path == "/fr/papiers"
    assert {led(site.get(f"/fr/{one}")) for one in (*steps, "envoyer/fait")} == {"/fr/partages"}
    done = site.press(choose(site, begun), answer="yes")
    assert done.path == "/fr/envoyer/fait"
    site.press(done, done="yes")
    assert {led(site.get(f"/fr/{one}")) for one in (*steps, "envoyer/fait")} == {"/fr/partages"}
    (link,) = outside.mine(site.house, awa.session)
    question = site.get(f"/fr/partages/liens/{link.share}/arreter")
    assert led(site.press(question, answer="yes")) == "/fr/partages"
    assert led(site.press(question, answer="yes")) == "/fr/partages"
    assert led(site.get(question.path)) == "/fr/partages"


def test_the_paper_of_an_answer_that_was_chosen(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    grant = share_paper(site, awa, fatou, tax_notice(site, awa))
    pay = keep(site.house, awa.session, "Paie", "work", sort="payslip")
    asking.ask(site.house, sign_in(site.house, fatou), grant, ("payslip",), PurposeId("home"))
    which = site.press(site.get("/fr/demandes"), answer="give")
    assert which.path == "/fr/demandes/papier"
    site.press(which, paper=pay)
    assert led(site.get("/fr/demandes/papier")) == "/fr/demandes"
    how = site.press(which, paper=pay)
    assert led(how) == "/fr/montrer/comment", "a second tap: the question that follows"
    agree = site.press(how, how="see")
    assert site.press(agree, answer="yes").path == "/fr/demandes"
    assert led(site.get("/fr/demandes/papier")) == "/fr/demandes"
    assert led(site.press(which, paper=pay)) == "/fr/demandes"


def test_a_paper_kept_and_a_copy_taken_twice(site: Site, awa: MadePerson) -> None:
    kind = site.press(site.get(taken(site, SHEET).link("/ajouter/tiroir")), shelf="work")
    assert led(site.press(kind, kind="payslip")).startswith("/fr/papiers")
    assert led(site.press(kind, kind="payslip")) == "/fr/papiers"
    yonas = make_person(site.house, "Yonas", drawing="sun")
    book = keep(site.house, unlock(site.house, yonas), "Livret", "family", sort="family-book")
    secret = copying.offer(site.house, yonas.session, book)
    site.client.cookies.set(COPY_COOKIE, secret)
    question = site.get("/fr/copie")
    site.press(question, answer="yes")
    site.client.cookies.set(COPY_COOKIE, secret)
    assert led(site.press(question, answer="yes")) == "/fr/maison"
    assert len(documents.list_papers(site.house, awa.session)) == 2
