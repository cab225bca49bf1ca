"""A frozen safe: every way in answers as an unknown one, until two of the person's means, or their guardians, say otherwise."""

import datetime as dt

from sqlalchemy import Connection, delete, select, update

from crypto.unlock import Kind
from storage.tables import accounts, circles, persons, rights_requests, tickets
from vault import aftermath, audit, sessions, slots
from vault.context import Context
from vault.events import Event
from vault.sessions import Session

UNDER = ("mourned", "leaving")  # what a safe may be going through and be frozen all the same


def freeze_person(
    context: Context, connection: Connection, person: str, *, session: Session | None, by: str = "", by_name: str = "",
    told: bool = True,
) -> bool:  # fmt: skip
    """Freeze a safe, end its sessions and its one-time links, in the caller's transaction. Narrowing needs no key.

    A safe that is being erased, or whose person is said to be dead, keeps that state and is frozen under it: whatever brings it back
    gives back a frozen one. One that is frozen already stays as it is: tells whether this froze it. `told`: the worker who did it
    reads it in their own history too, and so that this safe was there.
    """
    held = select(accounts.c.state).where(accounts.c.id == person).with_for_update()
    state = connection.execute(held).scalar_one_or_none()
    thawed = (persons.c.account == person, persons.c.frozen.is_(None))
    may = state in ("open", *UNDER)
    if not may or not connection.execute(update(persons).where(*thawed).values(frozen=context.clock())).rowcount:
        if by:  # somebody asks for what a judge has done already: then it outlives the judge's order
            orders = (rights_requests.c.person == person, rights_requests.c.froze, rights_requests.c.state == "carrying-out")
            connection.execute(update(rights_requests).where(*orders).values(froze=False))
        # As much work as for an open one: time does not tell that it was frozen.
        audit.rehearse(context, connection, Event("means.frozen", by=by, by_name=by_name))
        return False
    if state == "open":
        connection.execute(update(accounts).where(accounts.c.id == person).values(state="frozen"))
    sessions.end_all(context, connection, account=person)
    end_links(connection, person)
    worker = by if told and by and by != person else None
    audit.record(context, connection, session, Event("means.frozen", by=by, by_name=by_name), person=person, worker=worker)
    return True


def end_links(connection: Connection, person: str) -> None:
    """No one-time link of this person gives anything any more, in the caller's transaction, nor goes on where it was cut."""
    connection.execute(delete(tickets).where(tickets.c.person == person))


def thaw(context: Context, connection: Connection, person: str) -> bool:
    """Open a frozen safe again, in the caller's transaction; one frozen under another state keeps that. Tells whether it was frozen."""
    known = select(accounts.c.state).where(accounts.c.id == person).with_for_update()
    state = connection.execute(known).scalar_one_or_none()
    if state not in ("frozen", *UNDER):
        return False
    frozen = (persons.c.account == person, persons.c.frozen.is_not(None))
    if not connection.execute(update(persons).where(*frozen).values(frozen=None)).rowcount:
        return False
    if state == "frozen":
        connection.execute(update(accounts).where(accounts.c.id == person).values(state="open"))
    audit.record(context, connection, None, Event("means.unfrozen", by=person), person=person)
    return True


def thaws_alone(context: Context, connection: Connection, person: str) -> bool:
    """Whether card and code alone may open a frozen safe again: three days later, when the person has no other way back.

    Without this, whoever has neither words nor guardians and touches "Tout bloquer" once would lose their papers for ever. Who
    has another way back uses it: then a thief with card and code never comes back by waiting.
    """
    since: dt.datetime | None = connection.execute(
        select(persons.c.frozen).where(persons.c.account == person)
    ).scalar_one_or_none()
    if since is None or context.clock() < since + dt.timedelta(hours=context.settings.retention.cooling_off_hours):
        return False
    circle = select(circles.c.id).where(circles.c.person == person, circles.c.state == "living").limit(1)
    has_circle = connection.execute(circle).first() is not None and slots.living(connection, person, [Kind.RECOVERY])
    return not (has_circle or slots.living(connection, person, [Kind.WORDS]) or aftermath.stopped(connection, person))
