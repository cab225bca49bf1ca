"""The trace as anybody may copy it: C2SP tlog-tiles, static resources up to the last published head and not one entry further.

An entry is published as its leaf: an id, and the digest of each party's sealed copy. Nobody reads a person, a worker or an act in it.
"""

import re
from dataclasses import dataclass
from typing import Literal

from storage import journal, tiles
from storage.tiles import WIDTH
from vault import checkpoints
from vault.context import Context
from vault.errors import NotThere
from vault.proofs import leaf_of

_PLACE = re.compile(r"(?P<level>entries|0|[1-9][0-9]?)/(?P<number>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?")
MOST_LEVEL = 63


@dataclass(frozen=True)
class Place:
    """Which tile: of hashes on a level, or of entries; `width` of its 256."""

    level: int | Literal["entries"]
    number: int
    width: int

    @classmethod
    def parse(cls, untrusted: str) -> "Place":
        """Read the end of an address; NotThere unless it is written in the one way."""
        found = _PLACE.fullmatch(untrusted)
        if found is None:
            raise NotThere
        width = int(found["width"] or WIDTH)
        digits = found["number"].replace("x", "").replace("/", "")
        if (found["width"] and width >= WIDTH) or (len(digits) > 3 and digits.startswith("000")) or len(digits) > 15:
            raise NotThere
        level: int | Literal["entries"] = "entries" if found["level"] == "entries" else int(found["level"])
        if level != "entries" and level > MOST_LEVEL:
            raise NotThere
        return cls(level, int(digits), width)


def _within(place: Place, size: int) -> bool:
    """Whether a tree of this size has all of it: a partial tile of another published size is a part of it."""
    level = 0 if place.level == "entries" else place.level
    return place.number * WIDTH + place.width <= size >> (8 * level)


def resource(context: Context, untrusted_place: str) -> bytes:
    """The bytes of one tile or bundle of entries. Raises NotThere beyond the published head."""
    place, head = Place.parse(untrusted_place), checkpoints.published(context)
    if head is None or not _within(place, head.size):
        raise NotThere
    with context.database.transaction(read_only=True) as connection:
        if place.level != "entries":
            return tiles.tile(connection, place.level, place.number, place.width)
        start = place.number * WIDTH
        leaves = [leaf_of(one) for one in journal.bound(connection, start, start + place.width)]
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def checkpoint(context: Context) -> str:
    """The published head. Raises NotThere before the first."""
    head = checkpoints.published(context)
    if head is None:
        raise NotThere
    return head.note
