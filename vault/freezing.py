"""A frozen safe: every way in answers as an unknown one, until two of the person's means, or their guardians, say otherwise."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, delete, select, update

from consent.days import PARIS, paris_day
from consent.recipients import RecipientState
from crypto.errors import Malformed
from crypto.statements import CircleFormed
from crypto.unlock import Kind
from storage.tables import accounts, circle_members, circles, persons, rights_requests, tickets, workers
from storage.tables import slots as ways
from vault import aftermath, audit, sessions, slots
from vault.context import Context
from vault.events import Event
from vault.sessions import Session

UNDER = ("mourned", "leaving")  # what a safe may be going through and be frozen all the same
UNSURE_WAITS = dt.timedelta(days=30)
LONG_AGO = dt.datetime(1, 1, 2, tzinfo=dt.UTC)  # before any block


def freeze_person(
    context: Context, connection: Connection, person: str, *, session: Session | None, by: str = "", by_name: str = "",
    told: bool = True,
) -> bool:  # fmt: skip
    """Freeze a safe, end its sessions and its one-time links, in the caller's transaction. Narrowing needs no key.

    A safe that is being erased, or whose person is said to be dead, keeps that state and is frozen under it: whatever brings it back
    gives back a frozen one. One that is frozen already stays as it is: tells whether this froze it. `told`: the worker who did it
    reads it in their own history too, and so that this safe was there.
    """
    held = select(accounts.c.state).where(accounts.c.id == person).with_for_update()
    state = connection.execute(held).scalar_one_or_none()
    thawed = (persons.c.account == person, persons.c.frozen.is_(None))
    may = state in ("open", *UNDER)
    if not may or not connection.execute(update(persons).where(*thawed).values(frozen=context.clock())).rowcount:
        if by:  # somebody asks for what a judge has done already: then it outlives the judge's order
            orders = (rights_requests.c.person == person, rights_requests.c.froze, rights_requests.c.state == "carrying-out")
            connection.execute(update(rights_requests).where(*orders).values(froze=False))
        # As much work as for an open one: time does not tell that it was frozen.
        audit.rehearse(context, connection, Event("means.frozen", by=by, by_name=by_name))
        return False
    if state == "open":
        connection.execute(update(accounts).where(accounts.c.id == person).values(state="frozen"))
    worker = by if told and by and by != person else None
    audit.record(context, connection, session, Event("means.frozen", by=by, by_name=by_name), person=person, worker=worker)
    sessions.end_all(context, connection, account=person)
    end_links(connection, person)
    return True


def frozen_since(connection: Connection, person: str, before: dt.datetime | None) -> bool:
    """Whether the safe was blocked after a secret began to be tried (`before`: since when it was blocked then, or None).

    The account's row is held: a block comes before what follows, or after it and ends the session.
    """
    connection.execute(select(accounts.c.id).where(accounts.c.id == person).with_for_update())
    query = select(persons.c.frozen).where(persons.c.account == person)
    now: dt.datetime | None = connection.execute(query).scalar_one_or_none()
    return now is not None and now != before


def end_links(connection: Connection, person: str) -> None:
    """No one-time link of this person gives anything any more, in the caller's transaction, nor goes on where it was cut."""
    connection.execute(delete(tickets).where(tickets.c.person == person))


def thaw(context: Context, connection: Connection, person: str) -> bool:
    """Open a frozen safe again, in the caller's transaction; one frozen under another state keeps that. Tells whether it was frozen."""
    known = select(accounts.c.state).where(accounts.c.id == person).with_for_update()
    state = connection.execute(known).scalar_one_or_none()
    if state not in ("frozen", *UNDER):
        return False
    frozen = (persons.c.account == person, persons.c.frozen.is_not(None))
    if not connection.execute(update(persons).where(*frozen).values(frozen=None)).rowcount:
        return False
    if state == "frozen":
        connection.execute(update(accounts).where(accounts.c.id == person).values(state="open"))
    audit.record(context, connection, None, Event("means.unfrozen", by=person), person=person)
    return True


def thaws_alone(context: Context, connection: Connection, person: str) -> bool:
    """Whether one of the person's own means, card and code first of all, may open a frozen safe by itself now (ADR 7)."""
    query = select(persons.c.frozen).where(persons.c.account == person)
    since: dt.datetime | None = connection.execute(query).scalar_one_or_none()
    alone = _alone_from(context, connection, person, since) if since is not None else None
    return alone is not None and context.clock() >= alone


def alone_after(context: Context, connection: Connection, person: str) -> dt.timedelta | None:
    """How long after a block of this moment one of the person's means would open by itself; None: never, others open then."""
    now = context.clock()
    alone = _alone_from(context, connection, person, now)
    return None if alone is None else alone - now


def _alone_from(context: Context, connection: Connection, person: str, blocked: dt.datetime) -> dt.datetime | None:
    """From when on one of the person's means opens a safe that was blocked then; None: never, as things stand.

    Never while guardians who are at work can bring them back: a thief with card and code gains nothing by waiting. After thirty days
    when the other way may be gone without the service knowing: five words on a slip, a printed sheet, a guardian who is away. After
    three days when there is none. Without an end, whoever lost the slip and touched "Tout bloquer" once would lose their papers.
    These days begin with the block, or with the departure or the absence that came later: they are there to find help in (ADR 102).
    """
    if aftermath.stopped(connection, person):
        return None
    sets = _sets(connection, person)
    at_work = [one.at_work_until for one in sets]
    if None in at_work:
        return None
    month = max([blocked, *filter(None, at_work)]) + UNSURE_WAITS
    there = [one.there_until for one in sets]
    if None in there or slots.living(connection, person, [Kind.WORDS], hold=False):
        return month
    hours = dt.timedelta(hours=context.settings.retention.cooling_off_hours)
    return min(month, max([blocked, *filter(None, there)]) + hours)


Way = Literal["guardians", "month", "words", "days", "any"]


def opens_again(context: Context, session: Session) -> Way:
    """What the page that blocks may promise: guardians; words or guardians, else a month; three days. For a card alone, all of it.

    Whoever came in by words may have lost the card, without which the words open nothing before the month is over: "words". Whoever
    only shows a card reads what is true of every safe: the page tells nothing of this one, nor whether there is one.
    """
    if session.kind != "person":
        return "any"
    with context.database.transaction(read_only=True) as connection:
        after = alone_after(context, connection, session.account)
        if after is None:
            return "guardians"
        came = connection.execute(select(ways.c.kind).where(ways.c.id == session.slot)).scalar_one_or_none()
    if after == UNSURE_WAITS:
        return "words" if came == Kind.WORDS.value else "month"
    return "days"


@dataclass(frozen=True)
class _Set:
    """Until when every guardian of a set was at work, and until when none had left for good; None: today still."""

    at_work_until: dt.datetime | None
    there_until: dt.datetime | None


_Absence = tuple[dt.datetime | None, dt.datetime | None]
"""Since when a guardian is not at work, and since when they are gone for good."""


def _sets(connection: Connection, person: str) -> list[_Set]:
    """The sets of the living circle, any of which could bring its person back."""
    row = connection.execute(
        select(circles.c.id, circles.c.statement).where(circles.c.person == person, circles.c.state == "living")
    ).one_or_none()
    if row is None or not slots.living(connection, person, [Kind.RECOVERY], hold=False):
        return []
    query = select(circle_members.c.id, workers.c.state, workers.c.away_since, workers.c.left_on)
    query = query.outerjoin(workers, workers.c.account == circle_members.c.worker).where(circle_members.c.circle == row.id)
    known = {one.id: _absence(one.state, one.away_since, one.left_on) for one in connection.execute(query)}
    try:
        sets = CircleFormed.parse(row.statement).sets
    except Malformed:  # what brings nobody back keeps nobody out
        return []
    found = [[known.get(member, (LONG_AGO, LONG_AGO)) for member in one] for one in sets]
    return [_Set(_first(away for away, _ in one), _first(gone for _, gone in one)) for one in found]


def _absence(state: str | None, away: dt.datetime | None, left: dt.date | None) -> _Absence:
    if state is None:  # a sheet on paper: nobody tells whether it still exists
        return LONG_AGO, None
    if state == RecipientState.CERTIFIED:
        return None, None
    since = away or LONG_AGO
    if state != RecipientState.ENDED:
        return since, None
    if left is None or paris_day(since) >= left:
        return since, since
    midnight = dt.datetime.combine(left + dt.timedelta(days=1), dt.time(), PARIS)
    return since, midnight.astimezone(dt.UTC)  # who was away before: of their end the day alone is known


def _first(moments: Iterable[dt.datetime | None]) -> dt.datetime | None:
    return min((one for one in moments if one is not None), default=None)
