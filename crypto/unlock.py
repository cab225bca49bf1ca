"""The ways to unlock an account: each is a slot that seals the account secret (or an assist seed) under its own key.

What is remembered goes through Argon2id, then is mixed with two rows of the key vault: a stolen database and a guessed
code open nothing once either row is gone. The caller commits the attempt before deriving.
"""

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto import contexts
from crypto.choices import check_code, check_pictures
from crypto.contexts import AssistContext, SlotContext, VetoContext
from crypto.errors import Malformed, Undecryptable
from crypto.keys import (
    AccountSecret,
    AssistSecret,
    CardSecret,
    Kek,
    KemSeed,
    Password,
    RecoverySecret,
    Stretched,
    kdf,
)
from crypto.sealing import VAULTED_BYTES, seal, unseal

SALT_BYTES = 16
MEMORY_AT_MOST = 262144
PASSES_AT_MOST = 10
PERSON_WORDS = 5
WORKER_WORDS = 6
WORDLIST_AT_LEAST = 2048

_MEMORY_AT_LEAST = 8  # Argon2's own lower bound for one lane (RFC 9106)


class Kind(StrEnum):
    """The kinds of slots, as their context writes them."""

    CARD_PIN = "card-pin"
    CARD_PICTURES = "card-pictures"
    WORDS = "words"
    RECOVERY = "recovery"
    ASSIST = "assist"
    PASSPHRASE = "passphrase"  # noqa: S105 - the name of a kind, not a secret
    PRF = "prf"

    @property
    def guessable(self) -> bool:
        """Whether the secret can be guessed, and so must cost something to try."""
        return self not in {Kind.RECOVERY, Kind.ASSIST, Kind.PRF}


@dataclass(frozen=True)
class Cost:
    """What one guess costs: `m` KiB of memory, `t` passes of Argon2id. A row that asks for too much is refused here."""

    m: int
    t: int

    def __post_init__(self) -> None:
        if (self.m, self.t) == (0, 0):
            return
        if not (_MEMORY_AT_LEAST <= self.m <= MEMORY_AT_MOST and 1 <= self.t <= PASSES_AT_MOST):
            raise Malformed("this cost is not one we accept to pay")

    @classmethod
    def none(cls) -> Self:
        """For secrets that nobody can guess: recovery, PRF, assist."""
        return cls(0, 0)


def rest_of(paid: Cost, whole: Cost) -> Cost | None:
    """What a guess at `whole` costs more than one at `paid`, memory times passes; None when that is nothing to speak of."""
    memory = whole.m - paid.m * paid.t // whole.t if whole.t else 0
    return Cost(memory, whole.t) if memory >= _MEMORY_AT_LEAST else None


insecure_fast_kdf = Cost(_MEMORY_AT_LEAST, 1)
"""For tests only: a code sealed at this cost is found in seconds."""


def slot_context(account: str, slot: str, kind: Kind, cost: Cost) -> SlotContext:
    """Name a slot. A kind that can be guessed has a cost, the others have none."""
    if kind.guessable == (cost == Cost.none()):
        raise Malformed("this kind of slot has another cost")
    return contexts.slot(account=account, slot=slot, kind=kind.value, m=cost.m, t=cost.t)


def new_salt() -> bytes:
    """Draw a slot's salt."""
    return secrets.token_bytes(SALT_BYTES)


def card_id(card: CardSecret) -> bytes:
    """Compute what the server knows a card by (32 bytes), from its first use on."""
    return hashlib.sha256(contexts.card_id() + card).digest()


def code_password(card: CardSecret, code: str) -> Password:
    """Join a card and a code of six digits."""
    return Password(card + check_code(code).encode())


def pictures_password(card: CardSecret, pictures: Sequence[int]) -> Password:
    """Join a card and five pictures out of sixteen, a byte each."""
    return Password(card + check_pictures(pictures))


def words_password(words: Sequence[str]) -> Password:
    """Join drawn words with one space between them, NFC: five for a person, six for a worker."""
    if len(words) not in {PERSON_WORDS, WORKER_WORDS} or not all(words):
        raise Malformed("five words, or six")
    if any(letter.isspace() for word in words for letter in word):
        raise Malformed("a word has no blank in it")
    return Password(unicodedata.normalize("NFC", " ".join(words)).encode())


def draw_words(wordlist: Sequence[str], count: int) -> tuple[str, ...]:
    """Draw words from a list of at least 2048: chosen by chance, because people choose what others guess."""
    if len(set(wordlist)) != len(wordlist) or len(wordlist) < WORDLIST_AT_LEAST:
        raise ValueError("a list of at least 2048 different words")
    return tuple(secrets.choice(wordlist) for _ in range(count))


def stretch(password: Password, salt: bytes, cost: Cost) -> Stretched:
    """Make a guess costly: Argon2id (RFC 9106), 32 bytes. One lane always: two lanes deadlock across threads."""
    if cost == Cost.none() or len(salt) != SALT_BYTES:
        raise Malformed("what can be guessed needs a cost and a salt of 16 bytes")
    kdf_object = Argon2id(salt=salt, length=32, iterations=cost.t, lanes=1, memory_cost=cost.m)
    return Stretched(kdf_object.derive(bytes(password)))


def recovery_stretched(secret: RecoverySecret) -> Stretched:
    """Use the recovery secret as it is: nobody can guess it."""
    return Stretched(secret)


def prf_stretched(output: bytes) -> Stretched:
    """Use an authenticator's PRF output (32 bytes) as it is."""
    if len(output) != (Stretched.SIZE or 0):
        raise Malformed("a PRF output is 32 bytes")
    return Stretched(output)


def assist_stretched(card: CardSecret, pictures: Sequence[int] | None, secret: AssistSecret, place: AssistContext) -> Stretched:
    """Join a card, the pictures if the person can, and what the trusted worker holds."""
    shown = card if pictures is None else pictures_password(card, pictures)
    return Stretched(kdf(shown + secret, place, 32))


def kek(h: Stretched, person_vaulted: bytes, slot_vaulted: bytes, salt: bytes, place: SlotContext) -> Kek:
    """Derive a slot's key. The person's row and the slot's row both answered `place`."""
    if not len(person_vaulted) == len(slot_vaulted) == VAULTED_BYTES or len(salt) != SALT_BYTES:
        raise ValueError("two answers of 32 bytes and a salt of 16")
    return Kek(HKDF(SHA256(), 32, salt, place).derive(h + person_vaulted + slot_vaulted))


def seal_slot(key: Kek, place: SlotContext, secret: AccountSecret) -> bytes:
    """Seal the account secret in a slot."""
    return seal(key, place, secret)


def open_slot(key: Kek, place: SlotContext, sealed: bytes) -> AccountSecret:
    """Open a slot, or raise Undecryptable: a wrong code, a wrong card and a damaged row read alike."""
    return AccountSecret.opened(unseal(key, place, sealed))


def seal_assist_slot(key: Kek, place: SlotContext, seed: KemSeed) -> bytes:
    """Seal an assist seed in a slot: it opens lent shelves, and cannot sign, share or erase."""
    return seal(key, place, seed)


def open_assist_slot(key: Kek, place: SlotContext, sealed: bytes) -> KemSeed:
    """Open an assist slot, or raise Undecryptable."""
    return KemSeed.opened(unseal(key, place, sealed))


def veto_hash(key: Kek, place: VetoContext) -> bytes:
    """Compute what stays of an ended slot for a day: enough to recognise who may say stop, nothing to open."""
    return hashlib.sha256(kdf(key, place, 32)).digest()


def check_veto(key: Kek, place: VetoContext, kept: bytes) -> None:
    """Recognise the old card and code, or raise Undecryptable."""
    if not hmac.compare_digest(veto_hash(key, place), kept):
        raise Undecryptable
