"""A deposit made ready: what is kept, what is looked at, what is told about it."""

import io
from collections.abc import Mapping, Sequence
from typing import cast

import img2pdf
import pikepdf
from PIL import Image

from vault.confined import pdfs, photos
from vault.frames import Json
from vault.kinds import Kind, PaperLimits, kind_of
from vault.refusals import OnlyPhotosJoin, TooManyPages, Unreadable

VIEW_QUALITY = 85
_JOINED_QUALITY = 95
_A4 = (img2pdf.mm_to_pt(210), img2pdf.mm_to_pt(297))
_ON_A4 = img2pdf.get_layout_fun(pagesize=_A4, auto_orient=True, fit=img2pdf.FitMode.into)


def prepare(arguments: Mapping[str, Json], parts: tuple[bytes, ...]) -> tuple[dict[str, Json], list[bytes]]:
    """Job: parts are the originals of one paper in order; gives received (empty for a PDF), view and thumbnail."""
    limits = limits_in(arguments)
    kinds = [kind_of(part) for part in parts]
    if Kind.PDF in kinds:
        if len(parts) != 1:
            raise OnlyPhotosJoin
        return _prepare_pdf(parts[0], limits)
    return _prepare_photos(parts, kinds, cast("list[Json]", arguments["framings"]), limits)


def limits_in(arguments: Mapping[str, Json]) -> PaperLimits:
    """The limits that travel with every job."""
    return PaperLimits(**cast("dict[str, int]", arguments["limits"]))


def _prepare_pdf(content: bytes, limits: PaperLimits) -> tuple[dict[str, Json], list[bytes]]:
    inspected = pdfs.inspect(content, limits)
    first = pdfs.first_looked_at(content, dpi=100, most_pixels=limits.pixels)
    head: dict[str, Json] = {
        "pages": inspected.pages,
        "received_kind": Kind.PDF,
        "view_kind": Kind.PDF,
        "blurred": [],
        "findings": [finding.value for finding in sorted(inspected.findings)],
        "framings": [],
    }
    return head, [b"", b"", photos.small(first)]


def _prepare_photos(
    parts: Sequence[bytes], kinds: Sequence[Kind], framings: Sequence[Json], limits: PaperLimits
) -> tuple[dict[str, Json], list[bytes]]:
    kept: list[tuple[bytes, Kind]] = []
    views: list[bytes] = []
    blurred: list[Json] = []
    used: list[Json] = []
    thumbnail = b""
    for part, kind in zip(parts, kinds, strict=True):
        # Decoded from the stripped bytes: what the person says yes to is what is kept.
        content, kept_kind, image = photos.stripped(part, kind, limits)
        kept.append((content, kept_kind))
        for page in range(photos.page_count(image, kept_kind)):
            if len(views) == limits.pages:
                raise TooManyPages
            photos.go_to_page(image, page, limits)
            framing = framings[len(views)] if len(views) < len(framings) else None
            view, framing = _framed(photos.upright(image), framing)
            used.append(framing)
            blurred.append(photos.is_blurred(view))
            view = photos.fitted(view)
            thumbnail = thumbnail or photos.small(view)
            views.append(photos.as_jpeg(view, VIEW_QUALITY))
    received, received_kind = kept[0] if len(kept) == 1 else (_joined(kept, limits), Kind.PDF)
    head: dict[str, Json] = {
        "pages": len(views),
        "received_kind": received_kind,
        "view_kind": Kind.JPEG if len(views) == 1 else Kind.PDF,
        "blurred": blurred,
        "findings": [],
        "framings": used,
    }
    return head, [received, views[0] if len(views) == 1 else on_a4(views), thumbnail]


def _framed(image: Image.Image, framing: Json) -> tuple[Image.Image, Json]:
    """Turned, cropped and straightened as asked, or as found; with the framing that was used."""
    match framing:
        case {"quarter_turns": int(turns), "corners": asked, "straighten": bool(straighten)}:
            pass
        case None:
            turns, asked, straighten = 0, None, True
        case _:
            raise Unreadable
    if turns % 4:
        image = image.rotate(-90 * (turns % 4), expand=True)
    corners = _corners(asked) if asked is not None else None
    if corners is None and straighten:
        corners = photos.found_corners(image)
    if corners is not None:
        image = photos.straightened(image, corners)
    told: list[Json] | None = None if corners is None else [list(corner) for corner in corners]
    return image, {"quarter_turns": turns % 4, "corners": told, "straighten": straighten}


def _corners(asked: Json) -> photos.Corners:
    points = cast("list[list[float]]", asked)
    if len(points) != 4 or not all(len(point) == 2 and all(0 <= part <= 1 for part in point) for point in points):
        raise Unreadable
    return tuple((float(x), float(y)) for x, y in points)


def on_a4(pictures: Sequence[bytes]) -> bytes:
    """A PDF with one picture on each A4 sheet; JPEG streams are embedded as they are.

    Written by img2pdf itself: with pikepdf it puts the second of the writing into /ID, and the same photos make another paper.
    """
    made: bytes = img2pdf.convert(
        list(pictures),
        layout_fun=_ON_A4,
        nodate=True,
        rotation=img2pdf.Rotation.ifvalid,
        producer="",
        engine=img2pdf.Engine.internal,
    )
    return made


def _joined(kept: Sequence[tuple[bytes, Kind]], limits: PaperLimits) -> bytes:
    """Several received photos in one PDF, in order, each at full size.

    A PDF can hold the coding of JPEG, PNG and TIFF. It cannot hold that of HEIC and WebP, nor a mirrored JPEG's turn:
    these show their pixels as JPEG and the received photo itself is attached, so that nothing is lost.
    """
    sheets: list[bytes] = []
    attached: dict[str, bytes] = {}
    for number, (content, kind) in enumerate(kept, 1):
        if kind in (Kind.JPEG, Kind.PNG) and _plain(content, kind, limits):
            sheets.append(content)
            continue
        attached[f"{number:02}{kind.suffix}"] = content
        image = photos.opened(content, kind, limits)
        for page in range(photos.page_count(image, kind)):
            photos.go_to_page(image, page, limits)
            sheets.append(photos.as_jpeg(photos.upright(image), _JOINED_QUALITY))
    joined = on_a4(sheets)
    if not attached:
        return joined
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(joined)) as document:
        for name, content in attached.items():
            document.attachments[name] = pikepdf.AttachedFileSpec(
                document, content, description="", filename=name, mime_type="", creation_date="", mod_date=""
            )
        document.save(out, deterministic_id=True)
    return out.getvalue()


def _plain(content: bytes, kind: Kind, limits: PaperLimits) -> bool:
    """Whether img2pdf embeds this picture as it is: no transparency, no mirror, no unusual depth."""
    image = photos.opened(content, kind, limits)
    modes = ("L", "RGB", "CMYK") if kind is Kind.JPEG else ("1", "L", "P", "RGB")
    turns = (1, 3, 6, 8) if kind is Kind.JPEG else (1,)
    return image.mode in modes and "transparency" not in image.info and photos.orientation_of(image) in turns
