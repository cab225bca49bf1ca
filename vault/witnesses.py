"""Witnesses of the trace: other people's machines that sign a head only when it continues the one they signed before.

The log's side of C2SP tlog-witness: it sends a head with a proof from what the witness knows, and keeps the line that comes back. A
witness learns a name, a size and a root, once a day. What each answered last is kept for the office and for `abri check`.
"""

import base64
import datetime as dt
import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import structlog
from sqlalchemy import delete, insert, select

from crypto import merkle
from crypto.checkpoint import witnessed
from crypto.errors import CryptoError
from crypto.notes import Note, NoteKey, signatures_of
from storage import tiles
from storage.errors import TileMissing
from storage.journal import Checkpoint
from storage.tables import witness_answers
from vault.context import Context
from vault.settings import WitnessAt

Answer = Literal["cosigned", "refused", "silent"]
MOST_BYTES = 64 * 1024
SECONDS = 10
log = structlog.get_logger()


@dataclass(frozen=True)
class Heard:
    """What one witness answered last: about a head of `size`, when. `answer` is None before it was ever asked."""

    name: str
    size: int
    at: dt.datetime | None
    answer: Answer | None


@dataclass(frozen=True)
class _Reply:
    status: int
    kind: str
    text: str


def request_body(old: int, proof: Sequence[bytes], note: str) -> str:
    """What `add-checkpoint` is sent."""
    return "".join([f"old {old}\n", *(base64.b64encode(one).decode() + "\n" for one in proof), "\n", note])


def missing(context: Context, head: Checkpoint) -> list[WitnessAt]:
    """The witnesses whose line is not under this head."""
    signed = Note.parse(head.note).signatures
    return [one for one in context.settings.witnesses if not any(line.of(one.key) for line in signed)]


def cosigned(context: Context, head: Checkpoint) -> str:
    """The note of this head with the lines of all witnesses that signed it now or before."""
    note = Note.parse(head.note)
    known: Sequence[NoteKey] = [one.key for one in context.settings.witnesses]
    for witness in missing(context, head):
        answer, lines = _ask(context, witness, head)
        more = witnessed(note, signatures_of(lines), known) if answer == "cosigned" else note
        if answer == "cosigned" and more == note:
            answer = "silent"  # it answered, but with nothing that its key signed
        note = more
        if answer != "cosigned":
            log.error("witness has not signed", answer=answer)
        _remember(context, witness.key.name, head.size, answer)
    return note.encode()


def _ask(context: Context, witness: WitnessAt, head: Checkpoint) -> tuple[Answer, str]:
    """Send the head; when the witness knows another size than we thought, once more from there."""
    old = _known_size(context, witness.key.name)
    try:
        reply = _send(context, witness, head, old)
        if reply.status == 409 and reply.kind == "text/x.tlog.size" and reply.text.strip().isdecimal():
            if int(reply.text) > head.size:
                return "refused", ""  # it has seen a longer trace than ours
            reply = _send(context, witness, head, int(reply.text))
        if reply.status == 200:
            signatures_of(reply.text)
            return "cosigned", reply.text
    except (OSError, http.client.HTTPException, UnicodeDecodeError, CryptoError, TileMissing):
        return "silent", ""
    return ("refused" if reply.status in (403, 409, 422) else "silent"), ""


def _send(context: Context, witness: WitnessAt, head: Checkpoint, old: int) -> _Reply:
    with context.database.transaction(read_only=True) as connection:
        proof = merkle.consistency_proof(tiles.nodes(connection), min(old, head.size), head.size)
    body = request_body(min(old, head.size), proof, head.note).encode()
    request = urllib.request.Request(f"{witness.address}/add-checkpoint", data=body, headers={"Content-Type": "text/plain"})  # noqa: S310 (an address from the settings)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            return _Reply(answer.status, answer.headers.get_content_type(), answer.read(MOST_BYTES).decode())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return _Reply(refusal.code, refusal.headers.get_content_type(), refusal.read(MOST_BYTES).decode())


def _row(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:40]


def _known_size(context: Context, name: str) -> int:
    query = select(witness_answers.c.size).where(witness_answers.c.witness == _row(name), witness_answers.c.answer == "cosigned")
    with context.database.transaction(read_only=True) as connection:
        return connection.execute(query).scalar_one_or_none() or 0


def _remember(context: Context, name: str, size: int, answer: Answer) -> None:
    with context.database.transaction() as connection:
        connection.execute(delete(witness_answers).where(witness_answers.c.witness == _row(name)))
        connection.execute(insert(witness_answers).values(witness=_row(name), size=size, at=context.clock(), answer=answer))


def heard(context: Context) -> list[Heard]:
    """Each witness of the settings, with its last answer."""
    with context.database.transaction(read_only=True) as connection:
        rows = {row.witness: row for row in connection.execute(select(witness_answers))}
    found = []
    for one in context.settings.witnesses:
        row = rows.get(_row(one.key.name))
        found.append(Heard(one.key.name, row.size if row else 0, row.at if row else None, row.answer if row else None))
    return found
