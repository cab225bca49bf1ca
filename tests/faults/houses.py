"""Services on one set of stores, the stores seen from inside, and what they hold."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import func, select

from storage.blobs import FolderStore
from storage.s3 import S3Store
from storage.tables import objects, papers, persons
from tests.faults import service
from tests.faults.service import Service, Stores, Upload
from vault.context import Context


@dataclass(frozen=True)
class House:
    """Services on one set of stores, and the stores from inside."""

    stores: Stores
    services: list[Service]
    inside: Context

    @property
    def one(self) -> Service:
        return self.services[0]

    @property
    def two(self) -> Service:
        return self.services[1]


@contextmanager
def lived_in(stores: Stores, count: int) -> Iterator[House]:
    """Start so many services on these stores."""
    with service.running(stores, count) as services, stores.context() as inside:
        yield House(stores, services, inside)


def unfinished(house: Context) -> int:
    """Blobs being written."""
    store = house.blobs
    if isinstance(store, FolderStore):
        return len(list((store.root / "partial").iterdir()))
    assert isinstance(store, S3Store)
    return len(store.client.list_multipart_uploads(Bucket=store.settings.bucket).get("Uploads", []))


@dataclass(frozen=True)
class Held:
    """What is kept: the blobs, those that rows name, how many papers, how much room they take."""

    blobs: frozenset[str]
    named: frozenset[str]
    papers: int
    room: int
    unfinished: int


def held(house: Context) -> Held:
    """Look at the stores from inside."""
    with house.database.transaction(read_only=True) as connection:
        named = frozenset(connection.execute(select(objects.c.blob)).scalars())
        count = connection.execute(select(func.count()).select_from(papers)).scalar_one()
        room = connection.execute(select(func.coalesce(func.sum(persons.c.bytes_kept), 0))).scalar_one()
    return Held(frozenset(str(one.name) for one in house.blobs.inventory()), named, count, int(room), unfinished(house))


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for it."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.05)


def keep(house: House, token: str, title: str, size: int = 100_000) -> int:
    """Put a small paper in; the status."""
    upload = Upload(house.one, token, size, title=title)
    upload.send()
    return upload.answer()
