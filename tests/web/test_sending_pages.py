"""Send by a link, page by page: the person at the kiosk, somebody outside on their own machine, and stopping, with the code or not."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from consent.purposes import PurposeId
from tests.vault.builders import MadePerson, make_person, show_card, unlock
from tests.vault.papers import SAID, keep
from tests.web.desk_scene import real_paper
from tests.web.site import Shown, Site, read_square
from tests.web.test_desk_pages import submit
from tests.web.test_office_pages import clock_of
from vault import documents, outside, outside_links, sending
from vault.outside import OutsideOffer


@pytest.fixture
def awa(site: Site) -> MadePerson:
    """On the second day of her safe."""
    made = make_person(site.house, "Awa")
    clock_of(site).forward(days=1)
    unlock(site.house, made)
    site.open(made)
    return made


def choose(site: Site, address: str, name: str = "Banque du Canal", reason: str = "bank") -> Shown:
    """From K14 to the page of the yes."""
    whom = site.get(address)
    assert whom.heading == "À qui l'envoyer ?"
    assert site.press(whom, name=" ").status == 422
    return site.press(site.press(whom, name=f"  {name} "), reason=reason)


def given_link(page: Shown) -> tuple[str, str]:
    """The link and the code that the page shows."""
    link = re.search(r"(?:[0-9A-Z]{4}-){4}[0-9A-Z]{4}", page.text)
    code = re.search(r"\b[0-9]{6}\b", page.text)
    assert link
    assert code
    return link[0], code[0]


def test_one_paper_goes_out_by_a_link_that_stands_in_no_address(site: Site, awa: MadePerson) -> None:
    paper = real_paper(site.house, awa)
    more = site.get(f"/fr/papiers/{paper}/que-faire?plus=1")
    agree = choose(site, more.link("/lien"))
    assert agree.heading == "Envoyer 1 papier à Banque du Canal ?"
    assert "avis d'impôt" in agree.text
    assert "Le nom, la raison et le jour sont écrits sur chaque page." in agree.text
    done = site.press(agree, answer="yes")
    link, code = given_link(done)
    assert done.path == "/fr/envoyer/fait"
    assert link not in done.url
    square = read_square(site.get(done.images[0]).content)
    assert square == f"https://abri.test/fr/lien#{link}"
    slip = site.get("/fr/envoyer/fait/imprimer")
    assert link in slip.text
    assert code not in slip.text
    site.press(done, done="yes")
    assert site.get("/fr/envoyer/fait").path == "/fr/partages"
    (shown,) = outside.mine(site.house, awa.session)
    with site.phone() as bank:
        door = bank.get("/en/lien")
        wrong, unknown = bank.press(door, link=link, code="1" * 6), bank.press(door, link="0" * 20, code=code)
        assert (wrong.status, unknown.status) == (401, 401)
        assert wrong.text == unknown.text
        inside = bank.press(door, link=link.lower().replace("-", " "), code=code)
        assert inside.path == "/en/lien/papiers"
        assert "For you: Banque du Canal" in inside.text
        assert "The link opens 2 more times." in inside.text
        image = bank.get(inside.images[0])
        assert (image.status, image.headers["content-type"]) == (200, "image/jpeg")
        assert "no-store" in image.headers["cache-control"]
        made = submit(bank, inside, "/en/lien/dossier")
        assert made.content.startswith(b"%PDF")
        assert bank.get("/fr/maison").status == 403
        site.open(awa)
        stop = site.get(site.get("/fr/partages").link(f"{shown.share}/arreter"))
        assert "Banque du Canal" in stop.text
        site.press(stop, answer="yes")
        assert bank.get("/en/lien/papiers").heading == "This link does not work any more"
        assert bank.get(inside.images[0]).status == 404
        assert bank.press(bank.get("/en/lien"), link=link, code=code).status == 401
        left = submit(bank, inside, "/en/lien/fini")
        assert left.headers["clear-site-data"]
    tags = site.get("/fr/regards").text
    assert "Banque du Canal" in tags


def test_several_papers_without_the_mark_in_arabic_and_no_that_forgets(site: Site, awa: MadePerson) -> None:
    first = keep(site.house, awa.session, "Carte", "identity", sort="identity-card")
    second = keep(site.house, awa.session, "Secret", "private")
    third = keep(site.house, awa.session, "RIB", "money", sort="bank-details")
    assert site.get(f"/ar/papiers/{second}/lien").status == 404
    agree = choose_ar(site, f"/ar/papiers/{first}/lien")
    which = site.get(agree.link("/envoyer"))
    boxes = [str(one.get("value")) for one in which.tree.xpath("//input[@name='paper']")]
    assert set(boxes) == {first, third}
    assert site.press(which, paper=[], go="on").status == 422
    agree = site.press(which, paper=[first, third], go="on")
    assert agree.path == "/ar/envoyer/accord"
    bare = site.press(agree, answer="no-mark")
    assert bare.buttons["answer"] == ["yes", "no", "mark"]
    assert site.press(bare, answer="no").path == "/ar/papiers"
    assert site.get("/ar/envoyer/accord").path == "/ar/partages"
    assert outside.mine(site.house, awa.session) == []


def test_a_paper_that_left_is_said_and_the_others_are_chosen_anew(site: Site, awa: MadePerson) -> None:
    gone, other = (keep(site.house, awa.session, name, "money", sort="bank-details") for name in ("RIB", "Autre"))
    agree = choose(site, f"/fr/papiers/{gone}/lien")
    documents.remove(site.house, awa.session, gone)
    led = site.press(agree, answer="yes")
    assert led.path == "/fr/envoyer"
    assert "Un papier choisi ne peut plus être montré. Rien n'a été montré." in led.text
    again = site.press(led, paper=[other], go="on")
    assert (again.path, again.heading) == ("/fr/envoyer/accord", agree.heading)
    assert outside.mine(site.house, awa.session) == []
    documents.remove(site.house, awa.session, other)
    assert not site.get("/fr/envoyer/accord").tree.xpath("//main//form")  # none is left: no box, and no button


def choose_ar(site: Site, address: str) -> Shown:
    words = site.press(site.press(site.get(address), name="محمد"), reason="other")
    assert words.path == "/ar/envoyer/mots"
    assert site.press(words, words="").status == 422
    assert "جملة قصيرة" in site.press(words, words="كراء " * 60).errors  # a sentence that is too long is not a name
    return site.press(words, words="كراء")


def test_nothing_goes_out_on_the_first_day(site: Site) -> None:
    awa = make_person(site.house, "Awa")
    site.open(awa)
    agree = choose(site, f"/fr/papiers/{keep(site.house, awa.session)}/lien")
    refused = site.press(agree, answer="yes")
    assert refused.status == 422
    assert outside.mine(site.house, awa.session) == []


def test_two_taps_on_the_yes_are_one_link(site: Site, awa: MadePerson) -> None:
    agree = choose(site, f"/fr/papiers/{keep(site.house, awa.session)}/lien")
    first, again = site.press(agree, answer="yes"), site.press(agree, answer="yes")
    assert (again.status, again.path) == (200, "/fr/envoyer/fait")
    assert given_link(again) == given_link(first)
    (link,) = outside.mine(site.house, awa.session)
    assert [row for row in site.house.keyvault.owned(awa.id) if row[0] == "grant"] == [("grant", link.share)]


def test_two_taps_at_the_same_moment_are_one_link(site: Site, awa: MadePerson) -> None:
    """The second has read what was chosen before the first had made the link of it."""
    choose(site, f"/fr/papiers/{keep(site.house, awa.session)}/lien")
    both, chosen = threading.Barrier(2), sending.current(site.house, awa.session)

    def send() -> None:
        both.wait(10)
        sending.send(site.house, awa.session, chosen, SAID, "un compte en banque")

    with ThreadPoolExecutor(2) as taps:
        for one in [taps.submit(send) for _ in range(2)]:
            one.result()
    (link,) = outside.mine(site.house, awa.session)
    assert sending.shown(site.house, awa.session)[0] == link.share


def test_each_of_many_links_is_reached_with_the_card_alone(site: Site, awa: MadePerson) -> None:
    offer = OutsideOffer((keep(site.house, awa.session),), "Banque", PurposeId("bank"), SAID, words="un compte")
    made = {outside.give(site.house, awa.session, offer).share for _ in range(4)}
    site.show_card(awa)
    first = site.get("/fr/arreter/liens")
    second = site.get(first.link("suite=2"))
    forms = [str(one.get("action")) for page in (first, second) for one in page.tree.xpath("//main//form")]
    assert {one.rsplit("/", 1)[-1] for one in forms} == made
    assert first.path == site.get(second.link("suite=1")).path


def test_a_link_stops_with_the_card_alone(site: Site, awa: MadePerson) -> None:
    paper = keep(site.house, awa.session)
    given = outside.give(site.house, awa.session, OutsideOffer((paper,), "Banque", PurposeId("bank"), SAID, words="un compte"))
    site.show_card(awa)
    page = site.get(site.get("/fr/arreter").link("/arreter/liens"))
    assert "Banque" not in page.text  # the name is sealed: the card alone does not read it
    assert site.press(page, answer="yes").path == "/fr/arreter"
    assert outside.mine(site.house, show_card(site.house, awa.card)) == []
    assert outside_links.draw() != given.secrets
    site.show_text("ABRI-C1-AAAAAAAAAAAAAAAAAAAAAAAAAA")
    assert "Il n'y a pas de lien qui marche." in site.get("/fr/arreter/liens").text
