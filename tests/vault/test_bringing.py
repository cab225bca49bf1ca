"""What is here already when an archive is brought in: whole, cut, thrown away, or alike without being the same."""

from unittest.mock import Mock

import pytest

import consent.fields
from tests.vault.builders import make_person
from tests.vault.papers import keep
from tests.vault.test_parcels import bring, lived, taken
from vault import documents, restricting, typed
from vault.context import Context


def test_a_paper_that_was_thrown_away_stops_nothing(reading_house: Context) -> None:
    """It lies in the bin here with fewer versions than the archive has: one paper of four came, each time."""
    house = reading_house
    awa, _ = lived(house)
    archive, other = taken(house, awa), make_person(house, "Awa")
    half = keep(house, other.session, "Avis 1", text="texte 1", sort="tax-notice")
    documents.remove(house, other.session, half)
    for new in (3, 0):
        brought = bring(house, other, archive)
        assert (brought.new, brought.known) == (new, 4 - new)
    assert {card.title for card in documents.list_papers(house, other.session)} == {"Avis 0", "Gros"}
    assert {card.title for card in documents.bin_of(house, other.session)} == {"Avis 1", "Avis 2"}
    assert len(documents.versions_of(house, other.session, half)) == 1, "the bin is left to its person"


def test_a_paper_like_another_one_is_not_taken_for_it(reading_house: Context) -> None:
    """A longer paper of the same title was laid over a whole one, and the two became one."""
    house = reading_house
    awa, other = make_person(house, "Awa"), make_person(house, "Awa")
    for _ in range(2):
        longer = keep(house, awa.session, "Avis", text="un")
        keep(house, awa.session, "Avis", text="un")
        keep(house, awa.session, "Avis", text="deux", replaces=longer)
    keep(house, other.session, "Avis", text="un")
    archive = taken(house, awa)
    for new in (3, 0):
        brought = bring(house, other, archive)
        assert (brought.new, brought.known) == (new, 4 - new)
    here = [documents.versions_of(house, other.session, card.paper) for card in documents.list_papers(house, other.session)]
    assert sorted(map(len, here)) == [1, 1, 2, 2]


def test_while_nothing_moves_everything_comes_and_what_was_thrown_away_stays_so(reading_house: Context) -> None:
    """Keeping is what a restriction leaves. It stopped in the middle, and took a paper out of the bin."""
    house = reading_house
    awa, found = lived(house)
    archive, other = taken(house, awa), make_person(house, "Awa")
    with house.database.transaction() as connection:
        restricting.begin(house, connection, other.id)
    assert bring(house, other, archive).new == len(found) + 1
    assert {card.title for card in documents.list_papers(house, other.session)} == {"Avis 0", "Avis 1 bis", "Gros"}
    assert [card.title for card in documents.bin_of(house, other.session)] == ["Avis 2"]


def test_a_title_that_shows_nothing_keeps_no_archive_out(reading_house: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """One was kept before such titles were refused: the whole archive was "not ours", and so was the other safe of two."""
    house = reading_house
    awa, other = make_person(house, "Awa"), make_person(house, "Awa")
    with monkeypatch.context() as before:
        before.setattr(typed, "shows", Mock(return_value=True))
        before.setattr(consent.fields, "shows", Mock(return_value=True))
        keep(house, awa.session, "\u2800", text="un")
    keep(house, awa.session, "Bail", text="deux")
    archive = taken(house, awa)
    for new in (2, 0):
        brought = bring(house, other, archive)
        assert (brought.new, brought.known) == (new, 2 - new)
    assert {card.title for card in documents.list_papers(house, other.session)} == {"", "Bail"}
    assert bring(house, awa, archive).known == 2, "where it comes from it is the same paper"
