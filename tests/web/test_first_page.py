"""The first page of a safe: what waits is shown two at a time, what was shown is read, and nothing else is."""

import pytest

from tests.vault.builders import MadePerson, MadeWorker, Office, make_person, make_worker
from tests.vault.clock import Clock
from tests.vault.comings import make_circle
from tests.vault.test_shared_desk import DEPOSIT, lay
from tests.vault.test_sharing import offer
from tests.vault.trials import try_code
from tests.web.site import Site
from tests.web.test_waiting_pages import begun
from vault import notices, restricting, sharing
from vault.notices import Notice

FAILED = "Quelqu'un a essayé d'ouvrir, sans réussir"
SAID = {
    "means-ended": ("Une carte a été bloquée après trop d'essais.", "حُظرت بطاقة بعد محاولات كثيرة."),
    "recovered": ("C'est rouvert avec une nouvelle carte.", "تم الفتح من جديد ببطاقة جديدة."),
    "inquiry": ("Il y a eu un problème de sécurité.", "حدثت مشكلة أمنية."),
    "paper-missing": ("Un papier n'est plus là.", "ورقة لم تعد موجودة."),
}


def wait(site: Site, clock: Clock, person: MadePerson, *keys: str) -> None:
    """Leave sentences, one a day: they are told in this order."""
    for key in keys:
        with site.house.database.transaction() as connection:
            notices.tell(site.house, connection, person.id, Notice(key))
        clock.forward(days=1)


def told(site: Site, language: str = "fr") -> list[str]:
    """The sentences that one look at the first page shows, of those that waited."""
    shown, place = site.get(f"/{language}/maison").text, 0 if language == "fr" else 1
    return [key for key, words in SAID.items() if words[place] in shown]


def test_each_sentence_that_waits_is_shown_before_it_is_read(site: Site, clock: Clock) -> None:
    awa = make_person(site.house, "Awa")
    wait(site, clock, awa, "means-ended", "recovered", "inquiry")
    site.open(awa)
    assert told(site) == ["means-ended", "recovered"]
    assert [one.key for one in notices.waiting(site.house, awa.session)] == ["inquiry"]
    assert told(site) == ["inquiry"], "at the next look, in the same opening"
    assert told(site) == []
    site.open(awa)
    assert told(site) == []


def test_the_rest_comes_at_the_next_opening_too(site: Site, clock: Clock) -> None:
    awa = make_person(site.house, "Awa")
    wait(site, clock, awa, "means-ended", "recovered", "inquiry")
    site.open(awa)
    told(site)
    clock.forward(days=40)
    notices.sweep(site.house)
    site.open(awa)
    assert told(site) == ["inquiry"]


def test_in_another_language_the_same_sentences_are_said_again(site: Site, clock: Clock) -> None:
    """Whoever does not read French touches a language with the sentences before their eyes: they are not lost by it."""
    awa = make_person(site.house, "Awa")
    wait(site, clock, awa, "means-ended", "recovered", "inquiry", "paper-missing")
    site.open(awa)
    assert told(site) == ["means-ended", "recovered"]
    assert told(site, "ar") == ["means-ended", "recovered"]
    assert told(site, "ar")[:1] == ["inquiry"]
    assert told(site, "fr") == ["inquiry", "paper-missing"]
    assert told(site, "fr") == []
    assert told(site, "ar") == []


def test_what_stands_on_the_page_can_be_heard_in_its_language(site: Site, clock: Clock) -> None:
    awa = make_person(site.house, "Awa")
    wait(site, clock, awa, "means-ended", "recovered")
    try_code(site.house, awa.card)
    site.open(awa)
    for language in ("fr", "ar"):
        banners = site.get(f"/{language}/maison").tree.xpath("//*[@class='waits']//*[@class='banner-text']")
        assert len(banners) > 2
        heard = [one.get("data-audio") for one in banners[:3]]
        assert all(heard), (language, heard)
        assert all(site.get(str(one)).status == 200 for one in heard)


@pytest.mark.parametrize("waiting", [(), ("means-ended", "recovered"), tuple(SAID)])
def test_attempts_in_vain_are_told_first_whatever_else_waits(site: Site, clock: Clock, waiting: tuple[str, ...]) -> None:
    awa = make_person(site.house, "Awa")
    wait(site, clock, awa, *waiting)
    try_code(site.house, awa.card)
    try_code(site.house, awa.card)
    site.open(awa)
    for _ in range(2):
        (first, *_) = site.get("/fr/maison").tree.xpath("//*[@class='waits']/*")
        assert FAILED in " ".join(first.itertext())
        assert "2" in " ".join(first.itertext())
    site.open(awa)
    assert FAILED not in site.get("/fr/maison").text


def test_attempts_are_not_lost_by_an_opening_that_showed_no_first_page(site: Site) -> None:
    awa = make_person(site.house, "Awa")
    try_code(site.house, awa.card)
    site.open(awa)
    site.get("/fr/moi/nom")
    site.open(awa)
    assert FAILED in site.get("/fr/maison").text
    site.open(awa)
    assert FAILED not in site.get("/fr/maison").text


def test_beside_somebody_who_comes_back_the_sentences_pass_one_by_one(site: Site, clock: Clock) -> None:
    made = make_circle(site.house)
    wait(site, clock, made.awa, "means-ended", "recovered")
    try_code(site.house, made.awa.card)
    begun(site, made)
    site.open(made.awa)
    for expected in (["means-ended"], ["recovered"], []):
        page = site.get("/fr/maison")
        first, second, *_ = page.tree.xpath("//*[@class='waits']/*")
        assert "Quelqu'un demande une autre carte" in " ".join(first.itertext())
        assert FAILED in " ".join(second.itertext())
        assert [key for key, words in SAID.items() if words[0] in page.text] == expected


def test_what_the_banner_says_waits_for_the_banner(site: Site, clock: Clock) -> None:
    """Nothing moves: a banner says it in each opening, and the sentence that waited is read where the banner stands."""
    awa = make_person(site.house, "Awa")
    wait(site, clock, awa, "means-ended", "recovered")
    with site.house.database.transaction() as connection:
        restricting.begin(site.house, connection, awa.id)
    site.open(awa)
    assert told(site) == ["means-ended", "recovered"]
    assert [one.key for one in notices.waiting(site.house, awa.session)] == ["restricted"]
    assert "/fr/droits/rien-ne-bouge" in site.get("/fr/maison").links
    assert notices.waiting(site.house, awa.session) == []


def test_a_paper_that_has_just_arrived_is_told_whatever_else_waits(
    site: Site, office: Office, awa: MadePerson, fatou: MadeWorker, clock: Clock
) -> None:
    """It is new at one look only; in another language it is said again."""
    clock.forward(days=2)
    site.open(awa)
    grant = sharing.grant(site.house, awa.session, fatou.id, offer(acts=DEPOSIT, shelf="other"))
    lay(site.house, fatou, grant, "lettre")
    wait(site, clock, awa, *SAID)
    site.open(awa)
    assert "1 papier est arrivé" in site.get("/fr/maison").text
    assert "وصلت ورقة" in site.get("/ar/maison").text
    assert "وصلت ورقة" not in site.get("/ar/maison").text


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_a_letter_that_came_while_nobody_was_there_is_told_after_the_code(
    site: Site, office: Office, clock: Clock, language: str
) -> None:
    """It is met as the safe opens, one page before the page that tells it; and once."""
    awa, fatou = make_person(site.house, "Awa"), make_worker(site.house, office, "Fatou")
    clock.forward(days=2)
    site.open(awa)
    lay(site.house, fatou, sharing.grant(site.house, awa.session, fatou.id, offer(acts=DEPOSIT, shelf="other")), "lettre")
    site.show_card(awa)
    first = site.press(site.get(f"/{language}/code"), code=awa.code)
    words = "1 papier est arriv" if language == "fr" else "وصلت ورقة"
    assert (first.path, words in first.text) == (f"/{language}/maison", True)
    assert words not in site.get(f"/{language}/maison").text
