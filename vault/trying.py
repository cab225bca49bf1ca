"""One attempt at a secret, from the count to the answer: the same steps, the same time and the same refusal for everybody.

A place in the queue; then the attempt is counted and committed; then the derivation, against a living way or against one that
does not exist; then, when it was wrong, an entry in the person's history, or as much work for nobody's. Nothing tells which.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, NoReturn

from sqlalchemy import Connection, select, update

from crypto import contexts
from crypto.errors import Undecryptable
from crypto.keys import AccountSecret, Kek, Password
from crypto.unlock import SALT_BYTES, Kind, check_veto, rest_of, stretch
from storage.errors import RowGone
from storage.tables import accounts, persons
from storage.tables import slots as rows
from vault import attempts, audit, freezing, mourning, notices, slots
from vault.context import NOBODY, Context
from vault.errors import WrongSecret
from vault.events import Event
from vault.notices import Notice
from vault.places import place_of
from vault.slots import Slot

ENDS_AFTER = 20  # wrong ones between two right ones, however long they take
ONLY_SLOWED = (Kind.WORDS, Kind.PASSPHRASE)  # 55 bits and more: nobody gets there by trying


@dataclass(frozen=True)
class Attempt:
    """What came of it. `account`: whose way was shown; `slot`: the way it was tried on; `secret`: what a right one opened."""

    shown: str = field(repr=False)
    counted: int
    account: str | None = None
    kind: str = "person"
    slot: Slot | None = None
    kek: Kek | None = field(default=None, repr=False)
    secret: AccountSecret | None = field(default=None, repr=False)
    right: bool = False
    frozen: dt.datetime | None = None  # since when the safe was blocked as this began


@dataclass(frozen=True)
class Tried:
    """A right attempt. `secret` is None when the way no longer seals one (an old card that may only say stop). `frozen`: since when
    the safe was blocked as the attempt began; a later block is not lifted by it."""

    slot: Slot
    shown: str = field(repr=False)
    kek: Kek = field(repr=False)
    secret: AccountSecret | None = field(repr=False)
    frozen: dt.datetime | None


def attempt(
    context: Context,
    kiosk: str | None,
    shown: str,
    kind: Kind,
    password: Password,
    *,
    states: Sequence[str] = slots.LIVE,
    frozen: bool = False,
) -> Attempt:
    """Try a secret. Raises Busy and MustWait; a wrong one is an answer, so that another check can be made before `refuse`.

    `states`: of the ways that may answer. `frozen`: the ways of a frozen safe answer too.
    """
    attempts.refuse_if_waiting(context, shown)
    with context.derivations.turn(kiosk):
        with context.database.transaction() as connection:
            counted = attempts.count(context, connection, shown)
            known = slots.find(connection, shown, Kind, states)
            account = _account(connection, known)
            answers = account is not None and _answers(context, connection, known, account, states, frozen=frozen)
            slot = known if known and answers and known.kind == kind else None
            if slot and slot.wrong >= ENDS_AFTER and slot.kind not in ONLY_SLOWED:
                slot = None  # its twentieth wrong one was counted, and the process died before it could end: `refuse` ends it
            one_more = update(rows).where(rows.c.id == (slot.id if slot else NOBODY))
            connection.execute(one_more.values(wrong_in_a_row=rows.c.wrong_in_a_row + 1))
        owner, kind_of_account = (known.account if known else None), (account.kind if account else "person")
        made = Attempt(shown, counted, owner, kind_of_account, slot, frozen=account.frozen if account else None)
        return _derive(context, made, password)


class _Account(NamedTuple):
    kind: str
    state: str
    frozen: dt.datetime | None


def _account(connection: Connection, slot: Slot | None) -> _Account | None:
    """What a way belongs to; nobody's is asked for too."""
    query = select(accounts.c.kind, accounts.c.state, persons.c.frozen).outerjoin(persons, persons.c.account == accounts.c.id)
    row = connection.execute(query.where(accounts.c.id == (slot.account if slot else NOBODY))).one_or_none()
    return _Account(row.kind, row.state, row.frozen) if row else None


def _answers(
    context: Context, connection: Connection, slot: Slot | None, account: _Account, states: Sequence[str], *, frozen: bool
) -> bool:
    if slot is None:
        return False
    if tuple(states) != slots.LIVE:
        return True  # whoever asks for ways in another state knows what the account is going through
    state = account.state
    if state == mourning.STATE:  # whoever was wrongly reported dead comes back as on any day, unless the safe was frozen before
        state = "frozen" if account.frozen is not None else "open"
    return state == "open" or (state == "frozen" and (frozen or freezing.thaws_alone(context, connection, slot.account)))


def _derive(context: Context, made: Attempt, password: Password) -> Attempt:
    slot = made.slot or Slot(NOBODY, NOBODY, Kind.CARD_PIN, None, bytes(SALT_BYTES), context.settings.cost, None)
    stretched = stretch(password, slot.salt, slot.cost)
    if rest := rest_of(slot.cost, context.settings.cost):
        stretch(password, bytes(SALT_BYTES), rest)  # a way of before today's cost: time would tell else that it lives
    try:
        key = slots.key_of(context, slot, stretched)
        if slot.state == "live" or (slot.state == "leaving" and slot.sealed is not None):
            return replace(made, kek=key, secret=slots.open_with(slot, key), right=True)
        check_veto(key, contexts.veto(slot=slot.id), bytes.fromhex(slot.veto or ""))
        return replace(made, kek=key, right=True)
    except (RowGone, Undecryptable):
        return made


def refuse(context: Context, made: Attempt, kiosk: str | None) -> NoReturn:
    """Say no. Whoever owns the way that was shown reads it in their history; for nobody, as much work is done and undone."""
    with context.database.transaction() as connection:
        if made.kind == "person":
            _tell_person(context, connection, made, kiosk)
        else:
            audit.record(context, connection, None, Event("worker.sign-in-failed"), worker=made.account)
    raise WrongSecret


def _tell_person(context: Context, connection: Connection, made: Attempt, kiosk: str | None) -> None:
    place, person = place_of(connection, kiosk), made.account
    for tag in ("safe.attempt-failed", "safe.locked")[: 2 if made.counted == attempts.LOCKED_AFTER else 1]:
        event = Event(tag, place=place)
        if person is None:
            audit.rehearse(context, connection, event)
        else:
            audit.record(context, connection, None, event, person=person)
    # It is looked at again: a right attempt in another process may have come in between.
    slot = slots.find(connection, made.shown, (*slots.CARD_KINDS, Kind.ASSIST), [made.slot.state if made.slot else "live"])
    if slot and person and slot.wrong >= ENDS_AFTER:
        slots.end(context, connection, [slot])
        notices.tell(context, connection, person, Notice("help-ended" if slot.kind == Kind.ASSIST else "means-ended"))


def settle(connection: Connection, tried: Tried | Attempt) -> None:
    """The secret was right: counts start again, in the caller's transaction. Raises WrongSecret when the way ended in between."""
    if tried.slot is None:
        raise WrongSecret
    attempts.forget(connection, tried.shown)
    same = (rows.c.id == tried.slot.id, rows.c.state == tried.slot.state)
    if not connection.execute(update(rows).where(*same).values(wrong_in_a_row=0)).rowcount:
        raise WrongSecret


def prove(
    context: Context,
    kiosk: str | None,
    shown: str,
    kind: Kind,
    password: Password,
    *,
    states: Sequence[str] = slots.LIVE,
    frozen: bool = False,
    only: Iterable[str] | None = None,
) -> Tried:
    """Try a secret and refuse a wrong one: WrongSecret, MustWait, Busy. `only`: ids of the ways that may answer."""
    made = attempt(context, kiosk, shown, kind, password, states=states, frozen=frozen)
    if not made.right or made.slot is None or (only is not None and made.slot.id not in only):
        refuse(context, made, kiosk)
    return tried_of(made)


def tried_of(made: Attempt) -> Tried:
    """A right attempt as such. WrongSecret for any other."""
    if not made.right or made.slot is None or made.kek is None:
        raise WrongSecret
    return Tried(made.slot, made.shown, made.kek, made.secret, made.frozen)
