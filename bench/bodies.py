"""Photos of a paper, drawn here and coded to the size that is asked: real files, which the confined preparation accepts."""

import io
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

MIB = 1024 * 1024
SIDES = {1: (1240, 1754), 5: (2480, 3508)}  # A4 as a small telephone and as a good one take it, pixels
NEAR = 0.02


@dataclass(frozen=True)
class Body:
    """A photo of about so many MiB."""

    mib: int
    content: bytes = field(repr=False)


def photo(mib: int) -> Body:
    """A sheet with lines of writing, and as much grain as it takes to come within 2 % of the size."""
    width, height = SIDES[mib]
    draw = np.random.default_rng(mib)
    sheet = np.full((height, width), 232, np.int16)
    for line in range(height // 12, height * 9 // 10, height // 50):
        words = draw.random(width // 8) < 0.6
        sheet[line : line + height // 140, : len(words) * 8][:, np.repeat(words, 8)] = 40
    grain = draw.standard_normal((height, width, 3))
    least, most = 0.0, 120.0
    for _ in range(20):
        amount = (least + most) / 2
        content = _coded(sheet, grain, amount)
        if abs(len(content) - mib * MIB) <= NEAR * mib * MIB:
            return Body(mib, content)
        least, most = (amount, most) if len(content) < mib * MIB else (least, amount)
    raise RuntimeError(f"no photo of {mib} MiB comes out")


def _coded(
    sheet: "np.ndarray[tuple[int, int], np.dtype[np.int16]]",
    grain: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]",
    amount: float,
) -> bytes:
    picture = np.clip(sheet[:, :, None] + grain * amount, 0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=90)
    return out.getvalue()
