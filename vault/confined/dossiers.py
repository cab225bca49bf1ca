"""A dossier: pages as marked pictures, paper by paper, then bound in one PDF that holds nothing else than pictures."""

from collections.abc import Mapping
from typing import cast

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
    for number in range(pages.count_of(content, limits)):
        picture, _ = pages.pixels_of(content, number, dpi, limits)
        if lines := pages.lines_of(arguments, "watermark"):
            picture = pages.watermarked(picture, lines, font)
        if ribbon:
            picture = pages.with_ribbon(picture, ribbon, font)
        made.append(photos.as_jpeg(picture, quality))
        if sum(map(len, made)) > most:
            return {"pages": number + 1, "too_heavy": True}, []
    return {"pages": len(made), "too_heavy": False}, made


def bind(arguments: Mapping[str, Json], parts: tuple[bytes, ...]) -> tuple[dict[str, Json], list[bytes]]:
    """Job: these pictures as one PDF, a sheet each, with its title and language for readers aloud."""
    title, language = cast("str", arguments["title"]), cast("str", arguments["language"])
    return {"pages": len(parts)}, [pages.titled(deposits.on_a4(parts), title, language)]
