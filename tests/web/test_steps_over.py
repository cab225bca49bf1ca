"""A step whose way is over, by Back, a second tap or a page of long ago, leads to how things stand: never to "Cette page n'existe pas"."""

import pytest

from consent.purposes import PurposeId
from tests.vault.builders import MadePerson, MadeWorker, Office, make_person, sign_in, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.papers import keep
from tests.web.sharing_steps import awa_on_another_day, share_paper, tax_notice
from tests.web.site import Shown, Site
from tests.web.test_adding_pages import SHEET, taken
from tests.web.test_desk_pages import submit
from tests.web.test_sending_pages import choose
from vault import asking, card_keeping, copying, documents, first_day, outside, restricting, rights, workers
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


def test_a_paper_erased_for_good_and_one_taken_back_twice(site: Site, awa: MadePerson) -> None:
    """Right after it worked "Cette page n'existe pas" was the answer to the second of two taps."""
    paper = tax_notice(site, awa)
    site.press(site.get(f"/fr/papiers/{paper}/effacer"), answer="yes")
    back = site.get(f"/fr/papiers/{paper}")
    for_good = site.get(f"/fr/papiers/{paper}/effacer")
    assert [site.press(back, answer="yes").url.partition("/fr/")[2] for _ in range(2)] == ["papiers?dit=repris"] * 2
    site.press(site.get(f"/fr/papiers/{paper}/effacer"), answer="yes")
    assert [led(site.press(for_good, answer="yes")) for _ in range(2)] == ["/fr/papiers"] * 2
    assert led(site.press(back, answer="yes")) == "/fr/papiers"
    assert documents.bin_of(site.house, awa.session) == documents.list_papers(site.house, awa.session) == []


def test_a_yes_of_the_first_day_said_again_twice(site: Site, office: Office, fatou: MadeWorker, clock: Clock) -> None:
    person = make_person(site.house, "Yonas", drawing="sun", kiosk=office.kiosk)
    site.open(person)
    for _ in range(2):
        share_paper(site, person, fatou, keep(site.house, person.session))
        clock.forward(minutes=1)
    clock.forward(days=3)
    site.open(person)
    first = site.get("/fr/maison")
    assert first.path == "/fr/partages/toujours-oui"
    for _ in range(2):
        assert led(site.press(first, answer="yes")) == "/fr/partages/toujours-oui", "the next one is asked, and not answered"
    assert len(first_day.said_yes(site.house, unlock(site.house, person))) == 1


def test_what_nothing_moves_for_ended_twice_and_a_number_said_twice(site: Site, office: Office, awa: MadePerson) -> None:
    with site.house.database.transaction() as connection:
        restricting.begin(site.house, connection, awa.id)
    page = site.get("/fr/droits/rien-ne-bouge")
    assert [led(site.press(page, code=awa.code)) for _ in range(2)] == ["/fr/droits"] * 2
    letter = rights.receive(site.house, sign_in_administrator(site.house, office.administrators[0]), "access", "letter")
    page = site.get("/fr/droits/numero")
    for _ in range(2):
        assert letter.number in site.press(page, code=awa.code, number=letter.number).text


def test_a_card_given_back_and_an_invitation_cancelled_twice(
    site: Site, office: Office, awa: MadePerson, fatou: MadeWorker
) -> None:
    """At a desk and in the office too."""
    card_keeping.keep(site.house, awa.session, fatou.id, name="Awa", drawing="turtle")
    site.leave()
    site.sign_in(fatou)
    kept = site.get("/fr/bureau/confiance")
    (act,) = [one for one in kept.tree.xpath("//main//form/@action") if "/carte-rendue/" in one]
    assert [led(submit(site, kept, str(act))) for _ in range(2)] == ["/fr/bureau/confiance"] * 2
    workers.invite(
        site.house, sign_in_administrator(site.house, office.administrators[0]), office.structure, "Inès", "salaried", None
    )
    site.sign_in_administrator(office.administrators[0])
    staff = site.get("/fr/association/personnel")
    (act,) = [one for one in staff.tree.xpath("//main//form/@action") if "/invitations/" in one]
    assert [led(submit(site, staff, str(act))) for _ in range(2)] == ["/fr/association/personnel"] * 2
