"""ASCII armor around an age file (C2SP age, RFC 7468 strict): read in its only form but for blanks around it."""

import base64
import binascii
import re

from crypto.errors import Malformed

BEGIN = b"-----BEGIN AGE ENCRYPTED FILE-----"
_END = b"-----END AGE ENCRYPTED FILE-----"
_COLUMNS = 64
_BLANK = b" \t\r\n"
_LINE = re.compile(rb"[A-Za-z0-9+/]+={0,2}")


def encode(data: bytes) -> bytes:
    """Write an age file as text, lines of 64 columns."""
    text = base64.b64encode(data)
    lines = [text[place : place + _COLUMNS] for place in range(0, len(text), _COLUMNS)]
    return b"\n".join([BEGIN, *lines, _END, b""])


def decode(text: bytes) -> bytes:
    """Read an armored age file, or raise Malformed. Lines may end in LF or CRLF; blanks may stand before and after."""
    lines = text.strip(_BLANK).replace(b"\r\n", b"\n").split(b"\n")
    begin, *body, end = lines if len(lines) > 1 else (b"", b"")
    if begin != BEGIN or end != _END or not body:
        raise Malformed("this is not an armored file")
    if any(len(line) != _COLUMNS for line in body[:-1]) or not 0 < len(body[-1]) <= _COLUMNS:
        raise Malformed("an armored file has lines of 64 columns")
    if not all(_LINE.fullmatch(line) for line in body):
        raise Malformed("an armored file is base64")
    joined = b"".join(body)
    try:
        data = base64.b64decode(joined, validate=True)
    except binascii.Error as error:
        raise Malformed("an armored file is base64") from error
    if base64.b64encode(data) != joined:
        raise Malformed("an armored file is base64, in its only form")
    return data
