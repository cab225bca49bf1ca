"""Opening with somebody's help, through the pages of the kiosk and of the desk at once."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest

from consent.ids import PaperId
from consent.purposes import ShelfKind
from tests.vault.builders import MadePerson, MadeWorker, make_office, make_person, make_worker, sign_in, unlock
from tests.web.desk_scene import real_paper
from tests.web.site import Shown, Site
from vault import asking, assisting, shared_papers
from vault.pictograms import REASONS


@pytest.mark.slow
def test_a_person_without_a_code_opens_with_a_worker(site: Site) -> None:
    """A11Y-11 and AUTH-11: chosen, shown at each unlock, opened with card and worker, narrowed, stopped."""
    house = site.house
    office = make_office(house)
    fatou, yonas = make_worker(house, office), make_person(house, "Yonas", drawing="sun", kiosk=office.kiosk)
    real_paper(house, yonas, "Avis de 2025")
    hidden = real_paper(house, yonas, "Ordonnance", "health")
    site.open(yonas)
    assert "seulement avec votre code" in site.get("/fr/moi/accompagne").text
    page = site.get("/fr/moi/accompagne/choisir")
    assert "peut ouvrir sans vous" in page.text
    assert site.press(page, worker=fatou.id, code=yonas.code).status == 422  # no drawer
    page = site.get("/fr/moi/accompagne/choisir")
    told = site.press(page, worker=fatou.id, drawer=["money"], code=yonas.code)
    assert "Fatou peut ouvrir avec votre carte" in told.text
    assert "Argent" in told.text
    assert "Fatou peut ouvrir avec votre carte" in site.get("/fr/maison").text
    site.leave()
    shown = site.post("/fr/carte", {"card": yonas.card})
    assert shown.link("/fr/accompagne")
    waiting = site.press(site.get("/fr/accompagne"), begin="yes")
    (code,) = re.findall(r"\b\d{6}\b", waiting.text)
    with site.phone() as desk:
        desk.sign_in(fatou)
        people = desk.get("/fr/bureau/accompagner")
        one = desk.get(people.link(assisting.people_i_help(house, fatou.session)[0].slot))
        assert desk.press(one, code="000000").status == 422
        assert desk.press(one, code=code).path == "/fr/bureau/accompagner"
    pictures = site.get("/fr/accompagne/attente")
    assert pictures.path == "/fr/accompagne/images"
    home = site.press(pictures, none="yes")
    assert home.path == "/fr/avec-aide"
    assert "C'est ouvert avec Fatou" in home.text
    (paper,) = {link for link in home.links if "/papiers/" in link}
    assert "Avis de 2025" in site.get(paper).text
    assert site.get(f"{paper}/page/1").headers["content-type"] == "image/jpeg"
    assert site.get(f"/fr/avec-aide/papiers/{hidden}").status == 404
    assert site.get(f"/fr/avec-aide/papiers/{hidden}/page/1").status == 404
    for refused in (
        "/fr/maison",
        "/fr/moi/nouveau/code",
        "/fr/montrer",
        "/fr/effacer-tout",
        "/fr/confiance",
        "/fr/proteger/tout-changer",
        "/fr/proteger/nouveau/code",
        "/fr/proteger/revue",
    ):
        assert site.get(refused).status == 403, refused
    assert site.press(home, refuse="yes").path == "/fr/avec-aide"
    assert asking.waiting_for_me(house, unlock(house, yonas)) == []
    site.open(yonas)
    assert "Vous avez ouvert avec Fatou" in site.get("/fr/regards").text
    site.press(site.get("/fr/moi/accompagne"), stop="yes")
    assert "Fatou peut ouvrir" not in site.get("/fr/maison").text


class Scene(NamedTuple):
    """Fatou helps Yonas to open at the kiosk; Marc and Paul may each be shown the paper, or stand beside."""

    paper: PaperId
    yonas: MadePerson
    marc: MadeWorker
    paul: MadeWorker

    def question(self, site: Site, reason: str = "home") -> Shown:
        """What Paul would see, asked for the first time."""
        whom = site.press(site.get(f"/fr/avec-aide/papiers/{self.paper}"), show="yes")
        return site.press(site.press(site.press(whom, worker=self.paul.id), reason=reason), worker=self.marc.id)

    def signed(self, site: Site, asked: Shown) -> Shown:
        """The first yes, Marc's word at his desk, and the question once more."""
        (code,) = re.findall(r"\b\d{6}\b", site.press(asked, answer="yes").text)
        with site.phone() as desk:
            desk.sign_in(self.marc)
            desk.press(desk.press(desk.get("/fr/bureau/accompagner/temoin"), code=code), answer="sign", beside="yes")
        return site.get("/fr/avec-aide/montrer/encore")


@pytest.fixture
def scene(site: Site) -> Scene:
    house = site.house
    office = make_office(house)
    fatou, marc, paul = (make_worker(house, office, name) for name in ("Fatou", "Marc", "Paul"))
    yonas = make_person(house, "Yonas", drawing="sun", kiosk=office.kiosk)
    paper = real_paper(house, yonas, "Avis de 2025")
    assisting.choose(house, yonas.session, yonas.code, fatou.id, [ShelfKind("money")], name="Yonas", drawing="sun")
    site.open_with_help(yonas, fatou)
    return Scene(paper, yonas, marc, paul)


@pytest.mark.slow
def test_with_a_witness_one_paper_is_shown_and_the_question_comes_twice(site: Site, scene: Scene) -> None:
    """Giving in an assisted opening: both screens at once, then the person's own session asks once more and undoes it."""
    house, (paper, yonas, marc, paul) = site.house, scene
    page = site.press(site.get(f"/fr/avec-aide/papiers/{paper}"), show="yes")
    assert page.path == "/fr/avec-aide/montrer/qui"
    page = site.press(page, worker=paul.id)
    assert set(page.buttons["reason"]) <= set(REASONS) - {"other"}
    page = site.press(page, reason="home")
    assert page.path == "/fr/avec-aide/montrer/temoin"
    assert page.buttons["worker"] == [marc.id]  # neither who helps nor who would see
    page = site.press(page, worker=marc.id)
    shown = page.text
    assert "Paul peut voir 1 papier ?" in shown
    assert "Marc est témoin de votre oui." in shown
    waiting = site.press(page, answer="yes")
    (code,) = re.findall(r"\b\d{6}\b", waiting.text)
    assert site.get("/fr/avec-aide/montrer/encore").path == "/fr/avec-aide/montrer/attente"  # nobody has signed
    with site.phone() as desk:
        desk.sign_in(marc)
        first = desk.get("/fr/bureau/accompagner/temoin")
        assert desk.press(first, code="000000" if code != "000000" else "000001").status == 422
        question = desk.press(first, code=code)
        assert "Paul" in question.text
        assert "Un logement" in question.text or "un logement" in question.text
        assert "Yonas" not in question.text
        assert "Avis de 2025" not in question.text
        assert desk.press(question, answer="sign").status == 422  # without saying that they stand beside
        assert "C'est signé" in desk.press(question, answer="sign", beside="yes").text
        assert "témoin d'un accord" in desk.get("/fr/bureau/actes").text
    again = site.get("/fr/avec-aide/montrer/attente")
    assert again.path == "/fr/avec-aide/montrer/encore"
    for line in ("Paul peut voir 1 papier ?", "Pour : un logement.", "Marc est témoin de votre oui.", "Marc a signé."):
        assert line in again.text
    home = site.press(again, answer="yes")
    assert home.path == "/fr/avec-aide"
    assert "C'est montré, pour 1 mois" in home.text
    with site.phone() as desk:
        desk.sign_in(paul)
        people = desk.get("/fr/bureau")
        assert "Une personne vous montre un papier, avec un témoin." in people.text
        (grant,) = [one.grant for one in shared_papers.people_sharing(house, paul.session)]
        assert "Yonas" in desk.get(f"/fr/bureau/personnes/{grant}").text
    site.open(yonas)
    asked = site.get("/fr/maison")
    assert "Est-ce toujours oui ?" in asked.text
    assert "Marc était témoin." in asked.text
    site.press(asked, answer="no")
    assert shared_papers.people_sharing(house, paul.session) == []
    told = site.get("/fr/regards").text
    assert "Marc" in told
    assert "est témoin de votre oui." in told


@pytest.mark.slow
def test_a_no_at_any_step_shows_nothing(site: Site) -> None:
    house = site.house
    office = make_office(house)
    fatou, marc, paul = (make_worker(house, office, name) for name in ("Fatou", "Marc", "Paul"))
    yonas = make_person(house, "Yonas", kiosk=office.kiosk)
    paper = real_paper(house, yonas)
    hidden = real_paper(house, yonas, "Ordonnance", "health")
    assisting.choose(house, yonas.session, yonas.code, fatou.id, [ShelfKind("money")], name="Yonas", drawing="sun")
    site.open_with_help(yonas, fatou)
    for early in ("qui", "pourquoi", "temoin", "accord"):
        assert site.get(f"/fr/avec-aide/montrer/{early}").path == "/fr/avec-aide", early

    def until_the_question() -> Shown:
        page = site.press(site.get(f"/fr/avec-aide/papiers/{paper}"), show="yes")
        return site.press(site.press(site.press(page, worker=paul.id), reason="home"), worker=marc.id)

    token = until_the_question().fields()
    assert site.post(f"/fr/avec-aide/papiers/{hidden}/montrer", token).status == 404
    assert site.press(until_the_question(), answer="no").path == "/fr/avec-aide"
    waiting = site.press(until_the_question(), answer="yes")
    assert site.press(waiting, answer="no").path == "/fr/avec-aide"
    waiting = site.press(until_the_question(), answer="yes")
    (code,) = re.findall(r"\b\d{6}\b", waiting.text)
    with site.phone() as desk:
        desk.sign_in(marc)
        question = desk.press(desk.get("/fr/bureau/accompagner/temoin"), code=code)
        assert "rien n'est montré" in desk.press(question, answer="no").text
        assert desk.get(question.path).status == 404
    told = site.get("/fr/avec-aide/montrer/attente")
    assert "Le témoin n'a pas signé" in told.text
    assert told.link("/fr/avec-aide/montrer/temoin")
    assert shared_papers.people_sharing(house, paul.session) == []


def shown_to(site: Site, worker: MadeWorker) -> int:
    return len(shared_papers.people_sharing(site.house, sign_in(site.house, worker)))


@pytest.mark.slow
def test_a_second_tap_on_either_yes_says_that_it_is_shown(site: Site, scene: Scene) -> None:
    """ "Le témoin n'a pas signé. Rien n'est montré" was the answer while Paul was shown the paper, and another witness was offered."""
    asked = scene.question(site)
    again = scene.signed(site, asked)
    for old in (again, again, asked):
        home = site.press(old, answer="yes")
        assert (home.status, home.path) == (200, "/fr/avec-aide")
        assert "C'est montré, pour 1 mois" in home.text
        assert shown_to(site, scene.paul) == 1
    for step in ("attente", "encore"):
        assert "C'est montré, pour 1 mois" in site.get(f"/fr/avec-aide/montrer/{step}").text, step
    for step in ("qui", "pourquoi", "temoin", "accord"):
        assert site.get(f"/fr/avec-aide/montrer/{step}").path == "/fr/avec-aide", step


@pytest.mark.slow
def test_two_taps_on_the_second_yes_at_the_same_moment_say_the_same(site: Site, scene: Scene) -> None:
    again = scene.signed(site, scene.question(site))
    with ThreadPoolExecutor(2) as taps:
        answers = list(taps.map(lambda _: site.press(again, answer="yes"), range(2)))
    assert [one.url.partition("/fr/")[2] for one in answers] == ["avec-aide?dit=montre"] * 2
    assert shown_to(site, scene.paul) == 1


@pytest.mark.slow
def test_what_was_given_answers_no_other_question(site: Site, scene: Scene) -> None:
    """An old page of another reason is not told that it is shown, nor is what is chosen anew after it, the same once more too."""
    other = scene.question(site, "work")
    site.press(scene.signed(site, scene.question(site)), answer="yes")
    old = site.press(other, answer="yes")
    assert (old.path, "C'est montré" in old.text) == ("/fr/avec-aide", False)
    assert "C'est montré" not in site.press(scene.question(site), answer="yes").text
    assert "C'est montré" not in site.get("/fr/avec-aide/montrer/encore").text
    assert shown_to(site, scene.paul) == 1
