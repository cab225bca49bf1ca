"""QR codes in a photo of a card or a frame of a camera."""

from collections.abc import Mapping

import numpy as np
import zxingcpp

from vault.confined import photos
from vault.confined.deposits import limits_in
from vault.frames import Json
from vault.kinds import Kind, kind_of
from vault.refusals import Unreadable

_SEARCH_EDGE = 2400  # a card fills enough of any photo for this; larger only takes longer
_MOST_CODES = 8
_QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


def read(arguments: Mapping[str, Json], parts: tuple[bytes, ...]) -> tuple[dict[str, Json], list[bytes]]:
    """Job: the texts of the QR codes in one picture, in no order."""
    (content,) = parts
    kind = kind_of(content)
    if kind is Kind.PDF:
        raise Unreadable
    whole = photos.opened(content, kind, limits_in(arguments))
    whole.draft(
        "L", (_SEARCH_EDGE, _SEARCH_EDGE)
    )  # a JPEG alone can: at half or a quarter of its size, in a fraction of the time
    picture = photos.fitted(photos.upright(whole), _SEARCH_EDGE)
    found = zxingcpp.read_barcodes(np.asarray(picture.convert("L")), formats=_QR)
    texts: list[Json] = [code.text for code in found[:_MOST_CODES] if code.valid and code.text]
    return {"texts": texts}, []
