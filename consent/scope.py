"""What a share covers: chosen papers, or one drawer with what comes later; and the four acts.

A scope is frozen and its bytes are signed for years, so tags are append-only: a new meaning gets a new tag, an old tag keeps
its meaning for ever (the way PyPI's macaroon caveats are versioned). What parses encodes back to the same bytes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from consent.fields import shape, texts
from consent.ids import PaperId, PersonId, ShelfId, checked_id
from consent.purposes import PRIVATE, ShelfKind, shelf
from crypto.canonical import Value, canonical, parse
from crypto.errors import Malformed

MOST_PAPERS = 200


class Act(StrEnum):
    """What may be done with a paper."""

    SEE = "see"  # page images with a watermark
    TAKE = "take"  # the bytes as they were received: it cannot be undone
    DEPOSIT = "deposit"  # put a paper in without seeing any
    REPLACE = "replace"  # put a newer version in the place of a paper


OPENING = frozenset({Act.SEE, Act.TAKE})  # the only acts for which a key is ever wrapped


@dataclass(frozen=True, slots=True)
class Paper:
    """The paper that an act is about, where it lies now; for a deposit, the id that it will have and the drawer.

    `kind` is the drawer's kind when the asker can know it: the person's process can, a worker's often cannot (it is sealed).
    """

    person: PersonId
    paper: PaperId
    shelf: ShelfId
    kind: ShelfKind | None = None


@dataclass(frozen=True, slots=True)
class PapersScope:
    """Some papers, chosen one by one: sorted ids, none twice."""

    papers: tuple[PaperId, ...]

    def __post_init__(self) -> None:
        """Refuse what another program would write differently."""
        if not 1 <= len(self.papers) <= MOST_PAPERS:
            raise Malformed(f"a share covers 1 to {MOST_PAPERS} chosen papers")
        if list(self.papers) != sorted({checked_id(paper) for paper in self.papers}):
            raise Malformed("chosen papers are sorted, none twice")

    @classmethod
    def of(cls, papers: Iterable[PaperId]) -> "PapersScope":
        """The scope of these papers, in whatever order they were chosen."""
        return cls(tuple(sorted(set(papers))))


@dataclass(frozen=True, slots=True)
class ShelfScope:
    """One whole drawer, with what comes later. Never the private one."""

    shelf: ShelfId
    kind: ShelfKind

    def __post_init__(self) -> None:
        """Refuse the private drawer here already, so that no signed bytes can ever name it."""
        checked_id(self.shelf)
        if not shelf(self.kind).grantable:
            raise Malformed("the private drawer is never shared")


Scope = PapersScope | ShelfScope


def covers(scope: Scope, paper: Paper) -> bool:
    """Whether the paper, where it lies now, is inside the scope. The private drawer is inside none."""
    if paper.kind == PRIVATE:
        return False
    if isinstance(scope, PapersScope):
        return paper.paper in scope.papers
    return paper.shelf == scope.shelf


def within(inner: Scope, outer: Scope) -> bool:
    """Whether the inner scope can never show more than the outer one."""
    if isinstance(inner, PapersScope) and isinstance(outer, PapersScope):
        return set(inner.papers) <= set(outer.papers)
    return inner == outer


def scope_to_value(scope: Scope) -> dict[str, Value]:
    """The scope as JSON values, with its tag."""
    if isinstance(scope, PapersScope):
        return {"tag": "papers/1", "papers": list(scope.papers)}
    return {"tag": "shelf/1", "shelf": scope.shelf, "kind": scope.kind}


def _papers_1(value: Mapping[str, Value]) -> Scope:
    fields = shape(value, ("tag", "papers"))
    return PapersScope(tuple(PaperId(paper) for paper in texts(fields, "papers", MOST_PAPERS)))


def _shelf_1(value: Mapping[str, Value]) -> Scope:
    fields = shape(value, ("tag", "shelf", "kind"))
    return ShelfScope(ShelfId(checked_id(fields["shelf"])), shelf(fields["kind"]).kind)


# Append only: a test pins these tags and the bytes of an example of each.
READERS: Mapping[str, Callable[[Mapping[str, Value]], Scope]] = {"papers/1": _papers_1, "shelf/1": _shelf_1}


def scope_from_value(untrusted: Value) -> Scope:
    """Read a scope; raises Malformed for anything that this program would not have written."""
    tag = untrusted.get("tag") if isinstance(untrusted, Mapping) else None
    if not isinstance(untrusted, Mapping) or not isinstance(tag, str) or tag not in READERS:
        raise Malformed("a scope has a known tag")
    return READERS[tag](untrusted)


def to_bytes(scope: Scope) -> bytes:
    """The canonical bytes (RFC 8785)."""
    return canonical(scope_to_value(scope))


def from_bytes(untrusted: bytes) -> Scope:
    """Read canonical bytes; raises Malformed unless they encode back to themselves."""
    return scope_from_value(parse(untrusted))
