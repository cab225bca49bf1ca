"""Keys of single papers in the hands of workers: one wrap for each share and version, dead with the share's row of the vault."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, select, update

from crypto import contexts, envelope
from crypto.kem import KemPublic
from crypto.keys import FileSecret
from storage.tables import grants, shelf_wraps, versions, wraps
from vault import exposed, outside_wraps
from vault.colleagues import LIVING, reachable
from vault.context import Context
from vault.shelves import OpenShelf


def hand(
    context: Context, connection: Connection, *, person: str, grant: str, worker: str, public: KemPublic, paper: str,
    version: str, secret: FileSecret,
) -> None:  # fmt: skip
    """Wrap F of one version for one worker, through the share's row of the key vault."""
    place = contexts.wrap_paper(person=person, grant=grant, worker=worker, paper=paper, version=version)
    wrap = envelope.grant_paper(public, context.keyvault.derive("grant", grant, place), place, secret)
    connection.execute(insert(wraps).values(grant=grant, version=version, paper=paper, wrap=wrap))


def hand_to_those_who_have(
    context: Context, connection: Connection, *, person: str, paper: str, version: str, secret: FileSecret
) -> None:  # fmt: skip
    """A paper has a new version: whoever could open the one before, by a share that lives, can open this one."""
    living = (
        select(wraps.c.grant, grants.c.worker)
        .join(grants, grants.c.id == wraps.c.grant)
        .where(wraps.c.paper == paper, grants.c.person == person, grants.c.state.in_(LIVING))
        .distinct()
    )
    for grant, worker in connection.execute(living).all():
        public = reachable(context, connection, worker)
        if public is not None:
            hand(
                context, connection, person=person, grant=grant, worker=worker, public=public, paper=paper, version=version,
                secret=secret,
            )  # fmt: skip
    outside_wraps.hand_on(context, connection, person=person, paper=paper, version=version, secret=secret)


def lend(
    context: Context, connection: Connection, one: OpenShelf, grant_id: str, worker: str, public: KemPublic
) -> None:  # fmt: skip
    """Post a drawer's seed to a worker, through the share's row of the key vault: what comes later is covered."""
    place = contexts.wrap_shelf(person=one.person, grant=grant_id, worker=worker, shelf=one.id, epoch=one.epoch)
    wrap = envelope.grant_shelf(public, context.keyvault.derive("grant", grant_id, place), place, one.seed)
    connection.execute(insert(shelf_wraps).values(grant=grant_id, shelf=one.id, epoch=one.epoch, wrap=wrap))


def take_back(context: Context, connection: Connection, papers: Collection[str], grant: str | None = None) -> None:
    """Delete the wraps of these papers, for every share or for one; what they opened waits to be sealed anew."""
    which = [wraps.c.paper.in_(papers)] if grant is None else [wraps.c.paper.in_(papers), wraps.c.grant == grant]
    exposed.mark(context, connection, connection.execute(select(wraps.c.version).where(*which)).scalars().all())
    connection.execute(delete(wraps).where(*which))
    if grant is None:
        outside_wraps.take_back(context, connection, papers)


def take_drawer_back(context: Context, connection: Connection, grant: str) -> bool:
    """Delete what a share holds of a drawer; all that lies there waits to be sealed anew. Tells whether it held one.

    `to_reencrypt` says that the drawer waits for a new epoch: the worker may have kept the seed of the old one.
    """
    held = connection.execute(select(shelf_wraps.c.shelf).where(shelf_wraps.c.grant == grant)).scalars().all()
    if not held:
        return False
    exposed.mark(context, connection, connection.execute(select(versions.c.id).where(versions.c.shelf.in_(held))).scalars().all())
    connection.execute(delete(shelf_wraps).where(shelf_wraps.c.grant == grant))
    connection.execute(update(grants).where(grants.c.id == grant).values(to_reencrypt=True))
    return True
