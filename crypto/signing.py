"""Signatures that hold as long as either half does: Ed25519, then ML-DSA-65, both verified.

A signature is 64 and 3309 bytes, a public key 32 and 1952, a private key one seed of 32 bytes that gives both seeds.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NewType, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey

from crypto import contexts
from crypto.errors import BadSignature, Malformed
from crypto.keys import SignSeed, kdf

SignPublic = NewType("SignPublic", bytes)


class SignRing(tuple[SignPublic, ...]):
    """The public keys of one signer over the years, the present one first: a signature by any of them is theirs."""

    __slots__ = ()


Verifier = SignPublic | SignRing

PUBLIC_BYTES = 32 + 1952
SIGNATURE_BYTES = 64 + 3309

_CLASSIC_PUBLIC = 32
_CLASSIC_SIGNATURE = 64


class Signable(Protocol):
    """Anything that carries its label in its bytes: see `crypto.statements`."""

    def encode(self) -> bytes:
        """Write what is signed."""


class Signer:
    """A signature seed made ready, for one who signs more than once."""

    __slots__ = ("_classic", "_lattice", "public", "ring")

    def __init__(self, seed: SignSeed, earlier: Sequence[SignPublic] = ()) -> None:
        seeds = kdf(seed, contexts.sign_seeds(), 64)
        self._classic = Ed25519PrivateKey.from_private_bytes(seeds[:32])
        self._lattice = MLDSA65PrivateKey.from_seed_bytes(seeds[32:])
        self.public = SignPublic(self._classic.public_key().public_bytes_raw() + self._lattice.public_key().public_bytes_raw())
        self.ring = SignRing((self.public, *earlier))

    def sign(self, statement: Signable) -> bytes:
        """Sign a statement; 3373 bytes. The lattice half differs each time."""
        said = statement.encode()
        return self._classic.sign(said) + self._lattice.sign(said)


def sign_public(seed: SignSeed) -> SignPublic:
    """Compute the public key of a signature seed, to be published."""
    return Signer(seed).public


def sign_public_from(data: bytes) -> SignPublic:
    """Accept a public key from outside, or raise Malformed."""
    _loaded(data)
    return SignPublic(data)


@lru_cache(maxsize=256)
def _loaded(public: bytes) -> tuple[Ed25519PublicKey, MLDSA65PublicKey]:
    """Keep the key objects of those who sign often: public bytes only."""
    if len(public) != PUBLIC_BYTES:
        raise Malformed("a signature key is 1984 bytes")
    try:
        classic = Ed25519PublicKey.from_public_bytes(public[:_CLASSIC_PUBLIC])
        return classic, MLDSA65PublicKey.from_public_bytes(public[_CLASSIC_PUBLIC:])
    except ValueError as error:
        raise Malformed("this is not a signature key") from error


def sign(seed: SignSeed, statement: Signable) -> bytes:
    """Sign a statement; 3373 bytes."""
    return Signer(seed).sign(statement)


def verify(public: Verifier, statement: Signable, signature: bytes) -> None:
    """Verify both halves, by one key or by one of a ring; or raise BadSignature."""
    if isinstance(public, SignRing):
        for one in public:
            try:
                return verify(one, statement, signature)
            except BadSignature:
                continue
        raise BadSignature
    classic, lattice = _loaded(bytes(public))
    said = statement.encode()
    if len(signature) != SIGNATURE_BYTES:
        raise BadSignature
    try:
        classic.verify(signature[:_CLASSIC_SIGNATURE], said)
        lattice.verify(signature[_CLASSIC_SIGNATURE:], said)
    except InvalidSignature:
        raise BadSignature from None
