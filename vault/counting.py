"""Counters of the yearly figures that move where something happens: an operator, a year, a word, a number; never who (ADR 0051)."""

import datetime as dt
from typing import Literal

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.tables import accounts, figures, kiosks, persons, structures
from vault.context import Context
from vault.settings import today_in_paris

What = Literal["offered", "opened", "returned", "papers", "shares", "recoveries"]
RETURNS_AFTER = dt.timedelta(days=30)


def count(context: Context, connection: Connection, kiosk: str | None, what: What) -> None:
    """One more, this year, for the operator of a kiosk; nothing when it happened at none. In the caller's transaction."""
    query = select(structures.c.operator).join(kiosks, kiosks.c.structure == structures.c.id).where(kiosks.c.id == kiosk)
    operator = connection.execute(query).scalar_one_or_none() if kiosk else None
    if operator is not None:
        one = put(connection).values(operator=operator, year=today_in_paris(context.clock()).year, what=what, count=1)
        more = {"count": figures.c.count + 1}
        connection.execute(one.on_conflict_do_update(index_elements=["operator", "year", "what"], set_=more))


def count_return(context: Context, connection: Connection, person: str, kiosk: str | None) -> None:
    """A safe that is opened again more than 30 days after its first day: once in its life."""
    before = today_in_paris(context.clock()) - RETURNS_AFTER
    older = select(accounts.c.id).where(accounts.c.id == person, accounts.c.created < before)
    first = update(persons).where(persons.c.account.in_(older), persons.c.returned.is_(False)).values(returned=True)
    if connection.execute(first).rowcount:
        count(context, connection, kiosk, "returned")


def put(connection: Connection) -> "postgresql.Insert | sqlite.Insert":
    """An insertion that may find the counter there."""
    return postgresql.insert(figures) if connection.dialect.name == "postgresql" else sqlite.insert(figures)
