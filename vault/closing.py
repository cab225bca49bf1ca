"""Closing the service (CPCE D541): announced three months before at least, then a year in which everybody can take everything back.

An announcement is kept, told to each person at their next opening, and printed for the walls: many have no e-mail and no telephone.
From the day on no safe is opened anew and nothing is put in; unlocking, taking away and erasing go on. Nothing is ever erased here.
In the office each step takes two administrators: proposing and announcing, asking and calling off.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from consent.days import add_months
from storage.tables import accounts, closings, persons
from vault import administrators as office
from vault import audit, confirming, notices
from vault.confirming import Act, Proof
from vault.context import Context
from vault.errors import AbriError, BadInput, Conflict, NotAllowed
from vault.events import Event
from vault.notices import Notice
from vault.one_by_one import each
from vault.sessions import Session
from vault.settings import Retention, today_in_paris

State = Literal["open", "announced", "retrieval", "over"]
REACHED = ("open", "frozen", "mourned", "leaving")


class Closing(AbriError):
    """The service takes nothing in any more; what is in it can still be taken away."""

    sentence: ClassVar[str] = "error.closing"


@dataclass(frozen=True)
class Announced:
    """What was announced: the day on which the service closes, and until when everything can be taken back."""

    announced: dt.date
    closes: dt.date
    until: dt.date


def earliest(today: dt.date, retention: Retention) -> dt.date:
    """The first day that may be announced."""
    return add_months(today, retention.notice_months)


def earliest_words(context: Context) -> str:
    """Why a day was refused, for a terminal."""
    retention, today = context.settings.retention, today_in_paris(context.clock())
    return f"The law asks for {retention.notice_months} months' notice: {earliest(today, retention)} at the earliest."


def announce(context: Context, closes: dt.date) -> Announced:
    """Announce the day, from the machine's own terminal. BadInput("on") when it is too soon, Conflict when a day stands already."""
    with context.database.transaction() as connection:
        found = _insert(context, connection, closes, "announced", None)
    tell(context)
    return found


def propose(context: Context, session: Session, closes: dt.date) -> Announced:
    """One administrator proposes the day, in the office: nothing is told before another has said yes. BadInput, Conflict."""
    office.check(session)
    with context.database.transaction() as connection:
        found = _insert(context, connection, closes, "proposed", session.account)
        _trace(context, connection, session, "closing.proposed", closes)
    return found


def approval(context: Context, session: Session) -> Act:
    """What a second administrator confirms: the closing that waits, or its end. NotAllowed for the one who asked, Conflict for nothing."""
    office.check(session)
    with context.database.transaction(read_only=True) as connection:
        row = _waiting(connection, session, hold=False)
        return Act.on("closing.confirm", row.id, row.state, row.closes.isoformat())


def confirm(context: Context, session: Session, proof: Proof | None = None) -> None:
    """A second, different administrator says yes: it is announced, or called off. NotAllowed for the same one, Conflict for nothing.

    `proof`: see `confirming.require`.
    """
    confirming.require(context, session, approval(context, session), proof)
    with context.database.transaction() as connection:
        row = _waiting(connection, session, hold=True)
        found = Announced(row.announced, row.closes, row.until)
        proposed = row.state == "proposed"
        if proposed:
            _refuse_soon(context, row.closes)  # a proposal that waited too long would announce less than the law asks
        after = "announced" if proposed else "called-off"
        values = {"state": after, "by": None} | ({"announced": today_in_paris(context.clock())} if proposed else {})
        connection.execute(update(closings).where(closings.c.id == row.id).values(**values))
        _trace(context, connection, session, "closing.announced" if proposed else "closing.called-off", found.closes)
    tell(context)


def call_off(context: Context, session: Session) -> None:
    """Take a proposal back, which one can alone; or ask that what was announced be called off, which another confirms. Conflict."""
    office.check(session)
    with context.database.transaction() as connection:
        row = connection.execute(
            select(closings).where(closings.c.state.in_(("proposed", "announced"))).with_for_update()
        ).first()
        if row is None:
            raise Conflict
        if row.state == "proposed":
            connection.execute(delete(closings).where(closings.c.id == row.id))
        else:
            asked = {"state": "calling-off", "by": session.account}
            connection.execute(update(closings).where(closings.c.id == row.id).values(**asked))
        _trace(context, connection, session, "closing.call-off-asked", row.closes)


def keep_on(context: Context, session: Session) -> None:
    """Closing goes on as announced: what was asked to be called off is not. Conflict."""
    office.check(session)
    with context.database.transaction() as connection:
        asked = update(closings).where(closings.c.state == "calling-off").values(state="announced", by=None)
        if not connection.execute(asked).rowcount:
            raise Conflict
        row = connection.execute(select(closings).where(closings.c.state == "announced")).one()
        _trace(context, connection, session, "closing.kept", row.closes)


def _insert(context: Context, connection: Connection, closes: dt.date, state: str, by: str | None) -> Announced:
    _refuse_soon(context, closes)
    if connection.execute(select(closings.c.id).where(closings.c.state != "called-off").with_for_update()).first():
        raise Conflict
    today, until = today_in_paris(context.clock()), add_months(closes, context.settings.retention.retrieval_months)
    row = {"id": context.new_id(), "announced": today, "closes": closes, "until": until, "state": state, "by": by}
    connection.execute(insert(closings).values(**row))
    return Announced(today, closes, until)


def _refuse_soon(context: Context, closes: dt.date) -> None:
    if closes < earliest(today_in_paris(context.clock()), context.settings.retention):
        raise BadInput("on")


def _waiting(connection: Connection, session: Session, *, hold: bool) -> Row[Any]:
    waiting = select(closings).where(closings.c.state.in_(("proposed", "calling-off")))
    row = connection.execute(waiting.with_for_update() if hold else waiting).one_or_none()
    if row is None:
        raise Conflict
    if row.by == session.account:
        raise NotAllowed
    return row


def _trace(context: Context, connection: Connection, session: Session, tag: str, closes: dt.date) -> None:
    event = Event(tag, by=session.account, by_name=office.first_name(connection, session.account), detail=closes.isoformat())
    audit.record(context, connection, session, event, worker=session.account)


def _closes(found: Row[Any]) -> Notice:
    return Notice("service-closes", {"day": found.closes.isoformat(), "until": found.until.isoformat()})


def tell(context: Context) -> int:
    """Tell each person what was announced or called off and was not told to them yet; a scheduled task, one commit each.

    They read it at their next opening, whatever their safe is going through. A crash leaves the rest to the next turn, and a safe that
    was being opened in the moment of the announcement is found here.
    """
    with context.database.transaction(read_only=True) as connection:
        untold = persons.c.closing_told.is_distinct_from(_standing_id(connection))
        alive = accounts.c.state.in_(REACHED)
        query = select(persons.c.account).join(accounts, accounts.c.id == persons.c.account).where(untold, alive)
        people = connection.scalars(query.order_by(persons.c.account)).all()

    def tell_them(person: str) -> bool:
        with context.database.transaction() as connection:
            return tell_one(context, connection, person)

    return each("closing", people, tell_them)


def tell_one(context: Context, connection: Connection, person: str) -> bool:
    """The same for one person, in the caller's transaction. Tells whether there was something; a safe that is gone needs nothing."""
    held = select(persons.c.closing_told).where(persons.c.account == person).with_for_update()
    row = connection.execute(held).one_or_none()
    now = connection.execute(_standing_one()).one_or_none()
    if row is None or row.closing_told == (now.id if now else None):
        return False
    connection.execute(update(persons).where(persons.c.account == person).values(closing_told=now.id if now else None))
    notices.tell(context, connection, person, _closes(now) if now else Notice("service-stays"))
    return True


def _standing_one() -> Select[Any]:
    return select(closings).where(closings.c.state.in_(("announced", "calling-off")))


def _standing_id(connection: Connection) -> str | None:
    row = connection.execute(_standing_one()).one_or_none()
    return None if row is None else str(row.id)


@dataclass(frozen=True)
class Standing:
    """Where it stands, for the office. `step`: proposed, announced, calling-off, or nothing; `mine`: it waits for somebody else."""

    state: State
    found: Announced | None
    step: str
    mine: bool
    safes: int
    earliest: dt.date


def standing(context: Context, session: Session) -> Standing:
    """What was proposed or announced, by when, and how many safes are still there."""
    office.check(session)
    with context.database.transaction(read_only=True) as connection:
        row = connection.execute(select(closings).where(closings.c.state != "called-off")).one_or_none()
        there = select(func.count()).select_from(accounts).where(accounts.c.kind == "person", accounts.c.state != "half-made")
        safes = int(connection.execute(there).scalar_one())
    found = Announced(row.announced, row.closes, row.until) if row else None
    first = earliest(today_in_paris(context.clock()), context.settings.retention)
    return Standing(
        state(context), found, row.state if row else "", bool(row and row.by == session.account), safes, first
    )  # fmt: skip


def announced(context: Context) -> Announced | None:
    """What was announced, if anything was and has not been called off."""
    with context.database.transaction(read_only=True) as connection:
        row = connection.execute(_standing_one()).one_or_none()
    return Announced(row.announced, row.closes, row.until) if row else None


def state(context: Context) -> State:
    """Where the service stands today."""
    found, today = announced(context), today_in_paris(context.clock())
    if found is None:
        return "open"
    return "announced" if today < found.closes else "retrieval" if today < found.until else "over"


def refuse_new(context: Context) -> None:
    """Raise Closing from the day on: nobody begins what will not last."""
    if state(context) in ("retrieval", "over"):
        raise Closing
