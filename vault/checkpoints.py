"""Signed heads of the trace's tree: one a day is published, others are signed for whoever holds an entry that none covers yet.

At the size of one kiosk, a public size that moves each minute would say when somebody stood there: so anybody sees the tree of the last
published head, and nothing later. A head is signed only when it continues the last one that was kept.
"""

import datetime as dt
import hashlib
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Any

import structlog
from sqlalchemy import Connection

from crypto import checkpoint, merkle
from crypto.checkpoint import ED25519_PUBLIC, CheckpointSigner, LogKeys, TreeHead
from crypto.errors import BadSignature, CryptoError
from crypto.keys import SignSeed
from crypto.notes import ED25519, ML_DSA_44, Note, NoteKey, NoteSignature
from crypto.signing import sign_public
from storage import journal, tiles
from storage.database import serialise
from storage.errors import TileMissing
from storage.journal import Checkpoint
from vault import last_head, witnesses
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
    known = _signer(bytes(settings.service_sign), settings.trace_origin).public
    earlier = [
        {
            "service": bytes(one.public).hex(), "trace": log_keys(settings.trace_origin, one.trace).lines().splitlines(),
            "until": one.until.isoformat(), "next": one.next.hex(), "signature": one.signature.hex(),
        }
        for one in settings.earlier
    ]  # fmt: skip
    publics = [known.classic.public + known.lattice.public, *(one.trace for one in settings.earlier)]
    former = [log_keys(name, one).lines().splitlines() for name in settings.former_trace_names for one in publics]
    roots = {**settings.former_roots, **settings.root_keys}  # who left signed certificates that go on holding
    return {
        "v": "1", "service": bytes(sign_public(settings.service_sign)).hex(), "trace": known.lines().splitlines(),
        "roots": {name: bytes(key).hex() for name, key in sorted(roots.items())}, "earlier": earlier,
        **({"former_traces": former} if former else {}),
    }  # fmt: skip


def fingerprint(context: Context) -> str:
    """The public keys in eight groups of four, to compare with what is printed elsewhere."""
    digest = hashlib.sha256(keys(context).lines().encode()).hexdigest()
    return " ".join(digest[start : start + 4] for start in range(0, 32, 4))


def verify_kept(context: Context, note: str) -> checkpoint.Checkpoint:
    """A head that this log signed, by its present keys or by earlier ones, under the name that it had then. Malformed, BadSignature.

    A log that was given another name keeps its seed.
    """
    name = Note.parse(note).text.split("\n", 1)[0]
    known = [_signer(bytes(context.settings.service_sign), name).public]
    for keys in (*known, *(log_keys(name, one.trace) for one in context.settings.earlier)):
        with suppress(BadSignature):
            return checkpoint.verify(note, keys)
    raise BadSignature


def signed_at(context: Context, kept: Checkpoint) -> dt.datetime:
    """When this head was signed last, as its note says: the row's own dates are signed by nobody. Raises Tampered."""
    try:
        return dt.datetime.fromtimestamp(verify_kept(context, kept.note).at, dt.UTC)
    except CryptoError:
        raise Tampered from None


def own_lines(context: Context, note: Note) -> tuple[NoteSignature, ...]:
    """The two lines of this log under a head: by its present keys, or by the latest of before that signed it. Nothing is verified."""
    name = note.text.split("\n", 1)[0]
    for known in (
        _signer(bytes(context.settings.service_sign), name).public,
        *(log_keys(name, one.trace) for one in context.settings.earlier),
    ):
        found = tuple(one for one in note.signatures if one.of(known.classic) or one.of(known.lattice))
        if found:
            return found
    return ()


def log_keys(name: str, public: bytes) -> LogKeys:
    """Two public keys of a log under a name: 32 bytes, then 1312."""
    return LogKeys(NoteKey(name, ED25519, public[:ED25519_PUBLIC]), NoteKey(name, ML_DSA_44, public[ED25519_PUBLIC:]))


def _head_signed(context: Context, head: TreeHead, at: int) -> Note:
    """A head signed by the present keys, and by those of before until they are retired: a verifier knows one or the other."""
    note = signer(context).sign(head, at)
    for one in context.settings.earlier:
        if one.sign is not None:
            before = _signer(bytes(one.sign), head.origin).sign(head, at)
            note = replace(note, signatures=(*note.signatures, *before.signatures))
    return note


def sign(context: Context, connection: Connection) -> Checkpoint:
    """Sign the head of what is numbered, and keep it; the one of this size again when there is one. Raises Rewritten.

    Its place in a transaction is the last: others who sign wait for its end.
    """
    serialise(connection, TURN)
    last, size, root = _continued(context, connection)
    if last is not None and last.size == size:
        return last
    at = context.clock()
    note = _head_signed(context, TreeHead(context.settings.trace_origin, size, root), int(at.timestamp()))
    made = Checkpoint(size, root, note.encode(), at)
    journal.keep_checkpoint(connection, made)
    last_head.keep(context.settings, made.note)
    return made


def remember(context: Context) -> int:
    """Each hour: sign what is numbered into this machine's own file, and show it to nobody. Gives 1, or 0 when nothing is new."""
    with context.database.transaction() as connection:
        serialise(connection, TURN)
        try:
            _, size, root = _continued(context, connection)
        except Rewritten:
            log.error("the trace was rewritten: no head is signed")
            raise
        kept = remembered(context)
        if not size or (kept is not None and kept.head.size == size):
            return 0
        at = int(context.clock().timestamp())
        last_head.keep(context.settings, _head_signed(context, TreeHead(context.settings.trace_origin, size, root), at).encode())
    return 1


def remembered(context: Context) -> checkpoint.Checkpoint | None:
    """The last head that this machine signed, None when there is none; Malformed, BadSignature."""
    note = last_head.read(context.settings)
    return None if note is None else verify_kept(context, note)


def _continued(context: Context, connection: Connection) -> tuple[Checkpoint | None, int, bytes]:
    """The last head among the rows, and size and root of the tree, which continues it and the one that this machine remembers."""
    last, size = journal.last_checkpoint(connection), tiles.size(connection)
    nodes = tiles.nodes(connection)
    try:
        root = merkle.root_at(nodes, size)
        mine = remembered(context)
        if mine is not None and (mine.head.size > size or merkle.root_at(nodes, mine.head.size) != mine.head.root):
            raise Rewritten
        if last is not None:
            proof = merkle.consistency_proof(nodes, last.size, size) if last.size <= size else []
            _same_tree(context, last, size, root, proof)
    except (TileMissing, CryptoError):
        raise Rewritten from None
    return last, size, root


def _same_tree(context: Context, last: Checkpoint, size: int, root: bytes, proof: list[bytes]) -> None:
    """The kept head is one that we signed, and the tree as it is continues it."""
    try:
        head = verify_kept(context, last.note).head
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
    try:
        journal.number_all(context.database)
        before, at = published(context), context.clock()
        with context.database.transaction() as connection:
            head = sign(context, connection)
    except (Rewritten, TileMissing):
        log.error("the trace was rewritten: no head is signed")
        raise Rewritten from None
    if int(head.at.timestamp()) < int(at.timestamp()):  # what it says of the day is signed too
        note = _head_signed(context, TreeHead(context.settings.trace_origin, head.size, head.root), int(at.timestamp()))
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
    """A head over this entry: a published one if there is, else one signed for somebody before, else one signed now.

    Raises Tampered when none can be signed.
    """
    with context.database.transaction(read_only=True) as connection:
        for public in (True, False):
            found = journal.first_covering(connection, number, published=public)
            if found is not None:
                return found
    try:
        journal.number_all(context.database)  # a head says of all that is not in it that it came later
    except TileMissing:
        raise Rewritten from None
    with context.database.transaction() as connection:
        return sign(context, connection)
