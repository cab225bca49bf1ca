"""Who an age file is for: the native recipient types of C2SP age, X25519, scrypt and MLKEM768-X25519.

A recipient writes a stanza around the file key; an identity finds its own and opens it. A stanza of a known type that
is not written as it should be is refused even when another one would open.
"""

import secrets
import unicodedata
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from crypto import bech32, kem
from crypto.ageheader import Stanza, b64decode, b64encode
from crypto.errors import Malformed, Undecryptable
from crypto.kem import KemPrivate, KemPublic
from crypto.keys import AgeFileKey, KemSeed, Password, SecretBytes

WORK_FACTOR = 18
MAX_WORK_FACTOR = 20

_X25519 = "X25519"
_SCRYPT = "scrypt"
_HYBRID = "mlkem768x25519"
_X25519_INFO = b"age-encryption.org/v1/X25519"
_SCRYPT_SALT = b"age-encryption.org/v1/scrypt"
_HYBRID_INFO = b"age-encryption.org/mlkem768x25519"
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_BODY = 32
_SALT = 16
_ZERO_NONCE = bytes(12)


class Recipient(Protocol):
    """Someone an age file is written for."""

    def wrap(self, key: AgeFileKey) -> Stanza:
        """Write the stanza that only this recipient opens."""


class Identity(Protocol):
    """Someone who may open an age file."""

    def unwrap(self, stanza: Stanza) -> AgeFileKey | None:
        """Open a stanza; None when it is for somebody else, Malformed when it is of this type and badly written."""


class X25519Secret(SecretBytes):
    """An age X25519 identity."""


def _open_body(key: bytes, body: bytes) -> AgeFileKey | None:
    try:
        return AgeFileKey(ChaCha20Poly1305(key).decrypt(_ZERO_NONCE, body, None))
    except InvalidTag:
        return None


def _arguments(stanza: Stanza, count: int) -> tuple[str, ...]:
    if len(stanza.arguments) != count or len(stanza.body) != _BODY:
        raise Malformed("this stanza is not written as its type says")
    return stanza.arguments[1:]


def _decoded(text: str, size: int) -> bytes:
    data = b64decode(text)
    if len(data) != size:
        raise Malformed("this stanza is not written as its type says")
    return data


def _agree(private: X25519PrivateKey, public: bytes) -> bytes:
    try:
        return private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as error:  # a point of low order gives a secret that everybody knows
        raise Malformed("this key gives no secret") from error


def _x25519_wrap_key(shared: bytes, share: bytes, public: bytes) -> bytes:
    return HKDF(SHA256(), 32, share + public, _X25519_INFO).derive(shared)


@dataclass(frozen=True)
class X25519Recipient:
    """A classic age recipient, `age1...`: what every age program reads."""

    public: bytes

    def wrap(self, key: AgeFileKey) -> Stanza:
        """Write an X25519 stanza."""
        ephemeral = X25519PrivateKey.generate()
        share = ephemeral.public_key().public_bytes_raw()
        wrap_key = _x25519_wrap_key(_agree(ephemeral, self.public), share, self.public)
        return Stanza((_X25519, b64encode(share)), ChaCha20Poly1305(wrap_key).encrypt(_ZERO_NONCE, key, None))


@dataclass(frozen=True)
class X25519Identity:
    """A classic age identity, `AGE-SECRET-KEY-1...`."""

    secret: X25519Secret

    def recipient(self) -> X25519Recipient:
        """Give who to write to."""
        return X25519Recipient(X25519PrivateKey.from_private_bytes(self.secret).public_key().public_bytes_raw())

    def unwrap(self, stanza: Stanza) -> AgeFileKey | None:
        """Open an X25519 stanza."""
        if stanza.arguments[0] != _X25519:
            return None
        (share_text,) = _arguments(stanza, 2)
        share = _decoded(share_text, 32)
        private = X25519PrivateKey.from_private_bytes(self.secret)
        shared = _agree(private, share)
        return _open_body(_x25519_wrap_key(shared, share, self.recipient().public), stanza.body)


@dataclass(frozen=True)
class HybridRecipient:
    """A post-quantum age recipient, `age1pq1...`: the same kind of key as Abri's own."""

    public: KemPublic

    def wrap(self, key: AgeFileKey) -> Stanza:
        """Write an mlkem768x25519 stanza."""
        both = kem.encrypt(_SUITE, self.public, _HYBRID_INFO, key)
        size = kem.ENCAPSULATED_BYTES
        return Stanza((_HYBRID, b64encode(both[:size])), both[size:])


@dataclass(frozen=True)
class HybridIdentity:
    """A post-quantum age identity, `AGE-SECRET-KEY-PQ-1...`."""

    seed: KemSeed

    def recipient(self) -> HybridRecipient:
        """Give who to write to."""
        return HybridRecipient(kem.public_key(self.seed))

    def unwrap(self, stanza: Stanza) -> AgeFileKey | None:
        """Open an mlkem768x25519 stanza."""
        if stanza.arguments[0] != _HYBRID:
            return None
        (encapsulated_text,) = _arguments(stanza, 2)
        encapsulated = _decoded(encapsulated_text, kem.ENCAPSULATED_BYTES)
        _agree(X25519PrivateKey.generate(), encapsulated[-32:])  # refuses a point of low order, whoever it was meant for
        try:
            return AgeFileKey(KemPrivate(self.seed).open(_SUITE, _HYBRID_INFO, encapsulated + stanza.body))
        except Undecryptable:
            return None


def _passphrase(text: str) -> Password:
    return Password(unicodedata.normalize("NFC", text).encode())


def _scrypt(passphrase: Password, salt: bytes, work_factor: int) -> bytes:
    return Scrypt(_SCRYPT_SALT + salt, 32, n=1 << work_factor, r=8, p=1).derive(passphrase)


@dataclass(frozen=True)
class ScryptRecipient:
    """A passphrase; it stands alone in its file. 2**18 costs a guess 256 MiB and about a second."""

    passphrase: str = field(repr=False)
    work_factor: int = WORK_FACTOR

    def wrap(self, key: AgeFileKey) -> Stanza:
        """Write a scrypt stanza."""
        salt = secrets.token_bytes(_SALT)
        wrap_key = _scrypt(_passphrase(self.passphrase), salt, self.work_factor)
        body = ChaCha20Poly1305(wrap_key).encrypt(_ZERO_NONCE, key, None)
        return Stanza((_SCRYPT, b64encode(salt), str(self.work_factor)), body)


@dataclass(frozen=True)
class ScryptIdentity:
    """A passphrase to try; a file that asks for more work than `max_work_factor` is refused before any is done."""

    passphrase: str = field(repr=False)
    max_work_factor: int = MAX_WORK_FACTOR

    def unwrap(self, stanza: Stanza) -> AgeFileKey | None:
        """Open a scrypt stanza."""
        if stanza.arguments[0] != _SCRYPT:
            return None
        salt_text, work_text = _arguments(stanza, 3)
        salt = _decoded(salt_text, _SALT)
        if not work_text.isdigit() or not work_text.isascii() or work_text.startswith("0") or len(work_text) > 2:
            raise Malformed("this stanza is not written as its type says")
        if int(work_text) > self.max_work_factor:
            raise Malformed("this file asks for more work than we accept")
        return _open_body(_scrypt(_passphrase(self.passphrase), salt, int(work_text)), stanza.body)


def unwrap(identities: tuple[Identity, ...], stanzas: tuple[Stanza, ...]) -> AgeFileKey:
    """Find the file key with the first identity that opens a stanza, or raise Undecryptable."""
    if len(stanzas) > 1 and any(stanza.arguments[0] == _SCRYPT for stanza in stanzas):
        raise Malformed("a passphrase stands alone in its file")
    found = [key for identity in identities for stanza in stanzas if (key := identity.unwrap(stanza)) is not None]
    if not found:
        raise Undecryptable
    return found[0]


def recipient(text: str) -> X25519Recipient | HybridRecipient:
    """Read a recipient, `age1...` or `age1pq1...`, or raise Malformed."""
    if text.startswith("age1pq1"):
        return HybridRecipient(kem.kem_public(bech32.decode("age1pq", text)))
    public = bech32.decode("age", text)
    if len(public) != 32:
        raise Malformed("this is not a recipient")
    return X25519Recipient(public)


def recipient_text(of: X25519Recipient | HybridRecipient) -> str:
    """Write a recipient as age programs read it."""
    return bech32.encode("age" if isinstance(of, X25519Recipient) else "age1pq", of.public)


def identity(text: str) -> X25519Identity | HybridIdentity:
    """Read an identity, `AGE-SECRET-KEY-1...` or `AGE-SECRET-KEY-PQ-1...`, or raise Malformed."""
    hybrid = text.startswith("AGE-SECRET-KEY-PQ-1")
    secret = bech32.decode("AGE-SECRET-KEY-PQ-" if hybrid else "AGE-SECRET-KEY-", text)
    if len(secret) != 32:
        raise Malformed("this is not an identity")
    return HybridIdentity(KemSeed(secret)) if hybrid else X25519Identity(X25519Secret(secret))


def identity_text(of: X25519Identity | HybridIdentity) -> str:
    """Write an identity as age programs read it: this is a secret, to be printed for its owner alone."""
    if isinstance(of, X25519Identity):
        return bech32.encode("AGE-SECRET-KEY-", of.secret)
    return bech32.encode("AGE-SECRET-KEY-PQ-", of.seed)
