"""A death: freezes first, erases nothing for a year, asks nobody for a paper; the person named takes a copy; whoever lives comes back."""

import datetime as dt
from functools import partial

import pytest
from sqlalchemy import select

from storage.tables import death_reports, rights_requests
from tests.vault.builders import sign_in, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.comings import Circle, make_circle
from tests.vault.deaths_scene import approved, erase_what_is_due, kept, line, said, state
from tests.vault.papers import keep
from tests.vault.test_directives import BINTOU, member, wished
from tests.vault.test_requisitions import statements
from vault import (
    account_numbers,
    audit,
    deaths,
    erasure,
    health,
    notices,
    people,
    register_reading,
    rights,
    sessions,
    shared_papers,
    silence,
    tasks,
)
from vault import workers as working
from vault.confirming import NotProven, Typed
from vault.context import Context
from vault.directives import Wish
from vault.errors import BadInput, Conflict, MustWait, NotThere, WrongSecret
from vault.register import Origin
from vault.rights import Extra


def test_a_report_freezes_at_once_and_needs_the_certificate_to_have_been_seen(any_house: Context) -> None:
    made = make_circle(any_house)
    keep(any_house, unlock(any_house, made.awa), "Bail")
    with pytest.raises(BadInput):
        deaths.report(any_house, sign_in(any_house, made.fatou), member(any_house, made.fatou), seen=False)
    assert state(any_house, made.awa.id) == "open"
    first = deaths.report(any_house, sign_in(any_house, made.fatou), member(any_house, made.fatou), seen=True)
    assert (first.reports, first.needed, first.state, first.wish) == (1, 2, "received", None)
    assert state(any_house, made.awa.id) == "mourned"
    assert shared_papers.people_sharing(any_house, made.fatou.session) == []
    again = deaths.report(any_house, made.fatou.session, member(any_house, made.fatou), seen=True)
    assert again.reports == 1, "saying it twice says it once"
    nadia = sign_in_administrator(any_house, made.tilleuls.administrators[0])
    with pytest.raises(Conflict):
        rights.approve(any_house, nadia, line(any_house, made).id)
    with pytest.raises(NotThere):
        deaths.report(any_house, sign_in(any_house, made.fatou), "00000000-0000-4000-8000-000000000000", seen=True)
    assert kept(any_house, made.awa.id) == 1


@pytest.mark.parametrize("wish", [Wish("erase"), BINTOU, None])
def test_nothing_is_erased_before_the_year_is_over_whatever_was_wanted(house: Context, clock: Clock, wish: Wish | None) -> None:
    made = make_circle(house)
    keep(house, unlock(house, made.awa), "Bail")
    if wish:
        wished(house, made, wish)
    found = approved(house, made)
    assert found.decided == (wish.choice if wish else "nothing")
    assert found.term == dt.date(2027, 11, 23)
    assert found.due == found.term
    with pytest.raises(Conflict):
        rights.carry_out(house, made.tilleuls.administrators[0].session, found.id)
    clock.forward(days=364)
    erase_what_is_due(house)
    assert kept(house, made.awa.id) == 1
    clock.forward(days=1)
    erase_what_is_due(house)
    assert kept(house, made.awa.id) == 1, "72 hours more, in which the card would still cancel"
    clock.forward(hours=73)
    erase_what_is_due(house)
    assert kept(house, made.awa.id) == 0
    closed = line(house, made)
    assert (closed.state, closed.identity, closed.approvals) == ("closed", "guardians", ("Nadia", "Hugo"))
    assert rights.certificate(house, made.tilleuls.administrators[0].session, closed.id).said.papers == 1
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(death_reports.c.worker)).all() == []


def test_who_was_wrongly_reported_comes_back_with_card_and_code(any_house: Context, clock: Clock) -> None:
    """Whatever was approved meanwhile; they read it, the register says so, and a new report begins from nothing."""
    made = make_circle(any_house)
    wished(any_house, made)
    found = approved(any_house, made)
    clock.forward(days=40)
    session = unlock(any_house, made.awa)
    assert [one.key for one in notices.waiting(any_house, session)] == ["death-denied"]
    assert {"death.reported", "death.certified", "death.denied"} <= {
        one.event.tag for one in audit.history(any_house, session)
    }  # fmt: skip
    closed = line(any_house, made)
    assert (closed.id, closed.state, closed.reason) == (found.id, "closed", "came-back")
    assert deaths.of(any_house, sign_in(any_house, made.fatou), member(any_house, made.fatou)) is None
    clock.forward(days=400)
    erase_what_is_due(any_house)
    assert state(any_house, made.awa.id) == "open"


def test_the_year_s_end_can_still_be_cancelled_by_the_card(house: Context, clock: Clock) -> None:
    made = make_circle(house)
    keep(house, unlock(house, made.awa), "Bail")
    approved(house, made)
    clock.forward(days=366)
    assert deaths.end_due(house) == 1
    assert state(house, made.awa.id) == "leaving"
    erasure.cancel(house, None, made.awa.card, made.awa.code)
    assert unlock(house, made.awa).account == made.awa.id
    assert line(house, made).reason == "cancelled"


def test_a_frozen_safe_is_not_opened_by_its_card_because_somebody_said_dead(house: Context) -> None:
    """A thief whose card was blocked must not gain by a report."""
    made = make_circle(house)
    people.freeze_number(house, sign_in(house, made.fatou), made.awa.number)
    deaths.report(house, sign_in(house, made.fatou), member(house, made.fatou), seen=True)
    with pytest.raises(WrongSecret):
        unlock(house, made.awa)


def test_two_administrators_who_do_not_follow_the_report_give_the_safe_back(house: Context) -> None:
    made = make_circle(house)
    found = said(house, made)
    why = "L'acte concerne une autre personne."
    nadia, hugo = (sign_in_administrator(house, one) for one in made.tilleuls.administrators)
    assert not rights.refuse(house, nadia, found.id, why)
    assert state(house, made.awa.id) == "mourned"
    assert rights.refuse(house, hugo, found.id, why)
    assert state(house, made.awa.id) == "open"
    assert {one.key for one in notices.waiting(house, unlock(house, made.awa))} == {"death-denied", "right-refused"}


def test_refusing_a_second_letter_undoes_nothing_of_the_first(house: Context) -> None:
    """Another operator writes a letter down and one of its administrators refuses it: the approved line stands, the safe stays shut."""
    made = make_circle(house)
    found = approved(house, made)
    theirs = sign_in_administrator(house, made.canal.administrators[0])
    second = rights.receive(house, theirs, "death", "letter", Extra(number=made.awa.number))
    rights.refuse(house, theirs, second.id, "Déjà connu.")
    assert state(house, made.awa.id) == "mourned"
    assert (line(house, made).id, line(house, made).state) == (found.id, "approved")
    with house.database.transaction(read_only=True) as connection:
        assert len(connection.execute(select(death_reports.c.worker)).all()) == 2


def test_guardians_speak_to_the_line_on_which_one_has_spoken(house: Context) -> None:
    """Of two lines, whichever came first in the rows; whoever comes back ends both, also once the year's end had begun."""
    made = make_circle(house)
    first = deaths.report(house, sign_in(house, made.fatou), member(house, made.fatou), seen=True)
    for office in (made.tilleuls, made.canal):
        for _ in range(3):
            admin = sign_in_administrator(house, office.administrators[0])
            rights.receive(house, admin, "death", "letter", Extra(number=made.awa.number))
    second = deaths.report(house, sign_in(house, made.marc), member(house, made.marc), seen=True)
    assert second.request == first.request
    assert second.state == "identified"
    unlock(house, made.awa)
    for office in (made.tilleuls, made.canal):
        assert register_reading.requests(house, sign_in_administrator(house, office.administrators[0])) == []


def test_cancelling_the_year_s_end_closes_every_line(house: Context, clock: Clock) -> None:
    made = make_circle(house)
    approved(house, made)
    theirs = sign_in_administrator(house, made.canal.administrators[0])
    rights.receive(house, theirs, "death", "letter", Extra(number=made.awa.number))
    clock.forward(days=366)
    assert deaths.end_due(house) == 1
    erasure.cancel(house, None, made.awa.card, made.awa.code)
    (closed,) = register_reading.requests(house, sign_in_administrator(house, made.canal.administrators[0]), closed=True)
    assert closed.reason == "cancelled"


def test_a_letter_with_an_account_number_freezes_and_waits_for_those_the_person_trusted(house: Context) -> None:
    """A number that nobody has is answered alike; nobody approves before guardians have said it."""
    made = make_circle(house)
    nadia = sign_in_administrator(house, made.tilleuls.administrators[0])
    real = rights.receive(house, nadia, "death", "letter", Extra(number=made.awa.number))
    unknown = rights.receive(house, nadia, "death", "letter", Extra(number=_unknown(made.awa.number)))
    ours = vars(real) | {"id": "", "number": ""}
    assert ours == vars(unknown) | {"id": "", "number": ""}
    with pytest.raises(BadInput):
        rights.receive(house, nadia, "death", "letter", Extra(number="0000 0000 0000"))
    assert state(house, made.awa.id) == "mourned"
    with pytest.raises(Conflict):
        rights.approve(house, nadia, real.id)
    death = deaths.report(house, sign_in(house, made.fatou), member(house, made.fatou), seen=True)
    assert death.request == real.id


def test_a_slow_office_leaves_the_person_named_some_months(house: Context, clock: Clock) -> None:
    """Approved on day 340: thirty days later the year would be over, and nobody could ever have come."""
    made = make_circle(house)
    wished(house, made)
    found = said(house, made)
    clock.forward(days=340)
    for admin in made.tilleuls.administrators:
        rights.approve(house, sign_in_administrator(house, admin), found.id)
    after = line(house, made)
    assert (after.opens, after.term) == (dt.date(2027, 11, 28), dt.date(2028, 2, 28))
    clock.forward(days=60)
    erase_what_is_due(house)
    assert state(house, made.awa.id) == "mourned"


def test_a_guardian_who_left_is_not_waited_for(house: Context, clock: Clock) -> None:
    """Fatou says it while Marc is there; when he has left for good her word is enough for the register, as with sheets alone."""
    made = make_circle(house)
    death = deaths.report(house, sign_in(house, made.fatou), member(house, made.fatou), seen=True)
    assert (death.needed, death.state, deaths.settle_due(house)) == (2, "received", 0)
    working.end(house, sign_in_administrator(house, made.canal.administrators[0]), made.marc.id)
    assert tasks.run_due(house)["deaths reported"] == 1
    after = deaths.of(house, sign_in(house, made.fatou), member(house, made.fatou))
    assert after
    assert (after.needed, after.state) == (1, "identified")
    clock.forward(days=400)
    assert deaths.settle_due(house) == 0  # the office has its part to do, and sees it in red
    assert state(house, made.awa.id) == "mourned"


def test_who_left_says_nothing_any_more(any_house: Context, clock: Clock) -> None:
    """Her desk was stolen, or she lied, and her account is ended for that: Marc, who has seen no certificate, has not said it for her."""
    house = any_house
    made = make_circle(house)
    deaths.report(house, sign_in(house, made.fatou), member(house, made.fatou), seen=True)
    working.end(house, sign_in_administrator(house, made.tilleuls.administrators[0]), made.fatou.id)
    assert deaths.settle_due(house) == 0
    assert line(house, made).state == "received"
    seen = deaths.of(house, sign_in(house, made.marc), member(house, made.marc))
    assert seen
    assert (seen.reports, seen.needed) == (0, 1)
    with pytest.raises(Conflict):
        rights.approve(house, sign_in_administrator(house, made.tilleuls.administrators[0]), seen.request)
    clock.forward(days=30)
    said_it = deaths.report(house, sign_in(house, made.marc), member(house, made.marc), seen=True)
    assert (said_it.reports, said_it.state) == (1, "identified")


def test_two_who_said_it_and_left_are_nobody(house: Context, clock: Clock) -> None:
    """The year ends it, and not the office."""
    made = make_circle(house)
    deaths.report(house, sign_in(house, made.fatou), member(house, made.fatou), seen=True)
    for worker, office in ((made.fatou, made.tilleuls), (made.marc, made.canal)):
        working.end(house, sign_in_administrator(house, office.administrators[0]), worker.id)
    assert deaths.settle_due(house) == 0
    clock.forward(days=366)
    assert deaths.settle_due(house) == 1
    assert (line(house, made).reason, state(house, made.awa.id)) == (deaths.UNCONFIRMED, "open")


def test_the_register_does_not_tell_after_a_year_which_number_lives(any_house: Context, clock: Clock) -> None:
    """Two letters that nobody confirms, one with a number of nobody, and one without: closed on the same day with the same word."""
    house = any_house
    made = make_circle(house)
    nadia = sign_in_administrator(house, made.tilleuls.administrators[0])
    for number in (made.awa.number, _unknown(made.awa.number), ""):
        rights.receive(house, nadia, "death", "letter", Extra(number=number))
    clock.now = dt.datetime(2027, 11, 22, 12, tzinfo=dt.UTC)
    assert deaths.settle_due(house) == 0
    clock.forward(days=1)
    assert (deaths.settle_due(house), deaths.settle_due(house)) == (3, 0)
    nadia = sign_in_administrator(house, made.tilleuls.administrators[0])
    assert register_reading.requests(house, nadia) == []
    shown = [vars(one) | {"id": "", "number": ""} for one in register_reading.requests(house, nadia, closed=True)]
    by_number = [one for one in shown if one["numbered"]]
    assert by_number[0] == by_number[1]
    assert [(one["state"], one["reason"]) for one in shown] == [("closed", deaths.UNCONFIRMED)] * 3
    assert register_reading.overdue(house) == 0


def test_a_death_is_late_when_the_office_can_act_and_does_not(house: Context, clock: Clock) -> None:
    """Not while guardians may still say it: nobody refuses a death, and opens a safe, to quiet a monitor. A letter without a number has
    nobody to wait for."""
    made = make_circle(house)
    wished(house, made)
    nadia, hugo = made.tilleuls.administrators
    rights.receive(house, sign_in_administrator(house, nadia), "death", "letter", Extra(number=_unknown(made.awa.number)))
    first = deaths.report(house, sign_in(house, made.fatou), member(house, made.fatou), seen=True)
    clock.forward(days=200)
    assert health.of_requests(house).good
    assert not any(one.late for one in register_reading.requests(house, sign_in_administrator(house, nadia)))
    by_name = rights.receive(house, sign_in_administrator(house, nadia), "death", "letter")
    deaths.report(house, sign_in(house, made.marc), member(house, made.marc), seen=True)
    clock.forward(days=29)
    assert (_of(house, made, first.request).state, _of(house, made, first.request).days_left) == ("identified", 1)
    clock.forward(days=3)
    assert register_reading.overdue(house) == 2
    assert _of(house, made, first.request).late
    assert _of(house, made, by_name.id).late
    rights.refuse(house, sign_in_administrator(house, nadia), by_name.id, "Personne n'est cherché par son nom.")
    for admin in (nadia, hugo):
        rights.approve(house, sign_in_administrator(house, admin), first.request)
    clock.forward(days=134)
    deaths.settle_due(house)
    assert deaths.end_due(house) == 1
    clock.forward(days=2)
    ending = _of(house, made, first.request)
    assert (ending.state, ending.days_left, ending.colour) == ("carrying-out", None, "calm")
    assert health.of_requests(house).good, "the erasure waits its 72 hours"


@pytest.mark.parametrize("origin", ["letter", "desk", "kiosk"])
def test_what_the_office_wrote_down_without_a_number_waits_for_nobody(house: Context, clock: Clock, origin: Origin) -> None:
    """Told at the office's own desk too: no guardian can speak to this line, and whoever told of it wants an answer."""
    made = make_circle(house)
    told = rights.receive(house, sign_in_administrator(house, made.tilleuls.administrators[0]), "death", origin)
    clock.forward(days=32)
    assert _of(house, made, told.id).late
    assert register_reading.overdue(house) == 1


def _of(house: Context, made: Circle, request: str) -> register_reading.Request:
    nadia = sign_in_administrator(house, made.tilleuls.administrators[0])
    return next(one for one in register_reading.requests(house, nadia) if one.id == request)


def test_what_nobody_confirmed_within_the_year_gives_the_safe_back(any_house: Context, clock: Clock) -> None:
    """A letter with a number, for somebody whose people never say it: not frozen for ever; silence goes on from there."""
    house = any_house
    made = make_circle(house)
    nadia = sign_in_administrator(house, made.tilleuls.administrators[0])
    letter = rights.receive(house, nadia, "death", "letter", Extra(number=made.awa.number))
    deaths.report(house, sign_in(house, made.fatou), member(house, made.fatou), seen=True)
    clock.now = dt.datetime(2027, 11, 22, 12, tzinfo=dt.UTC)
    assert deaths.settle_due(house) == 0
    assert state(house, made.awa.id) == "mourned"
    clock.forward(days=1)
    assert deaths.settle_due(house) == 1
    assert state(house, made.awa.id) == "open"
    over = line(house, made)
    assert (over.id, over.state, over.reason) == (letter.id, "closed", deaths.UNCONFIRMED)
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(death_reports)).all() == []
    clock.forward(days=30)
    assert silence.tell(house) == 1


def test_a_number_that_nobody_has_costs_as_much_work_and_a_few_a_day_are_all(house: Context, clock: Clock) -> None:
    """Two approve before one is told whether a number is anybody's; and nobody blocks every safe of which they hold a number."""
    made = make_circle(house)
    nadia = sign_in_administrator(house, made.tilleuls.administrators[0])
    letter = partial(rights.receive, house, nadia, "death", "letter")
    letter(Extra(number=_unknown(made.awa.number)))
    sessions.end(house, made.awa.session)
    done: list[list[str]] = []
    for number in (made.awa.number, _unknown(made.awa.number)):
        with statements(house) as asked:
            letter(Extra(number=number))
        done.append(
            sorted(" ".join(one.split()[:3]) for one in asked if not one.startswith(("savepoint", "rollback", "release")))
        )
    assert done[0] == done[1]
    for _ in range(2):
        letter(Extra(number=made.awa.number))
    for number in (made.awa.number, _unknown(made.awa.number)):
        with pytest.raises(MustWait):
            letter(Extra(number=number))
    letter(Extra())  # by name, nothing is blocked
    clock.forward(days=1)
    nadia = sign_in_administrator(house, made.tilleuls.administrators[0])
    rights.receive(house, nadia, "death", "letter", Extra(number=made.awa.number))


def test_a_death_by_letter_is_confirmed_by_who_stands_there(house: Context, clock: Clock) -> None:
    made = make_circle(house)
    administrator = made.tilleuls.administrators[0]
    nadia = sign_in_administrator(house, administrator)
    clock.forward(minutes=6)
    extra = Extra(number=made.awa.number)
    with pytest.raises(NotProven):
        rights.receive(house, nadia, "death", "letter", extra)
    with pytest.raises(WrongSecret):
        rights.receive(house, nadia, "death", "letter", extra, Typed(" ".join(made.tilleuls.administrators[1].words)))
    assert state(house, made.awa.id) == "open"
    rights.receive(house, nadia, "death", "letter", extra, Typed(" ".join(administrator.words)))
    assert state(house, made.awa.id) == "mourned"


def _unknown(number: str) -> str:
    """Another number in the right form."""
    while (drawn := account_numbers.draw()) == number:
        pass
    return drawn


def test_the_register_holds_no_name_of_the_dead_nor_of_whom_they_named(house: Context) -> None:
    made = make_circle(house)
    wished(house, made)
    found = approved(house, made)
    with house.database.transaction(read_only=True) as connection:
        row = connection.execute(select(rights_requests).where(rights_requests.c.id == found.id)).one()
    for secret in ("Awa", "Bintou", made.awa.number):
        assert secret not in repr(found)
        assert secret not in repr(row)
