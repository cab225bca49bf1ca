"""A full disk, a lost store, a silent key vault, a full safe: the deposit is refused and nothing of it is left anywhere."""

import dataclasses
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, func, select

from consent.purposes import ShelfKind
from storage.blobs import BlobName, BlobReader, BlobStore, Held
from storage.errors import DatabaseUnreachable, StorageError, StorageFull, StoreUnreachable, VaultUnreachable
from storage.tables import entries, objects, papers, persons, versions
from tests.vault.builders import make_person
from tests.vault.clock import Clock
from tests.vault.papers import keep, picture, read
from tests.vault.test_reencryption import DeadlyStore
from vault import documents, orphans, space
from vault.context import Context
from vault.errors import TooMuch
from vault.incoming import Incoming
from vault.refusals import TooHeavy, UnknownKind, Unreadable

WHATEVER_ITS_AGE = timedelta(days=-36500)  # blobs carry the time of the machine, which no test moves


class FailingReaper:
    """Fails at the n-th step, as a store does."""

    def __init__(self, step: int, error: StorageError) -> None:
        self.left, self.error = step, error

    def passes(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise self.error


class LostStore:
    """A store that took what it was given and then went away: nothing can even be deleted."""

    def __init__(self, store: BlobStore, commits: int) -> None:
        self._store, self._left = store, commits

    def writer(self) -> Any:
        if self._left == 0:
            raise StoreUnreachable("gone")
        self._left -= 1
        return self._store.writer()

    def delete(self, *_name: object) -> None:
        raise StoreUnreachable("gone")

    def open(self, name: BlobName) -> BlobReader:
        return self._store.open(name)

    def inventory(self) -> Iterator[Held]:
        return self._store.inventory()

    def clean(self, before: datetime) -> int:
        return self._store.clean(before)

    def check(self) -> None:
        self._store.check()

    def close(self) -> None:
        self._store.close()


class SilentVault:
    """A key vault that does not answer."""

    def derive(self, *_asked: object) -> bytes:
        raise VaultUnreachable("silent")


def counts(house: Context) -> tuple[Any, ...]:
    with house.database.transaction(read_only=True) as connection:
        tables = [connection.scalar(select(func.count()).select_from(one)) for one in (papers, versions, objects, entries)]
        return (*tables, *connection.execute(select(persons.c.bytes_kept, persons.c.pages_kept)).one())


def test_a_disk_that_fills_up_at_any_moment_leaves_nothing(any_house: Context) -> None:
    awa = make_person(any_house)
    before, step = counts(any_house), 0
    while True:
        step += 1
        full: Any = FailingReaper(step, StorageFull("full"))
        try:
            keep(dataclasses.replace(any_house, blobs=DeadlyStore(any_house.blobs, full)), awa.session)
        except StorageFull:
            assert counts(any_house) == before
            orphans.sweep(any_house, older_than=WHATEVER_ITS_AGE)  # a store may have kept what it says it has no room for
            assert list(any_house.blobs.inventory()) == []
            continue
        break
    assert step > 9
    assert documents.count(any_house, awa.session) == 1


def test_a_store_that_goes_away_leaves_orphans_that_the_sweep_finds(house: Context, clock: Clock) -> None:
    awa = make_person(house)
    before = counts(house)
    lost: Any = LostStore(house.blobs, 2)
    with pytest.raises(StoreUnreachable):
        keep(dataclasses.replace(house, blobs=lost), awa.session)
    assert counts(house) == before
    assert len(list(house.blobs.inventory())) == 2
    assert orphans.sweep(dataclasses.replace(house, clock=lambda: datetime.now(clock.now.tzinfo))) == 0  # too young to be one
    assert orphans.sweep(house, older_than=WHATEVER_ITS_AGE) == 2
    assert list(house.blobs.inventory()) == []


def test_without_the_key_vault_nothing_is_deposited_and_nothing_opens(house: Context) -> None:
    awa = make_person(house)
    paper = keep(house, awa.session)
    before, stored = counts(house), len(list(house.blobs.inventory()))
    silent: Any = SilentVault()
    deaf = dataclasses.replace(house, keyvault=silent)
    with pytest.raises(VaultUnreachable):
        keep(deaf, awa.session)
    with pytest.raises(VaultUnreachable):
        read(deaf, awa.session, paper)
    assert (counts(house), len(list(house.blobs.inventory()))) == (before, stored)


def test_a_database_that_fails_in_the_commit_leaves_its_blobs_to_the_sweep(house: Context) -> None:
    awa = make_person(house)
    before = counts(house)

    gone: list[bool] = []

    def lost(connection: Connection) -> None:
        gone.extend([True] if not connection.get_execution_options()["abri_read_only"] else [])
        if gone:  # from the first commit of something written on
            raise DatabaseUnreachable("in the commit")

    event.listen(house.database.engine, "commit", lost)
    try:
        with pytest.raises(StorageError):
            keep(house, awa.session)
    finally:
        event.remove(house.database.engine, "commit", lost)
    assert counts(house) == before
    assert len(list(house.blobs.inventory())) == 3  # nobody knew whether the rows were written
    assert orphans.sweep(house, older_than=-10000 * orphans.age(house)) == 3


def limited(house: Context, *, size: int = 10**9, pages: int = 2000) -> Context:
    limits = dataclasses.replace(house.settings.limits, person_bytes=size, person_pages=pages)
    return dataclasses.replace(house, settings=dataclasses.replace(house.settings, limits=limits))


def test_a_full_safe_takes_nothing_more_and_says_so_before(any_house: Context) -> None:
    awa = make_person(any_house)
    small = limited(any_house, pages=5)
    for _ in range(3):
        keep(small, awa.session)
    assert not space.of(small, awa.session).nearly_full
    paper = keep(small, awa.session)
    assert space.of(small, awa.session).nearly_full
    keep(small, awa.session)
    before, stored = counts(any_house), {held.name for held in any_house.blobs.inventory()}
    with pytest.raises(TooMuch):
        keep(small, awa.session)
    assert counts(any_house) == before
    assert {held.name for held in any_house.blobs.inventory()} == stored
    documents.erase_now(small, awa.session, paper)
    told = space.of(small, awa.session)
    assert (told.pages, told.bytes) == (4, sum(held.size for held in any_house.blobs.inventory()))
    keep(small, awa.session)
    with pytest.raises(TooMuch):
        keep(limited(any_house, size=told.bytes), awa.session)


def test_a_paper_sealed_while_it_arrives(any_house: Context) -> None:
    awa = make_person(any_house)
    content = picture("grand", 3 * 1024 * 1024)
    sink = Incoming(any_house, awa.session, limit=len(content))
    for at in range(0, len(content), 1024 * 1024):
        sink.write(content[at : at + 1024 * 1024])
    sink.finish()
    paper = sink.keep(ShelfKind("other"), title="Dossier")
    sink.abandon()  # a page that fails afterwards must not touch what is kept
    assert read(any_house, awa.session, paper) == content
    assert read(any_house, awa.session, paper, "view") == content
    (card,) = documents.list_papers(any_house, awa.session)
    assert (card.title, card.has_preview, card.size) == ("Dossier", False, len(content))


def test_what_arrives_and_is_not_kept_leaves_nothing(any_house: Context) -> None:
    awa = make_person(any_house)
    long = Incoming(any_house, awa.session, limit=10)
    with pytest.raises(TooHeavy):
        long.write(picture("long"))
    long.abandon()
    strange = Incoming(any_house, awa.session, limit=1000)
    strange.write(b"MZ\x90\x00 a program")
    with pytest.raises(UnknownKind):
        strange.finish()
    strange.abandon()
    empty = Incoming(any_house, awa.session, limit=1000)
    with pytest.raises(Unreadable):
        empty.finish()
    empty.abandon()
    left = Incoming(any_house, awa.session, limit=1000)
    left.write(picture("parti"))
    left.finish()
    left.abandon()
    assert list(any_house.blobs.inventory()) == []
    assert documents.count(any_house, awa.session) == 0
