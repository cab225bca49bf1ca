"""Looking for what remains: every column of every table, every row of the key vault, every version of every blob, for given values.

It is what shows that an erasure erased, and what an administrator runs to search a store for a known word. It reads all; it
changes nothing. Backups are read too, where their folders and the recovery key are at hand.
"""

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import MetaData, select

from crypto.agerecipients import Identity
from crypto.errors import CryptoError
from storage import copies
from storage.database import Database
from storage.tables import metadata, tombstone_metadata, vault_metadata
from vault import backups
from vault.context import Context
from vault.settings import Places


@dataclass(frozen=True)
class Found:
    """A value met where it should not be: which store, and the table and column or the blob. Never the value itself."""

    store: str
    place: str


def check(context: Context, person: str | None, known: Sequence[bytes]) -> list[Found]:
    """Everywhere that an account's id or a known value stands; an empty list when nothing remains."""
    needles = sorted({form for value in _values(person, known) for form in _forms(value)}, key=len)
    found: list[Found] = []
    for name, database, tables in (
        ("rows", context.database, metadata),
        ("key vault", context.keyvault.database, vault_metadata),
        ("tombstones", context.keyvault.graveyard, tombstone_metadata),
    ):
        found += _in_database(name, database, tables, needles)
    for reader, hidden in context.blobs.every():
        if _in_pieces(reader.chunks(), needles):
            found.append(Found("blobs", f"{reader.name} (hidden version)" if hidden else reader.name))
    return found


def in_backups(places: Places, identities: Sequence[Identity], known: Sequence[bytes]) -> tuple[list[Found], list[str]]:
    """The same in every backup of three folders: rows, key vault, tombstones, papers. Also gives the files that no key opens."""
    needles = sorted({form for value in known if value for form in _forms(value)}, key=len)
    found: set[tuple[str, str]] = set()
    unread: list[str] = []
    for name in backups.every(places):
        for what in ("rows", "vault"):
            file = backups.place_of(places, name, what)
            try:
                for place, value in copies.values(backups.opened(file, identities)):
                    if _holds(value, needles):
                        found.add((f"backup {name}", f"{what} {place}"))
            except CryptoError:
                unread.append(str(file))
        if _in_pieces(backups.sealed_pieces(backups.place_of(places, name, "tombstones")), needles):
            found.add((f"backup {name}", "tombstones"))
    for path in backups.pool_of(places):
        if _in_pieces(backups.sealed_pieces(path), needles):
            found.add(("backups", path.name))
    return [Found(*one) for one in sorted(found)], unread


def _values(person: str | None, known: Iterable[bytes]) -> Iterator[bytes]:
    yield from (value for value in known if value)
    if person is not None:
        yield person.encode()
        yield UUID(person).bytes


def _forms(value: bytes) -> Iterator[bytes]:
    """The ways in which a value could have been written down."""
    yield value
    yield value.hex().encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode, base64.b32encode):
        yield encode(value).rstrip(b"=")


def _in_database(name: str, database: Database, tables: MetaData, needles: Sequence[bytes]) -> list[Found]:
    found = set()
    with database.transaction(read_only=True) as connection:
        for table in tables.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                for column, value in row.items():
                    if value is not None and _holds(_bytes_of(value), needles):
                        found.add(Found(name, f"{table.name}.{column}"))
    return sorted(found, key=lambda one: one.place)


def _bytes_of(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _holds(content: bytes, needles: Sequence[bytes]) -> bool:
    return any(needle in content for needle in needles)


def _in_pieces(pieces: Iterable[bytes], needles: Sequence[bytes]) -> bool:
    """The same over pieces of a blob, also where a value lies across two of them."""
    overlap = max((len(needle) for needle in needles), default=1) - 1
    tail = b""
    for piece in pieces:
        if _holds(tail + piece, needles):
            return True
        tail = (tail + piece)[-overlap:] if overlap else b""
    return False
