"""A dossier: pages as marked pictures, paper by paper, then bound in one PDF that holds nothing else than pictures."""

from collections.abc import Mapping
from typing import cast

from PIL import Image

from vault.confined import deposits, pages, photos
from vault.frames import Json


def sheets(arguments: Mapping[str, Json], parts: tuple[bytes, ...]) -> tuple[dict[str, Json], list[bytes]]:
    """Job: every page of one paper as a marked JPEG. Parts: the paper, and the font if there is one.

    Stops as soon as they weigh more than `most_bytes`: the caller tries again with less.
    """
    content, font = parts[0], pages.font_of(parts)
    limits, dpi, quality = deposits.limits_in(arguments), cast("int", arguments["dpi"]), cast("int", arguments["quality"])
    most, ribbon = cast("int", arguments["most_bytes"]), cast("str | None", arguments["ribbon"])
    made: list[bytes] = []
    for number, picture in enumerate(pages.each_of(content, dpi, limits), 1):
        made.append(_sheet(picture, pages.lines_of(arguments, "watermark"), ribbon, font, quality))
        if sum(map(len, made)) > most:
            return {"pages": number, "too_heavy": True}, []
    return {"pages": len(made), "too_heavy": False}, made


def _sheet(picture: Image.Image, lines: list[str], ribbon: str | None, font: bytes | None, quality: int) -> bytes:
    if lines and not ribbon:
        return pages.marked_jpeg(picture, lines, font, quality)
    shown = pages.watermarked(picture, lines, font) if lines else picture
    return photos.as_jpeg(pages.with_ribbon(shown, ribbon, font) if ribbon else shown, quality)


def bind(arguments: Mapping[str, Json], parts: tuple[bytes, ...]) -> tuple[dict[str, Json], list[bytes]]:
    """Job: these pictures as one PDF, a sheet each, with its title and language for readers aloud."""
    title, language = cast("str", arguments["title"]), cast("str", arguments["language"])
    return {"pages": len(parts)}, [pages.titled(deposits.on_a4(parts), title, language)]
