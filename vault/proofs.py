"""Proofs that an entry stands in the trace, and that the trace of today continues the one of yesterday.

A proof file (C2SP tlog-proof) needs nothing of ours: with the log's public keys, a program that shares no code with the service says
whether it holds (`tools/verify_trace.py`). An entry's id is known to those it concerns and to whoever holds a sheet that carries it.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass, replace

from crypto import merkle
from crypto.inclusion import InclusionProof
from crypto.trace import leaf_of_digests
from storage import journal, tiles
from storage.errors import TileMissing
from storage.journal import Bound
from storage.tables import entry_copies
from vault import audit, checkpoints, witnesses
from vault.audit import Entry
from vault.context import Context
from vault.errors import NotThere, Tampered
from vault.sessions import Session

SLACK = dt.timedelta(minutes=5)  # between an entry's own moment and the end of its transaction


@dataclass(frozen=True)
class Proof:
    """Entry `number` of the trace, in a tree of `size`, whose head was signed last at `by`; `file` is the proof to keep.

    `after` is the last moment at which a head was signed without this entry, None for the first ones: it came later than that.
    """

    entry: str
    number: int
    size: int
    by: dt.datetime
    after: dt.datetime | None
    public: bool
    file: str

    def backdated(self, at: dt.datetime) -> bool:
        """Whether an entry that says it is of this moment was written later: a head signed in between does not have it."""
        return self.after is not None and at + SLACK < self.after


def leaf_of(one: Bound) -> bytes:
    """The 113 bytes that the tree binds."""
    return leaf_of_digests(one.entry, one.person, one.worker, one.incident)


def inclusion(context: Context, entry: str) -> Proof:
    """The proof that this entry is in the trace. Raises NotThere; Tampered when the tree or the row no longer say the same."""
    numbers(context, [entry])
    with context.database.transaction(read_only=True) as connection:
        one = journal.bound_of(connection, entry)
    if one is None:
        raise NotThere
    found = checkpoints.covering(context, one.number)
    leaf = leaf_of(one)
    with context.database.transaction(read_only=True) as connection:
        before = journal.last_before(connection, one.number)
        try:
            path = merkle.inclusion_proof(tiles.nodes(connection), one.number, found.size)
            merkle.verify_inclusion(merkle.leaf_hash(leaf), one.number, found.size, path, found.root)
        except (merkle.BadProof, TileMissing):
            raise Tampered from None
    file = InclusionProof(leaf, one.number, tuple(path), found.note).text()
    after = checkpoints.signed_at(context, before) if before else None
    return Proof(entry, one.number, found.size, checkpoints.signed_at(context, found), after, found.published is not None, file)


def of_own(context: Context, session: Session, entry: str) -> tuple[Entry, Proof]:
    """One line of the session's own history with its proof. Raises NotThere for a line of somebody else's."""
    with context.database.transaction(read_only=True) as connection:
        tags = [tag for _, tag in audit.tags_of(context, connection, session)]
        mine = audit.copies_of(session, tags).where(entry_copies.c.entry == entry)
        found = audit.opened(context, connection, session, mine)
        shown = [bytes(row.envelope) for row in connection.execute(mine)]
    if not found:
        raise NotThere
    proof = inclusion(context, entry)
    with context.database.transaction(read_only=True) as connection:
        bound = journal.bound_of(connection, entry)
    digest = {audit.PERSON: bound.person, audit.WORKER: bound.worker}[audit.party_of(session)] if bound else b""
    if [hashlib.sha256(one).digest() for one in shown] != [digest]:
        raise Tampered  # what is shown is not what the leaf binds
    return replace(found[0], number=proof.number), proof


def numbers(context: Context, entries: list[str]) -> dict[str, int]:
    """The numbers of these entries, given now to those that still wait: for sheets that carry them.

    Tampered when one waits and numbering stands still, because somebody wrote in the tree.
    """
    with context.database.transaction(read_only=True) as connection:
        found = journal.numbers(connection, entries)
    if len(found) < len(set(entries)):
        try:
            journal.number_all(context.database)
        except TileMissing:
            raise Tampered from None
        with context.database.transaction(read_only=True) as connection:
            found = journal.numbers(connection, entries)
    return found


def consistency(context: Context, old: int) -> str:
    """The proof that the published trace continues the one of `old` entries, as a witness takes it. Raises NotThere."""
    head = checkpoints.published(context)
    if head is None or not 0 <= old <= head.size:
        raise NotThere
    with context.database.transaction(read_only=True) as connection:
        try:
            path = merkle.consistency_proof(tiles.nodes(connection), old, head.size)
        except TileMissing:
            raise Tampered from None
    return witnesses.request_body(old, path, head.note)
