"""A safe is frozen while it is being erased, or while somebody is said to be dead: whatever brings it back gives back a frozen one."""

import pytest
from sqlalchemy import select

from storage.tables import tickets as rows
from tests.vault.builders import MadePerson, make_office, make_person, make_worker, show_card, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, Circle, confirm, make_circle, new_card, start, with_its_office
from tests.vault.deaths_scene import approved
from tests.vault.papers import keep
from tests.vault.test_directives import member
from tests.vault.test_freezing_at_a_desk import blocked
from tests.vault.test_special_paths import approve_twice, came
from vault import audit, coming_back, deaths, erasing, erasure, leaving, parcels, people, protecting, rights, sessions, tickets
from vault.context import Context
from vault.errors import TicketGone, WrongSecret


def frozen_at_a_desk(house: Context, made: Circle) -> None:
    people.freeze_number(house, sign_in(house, made.fatou), made.awa.number)


def means(house: Context, session: sessions.Session) -> list[str]:
    return [one.event.tag for one in audit.history(house, session) if one.event.tag.startswith("means.")]


def test_who_cancels_an_erasure_with_card_and_code_gets_back_a_frozen_safe(any_house: Context, clock: Clock) -> None:
    """The partner presses "Tout effacer"; she has it blocked at a desk; he cancels. Her guardians open it, and it is not lost."""
    made = make_circle(any_house)
    erasure.ask(any_house, unlock(any_house, made.awa), made.awa.code)
    frozen_at_a_desk(any_house, made)
    frozen_at_a_desk(any_house, made)
    erasure.cancel(any_house, None, made.awa.card, made.awa.code)
    assert blocked(any_house, made.awa)
    clock.forward(days=4)
    assert blocked(any_house, made.awa)
    session, code = start(any_house, made.canal.kiosk, "stolen")
    confirm(any_house, made.marc, code, theft=True, beside=True)
    confirm(any_house, made.fatou, code, theft=True)
    back = sessions.find(any_house, coming_back.finish(any_house, session, new_card(), NEW_CODE))
    assert means(any_house, back).count("means.frozen") == 1
    assert "means.unfrozen" in means(any_house, back)


def test_the_card_alone_blocks_a_safe_that_is_leaving(house: Context) -> None:
    """ "Tout bloquer" says that it is done: then it is."""
    awa = make_person(house, "Awa", words=True)
    erasure.ask(house, awa.session, awa.code)
    protecting.freeze(house, show_card(house, awa.card))
    erasure.cancel(house, None, awa.card, awa.code)
    assert blocked(house, awa)
    people.lift_freeze(house, show_card(house, awa.card), awa.code, awa.number, awa.words or ())
    assert not blocked(house, awa)


def test_a_report_of_death_hides_no_freeze(house: Context) -> None:
    """Said to be dead, then blocked by a guardian: the card and the code deny nothing; two who do not follow give back a frozen one."""
    made = make_circle(house)
    deaths.report(house, sign_in(house, made.fatou), member(house, made.fatou), seen=True)
    ward = member(house, made.marc)
    protecting.freeze_ward(house, sign_in(house, made.marc), ward)
    with pytest.raises(WrongSecret):
        unlock(house, made.awa)


def test_the_end_of_a_year_does_not_open_a_frozen_safe(house: Context, clock: Clock) -> None:
    """ADR 0052: a blocked card gains nothing by a report, nor by cancelling what the report led to. Nothing is lost either."""
    made = make_circle(house)
    frozen_at_a_desk(house, made)
    approved(house, made)
    clock.forward(days=366)
    assert deaths.end_due(house) == 1
    erasure.cancel(house, None, made.awa.card, made.awa.code)
    assert blocked(house, made.awa)
    clock.forward(days=4)
    assert erasing.due(house) == []


def test_a_judge_s_erasure_does_not_open_a_frozen_safe(house: Context) -> None:
    made = with_its_office(house)
    frozen_at_a_desk(house, made)
    one = came(house, made, "court-order", order="erase")
    approve_twice(house, made, one)
    rights.carry_out(house, made.tilleuls.administrators[0].session, one.id)
    erasure.cancel(house, None, made.awa.card, made.awa.code)
    assert blocked(house, made.awa)


def phone(house: Context, person: MadePerson) -> tuple[str, str, str]:
    """The secrets of three links: a parcel that a phone has begun to take, one that is still to be used, one paper."""
    kept = keep(house, person.session)
    begun = parcels.begin(house, parcels.pack(house, person.session, "phone", "fr").secret)
    waiting = parcels.pack(house, person.session, "phone", "fr")
    paper = leaving.to_phone(house, person.session, kept)
    return begun.secret, waiting.secret, paper.secret


@pytest.mark.parametrize("how", ["frozen", "protected"])
def test_a_phone_takes_nothing_more(house: Context, clock: Clock, how: str) -> None:
    """The thief photographed the square; she has it blocked, or changes everything: the download does not go on."""
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house, "Awa", kiosk=office.kiosk)
    clock.forward(days=2)
    unlock(house, awa)
    begun, waiting, paper = phone(house, awa)
    leaving_now = parcels.find(house, begun).blocks()
    assert next(leaving_now)
    if how == "frozen":
        people.freeze_number(house, sign_in(house, fatou), awa.number)
    else:
        people.protect(house, awa.session, awa.code, new_card(), NEW_CODE)
    with pytest.raises(TicketGone):
        parcels.find(house, begun)
    with pytest.raises(TicketGone):  # nor what is leaving at this moment
        list(leaving_now)
    with pytest.raises(TicketGone):
        parcels.begin(house, waiting)
    with pytest.raises(TicketGone):
        leaving.redeem(house, paper)


@pytest.mark.parametrize("cut", [False, True])
def test_a_slow_phone_whose_hour_is_over_goes_on_unless_the_safe_is_blocked(house: Context, clock: Clock, cut: bool) -> None:
    """Who reads slowly enough to pass the hour is no better off than who reads fast; an honest slow line comes to its end."""
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house, "Awa", kiosk=office.kiosk)
    clock.forward(days=2)
    unlock(house, awa)
    keep(house, awa.session)
    begun, _, _ = phone(house, awa)
    leaving_now, honest = (parcels.find(house, begun).blocks() for _ in range(2))
    assert next(leaving_now), next(honest)
    clock.forward(minutes=61)
    tickets.sweep(house)
    with pytest.raises(TicketGone):
        parcels.find(house, begun)
    with house.database.transaction(read_only=True) as connection:
        assert set(connection.scalars(select(rows.c.sealed))) == {b""}, "what is kept of it opens nothing"
    if not cut:
        assert sum(len(block) for block in leaving_now) > 0
        clock.forward(days=1)
        with pytest.raises(TicketGone):
            list(honest)
        tickets.sweep(house)
        with house.database.transaction(read_only=True) as connection:
            assert connection.scalars(select(rows.c.digest)).all() == []
        return
    people.freeze_number(house, sign_in(house, fatou), awa.number)
    with pytest.raises(TicketGone):
        list(leaving_now)
