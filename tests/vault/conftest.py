"""A house to work in: a context on real stores, a clock that is moved by hand, and cheap derivations.

`house` is SQLite and a folder; `any_house` runs the test twice, the second time on PostgreSQL and S3; `reading_house` is `house`
with a confinement that really parses foreign files. Builders are in `tests.vault.builders`.
"""

import dataclasses
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from crypto.kem import public_key
from crypto.keys import KemSeed, SignSeed
from crypto.signing import Signer
from tests.engines import Engines, sqlite_engines
from tests.vault.clock import Clock
from tests.vault.remembered import told
from vault.confinement import Confinement
from vault.context import Context
from vault.derivations import Derivations
from vault.settings import SealKey, Settings, insecure_fast_kdf

MEMORY = Path("/dev/shm")
INCIDENT_SEED = KemSeed(bytes(range(32)))


@contextmanager
def in_memory() -> Iterator[Path]:
    """A folder in memory where the system has one, for tests that are not about disks: each commit waits for the disk."""
    with tempfile.TemporaryDirectory(prefix="abri-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Nothing here is about disks."""
    with in_memory() as folder:
        yield folder


@pytest.fixture
def clock() -> Clock:
    """Monday 23 November 2026, 11:00 in Paris, until the test moves it."""
    return Clock()


@pytest.fixture
def house(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Context]:
    """A context on SQLite and a folder."""
    with sqlite_engines(request, tmp_path) as engines:
        made = context_on(engines, tmp_path, clock, of_this_process())
        with told(made, engines):
            yield made


@pytest.fixture
def any_house(engines: Engines, tmp_path: Path, clock: Clock) -> Context:
    """A context on SQLite and a folder, then on PostgreSQL and S3."""
    return context_on(engines, tmp_path, clock)


@pytest.fixture(scope="session")
def confinement() -> Iterator[Confinement]:
    """One clean interpreter for all tests of this process."""
    with Confinement() as started:
        yield started


@pytest.fixture
def reading_house(house: Context, confinement: Confinement) -> Context:
    """The house, able to parse foreign files."""
    return dataclasses.replace(house, confinement=confinement)


@pytest.fixture
def any_reading_house(any_house: Context, confinement: Confinement) -> Context:
    """Either house, able to parse foreign files."""
    return dataclasses.replace(any_house, confinement=confinement)


@cache
def of_this_process() -> tuple[SignSeed, SealKey]:
    """The service's keys of every `house` in this process, so that what was built in one can be put back in the next."""
    return SignSeed.random(), SealKey.random()


def context_on(engines: Engines, folder: Path, clock: Clock, keys: tuple[SignSeed, SealKey] | None = None) -> Context:
    """A context with settings that no real house may have: cheap derivations, keys drawn for the test unless it brings them."""
    service, seal = keys or (SignSeed.random(), SealKey.random())
    settings = Settings(
        mode="embedded",
        folder=folder,
        database_url=engines.urls.main,
        vault_url=engines.urls.vault,
        tombstones_url=engines.urls.tombstones,
        blobs=f"folder:{folder}",
        s3_endpoint=None,
        s3_region="us-east-1",
        s3_access_key=None,
        s3_secret_key=None,
        host="127.0.0.1",
        port=8000,
        origins=("https://localhost:8000",),
        certificate=None,
        private_key=None,
        service_sign=service,
        service_seal=seal,
        root_keys={},  # builders add the administrators that they make
        incident_key=public_key(INCIDENT_SEED),
        cost=insecure_fast_kdf(),
        contact="Abri, 1 rue des Tilleuls",
    )
    return Context(
        settings=settings,
        database=engines.database,
        blobs=engines.blobs,
        keyvault=engines.keyvault,
        confinement=Confinement(),
        service=Signer(service),
        clock=clock,
        derivations=Derivations(2, 200, by_kiosk=200),
    )
