"""A recovery that waits its day: its owner reads of it at each unlock and ends it with card and code; a block holds it (ADR 0072).

A declared theft is out of reach here for as long as the old ways are barred: nothing that is done with one of them ends or delays the
recovery that the guardians confirmed. Whoever can still open reads of it like of any other (ADR 0113).
"""

import datetime as dt
from contextlib import suppress

from sqlalchemy import Connection, RowMapping, select, update

from crypto.errors import CryptoError
from crypto.unlock import Kind
from storage.tables import persons, recoveries, recovery_confirmations, slots
from vault import aftermath, audit, sessions, who
from vault.context import Context
from vault.errors import NotThere, Tampered
from vault.events import Event
from vault.sessions import Session
from vault.slots import CARD_KINDS

OWN_WAYS = (*CARD_KINDS, Kind.WORDS)


def opens(context: Context, session: Session) -> dt.datetime | None:
    """When somebody comes back to this safe with another card, if nobody says no; None when nobody waits to."""
    who.person(session)
    with context.database.transaction(read_only=True) as connection:
        return min((row["opens"] for row in _waiting(context, connection, session.account, hold=False)), default=None)


def stop(context: Context, session: Session) -> None:
    """The person, inside with card and code, ends what waits: the new card will open nothing. NotThere when nothing waits."""
    who.person(session)
    with sessions.acting(context, session) as connection:
        if not end(context, connection, session.account, session):
            raise NotThere


def end(context: Context, connection: Connection, person: str, session: Session | None) -> bool:
    """End every recovery that waits, in the caller's transaction, and the cards that were to open. Tells whether one waited."""
    rows = _waiting(context, connection, person, hold=True)
    for row in rows:
        aftermath.forget(connection, row["id"])
    if rows:
        _end_cards(context, connection, person)
        audit.record(context, connection, session, Event("recovery.stopped", by=person), person=person)
    return bool(rows)


def end_if_nobody_can(context: Context, connection: Connection, recovery: str) -> None:
    """A guardian's part counts no more: a recovery that waits and lacks a set will not open. It ends, in the caller's transaction."""
    from vault.underway import underway  # it knows circles, which end what waits

    row = connection.execute(select(recoveries).where(recoveries.c.id == recovery).with_for_update()).mappings().one()
    waits = row["state"] == "asking" and row["opens"] is not None and row["term"] > context.clock()
    if not waits:
        return
    with suppress(CryptoError, Tampered):  # a circle that does not hold brings nobody back, and keeps no account from ending
        if underway(context, connection, recovery).whole is not None:
            return
    aftermath.forget(connection, recovery)
    others = (recoveries.c.person == row["person"], recoveries.c.state == "asking", recoveries.c.opens.is_not(None))
    if connection.execute(select(recoveries.c.id).where(*others).limit(1)).first() is None:
        # They open nothing any more, and keep their check until their term: the right code reads why, and is no wrong one.
        pending = (slots.c.account == row["person"], slots.c.state == "pending")
        connection.execute(update(slots).where(*pending).values(sealed_secret=None))
    audit.record_if_sealed(context, connection, Event("recovery.stopped"), person=row["person"])


def _end_cards(context: Context, connection: Connection, person: str) -> None:
    """The cards that were to open tomorrow open nothing."""
    pending = select(slots.c.id).where(slots.c.account == person, slots.c.state == "pending")
    aftermath.end_ways(context, connection, connection.scalars(pending.with_for_update()).all())


def delay(context: Context, connection: Connection, person: str) -> None:
    """A safe was blocked: what waits opens a day after the block at the earliest, so that its owner may find their guardians.

    Once: a safe that is blocked already is not blocked again. In the caller's transaction.
    """
    frozen = connection.execute(select(persons.c.frozen).where(persons.c.account == person)).scalar_one_or_none()
    if frozen is None:
        return
    for row in _waiting(context, connection, person, hold=True):
        postpone(connection, row, frozen + aftermath.HOLD)


def postpone(connection: Connection, row: RowMapping, earliest: dt.datetime) -> None:
    """A recovery that waits opens at that moment at the earliest, and lasts as much longer, as do the cards that are to open."""
    later = earliest - row["opens"]
    if later <= dt.timedelta(0):
        return
    moved = {"opens": earliest, "term": row["term"] + later}
    connection.execute(update(recoveries).where(recoveries.c.id == row["id"]).values(**moved))
    pending = (slots.c.account == row["person"], slots.c.state == "pending", slots.c.veto_until < moved["term"])
    connection.execute(update(slots).where(*pending).values(veto_until=moved["term"]))


def _waiting(context: Context, connection: Connection, person: str, *, hold: bool) -> list[RowMapping]:
    """The recoveries of a person that wait to open; those that a guardian confirmed as a theft only once no bar lasts any more."""
    theft = select(recovery_confirmations.c.recovery).where(
        recovery_confirmations.c.recovery == recoveries.c.id, recovery_confirmations.c.theft
    )
    own = select(slots.c.id).where(slots.c.account == person, slots.c.state == "live", slots.c.kind.in_(OWN_WAYS))
    theirs = (recoveries.c.person == person, recoveries.c.state == "asking", recoveries.c.opens.is_not(None))
    query = select(recoveries).where(*theirs, recoveries.c.term > context.clock(), ~theft.exists() | own.exists())
    return list(connection.execute(query.with_for_update() if hold else query).mappings())
