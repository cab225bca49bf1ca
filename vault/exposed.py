"""Versions that somebody could read and no longer may: each waits to be sealed anew, in a session that holds the person's keys.

The mark is an intention row named after the version, so that it survives a crash, is set once whatever happens twice, and goes in
the transaction of the re-encryption itself.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from storage.tables import intentions, papers, versions
from vault.context import Context
from vault.versions import VersionId

KIND = "reencrypt"


def mark(context: Context, connection: Connection, exposed: Collection[str]) -> None:
    """These versions wait to be sealed anew."""
    if not exposed:
        return
    at = context.clock()
    put = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    rows = [{"id": context.new_id(), "kind": KIND, "subject": one, "step": "", "created": at} for one in sorted(exposed)]
    connection.execute(put(intentions).on_conflict_do_nothing(), rows)


def _waiting(person: str, *columns: Any) -> Select[Any]:
    # What lies in the bin waits for its end, or for its return.
    return (
        select(*columns)
        .select_from(intentions)
        .join(versions, versions.c.id == intentions.c.subject)
        .join(papers, papers.c.id == versions.c.paper)
        .where(intentions.c.kind == KIND, versions.c.person == person, papers.c.state.not_in(("bin", "refused")))
    )


def count(connection: Connection, person: str) -> int:
    """How many versions of a person wait."""
    many: int = connection.execute(_waiting(person, func.count())).scalar_one()
    return many


def waiting(connection: Connection, person: str) -> list[VersionId]:
    """The versions of a person that wait, oldest mark first."""
    query = _waiting(person, versions.c.id).order_by(intentions.c.created, versions.c.id)
    return [VersionId(row) for row in connection.execute(query).scalars()]


def unmark(connection: Connection, gone: Collection[str]) -> None:
    """These versions are sealed anew, or erased."""
    connection.execute(delete(intentions).where(intentions.c.kind == KIND, intentions.c.subject.in_(gone)))


def forget(connection: Connection, person: str) -> None:
    """Remove every mark of a person whose safe is being erased, before its versions go."""
    theirs = select(versions.c.id).where(versions.c.person == person)
    connection.execute(delete(intentions).where(intentions.c.kind == KIND, intentions.c.subject.in_(theirs)))
