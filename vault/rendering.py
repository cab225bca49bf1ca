"""Pages of papers as images: to look at, with a watermark, as thumbnails, or to print. All of it happens confined."""

import dataclasses
import functools
import pathlib
import unicodedata
from collections.abc import Sequence

from fontTools.ttLib import TTFont

from vault.assets.manifest import AssetsNotBuilt, NoSuchAsset, read_assets
from vault.confinement import Answer, Confinement
from vault.frames import Json
from vault.kinds import PaperLimits
from vault.refusals import ParserCrashed

SCREEN_DPI = 150
QUALITY = 80
_MOST_EDGE = 60_000
_MOST_DPI = 400
_PRINT_SECONDS_A_PAPER = 20.0


@dataclasses.dataclass(frozen=True, slots=True)
class PageImage:
    """One page as a JPEG; width and height in pixels, page from 1."""

    jpeg: bytes
    width: int
    height: int
    page: int
    pages: int


@dataclasses.dataclass(frozen=True, slots=True)
class Watermark:
    """Lines burnt into the pixels, across the page and at its foot: who looks, what for, when."""

    lines: tuple[str, ...]
    font: pathlib.Path | None = None


def page_image(
    confinement: Confinement,
    paper: bytes,
    page: int,
    *,
    dpi: int = SCREEN_DPI,
    quality: int = QUALITY,
    watermark: Watermark | None = None,
) -> PageImage:
    """One page, from 1, of a PDF or a picture. Raises NoSuchPage and what `Confinement.run` raises."""
    font = _font_bytes(watermark.font) if watermark else None
    answer = confinement.run(
        "page",
        _arguments(page=page, dpi=_sane_dpi(dpi), quality=quality, watermark=list(watermark.lines) if watermark else []),
        [paper, font] if font else [paper],
    )
    width, height = checked_count(answer, "width", _MOST_EDGE), checked_count(answer, "height", _MOST_EDGE)
    return PageImage(only_part(answer), width, height, page, checked_count(answer, "pages"))


def thumbnail(confinement: Confinement, paper: bytes) -> bytes:
    """The first page as a JPEG of at most 15 KB."""
    return only_part(confinement.run("thumbnail", _arguments(), [paper]))


def page_count(confinement: Confinement, paper: bytes) -> int:
    """How many pages a paper that we keep has."""
    return checked_count(confinement.run("count", _arguments(), [paper]), "pages")


def printable(
    confinement: Confinement,
    papers: Sequence[bytes],
    *,
    title: str,
    language: str,
    footer: tuple[str, ...] = (),
    ribbon: str | None = None,
    watermark: Watermark | None = None,
    font: pathlib.Path | None = None,
    dpi: int = SCREEN_DPI,
) -> bytes:
    """Papers as one PDF of page images on A4 sheets, with its title and language (BCP 47) for readers aloud.

    `footer` is written under each page, `ribbon` on a coloured band above it. One font serves all marks.
    """
    used = font or (watermark.font if watermark else None)
    font_bytes = _font_bytes(used)
    arguments = _arguments(
        dpi=_sane_dpi(dpi),
        quality=QUALITY,
        title=title,
        language=language,
        footer=list(footer),
        ribbon=ribbon,
        watermark=list(watermark.lines) if watermark else [],
        has_font=font_bytes is not None,
    )
    parts = [*papers, font_bytes] if font_bytes is not None else list(papers)
    return only_part(confinement.run("printable", arguments, parts, seconds=_PRINT_SECONDS_A_PAPER * max(1, len(papers))))


def sheets(
    confinement: Confinement,
    paper: bytes,
    *,
    dpi: int,
    quality: int,
    most_bytes: int,
    watermark: Watermark | None = None,
    ribbon: str | None = None,
) -> list[bytes] | None:
    """Every page of one paper as a marked JPEG, in one child; None when they weigh more than `most_bytes` together."""
    font = _font_bytes(watermark.font if watermark else marks_font())
    lines = list(watermark.lines) if watermark else []
    arguments = _arguments(dpi=_sane_dpi(dpi), quality=quality, most_bytes=most_bytes, watermark=lines, footer=[], ribbon=ribbon)
    answer = confinement.run("sheets", arguments, [paper, font] if font else [paper], seconds=_PRINT_SECONDS_A_PAPER)
    if answer.head.get("too_heavy") is not False:
        return None
    if not answer.parts or not all(answer.parts) or sum(map(len, answer.parts)) > most_bytes:
        raise ParserCrashed("parts")
    return list(answer.parts)


def bind(confinement: Confinement, pictures: Sequence[bytes], *, title: str, language: str) -> bytes:
    """Page images as one PDF with its title and language (BCP 47), and nothing else in it."""
    return only_part(confinement.run("bind", _arguments(title=title, language=language), pictures))


def checked_count(answer: Answer, name: str, most: int = 10_000) -> int:
    """A positive number that a child told: it has read a foreign file, so it is not believed blindly."""
    value = answer.head.get(name)
    if type(value) is not int or not 0 < value <= most:
        raise ParserCrashed(name)
    return value


def only_part(answer: Answer) -> bytes:
    """The one part of an answer that must have exactly one."""
    if len(answer.parts) != 1 or not answer.parts[0]:
        raise ParserCrashed("parts")
    return answer.parts[0]


def _arguments(**more: Json | list[str]) -> dict[str, Json]:
    arguments: dict[str, Json] = {"limits": dataclasses.asdict(PaperLimits())}
    for name, value in more.items():
        arguments[name] = list(value) if isinstance(value, list) else value
    return arguments


def _sane_dpi(dpi: int) -> int:
    return max(20, min(dpi, _MOST_DPI))


@functools.cache
def marks_font() -> pathlib.Path | None:
    """The face in which marks are written: ours, Latin and Arabic, because the parsers' own has no accents. None before assets
    are built: pages do not start without them, parsers do."""
    try:
        return read_assets().path("print/marks-700.ttf")
    except (AssetsNotBuilt, NoSuchAsset):
        return None


@functools.cache
def _letters() -> frozenset[int] | None:
    path = marks_font()
    if path is None:
        return None
    with TTFont(path, lazy=True) as font:
        return frozenset(font.getBestCmap())


def legible(text: str, instead: str) -> str:
    """A text as a mark can say it, or what stands in its place when our face lacks a letter of it, or when it has none to read.

    A missing letter is drawn as a box, the same for all, and a joiner as nothing: such a mark would tell nobody from nobody (ADR 0094).
    """
    composed, letters = unicodedata.normalize("NFC", text), _letters()
    if composed and not any(map(str.isalnum, composed)):
        return instead
    return composed if letters is None or all(ord(letter) in letters for letter in composed) else instead


@functools.lru_cache(maxsize=16)
def _font_bytes(path: pathlib.Path | None) -> bytes | None:
    return path.read_bytes() if path else None
