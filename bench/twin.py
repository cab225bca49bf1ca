"""The twin of the service that keeps everything in clear: the same application, files, rows and fsyncs, without its ciphers.

What stands here in place of `crypto` costs as little as it can: it copies bytes into the same framing, so that files and columns
are as long as the true ones, and accepts every signature. Digests, the key vault's rows and one short HKDF here and there stay:
a service that keeps papers in clear has them, or something as cheap. It exists to be measured against, in processes of its own
that hold false papers alone (`python -m bench.twin`); nothing of the service can reach it.
"""
# ruff: noqa: ARG001, ARG002, ARG005 (what stands in for a cipher takes what the cipher takes, and has no use for a key)

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, cast

from crypto.errors import Undecryptable

if TYPE_CHECKING:
    from vault.web.door import Door

APPLICATION: Final = "bench.twin:application"
CHUNK, NONCE, TAG = 65536, 16, 16
SEALED = CHUNK + TAG
NO_TAG = bytes(TAG)


class Encryptor:
    """The framing of a payload around plaintext."""

    def __init__(self, key: bytes) -> None:
        self._prefix: bytes = bytes(NONCE)
        self._held: bytes = b""

    def update(self, data: bytes) -> bytes:
        """Chunks that are surely not the last, each with room for its tag."""
        source = memoryview(self._held + data if self._held else data)
        full = max(0, len(source) - 1) // CHUNK
        pieces: list[bytes | memoryview] = [self._prefix]
        for number in range(full):
            pieces += (source[number * CHUNK : (number + 1) * CHUNK], NO_TAG)
        self._prefix, self._held = b"", bytes(source[full * CHUNK :])
        return b"".join(pieces)

    def finish(self) -> bytes:
        """The last chunk."""
        return self._prefix + self._held + NO_TAG

    def lend(self, data: bytes) -> memoryview:
        """The same, for who needs it once."""
        return memoryview(self.update(data))

    def lend_last(self) -> memoryview:
        """The same, for who needs it once."""
        return memoryview(self.finish())


class Decryptor:
    """Plaintext out of the framing."""

    def __init__(self, key: bytes) -> None:
        self._to_skip, self._held = NONCE, b""

    def update(self, data: bytes) -> bytes:
        """Chunks that are surely not the last, without their tags."""
        source = memoryview(self._held + data if self._held else data)
        if self._to_skip:
            source, self._to_skip = source[self._to_skip :], 0
        full = max(0, len(source) - 1) // SEALED
        pieces = [source[number * SEALED : number * SEALED + CHUNK] for number in range(full)]
        self._held = bytes(source[full * SEALED :])
        return b"".join(pieces)

    def finish(self) -> bytes:
        """The last chunk."""
        if len(self._held) < TAG:
            raise Undecryptable
        return self._held[:-TAG]


def decrypt(key: bytes, payload: bytes) -> bytes:
    """All of a framed plaintext, copied once."""
    if len(payload) < NONCE + TAG:
        raise Undecryptable
    view, end = memoryview(payload), len(payload)
    return b"".join([view[at : min(at + SEALED, end) - TAG] for at in range(NONCE, end, SEALED)])


class RangeReader:
    """Any part of a framed plaintext."""

    def __init__(self, key: bytes, read_at: Callable[[int, int], bytes], size: int) -> None:
        sealed = size - NONCE
        self.length = sealed - max(1, -(-sealed // SEALED)) * TAG
        self._read_at = read_at

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` up to and without `end`."""
        while start < end:
            number, inside = divmod(start, CHUNK)
            part = self._read_at(NONCE + number * SEALED + inside, min(CHUNK - inside, end - start))
            start += len(part)
            yield part


class Scheme:
    """A sealed value that is not sealed: version, room for a salt and a commitment, the value, room for a tag."""

    version, suite, _head = 1, None, 1 + 32 + 32

    def seal(self, key: bytes, info: bytes, plaintext: bytes, salt: bytes) -> bytes:
        """As long as the true one."""
        return b"".join((b"\1", bytes(self._head - 1), plaintext, NO_TAG))

    def unseal(self, key: bytes, info: bytes, sealed: bytes) -> bytes:
        """What stands in it."""
        return sealed[self._head : -TAG]


class Halves:
    """Both halves of a signature key that signs nothing and accepts everything."""

    def __init__(self, size: int) -> None:
        self._signature = bytes(size)

    def sign(self, said: bytes) -> bytes:
        """As long as the true one."""
        return self._signature

    def verify(self, signature: bytes, said: bytes) -> None:
        """Yes."""


def _stretched(seed: bytes, size: int) -> bytes:
    """Bytes that always belong to a seed: public keys are compared."""
    return hashlib.shake_128(seed).digest(size)


def _without_kem() -> None:
    from crypto import kem

    def make(self: Any, seed: bytes) -> None:
        self.public = _stretched(bytes(seed), kem.PUBLIC_BYTES)

    def opened(self: Any, suite: object, info: bytes, ciphertext: bytes) -> bytes:
        return ciphertext[kem.ENCAPSULATED_BYTES : -TAG]

    def encrypt(suite: object, public: bytes, info: bytes, plaintext: bytes) -> bytes:
        return bytes(kem.ENCAPSULATED_BYTES) + plaintext + NO_TAG

    _replace(kem.KemPrivate, __init__=make, open=opened)
    _replace(kem, encrypt=encrypt, _loaded=lambda public: public)


def _without_signatures() -> None:
    from crypto import signing

    classic, lattice = Halves(64), Halves(signing.SIGNATURE_BYTES - 64)

    def make(self: Any, seed: bytes, earlier: Any = ()) -> None:
        self._classic, self._lattice = classic, lattice
        self.public = _stretched(bytes(seed), signing.PUBLIC_BYTES)
        self.ring = signing.SignRing((self.public, *earlier))

    _replace(signing.Signer, __init__=make)
    _replace(signing, _loaded=lambda public: (classic, lattice))


def _replace(where: object, **by: object) -> None:
    for name, value in by.items():
        if not hasattr(where, name):
            raise RuntimeError(f"{where} has no {name} any more: the twin must follow")
        setattr(where, name, value)


def remove_ciphers() -> None:
    """From now on this process keeps everything in clear. Before `vault` is imported, which takes names out of `crypto`."""
    from crypto import sealing, stream

    if not isinstance(sealing.SCHEMES[sealing.CURRENT], sealing.Scheme):
        return  # this process is the child of one in which it is done
    if "vault" in sys.modules:
        raise RuntimeError("the ciphers must go before vault comes")
    _without_kem()
    _without_signatures()
    _replace(stream, Encryptor=Encryptor, Decryptor=Decryptor, RangeReader=RangeReader, decrypt=decrypt)
    cast("dict[int, object]", sealing.SCHEMES)[sealing.CURRENT] = Scheme()


def only_false_papers() -> None:
    """Refuse to keep anybody's papers in clear."""
    if os.environ.get("ABRI_MODE") != "demo":
        raise SystemExit("The twin keeps papers in clear: it exists for the benchmark, with false papers alone.")


def application() -> "Door":
    """What a worker process of the twin serves; beside this, `vault.serve.application`."""
    only_false_papers()
    remove_ciphers()
    from vault.serve import application as true_application

    return true_application()


def main() -> int:
    """`abri serve`, with another application at its end: same server, same options."""
    only_false_papers()
    remove_ciphers()
    import granian

    from vault.__main__ import main as abri

    true_server = granian.Granian
    _replace(granian, Granian=lambda _target, **options: true_server(APPLICATION, **options))
    return abri(["serve", "--without-tasks"])


if __name__ == "__main__":
    sys.exit(main())
