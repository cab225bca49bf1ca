"""A circle of guardians: which are refused, and what is said of those that are weak."""

import dataclasses

import pytest

from tests.vault.builders import make_person, make_worker, unlock
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, confirm, face, make_circle, new_card, set_circle, start
from vault import (
    coming_back,
    guardians,
)
from vault.circles import Chosen, KeptSheet, NewSheet
from vault.context import Context
from vault.errors import (
    BadInput,
    Conflict,
    WrongSecret,
)


def test_the_circle_is_refused_when_it_could_never_help(house: Context) -> None:
    """Nobody; six; the same twice; a role that may not; k of one; a sheet that is not one's own."""
    made = make_circle(house)
    volunteer = make_worker(house, made.tilleuls, "Inès", "volunteer", ends=house.clock().date().replace(month=12))
    other = set_circle(house, make_person(house, "Mariam"), [NewSheet(), NewSheet()]).sheets[0]
    awa = made.awa
    unlock(house, awa)
    refused: tuple[list[Chosen], ...] = (
        [],
        [NewSheet()] * 6,
        [face(made.fatou)] * 2,
        [face(volunteer), face(made.fatou)],
        [KeptSheet(other.member), NewSheet()],
    )
    for members in refused:
        with pytest.raises(BadInput):
            set_circle(house, awa, members)
    with pytest.raises(BadInput):
        set_circle(house, awa, [face(made.fatou), face(made.marc)], needed=1)
    with pytest.raises(WrongSecret):
        set_circle(house, dataclasses.replace(awa, code="591746"), [face(made.fatou), face(made.marc)])
    circle = guardians.circle(house, awa.session)
    assert circle is not None
    assert {one.worker for one in circle.members} == {made.fatou.id, made.marc.id}


def test_a_circle_of_one_says_that_one_is_missing(house: Context) -> None:
    """Yonas: the banner. The guardian sees them in their list and can open nothing, not even with an administrator."""
    made = make_circle(house)
    yonas = make_person(house, "Yonas")
    formed = set_circle(house, yonas, [face(made.fatou, "Yonas", "sun")])
    assert not formed.complete
    circle = guardians.circle(house, yonas.session)
    assert circle is not None
    assert (circle.missing, circle.sets) == (1, 0)
    assert "missing-one" in circle.weaknesses
    session, code = start(house, made.tilleuls.kiosk)
    confirm(house, made.fatou, code, beside=True, name="Yonas")
    with pytest.raises(Conflict):
        coming_back.finish(house, session, new_card(), NEW_CODE)


def test_weaknesses_are_said(house: Context, clock: Clock) -> None:
    """Two of one structure; one absent; six months without a yes; confirmed again."""
    from vault import workers

    made = make_circle(house)
    paul = make_worker(house, made.tilleuls, "Paul")
    unlock(house, made.awa)
    set_circle(house, made.awa, [face(made.fatou), face(paul)])
    workers.suspend(house, made.tilleuls.admin, paul.id, None)
    circle = guardians.circle(house, made.awa.session)
    assert circle is not None
    assert set(circle.weaknesses) == {"nobody-can", "worker-absent", "same-structure"}
    clock.forward(days=190)
    unlock(house, made.awa)
    later = guardians.circle(house, made.awa.session)
    assert later is not None
    assert later.confirm_due
    guardians.confirm_circle(house, made.awa.session)
    after = guardians.circle(house, made.awa.session)
    assert after is not None
    assert not after.confirm_due
