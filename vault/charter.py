"""What a worker accepts before they are certified: they are told that they are traced, and what for (Labour code L1222-4).

Nobody is certified without (`vault.certifying`). When a word of it changes its version changes: the desk asks to read it again.
"""

import hashlib

from sqlalchemy import select, update

from storage.tables import workers
from vault import audit, who
from vault.context import Context
from vault.events import Event
from vault.languages import Sentences
from vault.sessions import Session

LINES = tuple(f"charter.{number}" for number in range(1, 8))


def version(sentences: Sentences) -> str:
    """The digest of the French text, whatever language it was read in: a changed word is another version."""
    french = sentences.fallback or sentences
    return hashlib.sha256("\n".join(french.plain(line) for line in LINES).encode()).hexdigest()[:8]


def accepted(context: Context, session: Session) -> str:
    """The version that this worker accepted last."""
    who.worker(session)
    with context.database.transaction(read_only=True) as connection:
        found = connection.execute(select(workers.c.charter_version).where(workers.c.account == session.account))
        return found.scalar_one() or ""


def accept(context: Context, session: Session, version: str) -> None:
    """These words were read and accepted; traced, because it is a proof."""
    who.worker(session)
    with context.database.transaction() as connection:
        row = connection.execute(select(workers.c.first_name).where(workers.c.account == session.account)).one()
        connection.execute(update(workers).where(workers.c.account == session.account).values(charter_version=version))
        event = Event("worker.charter-read", by=session.account, by_name=row.first_name, detail=version)
        audit.record(context, connection, session, event, worker=session.account)
