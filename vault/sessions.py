"""The only module that holds an unlocked key between two requests.

Nothing stays in the process: the cookie holds 32 random bytes, the row holds the seeds sealed under a key made of the cookie
and of a row of the key vault. Without the cookie, or once the vault's row is destroyed, the row opens nothing. Formats:
`docs/formats.md`.
"""

import base64
import binascii
import datetime as dt
import hmac
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from crypto import contexts
from crypto.canonical import Value
from crypto.errors import CryptoError
from crypto.keys import AccountKeys, KemSeed, SessionKey, SessionToken, kdf
from crypto.sealing import seal_value, unseal_value
from crypto.session import open_assisted_session, open_session, seal_assisted_session, seal_session, session_key, session_lookup
from storage.database import after_commit
from storage.errors import RowGone, StorageError
from storage.tables import accounts, persons, sessions
from vault import labels
from vault.context import NOBODY, Context
from vault.errors import NoSession, NotAllowed
from vault.settings import today_in_paris

Kind = Literal["person", "card", "assisted", "opening", "recovering", "worker", "administrator", "outside", "named"]
STAFF: tuple[Kind, ...] = ("worker", "administrator")
NO_IDLE: tuple[Kind, ...] = ("opening", "recovering")
ENDED_WITHIN = dt.timedelta(hours=1)  # a row of the key vault that no session has by then never will be one's
SEEN_EVERY = dt.timedelta(seconds=20)  # finer would make a write of each page


@dataclass(frozen=True)
class Session:
    """Somebody in front of a screen, and what their secret has opened."""

    id: str
    kind: Kind
    account: str
    slot: str
    kiosk: str | None
    keys: AccountKeys | None = field(repr=False)
    assist: KemSeed | None = field(repr=False)
    key: SessionKey = field(repr=False)
    created: dt.datetime
    last_seen: dt.datetime
    term: dt.datetime

    @property
    def form_token(self) -> str:
        """The token that each form of this session carries."""
        return kdf(self.key, labels.form_token(session=self.id), 16).hex()

    def check_form_token(self, shown: str) -> bool:
        """Whether a form was made by this session."""
        return hmac.compare_digest(self.form_token, shown)

    def opened(self) -> AccountKeys:
        """The account's keys; refuses a session that holds none."""
        if self.keys is None:
            raise NotAllowed
        return self.keys


def to_cookie(token: SessionToken) -> str:
    """The cookie's value: 43 characters."""
    return base64.urlsafe_b64encode(bytes(token)).rstrip(b"=").decode()


def from_cookie(value: str) -> SessionToken:
    """The token that a cookie or a bearer header carries; anything else is a session that does not exist."""
    try:
        token = SessionToken(base64.b64decode(value.encode() + b"=", altchars=b"-_", validate=True))
    except (CryptoError, ValueError, binascii.Error) as error:
        raise NoSession from error
    if to_cookie(token) != value:
        raise NoSession
    return token


def open_for(
    context: Context,
    connection: Connection,
    *,
    kind: Kind,
    account: str = NOBODY,
    slot: str = NOBODY,
    kiosk: str | None = None,
    keys: AccountKeys | None = None,
    assist: KemSeed | None = None,
    state: Mapping[str, Value] | None = None,
) -> str:
    """Open a session and give its cookie. A person's other sessions end: two screens never show one safe."""
    token, session, now = SessionToken.random(), context.new_id(), context.clock()
    if account != NOBODY:
        end_all(context, connection, account=account)
    context.keyvault.create("session", session, account if account != NOBODY else None, at=now)
    place = contexts.session(session=session, account=account, slot=slot)
    key = session_key(token, context.keyvault.derive("session", session, place), place)
    sealed = seal_session(key, place, keys) if keys else seal_assisted_session(key, place, assist) if assist else None
    limits = context.settings.limits
    seconds = {"worker": limits.worker_absolute_seconds, "administrator": limits.worker_absolute_seconds}.get(
        kind, limits.opening_seconds if kind in NO_IDLE else limits.absolute_seconds
    )
    connection.execute(
        insert(sessions).values(
            id=session_lookup(token).hex(), session=session, account=None if account == NOBODY else account,
            slot=None if slot == NOBODY else slot, kind=kind, kiosk=kiosk, sealed_seeds=sealed,
            created=now, last_seen=now, term=now + dt.timedelta(seconds=seconds),
            sealed_state=seal_value(key, labels.session_state(session=session), state) if state else None,
        )
    )  # fmt: skip
    if kind in ("person", "assisted"):
        _not_silent(connection, account, now)
    return to_cookie(token)


def _not_silent(connection: Connection, person: str, now: dt.datetime) -> None:
    """The safe is opened this month: written once a month, the month alone (ADR 0050)."""
    month = today_in_paris(now).replace(day=1)
    older = (persons.c.account == person, persons.c.last_month < month)
    connection.execute(update(persons).where(*older).values(last_month=month, silence_told=0, silence_told_on=None))


def idle_seconds(context: Context, kind: Kind) -> int:
    """After how long without a touch a session of this kind ends."""
    limits = context.settings.limits
    if kind in NO_IDLE:
        return limits.opening_seconds
    return limits.worker_idle_seconds if kind in (*STAFF, "outside") else limits.idle_seconds  # somebody at their own desk too


def find(context: Context, cookie: str, *, touch: bool = True) -> Session:
    """The living session behind a cookie, or `NoSession`. `touch` counts as the person being there."""
    token = from_cookie(cookie)
    now = context.clock()
    with context.database.transaction(read_only=True) as connection:
        row = connection.execute(select(sessions).where(sessions.c.id == session_lookup(token).hex())).mappings().one_or_none()
    if row is None or _over(context, row, now):
        raise NoSession
    account, slot = row["account"] or NOBODY, row["slot"] or NOBODY
    place = contexts.session(session=row["session"], account=account, slot=slot)
    try:
        key = session_key(token, context.keyvault.derive("session", row["session"], place), place)
    except RowGone as error:
        raise NoSession from error
    kind: Kind = row["kind"]
    sealed = row["sealed_seeds"]
    if touch:
        _seen(context, row, now)
    return Session(
        id=row["session"], kind=kind, account=account, slot=slot, kiosk=row["kiosk"], key=key,
        keys=open_session(key, place, sealed) if sealed and kind != "assisted" else None,
        assist=open_assisted_session(key, place, sealed) if sealed and kind == "assisted" else None,
        created=row["created"], last_seen=now if touch else row["last_seen"], term=row["term"],
    )  # fmt: skip


def _over(context: Context, row: RowMapping, now: dt.datetime) -> bool:
    idle = dt.timedelta(seconds=idle_seconds(context, row["kind"]))
    return bool(row["term"] <= now or row["last_seen"] + idle <= now)


def _seen(context: Context, row: RowMapping, now: dt.datetime) -> None:
    if now - row["last_seen"] > SEEN_EVERY:
        with context.database.transaction() as connection:
            connection.execute(update(sessions).where(sessions.c.session == row["session"]).values(last_seen=now))


def look_again(context: Context, session: Session, *, touch: bool = True) -> None:
    """Raise NoSession when a session that was found a while ago has ended since, by an act or by its time."""
    now = context.clock()
    with context.database.transaction(read_only=True) as connection:
        row = connection.execute(select(sessions).where(sessions.c.session == session.id)).mappings().one_or_none()
    if row is None or _over(context, row, now):
        raise NoSession
    if touch:
        _seen(context, row, now)


def still(connection: Connection, session: Session) -> None:
    """Raise NoSession when the session was ended since it was found: what was on its way at a block is not carried out after it.

    Asked after the locks that may have been waited for.
    """
    if connection.execute(select(sessions.c.session).where(sessions.c.session == session.id)).first() is None:
        raise NoSession


@contextmanager
def acting(context: Context, session: Session) -> Iterator[Connection]:
    """The transaction of an act that took a while before it: the secret asked again, a key derived. NoSession when the session was
    ended meanwhile: whoever waits for the end of a derivation while a desk blocks everything changes nothing any more (ADR 0114)."""
    with context.database.transaction() as connection:
        hold(connection, session)
        yield connection


def hold(connection: Connection, session: Session) -> None:
    """The same in the caller's transaction. The account's row is held: a block comes before what follows, or after it and ends what it
    opened. A thief would otherwise choose other guardians, or give themselves words, and open the blocked safe by them."""
    connection.execute(select(accounts.c.id).where(accounts.c.id == session.account).with_for_update())
    still(connection, session)


def extend(context: Context, session: Session) -> None:
    """More time for somebody who is adding papers and has just given the code again: two hours after the start at most."""
    limits = context.settings.limits
    term = min(
        context.clock() + dt.timedelta(seconds=limits.absolute_seconds),
        session.created + dt.timedelta(seconds=limits.extended_seconds),
    )
    with acting(context, session) as connection:
        connection.execute(update(sessions).where(sessions.c.session == session.id).values(term=term))


def end(context: Context, session: Session) -> None:
    """The session ends here: its row goes, then the key vault's."""
    with context.database.transaction() as connection:
        _end(context, connection, [session.id])


def end_of(context: Context, cookie: str) -> None:
    """The same for the session behind a cookie, also when it could not be found; nothing when there is none."""
    row = select(sessions.c.session).where(sessions.c.id == session_lookup(from_cookie(cookie)).hex())
    with context.database.transaction() as connection:
        _end(context, connection, list(connection.execute(row).scalars()))


def end_one(context: Context, connection: Connection, session: Session) -> None:
    """The session ends with the caller's transaction: what it was for is done."""
    _end(context, connection, [session.id])


def end_all(
    context: Context,
    connection: Connection,
    *,
    account: str | None = None,
    slot: str | None = None,
    besides: Session | None = None,
) -> None:
    """End every session of an account or of a slot, in the caller's transaction; `besides` goes on."""
    wanted = select(sessions.c.session)
    wanted = wanted.where(sessions.c.account == account) if account else wanted.where(sessions.c.slot == slot)
    ids = [row for row in connection.execute(wanted).scalars() if besides is None or row != besides.id]
    _end(context, connection, ids)


def sweep(context: Context) -> int:
    """End the sessions whose time is over; a scheduled task. Gives how many.

    And destroys the rows of the key vault whose session ended while the key vault did not answer, or never began.
    """
    now = context.clock()
    begun = context.keyvault.sessions_before(now - ENDED_WITHIN)
    with context.database.transaction() as connection:
        rows = connection.execute(select(sessions.c.session, sessions.c.kind, sessions.c.last_seen, sessions.c.term)).all()
        over = [
            row.session for row in rows
            if row.term <= now or row.last_seen + dt.timedelta(seconds=idle_seconds(context, row.kind)) <= now
        ]  # fmt: skip
        _end(context, connection, over)
    living = {row.session for row in rows}
    context.keyvault.destroy([("session", one) for one in begun if one not in living], now)
    return len(over)


def _end(context: Context, connection: Connection, ids: list[str]) -> None:
    if not ids:
        return
    connection.execute(delete(sessions).where(sessions.c.session.in_(ids)))
    after_commit(connection, lambda: _destroy(context, ids))


def _destroy(context: Context, ids: list[str]) -> None:
    """Without its row here a session is already dead. A key vault that does not answer undoes nothing of that: the sweep comes."""
    with suppress(StorageError):
        context.keyvault.destroy([("session", one) for one in ids], context.clock())


def read_state(connection: Connection, session: Session, *, hold: bool = True) -> dict[str, Value]:
    """What the session keeps between two pages (sealed in its row). The row is held until the end, except with `hold=False`."""
    query = select(sessions.c.sealed_state).where(sessions.c.session == session.id)
    sealed = connection.execute(query.with_for_update() if hold else query).scalar_one_or_none()
    return unseal_value(session.key, labels.session_state(session=session.id), sealed) if sealed else {}


def write_state(connection: Connection, session: Session, state: dict[str, Value]) -> None:
    """Keep this between two pages. Canonical JSON: no floats."""
    sealed = seal_value(session.key, labels.session_state(session=session.id), state)
    connection.execute(update(sessions).where(sessions.c.session == session.id).values(sealed_state=sealed))
