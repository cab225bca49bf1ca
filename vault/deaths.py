"""A death, from the desk of those the person counted on: reported, seen by two, approved by two others, and then what was wanted.

Nobody hands a paper over: a guardian says, signed, that they have seen the certificate of death. The safe freezes with the first of
them (`vault.mourning`); with the second the register may go on. Thirty days after the second administrator's yes the person named may
come (`vault.handing`); a year after the report everything is erased, not before. Who comes back with card and code ends it at any time.
"""

import datetime as dt
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping, Select, case, delete, func, insert, select, update

from consent.days import add_months
from crypto.canonical import instant
from crypto.keys import AccountKeys
from crypto.signing import Signer
from crypto.statements import DeathReported
from storage.tables import accounts, circle_members, circles, death_reports, rights_requests, structures, workers
from vault import audit, certificates, directives, erasure, mourning, recovery, restricting, who
from vault.context import Context
from vault.directives import Wish
from vault.errors import AbriError, BadInput
from vault.events import Event
from vault.one_by_one import each
from vault.sessions import Session
from vault.settings import Retention, today_in_paris

HAND_AFTER = dt.timedelta(days=30)
NEEDED = 2
UNCONFIRMED = "unconfirmed"  # why a line is over: nobody whom the person trusted has said it within the year
NOTHING, ERASE, HAND = "nothing", "erase", "hand"


@dataclass(frozen=True)
class Death:
    """Where a reported death stands, for a guardian. `wish` is None while this guardian has said nothing, or nothing was wanted."""

    request: str
    number: str
    state: str
    reports: int
    needed: int
    mine: bool
    wish: Wish | None = field(repr=False)
    opens: dt.date | None
    term: dt.date | None
    open_now: bool


def of(context: Context, session: Session, member: str) -> Death | None:
    """The report about somebody of this worker's own list; None when there is none. Raises NotThere."""
    keys = who.worker(session)
    person, _ = recovery.ward(context, session, member)
    with context.database.transaction(read_only=True) as connection:
        row = _open_one(connection, person)
        return None if row is None else _shown(context, connection, session, keys, row)


def report(context: Context, session: Session, member: str, *, seen: bool) -> Death:
    """Say that somebody of one's own list is dead, having seen the certificate. Freezes at once; BadInput("seen") without it.

    NotThere for anybody else. Whoever has said so reads what the person wanted; saying it twice says it once.
    """
    keys = who.worker(session)
    person, circle = recovery.ward(context, session, member)
    if not seen:
        raise BadInput("seen")
    with context.database.transaction() as connection:
        # Two guardians in the same moment write one report: the account is held before it is looked for.
        connection.execute(select(accounts.c.id).where(accounts.c.id == person).with_for_update())
        row = _open_one(connection, person)
        row = row if row is not None else _begin(context, connection, session, person)
        if not _reported(connection, row["id"], session.account):
            _sign(context, connection, session, keys, row["id"], person, circle)
            _decide(context, connection, keys, session.account, row)
        row = _open_one(connection, person)
        if row is None:
            raise AbriError  # nobody ends a report while its account is held
        return _shown(context, connection, session, keys, row)


def _open_one(connection: Connection, person: str) -> RowMapping | None:
    """The line that guardians speak to: of several, the one on which one of them has spoken; otherwise the oldest."""
    ours = (rights_requests.c.person == person, rights_requests.c.kind == "death", rights_requests.c.state.in_(mourning.OPEN))
    spoken = rights_requests.c.id.in_(select(death_reports.c.request))
    order = (case((spoken, 0), else_=1), rights_requests.c.received, rights_requests.c.id)
    return connection.execute(select(rights_requests).where(*ours).order_by(*order).limit(1)).mappings().one_or_none()


def _begin(context: Context, connection: Connection, session: Session, person: str) -> RowMapping:
    """The line in the register of the guardian's own operator, and the freeze."""
    mine = select(structures.c.operator, workers.c.first_name).join(workers, workers.c.structure == structures.c.id)
    worker = connection.execute(mine.where(workers.c.account == session.account)).one()
    name = open_line(context, connection, worker.operator, person, "desk")
    mourning.begin(context, connection, person, session, by=session.account, by_name=worker.first_name)
    return connection.execute(select(rights_requests).where(rights_requests.c.id == name)).mappings().one()


def open_line(
    context: Context, connection: Connection, operator: str, person: str | None, origin: str, *, numbered: bool = False
) -> str:
    """A line of the register for a death, in the caller's transaction: due in a month, nothing erased for a year."""
    today, name = today_in_paris(context.clock()), context.new_id()
    connection.execute(
        insert(rights_requests).values(
            id=name, operator=operator, kind="death", origin=origin, person=person, state="received", received=today,
            due=add_months(today, 1), term=add_months(today, context.settings.retention.retrieval_months), numbered=numbered,
        )
    )  # fmt: skip
    return name


def _reported(connection: Connection, request: str, worker: str) -> bool:
    mine = (death_reports.c.request == request, death_reports.c.worker == worker)
    return connection.execute(select(death_reports.c.at).where(*mine)).first() is not None


def _sign(
    context: Context, connection: Connection, session: Session, keys: AccountKeys, request: str, person: str, circle: str
) -> None:
    at = context.clock()
    said = DeathReported(request, person, circle, session.account, instant(at))
    signed = Signer(keys.sign).sign(said)
    connection.execute(
        insert(death_reports).values(request=request, worker=session.account, statement=said.encode(), signature=signed, at=at)
    )
    name = connection.execute(select(workers.c.first_name).where(workers.c.account == session.account)).scalar_one()
    seen = Event("death.certified", by=session.account, by_name=name)
    audit.record(context, connection, session, seen, person=person, worker=session.account)


def _decide(context: Context, connection: Connection, keys: AccountKeys, worker: str, row: RowMapping) -> None:
    """What was wanted, as this guardian reads it; and, with the last one needed, an identity for the register."""
    wish = directives.read_by(context, connection, keys, worker, row["person"])
    values: dict[str, object] = {"decided": wish.choice if wish else row["decided"] or NOTHING}
    if row["state"] == "received" and _enough(connection, row):
        values |= _identified(context)
    connection.execute(update(rights_requests).where(rights_requests.c.id == row["id"]).values(**values))


def _enough(connection: Connection, row: RowMapping) -> bool:
    """Whether those who count have said it. A number that is nobody's has nobody to say it."""
    return row["person"] is not None and _count(connection, row) >= needed(connection, row["person"])


def _identified(context: Context) -> dict[str, object]:
    """Guardians have said it, and the office can act from today on: that is when its month begins."""
    return {"state": "identified", "identity": "guardians", "due": add_months(today_in_paris(context.clock()), 1)}


def still_said(connection: Connection, row: RowMapping) -> bool:
    """Whether what makes this line the register's still counts: those who said it may have left since."""
    return row["identity"] != "guardians" or _enough(connection, row)


def guardian_left(connection: Connection, worker: str) -> None:
    """An account has ended, in the caller's transaction: a line that lacks a voice by this waits for guardians again, approved or not."""
    theirs = select(death_reports.c.request).where(death_reports.c.worker == worker)
    said = (rights_requests.c.id.in_(theirs), rights_requests.c.state.in_(("identified", "approved")))
    held = select(rights_requests).where(*said).order_by(rights_requests.c.id).with_for_update()
    for row in connection.execute(held).mappings().all():
        if not still_said(connection, row):
            _wait_again(connection, row["id"])


def _wait_again(connection: Connection, request: str) -> None:
    """As before the guardians had said it; what administrators said then was said of that. The year goes on."""
    names = ("identity", "first_approval", "second_approval", "opens", "undoing", "undoing_reason")
    values: dict[str, str | None] = {"state": "received", **dict.fromkeys(names)}
    connection.execute(update(rights_requests).where(rights_requests.c.id == request).values(**values))


def _count(connection: Connection, row: RowMapping) -> int:
    """How many of those who are still guardians have said it. Ending an account is the only no that an office has: whoever left says
    nothing any more, and what they said before counts for nothing, as in a recovery (ADR 0104)."""
    said = select(death_reports.c.worker).where(death_reports.c.request == row["id"])
    return connection.execute(_guardians(row["person"]).where(circle_members.c.worker.in_(said))).scalar_one()


def needed(connection: Connection, person: str) -> int:
    """How many guardians must have seen the certificate: two; the only one, when the others are printed sheets or have left for good."""
    return max(1, min(NEEDED, connection.execute(_guardians(person)).scalar_one()))


def _guardians(person: str) -> Select[int]:
    """How many workers of the circle that stands have not left for good."""
    here = circle_members.join(circles).join(workers, workers.c.account == circle_members.c.worker)
    return select(func.count()).select_from(here).where(
        circles.c.person == person, circles.c.state == "living", workers.c.state != "ended"
    )  # fmt: skip


def _shown(context: Context, connection: Connection, session: Session, keys: AccountKeys, row: RowMapping) -> Death:
    mine = _reported(connection, row["id"], session.account)
    wish = directives.read_by(context, connection, keys, session.account, row["person"]) if mine else None
    return Death(
        row["id"], certificates.number_of(row["id"]), row["state"], _count(connection, row),
        needed(connection, row["person"]), mine, wish, row["opens"], row["term"],
        may_hand(row, today_in_paris(context.clock())),
    )  # fmt: skip


def may_hand(row: RowMapping, today: dt.date) -> bool:
    """Whether the person named may come today: approved by two, thirty days ago at least, and not yet at the term."""
    return bool(
        row["kind"] == "death" and row["state"] == "approved" and row["decided"] == HAND and row["opens"] and row["term"]
        and row["opens"] <= today < row["term"]
    )  # fmt: skip


def approved(context: Context, connection: Connection, row: RowMapping) -> None:
    """The second administrator has said yes, in the caller's transaction: the thirty days begin. The year is the least: however late
    that yes came, the person named has some months in which to come."""
    if row["decided"] != HAND:
        return
    opens = today_in_paris(context.clock()) + HAND_AFTER
    term = max(row["term"], add_months(opens, context.settings.retention.notice_months))
    connection.execute(update(rights_requests).where(rights_requests.c.id == row["id"]).values(opens=opens, term=term))


def begin_again(connection: Connection, today: dt.date, retention: Retention) -> None:
    """A backup was put back: whoever has denied their death since has time to say so again, before anybody comes or anything ends."""
    of = rights_requests.c
    open_ones = (of.kind == "death", of.state.in_(mourning.OPEN))
    term, opens = add_months(today, retention.notice_months), today + HAND_AFTER
    connection.execute(update(rights_requests).where(*open_ones, of.term < term).values(term=term))
    connection.execute(update(rights_requests).where(*open_ones, of.opens < opens).values(opens=opens))


def refused(context: Context, connection: Connection, row: RowMapping, reason: str) -> None:
    """This line is refused, in the caller's transaction. The safe is given back when no other line says that its person is dead:
    an operator that refuses a second letter does not undo what another one's guardians and administrators have said."""
    connection.execute(delete(death_reports).where(death_reports.c.request == row["id"]))
    if not mourning.reported(connection, row["person"]):
        mourning.withdrawn(context, connection, row["person"], reason)


def settle_due(context: Context) -> int:
    """What a report waits for in vain; a scheduled task. Gives how many lines moved.

    A guardian who left will say nothing any more: those who are left and have spoken are then enough for the register; a line that had
    enough and has not any more waits for guardians again. What the guardians
    have not confirmed when the year is over is closed, and the safe is what it was: nobody can deny a death for somebody who never comes
    back, and a safe that nobody opens has terms of its own (`vault.silence`). A letter whose number is nobody's, or that came without
    one, is closed on the same day with the same word: the register does not tell which numbers live.
    """
    today = today_in_paris(context.clock())
    waiting = (rights_requests.c.kind == "death", rights_requests.c.state.in_(mourning.OPEN))
    with context.database.transaction(read_only=True) as connection:
        lines = connection.scalars(select(rights_requests.c.id).where(*waiting)).all()

    def settle(request: str) -> bool:
        with context.database.transaction() as connection:
            one = select(rights_requests).where(rights_requests.c.id == request, *waiting).with_for_update()
            row = connection.execute(one).mappings().one_or_none()
            if row is None or (row["state"] != "received" and still_said(connection, row)):
                return False
            if row["state"] != "received":
                _wait_again(connection, request)
            if _enough(connection, row):
                values = _identified(context)
            elif row["term"] <= today:
                values = {"state": "closed", "closed": today, "reason": UNCONFIRMED}
            else:
                return bool(row["state"] != "received")
            connection.execute(update(rights_requests).where(rights_requests.c.id == request).values(**values))
            if values["state"] == "closed" and row["person"] is not None:
                refused(context, connection, row, UNCONFIRMED)
        return True

    return each("death reported", lines, settle)


def end_due(context: Context) -> int:
    """Begin the erasure of those whose year is over; a scheduled task. Their card still has its 72 hours."""
    today = today_in_paris(context.clock())
    over = (rights_requests.c.kind == "death", rights_requests.c.state == "approved", rights_requests.c.term <= today)
    with context.database.transaction(read_only=True) as connection:
        due = connection.scalars(select(rights_requests.c.id).where(*over, rights_requests.c.person.is_not(None))).all()

    def end_one(request: str) -> bool:
        with context.database.transaction() as connection:
            held = select(rights_requests).where(rights_requests.c.id == request, *over).with_for_update()
            row = connection.execute(held).mappings().one_or_none()
            if row is None or row["person"] is None or not still_said(connection, row):
                return False  # they came back since we looked, or whoever said it has left
            person = row["person"]
            if restricting.is_restricted(connection, person):
                return False  # a judge, or they themselves before they died, want nothing erased: the line stays, overdue
            connection.execute(update(rights_requests).where(rights_requests.c.id == request).values(state="carrying-out"))
            erasure.begin(context, connection, person, session=None, register=request, of=(mourning.STATE,))
        return True

    return each("death", due, end_one)
