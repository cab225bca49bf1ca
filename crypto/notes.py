"""Signed notes (C2SP signed-note): a text that people can read, then a line for each signature.

A signature names its key (a name and four bytes of digest); lines of keys that one does not know say nothing. Two kinds of keys
are known here: Ed25519 over the text (type 0x01), and the timestamped ML-DSA-44 cosignature of a tree head (type 0x06, C2SP
tlog-cosignature), which `crypto.checkpoint` writes and reads.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from crypto.errors import Malformed

ED25519, ML_DSA_44 = 0x01, 0x06
MOST_SIGNATURES = 16
MOST_BYTES = 256 * 1024

_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]{1,120}")


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key as notes name it: `name` without spaces or plus, `kind` one of the types above, the `public` bytes."""

    name: str
    kind: int
    public: bytes

    def __post_init__(self) -> None:
        """Refuse a name that could not stand in a signature line."""
        checked_name(self.name)

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart; no protection."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def vkey(self) -> str:
        """The key as one line of text: name, id in hexadecimal, type and key in base64."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    @classmethod
    def from_vkey(cls, untrusted: str) -> "NoteKey":
        """Read such a line; raises Malformed unless it is written as we write it."""
        parts = untrusted.split("+", 2)
        if len(parts) != 3:
            raise Malformed("a verifier key has a name, an id and a key")
        octets = decoded(parts[2])
        if not octets:
            raise Malformed("a verifier key has a type")
        key = cls(parts[0], octets[0], octets[1:])
        if key.vkey() != untrusted:
            raise Malformed("a verifier key is written in one way only")
        return key


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One line under a note: whose it says it is, and what was signed with."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """As it stands in the note, with its end of line."""
        return f"\u2014 {self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"

    def of(self, key: NoteKey) -> bool:
        """Whether it names this key."""
        return (self.name, self.key_id) == (key.name, key.id)


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends with a new line, and its signatures, none of them verified."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def encode(self) -> str:
        """The note as it is published."""
        return self.text + "\n" + "".join(one.line() for one in self.signatures)

    @classmethod
    def parse(cls, untrusted: str) -> "Note":
        """Read a note; raises Malformed unless it encodes back to the same characters."""
        if len(untrusted) > MOST_BYTES or any(one < " " and one != "\n" for one in untrusted):
            raise Malformed("a note is a text of bounded length")
        text, found, signed = untrusted.rpartition("\n\n")
        if not found or not signed.endswith("\n"):
            raise Malformed("a note is a text, an empty line, signatures")
        lines = signed[:-1].split("\n")
        if not 1 <= len(lines) <= MOST_SIGNATURES:
            raise Malformed(f"a note has 1 to {MOST_SIGNATURES} signatures")
        note = cls(text + "\n", tuple(signature_of(line) for line in lines))
        if note.encode() != untrusted:
            raise Malformed("a note is written in one way only")
        return note


def signature_of(untrusted_line: str) -> NoteSignature:
    """Read one signature line, without its end of line."""
    parts = untrusted_line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014":
        raise Malformed("a signature is a dash, a name, base64")
    octets = decoded(parts[2])
    if len(octets) < 5:
        raise Malformed("a signature is longer than the id of its key")
    return NoteSignature(checked_name(parts[1]), octets[:4], octets[4:])


def signatures_of(untrusted: str) -> tuple[NoteSignature, ...]:
    """Read signature lines alone, as a witness answers them."""
    if not untrusted.endswith("\n") or untrusted.count("\n") > MOST_SIGNATURES:
        raise Malformed("signatures are lines")
    found = tuple(signature_of(line) for line in untrusted[:-1].split("\n"))
    if "".join(one.line() for one in found) != untrusted:
        raise Malformed("a signature is written in one way only")
    return found


def checked_name(untrusted: str) -> str:
    """The name of a key, or Malformed."""
    if not _NAME.fullmatch(untrusted):
        raise Malformed("the name of a key has no spaces and no plus")
    return untrusted


def decoded(untrusted: str) -> bytes:
    """Base64 in its one form, or Malformed."""
    try:
        octets = base64.b64decode(untrusted, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("this is not base64") from error
    if base64.b64encode(octets).decode() != untrusted:
        raise Malformed("base64 is written in one way only")
    return octets


def from_key(signatures: Sequence[NoteSignature], key: NoteKey) -> list[NoteSignature]:
    """Those that name this key."""
    return [one for one in signatures if one.of(key)]
