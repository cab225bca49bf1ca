"""One picture: opened without being decoded, stripped, decoded upright, cut out of the table it lies on, judged.

Nothing here trusts a file name, and nothing is decoded before its header's dimensions are accepted.
"""

import io
import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import pi_heif
from cv2.typing import MatLike
from PIL import Image, ImageCms

from vault.confined.stripping import UPRIGHT, CannotStrip, orientation_block, strip_jpeg, strip_png, strip_webp
from vault.confined.stripping_heic import strip_heic
from vault.confined.stripping_tiff import strip_tiff
from vault.kinds import Kind, PaperLimits
from vault.refusals import TooManyPages, TooManyPixels, Unreadable

Corners = tuple[tuple[float, float], ...]
"""Top-left, top-right, bottom-right, bottom-left, as fractions of the upright picture."""

VIEW_EDGE = 3508
"""Pixels on the longest side of a view: an A4 sheet at 300 dpi."""

THUMBNAIL_BYTES = 15_000
_THUMBNAIL_EDGE = 320
_ORIENTATION = 0x0112
_FORMATS = {Kind.JPEG: "JPEG", Kind.PNG: "PNG", Kind.WEBP: "WEBP", Kind.TIFF: "TIFF", Kind.HEIC: "HEIF"}
_SRGB = ImageCms.createProfile("sRGB")

pi_heif.options.THUMBNAILS = False
pi_heif.options.DEPTH_IMAGES = False
pi_heif.options.AUX_IMAGES = False
pi_heif.options.DECODE_THREADS = 1
pi_heif.register_heif_opener()
Image.init()
Image.MAX_IMAGE_PIXELS = None  # our own limit comes before, and refuses instead of warning


def opened(content: bytes, kind: Kind, limits: PaperLimits) -> Image.Image:
    """The picture with its header read and nothing decoded. Raises TooManyPixels, TooManyPages."""
    image = Image.open(io.BytesIO(content), formats=[_FORMATS[kind]])
    pages = page_count(image, kind)
    if pages > limits.pages:
        raise TooManyPages
    _check_pixels(image, limits)
    return image


def page_count(image: Image.Image, kind: Kind) -> int:
    """A TIFF may be several sheets; frames of anything else are an animation, of which the first is the paper."""
    return int(getattr(image, "n_frames", 1)) if kind is Kind.TIFF else 1


def go_to_page(image: Image.Image, page: int, limits: PaperLimits) -> None:
    """Turn to a page, from 0; each has a header of its own to check."""
    if page:
        image.seek(page)
    _check_pixels(image, limits)


def _check_pixels(image: Image.Image, limits: PaperLimits) -> None:
    width, height = image.size
    if width * height > limits.pixels:
        raise TooManyPixels
    if width < 1 or height < 1:
        raise Unreadable


# -- what is kept ------------------------------------------------------------------------------------------------------


def stripped(content: bytes, kind: Kind, limits: PaperLimits) -> tuple[bytes, Kind, Image.Image]:
    """The received picture without metadata, and decoded from what is left.

    Its own coding where its container allows it, else coded again without loss: as PNG, or TIFF for several pages.
    """
    image = opened(content, kind, limits)
    orientation = orientation_of(image)
    try:
        kept = _restructured(content, kind, orientation, limits)
        again = opened(kept, kind, limits)
        again.load()
    except (CannotStrip, OSError, SyntaxError, EOFError):
        # Either its structure is not as we know it, or what we took out was needed: the pixels decide.
        kept, kind = _coded_again(image, orientation, kind), Kind.TIFF if kind is Kind.TIFF else Kind.PNG
        return kept, kind, opened(kept, kind, limits)
    return kept, kind, again


def _restructured(content: bytes, kind: Kind, orientation: int, limits: PaperLimits) -> bytes:
    match kind:
        case Kind.JPEG:
            return strip_jpeg(content, orientation)
        case Kind.PNG:
            return strip_png(content, orientation)
        case Kind.WEBP:
            return strip_webp(content, orientation)
        case Kind.TIFF:
            return strip_tiff(content, limits.pages)
        case Kind.HEIC:
            return strip_heic(content)
        case Kind.PDF:
            raise Unreadable


def _coded_again(image: Image.Image, orientation: int, kind: Kind) -> bytes:
    kept = {"icc_profile": profile} if (profile := image.info.get("icc_profile")) else {}
    out = io.BytesIO()
    if kind is Kind.TIFF:
        sheets = []
        for page in range(page_count(image, kind)):
            image.seek(page)
            sheets.append(image.copy())
        for sheet in sheets:
            sheet.info = {}
        sheets[0].save(out, "TIFF", compression="tiff_adobe_deflate", save_all=True, append_images=sheets[1:], **kept)
    else:
        block = b"Exif\0\0" + orientation_block(orientation) if orientation != UPRIGHT else None
        pixels = image.copy()
        pixels.info = {}
        if pixels.mode not in ("1", "L", "LA", "I", "I;16", "P", "RGB", "RGBA"):
            pixels = pixels.convert("RGB")
        pixels.save(out, "PNG", exif=block, **kept)
    return out.getvalue()


def orientation_of(image: Image.Image) -> int:
    """1 to 8, as EXIF counts; 1 when nothing sensible is said."""
    try:
        told = image.getexif().get(_ORIENTATION, UPRIGHT)
    except (OSError, SyntaxError, ValueError, KeyError, TypeError, IndexError, OverflowError):
        return UPRIGHT  # broken EXIF is no reason to lose a picture
    return told if isinstance(told, int) and 1 <= told <= 8 else UPRIGHT


# -- what is looked at ---------------------------------------------------------------------------------------------------


def upright(image: Image.Image) -> Image.Image:
    """Decoded, turned as its EXIF says, on white, in sRGB."""
    orientation = orientation_of(image)
    image.load()
    flat = _in_srgb(image)
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(orientation)
    return flat if turn is None else flat.transpose(turn)


def _in_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    flat = _on_white(image)
    if not profile or image.mode not in ("RGB", "CMYK", "L"):
        return flat
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return flat  # a profile that nobody can read, or of another colour model: the plain conversion is near enough
    return converted if converted is not None else flat


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        low, high = (float(value) for value in _pair(image.getextrema()))
        scale = 255 / (high - low) if high > low else 1.0
        pixels = (np.asarray(image, dtype=np.float32) - low) * scale
        return Image.fromarray(pixels.astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        above = image.convert("RGBA")
        below = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(below, above).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _pair(extrema: object) -> tuple[float, float]:
    """The extrema of a one-band picture."""
    match extrema:
        case (int() | float() as low, int() | float() as high):
            return low, high
        case _:
            raise Unreadable


def fitted(image: Image.Image, edge: int = VIEW_EDGE) -> Image.Image:
    """Not larger than `edge` on its longest side."""
    longest = max(image.size)
    if longest <= edge:
        return image
    size = (max(1, round(image.width * edge / longest)), max(1, round(image.height * edge / longest)))
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)


def as_jpeg(image: Image.Image, quality: int) -> bytes:
    """Without any metadata."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def small(image: Image.Image) -> bytes:
    """A thumbnail of at most THUMBNAIL_BYTES."""
    edge = _THUMBNAIL_EDGE
    while True:
        picture = fitted(image, edge)
        for quality in (75, 60, 45, 30):
            thumbnail = as_jpeg(picture, quality)
            if len(thumbnail) <= THUMBNAIL_BYTES:
                return thumbnail
        edge = edge * 3 // 4


# -- the sheet on its table ----------------------------------------------------------------------------------------------

_SEARCH_EDGE, _LEAST_EDGE = 700, 300
_LEAST_AREA, _MOST_AREA = 0.2, 0.97
_LEAST_ANGLE, _MOST_ANGLE = 60.0, 120.0
_BORDER = 0.008  # a sheet whose corner lies on the border of the picture is already cut: leave it alone
_LEAST_FILL = 0.9  # of the quadrilateral, by the outline it was drawn around
_LEAST_SUPPORT = 0.7  # of its sides, by edges seen in the picture
_SIDE_SAMPLES = 60


def found_corners(image: Image.Image) -> Corners | None:
    """The four corners of the one clear sheet in the picture, if there is one."""
    if min(image.size) < _LEAST_EDGE:
        return None
    seen = fitted(image, _SEARCH_EDGE)
    gray = cv2.GaussianBlur(np.asarray(seen.convert("L")), (5, 5), 0)
    _, bright = cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    edges = cv2.dilate(cv2.Canny(gray, 40, 120), np.ones((3, 3), np.uint8), iterations=2)
    size = np.array([seen.width, seen.height], np.float32)
    best: npt.NDArray[np.float32] | None = None
    best_area = 0.0
    for mask in (cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)), edges):
        for corners in _sheets(mask):
            area = cv2.contourArea(corners) / float(size.prod())
            inside = bool((corners / size > _BORDER).all() and (corners / size < 1 - _BORDER).all())
            if inside and best_area < area <= _MOST_AREA and area >= _LEAST_AREA and _supported(corners, edges):
                best, best_area = corners, area
    if best is None:
        return None
    return tuple((float(x), float(y)) for x, y in _ordered(best) / size)


def _sheets(mask: MatLike) -> list[npt.NDArray[np.float32]]:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    sheets = []
    for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:3]:
        hull = cv2.convexHull(contour)
        outline = cv2.approxPolyDP(hull, 0.02 * cv2.arcLength(hull, closed=True), closed=True)
        if len(outline) != 4 or cv2.contourArea(contour) < _LEAST_FILL * cv2.contourArea(outline):
            continue
        if _square_enough(corners := outline.reshape(4, 2).astype(np.float32)):
            sheets.append(corners)
    return sheets


def _supported(corners: npt.NDArray[np.float32], edges: MatLike) -> bool:
    """Whether every side runs along an edge of the picture for most of its length."""
    along = np.linspace(0, 1, _SIDE_SAMPLES)[:, None]
    for index in range(4):
        points = corners[index] * (1 - along) + corners[(index + 1) % 4] * along
        columns, rows = points.round().astype(int).T
        if float((edges[rows, columns] > 0).mean()) < _LEAST_SUPPORT:
            return False
    return True


def _square_enough(corners: npt.NDArray[np.float32]) -> bool:
    for index in range(4):
        before, after = corners[index - 1] - corners[index], corners[(index + 1) % 4] - corners[index]
        cosine = float(before @ after) / (float(np.linalg.norm(before) * np.linalg.norm(after)) or 1.0)
        if not _LEAST_ANGLE <= math.degrees(math.acos(max(-1.0, min(1.0, cosine)))) <= _MOST_ANGLE:
            return False
    return True


def _ordered(corners: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Top-left first, then with the clock."""
    middle = corners.mean(axis=0)
    turned = sorted(corners, key=lambda point: math.atan2(point[1] - middle[1], point[0] - middle[0]))
    start = min(range(4), key=lambda index: float(turned[index].sum()))
    return np.array([turned[(start + index) % 4] for index in range(4)], np.float32)


def straightened(image: Image.Image, corners: Corners) -> Image.Image:
    """The quadrilateral between the corners as a rectangle of its own."""
    scale = np.array([image.width, image.height], np.float32)
    source = np.array(corners, np.float32) * scale
    lengths = [float(np.linalg.norm(source[index] - source[(index + 1) % 4])) for index in range(4)]
    width, height = round(max(lengths[0], lengths[2])), round(max(lengths[1], lengths[3]))
    if width < 16 or height < 16:
        return image
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    flat = cv2.warpPerspective(
        np.asarray(image), cv2.getPerspectiveTransform(source, target), (width, height),
        flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return Image.fromarray(flat)


# -- blur ----------------------------------------------------------------------------------------------------------------

_BLUR_EDGE = 1000
_TILES = 8
_SHARP = 150.0


def sharpness(image: Image.Image) -> float:
    """Variance of the Laplacian where the picture is sharpest: a page is mostly white, its letters must be crisp."""
    gray = np.asarray(fitted(image, _BLUR_EDGE).convert("L"))
    quiet = cv2.medianBlur(gray, 3)  # a sensor's grain in bad light must not look like letters
    edges = cv2.Laplacian(quiet, cv2.CV_32F)
    tiles: Sequence[MatLike] = [
        tile for row in np.array_split(edges, _TILES, axis=0) for tile in np.array_split(row, _TILES, axis=1)
    ]
    return float(np.percentile([float(tile.var()) for tile in tiles if tile.size], 90))


def is_blurred(image: Image.Image) -> bool:
    """Whether letters of a usual size can hardly be read."""
    return sharpness(image) < _SHARP
