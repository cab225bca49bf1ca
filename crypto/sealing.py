"""Small values sealed under a key, and posted to someone absent.

`seal` commits to its key: nobody can make one sealed value that opens differently under two keys. `post` encrypts to a
public key and seals the result under what the key vault answers, so that destroying one row closes every post made
through it, whoever holds the private key.

The first byte names all the algorithms. `SCHEMES` maps it to them: a new one is added there, `CURRENT` moves, and what
was sealed before still opens (law R20).
"""

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto import kem
from crypto.canonical import Value, canonical, pad, parse_object, unpad
from crypto.errors import Malformed, Undecryptable
from crypto.kem import KemPrivate, KemPublic

VAULTED_BYTES = 32

_SALT = 32
_KEY = 32
_COMMITMENT = 32
_TAG = 16
_HEAD = 1 + _SALT + _COMMITMENT

SEAL_OVERHEAD = _HEAD + _TAG
POST_OVERHEAD = SEAL_OVERHEAD + kem.ENCAPSULATED_BYTES + _TAG


class Cipher(Protocol):
    """An AEAD with a 12-byte nonce, ready with its 32-byte key."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """Give ciphertext and tag."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """Give the plaintext, or raise InvalidTag."""


@dataclass(frozen=True)
class Scheme:
    """What one first byte stands for."""

    version: int
    hash: Callable[[], HashAlgorithm]
    cipher: Callable[[bytes], Cipher]
    suite: Suite

    def _keys(self, key: bytes, salt: bytes, info: bytes) -> tuple[Cipher, bytes]:
        both = HKDF(self.hash(), _KEY + _COMMITMENT, salt, info).derive(key)
        return self.cipher(both[:_KEY]), both[_KEY:]

    def seal(self, key: bytes, info: bytes, plaintext: bytes, salt: bytes) -> bytes:
        """Seal with a salt that is never used twice; the nonce may be zero because the key is."""
        cipher, commitment = self._keys(key, salt, info)
        version = bytes([self.version])
        return version + salt + commitment + cipher.encrypt(bytes(12), plaintext, version)

    def unseal(self, key: bytes, info: bytes, sealed: bytes) -> bytes:
        """Open, or raise Undecryptable. The commitment is compared first."""
        salt, commitment = sealed[1 : 1 + _SALT], sealed[1 + _SALT : _HEAD]
        cipher, expected = self._keys(key, salt, info)
        if not hmac.compare_digest(expected, commitment):
            raise Undecryptable
        try:
            return cipher.decrypt(bytes(12), sealed[_HEAD:], sealed[:1])
        except InvalidTag:
            raise Undecryptable from None


CURRENT = 1
SCHEMES: Mapping[int, Scheme] = {
    1: Scheme(1, SHA256, ChaCha20Poly1305, Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)),
}


def _scheme_of(sealed: bytes) -> Scheme:
    if len(sealed) < SEAL_OVERHEAD or sealed[0] not in SCHEMES:
        raise Undecryptable
    return SCHEMES[sealed[0]]


def _check_key(key: bytes) -> None:
    if len(key) != _KEY:
        raise ValueError("a sealing key is 32 bytes")


def seal(key: bytes, info: bytes, plaintext: bytes) -> bytes:
    """Seal a small value under a 32-byte key for one named use; 81 bytes longer."""
    _check_key(key)
    return SCHEMES[CURRENT].seal(key, info, plaintext, secrets.token_bytes(_SALT))


def unseal(key: bytes, info: bytes, sealed: bytes) -> bytes:
    """Open a sealed value, or raise Undecryptable."""
    _check_key(key)
    return _scheme_of(sealed).unseal(key, info, sealed)


def outdated(sealed: bytes) -> bool:
    """Say whether a value was sealed before the current version and should be sealed again."""
    return _scheme_of(sealed).version != CURRENT


def post(public: KemPublic, vaulted: bytes, info: bytes, plaintext: bytes) -> bytes:
    """Post a value to someone absent, through a row of the key vault (`vaulted`, its answer to `info`); 1217 bytes more."""
    _check_key(vaulted)
    return seal(vaulted, info, kem.encrypt(SCHEMES[CURRENT].suite, public, info, plaintext))


def open_post(seed: bytes | KemPrivate, vaulted: bytes, info: bytes, sealed: bytes) -> bytes:
    """Open what was posted, or raise Undecryptable. Give a `KemPrivate` to open many."""
    inner = unseal(vaulted, info, sealed)
    private = seed if isinstance(seed, KemPrivate) else KemPrivate(seed)
    return private.open(_scheme_of(sealed).suite, info, inner)


def _text(plaintext: bytes) -> str:
    # Whoever knows a public key may have written this: what is wrong inside is refused like what does not open.
    try:
        return unpad(plaintext).decode()
    except (Malformed, UnicodeDecodeError):
        raise Undecryptable from None


def _fields(plaintext: bytes) -> dict[str, Value]:
    try:
        return parse_object(unpad(plaintext))
    except Malformed:
        raise Undecryptable from None


def seal_text(key: bytes, info: bytes, text: str) -> bytes:
    """Seal a text, its length hidden."""
    return seal(key, info, pad(text.encode()))


def unseal_text(key: bytes, info: bytes, sealed: bytes) -> str:
    """Open a sealed text, or raise Undecryptable."""
    return _text(unseal(key, info, sealed))


def seal_value(key: bytes, info: bytes, value: Mapping[str, Value]) -> bytes:
    """Seal named fields as canonical JSON, their length hidden."""
    return seal(key, info, pad(canonical(value)))


def unseal_value(key: bytes, info: bytes, sealed: bytes) -> dict[str, Value]:
    """Open sealed fields, or raise Undecryptable."""
    return _fields(unseal(key, info, sealed))


def post_text(public: KemPublic, vaulted: bytes, info: bytes, text: str) -> bytes:
    """Post a text, its length hidden."""
    return post(public, vaulted, info, pad(text.encode()))


def open_posted_text(seed: bytes | KemPrivate, vaulted: bytes, info: bytes, sealed: bytes) -> str:
    """Open a posted text, or raise Undecryptable."""
    return _text(open_post(seed, vaulted, info, sealed))


def post_value(public: KemPublic, vaulted: bytes, info: bytes, value: Mapping[str, Value]) -> bytes:
    """Post named fields as canonical JSON, their length hidden."""
    return post(public, vaulted, info, pad(canonical(value)))


def open_posted_value(seed: bytes | KemPrivate, vaulted: bytes, info: bytes, sealed: bytes) -> dict[str, Value]:
    """Open posted fields, or raise Undecryptable."""
    return _fields(open_post(seed, vaulted, info, sealed))
