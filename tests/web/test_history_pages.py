"""K18 "Qui a regardé ?": sentences in the language of the page, by day, with a way to stop; and the same on paper."""

import ast
import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import select, update

import vault
from storage.tables import entry_copies, trace_keys
from tests.vault.builders import MadePerson, make_office, make_person, make_worker, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.papers import keep
from tests.web.sharing_steps import share_paper
from tests.web.site import Site
from tests.web.test_paper_pages import keep_photo
from vault import audit, documents, outside, shared_papers, showing
from vault.audit import Entry
from vault.context import Context
from vault.events import UNREADABLE, WORDS, Event, sentence
from vault.languages import read_catalogues
from vault.sessions import Session
from vault.web.history import ENTRIES_A_PAGE, _who


@pytest.fixture
def awa(site: Site) -> MadePerson:
    """Awa, who has just opened her safe and stands before it."""
    made = make_person(site.house, "Awa")
    site.open(made)
    return made


def test_every_event_of_a_person_has_a_sentence_in_every_language() -> None:
    for sentences in read_catalogues():
        for tag, word in WORDS.items():
            if word.group != "structure":
                assert sentences.has(f"event.{tag}"), (sentences.language.code, tag)


SOMEBODY_UNKNOWN = {  # whoever stood there with a card, a sheet, a link or digits, and is known by no account
    "safe.attempt-failed", "recovery.started", "recovery.confirmed", "recovery.stopped", "outside.wrong-code", "outside.opened",
    "outside.seen", "outside.taken", "death.reported",
}  # fmt: skip


def written_by_nobody() -> set[str]:
    """The words of entries that a use case writes without an author, as the sources say."""
    found: set[str] = set()
    for path in sorted((Path(vault.__file__).parent).glob("*.py")):
        for one in ast.walk(ast.parse(path.read_text())):
            if not isinstance(one, ast.Call) or getattr(one.func, "id", "") != "Event" or not one.args:
                continue
            given = {word.arg: word.value for word in one.keywords}
            if "by_name" in given or (isinstance(by := given.get("by"), ast.expr) and not isinstance(by, ast.IfExp)):
                continue
            tag = one.args[0]
            found |= {tag.value} if isinstance(tag, ast.Constant) and isinstance(tag.value, str) else set()
    return found


def test_what_nobody_did_is_told_of_abri_and_not_of_somebody_unknown() -> None:
    tags = {*written_by_nobody(), *outside.TAGS.values()} - {"outside.given", "outside.withdrawn"}
    assert {"paper.missing", "erasure.asked", "recovery.expired", "outside.expired"} <= tags, "the sources are read"
    assert {tag for tag in tags if _who(Event(tag), "p")[0] == "someone"} <= SOMEBODY_UNKNOWN
    assert _who(Event("erasure.asked", by="p"), "p")[0] == "you"
    assert sentence("erasure.asked", "") != sentence("erasure.asked", "p"), "nobody is told that they asked what they did not ask"


def test_what_a_worker_did_is_told_with_name_and_reason_and_without_place(site: Site, awa: MadePerson) -> None:
    """WRK-09."""
    fatou = make_worker(site.house, make_office(site.house), "Fatou")
    paper = keep_photo(site, awa)
    grant = share_paper(site, awa, fatou, paper)
    shared_papers.page_image_shared(site.house, sign_in(site.house, fatou), grant, paper, 1)
    site.open(awa)
    shown = site.get("/fr/regards")
    assert shown.heading == "Qui a regardé ?"
    assert "Fatou a regardé : Lettre de Mme Vuillard. Pour : un logement." in shown.text
    assert "Tilleuls" not in shown.text
    assert f"/fr/partages/{grant}/arreter" in shown.links
    assert "/fr/proteger" in shown.links
    arabic = site.get("/ar/regards")
    assert "Fatou" in arabic.text
    assert read_catalogues()["ar"].plain("reason.home") in arabic.text


@pytest.mark.parametrize("damaged", ["envelope", "key"])
def test_a_line_that_does_not_open_shuts_nothing_and_is_shown(site: Site, awa: MadePerson, damaged: str) -> None:
    """One byte of the trace is wrong, or the key of a whole session: the person opens their safe, and sees that lines are missing."""
    fatou = make_worker(site.house, make_office(site.house), "Fatou")
    paper = keep_photo(site, awa)
    grant = share_paper(site, awa, fatou, paper)
    shared_papers.page_image_shared(site.house, sign_in(site.house, fatou), grant, paper, 1)
    seen = next(one for one in audit.history(site.house, awa.session) if one.event.tag == "paper.seen")
    with site.house.database.transaction() as connection:
        where = (entry_copies.c.entry == seen.id, entry_copies.c.party == "person")
        if damaged == "envelope":
            connection.execute(update(entry_copies).where(*where).values(envelope=bytes(200)))
        else:
            key = select(entry_copies.c.key).where(*where).scalar_subquery()
            connection.execute(update(trace_keys).where(trace_keys.c.id == key).values(posted=bytes(1297)))
    site.open(awa)
    assert "Une ligne de cette page est abîmée." in site.get("/fr/regards").text
    assert "Fatou" in site.get("/fr/partages").text
    (line,) = [one for one in audit.history(site.house, awa.session) if one.event.tag == UNREADABLE]
    assert line.id == seen.id
    site.press(site.get(f"/fr/partages/{grant}/arreter"), answer="yes")
    assert showing.grants_of(site.house, awa.session) == []


def test_the_pages_of_shares_open_no_more_of_the_trace_than_they_show(
    site: Site, awa: MadePerson, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """A long life in Abri does not make "Qui peut voir ?" slow: what is older than the shares stays shut, and nothing is read twice."""
    read: list[object] = []
    real = audit.history

    def counted(context: Context, session: Session, *, newest: int | None = None, since: dt.date | None = None) -> list[Entry]:
        read.append(since)
        return real(context, session, newest=newest, since=since)

    monkeypatch.setattr(audit, "history", counted)
    site.get("/fr/partages")
    assert read == []  # nobody sees anything
    clock.forward(days=100)
    site.open(awa)
    fatou = make_worker(site.house, make_office(site.house), "Fatou")
    grant = share_paper(site, awa, fatou, keep(site.house, awa.session))
    read.clear()
    site.get("/fr/partages")
    site.get(f"/fr/partages/{grant}/arreter")
    assert read == [clock().date(), clock().date()]


def test_stopping_takes_the_way_to_stop_away(site: Site, awa: MadePerson) -> None:
    fatou = make_worker(site.house, make_office(site.house), "Fatou")
    grant = share_paper(site, awa, fatou, keep(site.house, awa.session))
    site.open(awa)
    stop = site.get(site.get("/fr/regards").link(f"/{grant}/arreter"))
    site.press(stop, answer="yes")
    shown = site.get("/fr/regards")
    assert "Vous avez arrêté avec Fatou." in shown.text
    assert not [one for one in shown.links if one.endswith("/arreter")]


def test_some_a_page_newest_first_grouped_by_day_and_person_own_lists_folded(site: Site, awa: MadePerson, clock: Clock) -> None:
    for number in range(14):
        clock.forward(seconds=1)
        keep(site.house, awa.session, f"papier {number:02}")
    clock.forward(days=1)
    site.open(awa)
    first = site.get("/fr/regards")
    assert [" ".join(one.text_content().split()) for one in first.tree.xpath("//main//h2")] == [
        "24 novembre 2026",
        "23 novembre 2026",
    ]
    assert [" ".join(one.text_content().split()) for one in first.tree.xpath("//main//h3")] == ["Vous", "Abri", "Vous"]
    told, folded = first.tree.xpath("//section/ol/li[not(details)]"), first.tree.xpath("//details/ol/li")
    assert len(told) + len(folded) == ENTRIES_A_PAGE
    assert [" ".join(one.xpath("string(.//p)").split()) for one in folded] == ["Vous avez lu la page « Qui a regardé ? »."]
    assert first.text.index("papier 13") < first.text.index("papier 05")
    second = site.get(next(one for one in first.links if "avant=" in one))
    assert "papier 00" in second.text
    assert "papier 13" not in second.text
    newest = site.get(next(one for one in second.links if "apres=" in one))
    assert newest.tree.xpath("string(//main//section[1])") == first.tree.xpath("string(//main//section[1])")
    assert site.get("/fr/regards?avant=nothing-of-ours").text == first.text


def test_the_same_thing_again_is_one_line(site: Site, awa: MadePerson, clock: Clock) -> None:
    fatou = make_worker(site.house, make_office(site.house), "Fatou")
    first, other = keep_photo(site, awa), keep_photo(site, awa)
    grant = share_paper(site, awa, fatou, first)
    working = sign_in(site.house, fatou)
    for _ in range(3):
        clock.forward(seconds=20)
        shared_papers.page_image_shared(site.house, working, grant, first, 1)
        documents.page_image(site.house, awa.session, other, 1)
    site.open(awa)
    shown = site.get("/fr/regards")
    hers = shown.tree.xpath("//section[@aria-label='Fatou']")
    assert len(hers) == 1
    (line,) = hers[0].xpath(".//li")
    assert "3 fois" in line.text_content()
    assert len(hers[0].xpath(".//a[contains(@href, '/arreter')]")) == 1


def test_where_is_shown_when_the_person_asks_and_hidden_again(site: Site, awa: MadePerson) -> None:
    office = make_office(site.house)
    unlock(site.house, awa, kiosk=office.kiosk)
    site.open(awa)
    page = site.get("/fr/regards")
    assert office.name not in page.text
    site.press(page, shown="yes")
    page = site.get("/fr/regards")
    assert office.name in page.text
    site.press(page, shown="no")
    assert office.name not in site.get("/fr/regards").text


def test_a_paper_without_a_name_and_one_that_is_gone_have_their_sentences(site: Site, awa: MadePerson) -> None:
    paper = keep(site.house, awa.session, "")
    documents.erase_now(site.house, awa.session, paper)
    shown = site.get("/fr/regards")
    assert "Vous avez ajouté : un papier." in shown.text
    assert "Un papier a été effacé pour toujours." in shown.text


def test_on_paper_it_is_whole(site: Site, awa: MadePerson) -> None:
    for number in range(12):
        keep(site.house, awa.session, f"papier {number:02}")
    printed = site.get(site.get("/fr/regards").link("/imprimer"))
    assert printed.heading == "Qui a regardé mes papiers"
    assert all(f"papier {number:02}" in printed.text for number in range(12))
    assert "Imprimé le 23 novembre 2026" in printed.text


def test_who_read_the_list_is_told_once_a_session_and_stands_beside_what_was_opened(site: Site, awa: MadePerson) -> None:
    """Whoever reads titles has looked: it is a line of theirs, not folded, and one however often the page was turned."""
    fatou = make_worker(site.house, make_office(site.house), "Fatou")
    grant = share_paper(site, awa, fatou, keep_photo(site, awa))
    for _ in range(2):
        working = sign_in(site.house, fatou)
        for _ in range(3):
            shared_papers.papers_shared(site.house, working, grant)
    site.open(awa)
    (hers,) = site.get("/fr/regards").tree.xpath("//section[@aria-label='Fatou']")
    (line,) = hers.xpath(".//li")
    assert "Fatou a regardé la liste des papiers montrés." in line.text_content()
    assert "2 fois" in line.text_content()
    assert not hers.xpath(".//details")
    assert hers.xpath(".//a[contains(@href, '/arreter')]")
