"""Bech32 (BIP 173) without its limit of 90 characters, as age writes recipients and identities."""

from collections.abc import Iterable

from crypto.errors import Malformed

_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM = 6


def _polymod(values: Iterable[int]) -> int:
    state = 1
    for value in values:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATOR):
            if top >> place & 1:
                state ^= generator
    return state


def _expand(prefix: str) -> list[int]:
    return [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]


def _regroup(values: Iterable[int], size: int, into: int) -> tuple[list[int], int, int]:
    """Cut groups of `size` bits into groups of `into`; give them, what is left over, and how many bits that is."""
    groups, left, bits = [], 0, 0
    for value in values:
        left, bits = left << size | value, bits + size
        while bits >= into:
            bits -= into
            groups.append(left >> bits)
            left &= (1 << bits) - 1
    return groups, left, bits


def encode(prefix: str, data: bytes) -> str:
    """Write bytes behind a prefix, in the case of the prefix."""
    lower = prefix.lower()
    groups, left, bits = _regroup(data, 8, 5)
    if bits:
        groups.append(left << (5 - bits))
    check = _polymod([*_expand(lower), *groups, *[0] * _CHECKSUM]) ^ 1
    groups += [check >> 5 * (_CHECKSUM - 1 - place) & 31 for place in range(_CHECKSUM)]
    text = lower + "1" + "".join(_LETTERS[group] for group in groups)
    return text if prefix == lower else text.upper()


def decode(prefix: str, text: str) -> bytes:
    """Read the bytes behind a prefix that must be this one, in this case; refuse any other spelling."""
    lower = text.lower()
    head, separator, tail = lower.rpartition("1")
    if not separator or head != prefix.lower() or len(tail) < _CHECKSUM or set(tail) - set(_LETTERS):
        raise Malformed("this is not a key of that kind")
    values = [_LETTERS.index(letter) for letter in tail]
    data, _, _ = _regroup(values[:-_CHECKSUM], 5, 8)
    # Checksum, padding bits and case: all of them are right when writing it again gives the same text.
    if encode(prefix, bytes(data)) != text:
        raise Malformed("this is not a key of that kind")
    return bytes(data)
