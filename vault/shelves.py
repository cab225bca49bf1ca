"""The ten drawers of a person: each a key pair whose private half only the person can open.

A drawer has epochs: a new one begins when a share of the whole drawer is taken back. What a row says in clear is an id, an epoch
and a public key signed by the person; which of the ten kinds it is stays sealed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select, update

from consent.ids import ShelfId
from consent.purposes import SHELVES, ShelfKind, shelf
from crypto import contexts
from crypto.errors import CryptoError
from crypto.kem import KemPrivate, KemPublic, kem_public, public_key
from crypto.keys import AccountKeys, ShelfKey, ShelfSeed, ValuesKey, open_shelf_seed, seal_shelf_seed, shelf_key
from crypto.sealing import seal_text, unseal_text
from crypto.signing import Signer, SignPublic, verify
from crypto.statements import ShelfEpoch
from storage.tables import shelves
from vault.context import Context
from vault.errors import BadInput, Tampered


@dataclass(frozen=True)
class OpenShelf:
    """One drawer in one epoch, open: `key` wraps and unwraps papers, `seed` opens what others laid in it."""

    person: str
    id: ShelfId
    epoch: int
    kind: ShelfKind
    current: bool
    seed: ShelfSeed = field(repr=False)
    key: ShelfKey = field(repr=False)


class Shelves:
    """All the drawers of a person that open with their keys. A row that does not open is as if it were not there."""

    def __init__(self, opened: Iterable[OpenShelf]) -> None:
        self._by_place = {(one.id, one.epoch): one for one in opened}
        self._current = {one.kind: one for one in self._by_place.values() if one.current}
        self._kinds: dict[str, ShelfKind] = {one.id: one.kind for one in self._by_place.values()}
        self._private: dict[tuple[str, int], KemPrivate] = {}

    def current(self, kind: ShelfKind) -> OpenShelf:
        """The drawer of this kind as it is now."""
        found = self._current.get(kind)
        if found is None:
            raise Tampered
        return found

    def at(self, shelf_id: str, epoch: int) -> OpenShelf:
        """The drawer and epoch that a row names; raises Tampered when it does not open."""
        found = self._by_place.get((ShelfId(shelf_id), epoch))
        if found is None:
            raise Tampered
        return found

    def kind_of(self, shelf_id: str) -> ShelfKind | None:
        """Which of the ten a drawer is; None for one that does not open."""
        return self._kinds.get(shelf_id)

    def private(self, one: OpenShelf) -> KemPrivate:
        """The private half of a drawer's pair, made ready once for many deposits."""
        place = (one.id, one.epoch)
        if place not in self._private:
            self._private[place] = KemPrivate(one.seed)
        return self._private[place]

    def all(self) -> list[OpenShelf]:
        """Every drawer and epoch that opens."""
        return list(self._by_place.values())


def checked_kind(untrusted: object) -> ShelfKind:
    """One of the ten kinds, or BadInput."""
    try:
        return shelf(untrusted).kind
    except CryptoError:
        raise BadInput("shelf") from None


def create_all(context: Context, connection: Connection, person: str, keys: AccountKeys) -> None:
    """Make the ten drawers of a new safe, in the transaction that opens it."""
    signer = Signer(keys.sign)
    for row in SHELVES:
        add_epoch(connection, person, keys.values, signer, ShelfId(context.new_id()), row.kind, 1)


def add_epoch(
    connection: Connection, person: str, values: ValuesKey, signer: Signer, shelf_id: ShelfId, kind: ShelfKind, epoch: int
) -> OpenShelf:  # fmt: skip
    """Begin an epoch of a drawer with a new seed; the one before, if any, is no longer current."""
    seed = ShelfSeed.random()
    public = public_key(seed)
    statement = ShelfEpoch(person=person, shelf=shelf_id, epoch=epoch, key=public)
    connection.execute(update(shelves).where(shelves.c.id == shelf_id).values(current=False))
    connection.execute(
        insert(shelves).values(
            id=shelf_id, epoch=epoch, person=person, current=True, public_key=public,
            sealed_kind=seal_text(values, contexts.shelf_name(person=person, id=shelf_id), kind),
            sealed_seed=seal_shelf_seed(values, contexts.shelf(person=person, shelf=shelf_id, epoch=epoch), seed),
            statement=statement.encode(), signature=signer.sign(statement),
        )
    )  # fmt: skip
    key = shelf_key(seed, contexts.shelf_key(person=person, shelf=shelf_id, epoch=epoch))
    return OpenShelf(person, shelf_id, epoch, kind, True, seed, key)


_SEALED = (shelves.c.id, shelves.c.epoch, shelves.c.current, shelves.c.sealed_kind, shelves.c.sealed_seed)


def open_all(connection: Connection, person: str, values: ValuesKey) -> Shelves:
    """Open every drawer of a person; one query, no signature: `check_all` looks at those, once at each unlock."""
    opened = []
    for row in connection.execute(select(*_SEALED).where(shelves.c.person == person)):
        try:
            kind = shelf(unseal_text(values, contexts.shelf_name(person=person, id=row.id), row.sealed_kind)).kind
            seed = open_shelf_seed(values, contexts.shelf(person=person, shelf=row.id, epoch=row.epoch), row.sealed_seed)
        except (CryptoError, ValueError):
            continue  # planted or damaged: nothing may be laid in it, and what it held is refused paper by paper
        key = shelf_key(seed, contexts.shelf_key(person=person, shelf=row.id, epoch=row.epoch))
        opened.append(OpenShelf(person, ShelfId(row.id), row.epoch, kind, row.current, seed, key))
    return Shelves(opened)


def check_all(connection: Connection, person: str, opened: Shelves, signer: Signer) -> tuple[ShelfKind | None, ...]:
    """Recompute every public key and verify every statement. Gives the drawers that are refused (None: its kind does not open).

    A current drawer whose public half was replaced gets its own back, so that nobody lays a paper under a stranger's key.
    """
    refused: list[ShelfKind | None] = []
    rows = connection.execute(select(shelves).where(shelves.c.person == person)).mappings().all()
    for row in rows:
        try:
            one = opened.at(row["id"], row["epoch"])
        except Tampered:
            refused.append(opened.kind_of(row["id"]))
            continue
        try:
            check_statement(dict(row), person, signer.public, expected=opened.private(one).public)
        except Tampered:
            refused.append(one.kind)
            _restate(connection, one, opened.private(one).public, signer)
    known = {one.kind for one in opened.all() if one.current}
    missing = [row.kind for row in SHELVES if row.kind not in known and row.kind not in refused]
    return (*refused, *missing)


def _restate(connection: Connection, one: OpenShelf, public: KemPublic, signer: Signer) -> None:
    statement = ShelfEpoch(person=one.person, shelf=one.id, epoch=one.epoch, key=public)
    connection.execute(
        update(shelves)
        .where(shelves.c.id == one.id, shelves.c.epoch == one.epoch)
        .values(public_key=public, statement=statement.encode(), signature=signer.sign(statement))
    )


def check_statement(
    row: Mapping[str, object], person: str, signed_by: SignPublic, expected: KemPublic | None = None
) -> KemPublic:
    """The public key of a drawer's row, once the person's signature over it holds; raises Tampered."""
    try:
        said = ShelfEpoch.parse(_octets(row["statement"]))
        verify(signed_by, said, _octets(row["signature"]))
        public = kem_public(_octets(row["public_key"]))
    except CryptoError:
        raise Tampered from None
    if (said.person, said.shelf, said.epoch, said.key) != (person, row["id"], row["epoch"], public):
        raise Tampered
    if expected is not None and expected != public:
        raise Tampered
    return public


def _octets(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise Tampered
    return value


@dataclass(frozen=True)
class Slit:
    """A drawer as somebody sees it who can only put things in: the current epoch and its verified public key."""

    shelf: ShelfId
    epoch: int
    public: KemPublic


def slit(connection: Connection, person: str, shelf_id: str, signed_by: SignPublic) -> Slit:
    """The current epoch of a drawer, held until the transaction ends: a deposit checks the epoch as it commits."""
    hold(connection, shelf_id)
    query = select(shelves).where(shelves.c.id == shelf_id, shelves.c.person == person, shelves.c.current)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise Tampered
    return Slit(ShelfId(shelf_id), row["epoch"], check_statement(dict(row), person, signed_by))


def hold(connection: Connection, shelf_id: str) -> None:
    """Wait until nobody begins a new epoch of this drawer, and let nobody begin one before the end of the transaction."""
    connection.execute(select(shelves.c.epoch).where(shelves.c.id == shelf_id).with_for_update()).all()


def hold_all(connection: Connection, person: str) -> None:
    """The same for every drawer of a person."""
    connection.execute(select(shelves.c.epoch).where(shelves.c.person == person).with_for_update()).all()
