"""One page of a long history: a few entries at a time, found by month and number, so that a page never opens the whole.

The key vault tells the tag of each month; within a month the log's own numbers order the copies. What is committed and has no number
yet is numbered first: any process may do it, and whoever opens a page reads what has just happened. What cannot be numbered (somebody
wrote in the tree, and numbering stands still until it was looked at) is on the newest page, all of it: no line waits for an operator.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import or_, select

from storage import journal
from storage.errors import TileMissing
from storage.tables import entry_copies
from vault import audit, looking
from vault.audit import Entry
from vault.context import Context
from vault.sessions import Session

_CURSOR = re.compile(r"([12][0-9]{3}(?:0[1-9]|1[0-2]))-([0-9]{1,15})")


@dataclass(frozen=True)
class Cursor:
    """A place in a history: a month (202611) and a number in the log."""

    month: int
    number: int

    def __str__(self) -> str:
        return f"{self.month}-{self.number}"


@dataclass(frozen=True)
class Sheet:
    """One page, newest first. `newer`, `older`: where the pages around it begin, None at an end.

    The newest page has all that is without a number besides.
    """

    entries: tuple[Entry, ...]
    newer: Cursor | None
    older: Cursor | None


def cursor(text: str) -> Cursor | None:
    """The place that an address names; None for anything else, which is the newest page."""
    found = _CURSOR.fullmatch(text) if text.isascii() else None
    return Cursor(int(found[1]), int(found[2])) if found else None


def sheet(
    context: Context, session: Session, size: int, *, before: Cursor | None = None, after: Cursor | None = None
) -> Sheet:  # fmt: skip
    """The `size` newest entries of a session's history, or those that come just before or just after a place in it."""
    session.opened()
    looking.own(context, session, "safe.history-read" if audit.party_of(session) == audit.PERSON else "desk.acts-read")
    with suppress(TileMissing):  # somebody wrote in the tree: the count says so, and the page shows what has no number as well
        journal.number(context.database)
    way: Literal["older", "newer"] = "newer" if after else "older"
    start = after or before
    with context.database.transaction(read_only=True) as connection:
        months = audit.tags_of(context, connection, session)
        months = months[::-1] if way == "older" else months
        found: list[tuple[Cursor, str]] = []
        for month, tag in months:
            if start and ((way == "older" and month > start.month) or (way == "newer" and month < start.month)):
                continue
            place = entry_copies.c.number  # in the index behind tag and party: read from where the page begins
            query = select(entry_copies.c.entry, place).where(place.is_not(None))
            query = query.where(entry_copies.c.tag == tag, entry_copies.c.party == audit.party_of(session))
            if start and month == start.month:
                query = query.where(place < start.number if way == "older" else place > start.number)
            order = place.desc() if way == "older" else place.asc()
            rows = connection.execute(query.order_by(order).limit(size + 1 - len(found)))
            found += [(Cursor(month, row.number), row.entry) for row in rows]
            if len(found) > size:
                break
        more, found = len(found) > size, found[:size]
        found = found if way == "older" else found[::-1]
        newest_page = start is None or (way == "newer" and not more)
        wanted = [entry_copies.c.entry.in_([entry for _, entry in found])]
        wanted += [entry_copies.c.number.is_(None)] if newest_page else []
        copies = audit.copies_of(session, [tag for _, tag in months]).where(or_(*wanted))
        shown = tuple(audit.opened(context, connection, session, copies))
    if not found:
        return Sheet(shown, None, None)
    newest, oldest = found[0][0], found[-1][0]
    if way == "older":
        return Sheet(shown, newest if start else None, oldest if more else None)
    return Sheet(shown, newest if more else None, oldest)
