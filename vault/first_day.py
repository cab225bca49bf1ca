"""What was said on the first day, or in an assisted opening, is shown once more: at the next unlock, one share at a time, with a way to
take it back.

On its first day a safe is new, somebody often stands beside, and a yes comes easily. Nothing irreversible was offered then. In an assisted
opening somebody always stands beside; what was given there waits, posted to the person, until their own session says yes to it.
"""

from dataclasses import replace
from datetime import datetime, time, timedelta

from sqlalchemy import or_, select, update

from consent.days import PARIS, paris_day
from consent.ids import GrantId
from storage.tables import grant_changes, grants, persons
from vault import preferences, sessions, shares, showing, who
from vault.colleagues import LIVING
from vault.context import Context
from vault.errors import NotThere
from vault.sessions import Session
from vault.shares import Share
from vault.sharing import safe_opened
from vault.showing import ShareCard


def said_yes(context: Context, session: Session) -> list[ShareCard]:
    """The living shares of the first day, or of an assisted opening, given in another session than this one and not confirmed since."""
    keys = who.person(session)
    with context.database.transaction(read_only=True) as connection:
        opened = paris_day(safe_opened(connection, session.account))
        confirmed = preferences.read(connection, session.account, keys).confirmed
        began = datetime.combine(opened, time(), PARIS)
        early = (
            select(grants.c.id)
            .join(grant_changes, grant_changes.c.grant == grants.c.id)
            .where(
                grants.c.person == session.account, grants.c.state.in_(LIVING), grants.c.id.not_in(confirmed),
                or_(grant_changes.c.at < began + timedelta(days=1), grants.c.posted_for_person.is_not(None)),
            )
        )  # fmt: skip
        if connection.execute(early.limit(1)).first() is None:
            return []  # nearly always: nothing needs to be opened

    def asked(share: Share) -> bool:
        since = share.body.since
        if share.unconfirmed:
            return True
        return paris_day(since) <= opened and since < session.created and share.grant not in confirmed

    return showing.some_of(context, session, asked)


def still_yes(context: Context, session: Session, grant: GrantId) -> None:
    """It is still yes: this share is not asked about again. NotThere for one that does not wait for that answer."""
    keys = who.person(session)
    if grant not in {one.grant for one in said_yes(context, session)}:
        raise NotThere
    with sessions.acting(context, session) as connection:
        connection.execute(select(persons.c.account).where(persons.c.account == session.account).with_for_update())
        share = shares.one_of_person(context, connection, session, grant)
        if share.unconfirmed:
            mine = shares.sealed_for_person(keys.values, share.body, share.face)
            own = {"body_for_person": mine, "posted_for_person": None}
            connection.execute(update(grants).where(grants.c.id == grant).values(own))
            return
        kept = preferences.read(connection, session.account, keys)
        preferences.write(connection, session.account, keys, replace(kept, confirmed=(*kept.confirmed, grant)))
