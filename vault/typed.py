"""What somebody types, judged where it is typed: a word that may not be signed is not found out at the yes, when nothing says which.

Accents and vowel signs come in the order of a keyboard, or of another machine; they are put in the one order that is signed (NFC), and
nothing that is seen changes by it.
"""

import unicodedata

from consent.fields import plain, shows
from crypto.errors import Malformed
from vault.errors import BadInput

UNSEEN = "error.unseen-signs"


def one_line(untrusted: str) -> str:
    """On one line, in the one form that is signed."""
    return unicodedata.normalize("NFC", " ".join(untrusted.split()))


def line(untrusted: str, field: str, most: int, *, empty: str = "error.missing", long: str = "error.name-long") -> str:
    """One line that can be shown and signed as it is. BadInput on its field: nothing is seen in it, too long, or signs that nobody sees."""
    said = one_line(untrusted)
    if not shows(said):
        raise BadInput(field, empty)
    return _judged(said, field, most, long)


def line_or_none(untrusted: str, field: str, most: int, *, long: str = "error.name-long") -> str:
    """The same where nothing need be said: what shows nothing is nothing."""
    said = one_line(untrusted)
    return _judged(said, field, most, long) if shows(said) else ""


def lines(untrusted: str, field: str, most: int, *, empty: str, long: str) -> str:
    """The same for a text of several lines."""
    said = [one_line(each) for each in untrusted.strip().splitlines()]
    if not any(map(shows, said)):
        raise BadInput(field, empty)
    for each in said:
        if each:
            _judged(each, field, len(each), long)
    whole = "\n".join(said)
    if len(whole) > most:
        raise BadInput(field, long)
    return whole


def _judged(said: str, field: str, most: int, long: str) -> str:
    if len(said) > most:
        raise BadInput(field, long)
    try:
        return plain(said, field, most)
    except Malformed:
        raise BadInput(field, UNSEEN) from None
