"""What an erasure still waits for when its 72 hours are over: the guardians who are bringing the person back, an order to keep."""

import pytest
from sqlalchemy import select

from storage.tables import accounts
from tests.vault.builders import unlock
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, Circle, confirm, lifted_by_two, make_circle, new_card, start, with_its_office
from tests.vault.papers import keep, read
from tests.vault.test_special_paths import approve_twice, came
from vault import coming_back, erasing, erasure, rights, sessions, tasks
from vault.context import Context
from vault.errors import Conflict, MustWait
from vault.rights import Request


def state(house: Context, person: str) -> str | None:
    with house.database.transaction(read_only=True) as connection:
        return connection.execute(select(accounts.c.state).where(accounts.c.id == person)).scalar_one_or_none()


def test_guardians_who_have_begun_are_waited_for(any_house: Context, clock: Clock) -> None:
    """The thief erases; two days later both guardians confirm from afar; their day ends after the 72 hours: nothing is lost."""
    house, made = any_house, make_circle(any_house)
    paper = keep(house, unlock(house, made.awa), "Bail")
    asked = erasure.ask(house, made.awa.session, made.awa.code)
    clock.forward(hours=50)
    session, code = start(house, made.canal.kiosk)
    confirm(house, made.marc, code)
    confirm(house, made.fatou, code)
    card = new_card()
    opens = coming_back.wait(house, session, card, NEW_CODE)
    clock.forward(hours=23)
    assert (erasing.due(house), tasks.erase_due(house)) == ([], 0)
    with pytest.raises(Conflict):
        erasing.carry_out(house, asked.id)
    with pytest.raises(MustWait):
        coming_back.come_back(house, None, card, NEW_CODE)
    clock.now = opens
    back = sessions.find(house, coming_back.come_back(house, None, card, NEW_CODE))
    assert read(house, back, paper)
    assert state(house, made.awa.id) == "open"


def test_a_recovery_that_nobody_finishes_puts_it_off_until_its_own_term(house: Context, clock: Clock) -> None:
    """Nobody has confirmed, or it began after the 72 hours: nothing is waited for. One guardian alone holds it back only so long."""
    made = make_circle(house)
    asked = erasure.ask(house, made.awa.session, made.awa.code)
    clock.forward(hours=71, minutes=55)
    _, code = start(house, made.canal.kiosk)
    clock.forward(minutes=6)
    assert erasing.due(house) == [asked.id], "a code on a screen is nobody's word"
    confirm(house, made.marc, code)
    assert erasing.due(house) == []
    clock.forward(hours=1)
    assert erasing.due(house) == [asked.id]
    _, late = start(house, made.canal.kiosk)
    confirm(house, made.marc, late)
    assert erasing.due(house) == [asked.id]


def ordered(house: Context, made: Circle, order: str) -> Request:
    """A judge's order, carried out."""
    one = came(house, made, "court-order", order=order)
    approve_twice(house, made, one)
    rights.carry_out(house, made.tilleuls.administrators[1].session, one.id)
    return one


def test_an_order_to_keep_everything_stops_the_clock(house: Context, clock: Clock) -> None:
    """It comes within the 72 hours: nothing goes until it is lifted; the card still cancels."""
    made = with_its_office(house)
    asked = erasure.ask(house, unlock(house, made.awa), made.awa.code)
    order = ordered(house, made, "keep")
    clock.forward(days=30)
    assert erasing.due(house) == []
    with pytest.raises(Conflict):
        erasing.carry_out(house, asked.id)
    lifted_by_two(house, made, order.id)
    assert erasing.due(house) == [asked.id]
    erasing.carry_out(house, asked.id)
    assert state(house, made.awa.id) is None


def test_what_a_judge_orders_erased_waits_for_no_restriction(house: Context, clock: Clock) -> None:
    made = with_its_office(house)
    keeping, erasing_order = came(house, made, "court-order", order="keep"), came(house, made, "court-order", order="erase")
    for one in (keeping, erasing_order):
        approve_twice(house, made, one)
        rights.carry_out(house, made.tilleuls.administrators[1].session, one.id)
    clock.forward(hours=73)
    (due,) = erasing.due(house)
    erasing.carry_out(house, due)
    assert state(house, made.awa.id) is None
