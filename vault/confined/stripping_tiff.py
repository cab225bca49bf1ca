"""Metadata out of a TIFF without decoding it: a new file is written with what a decoder needs and nothing else.

Directories are copied tag by tag from a list of those that describe pixels; strips and tiles are copied as they are.
EXIF, GPS, XMP, IPTC, Photoshop blocks, scanner names, dates and whatever no tag refers to are left out; the orientation
is one of the tags that stay. Sources: TIFF 6.0, Adobe technical notes 1 and 2, ICC.1 annex B.

Everything in a TIFF lies where some number says, so a small file can name the same bytes many times: a value that runs on
over its neighbours, strips on top of each other, one directory for twenty pages. Copied each time, it would grow without end.
Left without its metadata a file is not longer than it was: what does not fit into its own length is refused.
"""

import dataclasses
import itertools
import struct

from vault.confined.stripping import CannotStrip, strip_jpeg

_KEPT = frozenset({
    254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 274, 277, 278, 280, 281, 282, 283, 284, 286, 287, 290, 291,
    292, 293, 296, 297, 301, 317, 318, 319, 320, 321, 322, 323, 332, 334, 338, 339, 340, 341, 347, 529, 530, 531, 532,
    34675,
})  # fmt: skip
_COMPRESSION, _OLD_JPEG, _JPEG = 259, 6, 7
_BLOCKS = ((273, 279), (324, 325))  # offsets and byte counts of strips, and of tiles
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_FORMS = {1: "B", 3: "H", 4: "I"}
_LONG = 4
_MOST_ENTRIES = 1024
_ALIGNING = 64  # bytes: values begin at even places here, and may not have in the file that came


@dataclasses.dataclass(frozen=True, slots=True)
class _Entry:
    tag: int
    kind: int
    count: int
    value: bytes


class _NewFile(bytearray):
    """What was written until now, and how long it may become."""

    def __init__(self, begun: bytes, most: int) -> None:
        super().__init__(begun)
        self._most = most

    def put(self, written: bytes, *, aligned: bool = False) -> int:
        """Where it begins. Raises CannotStrip for what is longer than the file that came, before it is copied."""
        padding = len(self) & 1 if aligned else 0
        if len(self) + padding + len(written) > self._most:
            raise CannotStrip("the same bytes several times")
        self += bytes(padding)
        at = len(self)
        self += written
        return at


def strip_tiff(content: bytes, most_pages: int) -> bytes:
    """The same coded pages in a new file. Raises CannotStrip for BigTIFF, old-style JPEG and broken directories."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(content[:4])
    if order is None:
        raise CannotStrip("not a classic TIFF")
    out = _NewFile(content[:4] + bytes(4), len(content) + _ALIGNING)
    link_at = 4
    (at,) = _unpack(order, "I", content, 4)
    for page in itertools.count(1):
        if page > most_pages:
            raise CannotStrip("more directories than pages allowed")
        entries, following = _directory(order, content, at)
        directory_at, next_link_at = _copy_page(order, content, entries, out)
        struct.pack_into(f"{order}I", out, link_at, directory_at)
        link_at = next_link_at
        if following == 0:
            return bytes(out)
        at = following
    raise AssertionError("itertools.count ends never")


def _unpack(order: str, form: str, content: bytes, at: int) -> tuple[int, ...]:
    try:
        return struct.unpack_from(order + form, content, at)
    except struct.error as error:
        raise CannotStrip("cut short") from error


def _directory(order: str, content: bytes, at: int) -> tuple[dict[int, _Entry], int]:
    (count,) = _unpack(order, "H", content, at)
    if not 0 < count <= _MOST_ENTRIES:
        raise CannotStrip("directory")
    entries = {}
    for index in range(count):
        here = at + 2 + 12 * index
        tag, kind, number = _unpack(order, "HHI", content, here)
        length = _SIZES.get(kind, 0) * number
        if length <= 4:
            start = here + 8
        else:
            (start,) = _unpack(order, "I", content, here + 8)
        value = content[start : start + length]
        if len(value) != length:
            raise CannotStrip("value outside the file")
        entries[tag] = _Entry(tag, kind, number, value)
    (following,) = _unpack(order, "I", content, at + 2 + 12 * count)
    return entries, following


def _copy_page(order: str, content: bytes, entries: dict[int, _Entry], out: _NewFile) -> tuple[int, int]:
    compression = _numbers(order, entries[_COMPRESSION])[0] if _COMPRESSION in entries else 1
    if compression == _OLD_JPEG:
        raise CannotStrip("old-style JPEG")
    kept = {tag: entry for tag, entry in entries.items() if tag in _KEPT}
    for offsets_tag, counts_tag in _BLOCKS:
        if offsets_tag not in entries:
            continue
        if counts_tag not in entries:
            raise CannotStrip("blocks without lengths")
        blocks = _blocks(order, content, entries[offsets_tag], entries[counts_tag])
        if compression == _JPEG:
            blocks = [strip_jpeg(block) for block in blocks]
        offsets = [out.put(block) for block in blocks]  # blocks may begin anywhere
        kept[offsets_tag] = _renumbered(order, entries[offsets_tag], offsets)
        kept[counts_tag] = _renumbered(order, entries[counts_tag], [len(block) for block in blocks])
    if not kept.keys() & {tag for tag, _ in _BLOCKS}:
        raise CannotStrip("a page without pixels")
    return _write_directory(order, kept, out)


def _blocks(order: str, content: bytes, offsets: _Entry, counts: _Entry) -> list[bytes]:
    starts, lengths = _numbers(order, offsets), _numbers(order, counts)
    if len(starts) != len(lengths):
        raise CannotStrip("blocks and lengths differ")
    if sum(lengths) > len(content):  # blocks on top of each other: refused before any is copied
        raise CannotStrip("more pixels than bytes")
    blocks = [content[start : start + length] for start, length in zip(starts, lengths, strict=True)]
    if any(len(block) != length for block, length in zip(blocks, lengths, strict=True)):
        raise CannotStrip("block outside the file")
    return blocks


def _numbers(order: str, entry: _Entry) -> list[int]:
    form = _FORMS.get(entry.kind)
    if form is None or entry.count == 0:
        raise CannotStrip("number")
    return list(struct.unpack(f"{order}{entry.count}{form}", entry.value))


def _renumbered(order: str, entry: _Entry, numbers: list[int]) -> _Entry:
    """The same tag with new numbers, no wider than they were unless they must be."""
    kind = entry.kind if max(numbers) < 256 ** _SIZES[entry.kind] else _LONG
    return _Entry(entry.tag, kind, len(numbers), struct.pack(f"{order}{len(numbers)}{_FORMS[kind]}", *numbers))


def _write_directory(order: str, entries: dict[int, _Entry], out: _NewFile) -> tuple[int, int]:
    written = struct.pack(f"{order}H", len(entries))
    for _, entry in sorted(entries.items()):
        fits = len(entry.value) <= 4
        value = entry.value.ljust(4, b"\0") if fits else struct.pack(f"{order}I", out.put(entry.value, aligned=True))
        written += struct.pack(f"{order}HHI", entry.tag, entry.kind, entry.count) + value
    at = out.put(written, aligned=True)
    return at, out.put(bytes(4))
