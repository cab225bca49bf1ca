"""A ZIP whose every byte is known in advance: its length before the first byte leaves, the same bytes whenever it is asked again.

Python's `zipfile` writes to a stream that cannot go back by putting sizes and sums *behind* each file, where many programs do not
look for files that are not compressed; and it cannot begin in the middle. Here a file's sum is computed before its header, files
are kept as they are (papers are compressed already), and a download that was cut goes on where it stopped.

What is read back is what this module writes and nothing else: one form, files in the order of the directory, no comment, no
compression (so no bomb), no path that climbs. Source: PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12, 4.3.16.
"""

import datetime as dt
import re
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

LOCAL = struct.Struct("<4sHHHHHLLLHH")
CENTRAL = struct.Struct("<4sHHHHHHLLLHHHHHLL")
END = struct.Struct("<4sHHHHLLH")
LOCAL_MARK, CENTRAL_MARK, END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
NEEDED, NOTHING = 20, 0  # the version of ZIP that reads this; no flag, no compression
LARGEST, MOST = 0xFFFFFFFE, 0xFFFE  # beyond, ZIP64 begins; a safe holds far less
MOST_NAME = 64
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*(?:/[a-z0-9][a-z0-9.-]*){0,2}")


class NotOurs(Exception):
    """These bytes are not an archive as this module writes it."""


@dataclass(frozen=True)
class Member:
    """A file of the archive: a name that says nothing of what is in it, and how many bytes it has."""

    name: str
    size: int

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.name) > MOST_NAME or not 0 <= self.size <= LARGEST:
            raise NotOurs("a name or a size that this archive does not have")


class Body(Protocol):
    """The bytes of one file, and their CRC-32, which is known before the first of them leaves."""

    @property
    def crc(self) -> int:
        """The sum of all of them."""

    def blocks(self) -> Iterator[bytes]:
        """All of them, `Member.size` bytes."""


@dataclass(frozen=True)
class Bytes:
    """A body in memory."""

    content: bytes

    @property
    def crc(self) -> int:
        """The sum of the content."""
        return zlib.crc32(self.content)

    def blocks(self) -> Iterator[bytes]:
        """In one piece."""
        yield self.content


def length(members: Sequence[Member]) -> int:
    """How long the whole archive is. ValueError for what needs ZIP64."""
    size = sum(LOCAL.size + CENTRAL.size + 2 * len(one.name) + one.size for one in members) + END.size
    if size > LARGEST or len(members) > MOST:
        raise ValueError("this archive is too large for a plain ZIP")
    return size


def _dos(at: dt.datetime) -> tuple[int, int]:
    """Time and day as MS-DOS wrote them, to two seconds."""
    return at.hour << 11 | at.minute << 5 | at.second // 2, (at.year - 1980) << 9 | at.month << 5 | at.day


def _local(one: Member, crc: int, time: int, day: int) -> bytes:
    name = one.name.encode()
    head = LOCAL.pack(LOCAL_MARK, NEEDED, NOTHING, NOTHING, time, day, crc, one.size, one.size, len(name), 0)
    return head + name


def _central(one: Member, crc: int, time: int, day: int, place: int) -> bytes:
    name = one.name.encode()
    fields = (NEEDED, NEEDED, NOTHING, NOTHING, time, day, crc, one.size, one.size, len(name), 0, 0, 0, 0, 0, place)
    return CENTRAL.pack(CENTRAL_MARK, *fields) + name


def _end(count: int, directory: int, place: int) -> bytes:
    return END.pack(END_MARK, 0, 0, count, count, directory, place, 0)


def write(members: Sequence[Member], bodies: Iterable[Body], at: dt.datetime) -> Iterator[bytes]:
    """The archive, block after block; one body is held at a time. `at` is the local time that its files bear."""
    length(members)
    time, day = _dos(at)
    place, directory = 0, b""
    for one, body in zip(members, bodies, strict=True):
        crc = body.crc
        head = _local(one, crc, time, day)
        yield head
        wrote = 0
        for block in body.blocks():
            wrote += len(block)
            yield block
        if wrote != one.size:
            raise ValueError("a body is not as long as it was said to be")
        directory += _central(one, crc, time, day, place)
        place += len(head) + one.size
    yield directory + _end(len(members), len(directory), place)


def cut(blocks: Iterator[bytes], start: int, end: int) -> Iterator[bytes]:
    """The bytes from `start` up to and without `end`: what a download that was interrupted still needs."""
    place = 0
    for block in blocks:
        after = place + len(block)
        if after > start and place < end:
            yield block[max(0, start - place) : end - place]
        place = after
        if place >= end:
            return


class Taker(Protocol):
    """Who receives the files of an archive, one after the other."""

    def begin(self, member: Member) -> None:
        """A file begins. Raise to refuse it."""

    def take(self, block: bytes) -> None:
        """Its next bytes."""

    def end(self) -> None:
        """It is whole, and its sum is right."""


class Reader:
    """Reads an archive as it comes in, in constant memory. Raises NotOurs, and what the taker raises; `finish` must be called."""

    def __init__(self, taker: Taker) -> None:
        self._taker = taker
        self._pending = bytearray()
        self._step: Callable[[], bool] = self._mark
        self._member: Member | None = None
        self._left, self._crc, self._told_crc = 0, 0, 0
        self._place, self._directory = 0, b""
        self._count, self._names = 0, set[str]()
        self._stamp: tuple[int, int] | None = None

    def write(self, block: bytes) -> None:
        """Read what came."""
        self._pending += block
        while self._step():
            pass

    def finish(self) -> None:
        """It is all: refuse what was cut."""
        if self._step != self._over or self._pending:
            raise NotOurs("the archive was cut, or goes on behind its end")

    def _take(self, size: int) -> bytes | None:
        if len(self._pending) < size:
            return None
        taken = bytes(self._pending[:size])
        del self._pending[:size]
        return taken

    def _mark(self) -> bool:
        if len(self._pending) < 4:
            return False
        self._step = self._head if self._pending[:4] == LOCAL_MARK else self._rest
        return True

    def _head(self) -> bool:
        if len(self._pending) < LOCAL.size:
            return False
        _, needed, flags, method, time, day, crc, packed, size, name_size, extra = LOCAL.unpack_from(self._pending)
        if (needed, flags, method, extra) != (NEEDED, NOTHING, NOTHING, 0) or packed != size or not 0 < name_size <= MOST_NAME:
            raise NotOurs("a file is not kept as this archive keeps it")
        if len(self._pending) < LOCAL.size + name_size:
            return False
        raw = self._take(LOCAL.size + name_size) or b""
        try:
            member = Member(raw[LOCAL.size :].decode("ascii"), size)
        except UnicodeDecodeError:
            raise NotOurs("a name is not plain") from None
        if member.name in self._names or self._stamp not in (None, (time, day)) or self._count == MOST:
            raise NotOurs("a file twice, or of another time")
        self._names.add(member.name)
        self._stamp, self._count = (time, day), self._count + 1
        self._directory += _central(member, crc, time, day, self._place)
        self._place += len(raw) + size
        self._member, self._left, self._crc, self._told_crc = member, size, 0, crc
        self._taker.begin(member)
        self._step = self._body
        return True

    def _body(self) -> bool:
        if self._left and not self._pending:
            return False
        block = self._take(min(self._left, len(self._pending))) or b""
        self._left -= len(block)
        self._crc = zlib.crc32(block, self._crc)
        if block:
            self._taker.take(block)
        if not self._left:
            if self._crc != self._told_crc:
                raise NotOurs("a file is damaged")
            self._taker.end()
            self._step = self._mark
        return True

    def _rest(self) -> bool:
        """The directory and the end are what we would have written, byte for byte."""
        expected = self._directory + _end(self._count, len(self._directory), self._place)
        if not expected.startswith(bytes(self._pending[: len(expected)])):
            raise NotOurs("the directory does not say what came before it")
        if len(self._pending) < len(expected):
            return False
        del self._pending[: len(expected)]
        self._step = self._over
        return True

    def _over(self) -> bool:
        if self._pending:
            raise NotOurs("the archive goes on behind its end")
        return False
