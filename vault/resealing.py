"""What an unlock sets right by the way: a slot that costs less than the settings ask for, and values sealed by an algorithm of before.

Nothing is done to who does not come: the old cost and the old algorithm go on opening. Each change is made in the transaction of the
unlock, so that a power cut leaves the old slot or the new one, never neither.
"""

from contextlib import suppress

from sqlalchemy import Connection, select, update

from crypto import contexts
from crypto.keys import AccountKeys, AccountSecret, Password, SealedAccountKeys, open_account_keys, seal_account_keys
from crypto.sealing import outdated, seal, unseal, unseal_text
from storage.tables import accounts, papers, persons, shelves, versions
from storage.tables import slots as ways
from vault import account_numbers, labels, slots
from vault import shelves as drawers
from vault.bindings import wrap_place
from vault.context import Context
from vault.errors import Busy
from vault.slots import Slot


def fresh_way(context: Context, kiosk: str | None, slot: Slot, secret: AccountSecret, password: Password) -> Slot | None:
    """The same way at today's cost and by today's algorithm, not kept yet; None when it is so already, or when the queue is full."""
    if slot.cost == context.settings.cost and slot.sealed is not None and not outdated(slot.sealed):
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


def own_values(connection: Connection, person: str, keys: AccountKeys) -> int:
    """Everything that the person's own keys seal: name, drawing, number, proof, drawers, notes, wraps of papers. Gives how many."""
    return _face(connection, person, keys) + _drawers(connection, person, keys) + _papers(connection, person, keys)


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


def _again(key: bytes, place: bytes, sealed: bytes) -> bytes:
    return seal(key, place, unseal(key, place, sealed))


def _face(connection: Connection, person: str, keys: AccountKeys) -> int:
    places = {
        "sealed_name": contexts.name(person=person, id=person),
        "sealed_drawing": contexts.drawing(person=person, id=person),
        "sealed_number": labels.preference(person=person, name="number"),
        "sealed_conditions": labels.preference(person=person, name="conditions"),
    }
    row = connection.execute(select(persons).where(persons.c.account == person)).mappings().one()
    old = {name: place for name, place in places.items() if row[name] is not None and outdated(row[name])}
    if old:
        values = {name: _again(keys.values, place, row[name]) for name, place in old.items()}
        connection.execute(update(persons).where(persons.c.account == person).values(**values))
    return len(old)


def _drawers(connection: Connection, person: str, keys: AccountKeys) -> int:
    done = 0
    for row in connection.execute(select(shelves).where(shelves.c.person == person)).mappings().all():
        places = {
            "sealed_kind": contexts.shelf_name(person=person, id=row["id"]),
            "sealed_seed": contexts.shelf(person=person, shelf=row["id"], epoch=row["epoch"]),
        }
        values = {name: _again(keys.values, place, row[name]) for name, place in places.items() if outdated(row[name])}
        if values:
            connection.execute(update(shelves).where(shelves.c.id == row["id"], shelves.c.epoch == row["epoch"]).values(**values))
            done += len(values)
    return done


def _papers(connection: Connection, person: str, keys: AccountKeys) -> int:
    opened, done = drawers.open_all(connection, person, keys.values), 0
    wrapped = select(versions).join(papers, papers.c.id == versions.c.paper)
    wrapped = wrapped.where(versions.c.person == person, versions.c.wrap_kind == "shelf", papers.c.state != "refused")
    for row in connection.execute(wrapped).all():
        if outdated(row.wrap):
            again = _again(opened.at(row.shelf, row.epoch).key, wrap_place(row), row.wrap)
            connection.execute(update(versions).where(versions.c.id == row.id).values(wrap=again))
            done += 1
    return done
