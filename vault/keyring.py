"""The keys that one share gives its worker: wraps of single papers, or a drawer's seed. Both die with the share's vault row."""

from collections.abc import Mapping

from sqlalchemy import Connection, select

from consent.scope import ShelfScope
from crypto import contexts, envelope
from crypto.errors import CryptoError
from crypto.kem import KemPrivate
from crypto.keys import FileSecret, ShelfKey, shelf_key
from storage.errors import RowGone
from storage.tables import shelf_wraps, wraps
from vault.bindings import wrap_place
from vault.context import Context
from vault.errors import NotThere
from vault.shares import Share
from vault.versions import VersionRow


class Keyring:
    """What a worker can open by one share, independently of what the rules say."""

    def __init__(self, context: Context, connection: Connection, share: Share, private: KemPrivate) -> None:
        self._context, self._connection, self._share, self._private = context, connection, share, private
        self._keys = self._open_drawer()

    def _open_drawer(self) -> Mapping[tuple[str, int], tuple[KemPrivate, ShelfKey]]:
        share = self._share
        opened: dict[tuple[str, int], tuple[KemPrivate, ShelfKey]] = {}
        for row in self._connection.execute(select(shelf_wraps).where(shelf_wraps.c.grant == share.grant)):
            place = contexts.wrap_shelf(
                person=share.person, grant=share.grant, worker=share.worker, shelf=row.shelf, epoch=row.epoch
            )
            try:
                vaulted = self._context.keyvault.derive("grant", share.grant, place)
                seed = envelope.open_granted_shelf(self._private, vaulted, place, row.wrap)
            except (CryptoError, RowGone):
                continue
            own = contexts.shelf_key(person=share.person, shelf=row.shelf, epoch=row.epoch)
            opened[(row.shelf, row.epoch)] = (KemPrivate(seed), shelf_key(seed, own))
        return opened

    def secret(self, row: VersionRow) -> FileSecret:
        """F of a version; NotThere when this share holds no key to it. Raises CryptoError, RowGone."""
        if isinstance(self._share.body.terms.scope, ShelfScope):
            return self._from_drawer(row)
        share = self._share
        query = select(wraps.c.wrap).where(wraps.c.grant == share.grant, wraps.c.version == row.id)
        wrap = self._connection.execute(query).scalar_one_or_none()
        if wrap is None:
            raise NotThere
        place = contexts.wrap_paper(
            person=share.person, grant=share.grant, worker=share.worker, paper=row.paper, version=row.id
        )  # fmt: skip
        vaulted = self._context.keyvault.derive("grant", share.grant, place)
        return envelope.open_granted_paper(self._private, vaulted, place, wrap)

    def _from_drawer(self, row: VersionRow) -> FileSecret:
        held = self._keys.get((row.shelf, row.epoch))
        if held is None:
            raise NotThere
        private, key = held
        place = wrap_place(row)
        if not envelope.is_deposit(row.wrap):
            return envelope.unwrap(key, place, row.wrap)
        return envelope.open_deposit(private, self._context.keyvault.derive("person", row.person, place), place, row.wrap)
