"""Bring the three databases to the tables of `storage.tables`, each in one transaction, one process at a time."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData

from storage.database import Database, renamed_errors, serialise
from storage.errors import WrongRevision
from storage.tables import metadata, tombstone_metadata, vault_metadata

Which = Literal["main", "vault", "tombstones"]
TABLES: dict[Which, MetaData] = {"main": metadata, "vault": vault_metadata, "tombstones": tombstone_metadata}
FOLDER = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class Urls:
    """Where the three databases are."""

    main: str
    vault: str
    tombstones: str

    def of(self, which: Which) -> str:
        """Tell the address of one of them."""
        return {"main": self.main, "vault": self.vault, "tombstones": self.tombstones}[which]


def upgrade(urls: Urls, *only: Which) -> None:
    """Run what is pending, everywhere or `only` there; a database that fails keeps its tables.

    Raises WrongRevision, DatabaseBusy, DatabaseUnreachable.
    """
    for which in only or TABLES:
        with _opened(urls.of(which)) as connection:
            serialise(connection, "abri migrations")
            with _named_errors():
                command.upgrade(configuration(which, connection), "head")


def current(urls: Urls) -> dict[Which, str | None]:
    """Tell the revision at which each database is; None before the first."""
    found: dict[Which, str | None] = {}
    for which in TABLES:
        with _opened(urls.of(which)) as connection:
            found[which] = MigrationContext.configure(connection).get_current_revision()
    return found


def pending(urls: Urls) -> dict[Which, list[str]]:
    """Tell the revisions that each database still lacks, in order. Raises WrongRevision for a database of a newer version."""
    lacking: dict[Which, list[str]] = {}
    for which, at in current(urls).items():
        scripts = ScriptDirectory.from_config(configuration(which))
        with _named_errors():
            lacking[which] = [script.revision for script in scripts.iterate_revisions("head", at or "base")][::-1]
    return lacking


def configuration(which: Which, connection: Connection | None = None) -> Config:
    """Say to Alembic where the revisions of a database are, and over which connection to speak."""
    config = Config()
    config.set_main_option("path_separator", "newline")
    config.set_main_option("script_location", _escaped(FOLDER))
    config.set_main_option("version_locations", _escaped(FOLDER / "versions" / which))
    config.attributes.update(connection=connection, metadata=TABLES[which])
    return config


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")


@contextmanager
def _opened(url: str) -> Iterator[Connection]:
    """One transaction. SQLite changes a table by copying it: foreign keys are checked once, at the end, and not during it."""
    database = Database(url, pool_size=1)
    try:
        with renamed_errors(), database.engine.connect() as connection:
            if not database.is_sqlite:
                with connection.begin():
                    yield connection
                return
            driver = cast("sqlite3.Connection", connection.connection.dbapi_connection)
            driver.execute("PRAGMA foreign_keys=OFF")
            with connection.begin():
                yield connection
                if driver.execute("PRAGMA foreign_key_check").fetchone():
                    raise WrongRevision("a revision broke the ties between tables: nothing was changed")
    finally:
        database.close()


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except (CommandError, RevisionError) as error:
        raise WrongRevision("this database was made by a newer version of Abri") from error
