"""A version is made: three objects sealed and durable in the store first, then its rows and its trace in one commit.

Between the two nothing names the blobs: if the rows do not follow they are removed at once, and if this process dies they are
orphans that the sweep finds. The key vault is asked before anything is written: without it nothing is deposited.
"""

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol

from sqlalchemy import Connection, insert, update

from consent.ids import PaperId
from crypto import contexts, envelope
from crypto.canonical import instant
from crypto.keys import AgeFileKey, FileKeys, FileSecret, SignSeed, file_keys
from crypto.signing import Signer
from crypto.statements import Origin, Statement
from crypto.stream import Encryptor
from storage.blobs import BlobName
from storage.errors import StorageError
from storage.tables import objects, papers, versions
from vault import closing, space
from vault.context import Context
from vault.kinds import Kind
from vault.paper_cards import Card, Role, Thing
from vault.preparing import PreparedPaper
from vault.settings import today_in_paris
from vault.shelves import OpenShelf, Slit
from vault.unwritten import row_is_there, undone_unless
from vault.versions import Kept, VersionId

BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Words:
    """What somebody says of a paper as it is put in."""

    title: str = field(default="", repr=False)
    sort: str = ""
    untrusted_file_name: str = field(default="", repr=False)


@dataclass(frozen=True)
class Fresh:
    """A version whose objects are durable and whose rows are not written yet. `size` counts all that the store holds of it."""

    person: str
    paper: PaperId
    version: VersionId
    card: Card
    kept: Mapping[Role, Kept]
    secret: FileSecret = field(repr=False)
    keys: FileKeys = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes in the store."""
        return sum(one.size for one in self.kept.values())

    def sealed_card(self) -> bytes:
        """The card as the row keeps it."""
        place = contexts.card(person=self.person, paper=self.paper, version=self.version)
        return envelope.seal_card(self.keys.card_key, place, self.card.to_value())

    def origin(self, *, previous: str, depositor: str, kiosk: str | None, at: str) -> Origin:
        """What the depositor signs."""
        return Origin(
            paper=self.paper, version=self.version, previous=previous, depositor=depositor, kiosk=kiosk or "", time=at,
            commitment=self.keys.commitment, ciphertext=self.kept["received"].sha256,
            view=self.kept["view"].sha256 if "view" in self.kept else b"",
        )  # fmt: skip


def new_keys(context: Context, person: str, paper: str, version: str) -> tuple[FileSecret, FileKeys]:
    """F for one version, and what comes out of it; StoreDown's family when the key vault does not answer."""
    secret = FileSecret.random()
    place = contexts.file(person=person, paper=paper, version=version)
    return secret, file_keys(secret, context.keyvault.derive("person", person, place), place)


def store_sealed(context: Context, key: AgeFileKey, role: Role, blocks: Iterator[bytes]) -> Kept:
    """Seal an object into the store under a new random name; durable when this returns, and nothing is left when it raises."""
    encryptor = Encryptor(key)
    with context.blobs.writer() as writer:
        for block in blocks:
            writer.write(encryptor.lend(block))
        writer.write(encryptor.lend_last())
        stored = writer.commit()
    return Kept(role, stored.name, stored.size, stored.sha256)


def discard(context: Context, blobs: list[str]) -> None:
    """Remove blobs that no row names. A store that does not answer leaves them to the sweep."""
    for blob in blobs:
        with suppress(StorageError):
            context.blobs.delete(BlobName(blob))


def gone_unless_written(
    context: Context, version: VersionId, kept: Mapping[Role, Kept]
) -> AbstractContextManager[None]:  # fmt: skip
    """What is kept inside this block goes again when the block raises and no row names the version."""
    undo = partial(_discard_kept, context, kept)  # looks when it is called: `kept` fills in the block
    return undone_unless(context, row_is_there(versions.c.id, version), undo)


def _discard_kept(context: Context, kept: Mapping[Role, Kept]) -> None:
    discard(context, [one.blob for one in kept.values()])


def in_blocks(content: bytes) -> Iterator[bytes]:
    """The content, a MiB at a time."""
    for at in range(0, len(content), BLOCK):
        yield content[at : at + BLOCK]


def _things(prepared: PreparedPaper) -> dict[Role, tuple[Kind, bytes]]:
    things: dict[Role, tuple[Kind, bytes]] = {"received": (prepared.received_kind, prepared.received)}
    if prepared.view != prepared.received:
        things["view"] = (prepared.view_kind, prepared.view)
    things["preview"] = (Kind.JPEG, prepared.thumbnail)
    return things


@contextmanager
def durable(
    context: Context, person: str, prepared: PreparedPaper, words: Words, *, paper: str | None = None
) -> Iterator[Fresh]:  # fmt: skip
    """The objects of a prepared paper are durable inside this block; when the block raises they go again. Closing after the last day."""
    closing.refuse_new(context)
    paper_id, version = PaperId(paper or context.new_id()), VersionId(context.new_id())
    secret, keys = new_keys(context, person, paper_id, version)
    things = _things(prepared)
    kept: dict[Role, Kept] = {}
    with gone_unless_written(context, version, kept):
        for role, (_, content) in things.items():
            kept[role] = store_sealed(context, keys.age_file_key, role, in_blocks(content))
        card = Card(
            words.title, words.sort, words.untrusted_file_name, prepared.pages, instant(context.clock()), prepared.findings,
            {role: Thing(kind, len(one), hashlib.sha256(one).digest()).told() for role, (kind, one) in things.items()},
        )  # fmt: skip
        yield Fresh(person, paper_id, version, card, kept, secret, keys)


@dataclass(frozen=True)
class Laid:
    """Where F of a version was laid: the drawer, the epoch, and by which of the two ways."""

    shelf: str
    epoch: int
    kind: str  # shelf, posted
    wrap: bytes


def lay_in(one: OpenShelf, fresh: Fresh) -> Laid:
    """Wrap F in a drawer that one holds."""
    place = contexts.wrap(person=fresh.person, shelf=one.id, epoch=one.epoch, paper=fresh.paper, version=fresh.version)
    return Laid(one.id, one.epoch, "shelf", envelope.wrap(one.key, place, fresh.secret))


def lay_through(context: Context, slit: Slit, fresh: Fresh) -> Laid:
    """Post F to a drawer that one cannot open."""
    place = contexts.wrap(person=fresh.person, shelf=slit.shelf, epoch=slit.epoch, paper=fresh.paper, version=fresh.version)
    vaulted = context.keyvault.derive("person", fresh.person, place)
    return Laid(slit.shelf, slit.epoch, "posted", envelope.deposit(slit.public, vaulted, place, fresh.secret))


class Signs(Protocol):
    """What signs an origin: a key, or a signature that was begun before."""

    def sign(self, said: Statement, /) -> bytes:
        """Both halves of the signature."""


_AHEAD = ThreadPoolExecutor(4, thread_name_prefix="signing")


class Ahead:
    """An origin that is signed while its blob becomes durable: the processor works while the disk does. `at` stands in it."""

    def __init__(self, seed: SignSeed, said: Origin, at: datetime) -> None:
        self.at, self._said, self._seed = at, said, seed
        self._signature = _AHEAD.submit(lambda: Signer(seed).sign(said))

    def sign(self, said: Statement) -> bytes:
        """The signature over these very words; other words than those foreseen are signed now."""
        signature = self._signature.result()
        return signature if said == self._said else Signer(self._seed).sign(said)


@dataclass(frozen=True)
class From:
    """Who puts a version in: the account named in its origin, what signs it, where; `at` when the moment was chosen before."""

    depositor: str
    signer: Signs
    kiosk: str | None
    at: datetime | None = None


def write_rows(
    context: Context, connection: Connection, fresh: Fresh, laid: Laid, origin: From, *, state: str = "kept", previous: str = ""
) -> None:  # fmt: skip
    """Rows of a new paper (`previous` empty) or of a new version of one; counts the room it takes, TooMuch."""
    at = origin.at or context.clock()
    space.take(context, connection, fresh.person, fresh.size, fresh.card.pages)
    if previous:
        connection.execute(update(papers).where(papers.c.id == fresh.paper).values(version=fresh.version, state=state))
    else:
        connection.execute(
            insert(papers).values(
                id=fresh.paper, person=fresh.person, shelf=laid.shelf, version=fresh.version, state=state,
                created=today_in_paris(at),
            )
        )  # fmt: skip
    said = fresh.origin(previous=previous, depositor=origin.depositor, kiosk=origin.kiosk, at=instant(at))
    connection.execute(
        insert(versions).values(
            id=fresh.version, paper=fresh.paper, person=fresh.person, shelf=laid.shelf, epoch=laid.epoch, wrap_kind=laid.kind,
            wrap=laid.wrap, card=fresh.sealed_card(), origin=said.encode(), origin_signature=origin.signer.sign(said),
            depositor=origin.depositor, deposited=at,
        )
    )  # fmt: skip
    write_objects(connection, fresh.version, fresh.kept)


def write_objects(connection: Connection, version: str, kept: Mapping[Role, Kept]) -> None:
    """Name the objects of a version: from here on its blobs are no orphans."""
    connection.execute(
        insert(objects),
        [
            {"blob": one.blob, "version": version, "role": role, "size": one.size, "sha256": one.sha256.hex()}
            for role, one in kept.items()
        ],
    )
