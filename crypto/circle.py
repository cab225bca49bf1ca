"""The recovery secret cut for each allowed set of guardians, workers and printed rescue sheets.

A cut is plain XOR: one part less than all says nothing at all. Each allowed set has a cut of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

from crypto import contexts
from crypto.contexts import ShareContext, ShareMoveContext
from crypto.kem import KemPrivate, KemPublic
from crypto.keys import KemSeed, RecoverySecret, SecretBytes, Share, SheetSecret, kdf
from crypto.sealing import open_post, post

MEMBERS_AT_MOST = 5
THRESHOLDS = (2, 3)

_S = TypeVar("_S", bound=SecretBytes)


@dataclass(frozen=True)
class Member:
    """A guardian: a worker of a structure, or a printed sheet (no structure)."""

    id: str
    structure: str | None


def allowed_sets(members: Sequence[Member], k: int) -> tuple[tuple[str, ...], ...]:
    """List the sets of `k` guardians that may bring somebody back; empty when none may.

    No set within one structure when the circle has two; no set of sheets alone when the circle has a worker. Ids are
    sorted inside a set, and sets among themselves: this order is the one the circle's statement signs.
    """
    if k not in THRESHOLDS:
        raise ValueError("two or three guardians come together")
    if len(members) > MEMBERS_AT_MOST:
        raise ValueError("a circle has at most five members")
    if len({member.id for member in members}) != len(members):
        raise ValueError("a guardian counts once")
    structures = {member.structure for member in members} - {None}

    def allowed(chosen: Sequence[Member]) -> bool:
        theirs = {member.structure for member in chosen}
        if theirs == {None}:
            return not structures
        return len(theirs) > 1 or len(structures) < 2

    ordered = sorted(members, key=lambda member: member.id)
    return tuple(tuple(member.id for member in chosen) for chosen in combinations(ordered, k) if allowed(chosen))


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _cut(secret: SecretBytes, parts: int) -> tuple[Share, ...]:
    if parts < 2:
        raise ValueError("a secret is cut in two parts at least")
    drawn = [Share.random() for _ in range(parts - 1)]
    last = bytes(secret)
    for part in drawn:
        last = _xor(last, part)
    return (*drawn, Share(last))


def _join(kind: type[_S], parts: Sequence[Share]) -> _S:
    whole = bytes(Share.SIZE or 0)
    for part in parts:
        whole = _xor(whole, part)
    return kind(whole)


def cut(secret: RecoverySecret, parts: int) -> tuple[Share, ...]:
    """Cut the recovery secret for one set: as many parts as it has members, in the order of the set."""
    return _cut(secret, parts)


def join(parts: Sequence[Share]) -> RecoverySecret:
    """Put the parts of one set together. Parts of different sets give a secret that opens nothing."""
    return _join(RecoverySecret, parts)


def halve(seed: KemSeed) -> tuple[Share, Share]:
    """Cut the incident key for two structures."""
    first, second = _cut(seed, 2)
    return first, second


def rejoin(first: Share, second: Share) -> KemSeed:
    """Put the two halves of the incident key together, for a breach inquiry."""
    return _join(KemSeed, (first, second))


def post_share(member: KemPublic, vaulted: bytes, place: ShareContext, part: Share) -> bytes:
    """Post a part to a guardian. `vaulted`: the circle's row, asked with `place`."""
    return post(member, vaulted, place, part)


def open_share(seed: KemSeed | KemPrivate, vaulted: bytes, place: ShareContext, sealed: bytes) -> Share:
    """Take a guardian's part, or raise Undecryptable."""
    return Share.opened(open_post(seed, vaulted, place, sealed))


def move_share(kiosk: KemPublic, vaulted: bytes, place: ShareMoveContext, part: Share) -> bytes:
    """Send a guardian's part to the recovery's key pair. `vaulted`: the circle's row, asked with `place`."""
    return post(kiosk, vaulted, place, part)


def open_moved_share(seed: KemSeed | KemPrivate, vaulted: bytes, place: ShareMoveContext, sealed: bytes) -> Share:
    """Take a part that a guardian sent, or raise Undecryptable."""
    return Share.opened(open_post(seed, vaulted, place, sealed))


def sheet_seed(sheet: SheetSecret) -> KemSeed:
    """Derive a sheet's private key: what is posted to a sheet opens with the paper in hand."""
    return KemSeed(kdf(sheet, contexts.sheet(), 32))
