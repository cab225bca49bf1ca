"""K06: those who can be trusted at this kiosk, two a page; nobody is offered who cannot be chosen, and no page is empty."""

import datetime as dt

from tests.vault.builders import make_office, make_person, make_worker
from tests.vault.papers import keep
from tests.web.site import Shown, Site


def opening(site: Site) -> Shown:
    """From the fifth thing to know to K06."""
    site.press(site.get("/fr/ouvrir/avant/5"), accept="yes")
    return site.get("/fr/ouvrir/confiance")


def people(page: Shown) -> list[str]:
    return [one for one in page.buttons["guardian"] if one not in ("sheet", "later")]


def test_the_next_page_has_the_others_and_the_last_one_none_after_it(site: Site) -> None:
    office = make_office(site.house)
    for first in ("Fatou", "Inès", "Marc"):
        make_worker(site.house, office, first)
    for first in ("Ali", "Rosa"):  # they only put papers in: nobody trusts them with the end of a safe
        make_worker(site.house, office, first, "volunteer", ends=dt.date(2027, 1, 10))
    first = opening(site)
    assert len(people(first)) == 2
    second = site.get(first.link("suite=2"))
    assert len(people(second)) == 1
    assert not set(people(first)) & set(people(second))
    assert not [one for one in second.links if "suite=" in one], "no page with nobody"


def test_with_two_there_is_no_other_page(site: Site) -> None:
    office = make_office(site.house)
    for first, role in (("Fatou", "salaried"), ("Marc", "salaried"), ("Ali", "volunteer"), ("Rosa", "volunteer")):
        make_worker(site.house, office, first, role, ends=dt.date(2027, 1, 10) if role == "volunteer" else None)
    first = opening(site)
    assert len(people(first)) == 2
    assert not [one for one in first.links if "suite=" in one]


def test_what_is_no_number_of_a_page_is_the_first_page(site: Site) -> None:
    make_worker(site.house, make_office(site.house), "Fatou")
    opening(site)
    for asked in ("²", "٣", "x", "-1", "99999999999", ""):
        assert len(people(site.get(f"/fr/ouvrir/confiance?suite={asked}"))) == 1, asked
    awa = make_person(site.house, "Awa")
    site.open(awa)
    paper = keep(site.house, awa.session, "Bail", "money")
    for asked in ("²", "٣"):
        shown = site.post("/fr/montrer", {"token": site.token(), "paper": paper, "suite": asked})
        assert (shown.status, shown.path, shown.url.endswith("suite=1")) == (200, "/fr/montrer", True), asked
