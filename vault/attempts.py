"""Wrong attempts, counted by what was shown, known or not: nothing tells an unknown card from a wrong code.

A wait after three, a day (or a worker in person) after five, and a fresh start after a day without trying. Every attempt is
counted and committed before anything is derived: whoever crashes the service does not take their attempt back.
"""

import datetime as dt
import math
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.tables import attempts
from vault.context import Context
from vault.errors import MustWait

DAY = dt.timedelta(hours=24)
LOCKED_AFTER = 5


def wait_after(wrong: int) -> dt.timedelta | None:
    """How long one waits after so many wrong attempts."""
    if wrong >= LOCKED_AFTER:
        return DAY
    return {3: dt.timedelta(seconds=60), 4: dt.timedelta(seconds=300)}.get(wrong)


def refuse_if_waiting(context: Context, shown: str) -> None:
    """Raise MustWait when an earlier attempt asked for a wait that is not over; looks only, counts nothing."""
    with context.database.transaction(read_only=True) as connection:
        wait_until = connection.execute(select(attempts.c.wait_until).where(attempts.c.shown_digest == shown)).scalar()
    _refuse(wait_until, context.clock())


def count(context: Context, connection: Connection, shown: str) -> int:
    """Count one more attempt, as if it were wrong, and give how many there are; its row is held. Raises MustWait."""
    now, row = context.clock(), hold(context, connection, shown)
    wrong = 1 if now - row.last >= DAY else int(row.wrong) + 1
    wait = wait_after(wrong)
    connection.execute(
        update(attempts)
        .where(attempts.c.shown_digest == shown)
        .values(wrong=wrong, wait_until=now + wait if wait else None, last=now)
    )
    return wrong


def hold(context: Context, connection: Connection, shown: str) -> Row[Any]:
    """The count of what was shown (`wrong`, `last`), its row held until the transaction ends. Raises MustWait."""
    now = context.clock()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    # One statement makes the row or finds it, and holds it: between two, a right attempt elsewhere may forget it.
    held = insert(attempts).values(shown_digest=shown, wrong=0, last=now)
    held = held.on_conflict_do_update(index_elements=["shown_digest"], set_={"wrong": attempts.c.wrong})
    row = connection.execute(held.returning(attempts.c.wrong, attempts.c.wait_until, attempts.c.last)).one()
    _refuse(row.wait_until, now)
    return row


def forget(connection: Connection, shown: str) -> None:
    """The right secret came, or a worker in person vouched: the count starts again."""
    connection.execute(delete(attempts).where(attempts.c.shown_digest == shown))


def sweep(context: Context) -> int:
    """Delete the counts older than the conditions say; a scheduled task. Gives how many."""
    before = context.clock() - dt.timedelta(days=context.settings.retention.attempts)
    with context.database.transaction() as connection:
        return connection.execute(delete(attempts).where(attempts.c.last < before)).rowcount


def _refuse(wait_until: dt.datetime | None, now: dt.datetime) -> None:
    if wait_until is not None and wait_until > now:
        raise MustWait(math.ceil((wait_until - now).total_seconds()))
