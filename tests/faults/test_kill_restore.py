"""A backup and a restore killed at each step: half of one is never taken for a whole, and the next run comes to its end."""

import dataclasses
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage import copies
from storage.blobs import FolderStore
from storage.database import Database
from storage.keyvault import KeyVault
from tests.engines import sqlite_urls
from tests.vault.builders import make_office, make_person, unlock
from tests.vault.papers import keep, read
from tests.vault.test_erasure import ask_and_carry_out
from tests.vault.test_restore import FOR_RECOVERY, RECOVERY, three
from vault import audit, backups, erasing, maintaining, remains, restoring
from vault.context import Context
from vault.settings import Places, UnsafeSettings

STEPS: tuple[tuple[Any, str], ...] = (
    (restoring, "_bury"), (restoring, "_papers"), (copies, "load"), (restoring, "_die_again"), (erasing, "again"),
    (erasing, "_destroy_keys"), (erasing, "_erase_rows"), (erasing, "_certify"), (restoring, "end_what_died"),
    (maintaining, "tell_everyone"), (backups, "_write"),
)  # fmt: skip


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Do it in another process that dies after the n-th call of a step; tells whether it died."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
        return os.WIFSIGNALED(status)
    left = [step]

    def take() -> None:
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1

    def mortal(real: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            answer = real(*given, **named)
            take()
            return answer

        return run

    status = 1
    try:
        for module, name in STEPS:
            setattr(module, name, mortal(getattr(module, name)))
        work()
        status = 0
    finally:
        os._exit(status)


@pytest.fixture
def erased_since(house: Context, clock: Any, tmp_path: Path) -> tuple[Context, Places, Any, Any, str]:
    """Two persons with a paper each; a backup; then one erases everything."""
    kiosk = make_office(house).kiosk
    going, staying = make_person(house, "Awa", kiosk=kiosk), make_person(house, "Mariam", kiosk=kiosk)
    keep(house, going.session, "Bail d'Awa", text="a")
    kept = keep(house, staying.session, "Bail", text="le bail")
    where = three(tmp_path)
    name = backups.make(house, where, FOR_RECOVERY).name
    ask_and_carry_out(house, clock, going)
    house.database.close()
    house.keyvault.close()
    return house, where, going, (staying, kept), name


def test_a_restore_killed_at_each_step(erased_since: tuple[Context, Places, Any, Any, str], tmp_path: Path) -> None:
    """Nothing listens on half a restore; run again it ends as if nothing had happened."""
    house, where, going, (staying, kept), name = erased_since
    died = 0
    for step in range(200):
        folder = tmp_path / f"new-{step}"
        urls = sqlite_urls(folder)
        shutil.copytree(tmp_path / "rows", folder / "then")
        settings = dataclasses.replace(
            house.settings, folder=folder, database_url=urls.main, vault_url=urls.vault,
            tombstones_url=f"sqlite:///{folder / 'then' / 'tombstones.sqlite3'}",
        )  # fmt: skip

        def opened(settings: Any = settings, folder: Path = folder) -> Context:
            keyvault = KeyVault(settings.vault_url, settings.tombstones_url)
            return dataclasses.replace(
                house, settings=settings, database=Database(settings.database_url), keyvault=keyvault, blobs=FolderStore(folder / "blobs")
            )  # fmt: skip

        def work(settings: Any = settings, opened: Any = opened) -> restoring.Restored:
            return restoring.restore(settings, where, name, [RECOVERY], open_context=opened, now=house.clock())

        alive = not killed_at(step, work)
        if not alive:
            died += 1
            if (folder / restoring.MARK).exists():
                with pytest.raises(UnsafeSettings, match="did not come to its end"):
                    restoring.refuse_half_made(settings)
            else:
                assert copies.empty(urls.main), f"step {step}: rows without a mark"
            work()
        restoring.refuse_half_made(settings)
        there = opened()
        assert remains.check(there, going.id, [b"Bail d'Awa"]) == [], f"step {step}"
        session = unlock(there, staying)
        assert read(there, session, kept)
        assert "maintenance.restored" in {one.event.tag for one in audit.history(there, session)}
        assert erasing.due(there) == []
        there.database.close()
        there.keyvault.close()
        shutil.rmtree(folder)
        if alive:
            break
    assert died == 11


def test_a_backup_killed_at_each_step(erased_since: tuple[Context, Places, Any, Any, str], tmp_path: Path) -> None:
    """A backup is there whole or it is not; what the dead run left goes with the next one."""
    house, _, _, _, _ = erased_since
    rows = tmp_path / "rows"
    died = 0
    for step in range(200):
        where = three(tmp_path / f"backup-{step}")

        def work(where: Places = where) -> object:
            mine = dataclasses.replace(
                house, database=Database(f"sqlite:///{rows / 'main.sqlite3'}"),
                keyvault=KeyVault(f"sqlite:///{rows / 'vault.sqlite3'}", f"sqlite:///{rows / 'tombstones.sqlite3'}"),
            )  # fmt: skip
            return backups.make(mine, where, FOR_RECOVERY)

        alive = not killed_at(step, work)
        whole = backups.every(where)
        assert len(whole) <= 1
        for one in whole:
            backups.read(where, one, house.service.public)
        if not alive:
            died += 1
            house.clock.forward(seconds=1)  # type: ignore[attr-defined]  # the clock of tests
            work()
            assert [path for folder in (where.rows, where.vault, where.tombstones) for path in folder.rglob("*.partial")] == []
            for one in backups.every(where):
                backups.read(where, one, house.service.public)
            assert len(backups.every(where)) == len(whole) + 1
            assert len(list(where.vault.iterdir())) == len(backups.every(where))
        shutil.rmtree(tmp_path / f"backup-{step}")
        if alive:
            break
    assert died == 9
