"""Copies of the trace that are gone, held against the signed records of what was erased or pruned (`vault.removals` writes them).

Counted apart from what wrote them, as the rest of `vault.recount`: a copy that is gone and in no record was cut out; a record must be
signed by the service, be bound by its own entry, name nothing that is still there, and be as old as it says.
"""

import datetime as dt
import hashlib
import uuid
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, select

from crypto.errors import CryptoError
from crypto.signing import verify
from crypto.statements import CopiesRemoved
from storage.tables import entries, removals
from vault.context import Context
from vault.settings import today_in_paris

What = Literal[
    "altered", "dropped", "inserted", "moved", "copy", "cut", "hidden", "removal", "head", "tile", "between", "stopped", "file"
]
Slot = tuple[str, str]
PARTY = {1: "person", 2: "worker", 3: "incident"}
SLACK = dt.timedelta(days=2)  # days are Paris's, and an entry may wait for its number


@dataclass(frozen=True)
class Fault:
    """Something that is not as it was signed: which place of the trace, and a sentence."""

    what: What
    place: int | None
    words: str


@dataclass(frozen=True)
class Head:
    """A signed head: when it was signed (the note says it), the entries from `size` on were not there yet."""

    size: int
    root: bytes
    at: dt.datetime


def removed(
    context: Context, connection: Connection, heads: Sequence[Head], missing: Mapping[Slot, tuple[int | None, bytes]]
) -> tuple[int, list[Fault]]:  # fmt: skip
    """How many copies are gone and recorded, and a fault for each that is gone without a record, and for each wrong record."""
    left, faults = dict(missing), []
    rightly = 0
    query = select(removals, entries.c.number).join(entries, entries.c.id == removals.c.entry).order_by(entries.c.number)
    for row in connection.execute(query):
        at = f"the record of removals {row.entry}"
        if not _bound(left, row.entry, row.statement, row.signature):
            faults.append(Fault("removal", row.number, f"{at} is not the one that its entry binds"))
            continue
        said = _said(context, row.entry, row.statement, row.signature, row.copies)
        if said is None:
            faults.append(Fault("removal", row.number, f"{at} is not one that this service signed"))
            continue
        signed = before(heads, row.number)
        if signed is not None and today_in_paris(signed) > dt.date.fromisoformat(said.day):
            faults.append(Fault("removal", row.number, f"{at} says {said.day}, and was not there on {signed:%Y-%m-%d}"))
        youngest = dt.date.fromisoformat(said.day) - dt.timedelta(days=said.days) + SLACK
        for slot in _slots(row.copies):
            number, _ = left.pop(slot, (None, b""))
            if slot not in missing:
                faults.append(Fault("removal", row.number, f"{at} names the copy for the {slot[1]} of {slot[0]}, which is there"))
            else:
                rightly += 1
            written = before(heads, number) if said.reason == "term" else None
            if written is not None and today_in_paris(written) > youngest:
                words = f"entry {number} ({slot[0]}): the copy for the {slot[1]} went as past its term, and is younger"
                faults.append(Fault("removal", number, words))
    return rightly, faults + list(_cut(left))


def _bound(left: dict[Slot, tuple[int | None, bytes]], entry: str, statement: bytes, signature: bytes) -> bool:
    """Whether the record's own leaf has its digests; they are no copies, so nothing misses them any more."""
    found = [left.pop((entry, party), (None, b""))[1] for party in ("person", "worker", "incident")]
    return found == [hashlib.sha256(statement).digest(), b"", hashlib.sha256(signature).digest()]


def _said(context: Context, entry: str, statement: bytes, signature: bytes, copies: bytes) -> CopiesRemoved | None:
    try:
        said = CopiesRemoved.parse(statement)
        verify(context.service.ring, said, signature)
    except CryptoError:
        return None
    whole = len(copies) == 17 * said.count and hashlib.sha256(copies).digest() == said.copies
    return said if whole and said.removal == entry else None


def _slots(copies: bytes) -> Iterator[Slot]:
    for start in range(0, len(copies), 17):
        yield str(uuid.UUID(bytes=copies[start : start + 16])), PARTY.get(copies[start + 16], "nobody")


def before(heads: Sequence[Head], number: int | None) -> dt.datetime | None:
    """When the last head was signed that did not cover this entry yet: it is younger than that."""
    place = 0 if number is None else bisect_right(heads, number, key=lambda one: one.size)
    return heads[place - 1].at if place else None


def after(heads: Sequence[Head], number: int | None) -> dt.datetime | None:
    """When the first head was signed that covers this entry: it is older than that."""
    place = len(heads) if number is None else bisect_right(heads, number, key=lambda one: one.size)
    return heads[place].at if place < len(heads) else None


def _cut(left: Mapping[Slot, tuple[int | None, bytes]]) -> Iterator[Fault]:
    for (entry, party), (number, _) in left.items():
        at = f"entry {number}" if number is not None else "an entry without a number"
        words = f"{at} ({entry}): the copy for the {party} was cut out: no record says that it was erased or past its term"
        yield Fault("cut", number, words)
