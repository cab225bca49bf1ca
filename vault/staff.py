"""How workers and administrators enter: a code that is no secret, six drawn words, and a second thing.

The second thing is a one-time password, the six other words of the printed sheet, or an authenticator (`vault.entering`).
Whoever has lost one of them enters with the other two. The words open their keys; the rest guards the pages. An unknown code, wrong
words, a wrong password: one refusal.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection, Table, select, update

from crypto.errors import Malformed, Undecryptable
from crypto.keys import AccountSecret, Password
from crypto.unlock import WORKER_WORDS, Kind, words_password
from storage.tables import administrators, workers
from vault import accounts, audit, labels, one_time, passkeys, resealing, sessions, slots, wordlist
from vault.accounts import NewAccount
from vault.context import Context
from vault.errors import BadInput, WrongSecret
from vault.events import Event
from vault.slots import Slot
from vault.trying import Attempt, attempt, refuse, settle

StaffKind = Literal["worker", "administrator"]
Admit = Callable[[Connection, str], str]
"""Gives the first name of an account that may come in, or raises to refuse."""
TABLES: dict[StaffKind, Table] = {"worker": workers, "administrator": administrators}
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # nothing that is read for something else
CODE_LETTERS = 6


@dataclass(frozen=True)
class Sheet:
    """What is printed and kept apart, for the day when the telephone or the words are gone: a code of its own, six other words."""

    code: str
    words: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Drawn:
    """What is drawn for somebody and shown once: a sign-in code, six words, the seed of one-time passwords, the sheet."""

    code: str
    words: tuple[str, ...] = field(repr=False)
    totp: bytes = field(repr=False)
    sheet: "Sheet"

    @property
    def totp_uri(self) -> str:
        """What the QR code for an authenticator says."""
        return one_time.uri(self.totp, self.code)


def draw(connection: Connection) -> Drawn:
    """Draw a code that nobody has, words, a seed, and the sheet."""
    return Drawn(new_code(connection), wordlist.draw(WORKER_WORDS), one_time.new_seed(), draw_sheet(connection))


def draw_sheet(connection: Connection) -> Sheet:
    """Draw what is printed on a sheet."""
    return Sheet(new_code(connection), wordlist.draw(WORKER_WORDS))


def new_code(connection: Connection) -> str:
    """A code that nobody has had."""
    while slots.known(connection, shown_digest(code := draw_letters(CODE_LETTERS))):
        pass
    return code


def draw_letters(count: int) -> str:
    """Letters and digits drawn by chance."""
    return "".join(secrets.choice(ALPHABET) for _ in range(count))


def shown_digest(code: str) -> str:
    """What attempts with a sign-in code are counted by; as it was typed."""
    return hashlib.sha256(labels.sign_in_code(code=code.strip().upper())).hexdigest()


def make_account(context: Context, kind: StaffKind, drawn: Drawn) -> tuple[NewAccount, list[Slot]]:
    """An account and its two ways in, which no row knows yet."""
    new = accounts.draw(context, kind)
    ways = [way_by_words(context, new.id, new.secret, one.code, one.words, kind) for one in (drawn, drawn.sheet)]
    return new, ways


def way_by_words(
    context: Context, account: str, secret: AccountSecret, code: str, words: Sequence[str], crowd: str | None
) -> Slot:  # fmt: skip
    """A way in by a code and six words, not kept yet."""
    password = words_password(words)
    return slots.make(context, account, Kind.PASSPHRASE, secret, password, shown=shown_digest(code), kiosk=crowd)


def sign_in(
    context: Context,
    kind: StaffKind,
    code: str,
    words: Sequence[str] | str,
    second: str,
    *,
    kiosk: str | None,
    admit: Admit,
) -> str:
    """Open a session, or refuse: WrongSecret, MustWait, Busy, BadInput. `second`: six digits, or the words of the other paper.

    `code` and `words` are one's own, or those of the sheet. `admit` gives the first name, or raises to refuse.
    """
    # The desks' people wait in a crowd of their own: a machine that guesses there does not close the kiosks.
    crowd, password, other = kiosk or kind, password_of(words), _other_words(second)
    made = attempt(context, crowd, shown_digest(code), Kind.PASSPHRASE, password)
    step, beside = (None, None) if other else (_step(context, kind, made, second), None)
    if other:
        beside = attempt(context, crowd, _other_way(context, made), Kind.PASSPHRASE, other)
    proven = step is not None or (beside is not None and beside.right)
    if not made.right or made.slot is None or made.secret is None or not proven:
        refuse(context, made, kiosk)
    fresh = resealing.fresh_way(context, crowd, made.slot, made.secret, password)
    with slots.given_up(context, fresh), context.database.transaction() as connection:
        settle(connection, made)
        if beside is not None:
            settle(connection, beside)
            slots.used(context, connection, beside.slot)
        if step is not None:
            _use(connection, kind, made.slot.account, step)
        return enter(context, connection, kind, made.slot, made.secret, kiosk=kiosk, admit=admit, fresh=fresh)


def enter(
    context: Context, connection: Connection, kind: StaffKind, way: Slot, secret: AccountSecret, *, kiosk: str | None, admit: Admit,
    fresh: Slot | None = None,
) -> str:  # fmt: skip
    """Open the session of somebody who has proven who they are, in the caller's transaction. `fresh` takes the place of their way in."""
    account = way.account
    name = admit(connection, account)
    resealing.account_keys(connection, account, secret)
    keys = accounts.open_keys(connection, account, secret)
    if fresh is not None:
        slots.keep(context, connection, fresh)
        slots.end(context, connection, [way])
        way = fresh
    slots.used(context, connection, way)
    cookie = sessions.open_for(context, connection, kind=kind, account=account, slot=way.id, kiosk=kiosk, keys=keys)
    audit.record(context, connection, None, Event("worker.signed-in", by=account, by_name=name), worker=account)
    return cookie


def password_of(words: Sequence[str] | str) -> Password:
    """What six words, as somebody typed them, are tried with. BadInput("words") when they are not six."""
    found = wordlist.recognise_all(words)
    if len(found) != WORKER_WORDS:
        raise BadInput("words")
    try:
        return words_password(found)
    except Malformed as error:
        raise BadInput("words") from error


def _other_words(second: str) -> Password | None:
    """The words of the other paper, when somebody typed words; everything else is taken for digits."""
    found = wordlist.recognise_all(second)
    return words_password(found) if len(found) == WORKER_WORDS else None


def _other_way(context: Context, made: Attempt) -> str:
    """What the other paper's words are looked up by. For whoever had the first words wrong, the same work is done on nobody's."""
    with context.database.transaction(read_only=True) as connection:
        ways = slots.living(connection, made.account or "", [Kind.PASSPHRASE], hold=False) if made.right else []
    return next((one.shown for one in ways if one.shown and one.shown != made.shown), shown_digest(draw_letters(CODE_LETTERS)))


def _step(context: Context, kind: StaffKind, made: Attempt, totp: str) -> int | None:
    """The time step of a one-time password; for nobody, the same work is done on a seed drawn for the purpose."""
    table, seed, used, opened = TABLES[kind], one_time.new_seed(), 0, False
    with context.database.transaction(read_only=True) as connection:
        row = connection.execute(
            select(table.c.sealed_totp, table.c.totp_used).where(table.c.account == made.account)
        ).one_or_none()
    if row is not None and made.account is not None:
        with suppress(Undecryptable):  # a damaged seed: no digits are right, and the other ways in are there
            seed, used, opened = one_time.open_seed(context, made.account, row.sealed_totp), row.totp_used, True
    step = one_time.accepted_step(seed, totp, context.clock(), used)
    return step if opened and not _has_better(context, kind, made.account) else None


def _has_better(context: Context, kind: StaffKind, account: str | None) -> bool:
    """Digits can be read out to somebody who asks nicely. An administrator who has an authenticator no longer enters by them."""
    if kind != "administrator":
        return False
    with context.database.transaction(read_only=True) as connection:
        return bool(passkeys.of(connection, account or ""))


def _use(connection: Connection, kind: StaffKind, account: str, step: int) -> None:
    """A code opens one door once, also when two doors are tried in the same instant."""
    table = TABLES[kind]
    unused = (table.c.account == account, table.c.totp_used < step)
    if not connection.execute(update(table).where(*unused).values(totp_used=step)).rowcount:
        raise WrongSecret
