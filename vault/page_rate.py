"""How many page images a worker may ask for in a minute: enough to work, too few to empty a safe by machine.

Counted in the database, so that it holds across processes; the counts are swept with those of attempts.
"""

import hashlib
from datetime import timedelta
from typing import ClassVar

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.tables import attempts
from vault import labels
from vault.context import Context
from vault.errors import MustWait

PAGES = 60
WINDOW = timedelta(minutes=1)


class TooFast(MustWait):
    """More pages in a minute than a person reads."""

    sentence: ClassVar[str] = "error.too-fast"


def count(context: Context, connection: Connection, worker: str) -> None:
    """Count one page in the caller's transaction; TooFast when this minute has had its share."""
    now = context.clock()
    digest = hashlib.sha256(labels.page_rate(worker=worker)).hexdigest()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(attempts).values(shown_digest=digest, wrong=0, last=now).on_conflict_do_nothing())
    row = connection.execute(select(attempts).where(attempts.c.shown_digest == digest).with_for_update()).one()
    begun, pages = (row.last, row.wrong) if now - row.last < WINDOW else (now, 0)
    if pages >= PAGES:
        raise TooFast(max(1, round((begun + WINDOW - now).total_seconds())))
    connection.execute(update(attempts).where(attempts.c.shown_digest == digest).values(wrong=pages + 1, last=begun))
