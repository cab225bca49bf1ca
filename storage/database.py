"""Rows: one engine, one way to open a transaction, on SQLite and on PostgreSQL.

Both engines are made to behave alike, so that a use case proven on one holds on the other:

- a write transaction sees what others committed (SQLite: one writer at a time; PostgreSQL: READ COMMITTED with explicit locks
  through `serialise` or `with_for_update`, hence no serialization failure and no silent second run of a use case);
- a read-only transaction sees one moment for all its statements and cannot write;
- a write transaction inside another one of the same thread is refused at once, instead of waiting for itself.
"""

import hashlib
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any, cast

import psycopg
from sqlalchemy import URL, Connection, Engine, Select, Table, create_engine, event, exc, make_url, text
from sqlalchemy.dialects import postgresql, sqlite

from storage.errors import DatabaseBusy, DatabaseUnreachable, NestedTransaction, NotSecured, StorageError, StorageFull
from storage.turns import FairLock

WAIT_SECONDS = 10
_HOOKS = "abri_after_commit"
_READ_ONLY = "abri_read_only"
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
    "PRAGMA temp_store=MEMORY",
)
_PG_SETTINGS = "-c statement_timeout=60s -c idle_in_transaction_session_timeout=120s -c lock_timeout="


class Database:
    """One database and its pool of connections, safe to share between threads, never to carry across a fork.

    `url`: `sqlite:////absolute/path` or `postgresql://user@host/name` (psycopg 3 is meant, whether said or not). `wait`: seconds
    that anything waits for another transaction before DatabaseBusy or NotSecured.
    """

    def __init__(self, url: str | URL, *, pool_size: int = 20, wait: float = WAIT_SECONDS) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite and parsed.database in (None, "", ":memory:"):
            raise ValueError("SQLite needs a file: what lives in memory is not kept")
        self.url = parsed if self.is_sqlite else parsed.set(drivername="postgresql+psycopg")
        self.wait = wait
        self.engine = (_sqlite_engine if self.is_sqlite else _postgres_engine)(self.url, pool_size, wait)
        self._writers = FairLock()
        self._mine = threading.local()

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[Connection]:
        """Open a transaction, commit at the end, undo it on any exception.

        Raises DatabaseBusy, DatabaseUnreachable, StorageFull, NestedTransaction. Integrity errors pass as they are.
        """
        hooks: list[Callable[[], None]] = []
        with renamed_errors(), self._turn(read_only), self.engine.connect() as connection:
            connection.execution_options(**{_HOOKS: hooks, _READ_ONLY: read_only})
            with self._reader(connection) if read_only else connection.begin():
                yield connection
        with ExitStack() as stack:  # every hook runs, in order, even when one raises
            for hook in reversed(hooks):
                stack.callback(hook)

    @contextmanager
    def _turn(self, read_only: bool) -> Iterator[None]:
        """Let one thread of this process write at a time on SQLite: its own waiting is unfair (worst wait 2.0 -> 0.65 s)."""
        if read_only:
            yield
            return
        if getattr(self._mine, "writing", False):
            raise NestedTransaction("this thread already writes in this database")
        if self.is_sqlite and not self._writers.acquire(timeout=self.wait):
            raise DatabaseBusy("another thread of this process kept writing")
        self._mine.writing = True
        try:
            yield
        finally:
            self._mine.writing = False
            if self.is_sqlite:
                self._writers.release()

    @contextmanager
    def _reader(self, connection: Connection) -> Iterator[None]:
        if not self.is_sqlite:
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield
            return
        driver = cast("sqlite3.Connection", connection.connection.dbapi_connection)
        driver.execute("PRAGMA query_only=ON")
        try:
            with connection.begin():
                yield
        finally:
            driver.execute("PRAGMA query_only=OFF")

    def secure(self, *tables: Table, rewrite: bool = False) -> None:
        """Make sure that what was deleted from these tables no longer stands in the files of the database.

        SQLite overwrites deleted rows itself (`secure_delete`), but its log keeps what was written before: it is emptied.
        PostgreSQL's VACUUM gives the place of deleted rows back. Both still leave bytes behind in the unused part of a page,
        SQLite after moving rows between pages, PostgreSQL until something is written there (both measured): harmless for what
        is sealed. `rewrite` is for rows that are keys: SQLite copies the whole file, PostgreSQL the table, under an exclusive
        lock; 5 ms for a few rows, 45 to 75 ms for 20,000. Raises NotSecured, DatabaseBusy, DatabaseUnreachable.
        """
        with renamed_errors(), self._turn(read_only=False):
            if self.is_sqlite:
                if rewrite:
                    self._command("VACUUM")
                self._empty_log()
                return
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                for table in tables:
                    name = self.engine.dialect.identifier_preparer.format_table(table)
                    if rewrite:
                        _until_true(
                            partial(_rewritten, connection, name), self.wait, "an old transaction still sees deleted rows"
                        )
                    else:
                        connection.execute(text(f"VACUUM {name}"))

    def forget_log(self) -> None:
        """Make the log of changes, which repeats what was written, forget what is older than this moment.

        PostgreSQL removes whole segments, if it runs with `wal_recycle=off` and the role may call `pg_switch_wal` and CHECKPOINT
        (roles pg_checkpoint, and EXECUTE granted); archived segments are backups. To be asked once a day of a key vault.
        """
        with renamed_errors(), self._turn(read_only=False):
            if self.is_sqlite:
                self._empty_log()
                return
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                try:
                    connection.execute(text("SELECT pg_switch_wal()"))
                    connection.execute(text("CHECKPOINT"))
                except exc.ProgrammingError as error:
                    raise NotSecured("this role may not make PostgreSQL's log forget") from error

    def _empty_log(self) -> None:
        def emptied() -> bool:
            return not self._command("PRAGMA wal_checkpoint(TRUNCATE)")[0]

        _until_true(emptied, self.wait, "a reader holds an old view of the database")

    def _command(self, command: str) -> Any:
        """Run one of SQLite's commands that live outside of transactions."""
        connection = self.engine.raw_connection()
        try:
            return connection.cursor().execute(command).fetchone()
        finally:
            connection.close()

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self.engine.dispose()


class LookUp:
    """One row by its key without the cost of a transaction: compiled once, sent through the driver itself, in autocommit."""

    def __init__(self, database: Database, statement: Select[Any]) -> None:
        self._engine = database.engine
        self._sets_autocommit = not database.is_sqlite  # SQLite's driver is always left in autocommit, see `_sqlite_engine`
        compiled = statement.compile(dialect=database.engine.dialect)
        self._sql = str(compiled)
        self._order = compiled.positiontup

    def __call__(self, values: dict[str, str]) -> tuple[Any, ...] | None:
        """Give the first row, in the driver's own types; None when there is none."""
        with renamed_errors():
            connection = self._engine.raw_connection()
            driver = cast("Any", connection.driver_connection)
            try:
                if self._sets_autocommit:
                    driver.autocommit = True
                cursor = driver.execute(self._sql, values if self._order is None else [values[name] for name in self._order])
                found: tuple[Any, ...] | None = cursor.fetchone()
                cursor.close()
                if self._sets_autocommit:
                    driver.autocommit = False
            except BaseException:
                connection.invalidate()
                raise
            connection.close()
            return found


def after_commit(connection: Connection, callback: Callable[[], None]) -> None:
    """Call `callback` once the transaction of `connection` is durable; never if it is undone."""
    connection.get_execution_options()[_HOOKS].append(callback)


def serialise(connection: Connection, name: str) -> None:
    """Wait until no other transaction holds `name`, and hold it until the end of this one.

    A statement of its own, asked as late as possible: what is read afterwards includes what the previous holder committed.
    SQLite has a single writer already.
    """
    if connection.dialect.name == "postgresql":
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def insert_once(connection: Connection, table: Table, *rows: Mapping[str, Any]) -> int:
    """Insert rows, but not those that break a unique key: they are there already. Tells how many were new.

    Waits for another transaction that inserts the same; afterwards its rows can be read in this one.
    """
    statement = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table).on_conflict_do_nothing()
    statement = statement.execution_options(preserve_rowcount=True)
    return sum(connection.execute(statement, row).rowcount for row in rows)


def _rewritten(connection: Connection, table: str) -> bool:
    """Copy the living rows of a table into a new file; False when an old transaction made PostgreSQL copy dead ones too."""
    details: list[str] = []
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)

    def listen(notice: psycopg.errors.Diagnostic) -> None:
        details.append(notice.message_detail or "")

    driver.add_notice_handler(listen)
    try:
        connection.execute(text(f"VACUUM (FULL, VERBOSE) {table}"))
    finally:
        driver.remove_notice_handler(listen)
    # "0 dead row versions cannot be removed yet.": the number comes first, in whatever language the server speaks
    dead = [int(number) for number in re.findall(r"\A\D*(\d+)", "\n".join(details))]
    return dead == [0]


def _until_true(done: Callable[[], bool], wait: float, otherwise: str) -> None:
    end = time.monotonic() + wait
    while not done():
        if time.monotonic() > end:
            raise NotSecured(otherwise)
        time.sleep(0.02)


def _sqlite_engine(url: URL, pool_size: int, wait: float) -> Engine:
    engine = create_engine(url, pool_size=pool_size, max_overflow=pool_size, pool_timeout=wait)

    @event.listens_for(engine, "do_connect")
    def make(_dialect: Any, _record: Any, place: Sequence[str], _options: Any) -> None:
        # Read by its owner alone, whatever the habit of the process; the log and the index beside it take the same mode from it.
        with suppress(OSError):  # it is there, or cannot be: SQLite says which
            os.close(os.open(place[0], os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))

    @event.listens_for(engine, "connect")
    def connect(driver: sqlite3.Connection, _record: Any) -> None:
        driver.isolation_level = None  # the driver would open transactions by itself, and too late
        driver.execute(f"PRAGMA busy_timeout={int(wait * 1000)}")
        for pragma in _PRAGMAS:
            driver.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred transaction that reads and then writes fails at once with "database is locked", whatever the timeout.
        read_only = connection.get_execution_options().get(_READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _postgres_engine(url: URL, pool_size: int, wait: float) -> Engine:
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=wait,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "client_encoding": "utf8", "options": f"{_PG_SETTINGS}{int(wait * 1000)}"},
    )


@contextmanager
def renamed_errors() -> Iterator[None]:
    """Give drivers' errors the names of `storage.errors`; those that speak of the statement itself pass as they are."""
    try:
        yield
    except exc.TimeoutError as error:
        raise DatabaseBusy("all connections are taken") from error
    except exc.DBAPIError as error:
        renamed = rename(error.orig)
        if renamed is None:
            raise
        raise renamed from error
    except (sqlite3.Error, psycopg.Error) as error:  # from the driver itself, not through SQLAlchemy
        renamed = rename(error)
        if renamed is None:
            raise
        raise renamed from error


_SQLITE_NAMES: dict[int, tuple[type[StorageError], str]] = {
    sqlite3.SQLITE_BUSY: (DatabaseBusy, "another process kept writing"),
    sqlite3.SQLITE_LOCKED: (DatabaseBusy, "another connection kept writing"),
    sqlite3.SQLITE_FULL: (StorageFull, "the disk of the database is full"),
    sqlite3.SQLITE_CANTOPEN: (DatabaseUnreachable, "the database file cannot be opened"),
    sqlite3.SQLITE_IOERR: (DatabaseUnreachable, "the database file cannot be read or written"),
    sqlite3.SQLITE_NOTADB: (DatabaseUnreachable, "the file is not a database"),
    sqlite3.SQLITE_CORRUPT: (DatabaseUnreachable, "the database file is damaged"),
}


def rename(error: BaseException | None) -> StorageError | None:
    """Find the name of a driver's error; None when it speaks of the statement, not of the state of the database."""
    if isinstance(error, sqlite3.Error):
        found = _SQLITE_NAMES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        return found[0](found[1]) if found else None
    if isinstance(error, psycopg.Error):
        return _rename_postgres(error)
    return None


def _rename_postgres(error: psycopg.Error) -> StorageError | None:
    state = error.sqlstate
    if state is None:
        return DatabaseUnreachable("PostgreSQL does not answer") if isinstance(error, psycopg.OperationalError) else None
    if state in ("40P01", "55P03", "40001", "57014"):
        return DatabaseBusy("another writer kept its lock")
    if state == "53100":
        return StorageFull("the disk of the database is full")
    if state[:2] in ("08", "28", "3D", "53", "57"):
        return DatabaseUnreachable("PostgreSQL refuses connections")
    return None
