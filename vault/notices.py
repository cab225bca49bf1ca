"""Sentences that wait for somebody's next unlock, posted to their key: only they read what happened while they were away."""

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, insert, or_, select, update

from crypto.canonical import Value
from crypto.errors import CryptoError, Undecryptable
from crypto.kem import KemPrivate
from crypto.sealing import open_posted_value, post_value
from storage.errors import StorageError
from storage.tables import notices
from vault import accounts, labels
from vault.context import Context
from vault.errors import NotThere, Tampered
from vault.sessions import Session
from vault.settings import today_in_paris

KEPT_AFTER_SEEN = dt.timedelta(days=30)
WORKER_LEFT, WORKER_AWAY = "worker-left", "worker-away"
QUESTIONS = (WORKER_LEFT, WORKER_AWAY)
"""Sentences that ask something: they wait on a page of their own (`vault.succession`), until they are answered."""


@dataclass(frozen=True)
class Notice:
    """A sentence to show: its key in the catalogues is `notice.` and `key`; `id` and `created` are given when it is kept."""

    key: str
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    id: str = ""
    created: dt.date | None = None


def tell(context: Context, connection: Connection, account: str, notice: Notice) -> str:
    """Leave a sentence for an account, in the caller's transaction, and give its id."""
    name = context.new_id()
    place = labels.notice(account=account, notice=name)
    fields: dict[str, Value] = {"v": 1, "key": notice.key, "values": dict(notice.values)}
    public = accounts.public_keys(context, connection, account)
    posted = post_value(public.kem, context.keyvault.derive("person", account, place), place, fields)
    connection.execute(insert(notices).values(id=name, account=account, posted=posted, created=today_in_paris(context.clock())))
    return name


def tell_if_told(context: Context, connection: Connection, account: str, notice: Notice) -> None:
    """The same beside an act that must not wait for it: an account whose keys do not hold gets no sentence, and `abri check` says so."""
    with suppress(CryptoError, Tampered, NotThere, StorageError):
        tell(context, connection, account, notice)


def waiting(context: Context, session: Session) -> list[Notice]:
    """What waits for whoever has just unlocked, oldest first."""
    with context.database.transaction(read_only=True) as connection:
        return waiting_for(context, connection, session)


def waiting_for(context: Context, connection: Connection, session: Session, again: Sequence[str] = ()) -> list[Notice]:
    """The same, in the caller's transaction; and those of `again`, also when they were read.

    One that does not open any more says nothing, and keeps nobody from the others.
    """
    keys = session.opened()
    wanted = (notices.c.account == session.account, or_(notices.c.seen.is_(None), notices.c.id.in_(list(again))))
    rows = connection.execute(select(notices).where(*wanted).order_by(notices.c.created, notices.c.id)).all()
    if not rows:
        return []
    private, found = KemPrivate(keys.kem), []
    for row in rows:
        place = labels.notice(account=session.account, notice=row.id)
        vaulted = context.keyvault.derive("person", session.account, place)
        with suppress(Undecryptable):
            fields = open_posted_value(private, vaulted, place, row.posted)
            key, values = fields.get("key"), fields.get("values")
            if isinstance(key, str) and isinstance(values, dict):
                found.append(Notice(key, {str(name): str(value) for name, value in values.items()}, row.id, row.created))
    return found


def seen(context: Context, session: Session, ids: Sequence[str]) -> None:
    """The person has read these."""
    with context.database.transaction() as connection:
        seen_in(context, connection, session, ids)


def seen_in(context: Context, connection: Connection, session: Session, ids: Sequence[str]) -> int:
    """The same, in the caller's transaction. Gives how many of them still waited: of two at once, one finds none."""
    wanted = (notices.c.account == session.account, notices.c.id.in_(list(ids)), notices.c.seen.is_(None))
    return connection.execute(update(notices).where(*wanted).values(seen=today_in_paris(context.clock()))).rowcount


def sweep(context: Context) -> int:
    """Delete what was read a month ago; a scheduled task. Gives how many."""
    before = today_in_paris(context.clock() - KEPT_AFTER_SEEN)
    with context.database.transaction() as connection:
        return connection.execute(delete(notices).where(notices.c.seen < before)).rowcount
