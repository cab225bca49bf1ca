"""What leaves the trace says so: which copies were erased or pruned, on which day and why, signed, and never whose.

Without it a copy that somebody cut out would look like one of an erased safe. The record is an entry of the tree itself, so that it
cannot be dropped, added or dated back without being seen either; the nightly count reads it (`vault.recount`).
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import structlog
from sqlalchemy import Connection, bindparam, select, update

from crypto.statements import CopiesRemoved
from storage import journal
from storage.tables import entry_copies
from vault import labels
from vault.context import Context
from vault.settings import SealKey, today_in_paris

log = structlog.get_logger()
Reason = Literal["erased", "term"]
PIECE = 2000  # tags named in one statement
PLACES: dict[journal.Party, bytes] = {"person": b"\1", "worker": b"\2", "incident": b"\3"}


def remove(context: Context, connection: Connection, tags: Sequence[bytes], reason: Reason) -> int:
    """Remove every party's copies under these tags and keep the record of it, in the caller's transaction; gives how many.

    Nothing was there: nothing is written, so that a step that runs twice says it once.
    """
    said = _removed(context, connection, tags, reason)
    return said.count if said else 0


def mark(context: Context, connection: Connection, erasure: str, tags: Sequence[bytes]) -> None:
    """Find the copies under these tags by the mark of an erasure from now on: the row that made their tags is about to die.

    Each gets a tag of its own, which the service alone can make: whoever can write in the rows marks no other copy with it.
    """
    rows = connection.execute(select(entry_copies.c.entry, entry_copies.c.party).where(entry_copies.c.tag.in_(tags))).all()
    if rows:
        this = (entry_copies.c.entry == bindparam("of"), entry_copies.c.party == bindparam("whose"))
        marked = [
            {"of": entry, "whose": party, "made": _marked(context.settings.service_seal, erasure, entry, party)}
            for entry, party in rows
        ]
        connection.execute(update(entry_copies).where(*this).values(tag=bindparam("made")), marked)


def remove_erased(context: Context, connection: Connection, erasure: str) -> str | None:
    """Remove the copies that `mark` marked; gives the entry that says so, None when there was none left."""
    first = _mark(erasure)
    under = entry_copies.c.tag.between(first, first + b"\xff" * 17)
    rows = connection.execute(select(entry_copies.c.entry, entry_copies.c.party, entry_copies.c.tag).where(under)).all()
    seals = [context.settings.service_seal, *(one.seal for one in context.settings.earlier)]  # begun before the key turned
    ours = [bytes(tag) for entry, party, tag in rows if bytes(tag) in [_marked(one, erasure, entry, party) for one in seals]]
    if len(ours) < len(rows):
        log.error(
            "copies of the trace carry the mark of an erasure that did not mark them: they stay", copies=len(rows) - len(ours)
        )
    said = _removed(context, connection, ours, "erased")
    return said.removal if said else None


def _mark(erasure: str) -> bytes:
    return hashlib.sha256(labels.erased_copies(erasure=erasure)).digest()[:16]


def _marked(seal: SealKey, erasure: str, entry: str, party: str) -> bytes:
    """The mark, and 16 bytes that bind it to this copy."""
    said = labels.erased_copy(erasure=erasure, entry=entry, party=party)
    return _mark(erasure) + hmac.digest(bytes(seal), said, "sha256")[:16]


def _removed(context: Context, connection: Connection, tags: Sequence[bytes], reason: Reason) -> CopiesRemoved | None:
    pieces = [tags[start : start + PIECE] for start in range(0, len(tags), PIECE)]
    found = [
        UUID(entry).bytes + place
        for party, place in PLACES.items()
        for some in pieces
        for entry in journal.erase_copies(connection, some, party)
    ]
    if not found:
        return None
    copies = b"".join(sorted(found))
    said = CopiesRemoved(
        removal=context.new_id(),
        day=today_in_paris(context.clock()).isoformat(),
        reason=reason,
        days=context.settings.retention.trace if reason == "term" else 0,
        count=len(found),
        copies=hashlib.sha256(copies).digest(),
    )
    journal.keep_removal(connection, said.removal, said.encode(), context.service.sign(said), copies)
    return said
