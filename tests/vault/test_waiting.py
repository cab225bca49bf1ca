"""A recovery that waits its day: who reads of it, who ends it, what delays it, and that a declared theft is out of their reach."""

import datetime as dt
from collections.abc import Callable
from contextlib import suppress

import pytest
from sqlalchemy import select

from storage.tables import recoveries, slots
from tests.vault.builders import make_person, show_card, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, Circle, confirm, face, make_circle, new_card, set_circle, start
from vault import (
    account_numbers,
    aftermath,
    audit,
    circles,
    coming_back,
    guardians,
    people,
    protecting,
    sessions,
    unlocking,
    waiting,
)
from vault.circles import NewSheet
from vault.context import Context
from vault.errors import MustWait, NoSession, NotAllowed, NotThere, WrongSecret


def begun(house: Context, made: Circle, *, theft: bool = False) -> str:
    """Somebody comes back by guardians who are far away: the card that opens tomorrow."""
    session, code = start(house, made.canal.kiosk, "stolen" if theft else "lost")
    confirm(house, made.marc, code, theft=theft)
    confirm(house, made.fatou, code, theft=theft)
    card = new_card()
    coming_back.wait(house, session, card, NEW_CODE)
    return card


def opens_at(house: Context) -> dt.datetime | None:
    with house.database.transaction(read_only=True) as connection:
        query = select(recoveries.c.opens).where(recoveries.c.state == "asking")
        return connection.execute(query).scalar_one_or_none()


def over(house: Context, clock: Clock, card: str) -> None:
    """The card that was to open tomorrow opens nothing, tomorrow or later."""
    clock.forward(hours=24, minutes=1)
    aftermath.expire(house)
    with pytest.raises(WrongSecret):
        coming_back.come_back(house, None, card, NEW_CODE)


def test_who_opens_with_the_old_card_reads_of_it_and_ends_it(any_house: Context, clock: Clock) -> None:
    house, made = any_house, make_circle(any_house)
    assert waiting.opens(house, unlock(house, made.awa)) is None
    card = begun(house, made)
    hers = unlock(house, made.awa)
    assert waiting.opens(house, hers) == clock.now + dt.timedelta(hours=24)
    waiting.stop(house, hers)
    assert waiting.opens(house, hers) is None
    with pytest.raises(NotThere):
        waiting.stop(house, hers)
    assert [entry.event.tag for entry in audit.history(house, hers)].count("recovery.stopped") == 1
    over(house, clock, card)
    assert unlock(house, made.awa).account == made.awa.id


def test_the_card_and_the_code_end_it_without_opening_and_nothing_freezes(house: Context, clock: Clock) -> None:
    made = make_circle(house)
    with pytest.raises(WrongSecret):  # nothing waits: the same answer as for a card that nobody has
        coming_back.stop(house, None, made.awa.card, made.awa.code)
    card = begun(house, made)
    with pytest.raises(WrongSecret):
        coming_back.stop(house, None, made.awa.card, NEW_CODE)
    with pytest.raises(WrongSecret):
        coming_back.stop(house, None, card, NEW_CODE)
    assert coming_back.stop(house, None, made.awa.card, made.awa.code) is False
    over(house, clock, card)
    assert unlock(house, made.awa).account == made.awa.id


def test_nobody_else_reads_of_it_or_ends_it(house: Context) -> None:
    made = make_circle(house)
    begun(house, made)
    stranger = make_person(house, "Nour")
    assert waiting.opens(house, stranger.session) is None
    with pytest.raises(NotThere):
        waiting.stop(house, stranger.session)
    for session in (sign_in(house, made.fatou), show_card(house, made.awa.card)):
        with pytest.raises(NotAllowed):
            waiting.stop(house, session)
        with pytest.raises(NotAllowed):
            waiting.opens(house, session)
    assert opens_at(house) is not None


def test_to_block_from_inside_ends_it(house: Context, clock: Clock) -> None:
    made = make_circle(house)
    card = begun(house, made)
    people.freeze(house, unlock(house, made.awa))
    over(house, clock, card)


@pytest.mark.parametrize("says", [waiting.stop, people.freeze])
def test_a_no_that_was_on_its_way_at_a_block_ends_nothing(
    any_house: Context, clock: Clock, says: Callable[[Context, sessions.Session], None]
) -> None:  # fmt: skip
    """The thief is inside with card and code; a desk blocks everything. The owner's recovery is held by a day, and opens then."""
    house, made = any_house, make_circle(any_house)
    card, thief = begun(house, made), unlock(house, made.awa)
    people.freeze_number(house, sign_in(house, made.fatou), made.awa.number)
    with suppress(NoSession):
        says(house, thief)
    assert opens_at(house) == clock.now + dt.timedelta(hours=24)
    clock.forward(hours=24, minutes=1)
    assert coming_back.come_back(house, None, card, NEW_CODE)


@pytest.mark.parametrize("how", ["protected", "guardians-chosen", "guardian-released"])
def test_what_takes_its_parts_away_ends_it(house: Context, clock: Clock, how: str) -> None:
    """The first page does not go on saying that somebody comes back, and the history says that it was stopped."""
    made = make_circle(house)
    card = begun(house, made)
    hers = unlock(house, made.awa)
    if how == "protected":
        hers = sessions.find(house, protecting.protect(house, hers, made.awa.code, new_card(), "591746").cookie)
    elif how == "guardians-chosen":
        set_circle(house, made.awa, [face(made.fatou), NewSheet()])
    else:
        circle = guardians.circle(house, hers)
        assert circle is not None
        circles.release(house, hers, made.awa.code, circle.members[0].id)
    assert waiting.opens(house, hers) is None
    assert [entry.event.tag for entry in audit.history(house, hers)].count("recovery.stopped") == 1
    over(house, clock, card)


def test_a_right_code_is_never_counted_as_a_wrong_one(any_house: Context, clock: Clock) -> None:
    """Who presses "annuler" with nothing to cancel, or comes back a day late, is right all the same."""
    house, made = any_house, make_circle(any_house)
    for _ in range(6):
        with pytest.raises(WrongSecret):
            coming_back.stop(house, None, made.awa.card, made.awa.code)
    card = begun(house, made)
    with house.database.transaction() as connection:
        aftermath.forget(connection, connection.execute(select(recoveries.c.id)).scalar_one())
    for _ in range(6):
        with pytest.raises(NoSession):
            coming_back.come_back(house, None, card, NEW_CODE)
    assert unlock(house, made.awa).account == made.awa.id
    with house.database.transaction(read_only=True) as connection:
        assert set(connection.scalars(select(slots.c.wrong_in_a_row))) == {0}


@pytest.mark.parametrize("by", ["card", "number", "guardian"])
def test_to_block_with_less_delays_it_by_a_day_once(house: Context, clock: Clock, by: str) -> None:
    """Whoever found the card keeps its owner out for no more than that."""
    made = make_circle(house)
    card = begun(house, made)
    clock.forward(hours=20)
    desk = sign_in(house, made.fatou)
    (ward,) = guardians.people_who_count_on_me(house, desk)
    number = account_numbers.shown(made.awa.number)
    block = {
        "card": lambda: people.freeze(house, show_card(house, made.awa.card)),
        "number": lambda: people.freeze_number(house, desk, number),
        "guardian": lambda: protecting.freeze_ward(house, desk, ward.member),
    }[by]
    block()
    until = clock.now + dt.timedelta(hours=24)
    assert opens_at(house) == until
    clock.forward(hours=5)
    block_again = show_card(house, made.awa.card)
    people.freeze(house, block_again)
    assert opens_at(house) == until
    with pytest.raises(MustWait):
        coming_back.come_back(house, None, card, NEW_CODE)
    clock.forward(hours=19, minutes=1)
    aftermath.expire(house)
    assert sessions.find(house, coming_back.come_back(house, None, card, NEW_CODE)).account == made.awa.id


def test_a_declared_theft_is_ended_and_delayed_by_nobody(house: Context, clock: Clock) -> None:
    """The thief has card and code; somebody even asks a desk to block the number."""
    made = make_circle(house)
    card = begun(house, made, theft=True)
    with pytest.raises(WrongSecret):
        coming_back.stop(house, None, made.awa.card, made.awa.code)
    until = opens_at(house)
    people.freeze(house, show_card(house, made.awa.card))
    people.freeze_number(house, sign_in(house, made.fatou), account_numbers.shown(made.awa.number))
    assert opens_at(house) == until
    clock.forward(hours=24, minutes=1)
    aftermath.expire(house)
    back = sessions.find(house, coming_back.come_back(house, None, card, NEW_CODE))
    assert back.account == made.awa.id
    with pytest.raises(WrongSecret):
        unlocking.unlock(house, show_card(house, made.awa.card), made.awa.code)


def test_when_the_bar_falls_a_theft_that_waits_is_read_delayed_and_ended(house: Context, clock: Clock) -> None:
    """ADR 0113: the bar lasts three days and the new card could open for eight. Whoever opens in between reads of it."""
    made = make_circle(house)
    card = begun(house, made, theft=True)
    clock.forward(hours=72, minutes=1)
    aftermath.expire(house)
    assert waiting.opens(house, unlock(house, made.awa)) is not None
    people.freeze_number(house, sign_in(house, made.fatou), account_numbers.shown(made.awa.number))
    assert opens_at(house) == clock.now + dt.timedelta(hours=24)
    with pytest.raises(MustWait):
        coming_back.come_back(house, None, card, NEW_CODE)
    assert coming_back.stop(house, None, made.awa.card, made.awa.code) is False
    over(house, clock, card)
