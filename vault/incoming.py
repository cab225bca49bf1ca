"""A paper that is sealed while it arrives, however large: memory stays constant and no plaintext touches a disk.

Nobody looks at such a paper on its way in, so it has no view and no preview: it is kept as received. It is what the interface
for programs uses; the pages of the kiosk go through `vault.drafts`, where the person says yes to what they see.
"""

import hashlib
from collections.abc import Collection
from contextlib import suppress

from consent.ids import PaperId
from consent.purposes import ShelfKind
from crypto.canonical import instant
from crypto.keys import FileKeys, FileSecret
from crypto.statements import Origin
from crypto.stream import Encryptor
from storage.blobs import BlobName
from storage.errors import StorageError
from vault import who
from vault.context import Context
from vault.deposits import Ahead, Fresh, new_keys
from vault.documents import lay_down
from vault.kinds import Kind, kind_of
from vault.paper_cards import Card, Thing, checked_sort, checked_title, tame_file_name
from vault.refusals import TooHeavy, Unreadable
from vault.sessions import Session
from vault.versions import Kept, VersionId

HEAD = 4096  # what the kind is told from


class Incoming:
    """A sink (`vault.sinks.Sink`) that seals. After `finish`, `keep` names it; `abandon` undoes it at any moment."""

    def __init__(self, context: Context, session: Session, *, limit: int, replaces: PaperId | None = None) -> None:
        self._sign = who.person(session).sign
        self._context, self._session, self._limit, self._replaces = context, session, limit, replaces
        self._paper, self._version = PaperId(replaces or context.new_id()), VersionId(context.new_id())
        secret, keys = new_keys(context, session.account, self._paper, self._version)
        self._secret: FileSecret = secret
        self._keys: FileKeys = keys
        self._encryptor = Encryptor(keys.age_file_key)
        self._digest, self._size, self._head = hashlib.sha256(), 0, b""
        self._writer = context.blobs.writer()
        self._kept: Kept | None = None
        self._ahead: Ahead | None = None

    def write(self, block: bytes) -> None:
        """Seal a block and pass it on. Raises TooHeavy, UnknownKind, StorageFull, StoreUnreachable."""
        self._size += len(block)
        if self._size > self._limit:
            raise TooHeavy
        if len(self._head) < HEAD:
            self._head += block[: HEAD - len(self._head)]
        self._digest.update(block)
        self._writer.write(self._encryptor.lend(block))

    def finish(self) -> None:
        """The paper is whole: durable when this returns."""
        if not self._size:
            raise Unreadable
        kind_of(self._head)
        self._writer.write(self._encryptor.lend_last())
        if self._replaces is None:  # which version came before is known only when the rows are held
            at = self._context.clock()
            self._ahead = Ahead(self._sign, self._origin(instant(at)), at)
        stored = self._writer.commit()
        self._kept = Kept("received", stored.name, stored.size, stored.sha256)

    def _origin(self, at: str) -> Origin:
        session = self._session
        return Origin(
            paper=self._paper, version=self._version, previous="", depositor=session.account, kiosk=session.kiosk or "", time=at,
            commitment=self._keys.commitment, ciphertext=self._writer.digest(), view=b"",
        )  # fmt: skip

    def abandon(self) -> None:
        """Leave nothing. A store that does not answer leaves it to the sweep."""
        self._writer.abandon()
        if self._kept is not None:
            with suppress(StorageError):
                self._context.blobs.delete(BlobName(self._kept.blob))
            self._kept = None

    def keep(
        self, shelf: ShelfKind, *, title: str = "", sort: str = "", untrusted_name: str = "", pages: int = 1, added: str = "",
        agreed: Collection[str] = (),
    ) -> PaperId:  # fmt: skip
        """Write its rows and its trace. Nobody opened it to count its pages; `added` is now, unless it was kept elsewhere before.

        Raises WouldShow until all who would see it are in `agreed`.
        """
        if self._kept is None:
            raise Unreadable
        kind: Kind = kind_of(self._head)
        thing = Thing(kind, self._size, self._digest.digest())
        card = Card(
            checked_title(title), checked_sort(sort), tame_file_name(untrusted_name), pages,
            added or instant(self._context.clock()),
            frozenset(), {"received": thing.told()},
        )  # fmt: skip
        fresh = Fresh(
            self._session.account, self._paper, self._version, card, {"received": self._kept}, self._secret, self._keys
        )  # fmt: skip
        lay_down(
            self._context, self._session, fresh, shelf, replaces=self._replaces is not None, ahead=self._ahead, agreed=agreed
        )  # fmt: skip
        self._kept = None  # from now on it has rows: abandoning must not touch it
        return self._paper
