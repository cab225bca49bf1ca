"""What every store and every database promises; each adapter's test class inherits these tests and brings its own fixture."""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, exc, func, insert, select, update

from storage.blobs import BlobName, BlobStore, Stored
from storage.database import Database, after_commit, serialise
from storage.errors import BlobMissing, DatabaseBusy, NestedTransaction
from storage.s3 import PART

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

shelf = MetaData()
things = Table("things", shelf, Column("id", Integer, primary_key=True), Column("word", String(40)), Column("count", Integer))


class DatabaseContract:
    """Both engines, through `storage.database`."""

    @pytest.fixture
    def database(self, new_url: Callable[[], str]) -> Iterator[Database]:
        database = Database(new_url(), wait=1)
        shelf.create_all(database.engine)
        yield database
        database.close()

    def words(self, database: Database) -> list[str]:
        with database.transaction(read_only=True) as connection:
            return list(connection.scalars(select(things.c.word).order_by(things.c.id)))

    def test_what_is_written_stays(self, database: Database) -> None:
        with database.transaction() as connection:
            connection.execute(insert(things).values(id=1, word="été", count=0))
        assert self.words(database) == ["été"]

    @pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
    def test_any_exception_undoes_everything(self, database: Database, kind: type[BaseException]) -> None:
        def write_and_fail() -> None:
            with database.transaction() as connection:
                connection.execute(insert(things).values(id=1, word="a", count=0))
                raise kind("enough")

        with pytest.raises(kind):
            write_and_fail()
        assert self.words(database) == []

    def test_an_integrity_error_passes_under_its_own_name(self, database: Database) -> None:
        def write_twice() -> None:
            with database.transaction() as connection:
                connection.execute(insert(things).values(id=1, word="a", count=0))
                connection.execute(insert(things).values(id=1, word="b", count=0))

        with pytest.raises(exc.IntegrityError):
            write_twice()
        assert self.words(database) == []

    def test_a_reader_cannot_write(self, database: Database) -> None:
        def write() -> None:
            with database.transaction(read_only=True) as connection:
                connection.execute(insert(things).values(id=1, word="a", count=0))

        with pytest.raises(exc.DBAPIError, match=r"read-?only"):
            write()
        with database.transaction() as connection:  # and the connection it used is as good as before
            connection.execute(insert(things).values(id=2, word="b", count=0))
        assert self.words(database) == ["b"]

    def test_a_reader_sees_one_moment(self, database: Database) -> None:
        with database.transaction(read_only=True) as reader:
            assert reader.scalar(select(func.count()).select_from(things)) == 0
            with database.transaction() as writer:
                writer.execute(insert(things).values(id=1, word="a", count=0))
            assert reader.scalar(select(func.count()).select_from(things)) == 0
        assert self.words(database) == ["a"]

    def test_a_second_writer_in_the_same_thread_is_refused_at_once(self, database: Database) -> None:
        with database.transaction() as connection:
            with pytest.raises(NestedTransaction), database.transaction():
                pass
            with pytest.raises(NestedTransaction):
                database.secure(things)
            connection.execute(insert(things).values(id=1, word="a", count=0))
        assert self.words(database) == ["a"]

    def test_hooks_run_in_order_once_the_rows_are_there(self, database: Database) -> None:
        told: list[object] = []
        with database.transaction() as connection:
            connection.execute(insert(things).values(id=1, word="a", count=0))
            after_commit(connection, lambda: told.append(self.words(database)))
            after_commit(connection, lambda: told.append("second"))
            assert told == []
        assert told == [["a"], "second"]

    def test_hooks_do_not_run_when_all_is_undone(self, database: Database) -> None:
        told: list[str] = []

        def fail() -> None:
            with database.transaction() as connection:
                after_commit(connection, lambda: told.append("never"))
                raise ValueError

        with pytest.raises(ValueError):  # noqa: PT011 (raised two lines above)
            fail()
        with database.transaction():
            pass
        assert told == []

    def test_a_hook_that_fails_does_not_stop_the_others(self, database: Database) -> None:
        told: list[str] = []

        def fail() -> None:
            raise LookupError("hook")

        def write() -> None:
            with database.transaction() as connection:
                connection.execute(insert(things).values(id=1, word="a", count=0))
                after_commit(connection, fail)
                after_commit(connection, lambda: told.append("still"))

        with pytest.raises(LookupError):
            write()
        assert told == ["still"]
        assert self.words(database) == ["a"]

    def test_no_count_is_lost_between_writers(self, database: Database) -> None:
        with database.transaction() as connection:
            connection.execute(insert(things).values(id=1, word="a", count=0))

        def add_one(_: int) -> None:
            with database.transaction() as connection:
                serialise(connection, "count of thing 1")
                count = connection.scalar(select(things.c.count).where(things.c.id == 1))
                assert count is not None
                connection.execute(update(things).where(things.c.id == 1).values(count=count + 1))

        with ThreadPoolExecutor(10) as threads:
            list(threads.map(add_one, range(100)))
        with database.transaction(read_only=True) as connection:
            assert connection.scalar(select(things.c.count)) == 100

    def test_waiting_for_another_writer_ends(self, database: Database) -> None:
        with database.transaction() as connection:
            connection.execute(insert(things).values(id=1, word="a", count=0))
        second = Database(database.url, wait=0.2)  # as another process has it

        def write(to: Database) -> None:
            with to.transaction() as connection:
                connection.execute(update(things).values(word="b"))

        try:
            with database.transaction() as connection:
                connection.execute(update(things).values(word="c"))
                with pytest.raises(DatabaseBusy):
                    write(second)
            write(second)
        finally:
            second.close()
        assert self.words(database) == ["b"]

    def test_more_threads_than_connections(self, database: Database) -> None:
        small = Database(database.url, pool_size=1)
        try:
            with ThreadPoolExecutor(8) as threads:
                assert list(threads.map(lambda _: self.words(small), range(40))) == [[]] * 40
        finally:
            small.close()


class BlobStoreContract:
    """Both stores, through the protocol of `storage.blobs`."""

    @staticmethod
    def put(blobs: BlobStore, data: bytes) -> Stored:
        with blobs.writer() as writer:
            writer.write(data)
            return writer.commit()

    @pytest.mark.parametrize("size", [0, 1, 65_536, 1024 * 1024, 1024 * 1024 + 1, PART - 1, PART, PART + 1, 2 * PART + 77])
    def test_the_same_bytes_come_back(self, blobs: BlobStore, size: int) -> None:
        data = secrets.token_bytes(size)
        with blobs.writer() as writer:
            for start in range(0, size, 700_001):
                writer.write(data[start : start + 700_001])
            assert writer.digest() == hashlib.sha256(data).digest()
            stored = writer.commit()
        assert stored == Stored(writer.name, size, hashlib.sha256(data).digest())
        with blobs.open(stored.name) as reader:
            assert reader.size == size
            assert reader.read_at(0, size) == data
            assert b"".join(reader.chunks()) == data

    def test_any_kind_of_buffer_may_be_written(self, blobs: BlobStore) -> None:
        with blobs.writer() as writer:
            writer.write(b"one ")
            writer.write(bytearray(b"two "))
            writer.write(memoryview(b"three")[1:])
            stored = writer.commit()
        with blobs.open(stored.name) as reader:
            assert reader.read_at(0, 99) == b"one two hree"

    def test_the_writer_may_reuse_its_buffer(self, blobs: BlobStore) -> None:
        buffer = bytearray(b"first")
        with blobs.writer() as writer:
            writer.write(buffer)
            buffer[:] = b"other"
            writer.write(buffer)
            stored = writer.commit()
        with blobs.open(stored.name) as reader:
            assert reader.read_at(0, 99) == b"firstother"

    def test_ranges(self, blobs: BlobStore) -> None:
        data = secrets.token_bytes(2 * 1024 * 1024 + 5)
        name = self.put(blobs, data).name
        with blobs.open(name) as reader:
            for offset, length in [(0, 0), (0, 1), (10, 20), (1024 * 1024 - 3, 7), (len(data) - 5, 5), (len(data) - 5, 99)]:
                assert reader.read_at(offset, length) == data[offset : offset + length]
            assert reader.read_at(len(data), 10) == b""
            assert reader.read_at(len(data) + 10, 10) == b""
            pieces = list(reader.chunks(3, 1_500_000, size=700_000))
            assert [len(piece) for piece in pieces] == [700_000, 700_000, 100_000]
            assert b"".join(pieces) == data[3:1_500_003]
            assert b"".join(reader.chunks(len(data) - 2)) == data[-2:]
            assert list(reader.chunks(len(data))) == []

    def test_several_threads_read_the_same_blob(self, blobs: BlobStore) -> None:
        data = secrets.token_bytes(3 * 1024 * 1024)
        name = self.put(blobs, data).name
        with blobs.open(name) as reader, ThreadPoolExecutor(4) as threads:
            starts = range(0, len(data), 300_000)
            assert b"".join(threads.map(lambda start: reader.read_at(start, 300_000), starts)) == data

    def test_a_closed_reader_reads_nothing(self, blobs: BlobStore) -> None:
        name = self.put(blobs, b"x").name
        reader = blobs.open(name)
        reader.close()
        reader.close()
        with pytest.raises(ValueError, match="closed"):
            reader.read_at(0, 1)

    def test_nothing_exists_before_commit(self, blobs: BlobStore) -> None:
        with blobs.writer() as writer:
            writer.write(bytes(PART + 1))
            with pytest.raises(BlobMissing):
                blobs.open(writer.name)
            assert list(blobs.inventory()) == []
            writer.commit()
        assert [held.name for held in blobs.inventory()] == [writer.name]

    @pytest.mark.parametrize("size", [10, PART + 10])
    @pytest.mark.parametrize("kind", [None, ValueError, KeyboardInterrupt])
    def test_leaving_without_commit_leaves_nothing(self, blobs: BlobStore, size: int, kind: type[BaseException] | None) -> None:
        with ExitStack() as stack:
            if kind is not None:
                stack.enter_context(pytest.raises(kind))
            writer = stack.enter_context(blobs.writer())
            writer.write(bytes(size))
            if kind is not None:
                raise kind
        assert list(blobs.inventory()) == []
        assert blobs.clean(datetime.now(UTC) + timedelta(days=1)) == 0
        with pytest.raises(BlobMissing):
            blobs.open(writer.name)

    def test_a_writer_writes_one_blob(self, blobs: BlobStore) -> None:
        with blobs.writer() as writer:
            writer.write(b"x")
            writer.commit()
            writer.abandon()
            with pytest.raises(ValueError, match="already"):
                writer.write(b"y")
            with pytest.raises(ValueError, match="already"):
                writer.commit()
        with blobs.open(writer.name) as reader:
            assert reader.read_at(0, 9) == b"x"

    def test_names_are_drawn_anew_each_time(self, blobs: BlobStore) -> None:
        names = {self.put(blobs, b"same").name for _ in range(20)}
        assert len(names) == 20
        assert all(len(bytes.fromhex(name)) == 16 and name == name.lower() for name in names)

    def test_delete(self, blobs: BlobStore) -> None:
        kept, gone = self.put(blobs, b"kept"), self.put(blobs, b"gone")
        for _ in range(2):
            blobs.delete(gone.name)
            with pytest.raises(BlobMissing):
                blobs.open(gone.name)
        assert [held.name for held in blobs.inventory()] == [kept.name]

    @pytest.mark.parametrize(
        "bad", ["", ".", "..", "../x", "/etc/passwd", "AB" * 16, "a" * 31, "a" * 33, "a" * 31 + "\n", "a" * 32 + "\n"]
    )
    def test_a_malformed_name_is_a_missing_blob(self, blobs: BlobStore, bad: str) -> None:
        kept = self.put(blobs, b"kept")
        with pytest.raises(BlobMissing):
            blobs.open(BlobName(bad))
        blobs.delete(BlobName(bad))
        with blobs.open(kept.name) as reader:
            assert reader.read_at(0, 9) == b"kept"

    def test_inventory(self, blobs: BlobStore) -> None:
        before = datetime.now(UTC) - timedelta(seconds=2)
        sizes = {self.put(blobs, bytes(size)).name: size for size in (0, 3, 1000)}
        held = list(blobs.inventory())
        assert {one.name: one.size for one in held} == sizes
        assert len(held) == 3
        assert all(before <= one.modified <= datetime.now(UTC) + timedelta(seconds=2) for one in held)

    def test_check_accepts_a_store_that_works(self, blobs: BlobStore) -> None:
        blobs.check()

    def test_several_threads_write(self, blobs: BlobStore) -> None:
        def put(number: int) -> tuple[Stored, bytes]:
            data = number.to_bytes(2, "big") * 50_000
            return self.put(blobs, data), data

        with ThreadPoolExecutor(8) as threads:
            for stored, data in threads.map(put, range(24)):
                with blobs.open(stored.name) as reader:
                    assert reader.read_at(0, len(data)) == data
