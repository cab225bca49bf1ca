"""The proof that one entry stands in the trace, as a text that is kept and checked elsewhere (C2SP tlog-proof).

Its lines: the format's name, the entry's leaf, its place, the hashes on the way to the root, an empty line, and a signed head. It is
written in one way only: what parses encodes back to the same bytes.
"""

import base64
import re
from dataclasses import dataclass
from uuid import UUID

from crypto import checkpoint, merkle
from crypto.checkpoint import Checkpoint, LogKeys
from crypto.errors import BadSignature, Malformed
from crypto.notes import decoded

FORMAT = "c2sp.org/tlog-proof@v1"
LEAF_BYTES = 1 + 16 + 3 * 32
MOST_HASHES = 63
LONGEST = 64 << 10  # a head may carry the lines of several witnesses
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """An entry's leaf (113 bytes: 0x01, the id, three digests), its place, the path to the root, and the signed head."""

    leaf: bytes
    index: int
    path: tuple[bytes, ...]
    note: str

    def __post_init__(self) -> None:
        """Refuse what is no leaf, or no path."""
        if len(self.leaf) != LEAF_BYTES or self.leaf[0] != 1:
            raise Malformed("an entry's leaf has 113 bytes and begins with 1")
        if self.index < 0 or len(self.path) > MOST_HASHES or any(len(one) != merkle.HASH_BYTES for one in self.path):
            raise Malformed("a path is hashes of 32 bytes")

    @property
    def entry(self) -> str:
        """The id of the entry."""
        return str(UUID(bytes=self.leaf[1:17]))

    def text(self) -> str:
        """The proof as it is kept. The extra is the leaf itself, so that its hash can be computed again."""
        lines = [FORMAT, f"extra {base64.b64encode(self.leaf).decode()}", f"index {self.index}"]
        return "\n".join([*lines, *(base64.b64encode(one).decode() for one in self.path), "", self.note])

    @classmethod
    def of_text(cls, untrusted: str) -> "InclusionProof":
        """Read what `text` wrote; raises Malformed for anything else. Nothing is verified yet."""
        head, found, note = untrusted.partition("\n\n")
        lines = head.split("\n")
        if len(untrusted) > LONGEST or not found or len(lines) < 3 or lines[0] != FORMAT or not lines[1].startswith("extra "):
            raise Malformed("this is not a proof of an entry")
        index = _INDEX.fullmatch(lines[2])
        if index is None:
            raise Malformed("the third line of a proof says which place")
        proof = cls(decoded(lines[1].removeprefix("extra ")), int(index[1]), tuple(decoded(one) for one in lines[3:]), note)
        if proof.text() != untrusted:
            raise Malformed("a proof is written in one way only")
        return proof


def verify(proof: InclusionProof, keys: LogKeys) -> Checkpoint:
    """The signed head that holds this entry at this place; raises BadSignature (or BadProof), Malformed. Needs public keys alone."""
    signed = checkpoint.verify(proof.note, keys)
    if proof.index >= signed.head.size:
        raise BadSignature
    merkle.verify_inclusion(merkle.leaf_hash(proof.leaf), proof.index, signed.head.size, proof.path, signed.head.root)
    return signed
