"""The trace as rows: sealed copies for the parties of each entry, a leaf that binds them, numbers given after the commit.

A use case appends its entry inside its own transaction, without a number: PostgreSQL's sequences leave gaps and do not follow the
order of commits. One sequencer numbers what is committed, under a lock. Nothing here can read an entry.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, func, insert, literal_column, select, update

from storage import tiles
from storage.database import Database, insert_once, serialise
from storage.errors import TileMissing
from storage.tables import checkpoints, entries, entry_copies, removals, trace_keys

Party = Literal["person", "worker", "incident"]
PARTIES: tuple[Party, ...] = ("person", "worker", "incident")
NOBODY = bytes(32)  # stands for the hash of the envelope of a party that the entry does not concern
BATCH = 500
AT_ONCE = 10_000
_NUMBER_COPIES = (
    update(entry_copies)
    .where(entry_copies.c.entry.in_(select(entries.c.id).where(entries.c.number >= bindparam("first"))))
    .values(number=select(entries.c.number).where(entries.c.id == entry_copies.c.entry).scalar_subquery())
)
_KNOWN = select(entries.c.id).where(entries.c.id.in_(bindparam("wanted", expanding=True)))
_ADD_ENTRY, _ADD_COPIES = insert(entries), insert(entry_copies)  # made once: making a statement costs as much as running it


@dataclass(frozen=True)
class Copy:
    """One party's copy: `tag` (16 bytes) finds it, `key` names the trace key that seals it, `envelope` is the sealed event."""

    tag: bytes
    key: str
    envelope: bytes


@dataclass(frozen=True)
class Found:
    """A copy read back, with its entry's id, its number (None until the sequencer passed) and the hash of its leaf."""

    entry: str
    number: int | None
    leaf: bytes
    key: str
    envelope: bytes


@dataclass(frozen=True)
class Key:
    """A trace key as it is kept: `posted` to its party; `session` is part of what it was posted for."""

    session: str
    posted: bytes


@dataclass(frozen=True)
class Bound:
    """What one leaf binds: the entry's id, its number, and SHA-256 of each party's envelope (zeros where there is none)."""

    entry: str
    number: int
    person: bytes
    worker: bytes
    incident: bytes


@dataclass(frozen=True)
class Checkpoint:
    """A signed tree head as it was kept: the `size` of the tree, its `root` (32 bytes), the signed `note`.

    `at`: when it was first signed. `published`: when it was last said to everybody; at that moment nothing came after it.
    """

    size: int
    root: bytes
    note: str
    at: datetime
    published: datetime | None = None


def add_key(connection: Connection, *, key: str, session: str, party: Party, posted: bytes) -> None:
    """Keep a trace key, posted to a party: one for each session and party, or for an act without a session; safe to repeat."""
    insert_once(connection, trace_keys, {"id": key, "session": session, "party": party, "posted": posted})


def append(connection: Connection, entry: str, copies: Mapping[Party, Copy]) -> None:
    """Add an entry (a lower-case UUID) with one copy for each party it concerns, in the transaction of the use case."""
    hashes = {party: hashlib.sha256(copies[party].envelope).digest() if party in copies else NOBODY for party in PARTIES}
    connection.execute(
        _ADD_ENTRY,
        {
            "id": entry,
            "number": None,
            "leaf": leaf_hash(entry, hashes),
            "person_hash": hashes["person"],
            "worker_hash": hashes["worker"],
            "incident_hash": hashes["incident"],
        },
    )
    connection.execute(
        _ADD_COPIES,
        [
            {"entry": entry, "party": party, "tag": copy.tag, "key": copy.key, "envelope": copy.envelope}
            for party, copy in copies.items()
        ],
    )


def leaf_hash(entry: str, hashes: Mapping[Party, bytes]) -> bytes:
    """RFC 9162's hash of a leaf, 32 bytes. The leaf: 0x01, the entry's id (16 bytes), SHA-256 of each party's envelope."""
    leaf = b"\x01" + UUID(entry).bytes + b"".join(hashes[party] for party in PARTIES)
    return hashlib.sha256(b"\x00" + leaf).digest()


def known(connection: Connection, wanted: Collection[str]) -> set[str]:
    """Which of these entries there are."""
    return set(connection.scalars(_KNOWN, {"wanted": list(wanted)}))


def read(connection: Connection, tags: Collection[bytes], party: Party) -> list[Found]:
    """Read one party's copies under these tags (one for each month): numbered ones in order, then those not numbered yet."""
    query = (
        select(entries.c.id, entries.c.number, entries.c.leaf, entry_copies.c.key, entry_copies.c.envelope)
        .join(entry_copies, entry_copies.c.entry == entries.c.id)
        .where(entry_copies.c.tag.in_(tags), entry_copies.c.party == party)
        .order_by(entries.c.number.is_(None), entries.c.number, entries.c.id)
    )
    return [Found(*row) for row in connection.execute(query)]


def keys(connection: Connection, wanted: Collection[str]) -> dict[str, Key]:
    """Read trace keys, still posted, by their ids."""
    found: dict[str, Key] = {}
    names = sorted(set(wanted))
    for start in range(0, len(names), BATCH):
        query = select(trace_keys.c.id, trace_keys.c.session, trace_keys.c.posted)
        some = query.where(trace_keys.c.id.in_(names[start : start + BATCH]))
        found |= {name: Key(session, posted) for name, session, posted in connection.execute(some)}
    return found


def keep_removal(connection: Connection, entry: str, statement: bytes, signature: bytes, copies: bytes) -> None:
    """Keep the signed record of a removal as an entry of its own, which looks in the tree like any other.

    The leaf binds the statement in the place of the person's envelope and the signature in that of the incident key.
    """
    hashes: dict[Party, bytes] = {
        "person": hashlib.sha256(statement).digest(),
        "worker": NOBODY,
        "incident": hashlib.sha256(signature).digest(),
    }
    columns = {f"{party}_hash": hashes[party] for party in PARTIES}
    connection.execute(_ADD_ENTRY, {"id": entry, "number": None, "leaf": leaf_hash(entry, hashes), **columns})
    row = {"entry": entry, "statement": statement, "signature": signature, "copies": copies}
    connection.execute(insert(removals).values(row))


def erase_copies(connection: Connection, tags: Sequence[bytes], party: Party) -> list[str]:
    """Remove one party's copies and the keys that only they used; the leaves stay, so that the tree still verifies.

    Gives the entries whose copies went. The caller says so with `keep_removal` in the same transaction.
    """
    ours = (entry_copies.c.tag.in_(tags), entry_copies.c.party == party)
    used = set(connection.scalars(select(entry_copies.c.key).where(*ours)))
    removed = list(connection.scalars(delete(entry_copies).where(*ours).returning(entry_copies.c.entry)))
    names = sorted(used)
    for start in range(0, len(names), BATCH):
        some = names[start : start + BATCH]
        still = set(connection.scalars(select(entry_copies.c.key).where(entry_copies.c.key.in_(some))))
        connection.execute(delete(trace_keys).where(trace_keys.c.id.in_([key for key in some if key not in still])))
    return removed


def number_all(database: Database) -> None:
    """Number all that is committed at this moment, however much there is."""
    while number(database, AT_ONCE) == AT_ONCE:
        pass


def number(database: Database, limit: int = AT_ONCE) -> int:
    """Number what is committed and has no number yet, from 0, without gaps; tells how many. Any process may call it.

    The tree grows in the same transaction: whoever reads a number can prove it. Killed at any moment, it has done all or nothing.
    A tree that is gone altogether is made again. TileMissing when tree and numbers do not end at the same place: what somebody put
    above the tree would become genuine by the next number.
    """
    unnumbered = select(entries.c.id).where(entries.c.number.is_(None)).limit(limit)
    with database.transaction(read_only=True) as connection:  # most calls find nothing, and then disturb no writer
        if connection.scalar(unnumbered.limit(1)) is None and not _treeless(connection):
            return 0
    with database.transaction() as connection:
        serialise(connection, "abri trace numbers")
        waiting = connection.scalars(unnumbered.order_by(*_arrival(connection))).all()
        last = connection.scalar(select(func.max(entries.c.number)))
        first = 0 if last is None else last + 1
        if _treeless(connection):
            tiles.grow(connection, leaves(connection, 0, first), 0)
        if (held := tiles.size(connection)) != first:
            raise TileMissing(f"the tree ends at {held} and the numbers at {first}: somebody wrote in one of them")
        if waiting:
            connection.execute(
                update(entries).where(entries.c.id == bindparam("entry")).values(number=bindparam("place")),
                [{"entry": entry, "place": place} for place, entry in enumerate(waiting, first)],
            )
            connection.execute(_NUMBER_COPIES, {"first": first})
            tiles.grow(connection, leaves(connection, first, first + len(waiting)), first)
        return len(waiting)


def _treeless(connection: Connection) -> bool:
    """Whether there are numbers and no tree at all."""
    return not tiles.size(connection) and connection.scalar(select(entries.c.id).where(entries.c.number == 0)) is not None


def numbers(connection: Connection, wanted: Collection[str]) -> dict[str, int]:
    """The numbers of these entries, of those that have one."""
    found: dict[str, int] = {}
    names = sorted(set(wanted))
    for start in range(0, len(names), BATCH):
        query = select(entries.c.id, entries.c.number).where(entries.c.id.in_(names[start : start + BATCH]))
        found |= {row.id: row.number for row in connection.execute(query.where(entries.c.number.is_not(None)))}
    return found


def waiting(connection: Connection) -> int:
    """How many entries have no number yet."""
    return connection.scalar(select(func.count()).select_from(entries).where(entries.c.number.is_(None))) or 0


def _arrival(connection: Connection) -> tuple[ColumnElement[int], ...]:
    """The order in which rows were written, so that numbers follow time: what one page of a history holds is cut by number.

    The row keeps no moment on purpose (it is sealed inside). SQLite counts its rows; PostgreSQL knows the transaction that wrote a
    row and, in it, the statement: the age of a transaction does not suffer when their numbers wrap around.
    """
    if connection.dialect.name == "postgresql":
        return literal_column("age(entries.xmin)").desc(), literal_column("entries.cmin::text::bigint").asc()
    return (literal_column("entries.rowid").asc(),)


def leaves(connection: Connection, start: int, end: int) -> list[bytes]:
    """Read the hashes of the leaves numbered from `start` up to, not including, `end`, in order."""
    query = select(entries.c.leaf).where(entries.c.number >= start, entries.c.number < end).order_by(entries.c.number)
    return list(connection.scalars(query))


def bound(connection: Connection, start: int, end: int) -> list[Bound]:
    """What the leaves numbered from `start` up to, not including, `end` bind together, in order."""
    columns = (entries.c.id, entries.c.number, entries.c.person_hash, entries.c.worker_hash, entries.c.incident_hash)
    query = select(*columns).where(entries.c.number >= start, entries.c.number < end).order_by(entries.c.number)
    return [Bound(*row) for row in connection.execute(query)]


def bound_of(connection: Connection, entry: str) -> Bound | None:
    """The same of one entry, None while it has no number."""
    place = numbers(connection, [entry]).get(entry)
    return None if place is None else bound(connection, place, place + 1)[0]


def keep_checkpoint(connection: Connection, checkpoint: Checkpoint) -> None:
    """Keep a signed tree head for ever."""
    connection.execute(insert(checkpoints).values(**asdict(checkpoint)))


def publish(connection: Connection, size: int, note: str, at: datetime) -> None:
    """Say that anybody may see this head, kept before, and write its note anew: witnesses have signed below."""
    connection.execute(update(checkpoints).where(checkpoints.c.size == size).values(note=note, published=at))


def all_checkpoints(connection: Connection) -> list[Checkpoint]:
    """Every head that was signed, the smallest first."""
    return [Checkpoint(**row) for row in connection.execute(select(checkpoints).order_by(checkpoints.c.size)).mappings()]


def last_checkpoint(connection: Connection, *, published: bool = False) -> Checkpoint | None:
    """Read the latest signed tree head, or the latest that is public."""
    return _one(connection, _heads(published=published).order_by(checkpoints.c.size.desc()))


def first_covering(connection: Connection, number: int, *, published: bool = False) -> Checkpoint | None:
    """The smallest head over the entry of this number."""
    return _one(connection, _heads(published=published).where(checkpoints.c.size > number).order_by(checkpoints.c.size))


def last_before(connection: Connection, number: int) -> Checkpoint | None:
    """The largest head without the entry of this number: when it was signed, the entry was not there."""
    return _one(connection, _heads(published=False).where(checkpoints.c.size <= number).order_by(checkpoints.c.size.desc()))


def _heads(*, published: bool) -> Select[Any]:
    query = select(checkpoints)
    return query.where(checkpoints.c.published.is_not(None)) if published else query


def _one(connection: Connection, query: Select[Any]) -> Checkpoint | None:
    row = connection.execute(query.limit(1)).mappings().one_or_none()
    return None if row is None else Checkpoint(**row)
