"""The ten drawers of a person: each a key pair whose private half only the person can open.

A drawer has epochs: a new one begins when a share of the whole drawer is taken back. What a row says in clear is an id, an epoch
and a public key signed by the person; which of the ten kinds it is stays sealed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import Connection, bindparam, insert, select, update

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


Place: TypeAlias = "tuple[str, int]"
"""A drawer and an epoch of it: what a row of a paper names."""


class Shelves:
    """All the drawers of a person that open with their keys, each opened when it is first asked for: a list needs one or two.

    A row that does not open is as if it were not there.
    """

    def __init__(self, person: str, values: ValuesKey, rows: Iterable[Any]) -> None:
        self._person, self._values = person, values
        self._rows: dict[Place, Any] = {(row.id, row.epoch): row for row in rows}
        self._names: dict[str, ShelfKind | None] = {}
        self._kinds: dict[Place, ShelfKind | None] = {}
        self._opened: dict[Place, OpenShelf | None] = {}
        self._private: dict[Place, KemPrivate] = {}

    def current(self, kind: ShelfKind) -> OpenShelf:
        """The drawer of this kind as it is now."""
        for place, row in self._rows.items():
            if row.current and self._kind(place) == kind:
                found = self._at(place)
                if found is not None:
                    return found
        raise Tampered

    def at(self, shelf_id: str, epoch: int) -> OpenShelf:
        """The drawer and epoch that a row names; raises Tampered when it does not open."""
        found = self._at((shelf_id, epoch))
        if found is None:
            raise Tampered
        return found

    def kind_of(self, shelf_id: str) -> ShelfKind | None:
        """Which of the ten a drawer is; None for one that does not open."""
        if shelf_id not in self._names:
            kinds = (self._kind(place) for place in self._rows if place[0] == shelf_id)
            self._names[shelf_id] = next((kind for kind in kinds if kind is not None), None)
        return self._names[shelf_id]

    def _kind(self, place: Place) -> ShelfKind | None:
        if place not in self._kinds:
            try:
                info = contexts.shelf_name(person=self._person, id=place[0])
                self._kinds[place] = shelf(unseal_text(self._values, info, self._rows[place].sealed_kind)).kind
            except (CryptoError, ValueError):
                self._kinds[place] = None
        return self._kinds[place]

    def _at(self, place: Place) -> OpenShelf | None:
        if place not in self._opened:
            self._opened[place] = self._open(place) if place in self._rows else None
        return self._opened[place]

    def _open(self, place: Place) -> OpenShelf | None:
        kind, (shelf_id, epoch), row = self._kind(place), place, self._rows[place]
        if kind is None:
            return None  # planted or damaged: nothing may be laid in it, and what it held is refused paper by paper
        try:
            info = contexts.shelf(person=self._person, shelf=shelf_id, epoch=epoch)
            seed = open_shelf_seed(self._values, info, row.sealed_seed)
        except (CryptoError, ValueError):
            return None
        key = shelf_key(seed, contexts.shelf_key(person=self._person, shelf=shelf_id, epoch=epoch))
        return OpenShelf(self._person, ShelfId(shelf_id), epoch, kind, row.current, seed, key)

    def private(self, one: OpenShelf) -> KemPrivate:
        """The private half of a drawer's pair, made ready once for many deposits."""
        place = (one.id, one.epoch)
        if place not in self._private:
            self._private[place] = KemPrivate(one.seed)
        return self._private[place]

    def all(self) -> list[OpenShelf]:
        """Every drawer and epoch that opens."""
        return [one for place in self._rows if (one := self._at(place)) is not None]


def opened_by_seed(person: str, shelf_id: str, epoch: int, kind: ShelfKind, seed: ShelfSeed) -> OpenShelf:
    """A drawer in its present epoch, opened by a seed that was lent."""
    key = shelf_key(seed, contexts.shelf_key(person=person, shelf=shelf_id, epoch=epoch))
    return OpenShelf(person, ShelfId(shelf_id), epoch, kind, True, seed, key)


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


_SEALED = select(shelves.c.id, shelves.c.epoch, shelves.c.current, shelves.c.sealed_kind, shelves.c.sealed_seed)
_OF_PERSON = _SEALED.where(shelves.c.person == bindparam("person"))


def open_all(connection: Connection, person: str, values: ValuesKey) -> Shelves:
    """The drawers of a person; one query, no signature: `check_all` looks at those, once at each unlock."""
    return Shelves(person, values, connection.execute(_OF_PERSON, {"person": person}).all())


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
            state_anew(connection, one, signer)
    known = {one.kind for one in opened.all() if one.current}
    missing = [row.kind for row in SHELVES if row.kind not in known and row.kind not in refused]
    return (*refused, *missing)


def state_anew(connection: Connection, one: OpenShelf, signer: Signer) -> None:
    """Sign a drawer's own public key, in place of what its row says."""
    public = public_key(one.seed)
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
