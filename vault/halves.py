"""The incident key on two sheets, for two structures: neither opens anything alone. Text that is printed, then typed or kept on a stick.

A half says which key it belongs to and carries a check, so that a wrong sheet or a typing error is told in words.
"""

import hashlib
import re
from dataclasses import dataclass, field

from crypto.circle import halve, rejoin
from crypto.errors import CryptoError
from crypto.kem import KemPublic, public_key
from crypto.keys import KemSeed, Share
from vault.errors import BadInput

_LINES = re.compile(
    r"Abri: half (?P<number>[12]) of the incident key (?P<key>[0-9a-f]{16})\n"
    r"For: (?P<holder>[^\n]{0,200})\n"
    r"(?P<half>(?:[0-9a-f]{4}[ \n]){16})Check: (?P<check>[0-9a-f]{8})\n"
)


class WrongHalf(BadInput):
    """What was given is no half, or the two are not of one key; the message says which."""

    def __init__(self, words: str) -> None:
        super().__init__("half")
        self.words = words

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Half:
    """One of the two sheets. `key`: the name of the key it belongs to."""

    number: int
    key: str
    holder: str
    share: Share = field(repr=False)

    def text(self) -> str:
        """The sheet, as it is printed."""
        digits = bytes(self.share).hex()
        groups = [digits[start : start + 4] for start in range(0, 64, 4)]
        lines = "\n".join(" ".join(groups[start : start + 4]) for start in range(0, 16, 4))
        head = f"Abri: half {self.number} of the incident key {self.key}\nFor: {self.holder}\n"
        return f"{head}{lines}\nCheck: {_check(digits)}\n"


def name_of(public: KemPublic) -> str:
    """What an incident key is called: 16 digits of the hash of its public half."""
    return hashlib.sha256(bytes(public)).hexdigest()[:16]


def draw(holders: tuple[str, str]) -> tuple[KemPublic, tuple[Half, Half]]:
    """A new incident key: its public half for the settings, and two sheets. The whole is nowhere when this returns."""
    return cut(KemSeed.random(), holders)


def cut(seed: KemSeed, holders: tuple[str, str]) -> tuple[KemPublic, tuple[Half, Half]]:
    """The two sheets of a key."""
    public = public_key(seed)
    first, second = (
        Half(number, name_of(public), holder, share) for number, holder, share in zip((1, 2), holders, halve(seed), strict=True)
    )
    return public, (first, second)


def read(text: str) -> Half:
    """The half that a sheet holds; WrongHalf says what is wrong with it."""
    found = _LINES.fullmatch(text.replace("\r\n", "\n").rstrip() + "\n")
    if found is None:
        raise WrongHalf("This is not a half of an incident key: the sheet begins with 'Abri: half'.")
    digits = re.sub(r"\s", "", found["half"])
    if _check(digits) != found["check"]:
        raise WrongHalf("A digit of this half is wrong: compare it with the sheet.")
    return Half(int(found["number"]), found["key"], found["holder"], Share(bytes.fromhex(digits)))


def join(one: Half, other: Half) -> KemSeed:
    """The key, from its two halves."""
    if one.key != other.key or one.number == other.number:
        raise WrongHalf("These are not the two halves of one key.")
    try:
        seed = rejoin(one.share, other.share)
    except CryptoError:
        raise WrongHalf("These are not the two halves of one key.") from None
    if name_of(public_key(seed)) != one.key:
        raise WrongHalf("These are not the two halves of one key.")
    return seed


def _check(digits: str) -> str:
    return hashlib.sha256(f"abri half {digits}".encode()).hexdigest()[:8]
