"""Metadata out of a HEIC without moving a byte of its pictures: what is not a picture is overwritten.

A HEIC names its parts (items) in a table and says where in the file each lies. Moving anything would mean rewriting all
offsets, so everything that no picture needs is blanked in place: the EXIF and XMP items, whatever the data box holds
that no picture item refers to (a motion clip, a maker's private block), and every box we do not know. The size does not
change. The orientation needs nothing: in HEIC it is a property (`irot`, `imir`), and EXIF's is to be ignored.
Source: ISO/IEC 14496-12 (boxes), 23008-12 (HEIF).
"""

import dataclasses
import struct

from vault.confined.stripping import CannotStrip

_PICTURES = frozenset({b"hvc1", b"lhv1", b"grid", b"iden", b"iovl", b"jpeg", b"tmap"})
_META_KEPT = frozenset({b"hdlr", b"dinf", b"pitm", b"iinf", b"iloc", b"iref", b"iprp", b"idat", b"grpl"})
# A valid EXIF item that says nothing: offset to the header, then a TIFF structure with an empty directory.
_EMPTY_EXIF = struct.pack(">I", 0) + struct.pack("<2sHIHI", b"II", 42, 8, 0, 0)


@dataclasses.dataclass(frozen=True, slots=True)
class _Box:
    name: bytes
    start: int
    body: int
    end: int


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    """Where one extent of an item lies in the file."""

    item: int
    start: int
    end: int


def strip_heic(content: bytes) -> bytes:
    """The same pictures in a file of the same length. Raises CannotStrip when the file is not as we know them."""
    blanked = bytearray(content)
    top = _boxes(content, 0, len(content))
    metas = [box for box in top if box.name == b"meta"]
    if len(metas) != 1 or not top or top[0].name != b"ftyp":
        raise CannotStrip("meta")
    inside = _boxes(content, metas[0].body + 4, metas[0].end)
    named = {box.name: box for box in inside}
    if not {b"iinf", b"iloc", b"pitm"} <= named.keys() or len(named) != len(inside):
        raise CannotStrip("tables")
    kinds = _item_kinds(content, named[b"iinf"])
    places = _places(content, named[b"iloc"], named.get(b"idat"))
    kept = [(place.start, place.end) for place in places if kinds.get(place.item) in _PICTURES]
    for box in inside:
        if box.name not in _META_KEPT:
            _blank_box(blanked, box)
    for box in [*top, *(box for box in inside if box.name == b"idat")]:
        if box.name in (b"mdat", b"idat"):
            _blank_outside(blanked, box, kept)
        elif box.name not in (b"ftyp", b"meta"):
            _blank_box(blanked, box)
    _write_empty_exif(blanked, [place for place in places if kinds.get(place.item) == b"Exif"], kept)
    return bytes(blanked)


def _boxes(content: bytes, start: int, end: int) -> list[_Box]:
    boxes = []
    at = start
    while at < end:
        if at + 8 > end:
            raise CannotStrip("box")
        length, name = struct.unpack_from(">I4s", content, at)
        body = at + 8
        if length == 1:
            if at + 16 > end:
                raise CannotStrip("box")
            (length,) = struct.unpack_from(">Q", content, body)
            body = at + 16
        elif length == 0:
            length = end - at
        if body > at + length or at + length > end:
            raise CannotStrip("box length")
        boxes.append(_Box(name, at, body, at + length))
        at += length
    return boxes


def _item_kinds(content: bytes, iinf: _Box) -> dict[int, bytes]:
    wide = content[iinf.body] != 0
    entries = _boxes(content, iinf.body + (8 if wide else 6), iinf.end)
    kinds = {}
    for entry in entries:
        version = content[entry.body] if entry.body < entry.end else 0
        if entry.name != b"infe" or version not in (2, 3):
            raise CannotStrip("item entry")
        at = entry.body + 4
        item, at = (_number(content, at, 4), at + 4) if version == 3 else (_number(content, at, 2), at + 2)
        kinds[item] = content[at + 2 : at + 6]
    return kinds


def _places(content: bytes, iloc: _Box, idat: _Box | None) -> list[_Place]:
    version = content[iloc.body]
    if version > 2:
        raise CannotStrip("iloc version")
    sizes, more = content[iloc.body + 4], content[iloc.body + 5]
    offset_size, length_size, base_size = sizes >> 4, sizes & 15, more >> 4
    index_size = more & 15 if version else 0
    item_size = 4 if version == 2 else 2
    at = iloc.body + 6
    count, at = _number(content, at, item_size), at + item_size
    places = []
    for _ in range(count):
        item, at = _number(content, at, item_size), at + item_size
        method = 0
        if version:
            method, at = _number(content, at, 2) & 15, at + 2
        if _number(content, at, 2) != 0 or method > 1 or (method == 1 and idat is None):
            raise CannotStrip("an item in another file, or built from another item")
        at += 2
        base, at = _number(content, at, base_size), at + base_size
        origin = idat.body if method == 1 and idat is not None else 0
        extents, at = _number(content, at, 2), at + 2
        for _ in range(extents):
            at += index_size
            offset, at = _number(content, at, offset_size), at + offset_size
            length, at = _number(content, at, length_size), at + length_size
            start = origin + base + offset
            if length == 0 or at > iloc.end or start + length > len(content):
                raise CannotStrip("extent")
            places.append(_Place(item, start, start + length))
    return places


def _number(content: bytes, at: int, size: int) -> int:
    if at + size > len(content):
        raise CannotStrip("cut short")
    return int.from_bytes(content[at : at + size], "big")


def _blank_box(blanked: bytearray, box: _Box) -> None:
    blanked[box.start + 4 : box.start + 8] = b"free"
    blanked[box.body : box.end] = bytes(box.end - box.body)


def _blank_outside(blanked: bytearray, box: _Box, kept: list[tuple[int, int]]) -> None:
    at = box.body
    for start, end in sorted(kept):
        if end <= at or start >= box.end:
            continue
        if start > at:
            blanked[at:start] = bytes(start - at)
        at = max(at, min(end, box.end))
    blanked[at : box.end] = bytes(box.end - at)


def _write_empty_exif(blanked: bytearray, places: list[_Place], kept: list[tuple[int, int]]) -> None:
    for place in places:
        overlaps = any(start < place.end and place.start < end for start, end in kept)
        if place.end - place.start >= len(_EMPTY_EXIF) and not overlaps:
            blanked[place.start : place.start + len(_EMPTY_EXIF)] = _EMPTY_EXIF
