"""Signed heads of the trace's tree: one a day is published, others are signed for whoever holds an entry that none covers yet.

At the size of one kiosk, a public size that moves each minute would say when somebody stood there: so anybody sees the tree of the last
published head, and nothing later. A head is signed only when it continues the last one that was kept.
"""

import datetime as dt
import hashlib
from dataclasses import replace
from functools import lru_cache
from typing import Any

import structlog
from sqlalchemy import Connection

from crypto import checkpoint, merkle
from crypto.checkpoint import CheckpointSigner, LogKeys, TreeHead
from crypto.errors import CryptoError
from crypto.keys import SignSeed
from crypto.notes import Note
from crypto.signing import sign_public
from storage import journal, tiles
from storage.database import serialise
from storage.errors import TileMissing
from storage.journal import Checkpoint
from vault import witnesses
from vault.context import Context
from vault.errors import Tampered
from vault.settings import Settings

TURN = "abri trace checkpoints"
log = structlog.get_logger()


class Rewritten(Tampered):
    """The tree no longer continues a head that was signed: nothing is signed any more until somebody has looked."""


@lru_cache(maxsize=4)
def _signer(seed: bytes, origin: str) -> CheckpointSigner:
    return CheckpointSigner(SignSeed(seed), origin)


def signer(context: Context) -> CheckpointSigner:
    """The log's own keys, under its name."""
    return _signer(bytes(context.settings.service_sign), context.settings.trace_origin)


def keys(context: Context) -> LogKeys:
    """The public keys of this log, for whoever verifies."""
    return signer(context).public


def anchors(settings: Settings) -> dict[str, Any]:
    """The public keys that receipts, proofs and certificates are judged by, as they are published (`/cles.json`)."""
    log_keys = _signer(bytes(settings.service_sign), settings.trace_origin).public
    return {
        "v": "1", "service": bytes(sign_public(settings.service_sign)).hex(), "trace": log_keys.lines().splitlines(),
        "roots": {name: bytes(key).hex() for name, key in sorted(settings.root_keys.items())},
    }  # fmt: skip


def fingerprint(context: Context) -> str:
    """The public keys in eight groups of four, to compare with what is printed elsewhere."""
    digest = hashlib.sha256(keys(context).lines().encode()).hexdigest()
    return " ".join(digest[start : start + 4] for start in range(0, 32, 4))


def keys_named(context: Context, note: Note) -> LogKeys:
    """The keys under the name that a kept note carries: a log that was given another name keeps its seed."""
    return _signer(bytes(context.settings.service_sign), note.text.split("\n", 1)[0]).public


def sign(context: Context, connection: Connection) -> Checkpoint:
    """Sign the head of what is numbered, and keep it; the one of this size again when there is one. Raises Rewritten.

    Its place in a transaction is the last: others who sign wait for its end.
    """
    serialise(connection, TURN)
    last, size = journal.last_checkpoint(connection), tiles.size(connection)
    nodes = tiles.nodes(connection)
    try:
        root = merkle.root_at(nodes, size)
        if last is not None:
            proof = merkle.consistency_proof(nodes, last.size, size) if last.size <= size else []
            _same_tree(context, last, size, root, proof)
            if last.size == size:
                return last
    except TileMissing:
        raise Rewritten from None
    at = context.clock()
    note = signer(context).sign(TreeHead(context.settings.trace_origin, size, root), int(at.timestamp()))
    made = Checkpoint(size, root, note.encode(), at)
    journal.keep_checkpoint(connection, made)
    return made


def _same_tree(context: Context, last: Checkpoint, size: int, root: bytes, proof: list[bytes]) -> None:
    """The kept head is one that we signed, and the tree as it is continues it."""
    try:
        note = Note.parse(last.note)
        head = checkpoint.verify(last.note, keys_named(context, note)).head
        if (head.size, head.root) != (last.size, last.root):
            raise Rewritten
        merkle.verify_consistency(last.size, size, proof, last.root, root)
    except CryptoError:
        raise Rewritten from None


def published(context: Context) -> Checkpoint | None:
    """The head that anybody may see; None before the first day has passed."""
    with context.database.transaction(read_only=True) as connection:
        return journal.last_checkpoint(connection, published=True)


def publish(context: Context) -> int:
    """Sign today's head, ask the witnesses for their cosignatures, and let anybody see it. Gives how many entries it covers anew.

    When nothing was added, yesterday's head is signed again with today's date: that nothing was there is worth saying too. A witness that
    does not answer is asked again each hour; a head without it is published all the same.
    """
    journal.number_all(context.database)
    before, at = published(context), context.clock()
    try:
        with context.database.transaction() as connection:
            head = sign(context, connection)
    except Rewritten:
        log.error("the trace was rewritten: no head is signed")
        raise
    if head.published is not None:
        note = signer(context).sign(TreeHead(context.settings.trace_origin, head.size, head.root), int(at.timestamp()))
        head = replace(head, note=note.encode())
    _cosigned_and_public(context, head, at)
    return head.size - (before.size if before else 0)


def ask_again(context: Context) -> int:
    """Ask the witnesses that have not signed the published head yet; gives how many did now."""
    head = published(context)
    if head is None or head.published is None or not witnesses.missing(context, head):
        return 0
    before = len(Note.parse(head.note).signatures)
    return len(Note.parse(_cosigned_and_public(context, head, head.published)).signatures) - before


def _cosigned_and_public(context: Context, head: Checkpoint, at: dt.datetime) -> str:
    note = witnesses.cosigned(context, head)
    with context.database.transaction() as connection:
        serialise(connection, TURN)
        journal.publish(connection, head.size, note, at)
    return note


def covering(context: Context, number: int) -> Checkpoint:
    """A head over this entry: a published one if there is, else one signed for somebody before, else one signed now."""
    with context.database.transaction(read_only=True) as connection:
        for public in (True, False):
            found = journal.first_covering(connection, number, published=public)
            if found is not None:
                return found
    with context.database.transaction() as connection:
        return sign(context, connection)
