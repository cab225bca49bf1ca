"""The trace as rows: leaves, numbers without gaps, one party's copies erased alone. On both pairs of engines."""

import hashlib
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from storage import journal
from storage.journal import Checkpoint, Copy, Found, Key, Party
from storage.tables import entries, trace_keys
from tests.engines import Engines


def write(engines: Engines, copies: dict[Party, Copy]) -> str:
    entry = str(uuid4())
    with engines.database.transaction() as connection:
        for party, copy in copies.items():
            journal.add_key(connection, key=copy.key, session="s", party=party, posted=b"posted")
        journal.append(connection, entry, copies)
    return entry


def read(engines: Engines, tags: list[bytes], party: Party) -> list[Found]:
    with engines.database.transaction(read_only=True) as connection:
        return journal.read(connection, tags, party)


def test_the_leaf_binds_every_party(engines: Engines) -> None:
    """Computed here from the words of the format alone."""
    entry = write(
        engines, {"person": Copy(b"p" * 16, "k1", b"for the person"), "incident": Copy(b"i" * 16, "k2", b"for the inquiry")}
    )
    leaf = b"\x01" + UUID(entry).bytes
    leaf += hashlib.sha256(b"for the person").digest() + bytes(32) + hashlib.sha256(b"for the inquiry").digest()
    assert len(leaf) == 113
    (found,) = read(engines, [b"p" * 16], "person")
    assert found == Found(entry, None, hashlib.sha256(b"\x00" + leaf).digest(), "k1", b"for the person")


def test_a_party_reads_only_what_is_under_its_tags(engines: Engines) -> None:
    january, february, other = (secrets.token_bytes(16) for _ in range(3))
    first = write(engines, {"person": Copy(january, "k", b"1"), "worker": Copy(other, "w", b"2")})
    second = write(engines, {"person": Copy(february, "k", b"3")})
    write(engines, {"person": Copy(other, "x", b"4")})
    assert journal.number(engines.database) == 3
    assert {found.entry for found in read(engines, [january, february], "person")} == {first, second}
    assert [found.envelope for found in read(engines, [other], "worker")] == [b"2"]
    assert read(engines, [secrets.token_bytes(16)], "person") == []


def test_keys_come_back_by_name(engines: Engines) -> None:
    with engines.database.transaction() as connection:
        for number in range(1200):
            journal.add_key(connection, key=f"k{number}", session=f"s{number}", party="person", posted=b"%d" % number)
        journal.add_key(connection, key="k0", session="other", party="person", posted=b"other")  # kept as it was
        found = journal.keys(connection, [f"k{number}" for number in range(0, 1200, 2)] + ["not there"])
    assert found == {f"k{number}": Key(f"s{number}", b"%d" % number) for number in range(0, 1200, 2)}


def test_numbers_follow_one_another_whoever_asks(engines: Engines) -> None:
    def work(turn: int) -> int:
        write(engines, {"person": Copy(b"t" * 16, f"k{turn}", b"x")})
        return journal.number(engines.database)

    with ThreadPoolExecutor(6) as threads:
        given = sum(threads.map(work, range(40)))
    given += journal.number(engines.database)
    assert given == 40
    assert sorted(found.number or 0 for found in read(engines, [b"t" * 16], "person")) == list(range(40))


def test_numbers_once_given_do_not_move(engines: Engines) -> None:
    first = [write(engines, {"person": Copy(b"t" * 16, f"a{n}", b"x")}) for n in range(5)]
    assert journal.number(engines.database, limit=3) == 3
    before = {found.entry: found.number for found in read(engines, [b"t" * 16], "person") if found.number is not None}
    assert sorted(before.values()) == [0, 1, 2]
    later = [write(engines, {"person": Copy(b"t" * 16, f"b{n}", b"x")}) for n in range(5)]
    assert journal.number(engines.database) == 7
    assert journal.number(engines.database) == 0
    found = read(engines, [b"t" * 16], "person")
    assert [one.number for one in found] == list(range(10))
    assert {one.entry for one in found} == {*first, *later}
    assert all(before.get(one.entry, one.number) == one.number for one in found)


def test_what_is_undone_gets_no_number_and_leaves_no_gap(engines: Engines) -> None:
    def fail() -> None:
        with engines.database.transaction() as connection:
            journal.add_key(connection, key="k", session="s", party="person", posted=b"x")
            journal.append(connection, str(uuid4()), {"person": Copy(b"t" * 16, "k", b"x")})
            raise ValueError("undone")

    write(engines, {"person": Copy(b"t" * 16, "k0", b"x")})
    with pytest.raises(ValueError, match="undone"):
        fail()
    write(engines, {"person": Copy(b"t" * 16, "k1", b"x")})
    assert journal.number(engines.database) == 2
    assert [found.number for found in read(engines, [b"t" * 16], "person")] == [0, 1]


def test_what_is_not_committed_yet_waits_for_its_number(engines: Engines) -> None:
    """On PostgreSQL two use cases write at once; on SQLite the second waits, and the sequencer with it."""
    if engines.name == "sqlite":
        write(engines, {"person": Copy(b"t" * 16, "k", b"x")})
        assert journal.number(engines.database) == 1
        return
    late = str(uuid4())
    with ThreadPoolExecutor(1) as other, engines.database.transaction() as connection:
        journal.add_key(connection, key="late", session="s", party="person", posted=b"x")
        journal.append(connection, late, {"person": Copy(b"t" * 16, "late", b"x")})

        def meanwhile() -> int:
            write(engines, {"person": Copy(b"t" * 16, "k", b"x")})
            return journal.number(engines.database)

        assert other.submit(meanwhile).result(20) == 1
    assert journal.number(engines.database) == 1
    assert [found.entry for found in read(engines, [b"t" * 16], "person")][1] == late


def test_one_party_is_erased_alone_and_the_leaves_stay(engines: Engines) -> None:
    mine, theirs = b"m" * 16, b"w" * 16
    written = [
        write(engines, {"person": Copy(mine, f"p{number // 2}", b"p"), "worker": Copy(theirs, "shared", b"w")})
        for number in range(3)
    ]
    other = write(engines, {"person": Copy(b"o" * 16, "p1", b"another month, same session")})
    journal.number(engines.database)
    with engines.database.transaction() as connection:
        before = journal.leaves(connection, 0, 4)
        assert sorted(journal.erase_copies(connection, [mine], "person")) == sorted(written)
        assert journal.erase_copies(connection, [mine], "person") == []
    assert read(engines, [mine], "person") == []
    assert len(read(engines, [theirs], "worker")) == 3
    assert [found.entry for found in read(engines, [b"o" * 16], "person")] == [other]
    with engines.database.transaction(read_only=True) as connection:
        assert journal.leaves(connection, 0, 4) == before
        assert set(connection.scalars(select(trace_keys.c.id))) == {"shared", "p1"}, "p0 has no copy left; p1 still opens one"
        assert connection.scalar(select(func.count()).select_from(entries)) == 4


def test_leaves_by_range(engines: Engines) -> None:
    for number in range(6):
        write(engines, {"person": Copy(b"t" * 16, f"k{number}", b"x")})
    journal.number(engines.database, limit=5)
    with engines.database.transaction(read_only=True) as connection:
        every = journal.leaves(connection, 0, 100)
        assert len(every) == 5
        assert len(set(every)) == 5
        assert journal.leaves(connection, 1, 3) == every[1:3]


def test_checkpoints(engines: Engines) -> None:
    at = datetime(2026, 11, 23, 8, 30, 15, 123_000, tzinfo=UTC)
    with engines.database.transaction() as connection:
        assert journal.last_checkpoint(connection) is None
        journal.keep_checkpoint(connection, Checkpoint(3, b"r" * 32, "abri\n3\nété\n", at))
        journal.keep_checkpoint(connection, Checkpoint(2, b"q" * 32, "abri\n2\n", at))
        assert journal.last_checkpoint(connection) == Checkpoint(3, b"r" * 32, "abri\n3\nété\n", at)
