"""A worker or an administrator enters with an authenticator: alone when it has a secret for us, with six words beside it when it has none.

Whoever enters has a session of their own for it, which holds the challenge and no account's keys. The authenticator is asked first: what it
says of the account is verified before a word is typed.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select

from crypto.canonical import Value
from crypto.keys import AccountSecret
from crypto.sealing import outdated
from crypto.unlock import Kind
from storage.tables import passkeys as rows
from vault import administrators, attempts, audit, ceremonies, passkeys, resealing, sessions, slots, staff, workers
from vault.ceremonies import Answer
from vault.context import Context
from vault.errors import MustWait, NoSession, WrongSecret
from vault.events import Event
from vault.passkeys import Passkey
from vault.sessions import Session
from vault.slots import Slot
from vault.staff import StaffKind
from vault.trying import attempt, refuse, settle

PLACE = "entering"
PURPOSE = "enter"
CODE_SIGNS = 12  # of what somebody types as a sign-in code


@dataclass(frozen=True)
class Entering:
    """Who is at the door: of which kind, under which code if one was typed, and whose authenticator has answered."""

    kind: StaffKind
    code: str
    account: str | None = None


def start(context: Context, kind: StaffKind, code: str, kiosk: str | None) -> str:
    """Somebody wants to enter with an authenticator; the code may be empty. Gives the cookie of the session that asks for it."""
    place: dict[str, Value] = {"kind": kind, "code": code.strip().upper()[:CODE_SIGNS]}
    with context.database.transaction() as connection:
        return sessions.open_for(context, connection, kind="opening", kiosk=kiosk, state={PLACE: place})


def at_the_door(context: Context, session: Session) -> Entering:
    """Who this session is of; NoSession for one that was opened for something else."""
    with context.database.transaction(read_only=True) as connection:
        return _entering(context, sessions.read_state(connection, session, hold=False))


def _entering(context: Context, state: dict[str, Value]) -> Entering:
    kept = state.get(PLACE)
    if not isinstance(kept, dict):
        raise NoSession
    kind: StaffKind = "administrator" if kept.get("kind") == "administrator" else "worker"
    until = kept.get("until")
    known = isinstance(until, str) and dt.datetime.fromisoformat(until) > context.clock()
    return Entering(kind, str(kept.get("code", "")), str(kept["account"]) if known else None)


def asked(context: Context, session: Session) -> str:
    """What the browser asks the authenticator, as JSON; a challenge of its own each time the page is shown."""
    door = at_the_door(context, session)
    challenge = ceremonies.keep_challenge(context, session, PURPOSE)
    allowed: tuple[bytes, ...] = ()
    if door.code:
        with context.database.transaction(read_only=True) as connection:
            allowed = tuple(passkeys.asked_for(context, connection, door.code))
    return ceremonies.assertion(context, challenge, allowed)


def with_key(context: Context, session: Session, answer: Answer) -> str | None:
    """The authenticator answered. Gives the cookie of the desk or the office; None when six words are needed as well.

    WrongSecret, BadInput("key"); Absent and NotCertified as for everybody.
    """
    door = at_the_door(context, session)
    challenge = ceremonies.take_challenge(context, session, PURPOSE)
    try:
        key = passkeys.check(context, challenge, answer, kind=door.kind)
    except WrongSecret:
        _failed(context, answer)
        raise
    opened = passkeys.opened_by(context, key, answer)
    if opened is None:
        _remember(context, session, door, key)
        return None
    way, secret = opened
    fresh = _fresh(context, way, secret, answer)
    with slots.given_up(context, fresh), context.database.transaction() as connection:
        cookie = staff.enter(
            context, connection, door.kind, way, secret, kiosk=session.kiosk, admit=_admission(context, door.kind), fresh=fresh
        )  # fmt: skip
        if fresh is not None:
            passkeys.move(connection, key.id, fresh.id)
        sessions.end_one(context, connection, session)
    return cookie


def then_words(context: Context, session: Session, code: str, words: str) -> str:
    """The authenticator has answered and opens nothing by itself: six words of the same account do.

    WrongSecret, MustWait, Busy, BadInput.
    """
    door = at_the_door(context, session)
    if door.account is None:
        raise NoSession
    password = staff.password_of(words)
    made = attempt(context, session.kiosk or door.kind, staff.shown_digest(code), Kind.PASSPHRASE, password)
    if not made.right or made.slot is None or made.secret is None or made.account != door.account:
        refuse(context, made, session.kiosk)
    fresh = resealing.fresh_way(context, session.kiosk or door.kind, made.slot, made.secret, password)
    with slots.given_up(context, fresh), context.database.transaction() as connection:
        if _entering(context, sessions.read_state(connection, session)).account != door.account:
            raise NoSession  # the same words were sent twice in the same instant
        settle(connection, made)
        cookie = staff.enter(
            context, connection, door.kind, made.slot, made.secret, kiosk=session.kiosk,
            admit=_admission(context, door.kind), fresh=fresh,
        )  # fmt: skip
        sessions.end_one(context, connection, session)
    return cookie


def _fresh(context: Context, way: Slot, secret: AccountSecret, answer: Answer) -> Slot | None:
    """The same way by today's algorithm, when one of before sealed it."""
    derived = answer.secret
    if derived is None or way.sealed is None or not outdated(way.sealed):
        return None
    return passkeys.new_way(context, way.account, secret, derived)


def _remember(context: Context, session: Session, door: Entering, key: Passkey) -> None:
    until = (context.clock() + ceremonies.TERM).isoformat()
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        state[PLACE] = {"kind": door.kind, "code": door.code, "account": key.account, "until": until}
        sessions.write_state(connection, session, state)


def _admission(context: Context, kind: StaffKind) -> staff.Admit:
    return workers.admission(context) if kind == "worker" else administrators.first_name


def _failed(context: Context, answer: Answer) -> None:
    """Whoever owns the authenticator reads that somebody tried; for nobody's, as much work is done.

    Five lines a day at most: a wrong answer costs whoever sends it nothing, and must not bury a history.
    """
    try:
        shown = passkeys.digest(ceremonies.credential_of(answer))
    except WrongSecret:
        return
    event = Event("worker.sign-in-failed")
    with context.database.transaction() as connection:
        try:
            attempts.count(context, connection, shown)
        except MustWait:
            return
        account = connection.execute(select(rows.c.account).where(rows.c.credential_digest == shown)).scalar_one_or_none()
        if account is None:
            audit.rehearse(context, connection, event)
        else:
            audit.record(context, connection, None, event, worker=account)
