"""Whatever asks the secret again is carried out by whoever is still inside when the answer has been derived (ADR 0114).

The thief is inside and has typed the code; while it is derived, a desk blocks everything. Nothing of what was on its way is done:
the list is read from the code, so that a new use case cannot be forgotten.
"""

import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from consent.purposes import ShelfKind
from storage.tables import circle_members, rights_requests, slots
from tests.vault.builders import one_time_password, unlock
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, Circle, face, make_circle, new_card
from tests.vault.papers import keep
from tests.vault.test_blocked import Meanwhile, state_of
from tests.vault.test_outside import offer
from tests.vault.use_cases import reached, read
from vault import (
    assisting,
    circles,
    directives,
    erasure,
    freezing,
    means,
    outside,
    people,
    protecting,
    restricting,
    rights,
    unlocking,
)
from vault.circles import NewSheet
from vault.context import Context
from vault.directives import Wish
from vault.erasure import Witness
from vault.errors import NoSession
from vault.sessions import Session

Act = Callable[[Context, Session, Circle], object]


def _released(house: Context, thief: Session, made: Circle) -> object:
    with house.database.transaction(read_only=True) as connection:
        member = connection.scalars(select(circle_members.c.id).where(circle_members.c.worker == made.fatou.id)).one()
    return circles.release(house, thief, made.awa.code, member)


def _witnessed(house: Context, thief: Session, made: Circle) -> object:
    marc = made.marc
    proof = Witness(marc.code, " ".join(marc.words), one_time_password(house, marc.totp))
    return erasure.with_witness(house, thief, made.awa.code, proof)


ASKED_AGAIN: dict[str, Act] = {
    "assisting.choose": lambda house, thief, made: assisting.choose(
        house, thief, made.awa.code, made.marc.id, [ShelfKind("money")], name="Zoé", drawing="sun"
    ),
    "circles.release": _released,
    "circles.set_circle": lambda house, thief, made: circles.set_circle(
        house, thief, made.awa.code, [face(made.marc), NewSheet("chez moi")], 2
    ),
    "directives.record": lambda house, thief, made: directives.record(house, thief, made.awa.code, Wish("erase")),
    "erasure.ask": lambda house, thief, made: erasure.ask(house, thief, made.awa.code),
    "erasure.with_witness": _witnessed,
    "means.change_code": lambda house, thief, made: means.change_code(house, thief, made.awa.code, NEW_CODE),
    "means.give_words": lambda house, thief, made: means.give_words(house, thief, made.awa.code),
    "means.replace_card": lambda house, thief, made: means.replace_card(house, thief, made.awa.code, new_card()),
    "protecting.protect": lambda house, thief, made: protecting.protect(house, thief, made.awa.code, new_card(), NEW_CODE),
    "restricting.lift": lambda house, thief, made: restricting.lift(house, thief, made.awa.code),
    "rights.ask_right": lambda house, thief, made: rights.ask_right(house, thief, made.awa.code, "restriction"),
    "rights.identify": lambda house, thief, made: rights.identify(house, thief, made.awa.code, "A1B2-C3D4"),
    "unlocking.stay": lambda house, thief, made: unlocking.stay(house, thief, made.awa.code),
}


def test_the_list_is_all_that_asks_the_secret_again() -> None:
    """Read from the code. A new one comes into the list above, and so is tried against a block."""
    functions, asks = read(), ("unlocking", "confirm")
    found = {
        ".".join(name) for name, one in functions.items()
        if one.public and one.takes_context and name != asks and asks in reached(functions, name)
    }  # fmt: skip
    assert found == set(ASKED_AGAIN)
    pages = [path.name for path in Path(unlocking.__file__).parent.glob("web/*.py") if "confirm_secret(" in path.read_text()]
    assert pages == [], "a page asks it by a use case"


# What a person's session writes without asking whether it was ended meanwhile, by the reason.
SCREEN = "what a screen keeps between two pages, or their own way of reading: it opens nothing"
READ = "tells in the trace what was read before the block"
NARROWS = "takes back what was given: after a block too, it is less"
INSIDE = "words on what lies in the safe, or its keys turned: nobody sees more by it"
PART = "a step of other use cases, which ask by themselves before they change something"
COUNTED = "an attempt with a secret, counted whatever comes after"
ROOM = "a room for training: everything in it is false, and it has no person's session"
CERTAIN = "an erasure that a witness's session has begun in `sessions.acting`; it comes to its end"
EXCUSED = {
    SCREEN: (
        "adding.show_square arriving.at_unlock conditions.accept drafts.add drafts.adjust drafts.drop drafts.remove "
        "first_page.came first_page.told joining.show_card people.own_preferences"
    ),
    READ: "checkpoints.covering documents.trace_own looking.say_own looking.say_page",
    NARROWS: (
        "asking._answer asking.refuse assisting.stop card_keeping.take_back copying.refuse outside.withdraw sharing.narrow "
        "succession.decline withdrawing.withdraw withdrawing.withdraw_all"
    ),
    INSIDE: "arranging._recard arranging.note reencryption._seal_anew",
    PART: "endings._delete_blobs endings._end joining._give_back sessions._seen sessions.end sessions.end_of staff.sign_in",
    COUNTED: "trying.attempt trying.refuse unlocking.confirm",
    ROOM: "administrators.create_operator asking._ask kiosks.enrol workers.create_structure",
    CERTAIN: ("erasing._advance erasing._begin erasing._certify erasing._destroy_keys erasing._erase_rows erasing.carry_out"),
}
PERSON = {("who", name) for name in ("person", "taking", "narrowing")}
ASKS = {("sessions", name) for name in ("acting", "hold", "still")}


def test_whatever_a_person_s_session_writes_asks_whether_it_was_ended() -> None:
    """Read from the code: each transaction that a use case of a person opens to write. One that stands here needs no secret, and so is
    in no list above; it asks by `sessions.acting`, `hold` or `still`, or it is excused by name."""
    functions, found = read(), set()
    for name, one in functions.items():
        steps = reached(functions, name)
        if one.public and one.takes_context and one.takes_session and steps & PERSON:
            found |= {step for step in steps if functions[step].writes and not reached(functions, step) & ASKS}
    assert {".".join(name) for name in found} == {name for names in EXCUSED.values() for name in names.split()}


def blocked_by_a_desk(house: Context, made: Circle) -> None:
    with house.database.transaction() as connection:
        assert freezing.freeze_person(house, connection, made.awa.id, session=None)


def test_what_was_on_its_way_at_a_block_is_not_carried_out(any_house: Context) -> None:
    house, made = any_house, make_circle(any_house)
    before = kept(house)
    for name, act in ASKED_AGAIN.items():
        thief, slow = unlock(house, made.awa), Meanwhile(house.keyvault, partial(blocked_by_a_desk, house, made))
        with pytest.raises(NoSession):
            act(dataclasses.replace(house, keyvault=slow), thief, made)  # type: ignore[arg-type]
        assert state_of(house, made.awa) == "frozen", f"{name}: the block came while the secret was derived"
        assert kept(house) == before, name
        with house.database.transaction() as connection:
            freezing.thaw(house, connection, made.awa.id)
    hers = unlock(house, made.awa)
    assert assisting.help_of(house, hers) is None
    assert directives.mine(house, hers) is None


def kept(house: Context) -> tuple[set[str], set[str], set[str]]:
    """Her guardians, the ways that open, and what was asked of the office."""
    with house.database.transaction(read_only=True) as connection:
        living = select(slots.c.id).where(slots.c.state.in_(("live", "leaving")))
        return (
            set(connection.scalars(select(circle_members.c.id))), set(connection.scalars(living)),
            set(connection.scalars(select(rights_requests.c.id))),
        )  # fmt: skip


@pytest.mark.parametrize("act", ["link", "name", "drawing"])
def test_nor_is_a_link_given_or_a_face_changed_by_a_session_that_a_block_ended(house: Context, clock: Clock, act: str) -> None:
    """A link derives a key of its own; a form may be held back. Neither is believed once the session is over."""
    made = make_circle(house)
    clock.forward(days=1)
    thief = unlock(house, made.awa)
    paper = keep(house, thief)
    blocked_by_a_desk(house, made)
    held_back = {
        "link": lambda: outside.give(house, thief, offer(paper)),
        "name": lambda: people.rename(house, thief, "Zoé"),
        "drawing": lambda: people.redraw(house, thief, "sun"),
    }
    with pytest.raises(NoSession):
        held_back[act]()
    with house.database.transaction() as connection:
        freezing.thaw(house, connection, made.awa.id)
    hers = unlock(house, made.awa)
    told = people.me(house, hers)
    assert (told.name, told.drawing) == ("Awa", "turtle")
    assert outside.mine(house, hers) == []
