"""The bytes of a paper: any cut of the input gives the same payload, and nothing comes out unauthenticated."""

import random
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import keys, stream
from crypto.errors import Undecryptable

KEY = keys.AgeFileKey(bytes(range(16)))
EDGES = [0, 1, stream.CHUNK - 1, stream.CHUNK, stream.CHUNK + 1, 2 * stream.CHUNK, 3 * stream.CHUNK + 17]
NOISE = random.Random(7).randbytes(4 * stream.CHUNK)


def pieces(data: bytes, draw: random.Random, largest: int) -> Iterator[bytes]:
    """Cut anywhere, empty pieces included."""
    place = 0
    while place < len(data):
        size = draw.randrange(largest)
        yield data[place : place + size]
        place += size


def sealed_chunks(payload: bytes) -> list[bytes]:
    """The chunks behind the nonce."""
    return [payload[place : place + stream.SEALED_CHUNK] for place in range(stream.NONCE, len(payload), stream.SEALED_CHUNK)]


@pytest.mark.parametrize("size", EDGES)
def test_a_payload_has_the_length_that_was_announced(size: int) -> None:
    payload = stream.encrypt(KEY, NOISE[:size])
    assert len(payload) == stream.payload_length(size)
    assert stream.plaintext_length(len(payload)) == size
    assert stream.decrypt(KEY, payload) == NOISE[:size]


@given(st.integers(0, 1 << 40))
def test_lengths_go_both_ways(size: int) -> None:
    assert stream.plaintext_length(stream.payload_length(size)) == size


@given(st.integers(0, 4 * stream.SEALED_CHUNK))
def test_a_length_that_no_payload_has_is_refused(size: int) -> None:
    try:
        plaintext = stream.plaintext_length(size)
    except Undecryptable:
        return
    assert stream.payload_length(plaintext) == size


@pytest.mark.parametrize("size", [0, 15, 16, 31, 16 + stream.SEALED_CHUNK + 1, 16 + stream.SEALED_CHUNK + 16])
def test_some_lengths_no_payload_has(size: int) -> None:
    with pytest.raises(Undecryptable):
        stream.plaintext_length(size)


@pytest.mark.parametrize("size", EDGES)
@pytest.mark.parametrize("largest", [40, 5000, stream.CHUNK + 2, 1 << 20])
def test_however_it_is_cut(size: int, largest: int) -> None:
    draw = random.Random(size * largest)
    if largest == 40:
        size = min(size, 2 * stream.CHUNK)
    encryptor, decryptor = stream.Encryptor(KEY), stream.Decryptor(KEY)
    payload = b"".join(encryptor.update(piece) for piece in pieces(NOISE[:size], draw, largest)) + encryptor.finish()
    assert stream.decrypt(KEY, payload) == NOISE[:size]
    plaintext = b"".join(decryptor.update(piece) for piece in pieces(payload, draw, largest)) + decryptor.finish()
    assert plaintext == NOISE[:size]


def test_into_buffers_that_are_used_again() -> None:
    encryptor, decryptor = stream.Encryptor(KEY), stream.Decryptor(KEY)
    payload, plaintext = b"", b""
    out = bytearray(200_000)
    for start in range(0, len(NOISE), 100_000):
        piece = NOISE[start : start + 100_000]
        room = encryptor.room(len(piece))
        wrote = encryptor.update_into(piece, out)
        assert wrote <= room
        payload += out[:wrote]
    payload += out[: encryptor.finish_into(out)]
    for start in range(0, len(payload), 100_000):
        piece = payload[start : start + 100_000]
        room = decryptor.room(len(piece))
        wrote = decryptor.update_into(memoryview(piece), out)
        assert wrote <= room
        plaintext += out[:wrote]
    plaintext += out[: decryptor.finish_into(out)]
    assert plaintext == NOISE


def test_two_papers_never_look_alike() -> None:
    assert stream.encrypt(KEY, b"x") != stream.encrypt(KEY, b"x")


@pytest.mark.parametrize("size", [0, 1, stream.CHUNK, 2 * stream.CHUNK, 2 * stream.CHUNK + 1])
def test_a_cut_payload_never_ends_well(size: int) -> None:
    payload = stream.encrypt(KEY, NOISE[:size])
    ends = {0, 1, 15, 16, 17, 31, 32, len(payload) - 1, len(payload) - 16, len(payload) - 17}
    ends |= {16 + number * stream.SEALED_CHUNK + near for number in range(4) for near in (-1, 0, 1)}
    for end in ends:
        if 0 <= end < len(payload):
            with pytest.raises(Undecryptable):
                stream.decrypt(KEY, payload[:end])


def test_chunks_cannot_be_moved_dropped_or_said_twice() -> None:
    payload = stream.encrypt(KEY, NOISE)
    nonce, (one, two, three, four) = payload[:16], sealed_chunks(payload)
    for order in (
        [two, one, three, four],
        [one, three, four],
        [one, two, three],
        [one, one, two, three, four],
        [four],
        [one, two, three, four, four],
    ):
        with pytest.raises(Undecryptable):
            stream.decrypt(KEY, nonce + b"".join(order))
    other = stream.encrypt(KEY, NOISE)
    with pytest.raises(Undecryptable):
        stream.decrypt(KEY, other[:16] + payload[16:])
    with pytest.raises(Undecryptable):
        stream.decrypt(KEY, nonce + one + sealed_chunks(other)[1] + three + four)


@pytest.mark.parametrize("chunk", range(4))
@pytest.mark.parametrize("feed", [1000, 70_000, 1 << 20])
def test_nothing_comes_out_of_a_damaged_chunk_nor_after_it(chunk: int, feed: int) -> None:
    payload = bytearray(stream.encrypt(KEY, NOISE))
    payload[stream.NONCE + chunk * stream.SEALED_CHUNK + 500] ^= 1
    decryptor, out, came = stream.Decryptor(KEY), bytearray(2 << 20), b""
    refused = 0
    for place in range(0, len(payload), feed):
        try:
            came += out[: decryptor.update_into(payload[place : place + feed], out)]
        except Undecryptable:
            refused += 1
    with pytest.raises(Undecryptable):
        decryptor.finish_into(out)
    assert refused or chunk == 3
    assert came == NOISE[: len(came)]
    assert len(came) <= chunk * stream.CHUNK
    # The library writes before it verifies: the buffer must have been wiped.
    assert bytes(out[:]).find(NOISE[chunk * stream.CHUNK + 600 : chunk * stream.CHUNK + 700]) == -1


def test_the_last_chunk_is_held_back() -> None:
    payload = stream.encrypt(KEY, NOISE[: stream.CHUNK])
    decryptor = stream.Decryptor(KEY)
    assert decryptor.update(payload) == b""
    assert decryptor.finish() == NOISE[: stream.CHUNK]


def test_memory_stays_constant() -> None:
    piece, out = bytes(1 << 20), bytearray((1 << 20) + 100_000)
    encryptor, decryptor = stream.Encryptor(KEY), stream.Decryptor(KEY)
    tracemalloc.start()
    for _ in range(24):
        wrote = encryptor.update_into(piece, out)
        decryptor.update(memoryview(out)[:wrote])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20


class Store:
    """A blob that counts what is read of it."""

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.asked: list[tuple[int, int]] = []

    def read_at(self, offset: int, length: int) -> bytes:
        self.asked.append((offset, length))
        return self.payload[offset : offset + length]


@given(st.data())
def test_any_range_without_what_comes_before(data: st.DataObject) -> None:
    size = data.draw(st.sampled_from(EDGES))
    start = data.draw(st.integers(0, size))
    end = data.draw(st.integers(start, size))
    store = Store(stream.encrypt(KEY, NOISE[:size]))
    reader = stream.RangeReader(KEY, store.read_at, len(store.payload))
    assert reader.length == size
    store.asked.clear()
    assert b"".join(reader.read(start, end)) == NOISE[start:end]
    chunks = len(range(start // stream.CHUNK, -(-end // stream.CHUNK))) if end > start else 0
    assert len(store.asked) == chunks


def test_a_range_outside_is_a_mistake() -> None:
    store = Store(stream.encrypt(KEY, b"abc"))
    reader = stream.RangeReader(KEY, store.read_at, len(store.payload))
    for start, end in ((-1, 2), (2, 1), (0, 4)):
        with pytest.raises(ValueError, match="inside"):
            list(reader.read(start, end))


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_a_shorter_blob_is_refused_before_any_range(chunks: int) -> None:
    """The length comes from outside: the last chunk alone can tell that it is the true one."""
    payload = stream.encrypt(KEY, NOISE)
    store = Store(payload[: stream.NONCE + chunks * stream.SEALED_CHUNK])
    with pytest.raises(Undecryptable):
        stream.RangeReader(KEY, store.read_at, len(store.payload))
    with pytest.raises(Undecryptable):
        stream.RangeReader(KEY, store.read_at, len(payload))


def test_a_damaged_chunk_is_refused_and_so_is_all_that_follows() -> None:
    payload = bytearray(stream.encrypt(KEY, NOISE))
    payload[stream.NONCE + stream.SEALED_CHUNK + 9] ^= 4
    reader = stream.RangeReader(KEY, Store(bytes(payload)).read_at, len(payload))
    assert b"".join(reader.read(0, stream.CHUNK)) == NOISE[: stream.CHUNK]
    for start in (stream.CHUNK, 2 * stream.CHUNK):
        with pytest.raises(Undecryptable):
            list(reader.read(start, start + 1))
