"""Reading untrusted JSON strictly: exactly these names, these types, these lengths, or Malformed."""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date

from crypto.canonical import Value
from crypto.errors import Malformed


def shape(untrusted: Value, names: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Value]:
    """The object, when it has exactly these names, and perhaps some of the optional ones."""
    if not isinstance(untrusted, Mapping) or not set(names) <= set(untrusted) <= {*names, *optional}:
        raise Malformed("the fields are not the expected ones")
    return dict(untrusted)


def text(fields: Mapping[str, Value], name: str, longest: int, *, empty: bool = False) -> str:
    """A string a person could have read: NFC, no control or bidirectional-override characters, not longer than `longest`."""
    value = fields[name]
    if not isinstance(value, str):
        raise Malformed(f"{name} is not a string")
    return plain(value, name, longest, empty=empty)


def plain(value: str, name: str, longest: int, *, empty: bool = False) -> str:
    """The same rule for a string that is ours: what is signed must look like what was read aloud."""
    if len(value) > longest or (not value and not empty) or value != value.strip():
        raise Malformed(f"{name} is empty, padded or too long")
    if not unicodedata.is_normalized("NFC", value) or any(map(_misleading, value)):
        raise Malformed(f"{name} has characters that cannot be shown as they are")
    if value and not shows(value):
        raise Malformed(f"{name} shows nothing")
    return value


def shows(value: str) -> bool:
    """Whether there is anything in it to see."""
    return any(map(_seen, value))


_HIDDEN = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_TURNING = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))


def _misleading(character: str) -> bool:
    # Joiners (category Cf) belong to Arabic and Persian writing and stay; what turns the reading order around does not.
    return unicodedata.category(character) in _HIDDEN or character in _TURNING


_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and signs whose picture is empty


def _seen(character: str) -> bool:
    # A joiner, a space or a mark stands beside something that is read; alone it names nobody.
    category = unicodedata.category(character)
    return category[0] not in "ZM" and category != "Cf" and character not in _BLANK


def texts(fields: Mapping[str, Value], name: str, most: int) -> tuple[str, ...]:
    """A list of at most `most` strings."""
    value = fields[name]
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) > most:
        raise Malformed(f"{name} is not a short list")
    items = tuple(item for item in value if isinstance(item, str))
    if len(items) != len(value):
        raise Malformed(f"{name} holds something else than strings")
    return items


def octets(fields: Mapping[str, Value], name: str, length: int) -> bytes:
    """Bytes of exactly that length, written in lower-case hexadecimal."""
    read = any_octets(fields, name, length)
    if len(read) != length:
        raise Malformed(f"{name} is not {length} bytes in hexadecimal")
    return read


def any_octets(fields: Mapping[str, Value], name: str, most: int) -> bytes:
    """At most that many bytes, perhaps none, written in lower-case hexadecimal."""
    value = fields[name]
    if isinstance(value, str) and len(value) <= 2 * most and value.isascii():
        try:
            read = bytes.fromhex(value)
        except ValueError:
            raise Malformed(f"{name} is not hexadecimal") from None
        if read.hex() == value:
            return read
    raise Malformed(f"{name} is not hexadecimal of the expected length")


def number(fields: Mapping[str, Value], name: str, largest: int) -> int:
    """A decimal without sign or leading zero, as a string (keys.md: values are strings)."""
    value = fields[name]
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= len(str(largest)):
        read = int(value)
        if str(read) == value and read <= largest:
            return read
    raise Malformed(f"{name} is not a decimal")


def day(fields: Mapping[str, Value], name: str) -> date:
    """A date as "2027-02-22"."""
    value = fields[name]
    if isinstance(value, str) and len(value) == 10:
        try:
            read = date.fromisoformat(value)
        except ValueError:
            raise Malformed(f"{name} is not a day") from None
        if read.isoformat() == value:
            return read
    raise Malformed(f"{name} is not a day")


def flag(fields: Mapping[str, Value], name: str) -> bool:
    """Yes or no."""
    value = fields[name]
    if value == "yes":
        return True
    if value == "no":
        return False
    raise Malformed(f"{name} is neither yes nor no")
