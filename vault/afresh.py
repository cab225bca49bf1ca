"""What would destroy something has all its time again once a backup was put back: nobody knows what was decided after that backup.

An erasure that was under way may have been called off, a paper taken out of the bin, a silent safe opened, somebody said to be dead
may have come back, the owner of a safe may have said no to whoever comes back to it: the rows of that day do not know it, and their terms
may lie in the past. Run again it does no more (ADR 0096).
"""

import datetime as dt

from sqlalchemy import Connection, select, update

from storage.tables import erasures, papers, persons, recoveries, slots
from vault import aftermath, deaths, erasing, recovery, waiting
from vault.context import Context
from vault.settings import today_in_paris


def begin_again(context: Context) -> int:
    """Give each of them its whole term, from now. Gives how many erasures and papers of bins there were."""
    with context.database.transaction() as connection:
        waiting = _erasures(context, connection) + _bins(context, connection)
        deaths.begin_again(connection, today_in_paris(context.clock()), context.settings.retention)
        _silences(context, connection)
        _recoveries(context, connection)
    return waiting


def _erasures(context: Context, connection: Connection) -> int:
    """The 72 hours, before a witness or not: the witness saw what was wanted that day, and it may have been carried out or not."""
    hours = dt.timedelta(hours=context.settings.retention.cooling_off_hours)
    asked = update(erasures).where(erasures.c.state == erasing.ASKED)
    return connection.execute(asked.values(due=context.clock() + hours, witness=None)).rowcount


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
        waiting.postpone(connection, row, now + recovery.FAR_WAITS)
    connection.execute(update(recoveries).where(recoveries.c.state == "done").values(term=now + aftermath.HOLD))
    for state, lasts in (("vetoing", aftermath.HOLD), ("barred", recovery.THEFT_BARS)):
        until = (slots.c.state == state, slots.c.veto_until < now + lasts)
        connection.execute(update(slots).where(*until).values(veto_until=now + lasts))
