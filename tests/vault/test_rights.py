"""The register of requests: a month to answer, four eyes, nothing about anybody's papers."""

import dataclasses
import datetime as dt
import random
from typing import Any, cast

import pytest
from sqlalchemy import select

from storage.tables import accounts, erasures, rights_requests
from tests.vault.builders import MadeAdministrator, make_administrator, make_person, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, Circle, confirm, make_circle, new_card, start
from tests.vault.deaths_scene import said
from tests.vault.papers import keep
from tests.vault.test_special_paths import came
from vault import (
    audit,
    certificates,
    coming_back,
    erasing,
    erasure,
    health,
    notices,
    register,
    register_reading,
    remains,
    rights,
    sessions,
)
from vault.context import Context
from vault.errors import BadInput, Conflict, NotAllowed, NotThere, WrongSecret
from vault.register import Origin, RightKind
from vault.rights import Extra
from vault.sessions import Session


def test_an_erasure_by_letter_from_receipt_to_certificate(any_house: Context, clock: Clock) -> None:
    """Received, identified at a kiosk with card and code, approved by two, 72 hours, done, closed by itself; nothing remains."""
    made = make_circle(any_house)
    keep(any_house, unlock(any_house, made.awa), "Bail de Boubacar")
    nadia, hugo = made.tilleuls.administrators
    line = rights.receive(any_house, sign_in_administrator(any_house, nadia), "erasure", "letter")
    assert (line.state, line.days_left, line.colour, line.identity) == ("received", 30, "calm", "")
    with pytest.raises(Conflict):
        rights.approve(any_house, nadia.session, line.id)
    with pytest.raises(Conflict):
        rights.carry_out(any_house, nadia.session, line.id)
    unlock(any_house, made.awa)
    with pytest.raises(WrongSecret):
        rights.identify(any_house, made.awa.session, "591746", line.number)
    rights.identify(any_house, unlock(any_house, made.awa), made.awa.code, line.number.lower())
    rights.identify(any_house, made.awa.session, made.awa.code, line.number)  # a second tap
    assert [one.event.tag for one in audit.history(any_house, made.awa.session)].count("rights.identified") == 1
    other = make_person(any_house, "Yonas", drawing="sun")
    with pytest.raises(NotThere):
        rights.identify(any_house, other.session, other.code, line.number)
    assert rights.approve(any_house, nadia.session, line.id) is False
    with pytest.raises(NotAllowed):
        rights.approve(any_house, nadia.session, line.id)
    with pytest.raises(Conflict):
        rights.carry_out(any_house, nadia.session, line.id)
    sign_in_administrator(any_house, hugo)
    assert rights.approve(any_house, hugo.session, line.id) is True
    with pytest.raises(Conflict):
        rights.approve(any_house, hugo.session, line.id)
    due = rights.carry_out(any_house, hugo.session, line.id)
    assert due == clock.now + dt.timedelta(hours=72)
    with pytest.raises(WrongSecret):
        unlock(any_house, made.awa)
    where = [_where(any_house, hugo, clock.now + dt.timedelta(hours=hours)) for hours in (71, 72, 73)]
    assert where == ["asked", "begun", "stuck"]
    clock.forward(hours=74)
    assert not health.of_erasures(any_house).good
    for one in erasing.due(any_house):
        erasing.carry_out(any_house, one)
    assert health.of_erasures(any_house).good
    (closed,) = register_reading.requests(any_house, sign_in_administrator(any_house, hugo), closed=True)
    assert (closed.state, closed.approvals, closed.identity) == ("closed", ("Nadia", "Hugo"), "card-and-code")
    assert register_reading.requests(any_house, hugo.session) == []
    assert remains.check(any_house, made.awa.id, [b"Boubacar"]) == []
    told = {entry.event.tag for entry in audit.history(any_house, hugo.session)}
    assert {"rights.approved"} <= told


def test_the_card_cancels_what_the_register_began(house: Context, clock: Clock) -> None:
    """Somebody wrote in her name and knew her code; the register says that it was cancelled."""
    made = make_circle(house)
    nadia, hugo = made.tilleuls.administrators
    line = rights.receive(house, sign_in_administrator(house, nadia), "erasure", "letter")
    rights.identify(house, unlock(house, made.awa), made.awa.code, line.number)
    for one in (nadia, hugo):
        rights.approve(house, sign_in_administrator(house, one), line.id)
    rights.carry_out(house, hugo.session, line.id)
    erasure.cancel(house, None, made.awa.card, made.awa.code)
    (closed,) = register_reading.requests(house, hugo.session, closed=True)
    assert (closed.state, closed.reason) == ("closed", "cancelled")
    assert unlock(house, made.awa).account == made.awa.id


def test_due_dates_are_calendar_months_in_paris(house: Context, clock: Clock) -> None:
    """31 January: due on the last day of February; amber in the last week, red in the last two days, then overdue."""
    office = make_circle(house).tilleuls
    clock.now = dt.datetime(2027, 1, 30, 23, 30, tzinfo=dt.UTC)  # the 31st in Paris
    admin = office.administrators[0]
    line = rights.receive(house, sign_in_administrator(house, admin), "access", "desk")
    assert (line.received, line.due) == (dt.date(2027, 1, 31), dt.date(2027, 2, 28))
    seen = {}
    for day in (10, 24, 26, 28, 31):
        clock.now = dt.datetime(2027, 2, 1, 9, tzinfo=dt.UTC) + dt.timedelta(days=day - 1)
        (now,) = register_reading.requests(house, sign_in_administrator(house, admin))
        seen[day] = (now.days_left, now.colour, now.may_extend)
    assert seen == {
        10: (18, "calm", True), 24: (4, "amber", True), 26: (2, "red", True), 28: (0, "red", True), 31: (-3, "red", False),
    }  # fmt: skip


def test_one_extension_within_the_first_month_with_its_reason(house: Context, clock: Clock) -> None:
    """Two months more, told to the person; not twice, not late, not without a reason."""
    made = make_circle(house)
    admin = made.tilleuls.administrators[0]
    number = rights.ask_right(house, unlock(house, made.awa), made.awa.code, "access")
    (line,) = register_reading.requests(house, sign_in_administrator(house, admin))
    assert (line.number, line.state, line.origin) == (number, "identified", "kiosk")
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(BadInput):
            rights.extend(house, admin.session, line.id, reason)
    rights.extend(house, admin.session, line.id, "Beaucoup de demandes.")
    (later,) = register_reading.requests(house, admin.session)
    assert (later.due, later.extended, later.may_extend) == (dt.date(2027, 2, 23), True, False)
    with pytest.raises(Conflict):
        rights.extend(house, admin.session, line.id, "encore")
    (told,) = notices.waiting(house, unlock(house, made.awa))
    assert (told.key, told.values["reason"]) == ("right-extended", "Beaucoup de demandes.")
    rights.refuse(house, admin.session, line.id, "Déjà répondu.")
    (over,) = register_reading.requests(house, admin.session, closed=True)
    assert (over.extension, over.reason) == ("Beaucoup de demandes.", "Déjà répondu."), "neither replaces the other"
    clock.forward(days=40)
    late = rights.receive(house, sign_in_administrator(house, admin), "access", "desk")
    clock.forward(days=32)
    with pytest.raises(Conflict):
        rights.extend(house, sign_in_administrator(house, admin), late.id, "trop tard")


def test_a_refusal_says_why(house: Context) -> None:
    """To the person, in their notices; and nothing can be done with it afterwards."""
    made = make_circle(house)
    admin = made.tilleuls.administrators[0]
    rights.ask_right(house, unlock(house, made.awa), made.awa.code, "erasure")
    (line,) = register_reading.requests(house, sign_in_administrator(house, admin))
    with pytest.raises(BadInput):
        rights.refuse(house, admin.session, line.id, " ")
    rights.refuse(house, admin.session, line.id, "Une autre demande est en cours.")
    for act in (rights.approve, rights.carry_out):
        with pytest.raises(Conflict):
            act(house, admin.session, line.id)
    for saying in (rights.refuse, rights.extend, rights.close):
        with pytest.raises(Conflict):
            saying(house, admin.session, line.id, "encore")
    assert [one.key for one in notices.waiting(house, unlock(house, made.awa))] == ["right-refused"]


def test_another_operator_s_register_does_not_exist(house: Context) -> None:
    """Not a line, not a count, and no act on a number that was overheard; a worker and a person have no register."""
    made = make_circle(house)
    ours, theirs = made.tilleuls.administrators[0], made.canal.administrators[0]
    line = rights.receive(house, sign_in_administrator(house, ours), "erasure", "desk")
    sign_in_administrator(house, theirs)
    assert register_reading.requests(house, theirs.session) == []
    for act in (rights.approve, rights.carry_out):
        with pytest.raises(NotThere):
            act(house, theirs.session, line.id)
    for saying in (rights.refuse, rights.extend, rights.close):
        with pytest.raises(NotThere):
            saying(house, theirs.session, line.id, "non")
    for other in (made.fatou.session, made.awa.session):
        with pytest.raises(NotAllowed):
            register_reading.requests(house, other)


def test_guardians_are_an_identity(house: Context) -> None:
    """Somebody who has just been brought back by their guardians is identified by them; their erasure still waits the day."""
    made = make_circle(house)
    session, code = start(house, made.canal.kiosk)
    confirm(house, made.marc, code, beside=True)
    confirm(house, made.fatou, code)
    back = sessions.find(house, coming_back.finish(house, session, new_card(), NEW_CODE))
    again = dataclasses.replace(made.awa, session=back)
    rights.ask_right(house, again.session, NEW_CODE, "access")
    (line,) = register_reading.requests(house, sign_in_administrator(house, made.canal.administrators[0]))
    assert line.identity == "guardians"


def test_an_administrator_reads_nobody(house: Context) -> None:
    """No id, no name, no title of the person in what the register shows; requisitions need no person, and two signatures."""
    made = make_circle(house)
    keep(house, unlock(house, made.awa), "Bail de Boubacar")
    number = rights.ask_right(house, made.awa.session, made.awa.code, "access")
    admin = made.tilleuls.administrators[0]
    shown = repr(register_reading.requests(house, sign_in_administrator(house, admin)))
    for secret in (made.awa.id, "Awa", "Boubacar", made.awa.number):
        assert secret not in shown
    assert number in shown
    line = rights.receive(house, admin.session, "requisition", "authority")
    rights.approve(house, admin.session, line.id)
    third = make_administrator(house, made.tilleuls.operator, "Zoé")
    rights.approve(house, third.session, line.id)
    rights.carry_out(house, third.session, line.id)
    rights.close(house, third.session, line.id, "Répondu.")
    with pytest.raises(BadInput):
        rights.ask_right(house, make_person(house, "Sans borne").session, "482915", "access")
    with house.database.transaction(read_only=True) as connection:
        row = connection.execute(select(rights_requests).where(rights_requests.c.id == line.id)).mappings().one()
    assert (row["state"], row["person"]) == ("closed", None)
    assert certificates.number_of(line.id) == line.number


def _where(house: Context, admin: MadeAdministrator, at: dt.datetime) -> str | None:
    """Where the register says that its erasure is, at that moment."""
    clock = cast("Clock", house.clock)
    before, clock.now = clock.now, at
    (one,) = register_reading.requests(house, sign_in_administrator(house, admin))
    clock.now = before
    return one.erasure.where if one.erasure else None


def test_a_line_whose_person_was_faster_is_over_and_nobody_refused_it(house: Context, clock: Clock) -> None:
    """Asked by letter, identified at a kiosk; then she erased everything by herself. A requisition is still answered."""
    made = make_circle(house)
    admin = made.tilleuls.administrators[0]
    line = rights.receive(house, sign_in_administrator(house, admin), "erasure", "letter")
    order = rights.receive(house, admin.session, "requisition", "authority", Extra(number=made.awa.number))
    rights.identify(house, unlock(house, made.awa), made.awa.code, line.number)
    asked = erasure.ask(house, made.awa.session, made.awa.code)
    clock.forward(hours=72)
    erasing.carry_out(house, asked.id)
    (left,) = register_reading.requests(house, sign_in_administrator(house, admin))
    (over,) = register_reading.requests(house, admin.session, closed=True)
    assert (left.id, over.id, over.state, over.reason) == (order.id, line.id, "closed", "erased")


ACTS = ("identify", "approve-first", "approve-second", "carry-out", "refuse", "close", "extend", "receive-again")
PATHS = 20
ORIGIN: dict[str, Origin] = {"requisition": "authority"}


@pytest.mark.parametrize("kind", ["erasure", "access", "requisition"])
def test_no_path_goes_round_the_identity_gate_or_the_second_pair_of_eyes(house: Context, kind: RightKind) -> None:
    """Point 3: acts in any order, twice, by one or the other, after a refusal, beside a second request of the same person.

    Whatever was tried, what is carried out has been identified (unless an authority asks) and approved by two different people.
    """
    made = make_circle(house)
    nadia, hugo = (one.session for one in made.tilleuls.administrators)
    chance = random.Random(2026)
    carried = refused = 0
    for _ in range(PATHS):
        line = rights.receive(house, nadia, kind, ORIGIN.get(kind, "letter"))
        for act in chance.choices(ACTS, weights=(4, 4, 4, 4, 1, 1, 1, 1), k=14):
            try:
                _do(house, made, act, line, nadia, hugo)
            except (Conflict, NotAllowed, NotThere):
                refused += 1
            row = _row(house, line.id)
            if row.state in ("carrying-out", "closed"):
                carried += 1
                assert row.first_approval is not None
                assert row.second_approval not in (None, row.first_approval)
                assert row.identity is not None or kind == "requisition"
            with house.database.transaction() as connection:
                begun = connection.execute(select(erasures.c.id).where(erasures.c.register == line.id)).all()
                assert len(begun) <= (kind == "erasure" and row.state in ("carrying-out", "closed"))
                erasure.cancel_all(house, connection, made.awa.id)
        if _person_state(house, made.awa.id) == "open":
            unlock(house, made.awa)
    assert carried > 0
    assert refused > PATHS


@pytest.mark.parametrize("kind", register.KINDS)
def test_every_kind_waits_for_who_it_is_of_and_for_a_second_yes(house: Context, kind: RightKind) -> None:
    """Point 3, from a line as it comes: one administrator alone, as often as they press, carries nothing out."""
    made = make_circle(house)
    line = said(house, made) if kind == "death" else came(house, made, kind)
    nadia, hugo = (sign_in_administrator(house, one) for one in made.tilleuls.administrators)
    if kind not in ("death", "requisition", "court-order", "complaint"):
        with pytest.raises(Conflict):
            rights.approve(house, nadia, line.id)
        rights.identify(house, unlock(house, made.awa), made.awa.code, line.number)
    assert rights.approve(house, nadia, line.id) is False
    with pytest.raises(NotAllowed):
        rights.approve(house, nadia, line.id)
    for alone in (nadia, hugo):
        with pytest.raises(Conflict):
            rights.carry_out(house, alone, line.id)
    assert rights.approve(house, hugo, line.id) is True
    row = _row(house, line.id)
    assert (row.state, row.first_approval, row.second_approval) == ("approved", nadia.account, hugo.account)
    if kind != "death":  # the year that a death waits ends by itself
        rights.carry_out(house, nadia, line.id)
        assert _row(house, line.id).state == "carrying-out"


def _do(house: Context, made: Circle, act: str, line: register_reading.Request, nadia: Session, hugo: Session) -> None:
    match act:
        case "identify":
            rights.identify(house, made.awa.session, made.awa.code, line.number)
        case "approve-first":
            rights.approve(house, nadia, line.id)
        case "approve-second":
            rights.approve(house, hugo, line.id)
        case "carry-out":
            rights.carry_out(house, nadia, line.id)
            unlocked_again(house, made)
        case "refuse":
            rights.refuse(house, hugo, line.id, "hors de ce registre")
        case "close":
            rights.close(house, nadia, line.id, "fait")
        case "extend":
            rights.extend(house, nadia, line.id, "beaucoup de demandes")
        case _:
            rights.receive(house, nadia, line.kind, ORIGIN.get(line.kind, "desk"))


def unlocked_again(house: Context, made: Circle) -> None:
    """An erasure that began closed her session: it is cancelled, and she comes back."""
    with house.database.transaction() as connection:
        begun = connection.execute(select(erasures.c.id).where(erasures.c.state == "asked")).all()
    if begun:
        erasure.cancel(house, None, made.awa.card, made.awa.code)
        unlock(house, made.awa)


def _row(house: Context, request: str) -> Any:
    with house.database.transaction(read_only=True) as connection:
        return connection.execute(select(rights_requests).where(rights_requests.c.id == request)).one()


def _person_state(house: Context, person: str) -> str:
    with house.database.transaction(read_only=True) as connection:
        return str(connection.execute(select(accounts.c.state).where(accounts.c.id == person)).scalar_one())
