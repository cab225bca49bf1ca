"""Papers of one person: kept, listed, opened, renamed, moved, removed; on both pairs of engines."""

import datetime as dt
import hashlib

import pytest
from sqlalchemy import func, select

from consent.purposes import SHELVES, ShelfKind
from storage.tables import doomed_blobs, objects, papers, versions
from tests.vault.builders import MadePerson, make_person, show_card, unlock
from tests.vault.clock import Clock
from tests.vault.papers import keep, picture, read
from vault import audit, documents
from vault.context import Context
from vault.errors import BadInput, Conflict, NotAllowed, NotThere


def stored(house: Context) -> set[str]:
    """Every blob that the store holds."""
    return {held.name for held in house.blobs.inventory()}


def named(house: Context) -> set[str]:
    """Every blob that a row names."""
    with house.database.transaction(read_only=True) as connection:
        return set(connection.scalars(select(objects.c.blob)))


def tags(house: Context, person: MadePerson) -> list[str]:
    """The person's history, oldest first as far as a second tells."""
    return [entry.event.tag for entry in reversed(audit.history(house, person.session))]


def test_a_paper_comes_back_byte_for_byte(any_house: Context) -> None:
    awa = make_person(any_house)
    paper = keep(any_house, awa.session, "Avis d'impôt", "money", text="revenu fiscal", sort="tax-notice")
    (card,) = documents.list_papers(any_house, awa.session)
    assert (card.paper, card.title, card.shelf, card.by, card.state) == (paper, "Avis d'impôt", ShelfKind("money"), "me", "kept")
    assert (card.sort, card.file_name, card.pages, card.has_preview) == ("tax-notice", "Avis d'impôt.jpg", 1, True)
    assert read(any_house, awa.session, paper) == picture("received revenu fiscal")
    assert read(any_house, awa.session, paper, "view") == picture("view revenu fiscal")
    assert documents.preview(any_house, awa.session, paper) == picture("preview revenu fiscal", 60)
    assert stored(any_house) == named(any_house)
    assert len(named(any_house)) == 3
    assert tags(any_house, awa).count("paper.opened") == 2


def test_the_whole_content_and_any_range_of_a_large_paper(house: Context) -> None:
    awa = make_person(house)
    size = 16 * 1024 * 1024  # more than what is verified in memory: this one is streamed
    paper = keep(house, awa.session, text="grand", size=size)
    whole = picture("received grand", size)
    with documents.open_paper(house, awa.session, paper, "received") as content:
        assert content.size == len(whole)
        assert hashlib.sha256(b"".join(content.chunks())).digest() == hashlib.sha256(whole).digest()
        assert b"".join(content.read(70_000, 200_000)) == whole[70_000:200_000]
        assert b"".join(content.read(len(whole) - 5, len(whole))) == whole[-5:]


def test_ten_drawers_and_what_lies_in_them(house: Context) -> None:
    awa = make_person(house)
    keep(house, awa.session, "a", "money")
    keep(house, awa.session, "b", "money")
    keep(house, awa.session, "c", "health")
    drawers = documents.drawers(house, awa.session)
    assert [drawer.kind for drawer in drawers] == [row.kind for row in SHELVES]
    assert {drawer.kind: drawer.papers for drawer in drawers if drawer.papers} == {"money": 2, "health": 1}
    assert {card.title for card in documents.list_papers(house, awa.session, ShelfKind("money"))} == {"a", "b"}
    assert documents.count(house, awa.session) == 3


def test_title_sort_and_note(any_house: Context) -> None:
    awa = make_person(any_house)
    paper = keep(any_house, awa.session, "Avis")
    documents.rename(any_house, awa.session, paper, "  Avis   2025 ")
    documents.sort_as(any_house, awa.session, paper, "tax-notice")
    documents.note(any_house, awa.session, paper, "à rendre avant mardi")
    card = documents.paper(any_house, awa.session, paper)
    assert (card.title, card.sort) == ("Avis 2025", "tax-notice")
    assert documents.note_of(any_house, awa.session, paper) == "à rendre avant mardi"
    documents.note(any_house, awa.session, paper, "")
    assert documents.note_of(any_house, awa.session, paper) == ""
    assert read(any_house, awa.session, paper) == picture("received avis de test")
    assert {"paper.renamed", "paper.sorted", "paper.noted"} <= set(tags(any_house, awa))


@pytest.mark.parametrize("title", ["x" * 121, "a\u202eb"])
def test_a_title_that_could_mislead_is_refused(house: Context, title: str) -> None:
    awa = make_person(house)
    with pytest.raises(BadInput):
        keep(house, awa.session, title)
    assert stored(house) == set()
    assert documents.count(house, awa.session) == 0


def test_moving_changes_the_drawer_and_nothing_else(any_house: Context) -> None:
    awa = make_person(any_house)
    paper = keep(any_house, awa.session, "Avis", "money", text="un")
    documents.move(any_house, awa.session, paper, ShelfKind("private"))
    assert documents.paper(any_house, awa.session, paper).shelf == "private"
    assert read(any_house, awa.session, paper) == picture("received un")
    documents.move(any_house, awa.session, paper, ShelfKind("private"))  # already there
    assert tags(any_house, awa).count("paper.moved") == 1


def test_a_newer_version_keeps_the_title_and_the_old_one_stays(any_house: Context, clock: Clock) -> None:
    awa = make_person(any_house)
    paper = keep(any_house, awa.session, "Attestation", "housing", text="2025", sort="domiciliation")
    clock.forward(seconds=30)
    assert keep(any_house, awa.session, "", "money", text="2026", replaces=paper) == paper
    card = documents.paper(any_house, awa.session, paper)
    assert (card.title, card.sort, card.shelf) == ("Attestation", "domiciliation", "housing")
    newer, older = documents.versions_of(any_house, awa.session, paper)
    assert (newer.current, older.current) == (True, False)
    assert read(any_house, awa.session, paper) == picture("received 2026")
    with documents.open_paper(any_house, awa.session, paper, "received", version=older.version) as content:
        assert b"".join(content.chunks()) == picture("received 2025")
    with pytest.raises(Conflict):
        documents.erase_version(any_house, awa.session, paper, newer.version)
    documents.erase_version(any_house, awa.session, paper, older.version)
    assert [one.version for one in documents.versions_of(any_house, awa.session, paper)] == [newer.version]
    assert stored(any_house) == named(any_house)
    assert len(named(any_house)) == 3


def test_the_bin_keeps_a_week_then_nothing(any_house: Context, clock: Clock) -> None:
    awa = make_person(any_house)
    kept, gone = keep(any_house, awa.session, "garder"), keep(any_house, awa.session, "jeter")
    documents.remove(any_house, awa.session, gone)
    assert [card.title for card in documents.list_papers(any_house, awa.session)] == ["garder"]
    (card,) = documents.bin_of(any_house, awa.session)
    assert (card.paper, card.state) == (gone, "bin")
    documents.restore(any_house, awa.session, gone)
    assert documents.paper(any_house, awa.session, gone).state == "kept"
    documents.remove(any_house, awa.session, gone)
    clock.forward(days=6)
    assert documents.purge_bin(any_house) == 0
    clock.forward(days=2)
    unlock(any_house, awa)
    with pytest.raises(NotThere):
        documents.restore(any_house, awa.session, gone)
    assert documents.purge_bin(any_house) == 1
    assert [card.paper for card in documents.list_papers(any_house, awa.session)] == [kept]
    assert documents.bin_of(any_house, awa.session) == []
    assert stored(any_house) == named(any_house)
    assert len(named(any_house)) == 3
    assert "paper.erased" in tags(any_house, awa)


def test_erasing_leaves_no_row_and_no_byte(any_house: Context) -> None:
    awa = make_person(any_house)
    paper = keep(any_house, awa.session)
    documents.erase_now(any_house, awa.session, paper)
    assert stored(any_house) == set()
    with any_house.database.transaction(read_only=True) as connection:
        left = [connection.scalar(select(func.count()).select_from(table)) for table in (papers, versions, objects, doomed_blobs)]
    assert left == [0, 0, 0, 0]
    with pytest.raises(NotThere):
        documents.erase_now(any_house, awa.session, paper)


def test_technical_metadata_come_from_what_is_signed_and_sealed(house: Context, clock: Clock) -> None:
    awa = make_person(house)
    paper = keep(house, awa.session, text="revenu")
    told = documents.technical_metadata(house, awa.session, paper)
    content = picture("received revenu")
    assert (told.depositor, told.by, told.size) == (awa.id, "me", len(content))
    assert (told.digest_algorithm, told.digest) == ("SHA-256", hashlib.sha256(content).hexdigest())
    assert told.deposited == clock.now.replace(microsecond=0)
    with house.database.transaction(read_only=True) as connection:
        digest = connection.scalar(select(objects.c.sha256).where(objects.c.role == "received"))
    assert told.ciphertext_digest == digest
    documents.check(house, awa.session, paper)
    assert {"paper.described", "paper.checked"} <= set(tags(house, awa))


def test_somebody_else_s_paper_is_not_there(house: Context) -> None:
    awa, yonas = make_person(house, "Awa"), make_person(house, "Yonas")
    paper = keep(house, awa.session)
    for act in (
        lambda: documents.paper(house, yonas.session, paper),
        lambda: documents.open_paper(house, yonas.session, paper, "received"),
        lambda: documents.preview(house, yonas.session, paper),
        lambda: documents.rename(house, yonas.session, paper, "à moi"),
        lambda: documents.move(house, yonas.session, paper, ShelfKind("money")),
        lambda: documents.remove(house, yonas.session, paper),
        lambda: documents.erase_now(house, yonas.session, paper),
        lambda: documents.versions_of(house, yonas.session, paper),
        lambda: documents.technical_metadata(house, yonas.session, paper),
        lambda: keep(house, yonas.session, replaces=paper),
    ):
        with pytest.raises(NotThere):
            act()
    assert documents.list_papers(house, yonas.session) == []
    assert documents.paper(house, awa.session, paper).title == "Avis"


def test_a_session_without_the_person_s_keys_reads_nothing(house: Context) -> None:
    awa = make_person(house)
    keep(house, awa.session)
    card = show_card(house, awa.card)
    with pytest.raises(NotAllowed):
        documents.list_papers(house, card)
    with pytest.raises(NotAllowed):
        keep(house, card)


def test_papers_are_listed_newest_first(house: Context, clock: Clock) -> None:
    awa = make_person(house)
    for title in ("un", "deux", "trois"):
        keep(house, awa.session, title)
        clock.forward(seconds=10)
    cards = documents.list_papers(house, awa.session)
    assert [card.title for card in cards] == ["trois", "deux", "un"]
    assert cards[0].added is not None
    assert cards[0].added - dt.timedelta(seconds=20) == cards[2].added
