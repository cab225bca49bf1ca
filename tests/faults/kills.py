"""Kill -9 at every step of a use case: a forked process does the work on a copy of the stores and kills itself at the n-th step.

A step is each commit and each change of the key vault or the store of blobs, just before and just after it. Nothing cleans up
behind a SIGKILL: what the next process finds is what a power cut would leave.
"""

import dataclasses
import datetime as dt
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection

from storage.blobs import BlobName, BlobStore, FolderStore
from storage.database import Database
from storage.keyvault import KeyVault, Kind
from tests.vault.clock import Clock
from vault.context import Context

PARTS = ("main", "vault", "tombstones")


class Steps:
    """Counts steps, and kills this process at the chosen one; until one is chosen, nobody dies."""

    def __init__(self) -> None:
        self.left: int | None = None

    def take(self) -> None:
        """One more step; the last thing this process does, if it is the chosen one."""
        if self.left is None:
            return
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


class MortalDatabase(Database):
    """Dies before or after a commit."""

    steps: Steps

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[Connection]:
        """A transaction with a step on each side of its commit."""
        with super().transaction(read_only=read_only) as connection:
            yield connection
            if not read_only:
                self.steps.take()
        if not read_only:
            self.steps.take()


class MortalKeyVault(KeyVault):
    """Dies before or after a row is made or destroyed."""

    steps: Steps

    def create(self, kind: Kind, row_id: str, owner: str | None = None, *, at: dt.datetime | None = None) -> None:
        """A step on each side."""
        self.steps.take()
        super().create(kind, row_id, owner, at=at)
        self.steps.take()

    def destroy(self, rows: Any, at: Any) -> None:
        """A step on each side."""
        self.steps.take()
        super().destroy(rows, at)
        self.steps.take()

    def _bury(self, rows: Any, at: Any) -> None:
        super()._bury(rows, at)
        self.steps.take()  # the tombstones stand, and the rows still live


class MortalBlobs:
    """Dies before or after a blob is deleted; everything else is the store's."""

    def __init__(self, store: BlobStore, steps: Steps) -> None:
        self._store, self._steps = store, steps

    def delete(self, name: BlobName) -> None:
        """A step on each side."""
        self._steps.take()
        self._store.delete(name)
        self._steps.take()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@dataclasses.dataclass(frozen=True)
class Stores:
    """The stores of a test, as files that can be copied: `folder/rows` and `folder/blobs`."""

    house: Context
    folder: Path

    def copy_to(self, folder: Path) -> "Stores":
        """The same stores elsewhere; nobody may be using them."""
        shutil.copytree(self.folder / "rows", folder / "rows")
        if (self.folder / "blobs").exists():
            shutil.copytree(self.folder / "blobs", folder / "blobs")
        return Stores(self.house, folder)

    def open(self, *, now: Any = None) -> Context:
        """A context on these files, as a new process would make it."""
        main, vault, tombstones = urls(self.folder)
        return self.served(self.folder, Database(main), KeyVault(vault, tombstones), FolderStore(self.folder / "blobs"), now)

    def served(self, folder: Path, database: Database, keyvault: KeyVault, blobs: BlobStore, now: Any) -> Context:
        """The house on other engines and in a folder of its own; `now`: its time, that of the house if nothing is said."""
        clock, own = Clock(now or cast("Clock", self.house.clock).now), dataclasses.replace(self.house.settings, folder=folder)
        return dataclasses.replace(self.house, settings=own, database=database, keyvault=keyvault, blobs=blobs, clock=clock)


def urls(folder: Path) -> list[str]:
    """Where rows, key vault and tombstones are."""
    return [f"sqlite:///{folder / 'rows' / part}.sqlite3" for part in PARTS]


class Deaths:
    """One copy after the other in the same place, served by one engine: what it compiled for one death is there for the next."""

    def __init__(self, stores: Stores, folder: Path) -> None:
        self.stores, self.folder, self.steps = stores, folder, Steps()
        main, vault, tombstones = urls(folder)
        self._database, self._keyvault = MortalDatabase(main), MortalKeyVault(vault, tombstones)
        self._database.steps = self._keyvault.steps = self.steps

    def renew(self) -> None:
        """The stores again, in the place of what a death left."""
        self._database.close()
        self._keyvault.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.stores.copy_to(self.folder)

    def open(self, *, now: Any = None) -> Context:
        """A context on what is there."""
        blobs = cast("BlobStore", MortalBlobs(FolderStore(self.folder / "blobs"), self.steps))
        return self.stores.served(self.folder, self._database, self._keyvault, blobs, now)


def die_at_each_step(
    stores: Stores, folder: Path, work: Callable[[Context], object], *, every: int = 1
) -> Iterator[tuple[int, Deaths]]:
    """Do the work on fresh copies, killed at step 0, 1, 2... until it comes to its end; gives the stores that each death left.

    `every`: only each second, third... step, for a path whose inner steps another test takes one by one.
    """
    deaths = Deaths(stores, folder / "death")
    for step in range(0, 500, every):
        deaths.renew()
        child = os.fork()
        if child == 0:
            deaths.steps.left = step
            _work(deaths, work)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
        else:
            assert os.WEXITSTATUS(status) == 0, "the work itself failed: see its traceback above"
        yield step, deaths
        if not os.WIFSIGNALED(status):
            return
    raise AssertionError("the work never comes to its end")


def _work(deaths: Deaths, work: Callable[[Context], object]) -> None:
    status = 1
    try:
        work(deaths.open())
        status = 0
    finally:
        if sys.exc_info()[0]:
            traceback.print_exc(file=sys.stderr)
        os._exit(status)  # nothing of the parent is torn down twice
