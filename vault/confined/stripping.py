"""Metadata out of JPEG, PNG and WebP without touching a pixel: the container is rewritten, the coded image copied.

Lists of what stays, never of what goes: maker notes, GPS, XMP, comments, thumbnails, motion clips behind the end and
whatever is invented next are left out alike. What stays is what a decoder needs for the same colours. The orientation
stays as the single entry of a new EXIF block, because turning the pixels of a JPEG would code it again.
Sources: ITU-T T.81 (JPEG), ICC.1 annex B (profile in JPEG), W3C PNG, RFC 9649 (WebP), TIFF 6.0 for the EXIF block.
"""

import struct
import zlib

UPRIGHT = 1


class CannotStrip(ValueError):
    """The container is not as its format says; whoever asks codes the pixels again instead."""


def orientation_block(orientation: int) -> bytes:
    """A TIFF structure with one entry: Orientation, 1 to 8."""
    return struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


# -- JPEG ------------------------------------------------------------------------------------------------------------

_SOI, _EOI, _SOS, _COM = 0xD8, 0xD9, 0xDA, 0xFE
_APP0, _APP1, _APP2, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
_CODING = frozenset(range(0xC0, 0xD0)) | {0xDB, 0xDC, 0xDD, 0xDE}  # frames, tables, arithmetic, DNL, DRI


def strip_jpeg(content: bytes, orientation: int = UPRIGHT) -> bytes:
    """The same coded image with JFIF density, ICC profile, Adobe marker and orientation alone. Raises CannotStrip."""
    kept = [b"\xff\xd8"]
    if orientation != UPRIGHT:
        kept.append(_segment(_APP1, b"Exif\0\0" + orientation_block(orientation)))
    at = 2
    while True:
        marker, start = _marker(content, at)
        if marker == _EOI:
            kept.append(b"\xff\xd9")
            return b"".join(kept)
        body, end = _segment_body(content, start)
        if marker == _APP0:
            if body[:5] == b"JFIF\0" and len(body) >= 14:
                kept.insert(1, _segment(_APP0, body[:12] + b"\0\0"))  # first of all, without its thumbnail
        elif (marker == _APP2 and body[:12] == b"ICC_PROFILE\0") or (marker == _APP14 and body[:5] == b"Adobe"):
            kept.append(_segment(marker, body))
        elif marker == _SOS:
            end = _end_of_scan(content, end)
            kept.append(b"\xff\xda" + content[start:end])
        elif marker in _CODING:
            kept.append(_segment(marker, body))
        elif not (_APP0 <= marker <= _APP15 or marker == _COM):
            raise CannotStrip(f"marker {marker:02x}")
        at = end


def _marker(content: bytes, at: int) -> tuple[int, int]:
    """The next marker; fill bytes before it are allowed, and rubbish is stepped over and left out, as decoders do."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            raise CannotStrip("cut short")
        if content[at + 1] not in (0x00, 0xFF):
            return content[at + 1], at + 2
        at += 1


def _segment_body(content: bytes, start: int) -> tuple[bytes, int]:
    length = int.from_bytes(content[start : start + 2], "big")
    end = start + length
    if length < 2 or end > len(content):
        raise CannotStrip("segment length")
    return content[start + 2 : end], end


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _end_of_scan(content: bytes, at: int) -> int:
    """Where the entropy-coded bytes end: the next FF that is neither stuffed nor a restart."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            raise CannotStrip("scan without end")
        following = content[at + 1]
        if following == 0 or 0xD0 <= following <= 0xD7:
            at += 2
        elif following == 0xFF:
            at += 1
        else:
            return at


# -- PNG -------------------------------------------------------------------------------------------------------------

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset({
    b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"bKGD", b"pHYs",
})  # fmt: skip


def strip_png(content: bytes, orientation: int = UPRIGHT) -> bytes:
    """The same image data with colour, transparency and density alone; of an animation, its still image."""
    kept = [_PNG_SIGNATURE]
    at = len(_PNG_SIGNATURE)
    while True:
        if at + 12 > len(content):
            raise CannotStrip("cut short")
        length, name = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content):
            raise CannotStrip("chunk length")
        if name == b"IEND":
            kept.append(_png_chunk(b"IEND", b""))
            return b"".join(kept)
        if name in _PNG_KEPT:
            kept.append(content[at:end])
        elif not name[0] & 0x20:
            raise CannotStrip("a critical chunk that we do not know")
        if name == b"IHDR" and orientation != UPRIGHT:
            kept.append(_png_chunk(b"eXIf", orientation_block(orientation)))
        at = end


def _png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), name) + body + struct.pack(">I", zlib.crc32(name + body))


# -- WebP ------------------------------------------------------------------------------------------------------------

_WEBP_ANIMATED, _WEBP_XMP, _WEBP_EXIF = 0x02, 0x04, 0x08


def strip_webp(content: bytes, orientation: int = UPRIGHT) -> bytes:
    """The same coded still image with its transparency and ICC profile; an animation raises CannotStrip."""
    length = int.from_bytes(content[4:8], "little")
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP" or 8 + length > len(content):
        raise CannotStrip("RIFF")
    chunks = _riff_chunks(content[12 : 8 + length])
    kept: list[tuple[bytes, bytes]] = []
    for name, body in chunks:
        if name == b"VP8X":
            if len(body) != 10 or body[0] & _WEBP_ANIMATED:
                raise CannotStrip("animated")
            flags = body[0] & ~(_WEBP_XMP | _WEBP_EXIF) | (_WEBP_EXIF if orientation != UPRIGHT else 0)
            kept.append((name, bytes([flags]) + body[1:]))
        elif name in (b"VP8 ", b"VP8L", b"ALPH", b"ICCP"):
            kept.append((name, body))
    if orientation != UPRIGHT:
        if not kept or kept[0][0] != b"VP8X":
            raise CannotStrip("an orientation without VP8X")
        kept.append((b"EXIF", orientation_block(orientation)))
    packed = b"".join(name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1) for name, body in kept)
    return b"RIFF" + struct.pack("<I", 4 + len(packed)) + b"WEBP" + packed


def _riff_chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    chunks = []
    at = 0
    while at < len(content):
        if at + 8 > len(content):
            raise CannotStrip("chunk")
        length = int.from_bytes(content[at + 4 : at + 8], "little")
        body = content[at + 8 : at + 8 + length]
        if len(body) != length:
            raise CannotStrip("chunk length")
        chunks.append((content[at : at + 4], body))
        at += 8 + length + (length & 1)
    return chunks
