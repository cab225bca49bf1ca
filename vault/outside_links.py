"""What opens a paper for somebody outside: a link (100 bits, on the slip and in the square) and a code of six digits said aloud.

Neither is kept. The rows hold a digest of the link, and the public half of a key pair that is made of both and of a row of the
key vault: whoever holds the rows opens nothing, and once the row is destroyed nobody does.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from crypto.kem import KemPrivate
from crypto.keys import KemSeed, Password, kdf
from crypto.unlock import SALT_BYTES, Cost, stretch
from vault import labels
from vault.context import Context

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no letter that is taken for a digit, none that makes words
LETTERS, GROUP = 20, 4
DIGITS = 6
_LOOKS_LIKE = str.maketrans({"O": "0", "I": "1", "L": "1", " ": "", "-": "", "\u00a0": ""})


@dataclass(frozen=True)
class Secrets:
    """A link and its code, as they are shown once."""

    link: str = field(repr=False)
    code: str = field(repr=False)

    @property
    def groups(self) -> str:
        """The link as it is printed: five groups of four."""
        return "-".join(self.link[start : start + GROUP] for start in range(0, LETTERS, GROUP))


def draw() -> Secrets:
    """A new one of each."""
    link = "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))
    return Secrets(link, f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}")


def read(untrusted_link: str, untrusted_code: str) -> Secrets | None:
    """What was typed, in the one form; None for what cannot be one of ours."""
    link = untrusted_link.strip().upper().translate(_LOOKS_LIKE)
    code = "".join(untrusted_code.split())
    if len(link) != LETTERS or not set(link) <= set(ALPHABET) or len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        return None
    return Secrets(link, code)


def digest(link: str) -> str:
    """What a link is found and counted by."""
    return hashlib.sha256(labels.outside_link(link=link)).hexdigest()


def new_salt() -> bytes:
    """Sixteen random bytes."""
    return secrets.token_bytes(SALT_BYTES)


def key_seed(shown: Secrets, salt: bytes, cost: Cost, place: bytes, vaulted: bytes) -> KemSeed:
    """The private half: Argon2id over link and code, then the share's row. Costly: the caller holds a turn."""
    stretched = stretch(Password((shown.link + shown.code).encode()), salt, cost)
    return KemSeed(kdf(bytes(stretched) + vaulted, place, 32))


def opens(seed: KemSeed, public: bytes) -> KemPrivate | None:
    """The private key, when it is the other half of this public one."""
    private = KemPrivate(seed)
    return private if hmac.compare_digest(bytes(private.public), public) else None


def vaulted(context: Context, person: str, share: str) -> bytes:
    """What the share's row of the key vault adds; RowGone once it is destroyed."""
    return context.keyvault.derive("grant", share, labels.outside_key(person=person, share=share))
