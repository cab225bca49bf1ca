"""What a column says of itself: its type, the class of its data, and the rule by which it is erased.

The GDPR inventory (`docs/data-inventory.md`) is generated from these words, the purge reads them, and a test refuses a column
without them.
"""

import datetime as dt
from typing import Any, Literal

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Integer, LargeBinary, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

Data = Literal[
    "technical",  # ids, states, sizes, counts, days: readable by whoever holds the rows
    "link",  # ties a safe to a worker, a kiosk or a session; readable, and said so in the threat model
    "public",  # names and roles of workers and structures, public keys, signatures over what is readable
    "sealed",  # readable only with a person's or a worker's secret and a living row of the key vault
    "digest",  # recognises something shown again; does not tell it
    "register",  # what the law asks the association to keep about a request, without what is in the papers
]
CLEAR: tuple[Data, ...] = ("technical", "link", "public", "register")
"""What is readable without anybody's secret and recognises nothing that is shown: all that a requisition can be given."""
Erasure = Literal[
    "with the person",  # deleted when the safe is erased
    "with the paper",  # deleted when the paper is removed, and so with the person
    "with the account",  # 12 months after a worker or an administrator has left
    "at its term",  # deleted by the purge at the date that the row carries
    "after 12 months",
    "after 30 days",
    "five years after closing",
    "with the trace",  # the envelope goes with its party; hashes stay so that the tree verifies
    "never personal",  # describes structures, schedules, the schema
]


class Instant(TypeDecorator[dt.datetime]):
    """A moment in UTC, kept as milliseconds since 1970 so that both engines give back exactly what was put in."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, _dialect: Dialect) -> int | None:
        """Refuse a moment without a time zone: it would mean another moment on another machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        delta = value.astimezone(dt.UTC) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        return delta.days * 86_400_000 + delta.seconds * 1000 + delta.microseconds // 1000

    def process_result_value(self, value: int | None, _dialect: Dialect) -> dt.datetime | None:
        """Give the moment back, in UTC."""
        return None if value is None else dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=value)


def _column(name: str, kind: Any, data: Data, erasure: Erasure, ref: str | None, **options: Any) -> Column[Any]:
    options.setdefault("nullable", False)
    references = [ForeignKey(ref)] if ref else []
    return Column(name, kind, *references, info={"data": data, "erasure": erasure}, **options)


def ident(name: str, data: Data, erasure: Erasure, ref: str | None = None, **options: Any) -> Column[Any]:
    """A lower-case UUID, or a digest in hexadecimal."""
    return _column(name, String(64), data, erasure, ref, **options)


def word(name: str, data: Data, erasure: Erasure, **options: Any) -> Column[Any]:
    """A short word of a closed list: a state, a kind, a role."""
    return _column(name, String(40), data, erasure, None, **options)


def text(name: str, data: Data, erasure: Erasure, **options: Any) -> Column[Any]:
    """A text that people read."""
    return _column(name, Text, data, erasure, None, **options)


def octets(name: str, data: Data, erasure: Erasure, **options: Any) -> Column[Any]:
    """Bytes that this package does not interpret."""
    return _column(name, LargeBinary, data, erasure, None, **options)


def number(name: str, data: Data, erasure: Erasure, **options: Any) -> Column[Any]:
    """A count, a size in bytes, a cost."""
    return _column(name, BigInteger, data, erasure, None, **options)


def small(name: str, data: Data, erasure: Erasure, **options: Any) -> Column[Any]:
    """A small count."""
    return _column(name, Integer, data, erasure, None, **options)


def flag(name: str, data: Data, erasure: Erasure, **options: Any) -> Column[Any]:
    """Yes or no."""
    return _column(name, Boolean, data, erasure, None, **options)


def day(name: str, data: Data, erasure: Erasure, **options: Any) -> Column[Any]:
    """A day, Paris time."""
    return _column(name, Date, data, erasure, None, **options)


def moment(name: str, data: Data, erasure: Erasure, **options: Any) -> Column[Any]:
    """A moment, UTC."""
    return _column(name, Instant, data, erasure, None, **options)
