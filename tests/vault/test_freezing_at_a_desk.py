"""Somebody asks a desk to block their safe, with their account number alone: it is done, and nothing is learned by it."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from tests.vault.builders import MadePerson, make_office, make_person, make_worker, show_card, sign_in, unlock
from tests.vault.clock import Clock
from vault import account_numbers, audit, people, protecting, sessions, unlocking
from vault.context import Context
from vault.errors import BadInput, MustWait, NoSession, NotAllowed, WrongSecret


def blocked(house: Context, person: MadePerson) -> bool:
    """Whether the card and the code answer as those of nobody."""
    try:
        unlock(house, person)
    except WrongSecret:
        return True
    return False


def said(house: Context, desk: sessions.Session) -> Counter[tuple[str, str, str]]:
    """What the worker's own history says, however often."""
    return Counter((one.event.tag, one.event.detail, one.event.grant) for one in audit.history(house, desk))


def test_a_number_blocks_at_once_and_card_and_words_open_again(any_house: Context) -> None:
    """SAFE-14: the thief's open screen closes with it. It is in the person's history, with the worker's name."""
    house = any_house
    fatou, awa = make_worker(house, make_office(house)), make_person(house, "Awa", words=True)
    cookie = unlocking.unlock(house, show_card(house, awa.card), awa.code)
    people.freeze_number(house, sign_in(house, fatou), account_numbers.shown(awa.number))
    with pytest.raises(NoSession):
        sessions.find(house, cookie)
    assert blocked(house, awa)
    back = people.lift_freeze(house, show_card(house, awa.card), awa.code, awa.number, awa.words or ())
    told = audit.history(house, sessions.find(house, back))
    assert [one.event.by_name for one in told if one.event.tag == "means.frozen"] == ["Fatou"]


class Counting:
    """The key vault, and how many rows it was asked for."""

    def __init__(self, real: Any) -> None:
        self._real, self.asked = real, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def derive_many(self, wanted: Sequence[Any]) -> list[bytes]:
        self.asked += len(wanted)
        return list(self._real.derive_many(wanted))


def test_a_blocked_safe_costs_the_same_work_as_a_number_that_nobody_has(house: Context) -> None:
    """Time would tell else that the number is somebody's, and that it is blocked already."""
    fatou, awa = make_worker(house, make_office(house)), make_person(house, "Awa")
    desk = sign_in(house, fatou)
    people.freeze_number(house, desk, awa.number)
    asked = []
    for number in (awa.number, account_numbers.draw()):
        counting = Counting(house.keyvault)
        people.freeze_number(dataclasses.replace(house, keyvault=counting), desk, number)
        asked.append(counting.asked)
    assert asked[0] == asked[1] > 0


def test_nothing_tells_a_number_that_somebody_has_from_one_that_nobody_has(house: Context, clock: Clock) -> None:
    """Same answer, same line in the worker's own history; a safe that is blocked already answers so too; five a day."""
    fatou, awa = make_worker(house, make_office(house)), make_person(house, "Awa")
    desk = sign_in(house, fatou)
    lines = []
    for number in (awa.number, account_numbers.draw(), awa.number):
        before = said(house, desk)
        people.freeze_number(house, desk, number)
        lines.append(list((said(house, desk) - before).elements()))
    assert lines == [[("worker.asked-to-block", "", "")]] * 3
    for wrong in ("", "123", awa.number[:-1] + str((int(awa.number[-1]) + 1) % 10)):
        with pytest.raises(BadInput):
            people.freeze_number(house, desk, wrong)
    for _ in range(protecting.FREEZES_A_DAY - 3):
        people.freeze_number(house, desk, account_numbers.draw())
    mariam = make_person(house, "Mariam")
    with pytest.raises(MustWait):
        people.freeze_number(house, desk, mariam.number)
    assert not blocked(house, mariam)
    with pytest.raises(NotAllowed):
        people.freeze_number(house, unlock(house, mariam), mariam.number)
    clock.forward(hours=25)
    people.freeze_number(house, sign_in(house, fatou), mariam.number)
    assert blocked(house, mariam)
