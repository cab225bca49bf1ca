"""Messages between the service and its children: the same however a pipe cuts them, and read as a stranger's."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.frames import BadFrame, FrameReader, Json, frame

LIMIT = 1 << 20
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(
    head=st.dictionaries(st.text(max_size=8), VALUES, max_size=4),
    parts=st.lists(st.binary(max_size=200), max_size=4),
    data=st.data(),
)
def test_a_message_survives_any_cut(head: dict[str, Json], parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(frame(head, parts))
    cuts = sorted(data.draw(st.lists(st.integers(1, len(whole) - 1), max_size=10)))
    reader = FrameReader(LIMIT)
    ended = [reader.feed(whole[start:end]) for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert ended[-1] is True
    assert reader.message() == (head, tuple(parts))
    assert reader.wanted() == 0
    with pytest.raises(BadFrame):
        reader.feed(b"x")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_nonsense_is_a_bad_frame_or_not_yet_one(nonsense: bytes) -> None:
    reader = FrameReader(LIMIT)
    try:
        ended = reader.feed(nonsense)
    except BadFrame:
        return
    assert not ended
    with pytest.raises(BadFrame):
        reader.message()


@pytest.mark.parametrize(
    "text",
    [
        b"[]",
        b"{}",
        b'{"head": {}}',
        b'{"head": [], "parts": []}',
        b'{"head": {}, "parts": [1.0]}',
        b'{"head": {}, "parts": [true]}',
        b'{"head": {}, "parts": [-1]}',
        b'{"head": {}, "parts": ["1"]}',
        json.dumps({"head": {}, "parts": [0] * 257}).encode(),
        json.dumps({"head": {}, "parts": [LIMIT]}).encode(),
        b"\xff",
        b"",
    ],
)
def test_each_malformation(text: bytes) -> None:
    with pytest.raises(BadFrame):
        FrameReader(LIMIT).feed(len(text).to_bytes(4, "big") + text)


def test_a_head_longer_than_any_of_ours() -> None:
    with pytest.raises(BadFrame):
        FrameReader(1 << 30).feed((2 << 20).to_bytes(4, "big"))
