"""To the person named: two guardians stand for the dead, as they would have stood for the living, and the papers can be taken away.

The number of the register and the thirty days open the way; the parts of the recovery secret, each sent by a guardian at their own
desk to this kiosk, open the safe. What opens is narrow: a copy of the papers leaves, without the private drawer, and nothing can be
read on the screen, shared, changed or erased. The account's secret never gets another card.
"""

from dataclasses import replace

from sqlalchemy import select, update

from crypto.keys import AccountKeys
from storage.tables import recoveries, rights_requests
from vault import aftermath, audit, certificates, coming_back, deaths, recovery, restricting, sessions
from vault.context import Context
from vault.errors import NotThere
from vault.events import Event
from vault.places import place_of
from vault.recovery import Started
from vault.sessions import Session
from vault.settings import today_in_paris
from vault.underway import underway


def start(context: Context, kiosk: str, number: str) -> Started:
    """Begin at a kiosk, with the number that the office gave. NotThere for any other number, and before or after its time.

    Restricted while somebody wants everything kept as it is.
    """
    wanted, today = number.replace("-", "").replace(" ", "").upper(), today_in_paris(context.clock())
    with context.database.transaction() as connection:
        approved = (rights_requests.c.kind == "death", rights_requests.c.state == "approved")
        rows = connection.execute(select(rights_requests).where(*approved)).mappings().all()
        row = next((one for one in rows if certificates.number_of(one["id"]).replace("-", "") == wanted), None)
        if row is None or row["person"] is None or not deaths.may_hand(row, today):
            raise NotThere
        restricting.refuse(connection, row["person"])
        begun = recovery.begin(context, connection, kiosk, "named", row["person"])
        started = Event("recovery.started", place=place_of(connection, kiosk), detail="named")
        audit.record(context, connection, None, started, person=row["person"])
        return begun


def confirm(context: Context, session: Session, member: str, code: str) -> None:
    """A guardian knows the person named, who stands at the kiosk whose code they typed, and sends their part there."""
    death = deaths.of(context, session, member)
    if death is None or not death.open_now or death.wish is None:
        raise NotThere
    recovery.confirm(context, session, member, code, theft=False, beside=True, named=True)


def ready(context: Context, session: Session) -> bool:
    """Whether enough guardians have answered at this kiosk."""
    with context.database.transaction() as connection:
        name, _ = recovery.seed_of(connection, session)
        return underway(context, connection, name).whole is not None


def finish(context: Context, session: Session) -> str:
    """Open what may be taken away: gives the cookie of a session that can do nothing else. Conflict when it is not time, Restricted."""
    with context.database.transaction() as connection:
        name, seed = recovery.seed_of(connection, session)
        opened = coming_back.opened_for_named(context, connection, name, seed)
        line = (rights_requests.c.person == opened.person, rights_requests.c.kind == "death")
        row = connection.execute(select(rights_requests).where(*line, rights_requests.c.state == "approved")).mappings().first()
        if row is None or not deaths.may_hand(row, today_in_paris(context.clock())):
            raise NotThere
        restricting.refuse(connection, opened.person)
        aftermath.forget(connection, name)
        connection.execute(update(recoveries).where(recoveries.c.id == name).values(term=context.clock()))
        guardians = ", ".join(opened.guardians)
        audit.record(context, connection, None, Event("death.handed", by_name=guardians), person=opened.person)
        # Only what opens the drawers goes into the session: nothing can be signed in a dead person's name, and what was posted to
        # them (history, sentences) does not open.
        narrow = replace(AccountKeys.random(), values=opened.keys.values)
        cookie = sessions.open_for(context, connection, kind="named", account=opened.person, kiosk=session.kiosk, keys=narrow)
    sessions.end(context, session)
    return cookie
