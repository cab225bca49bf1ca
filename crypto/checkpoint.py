"""The signed head of the trace's tree (C2SP tlog-checkpoint): how many entries, their root, and who says so.

Three lines of text: origin, size, root in base64. The log signs with Ed25519 over the text and with ML-DSA-44 over a timestamped
statement (C2SP tlog-cosignature); a witness adds a line of the second kind. A head holds when both of the log's hold.
"""

import base64
import hmac
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from crypto import contexts
from crypto.errors import BadSignature, Malformed
from crypto.keys import SignSeed, kdf
from crypto.merkle import HASH_BYTES
from crypto.notes import ED25519, ML_DSA_44, Note, NoteKey, NoteSignature, checked_name, decoded, from_key

ED25519_PUBLIC, ML_DSA_44_PUBLIC = 32, 1312
MOST_LEAVES = 1 << 62
_TIMESTAMP = 8


@dataclass(frozen=True, slots=True)
class TreeHead:
    """What a checkpoint says: whose log (`origin`), how many leaves, their root (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        """Refuse what another program would write differently."""
        checked_name(self.origin)
        if not 0 <= self.size <= MOST_LEAVES or len(self.root) != HASH_BYTES:
            raise Malformed("a tree head has a size and a root of 32 bytes")

    def text(self) -> str:
        """The three lines."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def of_text(cls, untrusted: str) -> "TreeHead":
        """Read the three lines; raises Malformed for anything that we would not have written. Extension lines are refused."""
        lines = untrusted.split("\n")
        if len(lines) != 4 or not lines[1].isascii() or not lines[1].isdigit() or len(lines[1]) > 19:
            raise Malformed("a tree head has three lines")
        head = cls(lines[0], int(lines[1]), decoded(lines[2]))
        if head.text() != untrusted:
            raise Malformed("a tree head is written in one way only")
        return head


@dataclass(frozen=True, slots=True)
class LogKeys:
    """The two public keys by which a log, or a witness, is known."""

    classic: NoteKey
    lattice: NoteKey

    def __post_init__(self) -> None:
        """One name, the two kinds, right lengths."""
        kinds = (self.classic.kind, len(self.classic.public), self.lattice.kind, len(self.lattice.public))
        if self.classic.name != self.lattice.name or kinds != (ED25519, ED25519_PUBLIC, ML_DSA_44, ML_DSA_44_PUBLIC):
            raise Malformed("a log has an Ed25519 key and an ML-DSA-44 key under one name")

    @property
    def name(self) -> str:
        """The name of the log."""
        return self.classic.name

    def lines(self) -> str:
        """Both keys as text, one a line: what is published and given to verifiers."""
        return f"{self.classic.vkey()}\n{self.lattice.vkey()}\n"

    @classmethod
    def of_lines(cls, untrusted: str) -> "LogKeys":
        """Read what `lines` wrote, or raise Malformed."""
        lines = untrusted.split("\n")
        if len(lines) != 3 or lines[2]:
            raise Malformed("the keys of a log are two lines")
        return cls(NoteKey.from_vkey(lines[0]), NoteKey.from_vkey(lines[1]))


class CheckpointSigner:
    """The private half of a log, or of a witness: both seeds from one signature seed, 32 bytes."""

    __slots__ = ("_classic", "_lattice", "public")

    def __init__(self, seed: SignSeed, name: str) -> None:
        seeds = kdf(seed, contexts.checkpoint_seeds(), 64)
        self._classic = Ed25519PrivateKey.from_private_bytes(seeds[:32])
        self._lattice = MLDSA44PrivateKey.from_seed_bytes(seeds[32:])
        self.public = LogKeys(
            NoteKey(name, ED25519, self._classic.public_key().public_bytes_raw()),
            NoteKey(name, ML_DSA_44, self._lattice.public_key().public_bytes_raw()),
        )

    def sign(self, head: TreeHead, at: int) -> Note:
        """The checkpoint of a head, signed at `at` (POSIX seconds). A log signs under its own origin only."""
        if head.origin != self.public.name:
            raise ValueError("a log signs its own heads")
        classic = NoteSignature(head.origin, self.public.classic.id, self._classic.sign(head.text().encode()))
        return Note(head.text(), (classic, self.cosign(head, at)))

    def cosign(self, head: TreeHead, at: int) -> NoteSignature:
        """One line that says: at that second this was the largest consistent head of that log that I had seen."""
        key = self.public.lattice
        said = _cosigned(key.name, head, at)
        return NoteSignature(key.name, key.id, struct.pack(">Q", at) + self._lattice.sign(said))


def _cosigned(name: str, head: TreeHead, at: int) -> bytes:
    """The statement of tlog-cosignature over a whole tree: it starts at leaf 0."""
    whole_tree = struct.pack(">QQ", 0, head.size) + head.root
    return b"subtree/v1\n\0" + _short(name) + struct.pack(">Q", at) + _short(head.origin) + whole_tree


def _short(name: str) -> bytes:
    octets = name.encode()
    if len(octets) > 255:
        raise Malformed("a name has at most 255 bytes")
    return bytes([len(octets)]) + octets


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head whose signatures hold: `at` is when the log says that it signed, POSIX seconds."""

    head: TreeHead
    at: int


def verify_cosignature(note: Note, key: NoteKey) -> int:
    """When a cosigner signed this head, POSIX seconds; BadSignature unless every line that names the key holds, and one does."""
    head = TreeHead.of_text(note.text)
    times: list[int] = []
    try:
        public = MLDSA44PublicKey.from_public_bytes(key.public)
    except ValueError as error:
        raise Malformed("this is not an ML-DSA-44 key") from error
    for one in from_key(note.signatures, key):
        if len(one.signature) <= _TIMESTAMP:
            raise BadSignature
        (at,) = struct.unpack(">Q", one.signature[:_TIMESTAMP])
        try:
            public.verify(one.signature[_TIMESTAMP:], _cosigned(key.name, head, at))
        except InvalidSignature:
            raise BadSignature from None
        times.append(at)
    if not times:
        raise BadSignature
    return max(times)


def _verify_classic(note: Note, key: NoteKey) -> None:
    found = from_key(note.signatures, key)
    if not found:
        raise BadSignature
    try:
        public = Ed25519PublicKey.from_public_bytes(key.public)
        for one in found:
            public.verify(one.signature, note.text.encode())
    except (InvalidSignature, ValueError):
        raise BadSignature from None


def verify(untrusted: str, keys: LogKeys) -> Checkpoint:
    """Read a checkpoint of this log: Malformed when it is none, BadSignature unless both of the log's signatures hold."""
    note = Note.parse(untrusted)
    head = TreeHead.of_text(note.text)
    if not hmac.compare_digest(head.origin.encode(), keys.name.encode()):
        raise BadSignature
    _verify_classic(note, keys.classic)
    return Checkpoint(head, verify_cosignature(note, keys.lattice))


def witnessed(note: Note, lines: Sequence[NoteSignature], witnesses: Sequence[NoteKey]) -> Note:
    """The note with what known witnesses signed added to it; lines of others, or that do not hold, are left out."""
    kept = note
    for one in lines:
        key = next((key for key in witnesses if one.of(key)), None)
        if key is None or one in kept.signatures:
            continue
        more = replace(kept, signatures=(*kept.signatures, one))
        try:
            verify_cosignature(replace(more, signatures=(one,)), key)
        except BadSignature:
            continue
        kept = more
    return kept
