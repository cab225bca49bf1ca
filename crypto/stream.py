"""The bytes of a paper: an age v1 payload (C2SP age), read and written in constant memory.

A payload is 16 bytes of nonce, then chunks of 64 KiB, each 16 bytes longer once sealed; the last one says that it is the
last. Nothing comes out before its chunk is authenticated, and the last chunk is held back until the end is known.
"""

import io
import secrets
import struct
from collections.abc import Callable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.errors import Undecryptable
from crypto.keys import AgeFileKey

CHUNK = 65536
NONCE = 16
TAG = 16
SEALED_CHUNK = CHUNK + TAG


def payload_length(plaintext: int) -> int:
    """Tell how long a payload is for so many bytes of plaintext."""
    chunks = max(1, -(-plaintext // CHUNK))
    return NONCE + plaintext + chunks * TAG


def plaintext_length(payload: int) -> int:
    """Tell how much plaintext a payload of that length holds; Undecryptable when no payload has that length."""
    sealed = payload - NONCE
    chunks = max(1, -(-sealed // SEALED_CHUNK))
    plaintext = sealed - chunks * TAG
    if plaintext < 0 or payload_length(plaintext) != payload:
        raise Undecryptable
    return plaintext


class _Chunks:
    """The cipher of one payload, and the place of the next chunk."""

    __slots__ = ("_broken", "_cipher", "_nonce", "next")

    def __init__(self, key: AgeFileKey, nonce: bytes) -> None:
        self._cipher = ChaCha20Poly1305(HKDF(SHA256(), 32, nonce, b"payload").derive(key))
        self._nonce = bytearray(12)  # 11 bytes of counter, then 1 for the last chunk
        self._broken = False
        self.next = 0

    def _advance(self, last: bool) -> bytearray:
        struct.pack_into(">Q", self._nonce, 3, self.next)
        self._nonce[11] = last
        self.next += 1
        return self._nonce

    def seal_into(self, plaintext: memoryview, out: memoryview, last: bool) -> int:
        size = len(plaintext) + TAG
        return self._cipher.encrypt_into(self._advance(last), plaintext, None, out[:size])

    def open_into(self, sealed: memoryview, out: memoryview, last: bool) -> int:
        size = len(sealed) - TAG
        # Once refused, always refused: the chunks behind a damaged one must not come out either.
        if self._broken or size < 0 or (size == 0 and self.next > 0):
            raise Undecryptable
        try:
            return self._cipher.decrypt_into(self._advance(last), sealed, None, out[:size])
        except InvalidTag:
            # The library has already written what it could not authenticate.
            out[:size] = bytes(size)
            self._broken = True
            raise Undecryptable from None


def _written(size: int, write: Callable[[memoryview], int]) -> bytes:
    """Bytes written in place, at most `size` of them: a buffer of this kind is handed over as it is, where any other is copied.

    Copying a megabyte into fresh memory costs more than sealing it.
    """
    made = io.BytesIO(bytes(size))
    with made.getbuffer() as view:
        wrote = write(view)
    made.truncate(wrote)
    return made.getvalue()


class Encryptor:
    """Seals a paper as it comes in. Feed it about 1 MiB at a time; `finish` must be called."""

    __slots__ = ("_chunks", "_held", "_holding", "_lent", "_prefix")

    def __init__(self, key: AgeFileKey) -> None:
        nonce = secrets.token_bytes(NONCE)
        self._chunks = _Chunks(key, nonce)
        self._prefix = nonce
        self._held = memoryview(bytearray(CHUNK))
        self._holding = 0
        self._lent = bytearray()

    def room(self, size: int) -> int:
        """Tell how many bytes `update_into` may need for `size` bytes of plaintext, or `finish_into` for 0."""
        return len(self._prefix) + payload_length(self._holding + size) - NONCE

    def _put_prefix(self, out: memoryview) -> int:
        size = len(self._prefix)
        out[:size] = self._prefix
        self._prefix = b""
        return size

    def update_into(self, data: bytes | bytearray | memoryview, out: bytearray | memoryview) -> int:
        """Seal what is surely not the last chunk into `out` (at least `room(len(data))` bytes); say how much it wrote."""
        source, target = memoryview(data), memoryview(out)
        done = self._put_prefix(target)
        place = 0
        if self._holding:
            place = min(CHUNK - self._holding, len(source))
            self._held[self._holding : self._holding + place] = source[:place]
            self._holding += place
            if place < len(source):
                done += self._chunks.seal_into(self._held, target[done:], last=False)
                self._holding = 0
        while len(source) - place > CHUNK:
            done += self._chunks.seal_into(source[place : place + CHUNK], target[done:], last=False)
            place += CHUNK
        rest = len(source) - place
        if rest:
            self._held[:rest] = source[place:]
            self._holding = rest
        return done

    def finish_into(self, out: bytearray | memoryview) -> int:
        """Seal the last chunk into `out` (at least `room(0)` bytes); say how much it wrote."""
        target = memoryview(out)
        done = self._put_prefix(target)
        return done + self._chunks.seal_into(self._held[: self._holding], target[done:], last=True)

    def update(self, data: bytes | bytearray | memoryview) -> bytes:
        """Seal what is surely not the last chunk."""
        return _written(self.room(len(data)), lambda out: self.update_into(data, out))

    def finish(self) -> bytes:
        """Seal the last chunk."""
        return _written(self.room(0), self.finish_into)

    def lend(self, data: bytes | bytearray | memoryview) -> memoryview:
        """The same as `update` in memory that is used again: what this gives is good until the next call."""
        out = self._lendable(self.room(len(data)))
        return out[: self.update_into(data, out)]

    def lend_last(self) -> memoryview:
        """The same as `finish` in memory that is used again."""
        out = self._lendable(self.room(0))
        return out[: self.finish_into(out)]

    def _lendable(self, size: int) -> memoryview:
        if len(self._lent) < size:
            self._lent = bytearray(size)
        return memoryview(self._lent)


class Decryptor:
    """Opens a paper as it is read. Feed it about 1 MiB at a time; without `finish` nothing says that it is whole."""

    __slots__ = ("_chunks", "_held", "_holding", "_key", "_nonce")

    def __init__(self, key: AgeFileKey) -> None:
        self._key = key
        self._nonce = b""
        self._chunks: _Chunks | None = None
        self._held = memoryview(bytearray(SEALED_CHUNK))
        self._holding = 0

    def room(self, size: int) -> int:
        """Tell how many bytes `update_into` may need for `size` bytes of payload, or `finish_into` for 0."""
        return self._holding + size

    @property
    def started(self) -> bool:
        """Whether the nonce has come whole: a payload without it is no payload at all."""
        return self._chunks is not None

    def _start(self, source: memoryview) -> int:
        """Take the nonce from the front; say how many bytes it took."""
        taken = min(NONCE - len(self._nonce), len(source))
        self._nonce += source[:taken]
        if len(self._nonce) == NONCE:
            self._chunks = _Chunks(self._key, self._nonce)
        return taken

    def update_into(self, data: bytes | bytearray | memoryview, out: bytearray | memoryview) -> int:
        """Open what is surely not the last chunk into `out` (at least `room(len(data))` bytes); say how much it wrote.

        Raises Undecryptable; what `out` holds then is not to be used.
        """
        source, target = memoryview(data), memoryview(out)
        place = self._start(source) if self._chunks is None else 0
        if self._chunks is None:
            return 0
        done = 0
        if self._holding:
            taken = min(SEALED_CHUNK - self._holding, len(source) - place)
            self._held[self._holding : self._holding + taken] = source[place : place + taken]
            self._holding += taken
            place += taken
            if place < len(source):
                done += self._chunks.open_into(self._held, target[done:], last=False)
                self._holding = 0
        while len(source) - place > SEALED_CHUNK:
            done += self._chunks.open_into(source[place : place + SEALED_CHUNK], target[done:], last=False)
            place += SEALED_CHUNK
        rest = len(source) - place
        if rest:
            self._held[:rest] = source[place:]
            self._holding = rest
        return done

    def finish_into(self, out: bytearray | memoryview) -> int:
        """Open the last chunk into `out` (at least `room(0)` bytes), or raise Undecryptable: the payload was cut."""
        if self._chunks is None:
            raise Undecryptable
        return self._chunks.open_into(self._held[: self._holding], memoryview(out), last=True)

    def update(self, data: bytes | bytearray | memoryview) -> bytes:
        """Open what is surely not the last chunk, or raise Undecryptable."""
        return _written(self.room(len(data)), lambda out: self.update_into(data, out))

    def finish(self) -> bytes:
        """Open the last chunk, or raise Undecryptable."""
        return _written(self.room(0), self.finish_into)


class RangeReader:
    """Reads any part of a payload without reading what comes before.

    `read_at(offset, length)` gives bytes of the payload; `size` is its length. The last chunk is opened first: it alone
    tells that `size`, which comes from outside, is the true one.
    """

    __slots__ = ("_chunks", "_read_at", "_size", "length")

    def __init__(self, key: AgeFileKey, read_at: Callable[[int, int], bytes], size: int) -> None:
        self.length = plaintext_length(size)
        self._read_at = read_at
        self._size = size
        self._chunks = _Chunks(key, self._read(0, NONCE))
        self._open(self._last_chunk)

    @property
    def _last_chunk(self) -> int:
        return max(0, self.length - 1) // CHUNK

    def _read(self, offset: int, length: int) -> bytes:
        data = self._read_at(offset, length)
        if len(data) != length:
            raise Undecryptable
        return data

    def _open(self, number: int) -> memoryview:
        start = NONCE + number * SEALED_CHUNK
        sealed = self._read(start, min(SEALED_CHUNK, self._size - start))
        opened = memoryview(bytearray(len(sealed) - TAG))
        self._chunks.next = number
        self._chunks.open_into(memoryview(sealed), opened, last=number == self._last_chunk)
        return opened

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """Give the plaintext from `start` up to and without `end`, a chunk at a time; Undecryptable on damage."""
        if not 0 <= start <= end <= self.length:
            raise ValueError("this range is not inside the paper")
        while start < end:
            number, inside = divmod(start, CHUNK)
            part = self._open(number)[inside : inside + end - start]
            start += len(part)
            yield bytes(part)


def encrypt(key: AgeFileKey, plaintext: bytes) -> bytes:
    """Seal something small in one go."""
    encryptor = Encryptor(key)
    return encryptor.update(plaintext) + encryptor.finish()


def decrypt(key: AgeFileKey, payload: bytes) -> bytes:
    """Open a payload that is all there, or raise Undecryptable."""
    decryptor = Decryptor(key)

    def write(out: memoryview) -> int:
        done = decryptor.update_into(payload, out)
        return done + decryptor.finish_into(out[done:])

    return _written(plaintext_length(len(payload)), write)
