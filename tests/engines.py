"""Real engines for tests, both ways that the service runs: SQLite with a folder, PostgreSQL with S3.

Servers start when first asked for, one of each per test process. Each test gets databases and buckets that nobody else sees, so
that tests run in any order and side by side (pytest-xdist).
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Dialect

from storage.blobs import BlobStore, FolderStore
from storage.database import Database
from storage.keyvault import KeyVault
from storage.migrate import Urls, upgrade
from storage.s3 import S3Settings, S3Store
from tests.servers import Postgres, Weed

PARTS = ("main", "vault", "tombstones")


@dataclass(frozen=True)
class Engines:
    """Everything that keeps something, migrated and empty. `name` is "sqlite" or "postgres"."""

    name: str
    database: Database
    blobs: BlobStore
    keyvault: KeyVault
    urls: Urls
    blob_place: Path | S3Settings


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """One PostgreSQL for all tests of this process."""
    server = Postgres()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Weed]:
    """One S3 server for all tests of this process."""
    server = Weed()
    yield server
    server.remove()


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Make fresh empty databases on PostgreSQL."""
    made: list[str] = []

    def make() -> str:
        made.append(request.getfixturevalue("postgres_server").url())
        return made[-1]

    yield make
    for url in made:
        request.getfixturevalue("postgres_server").drop(url)


@pytest.fixture
def s3_bucket(request: pytest.FixtureRequest) -> Callable[[], S3Settings]:
    """Make fresh places in a bucket that keeps versions."""
    return lambda: request.getfixturevalue("s3_server").bucket()


@pytest.fixture(scope="session")
def sqlite_templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three SQLite files with all tables, to copy."""
    folder = tmp_path_factory.mktemp("templates")
    upgrade(sqlite_urls(folder))
    return folder


POSTGRES_AND_S3 = pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.s3])


@pytest.fixture(params=["sqlite", POSTGRES_AND_S3])
def engines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engines]:
    """Both ways to run the service, migrated and empty: SQLite with a folder, PostgreSQL with S3."""
    make = sqlite_engines if request.param == "sqlite" else postgres_engines
    with make(request, tmp_path) as made:
        yield made


@contextmanager
def sqlite_engines(request: pytest.FixtureRequest, folder: Path) -> Iterator[Engines]:
    """SQLite files and a folder of blobs, below `folder`."""
    templates = request.getfixturevalue("sqlite_templates")
    rows = folder / "rows"
    rows.mkdir()
    for part in PARTS:
        shutil.copy(templates / f"{part}.sqlite3", rows / f"{part}.sqlite3")
    with _opened("sqlite", sqlite_urls(rows), folder / "blobs") as made:
        yield made


@contextmanager
def postgres_engines(request: pytest.FixtureRequest, _folder: Path) -> Iterator[Engines]:
    """Three fresh databases on PostgreSQL, and a fresh place in a bucket."""
    server: Postgres = request.getfixturevalue("postgres_server")
    bucket: S3Settings = request.getfixturevalue("s3_server").bucket()
    urls = server.migrated()
    try:
        with _opened("postgres", urls, bucket) as made:
            yield made
    finally:
        server.give_back(urls)


@contextmanager
def _opened(name: str, urls: Urls, place: Path | S3Settings) -> Iterator[Engines]:
    with ExitStack() as stack:
        database = Database(urls.main)
        stack.callback(database.close)
        keyvault = KeyVault(urls.vault, urls.tombstones)
        stack.callback(keyvault.close)
        blobs: BlobStore = S3Store(place) if isinstance(place, S3Settings) else FolderStore(place)
        stack.callback(blobs.close)
        for one in (database, keyvault.database, keyvault.graveyard):
            keep_what_is_compiled(one)
        yield Engines(name, database, blobs, keyvault, urls, place)


dialects: dict[str, Dialect] = {}
compiled: dict[object, object] = {}


def keep_what_is_compiled(database: Database) -> None:
    """Let this engine use the statements that engines before it compiled in this process: a tenth of the time of most tests."""
    engine = database.engine
    if engine.dialect.name not in dialects:
        with engine.connect():  # the first connection tells a dialect what its server can do
            dialects[engine.dialect.name] = engine.dialect
    engine.dialect = dialects[engine.dialect.name]
    engine.update_execution_options(compiled_cache=compiled)


def sqlite_urls(folder: Path) -> Urls:
    """Tell where the three databases stand in a folder."""
    return Urls(*(f"sqlite:///{folder / part}.sqlite3" for part in PARTS))
