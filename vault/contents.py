"""The bytes of a paper as they leave: few are verified whole before the first one goes; of many, the last block is held back."""

import hashlib
import hmac
from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self

from crypto.keys import AgeFileKey
from crypto.stream import Decryptor, RangeReader, decrypt, payload_length
from storage.blobs import BlobName, BlobReader
from vault.context import Context
from vault.errors import NotThere, Tampered
from vault.kinds import Kind
from vault.paper_cards import Role, Thing
from vault.versions import Kept, Opened, one_refusal

WHOLE_BYTES = 15 * 1024 * 1024  # up to here a paper is verified in memory before its first byte leaves
BLOCK = 1024 * 1024


class Content(Protocol):
    """A paper's bytes, to be sent. `download_name` says nothing of what is in it. Close it, or use `with`."""

    kind: Kind
    size: int
    download_name: str

    def chunks(self) -> Iterator[bytes]:
        """All of it. Raises Tampered, at the latest before the last block: what was sent is then never a whole file."""

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """From `start` up to and without `end`."""

    def close(self) -> None:
        """Let go of the store. Safe to repeat."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


class Whole:
    """Bytes already verified, in memory."""

    def __init__(self, kind: Kind, verified: bytes) -> None:
        self.kind, self.size, self.download_name = kind, len(verified), f"papier{kind.suffix}"
        self._bytes = verified

    def chunks(self) -> Iterator[bytes]:
        """In blocks of 1 MiB."""
        return self.read(0, self.size)

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """A range, in blocks of 1 MiB."""
        if not 0 <= start <= end <= self.size:
            raise ValueError("this range is not inside the paper")
        for at in range(start, end, BLOCK):
            yield self._bytes[at : min(at + BLOCK, end)]

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing is open."""


class Streamed:
    """Bytes read from the store as they are sent, in constant memory."""

    def __init__(self, key: AgeFileKey, thing: Thing, kept: Kept, reader: BlobReader) -> None:
        self.kind, self.size, self.download_name = thing.kind, thing.size, f"papier{thing.kind.suffix}"
        self._key, self._thing, self._kept, self._reader = key, thing, kept, reader

    def chunks(self) -> Iterator[bytes]:
        """All of it, both digests checked before the last block is let go."""
        sealed, plain, decryptor, held = hashlib.sha256(), hashlib.sha256(), Decryptor(self._key), b""
        with one_refusal():
            for block in self._reader.chunks(size=BLOCK):
                sealed.update(block)
                opened = decryptor.update(block)
                plain.update(opened)
                if held:
                    yield held
                held = opened
            last = decryptor.finish()
        plain.update(last)
        if not (_same(sealed.digest(), self._kept.sha256) and _same(plain.digest(), self._thing.sha256)):
            raise Tampered
        yield held + last

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """A range: each chunk is authenticated, and the end of the blob too."""
        with one_refusal():
            yield from RangeReader(self._key, self._reader.read_at, self._reader.size).read(start, end)

    def close(self) -> None:
        """Let go of the blob."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _same(one: bytes, other: bytes) -> bool:
    return hmac.compare_digest(one, other)


def _found(opened: Opened, role: Role) -> tuple[Kept, Thing]:
    """An object and what its card says of it. A view that would repeat what was received is not kept twice."""
    if role == "view" and "view" not in opened.objects:
        role = "received"
    if role not in opened.objects or role not in opened.card.told:
        raise NotThere
    with one_refusal():
        return opened.objects[role], opened.card.thing(role)


def verified_bytes(context: Context, opened: Opened, role: Role) -> bytes:
    """An object of a version, read whole, both its digests checked; Tampered."""
    kept, thing = _found(opened, role)
    with one_refusal(), context.blobs.open(BlobName(kept.blob)) as reader:
        sealed = reader.read_at(0, reader.size)
        if not _same(hashlib.sha256(sealed).digest(), kept.sha256):
            raise Tampered
        plain = decrypt(opened.keys.age_file_key, sealed)
    if not _same(hashlib.sha256(plain).digest(), thing.sha256):
        raise Tampered
    return plain


def content_of(context: Context, opened: Opened, role: Role) -> Content:
    """An object of a version, ready to be sent."""
    kept, thing = _found(opened, role)
    if thing.size <= WHOLE_BYTES:
        return Whole(thing.kind, verified_bytes(context, opened, role))
    with one_refusal():
        reader = context.blobs.open(BlobName(kept.blob))
    if reader.size != kept.size or reader.size != payload_length(thing.size):
        reader.close()
        raise Tampered
    return Streamed(opened.keys.age_file_key, thing, kept, reader)
