"""Nobody inherits: a worker leaves or proposes a colleague, and the person alone gives the same again, or not."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from consent.purposes import ShelfKind
from consent.scope import Act
from storage.tables import accounts
from tests.vault.builders import make_office, make_person, make_worker, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.papers import SAID, keep
from tests.web.desk_scene import give
from vault import audit, notices, people, receipt_files, shared_papers, showing, succession, withdrawing, workers
from vault.context import Context
from vault.errors import Conflict, NotAllowed, NotThere


def test_when_a_worker_leaves_one_question_waits_and_a_yes_is_a_new_consent(any_house: Context, clock: Clock) -> None:
    house = any_house
    office, canal = make_office(house), make_office(house, "ESI Le Canal")
    fatou, ines = (
        make_worker(house, office),
        make_worker(house, office, "Inès", "intern", ends=house.clock().date().replace(year=2027)),
    )
    lina, marc = make_worker(house, office, "Lina"), make_worker(house, canal, "Marc")
    awa = make_person(house, kiosk=canal.kiosk)
    clock.forward(days=1)
    unlock(house, awa)
    tax, rent = keep(house, awa.session), keep(house, awa.session, "Quittance", "housing")
    first = give(house, awa, fatou, tax, rent, days=60)
    letters = give(house, awa, fatou, acts=[Act.DEPOSIT], shelf="other", purpose="mail-address")
    workers.end(house, office.admin, fatou.id, office.proof)
    unlock(house, awa)
    assert showing.grants_of(house, awa.session) == []
    assert notices.WORKER_LEFT not in [one.key for one in people.me(house, awa.session).notices], "a question, not a sentence"
    asked = {one.grant: one for one in succession.waiting(house, awa.session)}
    assert set(asked) == {first, letters}
    assert [one.first_name for one in asked[first].offered] == ["Lina", "Marc"], (
        "those of the same structure first; no intern sees"
    )
    assert "Inès" in [one.first_name for one in succession.successors(house, awa.session, asked[letters])]
    assert (asked[first].cause, asked[first].lives, asked[first].first) == ("left", False, "Fatou")
    with pytest.raises(NotThere):
        succession.follow(house, awa.session, asked[first].source, ines.id, SAID)
    given = succession.follow(house, awa.session, asked[first].source, lina.id, SAID)
    assert {one.paper for one in shared_papers.papers_shared(house, sign_in(house, lina), given)} == {tax, rent}
    (card,) = showing.grants_of(house, awa.session)
    assert (card.worker, card.until, card.acts) == (lina.id, asked[first].until, asked[first].acts)
    assert len(receipt_files.records_of(house, awa.session, given)) == 1
    succession.decline(house, awa.session, asked[letters].source)
    assert succession.waiting(house, unlock(house, awa)) == []
    assert shared_papers.people_sharing(house, sign_in(house, marc)) == [], "who was named and not chosen has nothing"
    with pytest.raises(NotThere):
        succession.decline(house, awa.session, asked[first].source)


@pytest.mark.parametrize("cause", ["left", "away"])
def test_two_taps_at_once_are_one_yes(any_house: Context, cause: str) -> None:
    """Both found the question open: two shares were given, with two receipts, and one stop left the other."""
    house, office = any_house, make_office(any_house)
    fatou, lina, awa = make_worker(house, office), make_worker(house, office, "Lina"), make_person(house)
    give(house, awa, fatou, keep(house, awa.session), days=60)
    if cause == "left":
        workers.end(house, office.admin, fatou.id, office.proof)
    else:
        workers.suspend(house, office.admin, fatou.id, None)
    inside = unlock(house, awa)
    (one,) = succession.waiting(house, inside)
    slow = dataclasses.replace(
        house, keyvault=SecondTap(house, lambda: succession.follow(house, inside, one.source, lina.id, SAID))
    )  # type: ignore[arg-type]
    with pytest.raises(NotThere):
        succession.follow(slow, inside, one.source, lina.id, SAID)
    assert [card.worker for card in showing.grants_of(house, inside)].count(lina.id) == 1
    assert len(receipt_files.ReceiptFile.from_bytes(receipt_files.of_all(house, inside)).receipts) == 2 + (cause == "left")
    with pytest.raises(NotThere):
        succession.decline(house, inside, one.source)


class SecondTap:
    """The key vault; while the first tap makes its row there, the second one is answered."""

    def __init__(self, house: Context, tap: Callable[[], object]) -> None:
        self._house, self._taps = house, [tap]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._house.keyvault, name)

    def create(self, *row: Any, **rest: Any) -> None:
        while self._taps:
            self._taps.pop()()
        self._house.keyvault.create(*row, **rest)


def test_who_is_away_is_asked_about_once_and_not_any_more_when_they_are_back(house: Context, clock: Clock) -> None:
    """Suspended: nothing opens, the share waits, and the person may give the same to somebody else meanwhile."""
    office = make_office(house)
    fatou, lina = make_worker(house, office), make_worker(house, office, "Lina")
    awa = make_person(house)
    clock.forward(days=1)
    unlock(house, awa)
    tax = keep(house, awa.session)
    first = give(house, awa, fatou, tax, days=60)
    for _ in range(2):
        workers.suspend(house, office.admin, fatou.id, None)
        workers.return_(house, office.admin, fatou.id)
    assert succession.waiting(house, awa.session) == []
    workers.suspend(house, office.admin, fatou.id, None)
    (one,) = succession.waiting(house, awa.session)
    assert (one.cause, one.lives, one.grant, [each.id for each in one.offered]) == ("away", True, first, [lina.id])
    given = succession.follow(house, awa.session, one.source, lina.id, SAID)
    assert succession.waiting(house, awa.session) == []
    assert {one.paper for one in shared_papers.papers_shared(house, sign_in(house, lina), given)} == {tax}
    workers.return_(house, office.admin, fatou.id)
    assert {one.paper for one in shared_papers.papers_shared(house, sign_in(house, fatou), first)} == {tax}


def test_one_account_that_does_not_hold_keeps_no_worker_in_and_no_share_alive(house: Context, clock: Clock) -> None:
    """A worker is suspended or ended now, whoever cannot be told of it; and what is over ends for everybody else."""
    office = make_office(house)
    fatou, marc = make_worker(house, office), make_worker(house, office, "Marc")
    awa, mariam = make_person(house), make_person(house, "Mariam")
    clock.forward(days=1)
    for person in (awa, mariam):
        unlock(house, person)
        give(house, person, fatou, keep(house, person.session), days=60)
        give(house, person, marc, keep(house, person.session), days=10)
    with house.database.transaction() as connection:
        connection.execute(update(accounts).where(accounts.c.id == awa.id).values(keys_signature=bytes(3373)))
    workers.suspend(house, office.admin, fatou.id, None)
    assert [one.cause for one in succession.waiting(house, mariam.session)] == ["away"]
    workers.end(house, office.admin, fatou.id, office.proof)
    assert [one.worker for one in showing.grants_of(house, unlock(house, mariam))] == [marc.id]
    clock.forward(days=11)
    withdrawing.expire(house)
    assert showing.grants_of(house, unlock(house, mariam)) == []
    assert shared_papers.people_sharing(house, sign_in(house, marc)) == []


def test_a_worker_proposes_and_only_the_person_gives(house: Context, clock: Clock) -> None:
    office = make_office(house)
    intern = make_worker(house, office, "Inès", "intern", ends=house.clock().date().replace(year=2027))
    fatou, lina, marc = (make_worker(house, office, name) for name in ("Fatou", "Lina", "Marc"))
    awa, yonas = make_person(house), make_person(house, "Yonas")
    clock.forward(days=1)
    unlock(house, awa)
    keep(house, awa.session)
    drawer = give(house, awa, fatou, acts=[Act.SEE], shelf="money", days=90)
    succession.propose(house, fatou.session, drawer, lina.id)
    assert shared_papers.people_sharing(house, lina.session) == []
    for wrong in (fatou.id, yonas.id, intern.id):
        with pytest.raises((NotThere, Conflict)):
            succession.propose(house, fatou.session, drawer, wrong)
    with pytest.raises(NotThere):
        succession.propose(house, marc.session, drawer, lina.id)
    with pytest.raises(Conflict):
        succession.propose(house, fatou.session, drawer, marc.id)
    assert succession.waiting(house, yonas.session) == []
    with pytest.raises(NotAllowed):
        succession.waiting(house, fatou.session)
    (one,) = succession.waiting(house, unlock(house, awa))
    assert (one.cause, one.lives, one.shelf, [each.id for each in one.offered]) == (
        "proposed",
        True,
        ShelfKind("money"),
        [lina.id],
    )
    with pytest.raises(NotThere):
        succession.follow(house, yonas.session, one.source, lina.id, SAID)
    succession.follow(house, awa.session, one.source, lina.id, SAID)
    assert {card.worker for card in showing.grants_of(house, awa.session)} == {fatou.id, lina.id}, "the first one goes on"
    assert [each.state for each in succession.proposals(house, fatou.session)] == ["followed"]
    tags = [each.event.tag for each in audit.history(house, awa.session)]
    assert {"share.handover-proposed", "share.handover-followed"} <= set(tags)
    clock.forward(days=31)
    succession.propose(house, sign_in(house, fatou), drawer, marc.id)
    (again,) = succession.waiting(house, unlock(house, awa))
    succession.follow(house, awa.session, again.source, lina.id, SAID)
    assert succession.proposals(house, fatou.session)[0].state == "declined", "somebody else was chosen: who, is not told"
    clock.forward(days=31)
    succession.propose(house, sign_in(house, fatou), drawer, marc.id)
    workers.suspend(house, office.admin, marc.id, None)
    assert succession.waiting(house, unlock(house, awa)) == [], "who is away is not offered"
    workers.return_(house, office.admin, marc.id)
    clock.forward(days=31)
    assert succession.waiting(house, unlock(house, awa)) == [], "a month without answer"
