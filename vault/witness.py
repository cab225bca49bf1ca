"""A witness of other people's traces: it signs a head only when it continues the last one it signed (C2SP tlog-witness).

It shares nothing with the service: a key, the public keys of the logs it watches, and one file that remembers the last head of each. What
it promises is in that file, so it is on the disk before an answer leaves. It learns names, sizes and roots, and nothing else.
"""

import base64
import fcntl
import hmac
import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from crypto import checkpoint, merkle
from crypto.checkpoint import CheckpointSigner, LogKeys, TreeHead
from crypto.errors import BadSignature, CryptoError, Malformed
from crypto.keys import SignSeed
from crypto.notes import Note, decoded

SIZE_TYPE, TEXT = "text/x.tlog.size", "text/plain; charset=utf-8"
MOST_BODY = 64 * 1024


class InUse(Exception):
    """Another witness works with this file: two that share it would each sign a history of its own."""


@dataclass(frozen=True)
class Answer:
    """A status, a kind of body, a body."""

    status: int
    text: str
    kind: str = TEXT


@dataclass(frozen=True)
class Asked:
    """What a log sent: the size it believes we know, the proof from there, the checkpoint as text."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: str

    @classmethod
    def parse(cls, untrusted: str) -> "Asked":
        """Read the body of add-checkpoint, or raise Malformed."""
        head, found, note = untrusted.partition("\n\n")
        first, *lines = head.split("\n")
        digits = first.removeprefix("old ")
        if (
            not found
            or not first.startswith("old ")
            or not digits.isascii()
            or not digits.isdigit()
            or str(int(digits)) != digits
        ):
            raise Malformed("the first line is `old` and a size, an empty line comes before the checkpoint")
        if len(lines) > merkle.MOST_HASHES or len(digits) > 19:
            raise Malformed("a proof has at most 63 lines")
        proof = tuple(decoded(line) for line in lines)
        if any(len(one) != merkle.HASH_BYTES for one in proof):
            raise Malformed("a hash is 32 bytes")
        return cls(int(digits), proof, note)


class Memory:
    """The last head of each log, in one file: replaced whole and on the disk before anybody is answered; one witness at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock: IO[str] = path.with_suffix(".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise InUse(str(path)) from error
        self._heads: dict[str, TreeHead] = {}
        if path.exists():
            held: dict[str, dict[str, str]] = json.loads(path.read_text())
            self._heads = {name: TreeHead(name, int(one["size"]), base64.b64decode(one["root"])) for name, one in held.items()}

    def last(self, origin: str) -> TreeHead | None:
        """The last head that was signed for this log."""
        return self._heads.get(origin)

    def keep(self, head: TreeHead) -> None:
        """Remember this one instead; when this returns, it is on the disk."""
        heads = {**self._heads, head.origin: head}
        written = {name: {"size": str(one.size), "root": base64.b64encode(one.root).decode()} for name, one in heads.items()}
        new = self._path.with_suffix(".new")
        with new.open("w") as file:
            json.dump(written, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._heads = heads

    def close(self) -> None:
        """Let another witness have it."""
        self._lock.close()


class Witness:
    """A key, the logs it knows, and what it signed last; safe to ask from several threads."""

    def __init__(self, signer: CheckpointSigner, logs: Sequence[LogKeys], memory: Memory, clock: Callable[[], int]) -> None:
        self.signer = signer
        self._logs: Mapping[str, LogKeys] = {one.name: one for one in logs}
        self._memory = memory
        self._clock = clock
        self._turn = threading.Lock()  # what was compared and what is kept must not have another's answer in between

    def add_checkpoint(self, untrusted: bytes) -> Answer:
        """Sign this head, or say why not, with the statuses of C2SP tlog-witness."""
        try:
            asked = Asked.parse(untrusted.decode())
            head = TreeHead.of_text(Note.parse(asked.checkpoint).text)
        except (CryptoError, UnicodeDecodeError) as error:
            return Answer(400, f"{error}\n")
        keys = self._logs.get(head.origin)
        if keys is None:
            return Answer(404, "this log is unknown here\n")
        try:
            checkpoint.verify(asked.checkpoint, keys)
        except (BadSignature, Malformed):
            return Answer(403, "the log's keys did not sign this\n")
        if asked.old > head.size:
            return Answer(400, "the old size is larger than this head\n")
        with self._turn:
            return self._judge(asked, head)

    def _judge(self, asked: Asked, head: TreeHead) -> Answer:
        last = self._memory.last(head.origin)
        known = last.size if last else 0
        if asked.old != known:
            return Answer(409, f"{known}\n", SIZE_TYPE)
        root = last.root if last else merkle.EMPTY_ROOT
        if known == head.size and not hmac.compare_digest(root, head.root):
            return Answer(409, f"{known}\n", SIZE_TYPE)
        try:
            merkle.verify_consistency(known, head.size, asked.proof, root, head.root)
        except merkle.BadProof:
            return Answer(422, "this head does not continue the one signed before\n")
        if last != head:
            self._memory.keep(head)
        return Answer(200, self.signer.cosign(head, self._clock()).line())


def make_key(path: Path, name: str) -> str:
    """Draw a witness's key into a file that only its owner reads; gives its verifier key, for the logs' settings."""
    seed = SignSeed.random()
    signer = CheckpointSigner(seed, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"name": name, "sign": bytes(seed).hex()}, file)
    return signer.public.lattice.vkey()


def read_key(path: Path) -> CheckpointSigner:
    """The key that `make_key` wrote."""
    held: dict[str, str] = json.loads(path.read_text())
    return CheckpointSigner(SignSeed(bytes.fromhex(held["sign"])), held["name"])
