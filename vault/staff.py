"""How workers and administrators enter: a code that is no secret, six drawn words, and a one-time password.

The words open their keys; the one-time password guards the pages. An unknown code, wrong words, a wrong password: one refusal.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection, Table, select, update

from crypto.errors import Malformed
from crypto.keys import Password
from crypto.unlock import WORKER_WORDS, Kind, words_password
from storage.tables import administrators, workers
from vault import accounts, audit, labels, one_time, resealing, sessions, slots, wordlist
from vault.accounts import NewAccount
from vault.context import Context
from vault.errors import BadInput, WrongSecret
from vault.events import Event
from vault.slots import Slot
from vault.trying import Attempt, attempt, refuse, settle

StaffKind = Literal["worker", "administrator"]
TABLES: dict[StaffKind, Table] = {"worker": workers, "administrator": administrators}
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # nothing that is read for something else
CODE_LETTERS = 6


@dataclass(frozen=True)
class Drawn:
    """What is drawn for somebody and shown once: their sign-in code, six words, the seed of their one-time passwords."""

    code: str
    words: tuple[str, ...] = field(repr=False)
    totp: bytes = field(repr=False)

    @property
    def totp_uri(self) -> str:
        """What the QR code for an authenticator says."""
        return one_time.uri(self.totp, self.code)


def draw(connection: Connection) -> Drawn:
    """Draw a code that nobody has, words and a seed."""
    while slots.known(connection, shown_digest(code := draw_letters(CODE_LETTERS))):
        pass
    return Drawn(code, wordlist.draw(WORKER_WORDS), one_time.new_seed())


def draw_letters(count: int) -> str:
    """Letters and digits drawn by chance."""
    return "".join(secrets.choice(ALPHABET) for _ in range(count))


def shown_digest(code: str) -> str:
    """What attempts with a sign-in code are counted by."""
    return hashlib.sha256(labels.sign_in_code(code=code)).hexdigest()


def make_account(context: Context, kind: StaffKind, drawn: Drawn) -> tuple[NewAccount, Slot]:
    """An account and its way in, which no row knows yet."""
    new = accounts.draw(context, kind)
    password = words_password(drawn.words)
    slot = slots.make(context, new.id, Kind.PASSPHRASE, new.secret, password, shown=shown_digest(drawn.code), kiosk=None)
    return new, slot


def sign_in(
    context: Context,
    kind: StaffKind,
    code: str,
    words: Sequence[str] | str,
    totp: str,
    *,
    kiosk: str | None,
    admit: Callable[[Connection, str], str],
) -> str:
    """Open a session, or refuse: WrongSecret, MustWait, Busy, BadInput. `admit` gives the first name, or raises to refuse."""
    # The desks' people wait in a crowd of their own: a machine that guesses there does not close the kiosks.
    password = _password(words)
    made = attempt(context, kiosk or kind, shown_digest(code.strip().upper()), Kind.PASSPHRASE, password)
    step = _step(context, kind, made, totp)
    if not made.right or made.slot is None or made.secret is None or step is None:
        refuse(context, made, kiosk)
    account, fresh = made.slot.account, resealing.fresh_way(context, kiosk or kind, made.slot, made.secret, password)
    with slots.given_up(context, fresh), context.database.transaction() as connection:
        settle(connection, made)
        _use(connection, kind, account, step)
        name = admit(connection, account)
        resealing.account_keys(connection, account, made.secret)
        keys = accounts.open_keys(connection, account, made.secret)
        way = fresh or made.slot
        if fresh is not None:
            slots.keep(context, connection, fresh)
            slots.end(context, connection, [made.slot])
        cookie = sessions.open_for(context, connection, kind=kind, account=account, slot=way.id, kiosk=kiosk, keys=keys)
        audit.record(context, connection, None, Event("worker.signed-in", by=account, by_name=name), worker=account)
    return cookie


def _password(words: Sequence[str] | str) -> Password:
    found = wordlist.recognise_all(words)
    if len(found) != WORKER_WORDS:
        raise BadInput("words")
    try:
        return words_password(found)
    except Malformed as error:
        raise BadInput("words") from error


def _step(context: Context, kind: StaffKind, made: Attempt, totp: str) -> int | None:
    """The time step of a one-time password; for nobody, the same work is done on a seed drawn for the purpose."""
    table, seed, used = TABLES[kind], one_time.new_seed(), 0
    with context.database.transaction(read_only=True) as connection:
        row = connection.execute(
            select(table.c.sealed_totp, table.c.totp_used).where(table.c.account == made.account)
        ).one_or_none()
    if row is not None and made.account is not None:
        seed, used = one_time.open_seed(context, made.account, row.sealed_totp), row.totp_used
    step = one_time.accepted_step(seed, totp, context.clock(), used)
    return step if row is not None else None


def _use(connection: Connection, kind: StaffKind, account: str, step: int) -> None:
    """A code opens one door once, also when two doors are tried in the same instant."""
    table = TABLES[kind]
    unused = (table.c.account == account, table.c.totp_used < step)
    if not connection.execute(update(table).where(*unused).values(totp_used=step)).rowcount:
        raise WrongSecret
