"""Sealing anew after something was taken back: killed at every step, the paper stays readable and no second copy remains."""

import dataclasses
import functools
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from consent.ids import PaperId
from storage.blobs import BlobName, BlobReader, BlobStore, BlobWriter, Held, Stored
from storage.database import Database
from storage.keyvault import KeyVault
from storage.s3 import S3Settings, S3Store
from storage.tables import objects, shelf_wraps, shelves, versions
from tests.vault.builders import MadePerson, make_office, make_person, make_worker, show_card, unlock
from tests.vault.clock import Clock
from tests.vault.papers import SAID, keep, picture, read
from tests.vault.test_sharing import BOTH, offer, second_day, taken
from tests.vault.test_two_locks import drawer
from vault import arriving, audit, documents, endings, exposed, orphans, reencryption, sharing, showing, withdrawing
from vault.context import Context
from vault.errors import NotThere, Tampered


class Reaper:
    """Kills the process it lives in, without a word, at the n-th step."""

    def __init__(self, step: int) -> None:
        self.left = step

    def passes(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class DeadlyWriter:
    """A writer whose every act is a step."""

    def __init__(self, writer: BlobWriter, reaper: Reaper) -> None:
        self._writer, self._reaper, self.name = writer, reaper, writer.name

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._reaper.passes()
        self._writer.write(data)

    def commit(self) -> Stored:
        self._reaper.passes()
        stored = self._writer.commit()
        self._reaper.passes()
        return stored

    def abandon(self) -> None:
        self._writer.abandon()

    def __enter__(self) -> "DeadlyWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.abandon()


class DeadlyStore:
    """A store of blobs in which a process can die."""

    def __init__(self, store: BlobStore, reaper: Reaper) -> None:
        self._store, self._reaper = store, reaper

    def writer(self) -> Any:
        return DeadlyWriter(self._store.writer(), self._reaper)

    def open(self, name: BlobName) -> BlobReader:
        return self._store.open(name)

    def delete(self, name: BlobName) -> None:
        self._reaper.passes()
        self._store.delete(name)
        self._reaper.passes()

    def inventory(self) -> Iterator[Held]:
        return self._store.inventory()

    def clean(self, before: Any) -> int:
        return self._store.clean(before)

    def check(self) -> None:
        self._store.check()

    def close(self) -> None:
        self._store.close()


@contextmanager
def _in_a_child(act: Callable[[], None]) -> Iterator[int]:
    """Run it in a process of its own; gives how it ended: 0, or minus the signal."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    yield os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@functools.cache
def untouched(settings: S3Settings) -> S3Store:
    """A client that the parent made and never used, so that no connection is shared: making one takes longer than a step."""
    return S3Store(settings)


def survives(house: Context, step: int, act: Callable[[Context], object], *, at_writes: bool = False) -> bool:
    """Do it in a child that dies at that step; True when there are not so many steps. `at_writes`: each row written is a step too."""

    if isinstance(house.blobs, S3Store):
        untouched(house.blobs.settings)

    def inside() -> None:
        # Connections belong to the parent: the child opens every store anew, as another process would.
        reaper, settings = Reaper(step), house.settings
        database, keyvault = Database(settings.database_url), KeyVault(settings.vault_url, settings.tombstones_url)
        blobs = untouched(house.blobs.settings) if isinstance(house.blobs, S3Store) else house.blobs
        for engine in (database.engine, keyvault.database.engine, keyvault.graveyard.engine):
            event.listen(engine, "commit", lambda _connection: reaper.passes())
        if at_writes:
            event.listen(database.engine, "after_cursor_execute", _after_writes(reaper))
        act(dataclasses.replace(house, database=database, keyvault=keyvault, blobs=DeadlyStore(blobs, reaper)))

    with _in_a_child(inside) as code:
        assert code in (0, -signal.SIGKILL)
        return code == 0


def _after_writes(reaper: Reaper) -> Callable[..., None]:
    def passes(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            reaper.passes()

    return passes


def current(house: Context) -> str:
    with house.database.transaction(read_only=True) as connection:
        return connection.execute(select(versions.c.id)).scalar_one()


def clean(house: Context) -> None:
    """What the background work does, on stores whose blobs are all old enough."""
    endings.finish(house)
    orphans.sweep(house, older_than=timedelta(days=-400))
    with house.database.transaction(read_only=True) as connection:
        named = set(connection.scalars(select(objects.c.blob)))
    assert {held.name for held in house.blobs.inventory()} == named
    assert len(named) == 3


def test_killed_at_any_step_a_paper_stays_readable_and_alone(any_house: Context) -> None:
    house = any_house
    awa = make_person(house)
    paper = keep(house, awa.session, text="précieux")
    step, finished = 0, False
    while not finished:
        step += 1
        before = current(house)
        with house.database.transaction() as connection:
            exposed.mark(house, connection, [before])
        finished = survives(house, step, lambda deadly: reencryption.step(deadly, awa.session))
        after = current(house)
        assert read(house, awa.session, paper) == picture("received précieux")
        clean(house)
        assert read(house, awa.session, paper) == picture("received précieux")
        left = reencryption.waiting(house, awa.session)
        assert left == (1 if after == before else 0)  # either nothing happened, or all of it
        assert len(list(reencryption.all_steps(house, awa.session))) == left
        clean(house)
    assert step > 12  # three objects written and committed, a transaction, three blobs deleted
    assert current(house) != before


def test_a_deposit_killed_at_any_step_leaves_a_paper_or_nothing(house: Context) -> None:
    awa = make_person(house)
    step, finished = 0, False
    while not finished:
        step += 1
        finished = survives(house, step, lambda deadly: keep(deadly, awa.session, text="un"))
        papers = documents.list_papers(house, awa.session)
        assert len(papers) <= 1
        endings.finish(house)
        orphans.sweep(house, older_than=timedelta(days=-400))
        assert len(list(house.blobs.inventory())) == 3 * len(papers)
        for card in papers:
            assert read(house, awa.session, card.paper) == picture("received un")
            documents.erase_now(house, awa.session, card.paper)
    assert step > 9


def test_a_withdrawal_killed_at_any_step_is_whole_or_is_finished_later(house: Context, clock: Clock) -> None:
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house)
    paper = keep(house, awa.session, text="un")
    second_day(house, clock, awa, fatou)
    step, finished = 0, False
    while not finished:
        step += 1
        grant = sharing.grant(house, awa.session, fatou.id, offer(paper))
        finished = survives(house, step, lambda deadly, grant=grant: withdrawing.withdraw(deadly, awa.session, grant, SAID))  # type: ignore[misc]
        open_shares = [card.grant for card in showing.grants_of(house, awa.session)]
        if open_shares:  # nothing was committed: the person presses again
            withdrawing.withdraw(house, awa.session, grant, SAID)
        endings.finish(house)
        assert not house.keyvault.exists("grant", grant)
        with pytest.raises(NotThere):
            taken(house, fatou, grant, paper)
        list(reencryption.all_steps(house, awa.session))
        assert read(house, awa.session, paper) == picture("received un")
    assert step > 4  # rows, tombstone, vault, the intention's end


def test_a_drawer_killed_at_any_write_has_its_old_key_or_its_new_one(any_house: Context, clock: Clock) -> None:
    """Who stays opens everything after each death, who was stopped nothing, and the next unlock begins the new key all the same."""
    house, office = any_house, make_office(any_house)
    fatou, marc, awa = make_worker(house, office), make_worker(house, office, "Marc"), make_person(house)
    papers = [keep(house, awa.session, text=text) for text in ("un", "deux")]
    second_day(house, clock, awa, fatou, marc)
    going, staying = (
        sharing.grant(house, awa.session, worker.id, offer(acts=BOTH, shelf="money")) for worker in (fatou, marc)
    )  # fmt: skip
    withdrawing.withdraw(house, show_card(house, awa.card), going, SAID)  # the card alone stops it, and cannot seal anew
    unlock(house, awa)
    old, keys = drawer(house, awa), kept_keys(house)

    def renew(deadly: Context) -> None:
        with deadly.database.transaction() as connection:
            assert reencryption.renew_drawers(deadly, connection, awa.session) == 1

    step, finished = 0, False
    while not finished:
        step += 1
        finished = survives(house, step, renew, at_writes=True)
        now = drawer(house, awa)
        assert (now.epoch, now.seed == old.seed) == ((old.epoch + 1, False) if finished else (old.epoch, True)), step
        assert (kept_keys(house) == keys) is not finished
        for paper, text in zip(papers, ("un", "deux"), strict=True):
            assert read(house, awa.session, paper) == picture(f"received {text}"), step
            assert taken(house, marc, staying, paper) == picture(f"received {text}"), step
            with pytest.raises(NotThere):
                taken(house, fatou, going, paper)
    assert step > 8  # the mark, the new key, two papers laid again, the loans taken off and given again, the old key, the commit
    with house.database.transaction() as connection:
        assert reencryption.renew_drawers(house, connection, awa.session) == 0
    unlock(house, awa)
    assert arriving.at_unlock(house, awa.session).refused_drawers == ()
    assert [progress.left for progress in reencryption.all_steps(house, awa.session)] == [1, 0]


def kept_keys(house: Context) -> list[tuple[object, ...]]:
    """All rows that hold or lend the key of a drawer, or lie under it."""
    with house.database.transaction(read_only=True) as connection:
        columns = (
            (shelves.c.id, shelves.c.epoch, shelves.c.sealed_seed),
            (shelf_wraps.c.grant, shelf_wraps.c.wrap),
            (versions.c.wrap,),
        )
        return [tuple(row) for some in columns for row in connection.execute(select(*some).order_by(*some))]


def shared_then_taken_back(house: Context, clock: Clock) -> tuple[MadePerson, PaperId]:
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house)
    paper = keep(house, awa.session, "Avis", text="un")
    second_day(house, clock, awa, fatou)
    grant = sharing.grant(house, awa.session, fatou.id, offer(paper))
    withdrawing.withdraw(house, awa.session, grant, SAID)
    return awa, paper


def test_progress_is_told_and_goes_on_at_the_next_unlock(any_house: Context, clock: Clock) -> None:
    awa, paper = shared_then_taken_back(any_house, clock)
    before = current(any_house)
    clock.forward(days=1)
    unlock(any_house, awa)
    assert arriving.at_unlock(any_house, awa.session).to_reencrypt == 1
    progress = reencryption.step(any_house, awa.session)
    assert (progress.done, progress.left) == (1, 0)
    assert (reencryption.step(any_house, awa.session).done, reencryption.waiting(any_house, awa.session)) == (0, 0)
    assert current(any_house) != before
    card = documents.paper(any_house, awa.session, paper)
    assert (card.title, card.by) == ("Avis", "me")
    assert arriving.at_unlock(any_house, awa.session).refused == ()  # the trace names the new version
    assert "share.reencrypted" in [entry.event.tag for entry in audit.history(any_house, awa.session)]


def test_other_shares_of_the_same_paper_go_on(any_house: Context, clock: Clock) -> None:
    office = make_office(any_house)
    fatou, marc, awa = make_worker(any_house, office), make_worker(any_house, office, "Marc"), make_person(any_house)
    paper = keep(any_house, awa.session, "Avis", text="un")
    second_day(any_house, clock, awa, fatou, marc)
    going = sharing.grant(any_house, awa.session, fatou.id, offer(paper))
    staying = sharing.grant(any_house, awa.session, marc.id, offer(paper, acts=BOTH))
    withdrawing.withdraw(any_house, awa.session, going, SAID)
    assert taken(any_house, marc, staying, paper) == picture("received un")  # before it is sealed anew, and after
    list(reencryption.all_steps(any_house, awa.session))
    assert taken(any_house, marc, staying, paper) == picture("received un")


def test_what_does_not_open_any_more_does_not_stop_the_others(house: Context, clock: Clock) -> None:
    awa = make_person(house)
    broken, whole = keep(house, awa.session, text="cassé"), keep(house, awa.session, text="entier")
    with house.database.transaction() as connection:
        exposed.mark(house, connection, list(connection.scalars(select(versions.c.id))))
        connection.execute(versions.update().where(versions.c.paper == broken).values(wrap=b"\x01" + bytes(112)))
    assert sum(progress.done for progress in reencryption.all_steps(house, awa.session)) == 1
    assert read(house, awa.session, whole) == picture("received entier")
    with pytest.raises(Tampered):
        read(house, awa.session, broken)
