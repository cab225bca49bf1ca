"""One kiosk, two cards: the first safe closes before the second opens, and each says yes on their own page."""

from tests.vault.builders import make_office, make_person
from tests.vault.papers import keep
from tests.web.site import Site
from tests.web.test_desk_pages import plain, said
from vault import documents, sessions
from vault.web.guards import COOKIE
from vault.web.shell import COPY_COOKIE


def test_the_first_safe_is_closed_before_the_second_opens(site: Site) -> None:
    office = make_office(site.house)
    site.stand_at(office.administrators[0], office.structure)
    awa = make_person(site.house, "Awa")
    paper = keep(site.house, awa.session, "Livret", "family", sort="family-book")
    site.open(awa)
    page = site.get(site.get(f"/fr/papiers/{paper}/que-faire?plus=2").link("/copier"))
    assert page.heading == said("copy.title")
    turn = site.press(page, answer="yes")
    assert turn.path == "/fr/copie/carte"
    assert COOKIE not in site.client.cookies, "the first safe is closed"
    assert site.get(f"/fr/papiers/{paper}").status == 401
    assert site.get("/fr/copie").status == 401, "the ticket alone opens nothing"


def test_no_is_enough_and_the_end_forgets_the_ticket(site: Site) -> None:
    awa, yonas = make_person(site.house, "Awa"), make_person(site.house, "Yonas")
    paper = keep(site.house, awa.session, "Livret", "family", sort="family-book")
    for answer in ("yes", "no", "end"):
        site.open(awa)
        site.press(site.get(f"/fr/papiers/{paper}/copier"), answer="yes")
        if answer == "end":
            site.get("/fr/fin")
            assert COPY_COOKIE not in site.client.cookies
            continue
        site.show_card(yonas)
        page = site.press(site.get("/fr/code"), code=yonas.code)
        assert page.path == "/fr/copie", "the question comes first"
        assert "Livret" in plain(page)
        done = site.press(page, answer=answer)
        assert done.path.startswith("/fr/papiers/") if answer == "yes" else done.path == "/fr/maison"
        assert COPY_COOKIE not in site.client.cookies
        assert site.get("/fr/copie").path == "/fr/maison"
        yonas.session = sessions.find(site.house, str(site.client.cookies.get(COOKIE)))
    assert len(documents.list_papers(site.house, yonas.session)) == 1


def test_the_first_use_is_three_screens_that_can_be_left(site: Site) -> None:
    awa = make_person(site.house)
    site.open(awa)
    page = site.get(site.get("/fr/maison").link("/premiers-pas/1"))
    for number in (1, 2, 3):
        assert page.heading == said(f"first.head{number}")
        assert "/fr/maison" in page.links
        if number < 3:
            page = site.get(page.link(f"/premiers-pas/{number + 1}"))
    assert site.get("/fr/premiers-pas/4").status == 404
