"""Every kind of the register on every path: who must be recognised, who says yes, what a number opens, what a judge may order."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select

from consent.ids import PaperId
from storage.tables import accounts, persons, rights_requests
from storage.tables import metadata as schema
from tests.vault.builders import make_worker, sign_in, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.comings import Circle, face, lifted_by_two, make_circle, set_circle, with_its_office
from tests.vault.papers import SAID, keep
from tests.vault.test_sharing import SEE, offer, second_day
from vault import (
    assisting,
    audit,
    documents,
    erasing,
    erasure,
    health,
    notices,
    people,
    register,
    register_reading,
    requisitions,
    restricting,
    rights,
    shared_papers,
    sharing,
    tasks,
    withdrawing,
)
from vault.context import Context
from vault.errors import AbriError, BadInput, Conflict, NotAllowed, NotThere, WrongSecret
from vault.register import RULES, Origin, RightKind
from vault.restricting import Restricted
from vault.rights import Extra, Request
from vault.sessions import Session

STATES = ("received", "identified", "approved", "carrying-out", "closed", "refused")
ACTS = ("approve", "carry_out", "close", "refuse", "extend", "extract")
# What each act asks of the state, for every kind; what a kind adds stands in `may`.
FROM = {
    "approve": ("received", "identified"), "carry_out": ("approved",), "close": ("approved", "carrying-out"),
    "refuse": ("received", "identified", "approved"), "extend": ("received", "identified", "approved"),
    "extract": ("carrying-out",),
}  # fmt: skip


def may(kind: RightKind, act: str, state: str) -> bool:
    """By hand, from the law: what the register must allow."""
    by_authority = kind in ("requisition", "court-order", "complaint")
    if state not in FROM[act]:
        return False
    match act:
        case "approve":
            return state == "identified" or by_authority  # a complaint made at a kiosk is recognised as it comes
        case "carry_out":
            return kind != "death"
        case "close":
            done = state == "carrying-out" or kind not in ("restriction", "court-order")  # what closing lifts was begun
            return done and kind not in ("erasure", "minor", "death")
        case "extend":
            return kind not in ("minor", "death")
        case "extract":
            return kind == "requisition"
    return True


@pytest.fixture
def made(house: Context) -> Circle:
    """Awa with two guardians; both administrators signed in."""
    return with_its_office(house)


def came(house: Context, made: Circle, kind: RightKind, **extra: Any) -> Request:
    """A request of this kind as it comes."""
    rule = RULES[kind]
    given: dict[str, Any] = {"order": "keep", "number": made.awa.number} if kind == "court-order" else {}
    if kind == "requisition":
        given = {"number": made.awa.number}
    origin: Origin = "authority" if rule.authority else "letter"
    return rights.receive(house, made.tilleuls.administrators[0].session, kind, origin, Extra(**(given | extra)))


def put(house: Context, made: Circle, one: Request, state: str) -> None:
    """The row as it stands in that state, whoever brought it there."""
    recognised = state not in ("received", "refused") and RULES[one.kind].identity  # type: ignore[index]
    values: dict[str, Any] = {"state": state}
    if recognised:
        values |= {"identity": "card-and-code", "person": made.awa.id}
    with house.database.transaction() as connection:
        connection.execute(rights_requests.update().where(rights_requests.c.id == one.id).values(**values))


@pytest.mark.parametrize("kind", register.KINDS)
def test_every_act_in_every_state_of_every_kind(house: Context, made: Circle, kind: RightKind) -> None:
    """Point 3: the whole table. What is not allowed raises and changes nothing; another operator meets nothing at all."""
    nadia = made.tilleuls.administrators[0].session
    theirs = sign_in_administrator(house, made.canal.administrators[0])
    one = came(house, made, kind)
    for state in STATES:
        for act in ACTS:
            put(house, made, one, state)
            before = row(house, one.id)
            with pytest.raises(NotThere):
                do(house, theirs, act, one)
            with undone(house) as tried:
                try:
                    do(tried, nadia, act, one)
                    done = True
                except (Conflict, NotAllowed):
                    done = False
                    assert row(house, one.id) == before, (kind, act, state)
            assert done == may(kind, act, state), (kind, act, state)


@contextmanager
def undone(house: Context) -> Iterator[Context]:
    """Whatever happens to the register inside is put back."""
    with house.database.transaction(read_only=True) as connection:
        kept = {table: connection.execute(select(table)).mappings().all() for table in (rights_requests, accounts, persons)}
    yield house
    with house.database.transaction() as connection:
        for erased in connection.execute(select(erasing.erasures.c.id)).scalars().all():
            connection.execute(erasing.erasures.delete().where(erasing.erasures.c.id == erased))
        for table, rows in kept.items():
            for one in rows:
                key = next(iter(table.primary_key.columns))
                connection.execute(table.update().where(key == one[key.name]).values(**one))


def do(house: Context, session: Session, act: str, one: Request) -> None:
    match act:
        case "approve":
            rights.approve(house, session, one.id)
        case "carry_out":
            rights.carry_out(house, session, one.id)
        case "extract":
            requisitions.extract(house, session, one.id)
        case _:
            {"close": rights.close, "refuse": rights.refuse, "extend": rights.extend}[act](house, session, one.id, "parce que")


def row(house: Context, request: str) -> dict[str, Any]:
    with house.database.transaction(read_only=True) as connection:
        return dict(connection.execute(select(rights_requests).where(rights_requests.c.id == request)).mappings().one())


@pytest.mark.parametrize(
    ("kind", "origin", "extra", "field"),
    [
        ("requisition", "letter", Extra(), "origin"),
        ("court-order", "desk", Extra(number="x", order="keep"), "origin"),
        ("court-order", "authority", Extra(order="keep"), "number"),
        ("court-order", "authority", Extra(number="120 000 000 00", order="burn"), "order"),
        ("access", "letter", Extra(number="120 000 000 00"), "number"),
        ("requisition", "authority", Extra(number="120 000"), "number"),
        ("access", "letter", Extra(order="keep"), "order"),
    ],
)
def test_what_cannot_be_written_into_the_register(
    house: Context, made: Circle, kind: RightKind, origin: Origin, extra: Extra, field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        rights.receive(house, made.tilleuls.administrators[0].session, kind, origin, extra)
    assert refused.value.field == field


def approve_twice(house: Context, made: Circle, one: Request) -> None:
    for administrator in made.tilleuls.administrators:
        rights.approve(house, sign_in_administrator(house, administrator), one.id)


# --- Restriction, orders, minors ----------------------------------------------------------------------------------------------


def shared(house: Context, made: Circle, clock: Clock) -> PaperId:
    """A paper that Fatou sees, on the second day."""
    second_day(house, clock)
    paper = keep(house, unlock(house, made.awa), "Bail")
    sharing.grant(house, made.awa.session, made.fatou.id, offer(paper, acts=SEE))
    return paper


def restricted(house: Context, made: Circle) -> Request:
    """Awa asks at a kiosk; two say yes; it begins."""
    number = rights.ask_right(house, unlock(house, made.awa), made.awa.code, "restriction")
    nadia = sign_in_administrator(house, made.tilleuls.administrators[0])
    (one,) = [found for found in register_reading.requests(house, nadia) if found.number == number]
    approve_twice(house, made, one)
    rights.carry_out(house, made.tilleuls.administrators[1].session, one.id)
    return one


def test_a_restricted_safe_is_neither_erased_nor_shared_and_its_person_reads_it(
    house: Context, made: Circle, clock: Clock
) -> None:
    """Article 18: workers meet nothing, the bin waits, erasing and sharing are refused, one's own papers open; then all of it again."""
    paper = shared(house, made, clock)
    binned = keep(house, made.awa.session, "Vieux")
    documents.remove(house, made.awa.session, binned)
    assert len(shared_papers.people_sharing(house, sign_in(house, made.fatou))) == 1
    restricted(house, made)
    assert shared_papers.people_sharing(house, sign_in(house, made.fatou)) == []
    session = unlock(house, made.awa)
    assert restricting.state(house, session) == "asked"
    assert "restricted" in {one.key for one in notices.waiting(house, session)}
    for refused in (
        lambda: sharing.grant(house, session, made.marc.id, offer(paper, acts=SEE)),
        lambda: documents.erase_now(house, session, paper),
        lambda: erasure.ask(house, session, made.awa.code),
    ):
        with pytest.raises(Restricted):
            refused()
    clock.forward(days=8)
    assert documents.purge_bin(house) == 0
    assert documents.count(house, unlock(house, made.awa)) == 1
    with pytest.raises(WrongSecret):
        restricting.lift(house, made.awa.session, "591746")
    restricting.lift(house, unlock(house, made.awa), made.awa.code)
    assert len(shared_papers.people_sharing(house, sign_in(house, made.fatou))) == 1
    assert documents.purge_bin(house) == 1
    assert erasure.ask(house, made.awa.session, made.awa.code)


def test_closing_a_restriction_tells_the_person_and_lifts_it(house: Context, made: Circle, clock: Clock) -> None:
    shared(house, made, clock)
    one = restricted(house, made)
    rights.close(house, made.tilleuls.administrators[0].session, one.id, "Le papier contesté est corrigé.")
    told = [found.key for found in notices.waiting(house, unlock(house, made.awa))]
    assert {"unrestricted", "right-closed"} <= set(told)
    written = [one.event.tag for one in audit.history(house, made.awa.session)]
    assert (written.count("rights.restricted"), written.count("rights.unrestricted")) == (1, 1)
    assert restricting.state(house, made.awa.session) == ""


@pytest.mark.parametrize(("order", "state"), [("keep", "open"), ("freeze", "frozen"), ("erase", "leaving")])
def test_a_judge_keeps_freezes_or_erases(house: Context, made: Circle, order: str, state: str) -> None:
    one = came(house, made, "court-order", order=order)
    nadia = made.tilleuls.administrators[0].session
    with pytest.raises(Conflict):
        rights.carry_out(house, nadia, one.id)
    approve_twice(house, made, one)
    rights.carry_out(house, made.tilleuls.administrators[1].session, one.id)
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(accounts.c.state).where(accounts.c.id == made.awa.id)).scalar_one() == state
        held = connection.execute(select(persons.c.restricted).where(persons.c.account == made.awa.id)).scalar_one()
    assert (held is not None) == (order == "keep")
    if order == "keep":
        session = unlock(house, made.awa)
        assert restricting.state(house, session) == "ordered"
        with pytest.raises(Conflict):
            restricting.lift(house, session, made.awa.code)
        lifted_by_two(house, made, one.id)
        assert restricting.state(house, unlock(house, made.awa)) == ""
    if order == "erase":
        erasure.cancel(house, None, made.awa.card, made.awa.code)
        assert unlock(house, made.awa).account == made.awa.id


def carried_out(house: Context, made: Circle, order: str) -> Request:
    """A judge's order, approved by two and carried out."""
    one = came(house, made, "court-order", order=order)
    approve_twice(house, made, one)
    rights.carry_out(house, made.tilleuls.administrators[1].session, one.id)
    return one


def test_closing_one_line_lifts_nothing_that_another_one_holds(house: Context, made: Circle, clock: Clock) -> None:
    """The person's own request is closed by one administrator: the judge's order to keep everything stands, and the reverse."""
    shared(house, made, clock)
    own, order = restricted(house, made), carried_out(house, made, "keep")
    nadia = made.tilleuls.administrators[0]
    rights.close(house, sign_in_administrator(house, nadia), own.id, "Le papier est corrigé.")
    session = unlock(house, made.awa)
    assert restricting.state(house, session) == "ordered"
    with pytest.raises(Restricted):
        erasure.ask(house, session, made.awa.code)
    lifted_by_two(house, made, order.id)
    assert restricting.state(house, unlock(house, made.awa)) == ""
    order, own = carried_out(house, made, "keep"), restricted(house, made)
    lifted_by_two(house, made, order.id)
    assert restricting.state(house, unlock(house, made.awa)) == "asked"


def test_what_is_in_force_is_not_late(house: Context, made: Circle, clock: Clock) -> None:
    """A restriction and a judge's orders stand for months: the monitor stays green for what is answered, and tells what is not."""
    restricted(house, made)
    carried_out(house, made, "keep")
    carried_out(house, made, "freeze")
    requisition = came(house, made, "requisition")
    approve_twice(house, made, requisition)
    clock.forward(days=20)
    rights.carry_out(house, sign_in_administrator(house, made.tilleuls.administrators[0]), requisition.id)
    clock.forward(days=20)
    nadia = sign_in_administrator(house, made.tilleuls.administrators[0])
    shown = {(one.kind, one.decided): (one.days_left, one.colour, one.late) for one in register_reading.requests(house, nadia)}
    calm = (None, "calm", False)
    assert shown == {
        ("restriction", ""): calm, ("court-order", "keep"): calm, ("court-order", "freeze"): calm,
        ("requisition", ""): (-10, "red", True),
    }  # fmt: skip
    assert register_reading.overdue(house) == 1
    rights.close(house, nadia, requisition.id, "Remis.")
    assert health.of_requests(house).good


def test_the_end_of_a_judge_s_freeze_thaws_only_what_the_judge_froze(house: Context, made: Circle) -> None:
    """She had it blocked before: closing the judge's order opens nothing to the card that she had blocked."""
    order = carried_out(house, made, "freeze")
    lifted_by_two(house, made, order.id)
    assert unlock(house, made.awa).account == made.awa.id
    people.freeze_number(house, sign_in(house, made.fatou), made.awa.number)
    order = carried_out(house, made, "freeze")
    lifted_by_two(house, made, order.id)
    with pytest.raises(WrongSecret):
        unlock(house, made.awa)


def test_who_has_it_blocked_during_a_judge_s_freeze_keeps_it_blocked(house: Context, made: Circle) -> None:
    order = carried_out(house, made, "freeze")
    people.freeze_number(house, sign_in(house, made.fatou), made.awa.number)
    lifted_by_two(house, made, order.id)
    with pytest.raises(WrongSecret):
        unlock(house, made.awa)


def test_for_a_minor_nobody_asks_an_age_and_the_young_person_decides(house: Context, made: Circle) -> None:
    """A parent's letter opens nothing; with card and code it is theirs; no extension, amber from the first day."""
    one = came(house, made, "minor")
    nadia = made.tilleuls.administrators[0].session
    assert (one.colour, one.may_extend, one.may_approve) == ("amber", False, False)
    with pytest.raises(Conflict):
        rights.extend(house, nadia, one.id, "beaucoup de demandes")
    rights.identify(house, unlock(house, made.awa), made.awa.code, one.number)
    approve_twice(house, made, one)
    assert rights.carry_out(house, made.tilleuls.administrators[0].session, one.id) is not None
    assert not [
        column for table in schema.sorted_tables for column in table.columns if "birth" in column.name or column.name == "age"
    ]  # fmt: skip


def test_a_complaint_needs_nobody_recognised_and_moves_nothing(house: Context, made: Circle) -> None:
    one = came(house, made, "complaint")
    approve_twice(house, made, one)
    rights.carry_out(house, made.tilleuls.administrators[0].session, one.id)
    rights.close(house, made.tilleuls.administrators[0].session, one.id, "Répondu par courrier.")
    assert row(house, one.id)["person"] is None


@pytest.mark.parametrize(
    ("now", "received", "due", "extended"),
    [
        (dt.datetime(2027, 1, 30, 23, 30, tzinfo=dt.UTC), dt.date(2027, 1, 31), dt.date(2027, 2, 28), dt.date(2027, 4, 30)),
        (dt.datetime(2028, 1, 31, 9, tzinfo=dt.UTC), dt.date(2028, 1, 31), dt.date(2028, 2, 29), dt.date(2028, 4, 30)),
        (dt.datetime(2028, 2, 29, 9, tzinfo=dt.UTC), dt.date(2028, 2, 29), dt.date(2028, 3, 29), dt.date(2028, 5, 29)),
        (dt.datetime(2027, 6, 30, 22, 30, tzinfo=dt.UTC), dt.date(2027, 7, 1), dt.date(2027, 8, 1), dt.date(2027, 10, 1)),
    ],
)  # fmt: skip
def test_months_of_the_calendar_in_paris(
    house: Context, made: Circle, clock: Clock, now: dt.datetime, received: dt.date, due: dt.date, extended: dt.date
) -> None:
    """Point 5: winter and summer time, leap years; three months from the first day when prolonged; overdue counts up."""
    clock.now = now
    nadia = sign_in_administrator(house, made.tilleuls.administrators[0])
    one = rights.receive(house, nadia, "access", "letter")
    assert (one.received, one.due) == (received, due)
    rights.extend(house, nadia, one.id, "beaucoup de demandes")
    (later,) = register_reading.requests(house, nadia)
    assert later.due == extended
    clock.now = dt.datetime.combine(extended + dt.timedelta(days=3), dt.time(10), dt.UTC)
    (late,) = register_reading.requests(house, sign_in_administrator(house, made.tilleuls.administrators[0]))
    assert (late.days_left, late.colour, late.may_extend) == (-3, "red", False)


def test_a_protection_representative_is_an_ordinary_recipient(house: Context, clock: Clock) -> None:
    """L10: sees what was shown, until it is stopped; never a guardian, never an assistant, never a part of the secret."""
    made = make_circle(house)
    second_day(house, clock)
    paul = make_worker(house, made.tilleuls, "Paul", role="protection-representative")
    paper = keep(house, unlock(house, made.awa), "Bail")
    keep(house, made.awa.session, "Ordonnance", shelf="health")
    grant = sharing.grant(house, made.awa.session, paul.id, offer(paper, acts=SEE))
    (sight,) = shared_papers.people_sharing(house, sign_in(house, paul))
    assert sight.papers == 1
    with pytest.raises(BadInput):
        set_circle(house, made.awa, [face(paul), face(made.fatou)])
    with pytest.raises(AbriError):
        assisting.choose(house, made.awa.session, made.awa.code, paul.id, [], name="Awa", drawing="turtle")
    withdrawing.withdraw(house, made.awa.session, grant, SAID)
    assert shared_papers.people_sharing(house, sign_in(house, paul)) == []


def test_the_schedules_of_the_register_are_run() -> None:
    """A death's year, what may be said at last, reminders: each has its turn."""
    assert {"deaths", "requisitions", "recipients"} <= {one.name for one in tasks.JOBS}
