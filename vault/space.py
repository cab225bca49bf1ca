"""How much room a person has: bytes of every object kept, pages of every version kept, bin and old versions included."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from storage.tables import objects, persons, versions
from vault import who
from vault.context import Context
from vault.errors import TooMuch
from vault.sessions import Session

TOLD_AT = 80  # percent


@dataclass(frozen=True)
class Space:
    """What is kept and what may be; `nearly_full` from 80 % of either."""

    bytes: int
    pages: int
    bytes_limit: int
    pages_limit: int

    @property
    def nearly_full(self) -> bool:
        """Whether the person is told."""
        return self.bytes * 100 >= self.bytes_limit * TOLD_AT or self.pages * 100 >= self.pages_limit * TOLD_AT


def of(context: Context, session: Session) -> Space:
    """The room of the person in front of the screen."""
    who.person(session)
    with context.database.transaction(read_only=True) as connection:
        query = select(persons.c.bytes_kept, persons.c.pages_kept).where(persons.c.account == session.account)
        kept, pages = connection.execute(query).one()
    return Space(kept, pages, context.settings.limits.person_bytes, context.settings.limits.person_pages)


def take(context: Context, connection: Connection, person: str, size: int, pages: int) -> None:
    """Count what is being kept; TooMuch when it does not fit, and the caller's transaction undoes the count."""
    limits = context.settings.limits
    kept, counted = connection.execute(
        update(persons)
        .where(persons.c.account == person)
        .values(bytes_kept=persons.c.bytes_kept + size, pages_kept=persons.c.pages_kept + pages)
        .returning(persons.c.bytes_kept, persons.c.pages_kept)
    ).one()
    if kept > limits.person_bytes or counted > limits.person_pages:
        raise TooMuch


def recount(connection: Connection, person: str, pages: int | None = None) -> None:
    """Count again what is really kept. Pages stand in sealed cards: without the person's keys their count waits for an unlock."""
    kept = (
        select(func.coalesce(func.sum(objects.c.size), 0))
        .join(versions, versions.c.id == objects.c.version)
        .where(versions.c.person == person)
        .scalar_subquery()
    )
    values = {"bytes_kept": kept} if pages is None else {"bytes_kept": kept, "pages_kept": pages}
    connection.execute(update(persons).where(persons.c.account == person).values(values))
