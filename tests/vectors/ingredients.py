"""What the vectors are made of: ids, rows and secrets that nobody could mistake for real ones."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any, TypeVar

from crypto import keys, unlock
from crypto.errors import CryptoError

PERSON, ACCOUNT, SLOT, SHELF, PAPER, VERSION, GRANT, WORKER, CIRCLE, MEMBER, RECOVERY, SESSION, ENTRY, KIOSK, ID = (
    f"00000000-0000-4000-8000-{number:012}" for number in range(1, 16)
)
PERSON_ROW, SLOT_ROW, GRANT_ROW, SESSION_ROW = (bytes([number]) * 32 for number in (0x11, 0x12, 0x13, 0x14))
EPOCH = 2
CARD = keys.CardSecret(bytes(range(16)))
SALT = bytes(range(16, 32))
COST = unlock.Cost(256, 2)  # small on purpose: the formula is the same, the reader waits less

Vector = dict[str, Any]
_K = TypeVar("_K", bound=keys.SecretBytes)


def fixed(kind: type[_K], byte: int) -> _K:
    """A secret that nobody could mistake for a real one."""
    return kind(bytes([byte]) * (kind.SIZE or 0))


def vault(row: bytes, context: bytes) -> bytes:
    """What the key vault answers."""
    return hmac.digest(row, context, hashlib.sha256)


def show(secret: bytes) -> str:
    """Print a secret, because this one is published."""
    return bytes(secret).hex()


class Kept:
    """What chance made the last time, found by the name of its vector."""

    def __init__(self, old: dict[str, Vector]) -> None:
        self.old = old

    def __call__(self, name: str, field: str, make: Callable[[], bytes], opens: Callable[[bytes], object]) -> str:
        """Keep the old bytes when they still open, else make new ones that do."""
        old = bytes.fromhex(self.old.get(name, {}).get(field, ""))
        try:
            opens(old)
        except CryptoError:
            old = make()
            opens(old)
        return old.hex()


def expect(found: object, wanted: object) -> None:
    """Say that what opened is not what was put in."""
    if found != wanted:
        raise AssertionError("opens to something else")


ACCOUNT_KEYS = keys.AccountKeys(fixed(keys.KemSeed, 0x21), fixed(keys.SignSeed, 0x22), fixed(keys.ValuesKey, 0x23))
WORKER_SEED = fixed(keys.KemSeed, 0x24)
SHELF_SEED = fixed(keys.ShelfSeed, 0x25)
FILE_SECRET = fixed(keys.FileSecret, 0x26)
ACCOUNT_SECRET = fixed(keys.AccountSecret, 0x27)
