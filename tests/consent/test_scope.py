"""Scopes are signed: tags are append-only and what parses encodes back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.ids import ShelfId
from consent.purposes import SHELVES, ShelfKind
from consent.scope import MOST_PAPERS, READERS, PapersScope, Scope, ShelfScope, covers, from_bytes, to_bytes, within
from crypto.errors import Malformed
from tests.consent.examples import HEALTH, HIDDEN, HOUSING, number, paper, paper_id, shelf_scope

papers = st.lists(st.integers(1, 60), min_size=1, max_size=8).map(lambda ns: PapersScope.of(map(paper_id, ns)))
drawers = st.builds(
    ShelfScope, st.integers(1, 9).map(lambda n: ShelfId(number(3, n))), st.sampled_from([s.kind for s in SHELVES if s.grantable])
)
scopes = papers | drawers

PINNED = {
    "papers/1": b'{"papers":["00000004-0000-4000-8000-000000000001"],"tag":"papers/1"}',
    "shelf/1": b'{"kind":"housing","shelf":"00000003-0000-4000-8000-000000000001","tag":"shelf/1"}',
}


def test_tags_are_only_ever_added_and_their_bytes_never_change() -> None:
    assert list(READERS) == list(PINNED)
    assert to_bytes(PapersScope((paper_id(1),))) == PINNED["papers/1"]
    assert to_bytes(shelf_scope()) == PINNED["shelf/1"]
    for example in PINNED.values():
        assert to_bytes(from_bytes(example)) == example


@given(scopes)
def test_a_scope_reads_back_as_itself(scope: Scope) -> None:
    assert from_bytes(to_bytes(scope)) == scope


@given(scopes, st.data())
def test_changed_bytes_are_malformed_or_another_scope(scope: Scope, data: st.DataObject) -> None:
    written = bytearray(to_bytes(scope))
    at = data.draw(st.integers(0, len(written) - 1))
    written[at] ^= data.draw(st.integers(1, 255))
    try:
        read = from_bytes(bytes(written))
    except Malformed:
        return
    assert read != scope
    assert to_bytes(read) == bytes(written)


@given(st.binary(max_size=80) | st.recursive(st.none() | st.text() | st.booleans(), lambda x: st.lists(x) | st.dictionaries(
    st.sampled_from(["tag", "papers", "shelf", "kind"]), x)).map(lambda v: json.dumps(v).encode()))  # fmt: skip
def test_anything_else_is_malformed_and_nothing_worse(untrusted: bytes) -> None:
    with pytest.raises(Malformed):
        from_bytes(untrusted)


@pytest.mark.parametrize(
    "untrusted",
    [
        PINNED["papers/1"] + b" ",
        b'{"tag":"papers/1","papers":["00000004-0000-4000-8000-000000000001"]}',
        PINNED["papers/1"].replace(b"papers/1", b"papers/2"),
        PINNED["papers/1"].replace(b"}", b',"x":"y"}'),
        b'{"papers":[],"tag":"papers/1"}',
        b'{"papers":"00000004-0000-4000-8000-000000000001","tag":"papers/1"}',
        b'{"papers":["00000004-0000-4000-8000-000000000002","00000004-0000-4000-8000-000000000001"],"tag":"papers/1"}',
        b'{"papers":["00000004-0000-4000-8000-000000000001","00000004-0000-4000-8000-000000000001"],"tag":"papers/1"}',
        PINNED["shelf/1"].replace(b"housing", b"private"),
        PINNED["shelf/1"].replace(b"housing", b"attic"),
    ],
)
def test_one_malformation_each(untrusted: bytes) -> None:
    with pytest.raises(Malformed):
        from_bytes(untrusted)


def test_a_scope_has_1_to_200_papers() -> None:
    assert len(PapersScope.of(paper_id(n) for n in range(MOST_PAPERS)).papers) == 200
    for count in (0, MOST_PAPERS + 1):
        with pytest.raises(Malformed):
            PapersScope.of(paper_id(n) for n in range(count))


def test_chosen_papers_are_covered_wherever_they_lie_but_in_the_private_drawer() -> None:
    scope = PapersScope((paper_id(1),))
    assert covers(scope, paper(1))
    assert covers(scope, paper(1, HEALTH, "health"))
    assert covers(scope, paper(1, HIDDEN, None))  # a worker's process cannot know the kind: the move itself has narrowed
    assert not covers(scope, paper(1, HIDDEN, "private"))
    assert not covers(scope, paper(2))


def test_a_drawer_covers_what_lies_in_it_now() -> None:
    assert covers(shelf_scope(), paper(7))
    assert not covers(shelf_scope(), paper(7, HEALTH, "health"))
    assert not covers(shelf_scope(HOUSING), paper(7, HOUSING, "private"))


def test_the_private_drawer_can_be_in_no_scope() -> None:
    with pytest.raises(Malformed):
        ShelfScope(HIDDEN, ShelfKind("private"))


@given(scopes, scopes, st.integers(1, 60), st.integers(1, 9))
def test_what_is_within_covers_no_more(inner: Scope, outer: Scope, n: int, drawer: int) -> None:
    one = paper(n, ShelfId(number(3, drawer)), None)
    if within(inner, outer) and covers(inner, one):
        assert covers(outer, one)
