"""Asking again who is there, before what weighs: six words typed, or an authenticator touched, in this session and for this act.

What an authenticator signs is bound to the act: its challenge is made of what is approved, of this session and of a number used once.
An answer given for one act approves no other.
"""

import hashlib
import secrets
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from crypto.keys import AccountSecret
from crypto.unlock import Kind
from storage.tables import administrators, workers
from vault import ceremonies, labels, passkeys, slots, staff
from vault.ceremonies import Answer
from vault.context import Context
from vault.errors import AbriError, NotAllowed, WrongSecret
from vault.sessions import STAFF, Session
from vault.trying import prove, settle

FRESH_SECONDS = 300  # after entering, for programs; pages ask each time


class NotProven(AbriError):
    """This act asks again who is there."""

    sentence = "error.not-proven"


@dataclass(frozen=True)
class Typed:
    """Six words, as somebody typed them."""

    words: str = field(repr=False)


Proof = Typed | Answer


@dataclass(frozen=True)
class Act:
    """What is approved: a word for it, and the digest of exactly what it is about."""

    name: str
    subject: str

    @classmethod
    def on(cls, name: str, *about: str | bytes) -> "Act":
        """An act on these values, in this order."""
        parts = [hashlib.sha256(one.encode() if isinstance(one, str) else one).digest() for one in about]
        return cls(name, hashlib.sha256(b"".join(parts)).hexdigest())

    @property
    def purpose(self) -> str:
        """What the session keeps the challenge for: an answer to it is of no use for another act."""
        return f"{self.name} {self.subject}"


def ask(context: Context, session: Session, act: Act) -> str:
    """What the browser asks an authenticator for this act, as JSON; empty when this account has none."""
    _staff(session)
    with context.database.transaction(read_only=True) as connection:
        known = [one.credential for one in passkeys.of(connection, session.account)]
    if not known or ceremonies.name_of(context) is None:
        return ""
    nonce = secrets.token_hex(16)
    bound = hashlib.sha256(labels.approval(session=session.id, act=act.name, subject=act.subject, nonce=nonce)).digest()
    return ceremonies.assertion(context, ceremonies.keep_challenge(context, session, act.purpose, bound), known)


def confirm(context: Context, session: Session, act: Act, proof: Proof) -> AccountSecret | None:
    """Whoever stands here is who entered, and means this act. Gives the account secret when the proof opens it.

    WrongSecret, MustWait, Busy, BadInput. Words are counted as attempts to enter; an authenticator's answer is taken once.
    """
    _staff(session)
    challenge = ceremonies.take_challenge(context, session, act.purpose) if isinstance(proof, Answer) else b""
    return confirm_with(context, session, challenge, proof)


def confirm_with(context: Context, session: Session, challenge: bytes, proof: Proof) -> AccountSecret | None:
    """The same, for an authenticator's answer to a challenge that the session has already given back."""
    _staff(session)
    if isinstance(proof, Typed):
        return _by_words(context, session, proof)
    key = passkeys.check(context, challenge, proof, kind=session.kind, account=session.account)
    opened = passkeys.opened_by(context, key, proof)
    return opened[1] if opened else None


def require(context: Context, session: Session, act: Act, proof: Proof | None) -> None:
    """Refuse an act that nobody confirmed: NotProven, WrongSecret, MustWait, Busy, BadInput.

    Without a proof: a program that has entered within five minutes has just given one.
    """
    if proof is not None:
        confirm(context, session, act, proof)
    elif (context.clock() - session.created).total_seconds() > FRESH_SECONDS:
        raise NotProven


def own_code(connection: Connection, session: Session) -> str:
    """The sign-in code of whoever is signed in."""
    table = workers if session.kind == "worker" else administrators
    code: str = connection.execute(select(table.c.code).where(table.c.account == session.account)).scalar_one()
    return code


def _by_words(context: Context, session: Session, typed: Typed) -> AccountSecret:
    """The words of the paper that opened this session; one's own when an authenticator did."""
    password = staff.password_of(typed.words)
    with context.database.transaction(read_only=True) as connection:
        ways = slots.living(connection, session.account, [Kind.PASSPHRASE], hold=False)
        own = staff.shown_digest(own_code(connection, session))
    shown = next((one.shown for one in ways if one.id == session.slot and one.shown), own)
    tried = prove(context, session.kiosk or session.kind, shown, Kind.PASSPHRASE, password, only=[one.id for one in ways])
    with context.database.transaction() as connection:
        settle(connection, tried)
    if tried.secret is None:
        raise WrongSecret
    return tried.secret


def _staff(session: Session) -> None:
    if session.kind not in STAFF:
        raise NotAllowed
