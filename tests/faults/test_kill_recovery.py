"""A recovery killed at each step leaves the old way or the new one: never neither, and in the end never both."""

import dataclasses
import datetime as dt
from contextlib import suppress
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import func, select

from storage import intentions
from storage.tables import recoveries
from tests.faults.kills import Stores, die_at_each_step
from tests.vault.builders import MadePerson, make_person, show_card, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, confirm, make_circle, new_card, start
from vault import circles, coming_back, endings, guardians, means, people, protecting, recovery, sessions, unlocking
from vault.circles import NewSheet
from vault.context import Context
from vault.errors import AbriError, WrongSecret
from vault.recovery import Reason


def opens(house: Context, person: MadePerson) -> bool:
    """Whether this card and code open the safe, and the account's keys with it."""
    try:
        return unlock(house, person).account == person.id
    except WrongSecret:
        return False


def close(house: Context) -> None:
    """Let go of the files."""
    house.database.close()
    house.keyvault.close()


@pytest.mark.parametrize("reason", ["lost", "stolen"])
def test_beginning_a_recovery(house: Context, tmp_path: Path, reason: Reason) -> None:
    """Killed as it begins, also with the card shown: the card opens as before, and a recovery begun again comes to its end."""
    made = make_circle(house)
    kiosk, card = made.tilleuls.kiosk, made.awa.card
    close(house)
    begun = set()
    for step, stores in die_at_each_step(
        Stores(house, tmp_path), tmp_path, lambda mortal: recovery.start(mortal, kiosk, reason, card=card)
    ):
        left = stores.open()
        with left.database.transaction(read_only=True) as connection:
            begun.add(connection.execute(select(func.count()).select_from(recoveries)).scalar_one())
        assert opens(left, made.awa), step
        session, code = start(left, kiosk, reason)
        confirm(left, made.marc, code, beside=True)
        confirm(left, made.fatou, code)
        assert sessions.find(left, coming_back.finish(left, session, new_card(), NEW_CODE)).account == made.awa.id
        close(left)
    assert begun == {0, 1}


def test_a_guardian_s_confirmation(house: Context, tmp_path: Path) -> None:
    """Killed as the second guardian confirms, and a theft: parts sent and cards barred together or not at all; then said again."""
    made = make_circle(house)
    session, code = start(house, made.tilleuls.kiosk, "stolen")
    confirm(house, made.fatou, code)
    desk = sign_in(house, made.marc)
    (ward,) = guardians.people_who_count_on_me(house, desk)
    close(house)
    seen = set()

    def work(mortal: Context) -> None:
        recovery.confirm(mortal, desk, ward.member, code, theft=True, beside=True)

    for step, stores in die_at_each_step(Stores(house, tmp_path), tmp_path, work):
        left = stores.open()
        ready, barred = recovery.state(left, session).ready, not opens(left, made.awa)
        seen.add(ready)
        assert ready == barred, f"step {step}: {ready=} {barred=}"
        if not ready:
            work(left)
        assert not opens(left, made.awa)
        back = sessions.find(left, coming_back.finish(left, session, new_card(), NEW_CODE))
        assert back.opened().values == made.awa.session.opened().values
        close(left)
    assert seen == {True, False}


def test_finishing_a_recovery(house: Context, tmp_path: Path) -> None:
    """Old card or new card; and who was refused by the death can go on at the same kiosk."""
    made = make_circle(house, NewSheet())
    session, code = start(house, made.tilleuls.kiosk)
    confirm(house, made.fatou, code, beside=True)
    confirm(house, made.marc, code)
    card = new_card()
    old, new = made.awa, dataclasses.replace(made.awa, card=card, code=NEW_CODE)
    close(house)
    seen = set()
    for step, stores in die_at_each_step(
        Stores(house, tmp_path), tmp_path, lambda mortal: coming_back.finish(mortal, session, card, NEW_CODE)
    ):
        left = stores.open()
        before, after = opens(left, old), opens(left, new)
        seen.add((before, after))
        assert before != after, f"step {step}: {before=} {after=}"
        if before:  # the recovery goes on where it stood, with another card
            other = new_card()
            back = sessions.find(left, coming_back.finish(left, session, other, NEW_CODE))
            assert back.opened().values == old.session.opened().values
        else:
            endings.finish(left)
            circle = guardians.circle(left, new.session)
            assert circle is not None
            assert circle.sets == 3
        assert not opens(left, old)
        with left.database.transaction(read_only=True) as connection:
            assert intentions.pending(connection) == []
        close(left)
    assert seen == {(True, False), (False, True)}


def test_choosing_guardians(house: Context, tmp_path: Path) -> None:
    """Killed while a circle takes another's place: one of the two works, and the person still opens."""
    made = make_circle(house)
    awa = made.awa
    session = unlock(house, awa)
    close(house)
    seen = set()

    def work(mortal: Context) -> None:
        circles.set_circle(mortal, session, awa.code, [NewSheet("a"), NewSheet("b")], 2)

    for _, stores in die_at_each_step(Stores(house, tmp_path), tmp_path, work):
        left = stores.open()
        endings.finish(left)
        circle = guardians.circle(left, session)
        assert circle is not None
        seen.add(tuple(one.kind for one in circle.members))
        assert circle.sets == 1
        assert not circle.missing
        if circle.members[0].kind == "worker":
            recovering, code = start(left, made.tilleuls.kiosk)
            confirm(left, made.fatou, code, beside=True)
            confirm(left, made.marc, code)
            assert sessions.find(left, coming_back.finish(left, recovering, new_card(), NEW_CODE)).account == awa.id
        else:
            assert opens(left, awa)
        close(left)
    assert seen == {("worker", "worker"), ("sheet", "sheet")}


def test_leaving_with_a_card_that_waits(house: Context, tmp_path: Path) -> None:
    """Killed while the recovery's key is laid under the new card: the old way opens, and the recovery may be begun again."""
    made = make_circle(house)
    session, code = start(house, made.tilleuls.kiosk)
    confirm(house, made.fatou, code)
    confirm(house, made.marc, code)
    card = new_card()
    close(house)
    for _, stores in die_at_each_step(
        Stores(house, tmp_path), tmp_path, lambda mortal: coming_back.wait(mortal, session, card, NEW_CODE)
    ):
        left = stores.open()
        assert opens(left, made.awa)
        with suppress(AbriError):  # it may have been committed: then the card waits already
            coming_back.wait(left, session, card, NEW_CODE)
        cast("Clock", left.clock).forward(hours=25)
        back = sessions.find(left, coming_back.come_back(left, made.tilleuls.kiosk, card, NEW_CODE))
        assert back.account == made.awa.id
        close(left)


def test_coming_back_with_the_card_that_waited(house: Context, tmp_path: Path) -> None:
    """Killed while the day is over and the new card takes the old one's place: one of the two opens; then the new one does."""
    made = make_circle(house)
    session, code = start(house, made.tilleuls.kiosk)
    confirm(house, made.fatou, code)
    confirm(house, made.marc, code)
    card = new_card()
    coming_back.wait(house, session, card, NEW_CODE)
    cast("Clock", house.clock).forward(hours=25)
    new = dataclasses.replace(made.awa, card=card, code=NEW_CODE)
    close(house)
    seen = set()
    for step, stores in die_at_each_step(
        Stores(house, tmp_path), tmp_path, lambda mortal: coming_back.come_back(mortal, made.tilleuls.kiosk, card, NEW_CODE)
    ):
        left = stores.open()
        before, after = opens(left, made.awa), opens(left, new)
        seen.add((before, after))
        assert before != after, f"step {step}: {before=} {after=}"
        if before:
            coming_back.come_back(left, made.tilleuls.kiosk, card, NEW_CODE)
        assert (opens(left, made.awa), opens(left, new)) == (False, True)
        close(left)
    assert seen == {(True, False), (False, True)}


def test_the_old_card_says_stop(house: Context, tmp_path: Path) -> None:
    """Killed while the owner stops a recovery that was not theirs: it stands as before or the safe is blocked; saying it again does it."""
    made = make_circle(house)
    session, code = start(house, made.tilleuls.kiosk)
    confirm(house, made.fatou, code, beside=True)
    confirm(house, made.marc, code)
    card, kiosk = new_card(), made.tilleuls.kiosk
    coming_back.finish(house, session, card, NEW_CODE)
    new = dataclasses.replace(made.awa, card=card, code=NEW_CODE)
    close(house)
    seen = set()
    for step, stores in die_at_each_step(
        Stores(house, tmp_path), tmp_path, lambda mortal: coming_back.stop(mortal, kiosk, made.awa.card, made.awa.code)
    ):
        left = stores.open()
        stands = opens(left, new)
        seen.add(stands)
        if stands:
            coming_back.stop(left, kiosk, made.awa.card, made.awa.code)
        assert (opens(left, made.awa), opens(left, new)) == (False, False), step
        again, said = start(left, kiosk)  # the guardians, all of them, bring the person back
        confirm(left, made.fatou, said, beside=True)
        confirm(left, made.marc, said)
        other = new_card()
        back = sessions.find(left, coming_back.finish(left, again, other, NEW_CODE))
        assert back.account == made.awa.id
        close(left)
    assert seen == {True, False}


def test_lifting_a_block(house: Context, tmp_path: Path) -> None:
    """Killed while card, code and words lift a block: it holds or it is lifted, and can be lifted again."""
    awa = make_person(house, "Awa", words=True)
    protecting.freeze(house, show_card(house, awa.card))
    shown = show_card(house, awa.card)
    close(house)
    seen = set()

    def work(mortal: Context) -> None:
        unlocking.lift_freeze(mortal, shown, awa.code, awa.number, awa.words or ())

    for step, stores in die_at_each_step(Stores(house, tmp_path), tmp_path, work):
        left = stores.open()
        lifted = opens(left, awa)
        seen.add(lifted)
        if not lifted:
            unlocking.lift_freeze(left, show_card(left, awa.card), awa.code, awa.number, awa.words or ())
        assert opens(left, awa), step
        close(left)
    assert seen == {True, False}


def test_blocking_everything(house: Context, tmp_path: Path) -> None:
    """Killed while a safe is blocked, by its card at the kiosk: it opens as before or it is blocked; then two means open it."""
    awa = make_person(house, "Awa", words=True)
    unlock(house, awa)
    shown = show_card(house, awa.card)
    close(house)
    seen = set()
    for step, stores in die_at_each_step(Stores(house, tmp_path), tmp_path, lambda mortal: protecting.freeze(mortal, shown)):
        left = stores.open()
        blocked = not opens(left, awa)
        seen.add(blocked)
        if blocked:
            back = unlocking.lift_freeze(left, show_card(left, awa.card), awa.code, awa.number, awa.words or ())
            assert sessions.find(left, back).opened().values == awa.session.opened().values, step
        assert opens(left, awa), step
        close(left)
    assert seen == {True, False}


@pytest.mark.parametrize("by", ["a guardian", "a number"])
def test_a_desk_blocks_while_somebody_comes_back(house: Context, tmp_path: Path, by: str) -> None:
    """Killed while a desk blocks a safe whose recovery waits: both are as before, or it is blocked and the recovery waits longer."""
    made = make_circle(house)
    session, code = start(house, made.tilleuls.kiosk)
    confirm(house, made.fatou, code)
    confirm(house, made.marc, code)
    card = new_card()
    coming_back.wait(house, session, card, NEW_CODE)
    cast("Clock", house.clock).forward(hours=20)
    desk, before = sign_in(house, made.fatou), _waits_until(house)
    (ward,) = guardians.people_who_count_on_me(house, desk)
    close(house)

    def work(mortal: Context) -> None:
        if by == "a guardian":
            protecting.freeze_ward(mortal, desk, ward.member)
        else:
            protecting.freeze_number(mortal, desk, made.awa.number)

    seen = set()
    for step, stores in die_at_each_step(Stores(house, tmp_path), tmp_path, work):
        left = stores.open()
        blocked, longer = not opens(left, made.awa), _waits_until(left) > before
        seen.add(blocked)
        assert blocked == longer, f"step {step}: {blocked=} {longer=}"
        work(left)  # said again, it is so, and no longer than a day
        assert not opens(left, made.awa)
        cast("Clock", left.clock).forward(hours=25)
        back = sessions.find(left, coming_back.come_back(left, made.tilleuls.kiosk, card, NEW_CODE))
        assert back.account == made.awa.id
        close(left)
    assert seen == {True, False}


def _waits_until(house: Context) -> dt.datetime:
    with house.database.transaction(read_only=True) as connection:
        found: dt.datetime = connection.execute(select(recoveries.c.opens).where(recoveries.c.state == "asking")).scalar_one()
    return found


def test_je_me_protege_and_a_change_of_code(house: Context, tmp_path: Path) -> None:
    """Killed at each step: the old means open or the new ones, never neither; and with the new ones the old number and sheets are void."""
    made = make_circle(house, NewSheet("sac"))
    awa, card = made.awa, new_card()
    session = unlock(house, awa)
    close(house)
    new = dataclasses.replace(awa, card=card, code=NEW_CODE)
    works = {
        "je me protège": (lambda mortal: protecting.protect(mortal, session, awa.code, card, NEW_CODE), new),
        "another code": (
            lambda mortal: means.change_code(mortal, session, awa.code, NEW_CODE),
            dataclasses.replace(awa, code=NEW_CODE),
        ),
    }
    for name, (work, after) in works.items():
        seen = set()
        for step, stores in die_at_each_step(Stores(house, tmp_path), tmp_path, work):
            left = stores.open()
            old_opens, new_opens = opens(left, awa), opens(left, after)
            seen.add((old_opens, new_opens))
            assert old_opens != new_opens, f"{name}, step {step}: {old_opens=} {new_opens=}"
            back = unlock(left, after if new_opens else awa)
            turned = new_opens and name == "je me protège"
            assert (back.opened().values != session.opened().values) == turned, "another code changes no key"
            assert people.me(left, back).name == "Awa"
            endings.finish(left)
            circle = guardians.circle(left, back)
            assert circle is not None
            sheets = [one for one in circle.members if one.kind == "sheet"]
            assert len(sheets) == (0 if new_opens and name == "je me protège" else 1)
            with left.database.transaction(read_only=True) as connection:
                assert intentions.pending(connection) == []
            close(left)
        assert seen == {(True, False), (False, True)}, name
