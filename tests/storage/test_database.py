"""Rows on both engines, and what is particular to each."""

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from storage.database import Database
from storage.errors import DatabaseBusy, DatabaseUnreachable, NotSecured, StorageFull
from tests.servers import Postgres
from tests.storage.contracts import DatabaseContract, things

HOLD = """
import sqlite3, sys
sqlite3.connect(sys.argv[1], isolation_level=None).execute("BEGIN IMMEDIATE")
print("held", flush=True)
input()
"""


class TestSqlite(DatabaseContract):
    """SQLite."""

    @pytest.fixture
    def new_url(self, tmp_path: Path) -> Callable[[], str]:
        numbers = count()
        return lambda: f"sqlite:///{tmp_path / str(next(numbers))}.sqlite3"

    def test_settings_on_every_connection(self, database: Database) -> None:
        for _ in range(2):
            with database.transaction(read_only=True) as first, database.transaction() as second:
                for connection in (first, second):
                    told = {
                        name: connection.scalar(text(f"PRAGMA {name}"))
                        for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "temp_store")
                    }
                    assert told == {
                        "journal_mode": "wal",
                        "synchronous": 2,
                        "foreign_keys": 1,
                        "secure_delete": 1,
                        "temp_store": 2,
                    }

    def test_memory_is_refused(self) -> None:
        for url in ("sqlite://", "sqlite:///:memory:"):
            with pytest.raises(ValueError, match="file"):
                Database(url)

    def test_nobody_else_may_read(self, tmp_path: Path) -> None:
        previous = os.umask(0)
        try:
            database = Database(f"sqlite:///{tmp_path / 'new.sqlite3'}")
            with database.transaction() as connection:
                connection.execute(text("CREATE TABLE things (id INTEGER)"))
                modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.glob("new.sqlite3*")}
            database.close()
        finally:
            os.umask(previous)
        assert modes == dict.fromkeys(("new.sqlite3", "new.sqlite3-wal", "new.sqlite3-shm"), 0o600)

    def test_a_writer_in_another_process_makes_us_wait_then_say_so(self, database: Database) -> None:
        assert database.url.database
        command = [sys.executable, "-c", HOLD, database.url.database]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "held\n"
            with pytest.raises(DatabaseBusy), database.transaction():
                pass
            other.communicate("\n")
        with database.transaction() as connection:
            connection.execute(insert(things).values(id=1, word="a", count=0))

    def test_what_is_deleted_is_nowhere_in_the_files(self, database: Database) -> None:
        secret = "a word that must not stay"
        with database.transaction() as connection:
            connection.execute(insert(things).values(id=1, word=secret, count=0))
        with database.transaction() as connection:
            connection.execute(things.delete())
        assert secret.encode() in _files(database)
        database.secure(things)
        assert secret.encode() not in _files(database)

    def test_a_reader_of_old_rows_keeps_them_and_we_say_so(self, database: Database) -> None:
        with database.transaction() as connection:
            connection.execute(insert(things).values(id=1, word="old", count=0))
        with database.transaction(read_only=True) as reader:
            assert reader.scalars(select(things.c.word)).all() == ["old"]
            with database.transaction() as connection:
                connection.execute(things.delete())
            with pytest.raises(NotSecured):
                database.secure(things)
        database.secure(things)

    def test_no_room_left(self, database: Database) -> None:
        def fill() -> None:
            with database.transaction() as connection:
                connection.execute(text("PRAGMA max_page_count=20"))
                for number in range(10_000):
                    connection.execute(insert(things).values(id=number, word="x" * 40, count=0))

        with pytest.raises(StorageFull):
            fill()
        assert self.words(database) == []

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        database = Database(f"sqlite:///{tmp_path}/nowhere/x.sqlite3")
        with pytest.raises(DatabaseUnreachable), database.transaction():
            pass

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(b"certainly no database" * 100)
        database = Database(f"sqlite:///{tmp_path}/x")
        with pytest.raises(DatabaseUnreachable), database.transaction():
            pass
        database.close()


@pytest.mark.postgres
class TestPostgres(DatabaseContract):
    """PostgreSQL."""

    @pytest.fixture
    def new_url(self, postgres_url: Callable[[], str]) -> Callable[[], str]:
        return postgres_url

    def test_the_driver_need_not_be_said(self, database: Database) -> None:
        shorter = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        second = Database(shorter)
        assert self.words(second) == []
        second.close()

    def test_of_two_that_wait_for_each_other_one_goes_on(self, database: Database) -> None:
        with database.transaction() as connection:
            connection.execute(insert(things), [{"id": number, "word": "a", "count": 0} for number in (1, 2)])
        patient = Database(database.url, wait=20)
        both_hold_one = threading.Barrier(2)

        def cross(first: int, second: int) -> str:
            try:
                with patient.transaction() as connection:
                    connection.execute(things.update().where(things.c.id == first).values(word=f"{first} first"))
                    both_hold_one.wait(10)
                    connection.execute(things.update().where(things.c.id == second).values(word=f"{first} first"))
            except DatabaseBusy:
                return "busy"
            return f"{first} first"

        with ThreadPoolExecutor(2) as threads:
            ends = [end.result() for end in (threads.submit(cross, 1, 2), threads.submit(cross, 2, 1))]
        patient.close()
        assert ends.count("busy") == 1
        (winner,) = set(ends) - {"busy"}
        assert self.words(database) == [winner, winner]

    def test_a_lost_server_has_a_name_and_comes_back(self, database: Database, postgres_server: Postgres) -> None:
        with database.transaction() as connection:
            connection.execute(insert(things).values(id=1, word="kept", count=0))

        def lose_in_the_middle() -> None:
            with database.transaction() as connection:
                connection.execute(insert(things).values(id=2, word="lost", count=0))
                postgres_server.kill()
                connection.execute(insert(things).values(id=3, word="lost", count=0))

        try:
            with pytest.raises(DatabaseUnreachable):
                lose_in_the_middle()
            with pytest.raises(DatabaseUnreachable), database.transaction():
                pass
        finally:
            postgres_server.start()
        assert self.words(database) == ["kept"]

    def test_secure_accepts_tables(self, database: Database) -> None:
        database.secure(things)
        database.secure(things, rewrite=True)

    def test_an_old_view_prevents_securing_and_we_say_so(self, database: Database) -> None:
        with database.transaction() as connection:
            connection.execute(insert(things).values(id=1, word="old", count=0))
        with database.transaction(read_only=True) as reader:
            reader.scalar(select(1))  # a snapshot, and no lock on the table
            with database.transaction() as connection:
                connection.execute(things.delete())
            with pytest.raises(NotSecured):
                database.secure(things, rewrite=True)
        database.secure(things, rewrite=True)

    def test_a_role_without_the_right_is_told_so(self, database: Database) -> None:
        with database.transaction() as connection:
            connection.execute(text("CREATE ROLE plain LOGIN"))
        plain = Database(database.url.set(username="plain"))
        try:
            with pytest.raises(NotSecured):
                plain.forget_log()
        finally:
            plain.close()
            with database.transaction() as connection:
                connection.execute(text("DROP ROLE plain"))


def _files(database: Database) -> bytes:
    path = Path(str(database.url.database))
    return b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))
