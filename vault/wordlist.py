"""The list that secret words are drawn from, and how typed words are recognised.

2048 words: five of them are 55 bits behind a costly derivation. Accents, capitals and anything after the fourth letter may be
typed or not: the first four letters name one word alone (a property of the list, checked by a test).
"""

import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from crypto.unlock import draw_words

FILE = Path(__file__).parent / "catalogue" / "words-fr.txt"
LETTERS = 4
UNSAID = frozenset({"coffre"})  # of the published list, and in no page or sheet of ours: recognised, never drawn


@cache
def words() -> tuple[str, ...]:
    """All words, NFC, in the order of the file."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


def plain(word: str) -> str:
    """A word without accents or capitals."""
    return "".join(letter for letter in unicodedata.normalize("NFD", word.casefold()) if not unicodedata.combining(letter))


@cache
def _by_start() -> dict[str, str]:
    return {plain(word)[:LETTERS]: word for word in words()}


def recognise(typed: str) -> str | None:
    """The word of the list that somebody typed: whole, or its first four letters at least; None when there is none."""
    asked = plain(typed.strip())
    found = _by_start().get(asked[:LETTERS])
    return found if found is not None and len(asked) >= min(LETTERS, len(found)) and plain(found).startswith(asked) else None


def recognise_all(typed: Sequence[str] | str) -> tuple[str, ...]:
    """Each word as the list writes it; a word that is not in the list stays as it was typed, and opens nothing."""
    return tuple(recognise(word) or word.strip() for word in (typed.split() if isinstance(typed, str) else typed))


def draw(count: int) -> tuple[str, ...]:
    """Words drawn by chance: people choose what others guess."""
    drawn = draw_words(words(), count)
    return drawn if UNSAID.isdisjoint(drawn) else draw(count)
