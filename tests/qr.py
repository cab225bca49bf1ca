"""QR codes as a phone's camera reads them: of that kind alone, since any row of fine lines may pass for a shop's bar code."""

import zxingcpp
from PIL import Image

_QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


def qr_codes(picture: Image.Image) -> list[str]:
    """The texts of the QR codes in a picture, in no order."""
    return [found.text for found in zxingcpp.read_barcodes(picture, formats=_QR)]
