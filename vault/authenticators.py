"""What a worker or an administrator enters with, in their own hands: see it, add an authenticator, take one away, draw another.

Losing one thing must never lose the account, because new keys would make a new worker, and every person concerned would be asked
again. So nothing is taken away that the account would then hang on alone.
"""

import datetime as dt
from collections.abc import Set
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from crypto.canonical import Value
from crypto.keys import AccountSecret
from crypto.unlock import WORKER_WORDS, Kind
from storage.tables import passkeys as key_rows
from storage.tables import slots as way_rows
from vault import (
    administrators,
    audit,
    ceremonies,
    confirming,
    one_time,
    passkeys,
    sessions,
    slots,
    staff,
    wordlist,
    workers,
)
from vault.ceremonies import Answer
from vault.confirming import Act, Proof
from vault.context import Context
from vault.errors import BadInput, Conflict, NoSession, NotAllowed, NotThere
from vault.events import Event
from vault.sessions import STAFF, Session
from vault.staff import Sheet

WORDS, SHEET, DIGITS = "words", "sheet", "digits"
OPENS_ALONE = "+"  # a thing of this beginning is an authenticator that has a secret for us
KEY = "-"  # of this one, an authenticator that has none
ADD, REMOVE, NEW_WORDS, NEW_SHEET, NEW_DIGITS = "key.add", "key.remove", "words.new", "sheet.new", "digits.new"
PLACE = "new-digits"


@dataclass(frozen=True)
class KeyLine:
    """One authenticator, as its owner sees it."""

    id: str
    name: str
    alone: bool
    created: dt.date
    used: dt.date | None
    may_go: bool


@dataclass(frozen=True)
class Held:
    """Everything that somebody enters with. Days are the last on which each was used; None when it never was."""

    code: str
    words: dt.date | None
    sheet: dt.date | None
    has_sheet: bool
    digits: dt.date | None
    digits_count: bool
    keys: tuple[KeyLine, ...]
    possible: bool  # whether an authenticator can be added under the address of these pages


def opens(things: Set[str]) -> bool:
    """Whether these things together open an account: an authenticator with a secret alone; words with anything beside them."""
    if any(one.startswith(OPENS_ALONE) for one in things):
        return True
    secrets = things & {WORDS, SHEET}
    return bool(secrets) and len(things) >= 2


def survives_a_loss(things: Set[str]) -> bool:
    """Whether the account still opens when any one of these is lost."""
    return all(opens(things - {one}) for one in things) and bool(things)


def held(context: Context, session: Session) -> Held:
    """What is in the hands of whoever is signed in."""
    _check(session)
    with context.database.transaction(read_only=True) as connection:
        code = confirming.own_code(connection, session)
        own, sheet = _papers(connection, session, code)
        query = select(key_rows).where(key_rows.c.account == session.account).order_by(key_rows.c.created, key_rows.c.id)
        rows = connection.execute(query).all()
        things = _things(connection, session)
        table = staff.TABLES[_kind(session)]
        step = connection.execute(select(table.c.totp_used).where(table.c.account == session.account)).scalar_one()
    keys = tuple(
        KeyLine(row.id, row.name, row.slot is not None, row.created, row.used, survives_a_loss(_without(things, row.id)))
        for row in rows
    )
    digits = dt.datetime.fromtimestamp(step * one_time.STEP_SECONDS, dt.UTC).date() if step else None
    return Held(
        code, own, sheet.used if sheet else None, sheet is not None, digits, DIGITS in things, keys,
        possible=ceremonies.name_of(context) is not None,
    )  # fmt: skip


# --- Authenticators ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What a browser is asked to add an authenticator: for the new one, and for one that proves who is there (or nothing)."""

    new: str
    known: str


def ask_key(context: Context, session: Session) -> Asked:
    """Before an authenticator is added. Both answers are bound to one challenge, which is good once."""
    act = Act.on(ADD, session.account)
    with context.database.transaction(read_only=True) as connection:
        known = [one.credential for one in passkeys.of(connection, session.account)]
        shown_as = f"{_first_name(connection, session)} ({confirming.own_code(connection, session)})"
    challenge = ceremonies.keep_challenge(context, session, act.purpose)
    new = ceremonies.registration(context, session.account, shown_as, challenge, known)
    return Asked(new, ceremonies.assertion(context, challenge, known) if known else "")


def add_key(context: Context, session: Session, name: str, proof: Proof, answer: Answer) -> bool:
    """One more authenticator. True when it opens the account alone; otherwise it is a second thing beside the words.

    BadInput("name"), BadInput("key"), and what `confirming.confirm` raises: who adds one proves again who they are.
    """
    passkeys.checked_name(name)
    act = Act.on(ADD, session.account)
    challenge = ceremonies.take_challenge(context, session, act.purpose)
    found = ceremonies.registered(context, challenge, answer)
    secret = confirming.confirm_with(context, session, challenge, proof)
    derived = answer.secret
    if derived is not None and secret is None:
        raise BadInput("words", "keys.need_words")  # an authenticator that opens nothing cannot vouch for one that would
    way = passkeys.new_way(context, session.account, secret, derived) if secret and derived else None
    with slots.given_up(context, way), context.database.transaction() as connection:
        if way is not None:
            slots.keep(context, connection, way)
        passkeys.keep(context, connection, session.account, found, name, way.id if way else None)
        _record(context, connection, session, "worker.key-added")
    return way is not None


def rename_key(context: Context, session: Session, passkey: str, name: str) -> None:
    """Call it otherwise. NotThere, BadInput("name")."""
    _check(session)
    with context.database.transaction() as connection:
        passkeys.rename(connection, session.account, passkey, name)


def removal(session: Session, passkey: str) -> Act:
    """What is confirmed when an authenticator is taken away."""
    return Act.on(REMOVE, session.account, passkey)


def remove_key(context: Context, session: Session, passkey: str, proof: Proof) -> None:
    """This authenticator opens nothing any more. Conflict when the account would then hang on one thing; NotThere for another's."""
    _check(session)
    confirming.confirm(context, session, removal(session, passkey), proof)
    with context.database.transaction() as connection:
        things = _things(connection, session, hold=True)
        if not survives_a_loss(_without(things, passkey)):
            raise Conflict
        passkeys.remove(context, connection, session.account, passkey, besides=session)
        _record(context, connection, session, "worker.key-removed")


# --- Papers: words and sheet ------------------------------------------------------------------------------------------------


def drawing(session: Session, what: str) -> Act:
    """What is confirmed when words, a sheet or digits are drawn again."""
    if what not in (NEW_WORDS, NEW_SHEET, NEW_DIGITS):
        raise NotThere
    return Act.on(what, session.account)


def new_words(context: Context, session: Session, proof: Proof) -> tuple[str, ...]:
    """Six other words for the same code; those of before open nothing any more. Needs a proof that opens."""
    secret = _opened(context, session, NEW_WORDS, proof)
    words = wordlist.draw(WORKER_WORDS)
    with context.database.transaction(read_only=True) as connection:
        code = confirming.own_code(connection, session)
    _replace(context, session, secret, code, words, own=True)
    return words


def new_sheet(context: Context, session: Session, proof: Proof) -> Sheet:
    """Another sheet; the one of before opens nothing any more. Needs a proof that opens."""
    secret = _opened(context, session, NEW_SHEET, proof)
    with context.database.transaction(read_only=True) as connection:
        sheet = staff.draw_sheet(connection)
    _replace(context, session, secret, sheet.code, sheet.words, own=False)
    return sheet


def _opened(context: Context, session: Session, what: str, proof: Proof) -> AccountSecret:
    _check(session)
    secret = confirming.confirm(context, session, drawing(session, what), proof)
    if secret is None:
        raise BadInput("words", "keys.need_words")
    return secret


def _replace(context: Context, session: Session, secret: AccountSecret, code: str, words: tuple[str, ...], *, own: bool) -> None:
    """The new way opens, then the old one dies, in one transaction: whatever stops in between, one of them opens."""
    way = staff.way_by_words(context, session.account, secret, code, words, session.kiosk or session.kind)
    with slots.given_up(context, way), context.database.transaction() as connection:
        mine = staff.shown_digest(confirming.own_code(connection, session))
        papers = slots.living(connection, session.account, [Kind.PASSPHRASE])
        slots.keep(context, connection, way)
        slots.end(context, connection, [one for one in papers if (one.shown == mine) is own], besides=session)
        _record(context, connection, session, "worker.means-renewed")


# --- Digits -----------------------------------------------------------------------------------------------------------------


def start_digits(context: Context, session: Session, proof: Proof) -> None:
    """Draw another seed for an application; it counts once its digits have been typed. Those of before count until then."""
    _check(session)
    confirming.confirm(context, session, drawing(session, NEW_DIGITS), proof)
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        state[PLACE] = one_time.new_seed().hex()
        sessions.write_state(connection, session, state)


def digits_uri(context: Context, session: Session) -> str:
    """What the square for the application says. NoSession when nothing was started."""
    _check(session)
    with context.database.transaction(read_only=True) as connection:
        seed = _seed(sessions.read_state(connection, session, hold=False))
        return one_time.uri(seed, confirming.own_code(connection, session))


def finish_digits(context: Context, session: Session, typed: str) -> None:
    """The application answers: from now on its digits count. BadInput("totp")."""
    _check(session)
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        seed = _seed(state)
        step = one_time.accepted_step(seed, typed, context.clock(), used=0)
        if step is None:
            raise BadInput("totp", "error.totp-differs")
        table = staff.TABLES[_kind(session)]
        values = {"sealed_totp": one_time.seal_seed(context, session.account, seed), "totp_used": step}
        connection.execute(update(table).where(table.c.account == session.account).values(**values))
        del state[PLACE]
        sessions.write_state(connection, session, state)
        _record(context, connection, session, "worker.means-renewed")


def _seed(state: dict[str, Value]) -> bytes:
    kept = state.get(PLACE)
    if not isinstance(kept, str):
        raise NoSession
    return bytes.fromhex(kept)


# --- Inside -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Paper:
    used: dt.date | None


def _papers(connection: Connection, session: Session, code: str) -> tuple[dt.date | None, _Paper | None]:
    wanted = (way_rows.c.account == session.account, way_rows.c.state == "live", way_rows.c.kind == Kind.PASSPHRASE.value)
    rows = connection.execute(select(way_rows.c.shown_digest, way_rows.c.used).where(*wanted)).all()
    mine = staff.shown_digest(code)
    own = next((row.used for row in rows if row.shown_digest == mine), None)
    sheet = next((_Paper(row.used) for row in rows if row.shown_digest != mine), None)
    return own, sheet


def _things(connection: Connection, session: Session, *, hold: bool = False) -> frozenset[str]:
    mine = staff.shown_digest(confirming.own_code(connection, session))
    ways = slots.living(connection, session.account, [Kind.PASSPHRASE, Kind.PRF], hold=hold)
    found = {WORDS if one.shown == mine else SHEET for one in ways if one.kind == Kind.PASSPHRASE}
    alone = {one.id for one in ways if one.kind == Kind.PRF}
    keys = passkeys.of(connection, session.account)
    found |= {(OPENS_ALONE if one.slot in alone else KEY) + one.id for one in keys}
    if session.kind == "worker" or not keys:
        found.add(DIGITS)  # an administrator's digits stop counting when there is an authenticator
    return frozenset(found)


def _without(things: frozenset[str], passkey: str) -> frozenset[str]:
    left = frozenset(one for one in things if one[1:] != passkey)
    keys = [one for one in left if one[0] in (OPENS_ALONE, KEY)]
    return left if keys or len(left) == len(things) else left | {DIGITS}  # without any, an administrator's digits count again


def _kind(session: Session) -> staff.StaffKind:
    return "worker" if session.kind == "worker" else "administrator"


def _first_name(connection: Connection, session: Session) -> str:
    if session.kind == "worker":
        return workers.shown(connection, session.account).first_name
    return administrators.first_name(connection, session.account)


def _record(context: Context, connection: Connection, session: Session, tag: str) -> None:
    event = Event(tag, by=session.account, by_name=_first_name(connection, session))
    audit.record(context, connection, session, event, worker=session.account)


def _check(session: Session) -> None:
    if session.kind not in STAFF:
        raise NotAllowed
