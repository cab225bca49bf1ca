"""Maintenance that touched stored data is told to each person, in their own history, without a session (CPCE R55-4 3°).

Whoever changes the form of what is stored, brings back a backup, rotates the service's keys or repairs something calls this, once:
`abri migrate` does it by itself, `abri told` is for what is done by hand.
"""

from collections.abc import Iterator

import structlog
from sqlalchemy import select

from crypto.errors import CryptoError
from storage.errors import RowGone
from storage.tables import accounts
from vault import audit, notices
from vault.context import Context
from vault.errors import BadInput, Tampered
from vault.events import Event
from vault.notices import Notice

log = structlog.get_logger()

DONE = ("maintenance.migrated", "maintenance.restored", "maintenance.rotated", "maintenance.repaired", "maintenance.scrubbed")
NOBODY_TO_TELL = ("half-made", "erasing", "ended")
BATCH = 200  # persons in one transaction


def tell_everyone(context: Context, tag: str, detail: str = "", notice: Notice | None = None) -> int:
    """Write one entry into each person's history; gives how many. `detail`: what was done, without any name. `notice`: a sentence
    that waits for their next unlock, too.

    Safe to interrupt: each batch is whole, and said again it is one more line, never one less.
    """
    if tag not in DONE:
        raise BadInput("tag")
    told = untold = 0
    for some in _persons(context):
        with context.database.transaction() as connection:
            for person in some:
                try:
                    with connection.begin_nested():
                        audit.record(context, connection, None, Event(tag, detail=detail), person=person)
                        if notice:
                            notices.tell_if_told(context, connection, person, notice)
                except RowGone:
                    continue  # erased in between
                except (CryptoError, Tampered):
                    untold += 1  # their row is damaged: that keeps nobody else from being told, and nothing from starting
                    continue
                told += 1
    if untold:
        log.error("some people could not be told: their keys do not hold", people=untold)
    return told


def _persons(context: Context) -> Iterator[list[str]]:
    query = (
        select(accounts.c.id).where(accounts.c.kind == "person", accounts.c.state.not_in(NOBODY_TO_TELL)).order_by(accounts.c.id)
    )
    after = ""
    while True:
        with context.database.transaction(read_only=True) as connection:
            some = list(connection.scalars(query.where(accounts.c.id > after).limit(BATCH)))
        if not some:
            return
        yield some
        after = some[-1]
