"""How a job and its answer travel on a pipe: length-framed bytes, never pickle.

    message = N (4 bytes, big-endian), N bytes of JSON {"head": {...}, "parts": [length, ...]}, then the parts in order

Both ends read strictly. The service reads what a child wrote as it would read a stranger: bounded, and no further
than the lengths allow.
"""

import json
import struct
from collections.abc import Mapping, Sequence

_Scalar = str | int | float | bool | None
Json = _Scalar | list["Json"] | dict[str, "Json"]

_HEAD_LIMIT = 1024 * 1024
_PARTS_LIMIT = 256
_LENGTH = struct.Struct(">I")

ORDER = struct.Struct("<IQ")
"""To the clean interpreter, with three descriptors: seconds of processor, bytes of memory of one child."""

ENDING = struct.Struct("<iQ")
"""From it, on the leash: the wait status of the child and the most memory it held, in KiB."""


class BadFrame(ValueError):
    """The bytes are not one message, or more than the reader is ready to take."""


def frame(head: Mapping[str, Json], parts: Sequence[bytes] = ()) -> list[bytes]:
    """The pieces to write one after the other; the parts are not copied."""
    text = json.dumps({"head": head, "parts": [len(part) for part in parts]}).encode()
    return [_LENGTH.pack(len(text)), text, *parts]


class FrameReader:
    """Gathers one message from pieces cut anywhere."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._head_end: int | None = None
        self._head: dict[str, Json] = {}
        self._lengths: list[int] = []
        self._total = _LENGTH.size

    def feed(self, piece: bytes) -> bool:
        """Take a piece; true once the message is whole. Raises BadFrame."""
        self._buffer += piece
        if self._head_end is None:
            self._look_for_head()
        if len(self._buffer) > self._total and self._head_end is not None:
            raise BadFrame("bytes after the end")
        return self._head_end is not None and len(self._buffer) == self._total

    def wanted(self) -> int:
        """How many bytes are still missing, as far as is known."""
        return self._total - len(self._buffer)

    def message(self) -> tuple[dict[str, Json], tuple[bytes, ...]]:
        """The head and the parts of a whole message."""
        if self._head_end is None:
            raise BadFrame("not whole")
        parts = []
        at = self._head_end
        with memoryview(self._buffer) as view:
            for length in self._lengths:
                parts.append(bytes(view[at : at + length]))
                at += length
        return self._head, tuple(parts)

    def _look_for_head(self) -> None:
        if len(self._buffer) < _LENGTH.size:
            return
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > _HEAD_LIMIT:
            raise BadFrame("head too long")
        self._total = end = _LENGTH.size + length
        if len(self._buffer) < end:
            return
        try:
            text = json.loads(bytes(self._buffer[_LENGTH.size : end]))
        except (ValueError, RecursionError) as error:
            raise BadFrame("head is not JSON") from error
        match text:
            case {"head": dict(head), "parts": list(lengths)} if len(lengths) <= _PARTS_LIMIT:
                if any(type(length) is not int or length < 0 for length in lengths):
                    raise BadFrame("lengths")
                self._head, self._lengths = head, lengths
            case _:
                raise BadFrame("head")
        self._total = end + sum(self._lengths)
        if self._total > self._limit:
            raise BadFrame("too long")
        self._head_end = end
