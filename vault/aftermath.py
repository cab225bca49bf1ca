"""What follows a recovery for a day, and what ends by itself: the say of the old card, the bar after a theft, what must wait."""

import datetime as dt
import math
from collections.abc import Sequence

from sqlalchemy import Connection, delete, select, update

from storage.tables import circle_members, circles, recoveries, recovery_confirmations, slots, workers
from vault import audit, endings, notices, sessions
from vault import slots as living_ways
from vault.context import Context
from vault.errors import MustWait
from vault.events import Event
from vault.notices import Notice

HOLD = dt.timedelta(hours=24)  # destroying and disclosing in bulk wait that long after a recovery


class AfterRecovery(MustWait):
    """Somebody came back less than a day ago: what destroys or discloses in bulk waits, so that the old card may say stop."""

    sentence = "error.after-recovery"


def stopped(connection: Connection, person: str) -> bool:
    """Whether the old card said stop: then all the worker guardians must come, and the freeze is not lifted otherwise."""
    vetoed = (recoveries.c.person == person, recoveries.c.state == "vetoed")
    return connection.execute(select(recoveries.c.id).where(*vetoed).limit(1)).first() is not None


def holds(context: Context, connection: Connection, person: str) -> dt.datetime | None:
    """Until when destroying and disclosing in bulk wait, or None."""
    done = (recoveries.c.person == person, recoveries.c.state == "done", recoveries.c.term > context.clock())
    return connection.execute(
        select(recoveries.c.term).where(*done).order_by(recoveries.c.term.desc()).limit(1)
    ).scalar_one_or_none()


def refuse_while_held(context: Context, connection: Connection, person: str, *, only_with_veto: bool = False) -> None:
    """Raise AfterRecovery during the day that follows a recovery; `only_with_veto`: only while an old card may say stop."""
    until = holds(context, connection, person)
    if until is not None and (not only_with_veto or _may_be_stopped(connection, person)):
        raise AfterRecovery(math.ceil((until - context.clock()).total_seconds()))


def _may_be_stopped(connection: Connection, person: str) -> bool:
    vetoing = (slots.c.account == person, slots.c.state == "vetoing")
    return connection.execute(select(slots.c.id).where(*vetoing).limit(1)).first() is not None


def expire(context: Context) -> int:
    """End what is over: recoveries that nobody finished, bars of a theft, the say of old cards; a scheduled task."""
    now = context.clock()
    with context.database.transaction() as connection:
        over = (recoveries.c.state == "asking", recoveries.c.term <= now)
        rows = connection.execute(select(recoveries.c.id, recoveries.c.person).where(*over).with_for_update()).all()
        for row in rows:
            forget(connection, row.id)
            if row.person:
                audit.record(context, connection, None, Event("recovery.expired"), person=row.person)
        connection.execute(delete(recoveries).where(recoveries.c.state.in_(("done", "expired")), recoveries.c.term <= now))
        barred = (slots.c.state == "barred", slots.c.veto_until <= now)
        for person in connection.scalars(select(slots.c.account).where(*barred).distinct()).all():
            _tell_who_barred(context, connection, person)
        connection.execute(update(slots).where(*barred).values(state="live", veto_until=None))
        silent = connection.scalars(
            select(slots.c.id).where(slots.c.state.in_(("vetoing", "pending")), slots.c.veto_until <= now)
        ).all()
        end_ways(context, connection, silent)
    return len(rows) + len(silent)


def _tell_who_barred(context: Context, connection: Connection, person: str) -> None:
    """Nobody came back: the old ways answer again, and at the next unlock their owner reads by whose word they did not."""
    query = select(workers.c.first_name).join(circle_members, circle_members.c.worker == workers.c.account)
    query = query.join(circles, circles.c.id == circle_members.c.circle)
    theirs = (circles.c.person == person, circles.c.state == "living", circle_members.c.barred.is_not(None))
    name = connection.scalars(query.where(*theirs).order_by(circle_members.c.barred.desc(), circle_members.c.id)).first()
    if name is not None:
        notices.tell_if_told(context, connection, person, Notice("ways-barred", {"name": name}))


def forget(connection: Connection, recovery: str) -> None:
    """A recovery is over: its parts and its code go; its row stays until its term, without them."""
    connection.execute(delete(recovery_confirmations).where(recovery_confirmations.c.recovery == recovery))
    connection.execute(update(recoveries).where(recoveries.c.id == recovery).values(state="expired"))


def end_ways(context: Context, connection: Connection, ways: Sequence[str]) -> None:
    """Ways in that are silent from now on: nothing of them stays but their id, and the key vault's rows follow the commit."""
    ended = {"state": "ended", "sealed_secret": None, "veto_digest": None, "veto_until": None}
    connection.execute(update(slots).where(slots.c.id.in_(ways)).values(**ended))
    for way in ways:
        sessions.end_all(context, connection, slot=way)
    living_ways.forget_lent(connection, ways)
    endings.end_rows(context, connection, [("slot", way) for way in ways])
