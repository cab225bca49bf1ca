"""The tree as RFC 9162 writes it, and how a list of entries differs from the one that was signed. It shares nothing with the journal."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vault.recount_removals import Fault


@dataclass(frozen=True)
class Row:
    """An entry as it is found: its id, its number, its hash made again."""

    entry: str
    number: int
    hash: bytes


def root_of(hashes: Sequence[bytes]) -> bytes:
    """RFC 9162, 2.1.1, over hashes of leaves: cut at the largest power of two, and again."""
    if not hashes:
        return hashlib.sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    cut = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root_of(hashes[:cut]) + root_of(hashes[cut:])).digest()


class Tree:
    """The roots of many prefixes of one list: complete aligned subtrees of 256 leaves or more are computed once."""

    def __init__(self, hashes: Sequence[bytes]) -> None:
        self.hashes = hashes
        self._kept: dict[tuple[int, int], bytes] = {}

    def root(self, size: int) -> bytes:
        """The root of the first `size`."""
        return self._over(0, size) if size else root_of([])

    def _over(self, start: int, end: int) -> bytes:
        width = end - start
        if width <= 256:
            return root_of(self.hashes[start:end])
        found = self._kept.get((start, end))
        if found is None:
            cut = start + (1 << (width - 1).bit_length() - 1)
            found = hashlib.sha256(b"\1" + self._over(start, cut) + self._over(cut, end)).digest()
            if width & (width - 1) == 0:
                self._kept[start, end] = found
        return found


def walk(rows: Sequence[Row], signed: Sequence[bytes], by: Callable[[int], str]) -> list[Fault]:
    """Go along both, and name what was altered, dropped, inserted or moved."""
    places = {one: place for place, one in enumerate(signed)}
    present = {row.hash for row in rows}
    faults, at, place = [], 0, 0
    while place < len(signed):
        row, expected = (rows[at] if at < len(rows) else None), signed[place]
        if row is not None and row.hash == expected:
            at, place = at + 1, place + 1
        elif row is not None and row.hash not in places and expected not in present and row.number == place:
            faults.append(Fault("altered", place, f"entry {place} ({row.entry}) is not {by(place)}"))
            at, place = at + 1, place + 1
        elif expected not in present:
            faults.append(Fault("dropped", place, f"the entry {place} is gone: nothing has its hash {by(place)}"))
            place += 1
        elif row is not None and row.hash not in places:
            faults.append(Fault("inserted", row.number, f"entry {row.number} ({row.entry}) was put among those that were signed"))
            at += 1
        else:
            if row is not None:
                words = f"entry {row.number} ({row.entry}) stood at {places[row.hash]} {by(place)}"
                faults.append(Fault("moved", row.number, words))
            at, place = at + 1, place + 1
    return faults
