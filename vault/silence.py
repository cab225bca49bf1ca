"""Safes that nobody opens: told at 12 and 24 months, erased at 36, never before (law: the table of terms; CPCE D541).

The rows know the month of the last opening and no more (ADR 0050); months count from its end, in the person's favour. Told means: a
sentence that waits for the next unlock, one at the desk of each guardian who is a worker, without any name, and the office's list, months
and counts alone. At the term the ordinary erasure begins, with its 72 hours in which the card still says no, and ends in a certificate. It
never begins before a year has passed since the last telling: work that had stood still does not tell and erase in one night.
Whatever waits for somebody (a freeze, a recovery, a request) keeps it from beginning.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, update

from consent.days import add_months
from storage.tables import accounts, circle_members, circles, persons, recoveries, rights_requests
from vault import administrators, audit, erasure, notices
from vault.aftermath import AfterRecovery
from vault.context import Context
from vault.errors import Conflict
from vault.events import Event
from vault.notices import Notice
from vault.one_by_one import each
from vault.register import OPEN_STATES
from vault.restricting import Restricted
from vault.sessions import Session
from vault.settings import Retention, today_in_paris


@dataclass(frozen=True)
class Silent:
    """Safes last opened in the same month, for the office: how many, how often told, when they are erased."""

    month: dt.date
    safes: int
    told: int
    erased: dt.date


def silent_since(today: dt.date, months: int) -> dt.date:
    """The latest month of a last opening that is over for so many months today, as its first day."""
    return add_months(today.replace(day=1), -months - 1)


def erased_on(month: dt.date, retention: Retention, told_on: dt.date) -> dt.date:
    """When a safe last opened in that month is erased, if it was or will be told for the last time on `told_on`."""
    by_telling = add_months(told_on, _notice(retention))
    if by_telling.day != told_on.day:  # told on a 29 February: that day is over on the first of March
        by_telling += dt.timedelta(days=1)
    return max(add_months(month, retention.silent_months + 1), by_telling)


def silent_at(month: dt.date, retention: Retention) -> dt.date:
    """When a safe last opened in that month is told for the last time."""
    return add_months(month, max(retention.silent_told_months) + 1)


def _notice(retention: Retention) -> int:
    """How many months lie between the last time a silence is told and its end."""
    return retention.silent_months - max(retention.silent_told_months)


def tell(context: Context) -> int:
    """Tell those whose silence has reached its next mark; a scheduled task, one commit each. Gives how many."""
    retention, today = context.settings.retention, today_in_paris(context.clock())
    done = 0
    for told, months in enumerate(retention.silent_told_months, 1):
        due = (persons.c.last_month <= silent_since(today, months), persons.c.silence_told < told)
        with context.database.transaction(read_only=True) as connection:
            waiting = list(connection.scalars(_open_ones(*due)))
        left = retention.silent_months - months
        act = partial(_tell_one, context, due=due, told=told, left=left, today=today)
        done += each("silence told", waiting, act)
    return done


def _tell_one(context: Context, person: str, *, due: Sequence[ColumnElement[bool]], told: int, left: int, today: dt.date) -> bool:
    with context.database.transaction() as connection:
        same = update(persons).where(persons.c.account == person, *due).values(silence_told=told, silence_told_on=today)
        if not connection.execute(same).rowcount:
            return False  # opened since we looked
        _tell(context, connection, person, first=told == 1, left=left)
    return True


def _tell(context: Context, connection: Connection, person: str, *, first: bool, left: int) -> None:
    if first:  # one sentence waits for them: a second one would say the same
        months = str(context.settings.retention.silent_months)
        notices.tell(context, connection, person, Notice("silent", {"months": months}))
    audit.record(context, connection, None, Event("safe.silence-told"), person=person)
    query = select(circle_members.c.worker).join(circles).where(circles.c.person == person, circles.c.state == "living")
    for worker in connection.scalars(query.where(circle_members.c.worker.is_not(None))).all():
        if context.keyvault.exists("person", worker):
            notices.tell(context, connection, worker, Notice("ward-silent", {"left": str(left)}))


def end(context: Context) -> int:
    """Begin the erasure of safes whose 36 months are over; a scheduled task, one commit each. Gives how many."""
    retention, today = context.settings.retention, today_in_paris(context.clock())
    under_way = recoveries.c.state.in_(("asking", "confirmed"))
    due = (
        persons.c.last_month <= silent_since(today, retention.silent_months),
        persons.c.silence_told >= len(retention.silent_told_months),  # never without having been told before
        persons.c.silence_told_on <= add_months(today, -_notice(retention)),  # and long enough before, to the day
        persons.c.frozen.is_(None),
        persons.c.account.not_in(select(recoveries.c.person).where(recoveries.c.person.is_not(None), under_way)),
        persons.c.account.not_in(
            select(rights_requests.c.person).where(
                rights_requests.c.person.is_not(None), rights_requests.c.state.in_(OPEN_STATES)
            )
        ),
    )
    with context.database.transaction(read_only=True) as connection:
        waiting = list(connection.scalars(_open_ones(*due)))
    return each("silence ended", waiting, partial(_end_one, context, due=due))


def _end_one(context: Context, person: str, *, due: Sequence[ColumnElement[bool]]) -> bool:
    with context.database.transaction() as connection:
        if connection.scalars(_open_ones(persons.c.account == person, *due)).first() is None:
            return False  # opened since we looked
        try:
            erasure.begin(context, connection, person, session=None)
        except (Conflict, AfterRecovery, Restricted):
            return False
    return True


def _open_ones(*wanted: ColumnElement[bool]) -> Select[Any]:
    alive = select(persons.c.account).join(accounts, accounts.c.id == persons.c.account).where(accounts.c.state == "open")
    return alive.where(*wanted).order_by(persons.c.account)


def list_silent(context: Context, session: Session) -> list[Silent]:
    """What the office reads: by month of the last opening, oldest first; no name, no number, no operator."""
    retention, today = context.settings.retention, today_in_paris(context.clock())
    first = silent_since(today, min(retention.silent_told_months))
    with context.database.transaction(read_only=True) as connection:
        administrators.operator_of(connection, session)
        query = (
            select(persons.c.last_month, func.count(), func.min(persons.c.silence_told), func.max(persons.c.silence_told_on))
            .join(accounts, accounts.c.id == persons.c.account)
            .where(accounts.c.state == "open", persons.c.last_month <= first)
            .group_by(persons.c.last_month)
            .order_by(persons.c.last_month)
        )
        rows = connection.execute(query).all()
    last = len(retention.silent_told_months)
    return [
        Silent(
            month,
            safes,
            told,
            erased_on(month, retention, on if on and told == last else max(today, silent_at(month, retention))),
        )
        for month, safes, told, on in rows
    ]
