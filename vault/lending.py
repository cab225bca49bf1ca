"""Drawers that a person lent to the openings with help: each in its present epoch, posted to the slot's own key."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from crypto import contexts, envelope
from crypto.kem import KemPublic, kem_public
from crypto.sealing import post_text
from storage.tables import assist_shelves, assists, slots, workers
from vault import labels
from vault.context import Context
from vault.shelves import OpenShelf


@dataclass(frozen=True)
class Helper:
    """Who opens a lent drawer with its owner: the way in that it was lent to, and their first name."""

    slot: str
    first_name: str


def helper_of(connection: Connection, person: str, shelf: str) -> Helper | None:
    """Who opens this drawer with the person; None when it is lent to nobody. One who is suspended counts: they come back."""
    query = (
        select(assists.c.slot, workers.c.first_name)
        .join(assist_shelves, assist_shelves.c.slot == assists.c.slot)
        .join(slots, slots.c.id == assists.c.slot)
        .join(workers, workers.c.account == assists.c.worker)
        .where(assists.c.person == person, assist_shelves.c.shelf == shelf, slots.c.state == "live")
    )
    row = connection.execute(query).first()
    return Helper(row.slot, row.first_name) if row else None


def lend(context: Context, connection: Connection, slot: str, public: KemPublic, one: OpenShelf) -> None:
    """Lend a drawer in its present epoch to the assisted openings of one slot."""
    place = contexts.assist_shelf(person=one.person, slot=slot, shelf=one.id, epoch=one.epoch)
    name = labels.assisted_drawer(person=one.person, slot=slot, shelf=one.id)
    connection.execute(
        insert(assist_shelves).values(
            slot=slot, shelf=one.id, epoch=one.epoch,
            wrap=envelope.assist_shelf(public, context.keyvault.derive("slot", slot, place), place, one.seed),
            kind=post_text(public, context.keyvault.derive("slot", slot, name), name, one.kind),
        )
    )  # fmt: skip


def lend_again(context: Context, connection: Connection, new: OpenShelf) -> None:
    """A drawer has a new epoch: who was lent it has the new one, and nobody keeps the old."""
    query = select(assists.c.slot, assists.c.public_key).join(assist_shelves, assist_shelves.c.slot == assists.c.slot)
    rows = connection.execute(query.where(assist_shelves.c.shelf == new.id).distinct()).all()
    connection.execute(delete(assist_shelves).where(assist_shelves.c.shelf == new.id))
    for row in rows:
        lend(context, connection, row.slot, kem_public(row.public_key), new)
