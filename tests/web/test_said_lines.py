"""What a receipt says was shown is what stood on the screen: all of it, and nothing that was not there."""

from collections.abc import Callable, Sequence

import pytest

from crypto.canonical import Value
from tests.vault.builders import MadePerson, MadeWorker, Office, make_worker
from tests.vault.papers import keep
from tests.web.sharing_steps import another_day, awa_on_another_day, share_drawer, share_paper
from tests.web.site import Shown, Site
from tests.web.test_sharing_pages import tax_notice, to_k15
from vault import offers, receipt_files, showing, workers
from vault.languages import Sentences
from vault.offers import Line
from vault.receipts import Said
from vault.web import as_shown
from vault.web.shell import Req

__all__ = ["awa_on_another_day"]  # the Awa of these tests

SAYS = (  # without the words of the frame, which say that nobody has read this language yet
    "//main//h1 | //main//div[@class='text']/p | //main//*[contains(@class, 'about')]/span"
    " | //main//*[@role='status']/*[@class='banner-text']"
)

Hashed = Callable[[Shown], list[str]]


def clean(text: str) -> str:
    return "".join(one for one in text if one not in "\u2068\u2069" and not one.isspace())


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> Hashed:
    """The lines that went into the last digest of a receipt, each piece of which stood on the page. What a page that asks carries in its
    form is another: the list that follows may ask whether something goes on."""
    kept: list[str] = []
    asks: list[str] = []
    real, question = offers.said, as_shown.question

    def asked(request: Req, lines: Sequence[Line], what: Value) -> str:
        asks.append("")
        try:
            return question(request, lines, what)
        finally:
            asks.pop()

    def heard(sentences: Sentences, lines: Sequence[Line], *, heard: bool = False, interpreter: bool = False) -> Said:
        if not asks:
            kept[:] = [clean(part) for line in lines for part in line.plain(sentences).split("\n")]
        return real(sentences, lines, heard=heard, interpreter=interpreter)

    monkeypatch.setattr(offers, "said", heard)
    monkeypatch.setattr(as_shown, "question", asked)

    def all_of(page: Shown) -> list[str]:
        stood, found = clean(page.text), list(kept)
        kept.clear()
        assert found
        assert [one for one in found if one not in stood] == []
        return found

    return all_of


def unhashed(page: Shown, found: list[str]) -> list[str]:
    """The sentences above the answers that no digest holds."""
    said = (clean("".join(one.itertext())) for one in page.tree.xpath(SAYS))
    whole = "".join(found)
    return [one for one in said if one and one not in whole]


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_a_yes_with_a_copy(site: Site, awa: MadePerson, fatou: MadeWorker, hashed: Hashed, language: str) -> None:
    paper = tax_notice(site, awa)
    k15 = site.press(site.press(site.get(f"/{language}/papiers/{paper}/montrer"), worker=fatou.id), reason="home")
    k15 = site.press(k15, how="copy")
    site.press(k15, answer="yes", interpreter="yes")
    found = hashed(k15)
    assert unhashed(k15, found) == []
    sentences = site.client.app.state.pages.catalogues[language]
    assert clean(sentences.plain("next.takes_copy" if language == "fr" else "k15.takes_copy", first="Fatou")) in "".join(found)
    assert clean(sentences.month(site.house.clock().date())) in "".join(found)
    (share,) = showing.grants_of(site.house, awa.session)
    (receipt,) = receipt_files.records_of(site.house, awa.session, share.grant)
    assert receipt.receipt.change.interpreter


def test_a_renewal_and_what_is_shown_less(site: Site, awa: MadePerson, fatou: MadeWorker, hashed: Hashed) -> None:
    papers = [tax_notice(site, awa, "un"), keep(site.house, awa.session, "deux", "housing", sort="rent")]
    to_k15(site, site.press(site.get("/fr/montrer"), paper=papers, go="on"), fatou, how="copy")
    k15 = site.press(site.get("/ar/montrer/date"), months="1")
    site.press(k15, answer="yes")
    assert unhashed(k15, hashed(k15)) == []
    (share,) = showing.grants_of(site.house, awa.session)
    arabic = site.client.app.state.pages.catalogues["ar"]
    another_day(site, awa)
    site.open(awa)
    listed = site.get("/ar/partages")
    site.press(listed, grant=share.grant)
    found = hashed(listed)
    (renewed,) = showing.grants_of(site.house, awa.session)
    assert clean(arabic.day(renewed.until)) in "".join(found)
    assert renewed.until > share.until
    for address, answer, says in (
        ("moins", {"act": "take"}, "less.no_copy"),
        ("moins/papiers", {"paper": papers[1]}, "kind.rent"),
        ("moins/date", {"until": "week"}, "less.week"),
    ):
        asked = site.get(f"/ar/partages/{share.grant}/{address}")
        site.press(asked, **answer)
        assert clean(arabic.plain(says)) in hashed(asked)
    words = [one.receipt.processing.words for one in receipt_files.records_of(site.house, awa.session, share.grant)]
    assert words == [arabic.plain("reason.home")] * 5, "in the language of the page, whatever changed"


def test_a_handover_a_link_and_their_ends(site: Site, office: Office, awa: MadePerson, fatou: MadeWorker, hashed: Hashed) -> None:
    marc = make_worker(site.house, office, "Marc")
    papers = [tax_notice(site, awa, "un"), tax_notice(site, awa, "deux")]
    share_paper(site, awa, fatou, papers[0], copy=True)
    share_drawer(site, awa, fatou, "money")
    workers.end(site.house, office.admin, fatou.id, office.proof)
    site.open(awa)
    for _ in range(2):
        asked = site.get("/ar/suite")
        site.press(asked, worker=marc.id)
        found = hashed(asked)
        assert unhashed(asked, found) == []
    arabic = site.client.app.state.pages.catalogues["ar"]
    given = showing.grants_of(site.house, awa.session)
    assert len(given) == 2
    for share in given:
        (receipt,) = receipt_files.records_of(site.house, awa.session, share.grant)
        assert receipt.receipt.processing.words == arabic.plain("reason.home")
    site.press(site.press(site.get(f"/ar/papiers/{papers[0]}/lien"), name="بنك"), reason="bank")
    agree = site.get("/ar/envoyer/accord")
    site.press(agree, answer="yes")
    assert unhashed(agree, hashed(agree)) == []
    (link,) = [one for one in site.get("/ar/partages").links if "/partages/liens/" in one]
    stop = site.get(link)
    site.press(stop, answer="yes")
    hashed(stop)
    stop = site.get(f"/ar/partages/{given[0].grant}/arreter")
    site.press(stop, answer="yes")
    assert unhashed(stop, hashed(stop)) == []
