"""What an unlock sets right by the way: a slot that costs less than the settings ask for, and keys sealed by an algorithm of before.

Nothing is done to who does not come: the old cost and the old algorithm go on opening. Each change is made in the transaction of the
unlock, so that a power cut leaves the old slot or the new one, never neither.
"""

from contextlib import suppress

from sqlalchemy import Connection, select, update

from crypto.keys import AccountKeys, AccountSecret, Password, SealedAccountKeys, open_account_keys, seal_account_keys
from crypto.sealing import outdated, unseal_text
from storage.tables import accounts, persons
from storage.tables import slots as ways
from vault import account_numbers, labels, slots
from vault.context import Context
from vault.errors import Busy
from vault.slots import Slot


def fresh_way(
    context: Context, kiosk: str | None, slot: Slot, secret: AccountSecret, password: Password, *, due: bool = False
) -> Slot | None:
    """The same way at today's cost and by today's algorithm, not kept yet; None when it is so already, or when the queue is full.

    `due`: another row of the key vault and another salt are wanted anyway.
    """
    if not due and slot.cost == context.settings.cost and slot.sealed is not None and not outdated(slot.sealed):
        return None
    with suppress(Busy):  # another unlock will do it
        return slots.make(context, slot.account, slot.kind, secret, password, shown=slot.shown, kiosk=kiosk)
    return None


def account_keys(connection: Connection, account: str, secret: AccountSecret) -> None:
    """The three keys of an account are sealed again, when an algorithm of before sealed one of them."""
    row = connection.execute(select(accounts).where(accounts.c.id == account)).one()
    sealed = SealedAccountKeys(row.sealed_kem, row.sealed_sign, row.sealed_values)
    if not any(outdated(one) for one in vars(sealed).values()):
        return
    new = seal_account_keys(secret, account, open_account_keys(secret, account, sealed))
    values = {"sealed_kem": new.kem, "sealed_sign": new.sign, "sealed_values": new.values}
    connection.execute(update(accounts).where(accounts.c.id == account).values(**values))


def number(context: Context, connection: Connection, person: str, keys: AccountKeys) -> bool:
    """After the service's keys have turned: the account number is known by the present one. Tells whether something changed."""
    if not context.settings.earlier:
        return False
    row = connection.execute(select(persons.c.number_digest, persons.c.sealed_number).where(persons.c.account == person)).one()
    if row.sealed_number is None:
        return False
    today = account_numbers.digest(
        context, unseal_text(keys.values, labels.preference(person=person, name="number"), row.sealed_number)
    )
    if row.number_digest == today:
        return False
    connection.execute(update(persons).where(persons.c.account == person).values(number_digest=today))
    words = (ways.c.account == person, ways.c.shown_digest == row.number_digest)
    connection.execute(update(ways).where(*words).values(shown_digest=today))
    return True
