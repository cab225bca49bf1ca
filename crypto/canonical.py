"""The one canonical encoding of everything that is signed, hashed or bound to a key.

Values are JSON without fractions, written as RFC 8785 says. What parses encodes back to the same bytes, so that two
different rows can never mean the same thing.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeAlias, cast

import msgspec
import rfc8785

from crypto.errors import Malformed

Value: TypeAlias = "bool | int | str | Sequence[Value] | Mapping[str, Value] | None"

_PREFIX = b"abri/v1/"
_LABEL = re.compile(r"[a-z]+(?:[-/][a-z]+)*")
_DEPTH = 32
_LENGTH_BYTES = 4
_SMALL_SIZES = (64, 256, 1024)
_LARGEST = 2**53 - 1
_PLAIN = (dict, list, tuple, int, bool)  # what is derived from them is left to the slow writer
_FLAT, _NAMES = {str, int}, {str}
_write = msgspec.json.Encoder(order="sorted").encode
_read = msgspec.json.Decoder().decode
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)


def canonical(value: Value) -> bytes:
    """Write a value in its only form (RFC 8785). Fractions are refused: nobody agrees on how to print them."""
    try:
        # This writer differs in the order of names outside ASCII alone, and takes a fiftieth of the time: each paper of a list
        # asks for four contexts and a card.
        return _write(value) if _is_plain(value, _DEPTH) else rfc8785.dumps(cast("Any", value))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise Malformed("this value has no canonical form") from error


def _is_plain(value: object, depth: int) -> bool:
    """Refuse what a JSON reader would not give back, or is so deep that a reader could be made to fail.

    Tells whether the quick writer gives RFC 8785: every name is ASCII and every number one that JSON readers agree on.
    """
    if type(value) is dict and depth > 1 and _is_flat(value):
        return True
    if depth == 0:
        raise Malformed("this value is too deep")
    if isinstance(value, str) or value is None:
        return value is None or type(value) is str
    plain = type(value) in _PLAIN
    if isinstance(value, dict):
        for name in value:
            if not isinstance(name, str):
                raise Malformed("names are texts")
            plain = plain and type(name) is str and name.isascii()
        value = tuple(value.values())
    if isinstance(value, list | tuple):
        for inner in value:
            if depth == 1 or type(inner) is not str:  # most are, and need no call
                plain = _is_plain(inner, depth - 1) and plain
        return plain
    if isinstance(value, int):
        return plain and -_LARGEST <= value <= _LARGEST
    raise Malformed("this value has no canonical form")


def _is_flat(value: dict[object, object]) -> bool:
    """Whether it is named texts and small numbers alone, as nearly every value is: the same answer at a tenth of the price."""
    kinds = set(map(type, value.values()))
    if not kinds <= _FLAT or set(map(type, value)) != _NAMES or not "".join(cast("dict[str, object]", value)).isascii():
        return False
    return int not in kinds or all(-_LARGEST <= one <= _LARGEST for one in value.values() if type(one) is int)


def parse(data: bytes) -> Value:
    """Read a canonical value; refuse whatever is not written exactly as `canonical` writes it."""
    try:
        value: Value = _read(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("this is not canonical JSON") from error
    # A name said twice, a space, another order or another way to write a number all end here.
    if canonical(value) != data:
        raise Malformed("this is not canonical JSON")
    return value


def parse_object(data: bytes) -> dict[str, Value]:
    """Read a canonical value that must be a set of named fields."""
    value = parse(data)
    if not isinstance(value, dict):
        raise Malformed("this is not a set of named fields")
    return value


def context(label: str, fields: Mapping[str, Value]) -> bytes:
    """Name one use of one key: `ctx(label, fields)` of the formats. Labels are written in `crypto.contexts` only."""
    return _start(label) + canonical(dict(fields))


@lru_cache
def _start(label: str) -> bytes:
    if not _LABEL.fullmatch(label):
        raise ValueError("a label is lower-case words")
    return _PREFIX + label.encode() + b"\x00"


def fields_of(label: str, data: bytes) -> dict[str, Value]:
    """Read back the fields of a context that must carry this label."""
    start = _PREFIX + label.encode() + b"\x00"
    if not data.startswith(start):
        raise Malformed("this statement says something else")
    return parse_object(data[len(start) :])


def _padded_size(size: int) -> int:
    needed = _LENGTH_BYTES + size
    for small in _SMALL_SIZES:
        if needed <= small:
            return small
    largest = _SMALL_SIZES[-1]
    return -(-needed // largest) * largest


def pad(data: bytes) -> bytes:
    """Hide the length of a text: 4 bytes of length, the text, zeros up to 64, 256, 1024, then multiples of 1024."""
    return len(data).to_bytes(_LENGTH_BYTES, "big") + data + bytes(_padded_size(len(data)) - _LENGTH_BYTES - len(data))


def unpad(padded: bytes) -> bytes:
    """Take the text back out; refuse another length, another size or anything but zeros behind it."""
    data = padded[_LENGTH_BYTES : _LENGTH_BYTES + int.from_bytes(padded[:_LENGTH_BYTES], "big")]
    if pad(data) != padded:
        raise Malformed("this text is not padded as it should be")
    return data


def instant(at: datetime) -> str:
    """Write a moment: UTC, whole seconds, one form only."""
    if at.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return at.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat() + "Z"


def parse_instant(text: str) -> datetime:
    """Read a moment written by `instant`."""
    if not _INSTANT.fullmatch(text):
        raise Malformed("this is not a moment")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise Malformed("this is not a moment") from error
