"""Administrators who come later, and who leave: two of those who stay sign, each with their words and a second thing.

By the command line, on the machine that may write the file of public keys. The authority goes first when somebody leaves (the file),
then the account; when somebody comes the account first, then the file. Stopped in between, `add` leaves an account that signs nothing, and
`remove` goes on when it is run again.
"""

import datetime as dt
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, delete, select, update

from crypto.errors import BadSignature, Malformed
from crypto.signing import Signer
from crypto.statements import RootKey
from storage.tables import accounts, administrators, passkeys
from vault import administrators as office
from vault import audit, root_keys, sessions, slots
from vault.administrators import NewAdministrator
from vault.context import Context
from vault.errors import BadInput, Conflict, NotAllowed, NotThere
from vault.events import Event
from vault.sessions import Session

ADDED, REMOVED = "administrator.added", "administrator.removed"


@dataclass(frozen=True)
class Signs:
    """How one of those who sign shows who they are: their sign-in code, six words, and six digits or the words of the sheet."""

    code: str
    words: str = field(repr=False)
    second: str = field(repr=False)


@dataclass(frozen=True)
class Line:
    """An administrator as the command lists them. `key`: signs, left, or none (an account that nobody signed for)."""

    code: str
    first_name: str
    key: str


def add(
    context: Context, place: Path, by: Sequence[Signs], first_name: str, today: dt.date,
    show: Callable[[NewAdministrator], None] = lambda _: None,
) -> NewAdministrator:  # fmt: skip
    """Name an administrator of the operator of those who sign. NotAllowed, WrongSecret, BadInput.

    `show` hands over what is given once. The key becomes a root key after that: no key is ever one whose words nobody has seen.
    """
    office.checked_name(first_name)
    signers = _signed_in(context, place, by)
    try:
        operator = _operator(context, signers)
        made = office.create(context, operator, first_name, lambda connection: _record(context, connection, signers, ADDED))
    finally:
        _leave(context, signers)
    show(made)
    said = RootKey(made.id, root_keys.ADDED, made.sign_public, today.isoformat(), root_keys.digest(_known(place).roots))
    _write(place, said, signers)
    return made


def remove(context: Context, place: Path, by: Sequence[Signs], code: str, today: dt.date) -> None:
    """Take an administrator out: they sign nothing and enter no more; what they signed goes on holding.

    NotThere for a code of nobody, Conflict for one of those who sign. Safe to run again: it takes up where it stopped.
    """
    signers = _signed_in(context, place, by)
    try:
        gone = _named(context, _operator(context, signers), code)
        if gone in {one.account for one in signers}:
            raise Conflict
        known = _known(place)
        if gone in known.roots:
            said = RootKey(gone, root_keys.REMOVED, known.roots[gone], today.isoformat(), root_keys.digest(known.roots))
            _write(place, said, signers)
        with context.database.transaction() as connection:
            slots.end(context, connection, slots.living(connection, gone))
            sessions.end_all(context, connection, account=gone)
            connection.execute(delete(passkeys).where(passkeys.c.account == gone))
            connection.execute(update(accounts).where(accounts.c.id == gone).values(state="ended"))
            left = {"sealed_totp": b"", "left_on": today}  # the seed opens nothing any more; the name goes with `forgetting`
            connection.execute(update(administrators).where(administrators.c.account == gone).values(**left))
            _record(context, connection, signers, REMOVED)
    finally:
        _leave(context, signers)


def listed(context: Context, place: Path) -> list[Line]:
    """Every administrator's account, and whether its key signs."""
    known = _known(place)
    query = select(administrators.c.account, administrators.c.code, administrators.c.first_name).order_by(administrators.c.code)
    with context.database.transaction(read_only=True) as connection:
        rows = connection.execute(query).all()
    state = {**dict.fromkeys(known.former, "left"), **dict.fromkeys(known.roots, "signs")}
    return [Line(row.code, row.first_name, state.get(row.account, "none")) for row in rows]


def _signed_in(context: Context, place: Path, by: Sequence[Signs]) -> list[Session]:
    """Two different administrators whose keys are root keys today, each in a session that ends with the command."""
    signers: list[Session] = []
    try:
        for one in by:
            signers.append(sessions.find(context, office.sign_in(context, one.code, one.words, one.second)))
        roots = _known(place).roots
        if len({one.account for one in signers}) != root_keys.SIGNED_BY:
            raise BadInput("administrator")
        if any(roots.get(one.account) != Signer(office.check(one).sign).public for one in signers):
            raise NotAllowed
    except BaseException:
        _leave(context, signers)
        raise
    return signers


def _operator(context: Context, signers: Sequence[Session]) -> str:
    with context.database.transaction(read_only=True) as connection:
        found = {office.operator_of(connection, one) for one in signers}
    if len(found) != 1:
        raise NotAllowed  # a certificate takes two of one operator
    return found.pop()


def _named(context: Context, operator: str, code: str) -> str:
    wanted = (administrators.c.code == code.strip().upper(), administrators.c.operator == operator)
    with context.database.transaction(read_only=True) as connection:
        found = connection.execute(select(administrators.c.account).where(*wanted)).scalar_one_or_none()
    if found is None:
        raise NotThere
    return str(found)


def _leave(context: Context, signers: Sequence[Session]) -> None:
    for one in signers:
        sessions.end(context, one)


def _record(context: Context, connection: Connection, signers: Sequence[Session], tag: str) -> None:
    for one in signers:
        event = Event(tag, by=one.account, by_name=office.first_name(connection, one.account))
        audit.record(context, connection, one, event, worker=one.account)


def _known(place: Path) -> root_keys.Known:
    try:
        return root_keys.read(json.loads(place.read_text()))
    except (BadSignature, Malformed, KeyError, TypeError, ValueError) as error:
        raise NotAllowed from error


def _write(place: Path, said: RootKey, signers: Sequence[Session]) -> None:
    """The file is the old one or the new one, on the disk too."""
    change = root_keys.Change(said, {one.account: Signer(one.opened().sign).sign(said) for one in signers})
    text = root_keys.written(root_keys.changed(json.loads(place.read_text()), change))
    part = place.with_name(f".{place.name}.part")
    with part.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.chmod(place.stat().st_mode & 0o777)
    part.replace(place)
