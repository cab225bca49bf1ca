"""The jobs a confined child can do, by name; loaded and warmed before the first fork.

A job takes checked arguments and byte parts and gives a head and byte parts. It raises a refusal of `vault.refusals`,
or whatever a parser raises: the errors that parsers are known to raise over bad files mean "unreadable", the rest ends
the child, which the service calls a crash.
"""

import os
import struct
import sys
import zlib
from collections.abc import Callable, Mapping
from typing import cast

import cv2
import pikepdf
import pypdfium2

from vault.confined import deposits, dossiers, pages, symbols, warming
from vault.frames import FrameReader, Json, frame
from vault.refusals import PaperRefused, ParserTooGreedy, Unreadable

Job = Callable[[Mapping[str, Json], tuple[bytes, ...]], tuple[dict[str, Json], list[bytes]]]

_REQUEST_BYTES = 1 << 30  # the service has bounded it; the address space bounds it again
_READ_BYTES = 1024 * 1024

# What Pillow, libheif, qpdf, pdfium and OpenCV say of bad files.
_BAD_FILE = (
    OSError, ValueError, EOFError, SyntaxError, OverflowError, struct.error, zlib.error, pikepdf.PdfError,
    pypdfium2.PdfiumError, cv2.error,
)  # fmt: skip
_NO_MEMORY = ("insufficient memory", "cannot allocate", "out of memory", "bad_alloc")

JOBS: dict[str, Job] = {
    "prepare": deposits.prepare,
    "page": pages.page,
    "thumbnail": pages.thumbnail,
    "count": pages.count,
    "printable": pages.printable,
    "sheets": dossiers.sheets,
    "bind": dossiers.bind,
    "symbols": symbols.read,
}


def ready_to_serve(extra: object) -> tuple[Callable[[int, int], None], Callable[[], None]]:
    """Warm every parser with bytes of our own making. Gives what serves one job and returns, and what limbers a fresh child up."""
    page = warming.warm(JOBS)
    jobs = JOBS | cast("dict[str, Job]", extra)

    def serve(source: int, target: int) -> None:
        request, parts = _receive(source)
        for piece in _outcome(jobs, request, parts):
            _write_all(target, piece)

    return serve, lambda: warming.limber(JOBS, page)


def _outcome(jobs: Mapping[str, Job], request: Mapping[str, Json], parts: tuple[bytes, ...]) -> list[bytes]:
    name, arguments = request.get("job"), request.get("arguments")
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise SystemExit("not a job")
    try:
        head, answer = jobs[name](arguments, parts)
    except PaperRefused as refusal:
        return frame({"refused": type(refusal).__name__})
    except MemoryError:
        return frame({"refused": ParserTooGreedy.__name__, "detail": "address space"})
    except _BAD_FILE as error:
        if any(words in str(error).lower() for words in _NO_MEMORY):
            return frame({"refused": ParserTooGreedy.__name__, "detail": type(error).__name__})
        return frame({"refused": Unreadable.__name__, "detail": type(error).__name__})
    return frame(head, answer)


def _receive(source: int) -> tuple[dict[str, Json], tuple[bytes, ...]]:
    reader = FrameReader(_REQUEST_BYTES)
    while True:
        piece = os.read(source, min(_READ_BYTES, reader.wanted()))
        if not piece:
            sys.exit("the job ended early")
        if reader.feed(piece):
            return reader.message()


def _write_all(target: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(target, view) :]
