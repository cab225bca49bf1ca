"""Names of things, as lower-case UUIDs: opaque outside, never mixed up inside.

A kind of paper ("tax-notice") is a short slug: it can be written in a receipt, a title cannot.
"""

import re
from typing import NewType
from uuid import UUID

from crypto.errors import Malformed

PersonId = NewType("PersonId", str)
WorkerId = NewType("WorkerId", str)
PaperId = NewType("PaperId", str)
ShelfId = NewType("ShelfId", str)
GrantId = NewType("GrantId", str)
RequestId = NewType("RequestId", str)
RecordId = NewType("RecordId", str)
EntryId = NewType("EntryId", str)
KioskId = NewType("KioskId", str)
KindId = NewType("KindId", str)

_SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", re.ASCII)


def checked_id(untrusted: object) -> str:
    """Give back the id when it is a UUID written the one canonical way; raise Malformed otherwise."""
    if isinstance(untrusted, str) and len(untrusted) == 36:
        try:
            if str(UUID(untrusted)) == untrusted:
                return untrusted
        except ValueError:
            pass
    raise Malformed("an id is a lower-case UUID")


def checked_slug(untrusted: object) -> str:
    """Give back a slug of 1 to 40 letters, digits and single dashes; raise Malformed otherwise."""
    if isinstance(untrusted, str) and len(untrusted) <= 40 and _SLUG.fullmatch(untrusted):
        return untrusted
    raise Malformed("a kind is a short slug")
