"""Long lists in small pages: nine pictures, three people, ten lines; and addresses that say which."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from vault.web.shell import Req, fragment

T = TypeVar("T")
PICTURES = 9  # the most on one page (TXT-01)
NEXT = "suite"


@dataclass(frozen=True)
class Leaf(Generic[T]):
    """One page of a list; `before` and `after` are the numbers of the pages around it, None at an end."""

    items: Sequence[T]
    number: int
    before: int | None
    after: int | None


def asked(request: Req) -> int:
    """The page that the address asks for, from 1; anything else is the first."""
    return numbered(request.query_params.get(NEXT, "1"))


def numbered(text: str) -> int:
    """The page of that number; the first for anything that is no number of ours, such as ² or ten digits."""
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def leaf(items: Sequence[T], number: int, size: int) -> Leaf[T]:
    """A page of at most `size`; after the last page comes the last page."""
    last = max(1, -(-len(items) // size))
    number = min(number, last)
    shown = items[(number - 1) * size : number * size]
    return Leaf(shown, number, number - 1 if number > 1 else None, number + 1 if number < last else None)


def address(request: Req, place: str, **asked_for: str | int | None) -> str:
    """An address in the language of the request, with what it asks for; empty values are left out."""
    query = urlencode({name: value for name, value in asked_for.items() if value not in (None, "", 0)})
    return fragment(request, place) + (f"?{query}" if query else "")
