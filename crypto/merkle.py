"""The tree of the trace (RFC 9162, section 2): one root for all entries, and short proofs that nothing was changed.

Whoever holds a root of yesterday and a proof knows that an entry is in it, or that today's tree continues it. Hashes are 32 bytes.
Only complete subtrees are ever kept: `Nodes` gives the hash of the one at a level and place, whatever it is kept in.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence

from crypto.errors import CryptoError

HASH_BYTES = 32
MOST_HASHES = 63  # of a proof: no tree has 2^63 leaves

Nodes = Callable[[int, int], bytes]
"""`nodes(level, place)`: the hash of the complete subtree over leaves [place * 2^level, (place + 1) * 2^level)."""


class BadProof(CryptoError):
    """The proof does not lead from what it was given to what it must show."""

    def __init__(self) -> None:
        super().__init__("this proof does not hold")


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of one entry."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return hashlib.sha256(b"\x01" + left + right).digest()


EMPTY_ROOT = hashlib.sha256(b"").digest()


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root of a tree over these hashes of leaves, read once and in order, in memory that grows with the height alone."""
    peaks: list[tuple[int, bytes]] = []  # complete subtrees, the largest first
    for one in leaf_hashes:
        level, held = 0, one
        while peaks and peaks[-1][0] == level:
            level, held = level + 1, node_hash(peaks.pop()[1], held)
        peaks.append((level, held))
    return _joined([held for _, held in peaks]) if peaks else EMPTY_ROOT


def _joined(hashes: Sequence[bytes]) -> bytes:
    """Neighbours of falling size, joined from the right: the last two first."""
    *rest, found = hashes
    for left in reversed(rest):
        found = node_hash(left, found)
    return found


def _covering(start: int, end: int) -> list[tuple[int, int]]:
    """The complete subtrees (level, place), of falling size, that cover [start, end) when `start` is a border of its subtree."""
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def range_hash(nodes: Nodes, start: int, end: int) -> bytes:
    """The hash of leaves [start, end), a subtree of some tree: at most one complete subtree of each size is asked for."""
    return _joined([nodes(level, place) for level, place in _covering(start, end)])


def root_at(nodes: Nodes, size: int) -> bytes:
    """The root of the first `size` leaves."""
    return range_hash(nodes, 0, size) if size else EMPTY_ROOT


def _half(size: int) -> int:
    """The largest power of two below `size` (2 or more): where RFC 9162 cuts."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root of `size` leaves, the nearest first. ValueError outside the tree."""
    if not 0 <= index < size:
        raise ValueError("this entry is not in a tree of that size")
    beside: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        cut = start + _half(end - start)
        if index < cut:
            beside.append(range_hash(nodes, cut, end))
            end = cut
        else:
            beside.append(range_hash(nodes, start, cut))
            start = cut
    return beside[::-1]


def consistency_proof(nodes: Nodes, old: int, new: int) -> list[bytes]:
    """The hashes that show that the tree of `new` leaves continues the one of `old`. ValueError when it cannot."""
    if not 0 <= old <= new:
        raise ValueError("no tree continues a longer one")
    if old in (0, new):
        return []
    beside: list[bytes] = []
    start, end, whole = 0, new, True  # whole: the old tree is what lies left of `old`, and its root is known
    while old != end:
        cut = start + _half(end - start)
        if old <= cut:
            beside.append(range_hash(nodes, cut, end))
            end = cut
        else:
            beside.append(range_hash(nodes, start, cut))
            start, whole = cut, False
    if not whole:
        beside.append(range_hash(nodes, start, end))
    return beside[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> None:
    """Return when the hash `leaf` is entry `index` of the tree of `size` leaves whose root is `expected`; BadProof otherwise."""
    if not 0 <= index < size:
        raise BadProof
    _check((*proof, leaf, expected))
    place, last, found = index, size - 1, leaf
    for one in proof:
        if last == 0:
            raise BadProof
        if place & 1 or place == last:
            found = node_hash(one, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, one)
        place, last = place >> 1, last >> 1
    if last or not hmac.compare_digest(found, expected):
        raise BadProof


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Return when the tree of `new` leaves and `new_root` continues the one of `old` leaves and `old_root`; BadProof otherwise."""
    _check(proof)
    if not 0 <= old <= new or (old == 0 and old_root != EMPTY_ROOT):
        raise BadProof
    if old in (0, new):
        if proof or (old == new and not hmac.compare_digest(old_root, new_root)):
            raise BadProof
        return
    if not proof:
        raise BadProof
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    found_old = found_new = path[0]
    for one in path[1:]:
        if last == 0:
            raise BadProof
        if place & 1 or place == last:
            found_old, found_new = node_hash(one, found_old), node_hash(one, found_new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found_new = node_hash(found_new, one)
        place, last = place >> 1, last >> 1
    if last or not (hmac.compare_digest(found_old, old_root) and hmac.compare_digest(found_new, new_root)):
        raise BadProof


def _check(hashes: Sequence[bytes]) -> None:
    if len(hashes) > MOST_HASHES + 2 or any(len(one) != HASH_BYTES for one in hashes):
        raise BadProof
