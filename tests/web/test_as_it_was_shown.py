"""A yes does what the page said that it stood on, however late it comes: a second tap, a second tab, an old page."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from consent.ids import PaperId
from tests.vault.builders import MadePerson, Office, make_person
from tests.web.sharing_steps import another_day, tax_notice
from tests.web.site import Site
from vault import documents


@pytest.fixture
def awa(site: Site, office: Office) -> MadePerson:
    """Awa, on another day than her first: copies and drawers may be given."""
    made = make_person(site.house, "Awa")
    another_day(site, made)
    site.open(made)
    return made


# --- The bin --------------------------------------------------------------------------------------------------------------


def _in_bin(site: Site, awa: MadePerson) -> list[PaperId]:
    return [card.paper for card in documents.bin_of(site.house, awa.session)]


def test_two_taps_on_seven_days_leave_the_paper_in_the_bin(site: Site, awa: MadePerson) -> None:
    paper = tax_notice(site, awa)
    question = site.get(f"/fr/papiers/{paper}/effacer")
    assert "7 jours" in question.text
    for _ in range(2):
        assert site.press(question, answer="yes").url.endswith("/papiers?dit=jete")
    assert _in_bin(site, awa) == [paper]


def test_two_taps_at_the_same_moment_say_the_same(site: Site, awa: MadePerson) -> None:
    question = site.get(f"/fr/papiers/{tax_notice(site, awa)}/effacer")
    with ThreadPoolExecutor(2) as taps:
        answers = list(taps.map(lambda _: site.press(question, answer="yes"), range(2)))
    assert [one.url.partition("/fr/")[2] for one in answers] == ["papiers?dit=jete"] * 2
    assert len(_in_bin(site, awa)) == 1


def test_what_was_taken_back_since_is_not_erased_by_the_old_page(site: Site, awa: MadePerson) -> None:
    paper = tax_notice(site, awa)
    site.press(site.get(f"/fr/papiers/{paper}/effacer"), answer="yes")
    for_good = site.get(f"/fr/papiers/{paper}/effacer")
    assert "pour toujours" in for_good.text
    site.press(site.get(f"/fr/papiers/{paper}"), answer="yes")  # "reprendre"
    asked = site.press(for_good, answer="yes")
    assert "7 jours" in asked.text
    assert documents.paper(site.house, awa.session, paper).state == "kept"
    site.press(asked, answer="yes")
    assert _in_bin(site, awa) == [paper]
    assert site.press(for_good, answer="yes").url.endswith("/papiers?dit=efface")
    assert _in_bin(site, awa) == []
