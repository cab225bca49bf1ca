"""What leaves the trace says so: which copies were erased or pruned, on which day and why, signed, and never whose.

Without it a copy that somebody cut out would look like one of an erased safe. The record is an entry of the tree itself, so that it
cannot be dropped, added or dated back without being seen either; the nightly count reads it (`vault.recount`).
"""

import hashlib
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection

from crypto.statements import CopiesRemoved
from storage import journal
from vault.context import Context
from vault.settings import today_in_paris

Reason = Literal["erased", "term"]
PLACES: dict[journal.Party, bytes] = {"person": b"\1", "worker": b"\2", "incident": b"\3"}


def remove(context: Context, connection: Connection, tags: Sequence[bytes], reason: Reason) -> int:
    """Remove every party's copies under these tags and keep the record of it, in the caller's transaction; gives how many.

    Nothing was there: nothing is written, so that a step that runs twice says it once.
    """
    said = _removed(context, connection, tags, reason)
    return said.count if said else 0


def remove_erased(context: Context, connection: Connection, tag: bytes) -> str | None:
    """Remove the copies of a safe that is being erased; gives the entry that says so, None when there was none left."""
    said = _removed(context, connection, [tag], "erased")
    return said.removal if said else None


def _removed(context: Context, connection: Connection, tags: Sequence[bytes], reason: Reason) -> CopiesRemoved | None:
    found = [
        UUID(entry).bytes + place for party, place in PLACES.items() for entry in journal.erase_copies(connection, tags, party)
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
