"""A whole database as bytes, and back: what backups are made of. What these bytes are sealed with is not known here.

SQLite is copied by its own online backup into memory, so that nothing is written in clear beside the file; PostgreSQL by `pg_dump`
and `pg_restore`, through pipes. Tables named in `without` (open sessions) come out empty. Putting back is whole or not at all:
SQLite by a rename, PostgreSQL in one transaction.
"""

import os
import re
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, cast

from sqlalchemy import URL, MetaData, make_url, select

from storage.blobs import CHUNK, flush_folder
from storage.database import Database, renamed_errors
from storage.errors import CopyRefused, DatabaseUnreachable, ProgramMissing

SQLITE, POSTGRES = b"SQLite format 3\0", b"PGDMP"
_NAME = re.compile(r"[a-z_]+")


def dump(url: str, without: Sequence[str] = ()) -> Iterator[bytes]:
    """All of a database at one moment. Raises ProgramMissing, DatabaseUnreachable; what was given before is then worth nothing."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        yield from _sqlite_dump(Path(str(parsed.database)), without)
        return
    options = ["--format=custom", "--no-owner", "--no-privileges", *(f"--exclude-table-data={name}" for name in without)]
    yield from _output_of("pg_dump", options, parsed)


def load(url: str, pieces: Iterable[bytes]) -> None:
    """Put a copy back, all of it or nothing; what stood there must be `empty`. Raises CopyRefused, ProgramMissing."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        _sqlite_load(Path(str(parsed.database)), pieces)
        return
    _drop_tables(url)  # they hold nothing, and may be those of another version
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    for _ in _output_of("pg_restore", options, parsed, _checked(pieces, POSTGRES)):
        pass


def kind_of(url: str) -> str:
    """Which engine a database is on, for whoever must not put a copy of one into the other."""
    return "sqlite" if make_url(url).get_backend_name() == "sqlite" else "postgres"


def empty(url: str) -> bool:
    """Whether a database holds no row at all (tables without rows are nothing, nor is the number of the schema)."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(str(parsed.database)).exists():
        return True
    database = Database(url, pool_size=1)
    try:
        with renamed_errors(), database.engine.connect() as connection:
            found = MetaData()
            found.reflect(connection)
            tables = [table for table in found.tables.values() if table.name != "alembic_version"]
            return all(connection.execute(select(table).limit(1)).first() is None for table in tables)
    finally:
        database.close()


def clear(url: str) -> None:
    """Empty a database of everything: what a restore that died had put there."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        for end in ("", "-wal", "-shm", ".coming-back"):
            Path(f"{parsed.database}{end}").unlink(missing_ok=True)
        return
    _drop_tables(url)


def _drop_tables(url: str) -> None:
    database = Database(url, pool_size=1)
    try:
        with renamed_errors(), database.engine.begin() as connection:
            found = MetaData()
            found.reflect(connection)
            found.drop_all(connection)
    finally:
        database.close()


def values(pieces: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """What a copy holds, to be searched: (table and column, bytes) on SQLite, ("dump", a line of it) of PostgreSQL."""
    first, rest = _first(pieces)
    if first.startswith(POSTGRES):
        for line in _lines(_output_of("pg_restore", ["--file=-"], None, rest)):
            yield "dump", line
        return
    with _in_memory(rest) as memory:
        memory.text_factory = bytes
        for name in _tables(memory):
            cursor = memory.execute(f'SELECT * FROM "{name}"')  # noqa: S608 - the names are those of the copy's own tables
            columns = [column[0] for column in cursor.description]
            for row in cursor:
                for column, value in zip(columns, row, strict=True):
                    if value is not None:
                        yield f"{name}.{column}", value if isinstance(value, bytes) else str(value).encode()


# --- SQLite -------------------------------------------------------------------------------------------------------------------


def _sqlite_dump(file: Path, without: Sequence[str]) -> Iterator[bytes]:
    if not file.exists():
        raise DatabaseUnreachable("the database file is not there")
    with renamed_errors(), closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as source, closing(_memory()) as memory:
        source.backup(memory)
        memory.execute("PRAGMA secure_delete=ON")
        for name in without:
            if name in _tables(memory):
                memory.execute(f'DELETE FROM "{name}"')  # noqa: S608 - a name of ours, matched against the copy's own
        memory.commit()
        memory.execute("VACUUM")  # what was deleted stands in no page of the copy
        content = memory.serialize()
    for start in range(0, len(content), CHUNK):
        yield content[start : start + CHUNK]


def _sqlite_load(file: Path, pieces: Iterable[bytes]) -> None:
    """Beside its place under another name, then by a rename: who opens the database sees all of it, or what was there."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = file.with_name(f"{file.name}.coming-back")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as written:
        for piece in _checked(pieces, SQLITE):
            written.write(piece)
        written.flush()
        os.fsync(written.fileno())
    for log in (f"{file}-wal", f"{file}-shm"):  # of the empty database that stood here
        Path(log).unlink(missing_ok=True)
    beside.replace(file)
    flush_folder(file.parent)


def _memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:")


@contextmanager
def _in_memory(pieces: Iterable[bytes]) -> Iterator[sqlite3.Connection]:
    content = bytearray()
    for piece in _checked(pieces, SQLITE):
        content += piece
    with closing(_memory()) as memory:
        # A copy made from a database in WAL says so in two bytes of its head; memory knows no log.
        content[18:20] = b"\1\1"
        memory.deserialize(bytes(content))
        yield memory


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    names = [row[0].decode() if isinstance(row[0], bytes) else row[0] for row in rows]
    return [name for name in names if _NAME.fullmatch(name)]


# --- PostgreSQL ---------------------------------------------------------------------------------------------------------------


def _output_of(name: str, options: Sequence[str], url: URL | None, given: Iterable[bytes] = ()) -> Iterator[bytes]:
    """What a program of PostgreSQL writes, fed with what is given. Its password goes by its environment: arguments are seen by all."""
    program = shutil.which(name)
    if program is None:
        raise ProgramMissing(f"{name} is missing on this machine: install PostgreSQL's client programs, of the server's version")
    environment = {"PATH": os.defpath, "LC_ALL": "C", "PGCONNECT_TIMEOUT": "5"}
    where: list[str] = []
    if url is not None:
        if url.password is not None:
            environment["PGPASSWORD"] = str(url.password)
        where = [f"--dbname={url.set(drivername='postgresql', password=None).render_as_string(hide_password=False)}"]
    pipe = subprocess.PIPE
    process = subprocess.Popen([program, *where, *options], stdin=pipe, stdout=pipe, stderr=pipe, env=environment)  # noqa: S603 - found by `which`
    given_to, answers, words = cast("tuple[IO[bytes], ...]", (process.stdin, process.stdout, process.stderr))
    failures: list[BaseException] = []
    said: list[bytes] = []
    threads = [
        threading.Thread(target=_feed, args=(process, given_to, given, failures)),
        threading.Thread(target=lambda: said.append(words.read())),
    ]
    for thread in threads:
        thread.start()
    try:
        while piece := answers.read(CHUNK):
            yield piece
        process.wait()
    finally:
        process.kill()
        process.wait()
        for thread in threads:
            thread.join()
        answers.close()
        words.close()
    if failures:
        raise failures[0]
    if process.returncode:
        raise DatabaseUnreachable(f"{name} ended with {process.returncode}: {_last_line(b''.join(said))}")


def _feed(process: "subprocess.Popen[bytes]", given_to: IO[bytes], given: Iterable[bytes], failures: list[BaseException]) -> None:
    """Give the program its input; when the giving fails it must not take what it has for the whole."""
    try:
        for piece in given:
            given_to.write(piece)
    except BrokenPipeError:
        pass  # it ended before: its own words say why
    except BaseException as error:  # noqa: BLE001 - raised again by who reads
        failures.append(error)
        process.kill()
    with suppress(BrokenPipeError):
        given_to.close()


def _last_line(said: bytes) -> str:
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"


# --- Pieces -------------------------------------------------------------------------------------------------------------------


def _first(pieces: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first piece that is long enough to tell what it is, and all of them."""
    waiting = iter(pieces)
    head = b""
    for piece in waiting:
        head += piece
        if len(head) >= len(SQLITE):
            break

    def again() -> Iterator[bytes]:
        yield head
        yield from waiting

    return head, again()


def _checked(pieces: Iterable[bytes], kind: bytes) -> Iterator[bytes]:
    first, rest = _first(pieces)
    if not first.startswith(kind):
        raise CopyRefused("this copy was made on another engine, or is no copy of a database")
    yield from rest


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    yield rest
