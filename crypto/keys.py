"""The keys of an account, of a shelf and of a paper, and how each comes out of the one above.

Types carry the meaning: a `ShelfKey` cannot be given where a `CardKey` is due, and none of them prints its bytes.
Python cannot wipe them from memory; nothing here promises that.
"""

import hmac
import secrets
from dataclasses import dataclass
from typing import ClassVar, NoReturn, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto import contexts
from crypto.contexts import FileContext, ShelfContext, ShelfKeyContext
from crypto.errors import Undecryptable
from crypto.sealing import VAULTED_BYTES, seal, unseal


class SecretBytes(bytes):
    """Bytes that never show themselves: not in a traceback, not in a log, not in a pickle, not as a dictionary key."""

    SIZE: ClassVar[int | None] = 32

    def __new__(cls, data: bytes) -> Self:
        if cls.SIZE is not None and len(data) != cls.SIZE:
            raise ValueError(f"{cls.__name__} is {cls.SIZE} bytes")
        return super().__new__(cls, data)

    @classmethod
    def random(cls) -> Self:
        """Draw a new one."""
        if cls.SIZE is None:
            raise TypeError(f"{cls.__name__} has no size of its own")
        return cls(secrets.token_bytes(cls.SIZE))

    @classmethod
    def opened(cls, data: bytes) -> Self:
        """Accept what was just unsealed. Anyone may post to a public key: another length is refused like the rest."""
        if cls.SIZE is not None and len(data) != cls.SIZE:
            raise Undecryptable
        return cls(data)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def hex(self, *_: object) -> NoReturn:
        """Refuse: hexadecimal is how secrets end up in logs. `bytes(secret).hex()` says that one means it."""
        raise TypeError("a secret is not printed")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, bytes) and hmac.compare_digest(bytes(self), bytes(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> NoReturn:
        # Caches and dictionaries keep what they are given: no secret may go in.
        raise TypeError("a secret is not a dictionary key")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not pickled")


class AccountSecret(SecretBytes):
    """A: what every way to unlock gives, and what every key of the account hangs on."""


class KemSeed(SecretBytes):
    """The private key that opens what was posted to someone."""


class SignSeed(SecretBytes):
    """The private key that signs for someone."""


class ValuesKey(SecretBytes):
    """V: seals the values only their owner reads."""


class ShelfSeed(KemSeed):
    """The private key of one shelf in one epoch; its key for wraps comes out of it."""


class ShelfKey(SecretBytes):
    """Wraps the file secrets of one shelf in one epoch."""


class FileSecret(SecretBytes):
    """F: one for each version of a paper. Opens nothing without the person's row in the key vault."""


class AgeFileKey(SecretBytes):
    """The file key of an age payload (C2SP age)."""

    SIZE = 16


class CardKey(SecretBytes):
    """Seals title, file name and dates of one version of a paper."""


class CardSecret(SecretBytes):
    """What is printed in a card's QR code."""

    SIZE = 16


class SheetSecret(SecretBytes):
    """What is printed on a rescue sheet."""

    SIZE = 16


class RecoverySecret(SecretBytes):
    """R: cut among the guardians; opens the recovery slot."""


class Share(SecretBytes):
    """One part of a secret cut in XOR parts."""


class AssistSecret(SecretBytes):
    """w: what the trusted worker of an assisted opening holds."""


class Password(SecretBytes):
    """P: what is remembered or shown, before Argon2id."""

    SIZE = None


class Stretched(SecretBytes):
    """h: what comes out of Argon2id, or stands in its place for secrets that were never guessable."""


class Kek(SecretBytes):
    """Opens one slot."""


class SessionToken(SecretBytes):
    """c: the cookie."""


class SessionKey(SecretBytes):
    """Seals what an open session holds, between two requests."""


class TraceKey(SecretBytes):
    """Seals the events of one session for one party."""


def kdf(key: bytes, info: bytes, length: int) -> bytes:
    """Derive `length` bytes from a key for one named use: HKDF-SHA256, empty salt (RFC 5869)."""
    return HKDF(SHA256(), length, b"", info).derive(key)


@dataclass(frozen=True)
class AccountKeys:
    """What an unlocked account can do: open what was posted to it, sign, read its own values."""

    kem: KemSeed
    sign: SignSeed
    values: ValuesKey

    @classmethod
    def random(cls) -> Self:
        """Draw the keys of a new account."""
        return cls(KemSeed.random(), SignSeed.random(), ValuesKey.random())


@dataclass(frozen=True)
class SealedAccountKeys:
    """The same, as kept in the account's row."""

    kem: bytes
    sign: bytes
    values: bytes


def seal_account_keys(secret: AccountSecret, account: str, keys: AccountKeys) -> SealedAccountKeys:
    """Seal the three keys of an account under its secret."""
    return SealedAccountKeys(
        kem=seal(secret, contexts.seed(account=account, name="kem"), keys.kem),
        sign=seal(secret, contexts.seed(account=account, name="sign"), keys.sign),
        values=seal(secret, contexts.seed(account=account, name="values"), keys.values),
    )


def open_account_keys(secret: AccountSecret, account: str, sealed: SealedAccountKeys) -> AccountKeys:
    """Open the three keys of an account, or raise Undecryptable."""
    return AccountKeys(
        kem=KemSeed.opened(unseal(secret, contexts.seed(account=account, name="kem"), sealed.kem)),
        sign=SignSeed.opened(unseal(secret, contexts.seed(account=account, name="sign"), sealed.sign)),
        values=ValuesKey.opened(unseal(secret, contexts.seed(account=account, name="values"), sealed.values)),
    )


def seal_shelf_seed(values: ValuesKey, place: ShelfContext, seed: ShelfSeed) -> bytes:
    """Keep a shelf's seed for its owner."""
    return seal(values, place, seed)


def open_shelf_seed(values: ValuesKey, place: ShelfContext, sealed: bytes) -> ShelfSeed:
    """Open a shelf's seed, or raise Undecryptable."""
    return ShelfSeed.opened(unseal(values, place, sealed))


def shelf_key(seed: ShelfSeed, place: ShelfKeyContext) -> ShelfKey:
    """Derive the key that wraps the papers of a shelf."""
    return ShelfKey(kdf(seed, place, 32))


@dataclass(frozen=True)
class FileKeys:
    """What one version of a paper is made of: the key of its bytes, the key of its card, and what binds both to it."""

    age_file_key: AgeFileKey
    card_key: CardKey
    commitment: bytes


def file_keys(secret: FileSecret, vaulted: bytes, place: FileContext) -> FileKeys:
    """Derive a version's keys from its file secret and the person's row (32 bytes, the key vault's answer to `place`).

    80 bytes: age file key 16, card key 32, commitment 32 (public).
    """
    if len(vaulted) != VAULTED_BYTES:
        raise ValueError("the key vault answers 32 bytes")
    derived = kdf(secret + vaulted, place, 80)
    return FileKeys(AgeFileKey(derived[:16]), CardKey(derived[16:48]), derived[48:])


def check_commitment(keys: FileKeys, commitment: bytes) -> None:
    """Compare with what the origin signed, before anything is opened: else one blob could open as two papers."""
    if not hmac.compare_digest(keys.commitment, commitment):
        raise Undecryptable
