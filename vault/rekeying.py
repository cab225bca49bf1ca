"""The three keys of a person's account turn: new ones are drawn, and all that the old ones sealed is sealed anew.

In the transaction of whoever asks: "je me protège", or an unlock once the service has asked for it (`abri keys accounts`). A power cut
leaves the old keys or the new ones, whole. Each drawer begins an epoch, so that F of every paper is wrapped under a new seed; papers
themselves are sealed anew one by one afterwards, as after a share that was taken back. What the old keys signed goes on verifying: the
old signing key signs the new pair (`crypto.person_keys`). Shares, guardians, receipts and history stay.
"""

import datetime as dt
from contextlib import suppress

from sqlalchemy import Connection, select, update

from crypto.errors import CryptoError
from crypto.kem import KemPrivate
from crypto.keys import AccountKeys, AccountSecret, KemSeed
from crypto.sealing import unseal
from storage.tables import accounts, earlier_keys
from vault import accounts as keepers
from vault import audit, belongings, labels, reencryption, shelves
from vault.context import Context
from vault.events import Event

RENEWED = "means.keys-renewed"
POSTED_BY_THEN = dt.timedelta(hours=1)  # no request that read the old public key is still under way after that


def renew(
    context: Context, connection: Connection, person: str, secret: AccountSecret, *, under: AccountSecret | None = None
) -> AccountKeys:  # fmt: skip
    """Draw new keys, sealed under the account's secret or `under` a new one; gives them. The person's sessions hold the old ones:
    the caller opens another. Ways in seal the secret, not the keys: with another secret, the caller ends them."""
    connection.execute(select(accounts.c.id).where(accounts.c.id == person).with_for_update())
    shelves.hold_all(connection, person)
    old = keepers.open_keys(connection, person, secret)
    new = keepers.replace_keys(context, connection, person, old, under or secret)
    for one in list(belongings.of_values(connection, person)):
        with suppress(CryptoError):  # planted or damaged: it stays as unreadable as it was
            one.write(connection, belongings.sealed_again(one, old.values, new.values))
    private = KemPrivate(new.kem)
    belongings.move_posts(
        context, connection, belongings.of_post(context, connection, person), KemPrivate(old.kem), private.public
    )
    reencryption.renew_all_drawers(context, connection, person, new)
    audit.record(context, connection, None, Event(RENEWED, by=person), person=person)
    return new


def at_unlock(
    context: Context, connection: Connection, person: str, secret: AccountSecret, keys: AccountKeys
) -> AccountKeys:  # fmt: skip
    """What an unlock does: what was posted while keys turned is moved and the old seed forgotten; keys that are due turn."""
    keys = renew(context, connection, person, secret) if due(connection, person) else keys
    _finish(context, connection, person, keys)
    return keys


def due(connection: Connection, account: str) -> bool:
    """Whether the service has asked that these keys turn."""
    return bool(connection.execute(select(accounts.c.keys_due).where(accounts.c.id == account)).scalar_one())


def ask_everyone(context: Context) -> int:
    """The keys of every person turn, each at their next unlock. Gives how many were asked now."""
    with context.database.transaction() as connection:
        theirs = (accounts.c.kind == "person", accounts.c.state.not_in(("half-made", "erasing", "ended")), ~accounts.c.keys_due)
        return connection.execute(update(accounts).where(*theirs).values(keys_due=True)).rowcount


def waiting(context: Context) -> int:
    """How many persons have not come since."""
    with context.database.transaction(read_only=True) as connection:
        return len(connection.scalars(select(accounts.c.id).where(accounts.c.keys_due)).all())


def _finish(context: Context, connection: Connection, person: str, keys: AccountKeys) -> None:
    """Seeds that nobody can be posting to any more: what came last is moved, then they are forgotten."""
    kept = select(earlier_keys.c.serial, earlier_keys.c.sealed_kem).where(
        earlier_keys.c.account == person,
        earlier_keys.c.sealed_kem.is_not(None),
        earlier_keys.c.until <= context.clock() - POSTED_BY_THEN,
    )
    rows = connection.execute(kept).all()
    if not rows:
        return
    public, late = KemPrivate(keys.kem).public, list(belongings.of_post(context, connection, person))
    for row in rows:
        with suppress(CryptoError):
            place = labels.earlier_seed(account=person, serial=str(row.serial))
            seed = KemSeed.opened(unseal(keys.values, place, row.sealed_kem))
            belongings.move_posts(context, connection, late, KemPrivate(seed), public)
    connection.execute(
        update(earlier_keys).where(earlier_keys.c.account == person, earlier_keys.c.serial.in_([row.serial for row in rows]))
        .values(sealed_kem=None)
    )  # fmt: skip
