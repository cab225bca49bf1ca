"""Restriction (GDPR 18), or a judge who wants everything kept: meanwhile nothing is erased and nobody else is shown anything.

The person's own pages open as before: keeping and reading are what a restriction leaves. Shares and links stay and open nothing;
the bin is not emptied; an erasure is refused, with the reason on the page.
"""

from typing import ClassVar

from sqlalchemy import Connection, select, update

from storage.tables import persons, rights_requests
from vault import audit, notices, sessions, unlocking, who
from vault.context import Context
from vault.errors import AbriError, Conflict
from vault.events import Event
from vault.notices import Notice
from vault.sessions import Session
from vault.settings import today_in_paris


class Restricted(AbriError):
    """This safe is restricted: nothing of it is erased or shared meanwhile."""

    sentence: ClassVar[str] = "error.restricted"


def is_restricted(connection: Connection, person: str) -> bool:
    """Whether nothing of this safe may be erased or shared now."""
    return connection.execute(select(persons.c.restricted).where(persons.c.account == person)).scalar_one_or_none() is not None


def refuse(connection: Connection, person: str) -> None:
    """Raise Restricted, in the caller's transaction."""
    if is_restricted(connection, person):
        raise Restricted


def refuse_early(context: Context, session: Session) -> None:
    """Raise Restricted before the first of several questions, whose answers could not be carried out."""
    with context.database.transaction(read_only=True) as connection:
        refuse(connection, session.account)


def begin(context: Context, connection: Connection, person: str) -> None:
    """Restrict a safe, in the caller's transaction; its person reads it at once and at each opening."""
    connection.execute(update(persons).where(persons.c.account == person).values(restricted=context.clock()))
    audit.record(context, connection, None, Event("rights.restricted"), person=person)
    notices.tell(context, connection, person, Notice("restricted"))


def end(context: Context, connection: Connection, person: str, *, by: str = "") -> None:
    """Lift it, in the caller's transaction: the person reads it before anything is erased or shared again (18(3))."""
    held = (persons.c.account == person, persons.c.restricted.is_not(None))
    if connection.execute(update(persons).where(*held).values(restricted=None)).rowcount:
        audit.record(context, connection, None, Event("rights.unrestricted", by=by), person=person)
        notices.tell(context, connection, person, Notice("unrestricted"))


def state(context: Context, session: Session) -> str:
    """What the person reads: "" (nothing), "asked" (they asked for it and may lift it), "ordered" (a judge did)."""
    with context.database.transaction(read_only=True) as connection:
        if not is_restricted(connection, session.account):
            return ""
        return "ordered" if held(connection, session.account, by_a_judge=True) else "asked"


def held(connection: Connection, person: str, *, by_a_judge: bool = False) -> bool:
    """Whether a line of the register keeps this safe restricted now: the person's own request, or a judge's order (alone)."""
    of = rights_requests.c
    order = (of.kind == "court-order") & (of.decided == "keep")
    wanted = order if by_a_judge else order | (of.kind == "restriction")
    lines = select(of.id).where(of.person == person, of.state == "carrying-out", wanted).limit(1)
    return connection.execute(lines).first() is not None


def lift(context: Context, session: Session, chosen: unlocking.Chosen) -> None:
    """The person who asked for it has had enough; the code is asked again. Conflict when a judge ordered it, or nothing is held."""
    who.person(session)
    unlocking.confirm(context, session, chosen)
    with sessions.acting(context, session) as connection:
        person = session.account
        if not is_restricted(connection, person) or held(connection, person, by_a_judge=True):
            raise Conflict
        end(context, connection, person, by=person)
        asked = (rights_requests.c.person == person, rights_requests.c.kind == "restriction")
        over = {"state": "closed", "closed": today_in_paris(context.clock()), "reason": LIFTED}
        connection.execute(update(rights_requests).where(*asked, rights_requests.c.state == "carrying-out").values(**over))


LIFTED = "lifted"
