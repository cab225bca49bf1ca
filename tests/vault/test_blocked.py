"""When one's own card opens a blocked safe again (ADR 7), and that nothing which began before a block lifts it."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import select, update

from consent.purposes import ShelfKind
from storage.tables import accounts, papers, slots, tickets
from tests.vault.builders import (
    MadePerson,
    make_office,
    make_person,
    make_worker,
    show_card,
    sign_in,
    sign_in_administrator,
    unlock,
)
from tests.vault.clock import Clock
from tests.vault.comings import Circle, face, make_circle, set_circle
from tests.vault.papers import SAID, keep
from tests.vault.test_assisted import helped
from tests.vault.test_freezing_at_a_desk import blocked
from tests.vault.test_sharing import SEE, UNTIL, offer, second_day
from vault import (
    arranging,
    assisted,
    assisting,
    audit,
    card_keeping,
    copying,
    directives,
    documents,
    freezing,
    guardians,
    leaving,
    parcels,
    people,
    protecting,
    removing,
    sessions,
    sharing,
    showing,
    unlocking,
    workers,
)
from vault.circles import NewSheet
from vault.context import Context
from vault.directives import Wish
from vault.errors import NoSession, WrongSecret


def opens_on(house: Context, clock: Clock, person: MadePerson) -> int | None:
    """The first of these days after a block on which card and code open by themselves; None when they never do."""
    people.freeze(house, show_card(house, person.card))
    passed = 0
    for day in (2, 4, 29, 31, 400):
        clock.forward(days=day - passed)
        passed = day
        if not blocked(house, person):
            return day
    return None


def ended(house: Context, made: Circle, *names: str) -> None:
    for name in names:
        worker, office = (made.fatou, made.tilleuls) if name == "Fatou" else (made.marc, made.canal)
        workers.end(house, office.admin, worker.id, office.proof)


@pytest.mark.parametrize(
    ("gone", "day"), [((), None), (("Fatou",), 4), (("Fatou", "Marc"), 4)], ids=["both-at-work", "one-ended", "both-ended"]
)
def test_a_circle_that_brings_nobody_back_keeps_nobody_out(
    any_house: Context, clock: Clock, gone: tuple[str, ...], day: int | None
) -> None:
    """Two of two, and one is gone for good: the guardians can do nothing, so card and code open after three days."""
    made = make_circle(any_house)
    ended(any_house, made, *gone)
    assert opens_on(any_house, clock, made.awa) == day


@pytest.mark.parametrize(("needed", "day"), [(2, None), (3, 4)])
def test_of_three_guardians_one_is_gone(house: Context, clock: Clock, needed: int, day: int | None) -> None:
    made = make_circle(house)
    paul = make_worker(house, made.tilleuls, "Paul")
    set_circle(house, made.awa, [face(made.fatou), face(made.marc), face(paul)], needed)
    ended(house, made, "Fatou")
    assert opens_on(house, clock, made.awa) == day


@pytest.mark.parametrize("other", ["words", "sheets", "away"])
def test_a_way_back_that_may_be_gone_is_waited_for_a_month(house: Context, clock: Clock, other: str) -> None:
    """A slip or a sheet may have been in the bag, who is away may not come back: the service cannot know, and nothing is lost."""
    made = make_circle(house)
    awa = made.awa
    if other == "words":
        awa = make_person(house, "Nour", words=True)
    elif other == "sheets":
        set_circle(house, awa, [NewSheet("Rosa"), NewSheet("Ali")])
    else:
        workers.suspend(house, made.tilleuls.admin, made.fatou.id, None)
    assert opens_on(house, clock, awa) == 31


def suspended(house: Context, made: Circle) -> None:
    workers.suspend(house, sign_in_administrator(house, made.tilleuls.administrators[0]), made.fatou.id, None)


def after(house: Context, clock: Clock, person: MadePerson, *hours: int) -> list[bool]:
    """Whether the safe is blocked now, and so many hours later each time."""
    found = [blocked(house, person)]
    for one in hours:
        clock.forward(hours=one)
        found.append(blocked(house, person))
    return found


def test_a_departure_long_after_the_block_begins_the_three_days(any_house: Context, clock: Clock) -> None:
    """Who holds card and code and tries now and then does not get in on somebody's last day: the owner finds help first."""
    made = make_circle(any_house)
    people.freeze(any_house, show_card(any_house, made.awa.card))
    clock.forward(days=10)
    assert blocked(any_house, made.awa)
    sign_in_administrator(any_house, made.tilleuls.administrators[0])
    ended(any_house, made, "Fatou")
    assert after(any_house, clock, made.awa, 71, 1) == [True, True, False]


def test_holidays_long_after_the_block_begin_the_thirty_days(any_house: Context, clock: Clock) -> None:
    """Back before they are over, the guardian keeps the thief out as before; another absence begins them anew."""
    made = make_circle(any_house)
    people.freeze(any_house, show_card(any_house, made.awa.card))
    clock.forward(days=40)
    suspended(any_house, made)
    assert after(any_house, clock, made.awa, 24 * 29) == [True, True]
    workers.return_(any_house, sign_in_administrator(any_house, made.tilleuls.administrators[0]), made.fatou.id)
    assert after(any_house, clock, made.awa, 24 * 31) == [True, True]
    suspended(any_house, made)
    assert after(any_house, clock, made.awa, 24 * 30 - 1, 1) == [True, True, False]


@pytest.mark.parametrize(("leaves", "opens"), [(5, 9), (29, 30)])
def test_who_was_away_and_then_leaves_shortens_the_thirty_days(house: Context, clock: Clock, leaves: int, opens: int) -> None:
    """Three days after that, of which the day alone is known; never later than if the guardian had stayed away."""
    made = make_circle(house)
    suspended(house, made)
    people.freeze(house, show_card(house, made.awa.card))
    clock.forward(days=leaves)
    sign_in_administrator(house, made.tilleuls.administrators[0])
    ended(house, made, "Fatou")
    clock.forward(days=opens - leaves - 1)
    assert after(house, clock, made.awa, 24) == [True, False]


def test_who_was_suspended_and_ended_on_one_day_left_with_the_end(house: Context, clock: Clock) -> None:
    """In the morning and in the evening: the three days begin in the evening."""
    made = make_circle(house)
    people.freeze(house, show_card(house, made.awa.card))
    clock.forward(days=10)
    clock.now = clock.now.replace(hour=6)
    suspended(house, made)
    clock.forward(hours=15)
    sign_in_administrator(house, made.tilleuls.administrators[0])
    ended(house, made, "Fatou")
    assert after(house, clock, made.awa, 71, 1) == [True, True, False]


def test_of_several_sets_the_last_one_counts(house: Context, clock: Clock) -> None:
    """Any two of three: the first departure changes nothing, the second one begins the three days; with five words thirty."""
    made = make_circle(house)
    paul = make_worker(house, made.tilleuls, "Paul")
    nour = make_person(house, "Nour", words=True)
    for person in (made.awa, nour):
        set_circle(house, person, [face(made.fatou), face(made.marc), face(paul)])
        people.freeze(house, show_card(house, person.card))
    clock.forward(days=20)
    sign_in_administrator(house, made.tilleuls.administrators[0])
    ended(house, made, "Fatou")
    assert after(house, clock, made.awa, 24 * 20) == [True, True]
    sign_in_administrator(house, made.canal.administrators[0])
    ended(house, made, "Marc")
    assert after(house, clock, made.awa, 71, 1) == [True, True, False]
    assert after(house, clock, nour, 24 * 27 - 1, 1) == [True, True, False]


class Meanwhile:
    """The key vault; the first time that a way's key is made, something else happens."""

    def __init__(self, real: Any, happens: Callable[[], None]) -> None:
        self._real, self._happens = real, [happens]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def derive_many(self, wanted: Sequence[Any]) -> list[bytes]:
        while self._happens:
            self._happens.pop()()
        return list(self._real.derive_many(wanted))


def counted_wrong(house: Context, person: MadePerson) -> set[int]:
    """What the ways of somebody have counted as wrong."""
    with house.database.transaction(read_only=True) as connection:
        return set(connection.scalars(select(slots.c.wrong_in_a_row).where(slots.c.account == person.id)))


def state_of(house: Context, person: MadePerson) -> str:
    with house.database.transaction(read_only=True) as connection:
        return str(connection.execute(select(accounts.c.state).where(accounts.c.id == person.id)).scalar_one())


@pytest.mark.parametrize("before", ["open", "blocked-long-ago"])
def test_an_unlock_that_is_under_way_lifts_no_block(any_house: Context, clock: Clock, before: str) -> None:
    """The thief is at the kiosk, card and code given, and waits for the derivation: the worker is told that everything is blocked."""
    office = make_office(any_house)
    fatou, awa = make_worker(any_house, office), make_person(any_house, "Awa", kiosk=office.kiosk)
    if before == "blocked-long-ago":  # another screen opens it in between, then it is blocked anew
        people.freeze(any_house, show_card(any_house, awa.card))
        clock.forward(days=4)
    desk = sign_in(any_house, fatou)

    def block() -> None:
        if before == "blocked-long-ago":
            unlock(any_house, awa)
        people.freeze_number(any_house, desk, awa.number)

    thief = show_card(any_house, awa.card)
    with pytest.raises(WrongSecret):
        unlocking.unlock(
            dataclasses.replace(any_house, keyvault=Meanwhile(any_house.keyvault, block)),  # type: ignore[arg-type]
            thief, awa.code,
        )  # fmt: skip
    assert state_of(any_house, awa) == "frozen"
    assert counted_wrong(any_house, awa) == {0}, "twenty right ones would have ended the card"
    assert blocked(any_house, awa)
    clock.forward(days=4)
    tags = [one.event.tag for one in audit.history(any_house, unlock(any_house, awa))]
    assert tags.index("means.unfrozen") < tags.index("means.frozen")
    assert tags.count("safe.attempt-failed") == 2, "that one, and the one that found it blocked"


def test_nor_do_number_and_words(house: Context) -> None:
    """Refused like a wrong one, and the history says that somebody tried."""
    office = make_office(house)
    desk, awa = sign_in(house, make_worker(house, office)), make_person(house, "Awa", kiosk=office.kiosk, words=True)
    slow = dataclasses.replace(
        house,
        keyvault=Meanwhile(house.keyvault, lambda: people.freeze_number(house, desk, awa.number)),  # type: ignore[arg-type]
    )
    with pytest.raises(WrongSecret):
        unlocking.unlock_with_words(slow, None, awa.number, awa.words or ())
    assert (state_of(house, awa), counted_wrong(house, awa)) == ("frozen", {0})
    shown = show_card(house, awa.card)
    inside = sessions.find(house, unlocking.lift_freeze(house, shown, awa.code, awa.number, awa.words or ()))
    assert [one.event.tag for one in audit.history(house, inside)].count("safe.attempt-failed") == 1


def test_nor_does_an_opening_with_help(any_house: Context) -> None:
    office = make_office(any_house)
    fatou, yonas = make_worker(any_house, office), make_person(any_house, "Yonas", kiosk=office.kiosk)
    helped(any_house, yonas, fatou, "health")
    shown, desk = lent(any_house, yonas, sign_in(any_house, fatou))
    slow = Meanwhile(any_house.keyvault, lambda: people.freeze_number(any_house, desk, yonas.number))
    with pytest.raises(WrongSecret):
        assisted.finish(dataclasses.replace(any_house, keyvault=slow), shown)  # type: ignore[arg-type]
    assert state_of(any_house, yonas) == "frozen"
    assert counted_wrong(any_house, yonas) == {0}


def test_a_blocked_safe_refuses_an_opening_with_help(house: Context) -> None:
    """The worker has lent what they hold, everything fits, and the safe was blocked a moment before."""
    office = make_office(house)
    fatou, yonas = make_worker(house, office), make_person(house, "Yonas", kiosk=office.kiosk)
    helped(house, yonas, fatou, "health")
    shown, _ = lent(house, yonas, sign_in(house, fatou))
    protecting.freeze(house, show_card(house, yonas.card))
    with pytest.raises(WrongSecret):
        assisted.finish(house, shown)


def lent(house: Context, person: MadePerson, desk: sessions.Session) -> tuple[sessions.Session, sessions.Session]:
    """The card was shown and the worker has typed the digits: gives the card's session, and the desk's."""
    shown = show_card(house, person.card)
    assisted.lend(house, desk, assisting.people_i_help(house, desk)[0].slot, assisted.start(house, shown).code)
    return shown, desk


def test_nothing_that_was_on_its_way_is_done_after_a_block(any_house: Context, clock: Clock) -> None:
    """Found before the block, carried out after it: whoever holds the screen would show, move or erase what was just protected."""
    house, office = any_house, make_office(any_house)
    fatou, awa = make_worker(house, office), make_person(house, "Awa", kiosk=office.kiosk)
    second_day(house, clock, awa, fatou)
    inside = awa.session
    paper, thrown = (keep(house, inside, name, "money", text=name) for name in ("Avis", "Bail"))
    secret = keep(house, inside, "Secret", "private")
    (old,) = documents.versions_of(house, inside, paper)
    keep(house, inside, "Avis", "money", text="nouveau", replaces=paper)
    removing.remove(house, inside, thrown)
    grant = sharing.grant(house, inside, fatou.id, offer(paper, acts=SEE))
    people.freeze(house, show_card(house, awa.card))
    acts: list[Callable[[], object]] = [
        lambda: sharing.grant(house, inside, fatou.id, offer(paper, acts=SEE)),
        lambda: sharing.renew(house, inside, grant, UNTIL + dt.timedelta(days=20), SAID),
        lambda: arranging.move(house, inside, secret, ShelfKind("money")),
        lambda: removing.remove(house, inside, paper),
        lambda: removing.restore(house, inside, thrown),
        lambda: removing.erase_version(house, inside, paper, old.version),
        lambda: removing.erase_now(house, inside, paper),
    ]
    for act in acts:
        with pytest.raises(NoSession):
            act()
    clock.forward(days=4)
    again = unlock(house, awa)
    assert {(one.paper, one.shelf) for one in documents.list_papers(house, again)} == {(paper, "money"), (secret, "private")}
    assert [one.paper for one in documents.bin_of(house, again)] == [thrown]
    assert len(documents.versions_of(house, again, paper)) == 2
    (card,) = showing.grants_of(house, again)
    assert (card.grant, card.until) == (grant, UNTIL)


def test_nor_does_a_paper_leave_or_come_by_what_was_on_its_way(any_house: Context, clock: Clock) -> None:
    """A link that is written after the block would have escaped it: it lives on, in a frozen safe too."""
    house, made = any_house, make_circle(any_house)
    clock.forward(days=1)
    inside = unlock(house, made.awa)
    paper = keep(house, inside, "Avis")
    phoned = keep(house, inside, "Reçu", "private")
    with house.database.transaction() as connection:  # as if it had come by telephone
        connection.execute(update(papers).where(papers.c.id == phoned).values(state="to-confirm"))
    directives.record(house, inside, made.awa.code, Wish("erase"))
    people.freeze_number(house, sign_in(house, made.fatou), made.awa.number)
    acts: list[Callable[[], object]] = [
        lambda: copying.offer(house, inside, paper),
        lambda: leaving.to_phone(house, inside, paper),
        lambda: leaving.from_phone(house, inside),
        lambda: leaving.confirm(house, inside, phoned, shelf=ShelfKind("money")),
        lambda: parcels.pack(house, inside, "words", "fr"),
        lambda: parcels.pack(house, inside, "phone", "fr"),
        lambda: keep(house, inside, "Faux"),
        lambda: card_keeping.keep(house, inside, made.fatou.id, name="Zoé", drawing="sun"),
        lambda: directives.revoke(house, inside),
        lambda: guardians.confirm_circle(house, inside),
    ]
    for act in acts:
        with pytest.raises(NoSession):
            act()
    with house.database.transaction() as connection:
        assert connection.execute(select(tickets)).all() == []
        freezing.thaw(house, connection, made.awa.id)
    again = unlock(house, made.awa)
    assert {(one.paper, one.state) for one in documents.list_papers(house, again)} == {
        (paper, "kept"),
        (phoned, "to-confirm"),
    }
    assert card_keeping.keeper_of(house, again) is None
    assert directives.mine(house, again) is not None
