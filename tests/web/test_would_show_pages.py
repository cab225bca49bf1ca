"""Putting a paper where somebody looks: each way of the kiosk says who, and asks, before it happens; no leaves things as they were."""

import pytest

from tests.vault.builders import MadePerson, MadeWorker, make_office, make_person, make_worker, sign_in, unlock
from tests.vault.papers import keep
from tests.vault.test_assisted import helped
from tests.vault.test_sharing import SEE, offer
from tests.web.sharing_steps import another_day, share_drawer
from tests.web.site import Site
from tests.web.test_adding_pages import SHEET, taken
from tests.web.test_desk_pages import said
from vault import copying, documents, removing, shared_papers, sharing
from vault.web.shell import COPY_COOKIE


@pytest.fixture
def fatou(site: Site) -> MadeWorker:
    return make_worker(site.house, make_office(site.house), "Fatou")


@pytest.fixture
def awa(site: Site) -> MadePerson:
    return make_person(site.house, "Awa")


def on_the_desk(site: Site, fatou: MadeWorker) -> int:
    """How many papers Fatou sees."""
    return sum(len(papers) for _, papers in shared_papers.everything_shared(site.house, sign_in(site.house, fatou)))


def test_not_knowing_the_drawer_asks_as_much_as_knowing_it(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    share_drawer(site, awa, fatou, "other")
    site.open(awa)
    drawer = site.get(taken(site, SHEET).link("/ajouter/tiroir"))
    asks = site.press(drawer, dont_know="yes")
    assert asks.heading == said("k13.would_show")
    assert "Fatou verra ce papier." in asks.text
    assert on_the_desk(site, fatou) == 0
    assert site.press(asks, answer="yes").path == "/fr/papiers"
    assert on_the_desk(site, fatou) == 1


def test_a_drawer_shown_after_it_was_chosen_is_asked_about_at_the_end(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    """On another screen of the same session."""
    another_day(site, awa)
    site.open(awa)
    kind = site.press(site.get(taken(site, SHEET).link("/ajouter/tiroir")), shelf="work")
    assert kind.path == "/fr/ajouter/sorte"
    sharing.grant(site.house, awa.session, fatou.id, offer(acts=SEE, shelf="work"))
    asks = site.press(kind, kind="payslip")
    assert asks.heading == said("k13.would_show")
    assert documents.list_papers(site.house, awa.session) == []
    kept = site.press(site.press(asks, answer="yes"), kind="payslip")
    assert "Le papier est gardé." in kept.text
    assert on_the_desk(site, fatou) == 1


def test_many_papers_are_asked_about_once_before_the_first(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    share_drawer(site, awa, fatou, "other")
    site.open(awa)
    asks = site.get("/fr/ajouter/beaucoup")
    assert asks.heading == said("k13.would_show")
    assert "Fatou verra ces papiers." in asks.text
    assert "/fr/ajouter" in asks.links  # no
    form = site.press(asks, answer="yes")
    assert form.path == "/fr/ajouter/beaucoup"
    assert "2 papiers" in site.send(site.send(form, ("a.jpg", SHEET)), ("b.jpg", SHEET + b"\0")).text
    assert on_the_desk(site, fatou) == 2


def test_a_paper_taken_back_out_of_the_bin(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    seen, hidden = (keep(site.house, awa.session, title, "health", text=title) for title in ("Ordonnance", "Analyse"))
    for paper in (seen, hidden):
        removing.remove(site.house, awa.session, paper)
    share_drawer(site, awa, fatou, "health")
    site.open(awa)
    for paper, answer in ((hidden, {"instead": "private"}), (seen, {"answer": "yes"})):
        page = site.get(f"/fr/papiers/{paper}")
        asks = site.post(f"/fr/papiers/{paper}/reprendre", {**page.fields()})
        assert asks.heading == said("k13.would_show")
        assert said("papers.restored") in site.press(asks, **answer).text
    shelves = {card.paper: card.shelf for card in documents.list_papers(site.house, awa.session)}
    assert shelves == {hidden: "private", seen: "health"}
    assert on_the_desk(site, fatou) == 1


def test_a_copy_of_somebodys_paper(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    yonas = make_person(site.house, "Yonas", drawing="sun")
    share_drawer(site, awa, fatou, "family")
    paper = keep(site.house, unlock(site.house, yonas), "Livret", "family", sort="family-book")
    secret = copying.offer(site.house, yonas.session, paper)
    site.open(awa)
    site.client.cookies.set(COPY_COOKIE, secret)
    asks = site.press(site.get("/fr/copie"), answer="yes")
    assert asks.heading == said("k13.would_show")
    assert site.press(asks, instead="private").path.startswith("/fr/papiers/")
    assert on_the_desk(site, fatou) == 0
    assert [card.shelf for card in documents.list_papers(site.house, awa.session)] == ["private"]


def test_who_helps_to_open_is_named_too(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    paper = keep(site.house, awa.session, "Secret", "private")
    helped(site.house, awa, fatou, "money")
    site.open(awa)
    asks = site.press(site.get(f"/fr/papiers/{paper}/tiroir?suite=1"), shelf="money")
    assert said("k13.helper_sees", first="Fatou").split("\n")[0] in asks.text
    assert documents.paper(site.house, awa.session, paper).shelf == "private"
    site.press(asks, answer="yes")
    assert documents.paper(site.house, awa.session, paper).shelf == "money"


@pytest.mark.parametrize("way", ["apporter", "autre-abri"])
def test_what_comes_from_elsewhere_is_asked_about_before(site: Site, awa: MadePerson, fatou: MadeWorker, way: str) -> None:
    share_drawer(site, awa, fatou, "health")
    site.open(awa)
    asks = site.get(f"/fr/{way}")
    assert asks.heading == said("k13.would_show")
    assert said("drawer.health") in asks.text
    assert "/fr/droits/autres" in asks.links
    shown = site.press(asks, answer="yes")
    assert shown.path == f"/fr/{way}"
    assert shown.heading != said("k13.would_show")
