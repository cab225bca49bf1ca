"""Keys of papers given once to somebody outside: one wrap for each link and version, dead with the link's row of the key vault."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, select

from consent.grant import GrantState
from crypto import contexts, envelope
from crypto.kem import KemPrivate, KemPublic, kem_public
from crypto.keys import FileSecret
from storage.tables import outside_shares, outside_wraps
from vault import exposed
from vault.context import Context
from vault.errors import NotThere
from vault.versions import VersionRow


def hand(
    context: Context, connection: Connection, *, person: str, share: str, public: KemPublic, paper: str, version: str,
    secret: FileSecret,
) -> None:  # fmt: skip
    """Wrap F of one version for one link. The link stands where a worker would: nobody else has that id."""
    place = contexts.wrap_paper(person=person, grant=share, worker=share, paper=paper, version=version)
    wrap = envelope.grant_paper(public, context.keyvault.derive("grant", share, place), place, secret)
    connection.execute(insert(outside_wraps).values(share=share, version=version, paper=paper, wrap=wrap))


def hand_on(
    context: Context, connection: Connection, *, person: str, paper: str, version: str, secret: FileSecret, instead_of: str = ""
) -> None:  # fmt: skip
    """A paper has a new version: the links that live and could open the one before can open this one."""
    living = (
        select(outside_wraps.c.share, outside_shares.c.public_key)
        .join(outside_shares, outside_shares.c.id == outside_wraps.c.share)
        .where(outside_wraps.c.paper == paper, outside_shares.c.person == person)
        .where(outside_shares.c.state == GrantState.GIVEN.value)
        .distinct()
    )
    for share, public in connection.execute(living).all():
        hand(
            context, connection, person=person, share=share, public=kem_public(public), paper=paper, version=version, secret=secret
        )  # fmt: skip
    if instead_of:
        connection.execute(delete(outside_wraps).where(outside_wraps.c.version == instead_of))


def take_back(context: Context, connection: Connection, papers: Collection[str], share: str | None = None) -> None:
    """Delete the wraps of these papers, for every link or for one; what they opened waits to be sealed anew."""
    which = [outside_wraps.c.paper.in_(papers)] + ([outside_wraps.c.share == share] if share else [])
    exposed.mark(context, connection, connection.execute(select(outside_wraps.c.version).where(*which)).scalars().all())
    connection.execute(delete(outside_wraps).where(*which))


def secret(context: Context, connection: Connection, share: str, private: KemPrivate, row: VersionRow) -> FileSecret:
    """F of a version; NotThere when the link holds no key to it. Raises CryptoError, RowGone."""
    query = select(outside_wraps.c.wrap).where(outside_wraps.c.share == share, outside_wraps.c.version == row.id)
    wrap = connection.execute(query).scalar_one_or_none()
    if wrap is None:
        raise NotThere
    place = contexts.wrap_paper(person=row.person, grant=share, worker=share, paper=row.paper, version=row.id)
    return envelope.open_granted_paper(private, context.keyvault.derive("grant", share, place), place, wrap)
