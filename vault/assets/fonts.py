"""Which font files go where: woff2 as published for the pages, TrueType made from them for printed sheets."""

from dataclasses import dataclass
from pathlib import Path

from fontTools.merge import Merger
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._g_l_y_f import Glyph

LATIN = (
    "U+0000-00FF, U+0131, U+0152-0153, U+02BB-02BC, U+02C6, U+02DA, U+02DC, U+0304, U+0308, U+0329, U+2000-206F, U+20AC,"
    " U+2122, U+2191, U+2193, U+2212, U+2215, U+FEFF, U+FFFD"
)
LATIN_EXTENDED = (
    "U+0100-02BA, U+02BD-02C5, U+02C7-02CC, U+02CE-02D7, U+02DD-02FF, U+0304, U+0308, U+0329, U+1D00-1DBF, U+1E00-1E9F,"
    " U+1EF2-1EFF, U+2020, U+20A0-20AB, U+20AD-20C0, U+2113, U+2C60-2C7F, U+A720-A7FF"
)
ARABIC = "U+0600-06FF, U+0750-077F, U+0870-088E, U+0890-0891, U+0897-08E1, U+08E3-08FF, U+FB50-FDFF, U+FE70-FEFC"

INVISIBLE = (0x200B, 0x200E, 0x200F, 0x2060, 0x2066, 0x2067, 0x2068, 0x2069)


@dataclass(frozen=True)
class Face:
    """One woff2 file of a package: family, weight, the script it covers, its name once built."""

    package: str
    source: str
    family: str
    weight: int
    unicode_range: str
    built: str


def _faces() -> tuple[Face, ...]:
    atkinson, arabic = "atkinson-hyperlegible-next", "noto-sans-arabic"
    return tuple(
        Face(f"@fontsource/{package}", f"files/{package}-{subset}-{weight}-normal.woff2", family, weight, covered,
             f"fonts/{short}-{subset}-{weight}.woff2")
        for package, subset, family, covered, short in (
            (atkinson, "latin", "Abri Latin", LATIN, "atkinson"),
            (atkinson, "latin-ext", "Abri Latin", LATIN_EXTENDED, "atkinson"),
            (arabic, "arabic", "Abri Arabic", ARABIC, "noto"),
        )
        for weight in (400, 700)
    )  # fmt: skip


FACES = _faces()

# Printed sheets load these; Latin and extended Latin are joined, since one font cannot have two files there. Marks in the pixels
# are drawn with one font whatever is written: the person's own words may be in Arabic beside a code in Latin (ADR 0094).
PRINTED: dict[str, tuple[str, ...]] = {
    f"print/{name}-{weight}.ttf": tuple(f"fonts/{part}-{weight}.woff2" for part in parts)
    for name, parts in (("latin", ("atkinson-latin", "atkinson-latin-ext")), ("arabic", ("noto-arabic",)))
    for weight in (400, 700)
} | {"print/marks-700.ttf": tuple(f"fonts/{part}-700.woff2" for part in ("atkinson-latin", "atkinson-latin-ext", "noto-arabic"))}


def stylesheet() -> str:
    """The @font-face rules; `asset(...)` is replaced by built addresses when the style sheets are made."""
    return "\n".join(
        f'@font-face {{ font-family: "{face.family}"; font-style: normal; font-weight: {face.weight};'
        f' font-display: swap; src: url(asset:{face.built}) format("woff2"); unicode-range: {face.unicode_range}; }}'
        for face in FACES
    )


def to_truetype(sources: list[Path], target: Path, scratch: Path) -> None:
    """Write one TrueType font from one or several woff2 files that share their design."""
    parts: list[str] = []
    for number, source in enumerate(sources):
        part = TTFont(source, recalcTimestamp=False)
        part.flavor = None
        path = scratch / f"{target.stem}-{number}.ttf"
        part.save(path)
        parts.append(str(path))
    whole = parts[0]
    if len(parts) > 1:
        whole = str(scratch / f"{target.stem}-joined.ttf")
        Merger().merge(parts).save(whole)
    font = TTFont(whole, recalcTimestamp=False)
    _add_invisible(font)
    target.parent.mkdir(parents=True, exist_ok=True)
    font.save(target)


def _add_invisible(font: TTFont) -> None:
    """Marks that turn or isolate text have no drawing: without an empty glyph they would print as a box."""
    font.setGlyphOrder([*font.getGlyphOrder(), "invisible"])
    font["glyf"].glyphs["invisible"] = Glyph()
    font["hmtx"].metrics["invisible"] = (0, 0)
    for table in font["cmap"].tables:
        if table.isUnicode():
            for code in INVISIBLE:
                table.cmap.setdefault(code, "invisible")
