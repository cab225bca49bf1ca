"""One version of one paper: its rows, who may open it, and what proves where it comes from.

A version is opened in a fixed order: the wrap gives F, F and the person's row of the key vault give its keys, the origin's
signature is verified, its commitment is compared, and only then is anything decrypted. Whatever fails on the way is one refusal.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, NewType

from sqlalchemy import Connection, Row, Select, select, update

from consent.ids import PaperId, ShelfId
from crypto import contexts, envelope
from crypto.errors import CryptoError
from crypto.keys import AccountKeys, FileKeys, FileSecret, check_commitment, file_keys
from crypto.signing import Verifier, sign_public, sign_public_from, verify
from crypto.statements import Origin
from storage.errors import BlobDamaged, BlobMissing, RowGone
from storage.tables import objects, papers, versions
from vault import accounts
from vault.bindings import file_place, wrap_place
from vault.certifying import verified_certificate
from vault.context import NOBODY, Context
from vault.errors import NotThere, Tampered
from vault.paper_cards import ROLES, Card, Role
from vault.shelves import Shelves

VersionId = NewType("VersionId", str)
SERVICE = NOBODY  # the depositor of what came by phone: the service signs, then the person

LISTED = (
    versions.c.id, versions.c.paper, versions.c.person, versions.c.shelf, versions.c.epoch, versions.c.wrap_kind, versions.c.wrap,
    versions.c.card, versions.c.depositor, papers.c.shelf.label("lies_in"), papers.c.version.label("current"), papers.c.state,
    papers.c.bin_until,
)  # fmt: skip
_COLUMNS = (
    *LISTED, versions.c.origin, versions.c.origin_signature, versions.c.confirmation, versions.c.deposited, papers.c.sealed_note,
)  # fmt: skip


class Listed(NamedTuple):
    """What a list needs of a version, named as `LISTED` is. A row of the database gives its fields ten times more slowly."""

    id: str
    paper: str
    person: str
    shelf: str
    epoch: int
    wrap_kind: str
    wrap: bytes
    card: bytes
    depositor: str
    lies_in: str
    current: str
    state: str
    bin_until: datetime | None


VersionRow = Row[Any]
AnyRow = VersionRow | Listed
_SHA256 = re.compile(r"[0-9a-f]{64}")


@contextmanager
def one_refusal() -> Iterator[None]:
    """Whatever is wrong with stored bytes is the same refusal; what was shredded is as if it had never been."""
    try:
        yield
    except (CryptoError, BlobMissing, BlobDamaged):
        raise Tampered from None
    except RowGone:
        raise NotThere from None


def joined(*columns: Any) -> Select[Any]:
    """Versions with their papers: the columns given, or all."""
    return select(*(columns or _COLUMNS)).join(papers, papers.c.id == versions.c.paper)


def current_of(connection: Connection, person: str, paper: str, *, hold: bool = False) -> VersionRow:
    """The current version of a person's paper; NotThere. `hold`: nobody changes the paper before the end of the transaction."""
    query = joined().where(papers.c.id == paper, papers.c.person == person, versions.c.id == papers.c.version)
    if hold:
        query = query.with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None or row.person != person:
        raise NotThere
    return row


def all_of(connection: Connection, person: str, paper: str) -> Sequence[VersionRow]:
    """Every version of a person's paper, the latest first."""
    query = joined().where(papers.c.id == paper, papers.c.person == person).order_by(versions.c.deposited.desc(), versions.c.id)
    return connection.execute(query).all()


def one_of(connection: Connection, person: str, paper: str, version: str) -> VersionRow:
    """One version of a person's paper; NotThere."""
    query = joined().where(papers.c.id == paper, papers.c.person == person, versions.c.id == version)
    row = connection.execute(query).one_or_none()
    if row is None or row.person != person:
        raise NotThere
    return row


def meet(connection: Connection, person: str, which: Collection[str]) -> None:
    """The person did something with these papers: from here on nobody takes them back who put them in.

    Whoever put them in is answered for, and the person is told of them, at the next unlock, as for any other.
    """
    theirs = (papers.c.person == person, papers.c.id.in_(which), papers.c.state == "to-read")
    connection.execute(update(papers).where(*theirs).values(state="kept"))


@dataclass(frozen=True)
class Kept:
    """An object of a version as the store has it."""

    role: Role
    blob: str
    size: int
    sha256: bytes


def objects_of(connection: Connection, version: str) -> dict[Role, Kept]:
    """The objects of a version, by role; Tampered for a row that we cannot have written."""
    found: dict[Role, Kept] = {}
    for row in connection.execute(select(objects).where(objects.c.version == version)):
        if row.role not in ROLES or not _SHA256.fullmatch(row.sha256):
            raise Tampered
        found[row.role] = Kept(row.role, row.blob, row.size, bytes.fromhex(row.sha256))
    return found


@dataclass(frozen=True)
class Opened:
    """A version whose origin was verified: its keys may be used."""

    person: str
    paper: PaperId
    version: VersionId
    origin: Origin
    card: Card
    objects: dict[Role, Kept]
    secret: FileSecret = field(repr=False)
    keys: FileKeys = field(repr=False)


def secret_of(context: Context, opened: Shelves, row: AnyRow) -> FileSecret:
    """F, from the drawer it lies in: wrapped by who holds the drawer, or posted by a depositor."""
    one, place = opened.at(row.shelf, row.epoch), wrap_place(row)
    if not envelope.is_deposit(row.wrap):
        return envelope.unwrap(one.key, place, row.wrap)
    return envelope.open_deposit(opened.private(one), context.keyvault.derive("person", row.person, place), place, row.wrap)


def keys_of(context: Context, row: VersionRow, secret: FileSecret) -> FileKeys:
    """The keys of a version; RowGone once the person's row is destroyed."""
    place = file_place(row)
    return file_keys(secret, context.keyvault.derive("person", row.person, place), place)


def read_card(row: AnyRow, keys: FileKeys) -> Card:
    """What a list shows of a version."""
    place = contexts.card(person=row.person, paper=row.paper, version=row.id)
    return Card.from_value(envelope.open_card(keys.card_key, place, row.card))


class Witnesses:
    """Whose key an origin is verified with: the person's, the service's for what came by phone, a worker's as certified."""

    def __init__(self, context: Context, connection: Connection, person: str, person_key: Verifier) -> None:
        self._context, self._connection = context, connection
        self._known: dict[str, Verifier] = {person: person_key, SERVICE: context.service.ring}
        self._person = person

    @classmethod
    def own(cls, context: Context, connection: Connection, person: str, keys: AccountKeys) -> "Witnesses":
        """In a session of the person's own: their key of today, and those before it."""
        return cls(context, connection, person, accounts.own_ring(context, connection, person, sign_public(keys.sign)))

    def check(self, row: VersionRow) -> Origin:
        """The origin of a version, once its signature holds.

        What somebody else deposited is confirmed by the person's own session when it first meets it; from then on that
        signature is the one that counts, because a worker's certificate is erased some time after they left.
        """
        said = Origin.parse(row.origin)
        if (said.paper, said.version, said.depositor) != (row.paper, row.id, row.depositor):
            raise Tampered
        if row.confirmation is not None:
            verify(self._known[self._person], said, row.confirmation)
        else:
            verify(self._key_of(said.depositor), said, row.origin_signature)
        return said

    def _key_of(self, depositor: str) -> Verifier:
        if depositor not in self._known:
            try:
                certificate = verified_certificate(self._context, self._connection, depositor)
            except NotThere:
                raise Tampered from None  # nobody vouches for whoever signed this
            self._known[depositor] = sign_public_from(certificate.sign)
        return self._known[depositor]


def open_version(
    context: Context, connection: Connection, row: VersionRow, secret: FileSecret, witnesses: Witnesses
) -> Opened:  # fmt: skip
    """Verify everything that can be verified without reading the objects; Tampered or NotThere."""
    with one_refusal():
        keys = keys_of(context, row, secret)
        origin = witnesses.check(row)
        check_commitment(keys, origin.commitment)
        card = read_card(row, keys)
    kept = objects_of(connection, row.id)
    signed: dict[Role, bytes] = {"received": origin.ciphertext, "view": origin.view}
    if any((kept[role].sha256 if role in kept else b"") != digest for role, digest in signed.items()):
        raise Tampered
    return Opened(row.person, PaperId(row.paper), VersionId(row.id), origin, card, kept, secret, keys)


def shelf_of(row: VersionRow) -> ShelfId:
    """The drawer where the paper lies for the person; a paper in the bin is wrapped elsewhere."""
    return ShelfId(row.lies_in)
