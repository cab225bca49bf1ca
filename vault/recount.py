"""The trace counted again, from the rows, by code that shares nothing with what wrote it (`abri trace verify`, and each night).

Each leaf is made again from the entry's id and the digests of its copies, each digest from the copy itself where it is still there; the
tree is built again by the recursion of RFC 9162 as it is written there, and compared with every head that was signed. What differs is
named: an entry altered, dropped, inserted or out of its order is known exactly where the tree kept beside the entries, or a copy of the
published files, still leads to a signed head; otherwise the two signed heads that it lies between are known, and no more. A copy that is
gone needs the signed record of an erasure or of a pruning (`vault.recount_removals`): without one it was cut out, and is named. A copy
of the published files is a measure only as far as it leads to the heads that lie with it (`vault.recount_copy`).
"""

import datetime as dt
import hashlib
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog
from sqlalchemy import Connection, and_, insert, select

from crypto import checkpoint
from crypto.errors import CryptoError
from storage.tables import checkpoints, entries, entry_copies, tiles, trace_checks
from vault import last_head
from vault.checkpoints import verify_kept
from vault.context import Context
from vault.errors import AbriError
from vault.recount_copy import PublishedCopy, read_copy
from vault.recount_filing import filed
from vault.recount_removals import Fault, Head, What, removed
from vault.recount_tree import Row, Tree, root_of, walk

log = structlog.get_logger()
T = TypeVar("T")
SHOWN = 200
UNREADABLE = (ValueError, TypeError, LookupError, ArithmeticError, CryptoError, AbriError)  # not those of a store that is down
OF_COPIES: tuple[What, ...] = ("copy", "cut", "hidden", "removal", "file")


@dataclass(frozen=True)
class Count:
    """What was found: entries counted, heads they lead to, copies that are rightly gone (erased, or past their term), and faults."""

    size: int
    heads: int
    gone: int
    faults: tuple[Fault, ...]


def count(context: Context, copy: Path | None = None) -> Count:
    """Count everything again; `copy` is a folder of files that were published and kept elsewhere.

    A part that cannot be counted is a fault, `stopped`, and the others are counted: no row hides what the rest says.
    """
    stopped: list[Fault] = []

    def part(what: str, act: Callable[[], T], otherwise: T) -> T:
        try:
            return act()
        except UNREADABLE as error:
            stopped.append(Fault("stopped", None, f"{what} cannot be counted: {type(error).__name__}"))
            return otherwise

    none: list[Fault] = []
    unsigned: list[Head] = []
    # The file before the rows: whoever signs while this counts has signed more than is counted.
    note = part("the head that this machine remembers", lambda: last_head.read(context.settings), None)
    with context.database.transaction(read_only=True) as connection:
        rows = part("the entries", lambda: _rows(connection), None)
        signed, faults = part("the heads", lambda: _heads(context, connection), (unsigned, none))
        heads = {one.size: one.root for one in signed}
        own, mine = _remembered(context, note, heads)
        faults = [*(rows[1] if rows else none), *faults, *mine]
        faults += part("what copies say", lambda: _copies(connection), none)
        faults += part("where copies lie", lambda: filed(context, connection, signed), none)
        gone, more = part("what was removed", lambda: removed(context, connection, signed, _missing(connection)), (0, none))
        beside = part("the tree", lambda: _kept_tree(connection), None)
    faults += more + (beside[1] if beside else none)
    read = part("the copy", lambda: _published(context, copy, rows, beside), None) if copy is not None else None
    good = 0
    if rows is not None and beside is not None:  # one without the other would differ everywhere
        good, faults = part("heads", lambda: _compared(rows[0], beside[0], {**own, **heads}, faults, read), (0, faults))
    return Count(len(rows[0]) if rows else 0, good, gone, tuple(stopped + faults))


def _compared(
    rows: Sequence[Row], beside: Sequence[bytes], heads: dict[int, bytes], faults: list[Fault],
    copy: PublishedCopy | None,
) -> tuple[int, list[Fault]]:  # fmt: skip
    """How many heads the rows lead to; and the faults, with those that rows, tree, heads and a copy say of each other."""
    found, told = _beyond(rows, beside, heads), set[int]()
    if copy is not None:  # it says more of what was published, and nothing of what came after it
        heads, faults = {**heads, **copy.heads}, [*faults, *copy.faults]
        within = {size: root for size, root in heads.items() if size <= len(copy.hashes)}
        found += _compare(rows, copy.hashes, within)[1]
        told = {size for size, root in within.items() if Tree(copy.hashes).root(size) == root}
    good, more = _compare(rows, beside, heads, told)
    named = {(one.what, one.place) for one in found}
    found += [one for one in more if (one.what, one.place) not in named]
    known = {(one.what, one.place) for one in found}
    return good, [one for one in faults if one.what in OF_COPIES or (one.what, one.place) not in known] + found


def nightly(context: Context) -> int:
    """Count everything again and keep the result for the office; gives the number of faults, each said in the log."""
    found = count(context)
    for fault in found.faults[:SHOWN]:
        log.error("the trace is not as it was signed", what=fault.what, place=fault.place)
    with context.database.transaction() as connection:
        connection.execute(insert(trace_checks).values(at=context.clock(), size=found.size, faults=len(found.faults)))
    return len(found.faults)


def _rows(connection: Connection) -> tuple[list[Row], list[Fault]]:
    """Each numbered entry, its hash made again from what the leaf binds."""
    found, faults, following = [], [], 0
    columns = (
        entries.c.id,
        entries.c.number,
        entries.c.leaf,
        entries.c.person_hash,
        entries.c.worker_hash,
        entries.c.incident_hash,
    )
    query = select(*columns).where(entries.c.number.is_not(None)).order_by(entries.c.number)
    for name, number, kept, *digests in connection.execution_options(yield_per=2000).execute(query):
        made = _hash(name, digests)
        if made is None:
            words = f"entry {number} ({name}): its id or its digests are not written as they were"
            faults.append(Fault("altered", number, words))
            made = bytes(32)
        elif made != kept:
            faults.append(Fault("altered", number, f"entry {number} ({name}): its digests do not make the hash that is kept"))
        if number != following:
            faults.append(Fault("dropped", following, f"there is no entry {_span(following, number)}"))
        following = number + 1
        found.append(Row(name, number, made))
    return found, faults


def _hash(name: str, digests: Sequence[bytes]) -> bytes | None:
    """The hash of a leaf; None for an id or a digest that no leaf can have been made of."""
    try:
        entry = uuid.UUID(name)
    except ValueError:
        return None
    if str(entry) != name or any(len(one) != 32 for one in digests):  # the same id in capitals opens nothing
        return None
    return hashlib.sha256(b"\0\1" + entry.bytes + b"".join(digests)).digest()


def _span(start: int, end: int) -> str:
    return str(start) if end - start == 1 else f"{start} to {end - 1}"


PARTY_OF = {"person": entries.c.person_hash, "worker": entries.c.worker_hash, "incident": entries.c.incident_hash}


def _copies(connection: Connection) -> list[Fault]:
    """Each sealed copy still makes the digest that its leaf binds."""
    faults = []
    for party, column in PARTY_OF.items():
        query = (
            select(entries.c.id, entries.c.number, column, entry_copies.c.envelope)
            .join(entry_copies, entry_copies.c.entry == entries.c.id)
            .where(entry_copies.c.party == party)
        )
        for name, number, digest, envelope in connection.execution_options(yield_per=2000).execute(query):
            if hashlib.sha256(envelope).digest() != digest:
                at = f"entry {number}" if number is not None else "an entry without a number"
                said = "is not the one that was written" if any(digest) else "was put there: the entry has none for it"
                faults.append(Fault("copy", number, f"{at} ({name}): the copy for the {party} {said}"))
    return faults


def _missing(connection: Connection) -> dict[tuple[str, str], tuple[int | None, bytes]]:
    """Which leaf binds an envelope that is no longer there: entry and party, to the entry's number and the digest."""
    found: dict[tuple[str, str], tuple[int | None, bytes]] = {}
    for party, column in PARTY_OF.items():
        there = and_(entry_copies.c.entry == entries.c.id, entry_copies.c.party == party)
        query = select(entries.c.id, entries.c.number, column).outerjoin(entry_copies, there)
        query = query.where(entry_copies.c.entry.is_(None), column != bytes(32))
        for name, number, digest in connection.execution_options(yield_per=5000).execute(query):
            found[name, party] = (number, bytes(digest))
    return found


def _kept_tree(connection: Connection) -> tuple[list[bytes], list[Fault]]:
    """The hashes of leaves as the tree beside the entries has them, and what of its upper levels does not follow from them."""
    held = {(row.level, row.number): bytes(row.hashes) for row in connection.execute(select(tiles))}
    level, below, faults = 0, _joined(held, 0), []
    lowest = below
    while len(below) >= 256:
        level, below = level + 1, [root_of(below[start : start + 256]) for start in range(0, len(below) - 255, 256)]
        kept = _joined(held, level)
        for place in range(0, max(len(below), len(kept)), 256):
            if below[place : place + 256] != kept[place : place + 256]:
                faults.append(Fault("tile", None, f"tile {level}/{place // 256} does not follow from the tiles below it"))
    return lowest, faults


def _joined(held: dict[tuple[int, int], bytes], level: int) -> list[bytes]:
    found: list[bytes] = []
    number = 0
    while (level, number) in held and len(found) == number * 256:
        row = held[level, number]
        found += [row[start : start + 32] for start in range(0, len(row) - 31, 32)]
        number += 1
    return found


def _heads(context: Context, connection: Connection) -> tuple[list[Head], list[Fault]]:
    """The heads that were signed, the smallest first."""
    found, faults = [], []
    for row in connection.execute(select(checkpoints).order_by(checkpoints.c.size)):
        signed = _signed(context, row.note)
        if signed is None or (signed.head.size, signed.head.root) != (row.size, row.root):
            faults.append(Fault("head", row.size, f"the head kept for size {row.size} is not one that this log signed"))
            continue
        found.append(Head(signed.head.size, signed.head.root, dt.datetime.fromtimestamp(signed.at, dt.UTC)))
        said = [int(one.timestamp()) for one in (row.at, row.published) if one is not None]
        if signed.at not in said or signed.at < said[0]:
            faults.append(Fault("head", row.size, f"the head kept for size {row.size} was not signed when its row says"))
    return found, faults


def _remembered(context: Context, note: str | None, heads: dict[int, bytes]) -> tuple[dict[int, bytes], list[Fault]]:
    """The last head that this machine signed, from its own file; a fault when it is none, or when the rows have another one."""
    if note is None:
        return {}, []
    signed = _signed(context, note)
    if signed is None:
        return {}, [Fault("head", None, "the head that this machine remembers is not one that this log signed")]
    size = signed.head.size
    if heads.get(size, signed.head.root) != signed.head.root:
        return {}, [
            Fault("head", size, f"this machine has signed another head of {size} entries: the history was put back, or rewritten")
        ]
    return {size: signed.head.root}, []


def _signed(context: Context, note: str) -> checkpoint.Checkpoint | None:
    try:
        return verify_kept(context, note)
    except CryptoError:
        return None


def _published(
    context: Context, folder: Path, rows: tuple[list[Row], list[Fault]] | None, beside: tuple[list[bytes], list[Fault]] | None
) -> PublishedCopy:  # fmt: skip
    """What a folder of published files says, its own changes named by what rows or tree still lead to."""
    known = [[row.hash for row in rows[0]] if rows else [], beside[0] if beside else []]
    return read_copy(folder, lambda note: _signed(context, note), known)


def _beyond(rows: Sequence[Row], beside: Sequence[bytes], heads: dict[int, bytes]) -> list[Fault]:
    """Numbers and tree are written together: one that is shorter than the other was changed by somebody else."""
    signed = max(heads, default=0)
    if len(beside) < signed or (rows and not beside):
        words = f"the tree beside the entries holds {len(beside)} of {max(signed, len(rows))}: proofs cannot be made"
        return [Fault("tile", None, words)]
    words = "stands where the tree ends: it was put there, or the tree was cut"
    known = set(beside)
    late = [row for row in rows[len(beside) :] if row.hash not in known]
    return [Fault("inserted", row.number, f"entry {row.number} ({row.entry}) {words}") for row in late]


def _compare(
    rows: Sequence[Row], beside: Sequence[bytes], heads: dict[int, bytes], told: Collection[int] = ()
) -> tuple[int, list[Fault]]:  # fmt: skip
    """Heads that the rows lead to; and which entries differ from what was signed. `told`: heads that a copy says more of."""
    whole = all(row.number == place for place, row in enumerate(rows))
    ours, theirs = Tree([row.hash for row in rows]), Tree(beside)
    good, faults, last_good, sure = 0, [], 0, 0
    for size, root in sorted(heads.items()):
        kept = size <= len(beside) and theirs.root(size) == root
        if kept:
            sure = max(sure, size)
        if whole and size <= len(rows) and ours.root(size) == root:
            good, last_good = good + 1, size
            if not kept and size <= len(beside):
                faults.append(Fault("tile", None, f"the tree beside the entries does not lead to the head of {size}"))
        elif not kept and size not in told:
            words = f"entries {last_good} to {size - 1} do not lead to the head of {size}, nor does the tree beside them: "
            faults.append(Fault("between", last_good, words + "which one, only a copy of the published files can tell"))
    # Beyond the last head that the tree leads to, the tree is worth comparing with only when no head says otherwise.
    signed = beside if sure == max([0, *(size for size in heads if size <= len(beside))]) else beside[:sure]
    sizes = sorted(heads)

    def by(place: int) -> str:
        size = next((size for size in sizes if size > place), None)
        return "as it was numbered (no head covers it yet)" if size is None else f"as it was signed by the head of {size}"

    return good, faults + walk(rows, signed, by)
