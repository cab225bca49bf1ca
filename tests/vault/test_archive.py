"""The archive: what every ZIP program opens, of a length known beforehand, and read back in one form only."""

import datetime as dt
import io
import struct
import zipfile

import pytest

from vault.archive import Bytes, Member, NotOurs, Reader, cut, length, write

AT = dt.datetime(2026, 11, 23, 11, 0, 4, tzinfo=dt.UTC)
FILES = {
    "index.html": b"<p>",
    "data/papers.json": b"{}\n",
    "papers/0001-1.jpg": b"\xff\xd8\xff" * 70_000,
    "papers/0002-1.pdf": b"",
}
MEMBERS = [Member(name, len(content)) for name, content in FILES.items()]


class Gathered:
    """Takes everything."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.name = ""

    def begin(self, member: Member) -> None:
        self.name, self.files[member.name] = member.name, b""

    def take(self, block: bytes) -> None:
        self.files[self.name] += block

    def end(self) -> None:
        self.name = ""


def made() -> bytes:
    return b"".join(write(MEMBERS, (Bytes(one) for one in FILES.values()), AT))


def read(archive: bytes, size: int = 1000) -> dict[str, bytes]:
    taker = Gathered()
    reader = Reader(taker)
    for at in range(0, len(archive), size):
        reader.write(archive[at : at + size])
    reader.finish()
    return taker.files


def test_any_zip_program_opens_it_and_its_length_was_known() -> None:
    archive = made()
    assert len(archive) == length(MEMBERS)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        assert {one: opened.read(one) for one in opened.namelist()} == FILES
        assert opened.infolist()[0].date_time == (2026, 11, 23, 11, 0, 4)
        assert all(one.flag_bits == 0 and one.compress_type == zipfile.ZIP_STORED for one in opened.infolist())


def test_a_download_that_was_cut_goes_on_where_it_stopped() -> None:
    archive = made()
    for start, end in ((0, len(archive)), (1, 30), (29, 41), (1000, len(archive)), (len(archive) - 1, len(archive))):
        blocks = write(MEMBERS, (Bytes(one) for one in FILES.values()), AT)
        assert b"".join(cut(blocks, start, end)) == archive[start:end]


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_it_is_read_back_in_any_pieces(size: int) -> None:
    assert read(made(), size) == FILES


def test_one_changed_byte_anywhere_is_refused() -> None:
    small = [Member("a.txt", 3), Member("b/c.txt", 2)]
    archive = b"".join(write(small, (Bytes(b"abc"), Bytes(b"de")), AT))
    for place in range(len(archive)):
        changed = bytearray(archive)
        changed[place] ^= 1
        with pytest.raises(NotOurs):
            read(bytes(changed))
    for short in range(len(archive)):
        with pytest.raises(NotOurs):
            read(archive[:short])
    with pytest.raises(NotOurs):
        read(archive + b"\0")


@pytest.mark.parametrize("name", ["../up", "/root", "a//b", "A.txt", "a\\b", "", "x" * 65, "é", ".hidden", "a/b/c/d"])
def test_a_name_that_climbs_or_tells_is_refused(name: str) -> None:
    with pytest.raises(NotOurs):
        Member(name, 1)


def test_a_compressed_file_a_comment_a_sum_behind_are_refused() -> None:
    """What other programs may write: none of it is ours, so no bomb can be either."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as other:
        other.writestr("papers/0001-1.jpg", bytes(1_000_000))
    with pytest.raises(NotOurs):
        read(target.getvalue())
    archive = made()
    with pytest.raises(NotOurs):
        read(archive[:-2] + struct.pack("<H", 4) + b"word")
