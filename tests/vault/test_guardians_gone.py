"""Guardians who left or are away: what they keep (nothing), what they sent before (counts no more), and who stays in the circle."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from storage.tables import circle_members, circle_shares, directive_copies, recovery_confirmations, rights_requests, slots
from storage.tables import workers as worker_rows
from tests.vault import deaths_scene
from tests.vault.builders import MadeWorker, make_worker, sign_in, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, Circle, confirm, face, make_circle, new_card, set_circle, start
from tests.vault.test_directives import member, wished
from tests.vault.test_waiting import begun
from vault import (
    aftermath,
    audit,
    circles,
    coming_back,
    deaths,
    directives,
    guardians,
    protecting,
    recovery,
    rights,
    sessions,
    waiting,
    workers,
)
from vault.context import Context
from vault.directives import Wish
from vault.errors import BadInput, Conflict, GuardianAway, GuardianLeft, NotThere, Tampered, WrongSecret


def leaves(house: Context, made: Circle, how: str = "ended") -> None:
    """Fatou's account ends, or she is away."""
    if how == "ended":
        workers.end(house, made.tilleuls.admin, made.fatou.id, made.tilleuls.proof)
    else:
        workers.suspend(house, made.tilleuls.admin, made.fatou.id, None)


def held(house: Context, worker: str) -> tuple[int, int, int]:
    """How many parts, names with drawings, and wishes for after death are posted to a worker's key."""
    members = select(circle_members.c.id).where(circle_members.c.worker == worker)
    faces = select(circle_members.c.id).where(circle_members.c.worker == worker, circle_members.c.posted_face.is_not(None))
    with house.database.transaction(read_only=True) as connection:
        parts = connection.scalars(select(circle_shares.c.member).where(circle_shares.c.member.in_(members))).all()
        wishes = connection.scalars(select(directive_copies.c.worker).where(directive_copies.c.worker == worker)).all()
        return len(parts), len(connection.scalars(faces).all()), len(wishes)


def test_who_left_keeps_nothing_that_their_key_opens(any_house: Context) -> None:
    """`keys.md`: until departure. The others keep theirs, and still bring her back."""
    house, made = any_house, make_circle(any_house)
    paul = make_worker(house, made.tilleuls, "Paul")
    unlock(house, made.awa)
    set_circle(house, made.awa, [face(made.fatou), face(made.marc), face(paul)])
    wished(house, made)
    assert held(house, made.fatou.id) == (1, 1, 1)
    others = held(house, made.marc.id)
    leaves(house, made)
    assert held(house, made.fatou.id) == (0, 0, 0)
    assert held(house, made.marc.id) == others
    circle = guardians.circle(house, unlock(house, made.awa))
    assert circle is not None
    assert {one.name for one in circle.members} == {"Fatou", "Marc", "Paul"}, "she still reads who it was"
    session, code = start(house, made.canal.kiosk)
    confirm(house, made.marc, code, beside=True)
    confirm(house, paul, code)
    assert sessions.find(house, coming_back.finish(house, session, new_card(), NEW_CODE)).account == made.awa.id


@pytest.mark.parametrize(("how", "copies"), [("ended", 0), ("suspended", 1)])
def test_a_wish_that_is_said_again_is_not_posted_to_who_left(house: Context, how: str, copies: int) -> None:
    """Nor is she named among those who read it; whoever is away only reads it when they are back."""
    made = make_circle(house)
    wished(house, made)
    leaves(house, made, how)
    wished(house, made, Wish("erase"))
    assert held(house, made.fatou.id)[2] == copies
    said = directives.mine(house, made.awa.session)
    assert said is not None
    assert said.readers == (("Fatou",) if copies else ()) + ("Marc",)


@pytest.mark.parametrize("how", ["ended", "suspended"])
def test_what_was_confirmed_before_counts_no_more(any_house: Context, how: str) -> None:
    """Her desk was stolen, and her account is ended or suspended for that: the office has said no."""
    house, made = any_house, make_circle(any_house)
    session, code = start(house, made.canal.kiosk)
    confirm(house, made.marc, code, beside=True)
    confirm(house, made.fatou, code)
    assert recovery.state(house, session).ready
    leaves(house, made, how)
    assert not recovery.state(house, session).ready
    with pytest.raises(Conflict):
        coming_back.finish(house, session, new_card(), NEW_CODE)
    assert unlock(house, made.awa).account == made.awa.id


def test_a_recovery_that_waits_ends_with_an_account_that_it_needed(house: Context, clock: Clock) -> None:
    """Nobody reads any more that somebody comes tomorrow, and the history says that it was stopped."""
    made = make_circle(house)
    card = begun(house, made)
    leaves(house, made)
    hers = unlock(house, made.awa)
    assert waiting.opens(house, hers) is None
    assert "recovery.stopped" in [one.event.tag for one in audit.history(house, hers)]
    clock.forward(hours=25)
    for _ in range(6):  # whoever has nothing but this card reads why, and their right code is never a wrong one
        with pytest.raises(GuardianLeft):
            coming_back.come_back(house, None, card, NEW_CODE)
    with pytest.raises(WrongSecret):
        coming_back.come_back(house, None, card, "482957")
    with house.database.transaction(read_only=True) as connection:
        pending = select(slots.c.sealed_secret).where(slots.c.state == "pending")
        assert connection.scalars(pending).all() == [None], "what would have opened is gone"
    clock.forward(days=7)
    aftermath.expire(house)
    with pytest.raises(WrongSecret):
        coming_back.come_back(house, None, card, NEW_CODE)


def test_it_waits_for_who_is_away(house: Context, clock: Clock) -> None:
    made = make_circle(house)
    card = begun(house, made)
    leaves(house, made, "suspended")
    clock.forward(hours=25)
    with pytest.raises(GuardianAway):
        coming_back.come_back(house, None, card, NEW_CODE)
    workers.return_(house, made.tilleuls.admin, made.fatou.id)
    assert sessions.find(house, coming_back.come_back(house, None, card, NEW_CODE)).account == made.awa.id


def test_who_is_away_confirms_nothing_with_a_screen_that_is_still_open(house: Context) -> None:
    made = make_circle(house)
    session, code = start(house, made.canal.kiosk)
    desk, ward = sign_in(house, made.fatou), member(house, made.fatou)
    leaves(house, made, "suspended")
    with pytest.raises(NotThere):
        recovery.confirm(house, desk, ward, code, theft=False, beside=True)
    assert recovery.state(house, session).answers == 0


@pytest.mark.parametrize("how", ["protected", "came-back", "released"])
def test_who_is_away_stays_in_the_circle(house: Context, how: str) -> None:
    """Holidays: whatever forms the circle anew meanwhile loses nobody, and whoever is back brings somebody back."""
    made = make_circle(house)
    paul, nora = make_worker(house, made.tilleuls, "Paul"), make_worker(house, made.canal, "Nora")
    set_circle(house, made.awa, [face(made.fatou), face(made.marc), face(paul), face(nora)])
    leaves(house, made, "suspended")
    again = unlock(house, made.awa)
    if how == "protected":
        again = sessions.find(house, protecting.protect(house, again, made.awa.code, new_card(), NEW_CODE).cookie)
    elif how == "came-back":
        session, code = start(house, made.canal.kiosk)
        confirm(house, made.marc, code, beside=True)
        confirm(house, paul, code)
        again = sessions.find(house, coming_back.finish(house, session, new_card(), NEW_CODE))
    else:
        circle = guardians.circle(house, again)
        assert circle is not None
        nora_s = next(one.id for one in circle.members if one.name == "Nora")
        circles.release(house, again, made.awa.code, nora_s)
    found = guardians.circle(house, again)
    assert found is not None
    assert {one.name: one.state for one in found.members if one.name != "Nora"} == {
        "Fatou": "suspended", "Marc": "certified", "Paul": "certified",
    }  # fmt: skip
    workers.return_(house, made.tilleuls.admin, made.fatou.id)
    session, code = start(house, made.canal.kiosk)
    confirm(house, made.fatou, code, beside=True)
    confirm(house, made.marc, code)
    assert recovery.state(house, session).ready


def test_who_is_away_can_be_kept_when_others_are_chosen(any_house: Context) -> None:
    """She wants one guardian more during Fatou's holidays; the rows say who is of the circle. Who is not must be at work."""
    house, made = any_house, make_circle(any_house)
    paul, nora = make_worker(house, made.tilleuls, "Paul"), make_worker(house, made.canal, "Nora")
    leaves(house, made, "suspended")
    workers.suspend(house, made.canal.admin, nora.id, None)
    unlock(house, made.awa)
    with pytest.raises(BadInput):
        set_circle(house, made.awa, [face(made.fatou), face(made.marc), face(nora)])
    set_circle(house, made.awa, [face(made.fatou), face(made.marc), face(paul)])
    circle = guardians.circle(house, made.awa.session)
    assert circle is not None
    assert {one.name: one.state for one in circle.members} == {"Fatou": "suspended", "Marc": "certified", "Paul": "certified"}
    leaves(house, made)
    with pytest.raises(BadInput):
        set_circle(house, made.awa, [face(made.fatou), face(made.marc), face(paul)])


def test_what_will_not_open_tomorrow_is_refused_today(house: Context) -> None:
    """A part that was changed on its way: she would leave with a card that opens nothing."""
    made = make_circle(house)
    session, code = start(house, made.canal.kiosk)
    confirm(house, made.marc, code)
    confirm(house, made.fatou, code)
    with house.database.transaction() as connection:
        row = connection.execute(select(recovery_confirmations)).mappings().first()
        assert row is not None
        moved = bytes([row["moved_share"][-1] ^ 1])
        same = (recovery_confirmations.c.member == row["member"], recovery_confirmations.c.set == row["set"])
        connection.execute(update(recovery_confirmations).where(*same).values(moved_share=row["moved_share"][:-1] + moved))
    card = new_card()
    with pytest.raises(Tampered):
        coming_back.wait(house, session, card, NEW_CODE)
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(slots.c.id).where(slots.c.state == "pending")).first() is None


class Before:
    """The key vault; just before the row of a new way is made, something else happens."""

    def __init__(self, real: Any, happens: Callable[[], None]) -> None:
        self._real, self._happens = real, [happens]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def create(self, kind: str, *rest: Any, **more: Any) -> Any:
        if kind == "slot" and self._happens:
            self._happens.pop()()
        return self._real.create(kind, *rest, **more)


def test_a_circle_that_changed_between_opening_and_the_commit_is_opened_again(house: Context) -> None:
    """She is in another session and chooses anew; both confirm once more. What was opened is of a circle that is no more."""
    made = make_circle(house)
    session, code = start(house, made.canal.kiosk)
    confirm(house, made.marc, code, beside=True)
    confirm(house, made.fatou, code)

    def meanwhile() -> None:
        unlock(house, made.awa)
        set_circle(house, made.awa, [face(made.fatou), face(made.marc)])
        confirm(house, made.marc, code, beside=True)
        confirm(house, made.fatou, code)

    raced = dataclasses.replace(house, keyvault=Before(house.keyvault, meanwhile))  # type: ignore[arg-type]
    with pytest.raises(Conflict):
        coming_back.finish(raced, session, new_card(), NEW_CODE)
    assert sessions.find(house, coming_back.finish(house, session, new_card(), NEW_CODE)).account == made.awa.id


@pytest.mark.parametrize("how_far", ["identified", "approved"])
def test_who_said_that_somebody_is_dead_and_left_has_not_said_it(any_house: Context, clock: Clock, how_far: str) -> None:
    """Both desks were stolen: the register reads what it read before, and the year gives her safe back."""
    house, made = any_house, make_circle(any_house)
    found = deaths_scene.said(house, made) if how_far == "identified" else deaths_scene.approved(house, made)
    assert (found.state, found.identity) == (how_far, "guardians")
    ends(house, made, made.marc)
    assert deaths_scene.line(house, made).state == how_far, "who stays and has spoken is enough"
    ends(house, made, made.fatou)
    after = deaths_scene.line(house, made)
    assert (after.state, after.identity, after.approvals, after.opens, after.may_approve) == ("received", "", (), None, False)
    assert (found.unsaid, after.unsaid) == (False, True)
    with pytest.raises(Conflict):
        rights.approve(house, sign_in_administrator(house, made.tilleuls.administrators[0]), found.id)
    clock.forward(days=366)
    assert (deaths.end_due(house), deaths.settle_due(house)) == (0, 1)
    assert (deaths_scene.line(house, made).reason, deaths_scene.state(house, made.awa.id)) == (deaths.UNCONFIRMED, "open")


def test_another_one_says_it_again(house: Context) -> None:
    """Two of three said it, two administrators said yes, and one of the two left: the third one's word makes it two again."""
    made = make_circle(house)
    paul = make_worker(house, made.tilleuls, "Paul")
    unlock(house, made.awa)
    set_circle(house, made.awa, [face(made.fatou), face(made.marc), face(paul)])
    deaths_scene.approved(house, made)
    ends(house, made, made.fatou)
    assert deaths_scene.line(house, made).state == "received"
    deaths.report(house, sign_in(house, paul), member(house, paul), seen=True)
    after = deaths_scene.line(house, made)
    assert (after.state, after.identity, after.approvals) == ("identified", "guardians", ())


@pytest.mark.parametrize("how_far", ["identified", "approved"])
def test_a_line_of_which_nobody_took_a_voice_away_is_looked_at_all_the_same(house: Context, clock: Clock, how_far: str) -> None:
    """A report and the end of two accounts in one instant: the line does not know of the end, and whoever acts on it looks."""
    made = make_circle(house)
    found = deaths_scene.said(house, made) if how_far == "identified" else deaths_scene.approved(house, made)
    with house.database.transaction() as connection:
        connection.execute(update(worker_rows).values(state="ended"))
    if how_far == "identified":
        with pytest.raises(Conflict):
            rights.approve(house, sign_in_administrator(house, made.tilleuls.administrators[0]), found.id)
    clock.forward(days=300)
    assert (deaths.settle_due(house), deaths.settle_due(house), deaths_scene.line(house, made).state) == (1, 0, "received")
    with house.database.transaction() as connection:
        line = rights_requests.c.id == found.id
        connection.execute(update(rights_requests).where(line).values(state=how_far, identity="guardians"))
    clock.forward(days=66)
    assert (deaths.end_due(house), deaths.settle_due(house), deaths_scene.state(house, made.awa.id)) == (0, 1, "open")


def ends(house: Context, made: Circle, worker: MadeWorker) -> None:
    office = made.tilleuls if worker is made.fatou else made.canal
    workers.end(house, sign_in_administrator(house, office.administrators[0]), worker.id)
