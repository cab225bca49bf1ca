"""The inner hashes of the trace's tree, 256 side by side in one row, so that a proof reads a few rows however long the trace is.

The layout is that of C2SP tlog-tiles: on level 0 the hashes of the leaves; on each level above, the roots of the full tiles below. Only
the last tile of a level is ever written again, and only by the sequencer, in the transaction that numbers the entries it covers.
"""

import hashlib
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, func, insert, select, update

from storage.errors import TileMissing
from storage.tables import tiles

WIDTH, HASH_BYTES, BITS = 256, 32, 8


def size(connection: Connection) -> int:
    """How many leaves the tiles hold."""
    query = select(tiles.c.number, func.length(tiles.c.hashes)).where(tiles.c.level == 0).order_by(tiles.c.number.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return 0 if row is None else int(row[0]) * WIDTH + int(row[1]) // HASH_BYTES


def grow(connection: Connection, leaves: Sequence[bytes], start: int) -> None:
    """Add the hashes of the leaves from number `start` on, which must be the first that the tiles lack. The caller holds the lock."""
    level, added, first = 0, list(leaves), start
    while added:
        full = _extend(connection, level, first, added)
        level, first, added = level + 1, first // WIDTH, full


def _extend(connection: Connection, level: int, first: int, added: Sequence[bytes]) -> list[bytes]:
    """Write these hashes from place `first` of a level on; gives the roots of the tiles that they made full."""
    number, width = divmod(first, WIDTH)
    held = tile(connection, level, number, width) if width else b""
    rest, full = held + b"".join(added), []
    new: list[dict[str, object]] = []
    for start in range(0, len(rest), WIDTH * HASH_BYTES):
        part = rest[start : start + WIDTH * HASH_BYTES]
        if start == 0 and width:
            connection.execute(update(tiles).where(tiles.c.level == level, tiles.c.number == number).values(hashes=part))
        else:
            new.append({"level": level, "number": number, "hashes": part})
        if len(part) == WIDTH * HASH_BYTES:
            full.append(_subtree(part))
        number += 1
    if new:
        connection.execute(insert(tiles), new)
    return full


def _subtree(hashes: bytes) -> bytes:
    """RFC 9162's hash of a complete subtree over these hashes, a power of two of them."""
    row = [hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


def tile(connection: Connection, level: int, number: int, width: int = WIDTH) -> bytes:
    """Read the first `width` hashes of a tile. Raises TileMissing when there are fewer."""
    query = select(tiles.c.hashes).where(tiles.c.level == level, tiles.c.number == number)
    found = connection.execute(query).scalar_one_or_none()
    if found is None or len(found) < width * HASH_BYTES:
        raise TileMissing(f"tile {level}/{number} has fewer than {width} hashes")
    return bytes(found[: width * HASH_BYTES])


def nodes(connection: Connection) -> Callable[[int, int], bytes]:
    """A reader of complete subtrees by level (0: leaves) and place; each is in one tile, and each tile is read once."""
    read: dict[tuple[int, int], bytes] = {}

    def node(level: int, place: int) -> bytes:
        tall, low = divmod(level, BITS)
        first = place << low
        number, offset = divmod(first, WIDTH)
        held = read.get((tall, number), b"")
        end = (offset + (1 << low)) * HASH_BYTES
        if len(held) < end:
            held = read[tall, number] = _whole(connection, tall, number)
        if len(held) < end:
            raise TileMissing(f"tile {tall}/{number} is too short")
        return _subtree(held[offset * HASH_BYTES : end])

    return node


def _whole(connection: Connection, level: int, number: int) -> bytes:
    query = select(tiles.c.hashes).where(tiles.c.level == level, tiles.c.number == number)
    found = connection.execute(query).scalar_one_or_none()
    return b"" if found is None else bytes(found)
