"""Keys for someone absent: HPKE with the post-quantum hybrid MLKEM768-X25519 (X-Wing).

A private key is a 32-byte seed; SHAKE-256 stretches it to 96 bytes, 64 for ML-KEM-768 and 32 for X25519. A public key
is 1184 and 32 bytes.
"""

import hashlib
from functools import lru_cache
from typing import NewType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite

from crypto.errors import Malformed, Undecryptable

KemPublic = NewType("KemPublic", bytes)

SEED_BYTES = 32
PUBLIC_BYTES = 1184 + 32
ENCAPSULATED_BYTES = 1088 + 32

_MLKEM_SEED = 64
_MLKEM_PUBLIC = 1184


class KemPrivate:
    """A seed made ready to open many posts: stretching it costs more than opening one."""

    __slots__ = ("_key", "public")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError("a seed is 32 bytes")
        stretched = hashlib.shake_256(seed).digest(_MLKEM_SEED + 32)
        mlkem = MLKEM768PrivateKey.from_seed_bytes(stretched[:_MLKEM_SEED])
        x25519 = X25519PrivateKey.from_private_bytes(stretched[_MLKEM_SEED:])
        self._key = MLKEM768X25519PrivateKey(mlkem, x25519)
        self.public = KemPublic(mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw())

    def open(self, suite: Suite, info: bytes, ciphertext: bytes) -> bytes:
        """Open what `encrypt` made for this key's public half, or raise Undecryptable."""
        try:
            return suite.decrypt(ciphertext, self._key, info=info)
        except (InvalidTag, ValueError):
            raise Undecryptable from None


def public_key(seed: bytes) -> KemPublic:
    """Compute the public key of a seed, to be published."""
    return KemPrivate(seed).public


def kem_public(data: bytes) -> KemPublic:
    """Accept a public key from outside, or raise Malformed."""
    _loaded(data)
    return KemPublic(data)


@lru_cache(maxsize=512)
def _loaded(public: bytes) -> MLKEM768X25519PublicKey:
    """Keep the key objects of the recipients in use: public bytes only, never a seed."""
    if len(public) != PUBLIC_BYTES:
        raise Malformed("a public key is 1216 bytes")
    try:
        mlkem = MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC])
        x25519 = X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC:])
        X25519PrivateKey.generate().exchange(x25519)  # refuses a point of low order: its secret is known to everybody
    except ValueError as error:
        raise Malformed("this is not a public key") from error
    return MLKEM768X25519PublicKey(mlkem, x25519)


def encrypt(suite: Suite, public: bytes, info: bytes, plaintext: bytes) -> bytes:
    """Encrypt to a public key: 1120 bytes of encapsulated key, then the sealed text. Malformed when the key is none."""
    return suite.encrypt(plaintext, _loaded(bytes(public)), info=info)
