"""A frozen safe: every way in answers as an unknown one, until two of the person's means, or their guardians, say otherwise."""

import datetime as dt

from sqlalchemy import Connection, select, update

from crypto.unlock import Kind
from storage.tables import accounts, circles, persons
from vault import aftermath, audit, sessions, slots
from vault.context import Context
from vault.events import Event
from vault.sessions import Session


def freeze_person(
    context: Context, connection: Connection, person: str, *, session: Session | None, by: str = "", by_name: str = "",
    told: bool = True,
) -> None:  # fmt: skip
    """Freeze a safe and end its sessions, in the caller's transaction; a frozen one stays as it is. Narrowing needs no key.

    `told`: the worker who did it reads it in their own history too, and so that this safe was there.
    """
    open_one = (accounts.c.id == person, accounts.c.state == "open")
    if not connection.execute(update(accounts).where(*open_one).values(state="frozen")).rowcount:
        # As much work as for an open one: time does not tell that it was frozen.
        audit.rehearse(context, connection, Event("means.frozen", by=by, by_name=by_name))
        return
    connection.execute(update(persons).where(persons.c.account == person).values(frozen=context.clock()))
    sessions.end_all(context, connection, account=person)
    worker = by if told and by and by != person else None
    audit.record(context, connection, session, Event("means.frozen", by=by, by_name=by_name), person=person, worker=worker)


def thaw(context: Context, connection: Connection, person: str) -> bool:
    """Open a frozen safe again, in the caller's transaction. Tells whether it was frozen."""
    frozen = (accounts.c.id == person, accounts.c.state == "frozen")
    if not connection.execute(update(accounts).where(*frozen).values(state="open")).rowcount:
        return False
    connection.execute(update(persons).where(persons.c.account == person).values(frozen=None))
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
