"""Whoever has data in the databases is told that their form changed: in any of the three, and also after a kill in between."""

import dataclasses
import os
import shutil
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from storage.migrate import FOLDER, Urls, current
from storage.tables import accounts
from tests.vault.builders import MadePerson, make_person
from vault import audit, health, maintaining, migrating
from vault.__main__ import main
from vault.context import Context, open_context

REVISION = """
from alembic import op
revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None

def upgrade():
    op.execute({change!r})
"""
CHANGE = "CREATE TABLE of_tomorrow (id TEXT PRIMARY KEY)"


@pytest.fixture
def add(house: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A second revision for a database; commands read the clock of the house."""
    monkeypatch.setattr(migrating, "open_context", partial(open_context, clock=house.clock))
    folder = tmp_path / "migrations"
    shutil.copytree(FOLDER, folder)
    monkeypatch.setattr("storage.migrate.FOLDER", folder)

    def write(which: str, change: str = CHANGE) -> None:
        (folder / f"versions/{which}/0002_second.py").write_text(REVISION.format(change=change))

    return write


def urls(house: Context) -> Urls:
    return Urls(house.settings.database_url, house.settings.vault_url, house.settings.tombstones_url)


def read(house: Context, person: MadePerson) -> list[str]:
    """What the person's history says of migrations."""
    found = [one.event for one in audit.history(house, person.session) if one.event.tag == migrating.MIGRATED]
    return [one.detail for one in found]


def dies(work: Callable[[], object]) -> bool:
    """Do it in another process; tells whether that was killed."""
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("which", ["main", "vault", "tombstones"])
def test_a_change_of_any_of_the_three_is_in_each_person_s_history_once(
    house: Context, add: Callable[..., None], monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    people = [make_person(house, "Awa"), make_person(house, "Mariam")]
    monkeypatch.setattr("vault.__main__.read_settings", lambda _: house.settings)
    assert main(["migrate"]) == 0
    assert [read(house, one) for one in people] == [[], []], "nothing was pending"
    add(which)
    assert main(["migrate"]) == 0
    assert main(["migrate"]) == 0
    assert [read(house, one) for one in people] == [[f"{which} 0002"]] * 2


@pytest.mark.parametrize("step", ["upgrade", "tell_everyone"])
def test_a_process_that_dies_after_the_change_leaves_who_tells(
    house: Context, add: Callable[..., None], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    awa = make_person(house, "Awa")
    house.database.close()
    house.keyvault.close()
    add("main")
    add("vault")
    with monkeypatch.context() as patched:

        def killed(*given: object, **named: object) -> None:
            if step == "upgrade":
                real(*given, **named)
            os.kill(os.getpid(), signal.SIGKILL)

        real = getattr(migrating, step)
        patched.setattr(migrating, step, killed)
        assert dies(lambda: migrating.bring_up_to_date(house.settings))
    assert current(urls(house))["vault"] == "0002", "the change is there"
    assert read(house, awa) == []
    assert "told" in {one.name for one in health.report(house.settings) if not one.good}
    assert migrating.bring_up_to_date(house.settings) == 1
    assert read(house, awa) == ["main 0002, vault 0002"]
    assert "told" not in {one.name for one in health.report(house.settings)}
    assert migrating.bring_up_to_date(house.settings) == 0


def test_killed_while_telling_nobody_is_left_out(
    house: Context, add: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [make_person(house, name) for name in ("Awa", "Mariam", "Viktor")]
    house.database.close()
    house.keyvault.close()
    add("vault")
    monkeypatch.setattr(maintaining, "BATCH", 1)
    with monkeypatch.context() as patched:
        left, record = [2], audit.record

        def killed(*given: Any, **named: Any) -> object:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            return record(*given, **named)

        patched.setattr(maintaining.audit, "record", killed)
        assert dies(lambda: migrating.bring_up_to_date(house.settings))
    migrating.bring_up_to_date(house.settings)
    assert sorted(len(read(house, one)) for one in people) == [1, 1, 2]


def test_what_could_not_be_changed_is_told_when_it_is(house: Context, add: Callable[..., None]) -> None:
    """The rows were changed, the key vault was not: one line says both, once both are done."""
    awa = make_person(house, "Awa")
    add("main")
    add("vault", "SELECT nonsense")
    with pytest.raises(Exception, match="nonsense"):
        migrating.bring_up_to_date(house.settings)
    assert read(house, awa) == []
    add("vault")
    migrating.bring_up_to_date(house.settings)
    assert read(house, awa) == ["main 0002, vault 0002"]


def test_the_first_tables_are_told_to_nobody(house: Context, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    settings = dataclasses.replace(
        house.settings, folder=folder, database_url=f"sqlite:///{folder}/a", vault_url=f"sqlite:///{folder}/b",
        tombstones_url=f"sqlite:///{folder}/c",
    )  # fmt: skip
    assert migrating.bring_up_to_date(settings) == 0
    assert not (folder / migrating.MARK).exists()


def test_one_damaged_row_keeps_nobody_else_from_being_told(house: Context, add: Callable[..., None]) -> None:
    """And nothing from starting: the mark goes."""
    damaged, awa = make_person(house, "Flo"), make_person(house, "Awa")
    with house.database.transaction() as connection:
        connection.execute(update(accounts).where(accounts.c.id == damaged.id).values(kem_public=b"x"))
    add("main")
    assert migrating.bring_up_to_date(house.settings) == 1
    assert read(house, awa) == ["main 0002"]
    assert not (house.settings.folder / migrating.MARK).exists()
