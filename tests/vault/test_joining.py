"""Two safes of one person become one: what is in the way leaves the card waiting, and an impatient finger doubles nothing."""

from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import select

from storage.errors import DatabaseUnreachable, StorageError, VaultUnreachable
from storage.tables import sessions as session_rows
from tests.vault.builders import MadePerson, make_office, make_person, make_worker
from tests.vault.clock import Clock
from tests.vault.papers import keep
from tests.vault.test_sharing import SEE, offer, second_day
from vault import documents, joining, parcels, sessions, sharing, unlocking
from vault.context import Context
from vault.errors import Conflict, NotThere, WrongSecret
from vault.sessions import Session
from vault.trying import Tried
from vault.widening import WouldShow


def two_safes(house: Context) -> tuple[MadePerson, MadePerson]:
    """A safe with two papers, and another one of the same person, where the card of the first was shown."""
    lost, found = make_person(house, "Awa"), make_person(house, "Awa")
    for name in ("Avis", "Bail"):
        keep(house, lost.session, name, text=name)
    joining.show_card(house, found.session, lost.card)
    return lost, found


class Tapped:
    """A parcel; before its first byte, the code is sent a second time."""

    def __init__(self, parcel: parcels.Parcel, tap: Callable[[], None]) -> None:
        self._parcel, self._tap = parcel, tap

    def blocks(self) -> Iterator[bytes]:
        self._tap()
        yield from self._parcel.blocks()


def test_a_second_tap_while_papers_come_brings_none_twice(reading_house: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """An impatient finger at a page that takes long: fourteen papers once became twenty-seven."""
    house = reading_house
    lost, found = two_safes(house)
    real, taps = parcels.waiting, [1]

    def tap() -> None:
        while taps:
            taps.pop()
            with pytest.raises(NotThere):
                joining.join(house, found.session, lost.code, "fr")

    def waiting(context: Context, session: Session) -> Tapped:
        return Tapped(real(context, session), tap)

    monkeypatch.setattr(parcels, "waiting", waiting)
    assert joining.join(house, found.session, lost.code, "fr").new == 2
    assert sorted(card.title for card in documents.list_papers(house, found.session)) == ["Avis", "Bail"]
    assert not taps


def test_nor_does_a_tap_whose_code_is_looked_at_together_with_the_first(
    reading_house: Context, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Both codes were right before either had taken the card."""
    house = reading_house
    lost, found = two_safes(house)
    right, made = unlocking.try_card, list[int]()

    def both(*shown: Any) -> Tried:
        tried = right(*shown)
        if not made:
            made.append(0)
            made[0] = joining.join(house, found.session, lost.code, "fr").new
        return tried

    monkeypatch.setattr(unlocking, "try_card", both)
    with pytest.raises(Conflict):
        joining.join(house, found.session, lost.code, "fr")
    assert made == [2]
    assert documents.count(house, found.session) == 2
    assert not joining.waits(house, found.session)


def test_what_could_not_be_brought_leaves_the_card_waiting(reading_house: Context, clock: Clock) -> None:
    """A wrong code, or somebody who would see what comes: the same card is not shown again."""
    house = reading_house
    lost, found = two_safes(house)
    fatou = make_worker(house, make_office(house))
    second_day(house, clock, lost, found, fatou)
    joining.show_card(house, found.session, lost.card)
    with pytest.raises(WrongSecret):
        joining.join(house, found.session, "000001", "fr")
    sharing.grant(house, found.session, fatou.id, offer(acts=SEE, shelf="money"))
    with pytest.raises(WouldShow):
        joining.join(house, found.session, lost.code, "fr")
    assert joining.waits(house, found.session)
    assert documents.count(house, found.session) == 0


@pytest.mark.parametrize("away", [DatabaseUnreachable, VaultUnreachable])
def test_a_store_that_is_away_for_one_moment_takes_no_card_and_leaves_no_safe_open(
    reading_house: Context, monkeypatch: pytest.MonkeyPatch, away: type[StorageError]
) -> None:
    """Between the commit that takes the card and the first look into the safe that it opens."""
    house = reading_house
    lost, found = two_safes(house)
    with monkeypatch.context() as moment:
        moment.setattr(sessions, "find", Mock(side_effect=away))
        with pytest.raises(away):
            joining.join(house, found.session, lost.code, "fr")
    assert joining.waits(house, found.session)
    with house.database.transaction(read_only=True) as connection:
        assert list(connection.execute(select(session_rows.c.id).where(session_rows.c.account == lost.id))) == []
    assert joining.join(house, found.session, lost.code, "fr").new == 2
    assert not joining.waits(house, found.session)


def test_what_came_is_told_though_the_other_safe_could_not_be_closed(
    reading_house: Context, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    house = reading_house
    lost, found = two_safes(house)
    monkeypatch.setattr(sessions, "end_of", Mock(side_effect=DatabaseUnreachable))
    assert joining.join(house, found.session, lost.code, "fr").new == 2
    assert not joining.waits(house, found.session)
