"""Authenticators of workers and administrators, as rows: a key on a ring, a telephone, the computer's own.

One that derives a secret for us (the PRF extension) has a way in beside it, of kind `prf`, and opens its account alone. One that does not
is a second thing beside six words.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from crypto.errors import Undecryptable
from crypto.keys import AccountSecret
from crypto.unlock import Cost, Kind, new_salt, prf_stretched
from storage.errors import RowGone
from storage.tables import accounts, passkeys
from vault import attempts, ceremonies, labels, typed
from vault import slots as ways
from vault.ceremonies import Answer, Registered
from vault.context import Context
from vault.errors import BadInput, NotThere, WrongSecret
from vault.sessions import Session
from vault.settings import today_in_paris
from vault.slots import Slot

NAME_LETTERS = 40
AT_MOST = 6  # more than anybody carries; a list that nobody reads to its end protects nothing


@dataclass(frozen=True)
class Passkey:
    """One authenticator of one account. `slot`: the way in that it opens by itself."""

    id: str
    account: str
    credential: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    uses: int
    slot: str | None


def digest(credential: bytes) -> str:
    """What a credential is looked up by, and what lines about wrong answers are counted by."""
    return hashlib.sha256(labels.passkey(credential=credential.hex())).hexdigest()


def of(connection: Connection, account: str) -> list[Passkey]:
    """The authenticators of an account, the oldest first."""
    query = select(passkeys).where(passkeys.c.account == account).order_by(passkeys.c.created, passkeys.c.id)
    return [_passkey(row) for row in connection.execute(query)]


def keep(context: Context, connection: Connection, account: str, found: Registered, name: str, slot: str | None) -> str:
    """Write a new authenticator's row. BadInput when it is known already, or when there are six."""
    shown = digest(found.credential)
    if connection.execute(select(passkeys.c.id).where(passkeys.c.credential_digest == shown)).first() is not None:
        raise BadInput("key", "keys.known")
    if len(of(connection, account)) >= AT_MOST:
        raise BadInput("key", "keys.too_many")
    new = context.new_id()
    connection.execute(
        insert(passkeys).values(
            id=new, account=account, credential_digest=shown, credential=found.credential, public_key=found.public_key,
            uses=found.uses, slot=slot, name=checked_name(name), created=today_in_paris(context.clock()), used=None,
        )
    )  # fmt: skip
    return new


def rename(connection: Connection, account: str, passkey: str, name: str) -> None:
    """What its owner calls it. NotThere for another's."""
    mine = (passkeys.c.id == passkey, passkeys.c.account == account)
    if not connection.execute(update(passkeys).where(*mine).values(name=checked_name(name))).rowcount:
        raise NotThere


def remove(context: Context, connection: Connection, account: str, passkey: str, *, besides: Session | None = None) -> None:
    """An authenticator opens nothing any more: its row goes, and the way in that it opened ends. NotThere for another's."""
    found = next((one for one in of(connection, account) if one.id == passkey), None)
    if found is None:
        raise NotThere
    connection.execute(delete(passkeys).where(passkeys.c.id == passkey))
    ended = [one for one in ways.living(connection, account, [Kind.PRF]) if one.id == found.slot]
    ways.end(context, connection, ended, besides=besides)


def move(connection: Connection, passkey: str, slot: str) -> None:
    """The way in that an authenticator opens was sealed again, under another id."""
    connection.execute(update(passkeys).where(passkeys.c.id == passkey).values(slot=slot))


def forget(connection: Connection, account: str) -> None:
    """The account ended: its authenticators are nobody's. Its ways in end by themselves."""
    connection.execute(delete(passkeys).where(passkeys.c.account == account))


def checked_name(name: str) -> str:
    """A name that a list can show."""
    return typed.line(name, "name", NAME_LETTERS, empty="keys.bad_name", long="keys.bad_name")


def check(context: Context, challenge: bytes, answer: Answer, *, kind: str, account: str | None = None) -> Passkey:
    """Whose authenticator answered: one of this kind of account (of this very `account`, when it is given), verified.

    WrongSecret for every other answer; a count of uses that does not go on is a copy of the authenticator, and is refused too. Nobody
    waits: a signature is not guessed, and the credential is told to whoever types a sign-in code.
    """
    shown = digest(ceremonies.credential_of(answer))
    with context.database.transaction(read_only=True) as connection:
        query = select(passkeys, accounts.c.kind, accounts.c.state).join(accounts, accounts.c.id == passkeys.c.account)
        row = connection.execute(query.where(passkeys.c.credential_digest == shown)).one_or_none()
    if row is None or row.kind != kind or row.state != "open" or (account is not None and row.account != account):
        raise WrongSecret
    uses = ceremonies.asserted(
        context, challenge, answer, account=row.account, public_key=row.public_key, uses=row.uses
    )  # fmt: skip
    with context.database.transaction() as connection:
        _use(context, connection, row, uses)
        attempts.forget(connection, shown)
    return _passkey(row)


def _use(context: Context, connection: Connection, row: Row[Any], uses: int) -> None:
    """Count one use. Of two answers in the same instant, the one that comes second counts from what the first one left."""
    same = (passkeys.c.id == row.id, passkeys.c.uses == row.uses)
    values = {"uses": uses, "used": today_in_paris(context.clock())}
    if not connection.execute(update(passkeys).where(*same).values(**values)).rowcount:
        raise WrongSecret


def opened_by(context: Context, key: Passkey, answer: Answer) -> tuple[Slot, AccountSecret] | None:
    """The way in that an authenticator opens by itself, and the account secret; None when it opens none. WrongSecret for a wrong one."""
    derived = answer.secret
    if key.slot is None or derived is None:
        return None
    with context.database.transaction(read_only=True) as connection:
        living = ways.living(connection, key.account, [Kind.PRF], hold=False)
    way = next((one for one in living if one.id == key.slot), None)
    if way is None:
        return None
    try:
        return way, ways.open_with(way, ways.key_of(context, way, prf_stretched(derived)))
    except (Undecryptable, RowGone) as error:
        raise WrongSecret from error


def new_way(context: Context, account: str, secret: AccountSecret, derived: bytes) -> Slot:
    """A way in by an authenticator's own secret, not kept yet."""
    return ways.seal(context, account, Kind.PRF, secret, prf_stretched(derived), cost=Cost.none(), salt=new_salt())


def asked_for(context: Context, connection: Connection, code: str) -> Sequence[bytes]:
    """The credentials to ask for, for somebody who typed a sign-in code; as many of nobody's when it has none."""
    from vault.staff import shown_digest  # it knows how codes are looked up, and knows this module

    way = ways.find(connection, shown_digest(code), [Kind.PASSPHRASE], hold=False)
    found = [one.credential for one in of(connection, way.account)] if way else []
    seal = context.settings.service_seal
    return found or [ceremonies.nobodys(seal, code, number) for number in range(2)]


def _passkey(row: Row[Any]) -> Passkey:
    return Passkey(row.id, row.account, row.credential, row.public_key, row.uses, row.slot)
