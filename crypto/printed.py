"""Secrets on paper: the QR code of a card or a rescue sheet, and the digits of a sheet that can be typed or read aloud.

One form each: no blank, no small letter, no second spelling. A page that lets people type spaces takes them out first.
"""

import base64
import binascii
from typing import TypeVar

from crypto.errors import Malformed
from crypto.keys import CardSecret, SecretBytes, SheetSecret

SHEET_DIGITS = 40

_CARD = "ABRI-C1-"
_SHEET = "ABRI-F1-"
_BASE32_PADDING = "======"  # 16 bytes are 26 letters, and 6 of padding that are not printed
_NUMBER_DIGITS = 39  # 2**128 has 39
_S = TypeVar("_S", bound=SecretBytes)


def _write(prefix: str, secret: SecretBytes) -> str:
    return prefix + base64.b32encode(secret).decode().removesuffix(_BASE32_PADDING)


def _read(kind: type[_S], prefix: str, text: str) -> _S:
    try:
        secret = kind(base64.b32decode(text.removeprefix(prefix) + _BASE32_PADDING))
    except (binascii.Error, ValueError) as error:
        raise Malformed("this code is not one of ours") from error
    if _write(prefix, secret) != text:
        raise Malformed("this code is not one of ours")
    return secret


def card_text(card: CardSecret) -> str:
    """Write a card's secret as its QR code says it: `ABRI-C1-` and 26 letters and digits (RFC 4648 base32)."""
    return _write(_CARD, card)


def parse_card_text(text: str) -> CardSecret:
    """Read a card's QR code, or raise Malformed."""
    return _read(CardSecret, _CARD, text)


def sheet_text(sheet: SheetSecret) -> str:
    """Write a rescue sheet's secret as its QR code says it: `ABRI-F1-` and 26 letters and digits."""
    return _write(_SHEET, sheet)


def parse_sheet_text(text: str) -> SheetSecret:
    """Read a rescue sheet's QR code, or raise Malformed."""
    return _read(SheetSecret, _SHEET, text)


def _check_digit(digits: str) -> str:
    """ISO/IEC 7064 MOD 11,10: finds every single wrong digit and nearly every exchange of two neighbours."""
    product = 10
    for digit in digits:
        total = (product + int(digit)) % 10 or 10
        product = total * 2 % 11
    return str((11 - product) % 10)


def sheet_digits(sheet: SheetSecret) -> str:
    """Write a sheet's secret as 39 digits, a big-endian number, and a check digit."""
    digits = str(int.from_bytes(sheet, "big")).zfill(_NUMBER_DIGITS)
    return digits + _check_digit(digits)


def parse_sheet_digits(text: str) -> SheetSecret:
    """Read 40 digits, or raise Malformed: wrong length, wrong check digit, or a number that 16 bytes cannot hold."""
    if len(text) != SHEET_DIGITS or not (text.isascii() and text.isdigit()):
        raise Malformed("a sheet has 40 digits")
    number, check = text[:_NUMBER_DIGITS], text[_NUMBER_DIGITS:]
    if _check_digit(number) != check or int(number) >= 1 << 128:
        raise Malformed("one of these digits is wrong")
    return SheetSecret(int(number).to_bytes(16, "big"))
