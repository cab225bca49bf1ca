"""Pages as pixels: to show, with a watermark, as a thumbnail, or on A4 sheets to print."""

import functools
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import cv2
import numpy as np
import pikepdf
from PIL import Image, ImageDraw, ImageFont

from vault.confined import pdfs, photos
from vault.confined.deposits import limits_in, on_a4
from vault.frames import Json
from vault.kinds import Kind, PaperLimits, kind_of
from vault.refusals import NoSuchPage

RENDER_PIXELS = 16_000_000
"""Most pixels of a rendered page: A4 at 300 dpi is 8.7 million."""

_Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
_A4_LONG_INCHES = 11.7
_FOOT_SHARE = 1 / 60  # height of a letter at the foot, of the page's longest side
_ACROSS_SHARE = 1 / 38
_ACROSS_ANGLE = 32
_ACROSS_INK, _ACROSS_EDGE = 52, 60  # of 255: what letters take away, what their edge adds
_RIBBON_INK, _RIBBON_PAPER = "white", (176, 42, 48)
_FOOT_INK, _FOOT_PAPER = "black", "white"


def page(arguments: Mapping[str, Json], parts: tuple[bytes, ...]) -> tuple[dict[str, Json], list[bytes]]:
    """Job: one page as JPEG. Parts: the paper, and the font of the watermark if there is one."""
    content, font = parts[0], font_of(parts)
    limits = limits_in(arguments)
    number, dpi = cast("int", arguments["page"]), cast("int", arguments["dpi"])
    picture, pages = pixels_of(content, number - 1, dpi, limits)
    quality, lines = cast("int", arguments["quality"]), lines_of(arguments, "watermark")
    jpeg = marked_jpeg(picture, lines, font, quality) if lines else photos.as_jpeg(picture, quality)
    width, height = Image.open(io.BytesIO(jpeg)).size
    return {"width": width, "height": height, "pages": pages}, [jpeg]


def thumbnail(arguments: Mapping[str, Json], parts: tuple[bytes, ...]) -> tuple[dict[str, Json], list[bytes]]:
    """Job: the first page, small."""
    picture, pages = pixels_of(parts[0], 0, 100, limits_in(arguments))
    return {"pages": pages}, [photos.small(picture)]


def count(arguments: Mapping[str, Json], parts: tuple[bytes, ...]) -> tuple[dict[str, Json], list[bytes]]:
    """Job: how many pages."""
    return {"pages": count_of(parts[0], limits_in(arguments))}, []


def printable(arguments: Mapping[str, Json], parts: tuple[bytes, ...]) -> tuple[dict[str, Json], list[bytes]]:
    """Job: papers as one PDF of page images on A4. Parts: the papers, and the font as last if `has_font`."""
    limits, dpi = limits_in(arguments), cast("int", arguments["dpi"])
    has_font = arguments["has_font"] is True
    font, papers = (parts[-1], parts[:-1]) if has_font else (None, parts)
    ribbon = cast("str | None", arguments["ribbon"])
    sheets: list[bytes] = []
    for content in papers:
        for number in range(count_of(content, limits)):
            picture, _ = pixels_of(content, number, dpi, limits)
            if lines := lines_of(arguments, "watermark"):
                picture = watermarked(picture, lines, font)
            if foot := lines_of(arguments, "footer"):
                picture = _with_foot(picture, foot, font)
            if ribbon:
                picture = with_ribbon(picture, ribbon, font)
            sheets.append(photos.as_jpeg(picture, cast("int", arguments["quality"])))
    title, language = cast("str", arguments["title"]), cast("str", arguments["language"])
    return {"pages": len(sheets)}, [titled(on_a4(sheets), title, language)]


def pixels_of(content: bytes, number: int, dpi: int, limits: PaperLimits) -> tuple[Image.Image, int]:
    """A page, from 0, as it is seen, and how many there are."""
    kind = kind_of(content)
    if kind is Kind.PDF:
        pages = pdfs.page_count(content)
        return pdfs.rendered(content, number, dpi=dpi, most_pixels=RENDER_PIXELS), pages
    image = photos.opened(content, kind, limits)
    pages = photos.page_count(image, kind)
    if not 0 <= number < pages:
        raise NoSuchPage
    photos.go_to_page(image, number, limits)
    return photos.fitted(photos.upright(image), round(_A4_LONG_INCHES * dpi)), pages


def each_of(content: bytes, dpi: int, limits: PaperLimits) -> Iterator[Image.Image]:
    """Every page as it is seen, the paper opened once."""
    kind = kind_of(content)
    if kind is Kind.PDF:
        yield from pdfs.all_rendered(content, dpi=dpi, most_pixels=RENDER_PIXELS)
        return
    for number in range(count_of(content, limits)):
        yield pixels_of(content, number, dpi, limits)[0]


def count_of(content: bytes, limits: PaperLimits) -> int:
    """How many pages."""
    kind = kind_of(content)
    if kind is Kind.PDF:
        return pdfs.page_count(content)
    return photos.page_count(photos.opened(content, kind, limits), kind)


def font_of(parts: Sequence[bytes]) -> bytes | None:
    """The font of the marks: the second part, when there is one."""
    return parts[1] if len(parts) > 1 else None


def lines_of(arguments: Mapping[str, Json], name: str) -> list[str]:
    """The lines of a mark."""
    return [str(line) for line in cast("list[Json]", arguments[name])]


def _sized(font: bytes | None, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.truetype(io.BytesIO(font), size) if font else ImageFont.load_default(size)


# -- marks burnt into the pixels -----------------------------------------------------------------------------------------


def watermarked(picture: Image.Image, lines: Sequence[str], font: bytes | None) -> Image.Image:
    """The page with its mark, to be drawn on further."""
    return Image.fromarray(_marked(picture, lines, font))


def marked_jpeg(picture: Image.Image, lines: Sequence[str], font: bytes | None, quality: int) -> bytes:
    """The page with its mark, as it is looked at. Encoded from where it was marked: a page more is copied for nothing otherwise."""
    pixels = _marked(picture, lines, font)
    cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR, dst=pixels)
    _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return encoded.tobytes()


def _marked(picture: Image.Image, lines: Sequence[str], font: bytes | None) -> _Pixels:
    """The lines again and again across the page, and once at its foot, below the paper and hiding none of it.

    The letters take light away and their edge adds some: they show on white paper and on a dark photo, and both are one
    saturating operation over the page.
    """
    foot = np.asarray(_band(picture, lines, font, _FOOT_INK, _FOOT_PAPER))
    longer = np.empty((picture.height + foot.shape[0], picture.width, 3), np.uint8)
    marked = longer[: picture.height]
    marked[:], longer[picture.height :] = np.asarray(picture), foot
    darker, lighter = _across(picture.size, tuple(lines), font)
    step_y, step_x = darker.shape[:2]
    for row, top in enumerate(range(-step_y // 2, picture.height, step_y)):
        for left in range(-step_x // 2 * (row % 2), picture.width, step_x):
            y, x = max(0, top), max(0, left)
            region = marked[y : top + step_y, x : left + step_x]
            shown = slice(y - top, y - top + region.shape[0]), slice(x - left, x - left + region.shape[1])
            cv2.add(region, lighter[shown], dst=region)
            cv2.subtract(region, darker[shown], dst=region)
    return longer


@functools.lru_cache(maxsize=4)
def _across(page: tuple[int, int], lines: tuple[str, ...], font: bytes | None) -> tuple[_Pixels, _Pixels]:
    """One tile of the mark: how much darker its letters make a page, how much lighter their edge. Drawn at half the size: a mark
    that lies across is not read letter by letter, and it is made anew for each page that somebody looks at."""
    size = max(12, round(max(page) * _ACROSS_SHARE))
    small, edge = max(8, size // 2), max(1, size // 36)
    face, text = _sized(font, small), "\n".join(lines)
    box = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), text, font=face, stroke_width=edge)
    margin = round((box[3] - box[1]) * 0.45) + 2
    wide = (math.ceil(box[2] - box[0]) + 2 * margin, math.ceil(box[3] - box[1]) + 2 * margin)
    corner = (margin - box[0], margin - box[1])
    letters, around = Image.new("L", wide), Image.new("L", wide)
    ImageDraw.Draw(letters).multiline_text(corner, text, font=face, fill=_ACROSS_INK)
    ImageDraw.Draw(around).multiline_text(corner, text, font=face, fill=_ACROSS_EDGE, stroke_width=edge, stroke_fill=_ACROSS_EDGE)
    return _laid(letters), _laid(around)


def _laid(drawn: Image.Image) -> _Pixels:
    """Turned, at its full size, in three colours."""
    turned = np.asarray(drawn.rotate(_ACROSS_ANGLE, expand=True, resample=Image.Resampling.BILINEAR))
    large = cv2.resize(turned, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    return cast("_Pixels", cv2.merge([large, large, large]))


def _with_foot(picture: Image.Image, lines: Sequence[str], font: bytes | None) -> Image.Image:
    band = _band(picture, lines, font, _FOOT_INK, _FOOT_PAPER)
    longer = Image.new("RGB", (picture.width, picture.height + band.height), "white")
    longer.paste(picture, (0, 0))
    longer.paste(band, (0, picture.height))
    return longer


def with_ribbon(picture: Image.Image, text: str, font: bytes | None) -> Image.Image:
    """A coloured band above the page."""
    band = _band(picture, [text], font, _RIBBON_INK, _RIBBON_PAPER)
    longer = Image.new("RGB", (picture.width, picture.height + band.height), "white")
    longer.paste(band, (0, 0))
    longer.paste(picture, (0, band.height))
    return longer


def _band(
    picture: Image.Image, lines: Sequence[str], font: bytes | None, ink: str, paper: str | tuple[int, int, int]
) -> Image.Image:
    """As wide as the page; the letters shrink until the longest line fits."""
    size = max(12, round(max(picture.size) * _FOOT_SHARE))
    text = "\n".join(lines)
    ruler = ImageDraw.Draw(Image.new("L", (1, 1)))
    while True:
        face = _sized(font, size)
        box = ruler.multiline_textbbox((0, 0), text, font=face)
        if box[2] - box[0] <= picture.width - size or size <= 6:
            break
        size -= 1
    band = Image.new("RGB", (picture.width, math.ceil(box[3] - box[1]) + size), paper)
    ImageDraw.Draw(band).multiline_text((size // 2 - box[0], size // 2 - box[1]), text, font=face, fill=ink)
    return band


def titled(made: bytes, title: str, language: str) -> bytes:
    """With /Title and /Lang, which a reader aloud needs; the pages themselves are images."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(made)) as document:
        document.docinfo["/Title"] = title
        document.Root["/Lang"] = pikepdf.String(language)
        document.Root["/ViewerPreferences"] = pikepdf.Dictionary(DisplayDocTitle=True)
        document.save(out, deterministic_id=True)
    return out.getvalue()
