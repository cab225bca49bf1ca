"""The kinds of papers Abri takes, told by their content and never by their name; and how large they may be.

Nothing here parses: a few first bytes are compared. Everything deeper happens in the confined child.
"""

import dataclasses
import enum

from vault.refusals import UnknownKind

_PDF_HEADER_WITHIN = 1024  # readers accept "%PDF-" behind a little rubbish, and real files have it
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})
_HEIF_BRANDS = frozenset({b"mif1", b"msf1", b"mif2"})  # say nothing of the coding: a compatible brand must


class Kind(enum.StrEnum):
    """A kind of file that can be a paper."""

    PDF = "pdf"
    JPEG = "jpeg"
    PNG = "png"
    HEIC = "heic"
    TIFF = "tiff"
    WEBP = "webp"

    @property
    def media_type(self) -> str:
        """As the Content-Type header says it."""
        return "application/pdf" if self is Kind.PDF else f"image/{self.value}"

    @property
    def suffix(self) -> str:
        """The usual end of a file name, with its dot."""
        return ".jpg" if self is Kind.JPEG else f".{self.value}"


class Finding(enum.StrEnum):
    """What a PDF holds beside its pages; told, never run, never rendered, and left in the received bytes."""

    SCRIPT = "script"
    ATTACHMENT = "attachment"
    LAUNCH = "launch"
    XFA = "xfa"
    ENCRYPTED = "encrypted"


BESIDE_PAGES = frozenset({Finding.SCRIPT, Finding.ATTACHMENT, Finding.LAUNCH, Finding.XFA})
"""What leaves with the received bytes and is on no page that Abri shows (ADR 0138)."""


@dataclasses.dataclass(frozen=True, slots=True)
class PaperLimits:
    """How large one paper may be."""

    file_bytes: int = 15 * 1024 * 1024
    paper_bytes: int = 60 * 1024 * 1024  # all the photos of one paper together
    pages: int = 20
    pixels: int = 50_000_000  # of one picture, read in its header before decoding


def kind_of(content: bytes) -> Kind:
    """Tell the kind from the first bytes. Raises UnknownKind."""
    if content.startswith(b"\xff\xd8\xff"):
        return Kind.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return Kind.WEBP
    if content[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return Kind.TIFF
    if content[4:8] == b"ftyp":
        return _kind_by_brands(content)
    if b"%PDF-" in content[:_PDF_HEADER_WITHIN]:
        return Kind.PDF
    raise UnknownKind


def _kind_by_brands(content: bytes) -> Kind:
    length = min(int.from_bytes(content[:4], "big"), 512)
    major = content[8:12]
    compatible = {content[at : at + 4] for at in range(16, length - 3, 4)}
    if major in _HEIC_BRANDS or (major in _HEIF_BRANDS and compatible & _HEIC_BRANDS):
        return Kind.HEIC
    raise UnknownKind
