"""What would destroy something has all its time again once a backup was put back: nobody knows what was decided after that backup.

An erasure that was under way may have been called off (it was, when its time was over long before the loss), a paper taken out of the
bin, a silent safe opened, somebody said to be dead may have come back, the owner of a safe may have said no to whoever comes back to it:
the rows of that day do not know it, and their terms may lie in the past. Run again it does no more (ADR 0096).
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from storage.tables import erasures, papers, persons, recoveries, slots
from vault import aftermath, deaths, erasing, erasure, postponing, recovery, waiting
from vault.context import Context
from vault.settings import today_in_paris

AGAIN = dt.timedelta(days=7)  # a card that answers nothing is brought to a desk within days, not within 72 hours


@dataclass(frozen=True)
class Anew:
    """Erasures and papers of bins that have a whole term again; erasures that were cancelled."""

    terms: int
    cancelled: int


def begin_again(context: Context, alive: dt.date | None = None) -> Anew:
    """Give each of them its whole term, from now. `alive`: a day on which the service was still at work, by its newest tombstone."""
    with context.database.transaction() as connection:
        cancelled = _called_off(context, connection, alive) if alive else 0
        anew = Anew(_erasures(context, connection) + _bins(context, connection), cancelled)
        deaths.begin_again(connection, today_in_paris(context.clock()), context.settings.retention)
        _silences(context, connection)
        _recoveries(context, connection)
    return anew


def _called_off(context: Context, connection: Connection, alive: dt.date) -> int:
    """Those whose time was over on a day on which the service went on, and whose keys have no tombstone, were called off or held back
    by something that is lost: they are cancelled. What holds one back still is left to hold it."""
    asked = select(erasures).where(erasures.c.state == erasing.ASKED, erasures.c.person.is_not(None))
    over = [
        row["person"]
        for row in connection.execute(asked.with_for_update()).mappings().all()
        if today_in_paris(row["due"]) < alive and not postponing.waits(context, connection, row)
    ]
    return sum(erasure.cancel_all(context, connection, person, by="") for person in over)


def _erasures(context: Context, connection: Connection) -> int:
    """A week, before a witness or not: the witness saw what was wanted that day, and it may have been carried out or not."""
    asked = update(erasures).where(erasures.c.state == erasing.ASKED)
    return connection.execute(asked.values(due=context.clock() + AGAIN, witness=None)).rowcount


def _bins(context: Context, connection: Connection) -> int:
    days = dt.timedelta(days=context.settings.retention.bin)
    return connection.execute(update(papers).where(papers.c.state == "bin").values(bin_until=context.clock() + days)).rowcount


def _silences(context: Context, connection: Connection) -> None:
    """Silence is told once more, and ends a year after that at the earliest."""
    last = len(context.settings.retention.silent_told_months)
    connection.execute(update(persons).where(persons.c.silence_told >= last).values(silence_told=last - 1, silence_told_on=None))


def _recoveries(context: Context, connection: Connection) -> None:
    """Who comes back waits a whole day, in which the owner may say no; so does the say of an old card after that. What a theft bars
    stays barred for its three days: whoever said so before the backup had none of them while nothing ran."""
    now = context.clock()
    waits = (recoveries.c.state == "asking", recoveries.c.opens.is_not(None), recoveries.c.term > now)
    for row in connection.execute(select(recoveries).where(*waits)).mappings().all():
        coming = select(slots.c.id).where(slots.c.account == row["person"], slots.c.state == "pending")
        if connection.execute(coming.limit(1)).first() is None:
            aftermath.forget(connection, row["id"])  # its card died since: it had been stopped, and nobody comes with it
        else:
            waiting.postpone(connection, row, now + recovery.FAR_WAITS)
    connection.execute(update(recoveries).where(recoveries.c.state == "done").values(term=now + aftermath.HOLD))
    for state, lasts in (("vetoing", aftermath.HOLD), ("barred", recovery.THEFT_BARS)):
        until = (slots.c.state == state, slots.c.veto_until < now + lasts)
        connection.execute(update(slots).where(*until).values(veto_until=now + lasts))
