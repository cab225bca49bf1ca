"""Somebody is said to be dead: their safe freezes first. Nothing is erased before its term, and the card with its code denies it.

Whoever was wrongly reported opens as on any day: then the report is over, and they read that there was one. No share, link or
telephone reaches the safe meanwhile.
"""

from sqlalchemy import ColumnElement, Connection, delete, select, update

from storage.tables import accounts, death_reports, persons, rights_requests
from vault import audit, notices, sessions
from vault.context import NOBODY, Context
from vault.errors import Conflict
from vault.events import Event
from vault.notices import Notice
from vault.sessions import Session
from vault.settings import today_in_paris

STATE = "mourned"
CAME_BACK = "came-back"
OPEN = ("received", "identified", "approved")


def begin(
    context: Context, connection: Connection, person: str, session: Session | None, *, by: str = "", by_name: str = ""
) -> None:
    """Freeze the safe, end its sessions and say so, in the caller's transaction. Conflict for one that is being erased."""
    living = (accounts.c.id == person, accounts.c.state.in_(("open", "frozen", STATE)))
    if not connection.execute(update(accounts).where(*living).values(state=STATE)).rowcount:
        raise Conflict
    sessions.end_all(context, connection, account=person)
    audit.record(context, connection, session, Event("death.reported", by=by, by_name=by_name), person=person, worker=by or None)


def rehearse(context: Context, connection: Connection) -> None:
    """As much work for nobody: an administrator does not read from the time whether a number is anybody's."""
    nobody = (accounts.c.id == NOBODY, accounts.c.state.in_(("open", "frozen", STATE)))
    connection.execute(update(accounts).where(*nobody).values(state=STATE))
    sessions.end_all(context, connection, account=NOBODY)
    audit.rehearse(context, connection, Event("death.reported"))


def frozen_too(connection: Connection, person: str) -> bool:
    """Whether the safe was frozen when it was reported: then a card and its code deny nothing by themselves, as before."""
    return connection.execute(select(persons.c.frozen).where(persons.c.account == person)).scalar_one_or_none() is not None


def came_back(context: Context, connection: Connection, person: str) -> bool:
    """They are there: the report ends, in the caller's transaction. Tells whether there was one."""
    return _end(context, connection, person, CAME_BACK)


def withdrawn(context: Context, connection: Connection, person: str, reason: str) -> bool:
    """The report was not followed, by two administrators or by nobody within the year: the safe is what it was, and its person reads it."""
    return _end(context, connection, person, reason)


def _end(context: Context, connection: Connection, person: str, reason: str) -> bool:
    before = "frozen" if reason != CAME_BACK and frozen_too(connection, person) else "open"
    mourned = (accounts.c.id == person, accounts.c.state == STATE)
    if not connection.execute(update(accounts).where(*mourned).values(state=before)).rowcount:
        return False
    if before == "open":
        connection.execute(update(persons).where(persons.c.account == person).values(frozen=None))
    close_lines(context, connection, person, reason)
    audit.record(context, connection, None, Event("death.denied", by=person if reason == CAME_BACK else ""), person=person)
    notices.tell(context, connection, person, Notice("death-denied"))
    return True


def close_lines(context: Context, connection: Connection, person: str, reason: str) -> None:
    """Every report about this person is over, in whosever register, in the caller's transaction: who said what goes too."""
    ids = connection.scalars(select(rights_requests.c.id).where(*_open(person)).with_for_update()).all()
    connection.execute(delete(death_reports).where(death_reports.c.request.in_(ids)))
    over = {"state": "closed", "closed": today_in_paris(context.clock()), "reason": reason}
    connection.execute(update(rights_requests).where(rights_requests.c.id.in_(ids)).values(**over))


def reported(connection: Connection, person: str) -> bool:
    """Whether a report about this person is open in any register."""
    return connection.execute(select(rights_requests.c.id).where(*_open(person)).limit(1)).first() is not None


def _open(person: str) -> tuple[ColumnElement[bool], ...]:
    return rights_requests.c.person == person, rights_requests.c.kind == "death", rights_requests.c.state.in_(OPEN)
