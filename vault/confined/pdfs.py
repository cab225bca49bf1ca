"""One PDF: looked through for what is dangerous, and its pages turned into pixels. Nothing in it is ever run.

Forms are drawn, because a filled-in form without its answers is another paper. The pdfium of the wheel has neither a
script engine nor XFA, so drawing them computes nothing; one that had either is refused at start.
"""

import dataclasses
import io
import math
import time
from collections.abc import Iterator

import pikepdf
import pypdfium2
from PIL import Image

from vault.kinds import Finding, PaperLimits
from vault.refusals import HasPassword, NoSuchPage, ParserTooSlow, TooManyPages, TooManyPixels, Unreadable

if {"V8", "XFA"} & set(pypdfium2.PDFIUM_INFO.flags):
    raise ImportError("this pdfium can run scripts")

_POINTS_PER_INCH = 72
_DEEPEST = 32
_EDGE_POINTS = 14_400.0  # the largest side that PDF itself allows
_PICTURE_PIXELS = 150_000_000
"""Of one picture in a PDF, by its own word: a plan of a square metre scanned at 300 dpi. A few hundred KB can say billions."""
_FIRST_LOOK_SECONDS = 4.0  # of processor: what takes longer would be waited for at each look


@dataclasses.dataclass(frozen=True, slots=True)
class Inspected:
    """How many pages, and what lies beside them."""

    pages: int
    findings: frozenset[Finding]


def inspect(content: bytes, limits: PaperLimits) -> Inspected:
    """Open with both readers, look at every object. Raises HasPassword, TooManyPages, Unreadable."""
    try:
        document = pikepdf.open(io.BytesIO(content))
    except pikepdf.PasswordError as locked:
        raise HasPassword from locked
    with document:
        pages = len(document.pages)
        if pages < 1:
            raise Unreadable
        if pages > limits.pages:
            raise TooManyPages
        findings = set(_findings(document))
        if any(_pixels_told(thing) > _PICTURE_PIXELS for thing in document.objects):
            raise TooManyPixels
    if _opened(content).page_count != pages:
        raise Unreadable  # two readers that see two papers: one of them would be shown what the other is not
    return Inspected(pages, frozenset(findings))


def _findings(document: pikepdf.Pdf) -> Iterator[Finding]:
    if document.is_encrypted:
        yield Finding.ENCRYPTED
    for thing in document.objects:
        yield from _findings_in(thing, _DEEPEST)


def _findings_in(thing: pikepdf.Object, deepest: int) -> Iterator[Finding]:
    if deepest == 0:
        raise Unreadable
    if isinstance(thing, pikepdf.Array):
        for inner in thing:
            if _is_direct_container(inner):
                yield from _findings_in(inner, deepest - 1)
    elif isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        entries = thing.stream_dict if isinstance(thing, pikepdf.Stream) else thing
        yield from _findings_of_keys(entries)
        for inner in entries.values():
            if _is_direct_container(inner):
                yield from _findings_in(inner, deepest - 1)


def _pixels_told(thing: pikepdf.Object) -> int:
    """How many pixels a picture in the file says to have; 0 when it is none, or says nothing that counts."""
    if not isinstance(thing, pikepdf.Stream) or thing.get("/Subtype") != pikepdf.Name.Image:
        return 0
    told: tuple[object, object] = (thing.get("/Width"), thing.get("/Height"))
    match told:
        case (int(width), int(height)):
            return width * height
        case _:
            return 0


def _is_direct_container(thing: object) -> bool:
    """Indirect objects are met on their own; following them here would go round in circles."""
    return isinstance(thing, pikepdf.Array | pikepdf.Dictionary) and not thing.is_indirect


def _findings_of_keys(entries: pikepdf.Object) -> Iterator[Finding]:
    keys = set(entries.keys())
    action = entries.get("/S")
    if "/JS" in keys or "/JavaScript" in keys or action == pikepdf.Name.JavaScript:
        yield Finding.SCRIPT
    if action == pikepdf.Name.Launch:
        yield Finding.LAUNCH
    if keys & {"/EF", "/EmbeddedFiles"} or entries.get("/Type") == pikepdf.Name.EmbeddedFile:
        yield Finding.ATTACHMENT
    if "/XFA" in keys:
        yield Finding.XFA


@dataclasses.dataclass(frozen=True, slots=True)
class _Document:
    handle: pypdfium2.PdfDocument
    page_count: int


def _opened(content: bytes) -> _Document:
    try:
        handle = pypdfium2.PdfDocument(content)
        handle.init_forms()
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise HasPassword from error
        raise Unreadable from error
    return _Document(handle, len(handle))


def page_count(content: bytes) -> int:
    """As pdfium, which draws them, counts."""
    return _opened(content).page_count


def rendered(content: bytes, page: int, *, dpi: int, most_pixels: int) -> Image.Image:
    """A page, from 0, as pixels on white: at `dpi`, or less when that would be more than `most_pixels`."""
    document = _opened(content)
    if not 0 <= page < document.page_count:
        raise NoSuchPage
    return _drawn(document, page, dpi, most_pixels)


def first_looked_at(content: bytes, *, dpi: int, most_pixels: int) -> Image.Image:
    """The first page, for a PDF that is being taken in. Raises ParserTooSlow when it can be drawn, but not in a few seconds."""
    begun = time.process_time()
    first = rendered(content, 0, dpi=dpi, most_pixels=most_pixels)
    if time.process_time() - begun > _FIRST_LOOK_SECONDS:
        raise ParserTooSlow
    return first


def all_rendered(content: bytes, *, dpi: int, most_pixels: int) -> Iterator[Image.Image]:
    """Every page, the document opened once."""
    document = _opened(content)
    for page in range(document.page_count):
        yield _drawn(document, page, dpi, most_pixels)


def _drawn(document: _Document, page: int, dpi: int, most_pixels: int) -> Image.Image:
    sheet = document.handle[page]
    width, height = sheet.get_size()
    if not (0 < width <= _EDGE_POINTS and 0 < height <= _EDGE_POINTS):
        raise Unreadable
    scale = min(dpi / _POINTS_PER_INCH, math.sqrt(most_pixels / (width * height)))
    bitmap = sheet.render(scale=scale, may_draw_forms=True, rev_byteorder=True)
    picture: Image.Image = bitmap.to_pil()
    return picture if picture.mode == "RGB" else picture.convert("RGB")
