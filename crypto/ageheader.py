"""The text before an age payload: who may open it, and a MAC over that (C2SP age, version 1).

Strict both ways: a header that parses is written back byte for byte.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from crypto.errors import Malformed, Undecryptable
from crypto.keys import AgeFileKey, kdf

VERSION_LINE = b"age-encryption.org/v1\n"

_COLUMNS = 64
_MAC = 32
_ARGUMENT = re.compile(r"[!-~]+")


def b64encode(data: bytes) -> str:
    """Write base64 without padding."""
    return base64.b64encode(data).decode().rstrip("=")


def b64decode(text: str) -> bytes:
    """Read canonical base64 without padding, or raise Malformed."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("this header is not base64") from error
    if b64encode(data) != text:
        raise Malformed("this header is not base64 in its only form")
    return data


@dataclass(frozen=True)
class Stanza:
    """One way to the file key: its arguments, the first of which names its type, and what only its recipient opens."""

    arguments: tuple[str, ...]
    body: bytes

    def encode(self) -> bytes:
        """Write it, the last line shorter than 64 columns."""
        text = b64encode(self.body)
        lines = [text[place : place + _COLUMNS] for place in range(0, len(text) + 1, _COLUMNS)]
        return "\n".join([" ".join(("->", *self.arguments)), *lines, ""]).encode()


@dataclass(frozen=True)
class Header:
    """Every way to the file key, and the MAC that binds them together."""

    stanzas: tuple[Stanza, ...]
    mac: bytes

    def check(self, key: AgeFileKey) -> None:
        """Verify the MAC with the file key that one of the stanzas gave, or raise Undecryptable."""
        if not hmac.compare_digest(_mac(key, self.stanzas), self.mac):
            raise Undecryptable

    def encode(self) -> bytes:
        """Write the header, up to and with its last line feed."""
        return _authenticated(self.stanzas) + f" {b64encode(self.mac)}\n".encode()


def _authenticated(stanzas: Sequence[Stanza]) -> bytes:
    return VERSION_LINE + b"".join(stanza.encode() for stanza in stanzas) + b"---"


def _mac(key: AgeFileKey, stanzas: Sequence[Stanza]) -> bytes:
    return hmac.digest(kdf(key, b"header", 32), _authenticated(stanzas), hashlib.sha256)


def build(key: AgeFileKey, stanzas: Sequence[Stanza]) -> Header:
    """Bind stanzas under their file key."""
    return Header(tuple(stanzas), _mac(key, stanzas))


def end_of_header(data: bytes | bytearray) -> int | None:
    """Find where the header at the front of a file ends; None when its end has not come yet."""
    mark = data.find(b"\n---")
    end = data.find(b"\n", mark + 1) if mark >= 0 else -1
    return end + 1 if end >= 0 else None


def parse(data: bytes) -> Header:
    """Read a header that is exactly `data`, or raise Malformed."""
    if not data.startswith(VERSION_LINE):
        raise Malformed("this is not an age file of version 1")
    try:
        lines = deque(data[len(VERSION_LINE) :].decode("ascii").split("\n"))
    except UnicodeDecodeError as error:
        raise Malformed("this header is not plain text") from error
    stanzas = []
    while lines and lines[0].startswith("-> "):
        stanzas.append(_take_stanza(lines))
    if not stanzas or len(lines) != 2 or not lines[0].startswith("--- ") or lines[1]:
        raise Malformed("this header does not end as it should")
    header = Header(tuple(stanzas), b64decode(lines[0].removeprefix("--- ")))
    if len(header.mac) != _MAC or header.encode() != data:
        raise Malformed("this header is not in its only form")
    return header


def _take_stanza(lines: deque[str]) -> Stanza:
    arguments = tuple(lines.popleft().split(" ")[1:])
    if not all(_ARGUMENT.fullmatch(argument) for argument in arguments):
        raise Malformed("this header has an empty argument")
    body = []
    while lines and len(lines[0]) <= _COLUMNS:
        body.append(lines.popleft())
        if len(body[-1]) < _COLUMNS:
            return Stanza(arguments, b64decode("".join(body)))
    raise Malformed("this header has a line too long, or was cut")
