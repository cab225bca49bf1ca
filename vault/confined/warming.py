"""Every parser is used once, on bytes of our own making, before the first child is forked.

Two reasons: what a library loads on first use cannot be loaded behind the walls, and a child starts with warm memory.
"""

import io
import itertools
from collections.abc import Callable, Mapping

import cv2
import pikepdf
import zxingcpp
from PIL import Image

from vault.frames import Json

_LIMITS: Json = {"file_bytes": 1 << 20, "paper_bytes": 1 << 20, "pages": 20, "pixels": 1_000_000}
_Job = Callable[[Mapping[str, Json], tuple[bytes, ...]], tuple[dict[str, Json], list[bytes]]]


def warm(jobs: Mapping[str, _Job]) -> bytes:
    """Run each job over a small picture of each kind that we can write; gives a small paper to limber up over."""
    cv2.setNumThreads(1)
    pictures = [_saved(form, mode) for form, mode in itertools.product(("JPEG", "PNG", "WEBP", "TIFF"), ("RGB", "L"))]
    joined, limits = b"", {"limits": _LIMITS}
    for parts in ((pictures[0], pictures[2]), *((picture,) for picture in pictures)):
        _, (_, view, _) = jobs["prepare"]({**limits, "framings": []}, parts)
        joined = joined or view
        jobs["symbols"](limits, parts[:1])
    for document in (joined, _locked(joined)):
        jobs["prepare"]({**limits, "framings": []}, (document,))
    marks: dict[str, Json] = {"watermark": ["Aé"], "footer": ["Aé"], "ribbon": "Aé", "quality": 80, "dpi": 72}
    jobs["page"]({**limits, **marks, "page": 1}, (joined,))
    jobs["thumbnail"](limits, (joined,))
    jobs["count"](limits, (joined,))
    jobs["printable"]({**limits, **marks, "has_font": False, "title": "", "language": "fr"}, (joined,))
    _, sheets = jobs["sheets"]({**limits, **marks, "most_bytes": 1 << 20}, (joined,))
    jobs["bind"]({"title": "", "language": "fr"}, tuple(sheets))
    return joined


def limber(jobs: Mapping[str, _Job], paper: bytes) -> None:
    """In a fresh child: show one page, so that the memory it shares with its parent is its own before a job arrives."""
    marks: dict[str, Json] = {"limits": _LIMITS, "watermark": ["Aé"], "quality": 80, "dpi": 150, "page": 1}
    jobs["page"](marks, (paper,))


def _saved(form: str, mode: str) -> bytes:
    code = zxingcpp.write_barcode_to_image(zxingcpp.create_barcode("warm", zxingcpp.BarcodeFormat.QRCode), scale=8)
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(code).convert(mode).save(out, form, exif=exif.tobytes())
    return out.getvalue()


def _locked(document: bytes) -> bytes:
    """Encrypted with a password that readers know to be empty."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(document)) as plain:
        plain.save(out, encryption=pikepdf.Encryption(owner="warm", user=""))
    return out.getvalue()
