"""RFC 9162, section 2.1, as it is written there: recursive, over whole lists. It shares no line with `crypto.merkle`."""

from hashlib import sha256


def mth(entries: list[bytes]) -> bytes:
    """2.1.1: the Merkle tree hash of a list of leaves."""
    n = len(entries)
    if n == 0:
        return sha256().digest()
    if n == 1:
        return sha256(bytes([0]) + entries[0]).digest()
    k = _k(n)
    return sha256(bytes([1]) + mth(entries[:k]) + mth(entries[k:])).digest()


def _k(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def path(m: int, entries: list[bytes]) -> list[bytes]:
    """2.1.3.1: the inclusion proof of entry m."""
    n = len(entries)
    if n == 1:
        return []
    k = _k(n)
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def proof(m: int, entries: list[bytes]) -> list[bytes]:
    """2.1.4.1: the consistency proof from the first m entries."""
    return [] if m in (0, len(entries)) else _subproof(m, entries, True)


def _subproof(m: int, entries: list[bytes], whole: bool) -> list[bytes]:
    n = len(entries)
    if m == n:
        return [] if whole else [mth(entries)]
    k = _k(n)
    if m <= k:
        return [*_subproof(m, entries[:k], whole), mth(entries[k:])]
    return [*_subproof(m - k, entries[k:], False), mth(entries[:k])]


def root_from_path(leaf: bytes, m: int, n: int, hashes: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to, by the same recursion; IndexError when it is too short, ValueError too long."""
    if n == 1:
        if hashes:
            raise ValueError(hashes)
        return leaf
    k, last = _k(n), hashes[-1]
    if m < k:
        return sha256(bytes([1]) + root_from_path(leaf, m, k, hashes[:-1]) + last).digest()
    return sha256(bytes([1]) + last + root_from_path(leaf, m - k, n - k, hashes[:-1])).digest()


def roots_from_proof(m: int, n: int, hashes: list[bytes], old: bytes) -> tuple[bytes, bytes]:
    """The old and the new root that a consistency proof leads to."""
    return _roots(m, n, hashes, old, True)


def _roots(m: int, n: int, hashes: list[bytes], old: bytes, whole: bool) -> tuple[bytes, bytes]:
    if m == n:
        if whole:
            if hashes:
                raise ValueError(hashes)
            return old, old
        (only,) = hashes
        return only, only
    k, last = _k(n), hashes[-1]
    if m <= k:
        before, after = _roots(m, k, hashes[:-1], old, whole)
        return before, sha256(bytes([1]) + after + last).digest()
    before, after = _roots(m - k, n - k, hashes[:-1], old, False)
    return sha256(bytes([1]) + last + before).digest(), sha256(bytes([1]) + last + after).digest()
