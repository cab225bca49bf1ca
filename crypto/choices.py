"""Codes and pictures that people choose: what is accepted, what is too easy to guess, and what is drawn for them."""

import secrets
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from itertools import pairwise

from crypto.errors import Malformed

CODE_DIGITS = 6
PICTURES = 16
PICTURES_CHOSEN = 5

_YEARS = range(1900, 2050)


class Weakness(StrEnum):
    """Why a choice is refused, so that the page can say it."""

    REPEATED = "repeated"
    LADDER = "ladder"
    YEAR = "year"
    DATE = "date"


def check_code(code: str) -> str:
    """Accept six ASCII digits, weak or not, or raise Malformed."""
    if len(code) != CODE_DIGITS or not (code.isascii() and code.isdigit()):
        raise Malformed("a code is six digits")
    return code


def check_pictures(pictures: Sequence[int]) -> bytes:
    """Accept five pictures out of sixteen, weak or not, or raise Malformed."""
    if len(pictures) != PICTURES_CHOSEN or any(not 0 <= picture < PICTURES for picture in pictures):
        raise Malformed("five pictures out of sixteen")
    return bytes(pictures)


def _repeats(signs: Sequence[int]) -> bool:
    """One sign, two signs only, a block said again (123123, 121212), or a mirror (123321)."""
    size = len(signs)
    if len(set(signs)) <= 2 or list(signs) == list(reversed(signs)):
        return True
    if any(size % block == 0 and list(signs) == list(signs[:block]) * (size // block) for block in range(1, size)):
        return True
    # 112233: pairs or triples of the same sign
    return size % 2 == 0 and all(signs[place] == signs[place + 1] for place in range(0, size, 2))


def _ladder(signs: Sequence[int], around: int) -> bool:
    """Steps all alike, up or down, going round after the last sign: 123456, 987654, 246802, 890123."""
    steps = {(after - before) % around for before, after in pairwise(signs)}
    return len(steps) == 1


def _is_date(day: str, month: str, year: str) -> bool:
    try:
        date(2000 + int(year), int(month), int(day))
    except ValueError:
        # 29 February of a year that had one in another century
        return (day, month) == ("29", "02")
    return True


def weak_code(code: str) -> Weakness | None:
    """Say why a code is too easy to guess, or None. Dates and years are what people choose first."""
    digits = [int(digit) for digit in check_code(code)]
    if _repeats(digits):
        return Weakness.REPEATED
    if _ladder(digits, 10):
        return Weakness.LADDER
    if any(int(code[place : place + 4]) in _YEARS for place in range(3)):
        return Weakness.YEAR
    first, second, third = code[:2], code[2:4], code[4:]
    orders = ((first, second, third), (second, first, third), (third, second, first))
    if any(_is_date(day, month, year) for day, month, year in orders):
        return Weakness.DATE
    return None


def weak_pictures(pictures: Sequence[int]) -> Weakness | None:
    """Say why five pictures are too easy to guess, or None: the same again, or in the order of the page."""
    signs = list(check_pictures(pictures))
    if _repeats(signs):
        return Weakness.REPEATED
    return Weakness.LADDER if _ladder(signs, PICTURES) else None


def draw_code() -> str:
    """Draw a code that is not weak."""
    while True:
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        if weak_code(code) is None:
            return code


def draw_pictures() -> tuple[int, ...]:
    """Draw five pictures that are not weak."""
    while True:
        pictures = tuple(secrets.randbelow(PICTURES) for _ in range(PICTURES_CHOSEN))
        if weak_pictures(pictures) is None:
            return pictures
