"""A destruction that goes through several stores is written down first, so that it is finished whatever happens.

The order is fixed: the intention commits, then the key vault destroys its rows, then rows and blobs go, then the intention
ends in the transaction of its last step. Every step may run twice; after a crash `pending` says where to take it up.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from storage.database import insert_once
from storage.tables import intentions


@dataclass(frozen=True)
class Intention:
    """What was begun: `kind` of destruction, `subject` id, the last `step` reached (empty at first), `created` in UTC."""

    id: str
    kind: str
    subject: str
    step: str
    created: datetime


def declare(connection: Connection, *, intention: str, kind: str, subject: str, at: datetime) -> Intention:
    """Write the intention down, or find the one already written for this kind and subject."""
    insert_once(connection, intentions, {"id": intention, "kind": kind, "subject": subject, "step": "", "created": at})
    where = (intentions.c.kind == kind, intentions.c.subject == subject)
    return Intention(**connection.execute(select(intentions).where(*where)).mappings().one())


def find(connection: Connection, kind: str, subject: str) -> Intention | None:
    """What was begun for this subject and not finished, or None."""
    where = (intentions.c.kind == kind, intentions.c.subject == subject)
    row = connection.execute(select(intentions).where(*where)).mappings().one_or_none()
    return None if row is None else Intention(**row)


def advance(connection: Connection, intention: str, step: str) -> None:
    """Say that a step is done."""
    connection.execute(update(intentions).where(intentions.c.id == intention).values(step=step))


def finish(connection: Connection, intention: str) -> None:
    """Say that nothing remains to be done; safe to repeat."""
    connection.execute(delete(intentions).where(intentions.c.id == intention))


def pending(connection: Connection, kind: str | None = None) -> list[Intention]:
    """Tell what was begun and not finished, oldest first."""
    query = select(intentions).order_by(intentions.c.created, intentions.c.id)
    if kind is not None:
        query = query.where(intentions.c.kind == kind)
    return [Intention(**row) for row in connection.execute(query).mappings()]
