"""Received bytes made into a paper: what is kept, what is looked at, and what the person is told. Parsed confined."""

import dataclasses
from collections.abc import Sequence
from typing import Literal, Self

from vault.confinement import Answer, Confinement
from vault.frames import Json
from vault.kinds import Finding, Kind, PaperLimits, kind_of
from vault.refusals import ParserCrashed, TooHeavy, TooManyPages, Unreadable
from vault.rendering import checked_count

THUMBNAIL_BYTES = 15_000
_SECONDS, _SECONDS_A_PHOTO = 20.0, 5.0
_SECONDS_A_PDF, _SECONDS_A_SQUARE = 10.0, 6.0
_SQUARE_PIXELS = 25_000_000
"""Of a picture with a card on it: anybody may send one. A JPEG is decoded at a fraction of its size and may have more."""

Edge = Literal["top", "right", "bottom", "left"]
Point = tuple[float, float]
Corners = tuple[Point, Point, Point, Point]

_WHOLE: Corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
_CORNERS_OF: dict[Edge, tuple[int, int]] = {"top": (0, 1), "right": (1, 2), "bottom": (2, 3), "left": (3, 0)}
_INWARDS: dict[Edge, Point] = {"top": (0, 1), "right": (-1, 0), "bottom": (0, -1), "left": (1, 0)}
_NARROWEST = 0.05


@dataclasses.dataclass(frozen=True, slots=True)
class Framing:
    """How one photo is turned and cut out.

    `quarter_turns` with the clock come first; `corners` (top-left, top-right, bottom-right, bottom-left) are fractions
    of the picture so turned. Without corners, `straighten` looks for one clear sheet and takes it if there is one.
    """

    quarter_turns: int = 0
    corners: Corners | None = None
    straighten: bool = True

    def nudged(self, edge: Edge, by: float = 0.02) -> Self:
        """One edge moved, inwards when `by` is positive: the four buttons of the page, no dragging."""
        corners = list(self.corners or _WHOLE)
        step_x, step_y = _INWARDS[edge]
        for index in _CORNERS_OF[edge]:
            x, y = corners[index]
            corners[index] = (min(1.0, max(0.0, x + step_x * by)), min(1.0, max(0.0, y + step_y * by)))
        moved = (corners[0], corners[1], corners[2], corners[3])
        return dataclasses.replace(self, corners=moved) if _wide_enough(moved) else self

    def turned(self) -> Self:
        """A quarter more with the clock; the corners turn with their sheet."""
        corners = self.corners
        if corners is not None:
            first, second, third, fourth = ((1 - y, x) for x, y in corners)
            corners = (fourth, first, second, third)
        return dataclasses.replace(self, quarter_turns=(self.quarter_turns + 1) % 4, corners=corners)


def _wide_enough(corners: Corners) -> bool:
    left, right = max(corners[0][0], corners[3][0]), min(corners[1][0], corners[2][0])
    top, bottom = max(corners[0][1], corners[1][1]), min(corners[2][1], corners[3][1])
    return right - left >= _NARROWEST and bottom - top >= _NARROWEST


@dataclasses.dataclass(frozen=True, slots=True)
class PreparedPaper:
    """A paper ready to be sealed; nothing of it has been stored yet."""

    kind: Kind  # of what came; PDF when several photos are joined
    pages: int
    received: bytes
    received_kind: Kind
    view: bytes
    view_kind: Kind  # PDF or JPEG
    thumbnail: bytes  # JPEG
    blurred: tuple[bool, ...]  # one for each photographed page
    findings: frozenset[Finding]
    framings: tuple[Framing, ...]  # as they were used, to nudge from


def prepare(
    confinement: Confinement,
    originals: Sequence[bytes],
    *,
    framings: Sequence[Framing] = (),
    limits: PaperLimits | None = None,
) -> PreparedPaper:
    """Make one PDF, or one or more photos in order, into one paper.

    `received` of a PDF is the very bytes that came, and so is its `view`. Of a photo it is the same coded picture
    without metadata; its turn is kept as a single EXIF entry (HEIC: as the property it already is). Several photos
    become a PDF that embeds each. `framings` go by page.
    Raises TooHeavy, TooManyPages, TooManyPixels, HasPassword, UnknownKind, OnlyPhotosJoin, Unreadable and its kin.
    """
    limits = limits or PaperLimits()
    kinds = _check_sizes(originals, limits)
    answer = confinement.run(
        "prepare",
        {"limits": dataclasses.asdict(limits), "framings": [_told(framing) for framing in framings]},
        originals,
        seconds=_SECONDS_A_PDF if kinds == [Kind.PDF] else _SECONDS + _SECONDS_A_PHOTO * len(originals),
    )
    return _believed(answer, originals, kinds, limits)


def read_qr(confinement: Confinement, picture: bytes, *, limits: PaperLimits | None = None) -> list[str]:
    """The texts of the QR codes in the photo of a card or the frame of a camera; empty when there is none."""
    limits = limits or PaperLimits()
    if len(picture) > limits.file_bytes:
        raise TooHeavy
    if kind_of(picture) is not Kind.JPEG:
        limits = dataclasses.replace(limits, pixels=min(limits.pixels, _SQUARE_PIXELS))
    asked: dict[str, Json] = {"limits": dataclasses.asdict(limits)}
    texts = confinement.run("symbols", asked, [picture], seconds=_SECONDS_A_SQUARE).head.get("texts")
    if not isinstance(texts, list):
        raise ParserCrashed("texts")
    return [text for text in texts if isinstance(text, str)]


def _check_sizes(originals: Sequence[bytes], limits: PaperLimits) -> list[Kind]:
    if not originals:
        raise Unreadable
    if len(originals) > limits.pages:
        raise TooManyPages
    if any(len(original) > limits.file_bytes for original in originals):
        raise TooHeavy
    if sum(len(original) for original in originals) > limits.paper_bytes:
        raise TooHeavy
    return [kind_of(original) for original in originals]


def _told(framing: Framing) -> Json:
    corners: list[Json] | None = None
    if framing.corners is not None:
        corners = [[x, y] for x, y in framing.corners]
    return {"quarter_turns": framing.quarter_turns, "corners": corners, "straighten": framing.straighten}


def _believed(answer: Answer, originals: Sequence[bytes], kinds: Sequence[Kind], limits: PaperLimits) -> PreparedPaper:
    """What the child told, as far as it can be right; of a PDF the received bytes are ours, never the child's."""
    if len(answer.parts) != 3:
        raise ParserCrashed("parts")
    received, view, thumbnail = answer.parts
    if kinds == [Kind.PDF]:
        received = view = originals[0]
    try:
        received_kind, view_kind = Kind(str(answer.head["received_kind"])), Kind(str(answer.head["view_kind"]))
        findings = frozenset(Finding(str(finding)) for finding in _listed(answer, "findings"))
    except (KeyError, ValueError) as error:
        raise ParserCrashed("kind") from error
    if kind_of(received) is not received_kind or kind_of(view) is not view_kind:
        raise ParserCrashed("kind")
    if kind_of(thumbnail) is not Kind.JPEG or len(thumbnail) > THUMBNAIL_BYTES:
        raise ParserCrashed("thumbnail")
    return PreparedPaper(
        kind=kinds[0] if len(kinds) == 1 else Kind.PDF,
        pages=checked_count(answer, "pages", limits.pages),
        received=received,
        received_kind=received_kind,
        view=view,
        view_kind=view_kind,
        thumbnail=thumbnail,
        blurred=tuple(flag is True for flag in _listed(answer, "blurred")),
        findings=findings,
        framings=tuple(_framing(told) for told in _listed(answer, "framings")),
    )


def _listed(answer: Answer, name: str) -> list[Json]:
    value = answer.head.get(name)
    if not isinstance(value, list):
        raise ParserCrashed(name)
    return value


def _framing(told: Json) -> Framing:
    match told:
        case {"quarter_turns": int(turns), "corners": None, "straighten": bool(straighten)}:
            return Framing(turns % 4, None, straighten)
        case {"quarter_turns": int(turns), "corners": list(points), "straighten": bool(straighten)}:
            corners = tuple(_point(point) for point in points)
            if len(corners) == 4:
                return Framing(turns % 4, (corners[0], corners[1], corners[2], corners[3]), straighten)
    raise ParserCrashed("framing")


def _point(told: Json) -> Point:
    match told:
        case [int() | float() as x, int() | float() as y] if 0 <= x <= 1 and 0 <= y <= 1:
            return float(x), float(y)
    raise ParserCrashed("corner")
