"""What only looks (a list, a count, the history itself) says so too, once in each session and for each thing looked at.

A page that lists is asked for many times in one opening; an entry for each would bury what matters and make a write of each reading
(ADR 0047). The id of the entry is derived from the session's key: whether it was said is one look at the primary key, nothing has to be
remembered, and nobody without the session can tell such an entry from another.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Connection

from crypto.keys import kdf
from storage import journal
from storage.database import serialise
from vault import audit, labels
from vault.context import Context
from vault.events import Event
from vault.places import place_of
from vault.sessions import Session
from vault.versions import meet


@dataclass(frozen=True)
class Look:
    """A look that this session has not said yet: the id that its entry will have."""

    entry: str
    tag: str
    about: str


def new(connection: Connection, session: Session, tag: str, about: Iterable[str] = ("",)) -> list[Look]:
    """Those of these looks that the session has not said yet; asked in the transaction that reads what is looked at."""
    looks = [Look(_entry(session, tag, one), tag, one) for one in about]
    said = journal.known(connection, [one.entry for one in looks])
    return [one for one in looks if one.entry not in said]


def _entry(session: Session, tag: str, about: str) -> str:
    derived = kdf(session.key, labels.looked(session=session.id, tag=tag, about=about), 16)
    return str(UUID(bytes=derived, version=4))


def say_own(context: Context, session: Session, looks: list[Look]) -> None:
    """The session looked at what is its account's own: one entry, committed before anything is shown."""
    for look in looks:
        with context.database.transaction() as connection:
            event = Event(look.tag, by=session.account, place=place_of(connection, session.kiosk))
            whose = audit.party_of(session)
            person, worker = (session.account, None) if whose == audit.PERSON else (None, session.account)
            _say(context, connection, session, look, event, person=person, worker=worker)


def own(context: Context, session: Session, tag: str) -> None:
    """The same where nothing was read before."""
    with context.database.transaction(read_only=True) as connection:
        looks = new(connection, session, tag)
    say_own(context, session, looks)


def say_page(context: Context, session: Session, event: Event, version: str, page: int) -> None:
    """A page of one's own paper was opened. Turning pages is one opening: each first page is said, and another page when this session
    has said nothing yet of that version, so that nobody reads a back side unseen."""
    entry = _entry(session, event.tag, version)
    if page > 1:
        with context.database.transaction(read_only=True) as connection:
            if journal.known(connection, [entry]):
                return
    with context.database.transaction() as connection:
        serialise(connection, f"abri looked {entry}")
        said = bool(journal.known(connection, [entry]))
        meet(connection, session.account, [event.paper])
        if page == 1 or not said:
            event = replace(event, place=place_of(connection, session.kiosk))
            audit.record(context, connection, session, event, person=session.account, entry=None if said else entry)


def say_shared(context: Context, session: Session, look: Look, event: Event, person: str) -> None:
    """A worker looked at the list of what somebody shows: an entry for both."""
    with context.database.transaction() as connection:
        _say(context, connection, session, look, event, person=person, worker=session.account)


def _say(
    context: Context, connection: Connection, session: Session, look: Look, event: Event, *, person: str | None, worker: str | None
) -> None:  # fmt: skip
    serialise(connection, f"abri looked {look.entry}")  # two pages asked for at once say it once
    if not journal.known(connection, [look.entry]):
        audit.record(context, connection, session, event, person=person, worker=worker, entry=look.entry)
