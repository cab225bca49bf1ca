"""Closing the service (CPCE D541): announced three months before at least, then a year in which everybody can take everything back.

An announcement is kept, told to each person at their next opening, and printed for the walls: many have no e-mail and no telephone.
From the day on no safe is opened anew and nothing is put in; unlocking, taking away and erasing go on. Nothing is ever erased here.
"""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar, Literal

from sqlalchemy import insert, select

from consent.days import add_months
from storage.tables import accounts, closings
from vault import notices
from vault.context import Context
from vault.errors import AbriError, BadInput, Conflict
from vault.notices import Notice
from vault.settings import Retention, today_in_paris

State = Literal["open", "announced", "retrieval", "over"]


class Closing(AbriError):
    """The service takes nothing in any more; what is in it can still be taken away."""

    sentence: ClassVar[str] = "error.closing"


@dataclass(frozen=True)
class Announced:
    """What was announced: the day on which the service closes, and until when everything can be taken back."""

    announced: dt.date
    closes: dt.date
    until: dt.date


def earliest(today: dt.date, retention: Retention) -> dt.date:
    """The first day that may be announced."""
    return add_months(today, retention.notice_months)


def earliest_words(context: Context) -> str:
    """Why a day was refused, for a terminal."""
    retention, today = context.settings.retention, today_in_paris(context.clock())
    return f"The law asks for {retention.notice_months} months' notice: {earliest(today, retention)} at the earliest."


def announce(context: Context, closes: dt.date) -> Announced:
    """Announce the day. BadInput("on") when it is too soon, Conflict when another day was announced: that is not taken back in silence."""
    retention, today = context.settings.retention, today_in_paris(context.clock())
    if closes < earliest(today, retention):
        raise BadInput("on")
    until = add_months(closes, retention.retrieval_months)
    with context.database.transaction() as connection:
        if connection.execute(select(closings.c.id)).first():
            raise Conflict
        connection.execute(insert(closings).values(id=context.new_id(), announced=today, closes=closes, until=until))
        people = connection.scalars(select(accounts.c.id).where(accounts.c.kind == "person", accounts.c.state == "open")).all()
    told = Notice("service-closes", {"day": closes.isoformat(), "until": until.isoformat()})
    for person in people:
        with context.database.transaction() as connection:
            if connection.execute(select(accounts.c.id).where(accounts.c.id == person)).first():
                notices.tell(context, connection, person, told)
    return Announced(today, closes, until)


def announced(context: Context) -> Announced | None:
    """What was announced, if anything was."""
    with context.database.transaction(read_only=True) as connection:
        row = connection.execute(select(closings)).one_or_none()
    return Announced(row.announced, row.closes, row.until) if row else None


def state(context: Context) -> State:
    """Where the service stands today."""
    found, today = announced(context), today_in_paris(context.clock())
    if found is None:
        return "open"
    return "announced" if today < found.closes else "retrieval" if today < found.until else "over"


def refuse_new(context: Context) -> None:
    """Raise Closing from the day on: nobody begins what will not last."""
    if state(context) in ("retrieval", "over"):
        raise Closing
