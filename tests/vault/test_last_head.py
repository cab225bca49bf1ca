"""The house remembers the last head it signed outside of its rows: put back or rewritten together, they contradict it."""

import dataclasses
import hashlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, update

from storage import journal, tiles
from storage.tables import checkpoints as head_rows
from storage.tables import entries, entry_copies
from storage.tables import tiles as tile_rows
from tests.vault.clock import Clock
from tests.vault.trace_scene import rehash, write
from vault import checkpoints, last_head, recount, tasks
from vault.checkpoints import Rewritten
from vault.context import Context


def faults(house: Context) -> set[str]:
    return {fault.what for fault in recount.count(house).faults}


def test_entries_tree_and_heads_rewritten_together_are_named_and_never_signed(any_house: Context, clock: Clock) -> None:
    house, made = any_house, write(any_house, 3)
    checkpoints.publish(house)
    clock.forward(days=1)
    made += write(house, 3)
    checkpoints.publish(house)
    assert faults(house) == set()
    with house.database.transaction() as connection:
        digest = hashlib.sha256(b"another").digest()
        connection.execute(update(entries).where(entries.c.id == made[1]).values(person_hash=digest))
        mine = (entry_copies.c.entry == made[1], entry_copies.c.party == "person")
        connection.execute(update(entry_copies).where(*mine).values(envelope=b"another"))
    rehash(house, made[1])
    with house.database.transaction() as connection:
        connection.execute(delete(head_rows))
        connection.execute(delete(tile_rows))
        tiles.grow(connection, journal.leaves(connection, 0, 99), 0)
    assert faults(house) == {"between"}
    clock.forward(days=1)
    with pytest.raises(Rewritten):
        checkpoints.publish(house)
    with pytest.raises(Rewritten):
        checkpoints.remember(house)


def test_a_database_put_back_to_yesterday_gets_no_second_head(house: Context, clock: Clock, tmp_path: Path) -> None:
    write(house, 3)
    checkpoints.publish(house)
    file = house.settings.database_url.removeprefix("sqlite:///")
    yesterday = sqlite3.connect(tmp_path / "yesterday")
    with sqlite3.connect(file) as now:
        now.backup(yesterday)
    clock.forward(days=1)
    write(house, 3)
    checkpoints.publish(house)
    with sqlite3.connect(file) as now:
        yesterday.backup(now)
    yesterday.close()
    assert "tile" in faults(house), "rows and tree are short of a head that this machine signed"
    clock.forward(days=1)
    write(house, 3)
    assert "between" in faults(house)
    with pytest.raises(Rewritten):
        checkpoints.publish(house)
    with house.database.transaction(read_only=True) as connection:
        assert [one.size for one in journal.all_checkpoints(connection)] == [3]
    renamed = dataclasses.replace(house, settings=dataclasses.replace(house.settings, trace_name="abri.example/trace-2027"))
    assert checkpoints.publish(renamed) == 3, "after a restore the trace goes on under another name"
    assert faults(renamed) == set()


def test_what_came_since_the_daily_head_is_remembered_within_the_hour(house: Context, clock: Clock) -> None:
    job = tuple(one for one in tasks.JOBS if one.name == "last head")
    write(house, 3)
    checkpoints.publish(house)
    late = write(house, 3)
    clock.forward(hours=1)
    assert tasks.run_due(house, jobs=job) == {"last head": 1}
    clock.forward(hours=1)
    assert tasks.run_due(house, jobs=job) == {"last head": 0}, "nothing new"
    public = checkpoints.published(house)
    assert public is not None
    assert public.size == 3, "and nobody sees it"
    assert faults(house) == set()
    with house.database.transaction() as connection:
        connection.execute(delete(entry_copies).where(entry_copies.c.entry.in_(late)))
        connection.execute(delete(entries).where(entries.c.id.in_(late)))
        connection.execute(update(tile_rows).values(hashes=tiles.tile(connection, 0, 0, 3)))
    assert faults(house) == {"tile", "between"}


def test_a_head_signed_while_the_trace_is_counted_is_no_fault(any_house: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    house, rows = any_house, recount._rows
    write(house, 3)
    checkpoints.publish(house)

    def signed_meanwhile(connection: Connection) -> tuple[list[Any], list[recount.Fault]]:
        found = rows(connection)
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(write, house, 2).result()
            assert elsewhere.submit(checkpoints.remember, house).result() == 1
        return found

    monkeypatch.setattr(recount, "_rows", signed_meanwhile)
    assert faults(house) == set()


def test_a_file_that_is_no_head_of_ours_is_named_and_an_unwritable_folder_stops_nothing(house: Context, tmp_path: Path) -> None:
    write(house, 3)
    (tmp_path / "file").write_text("not a folder")
    elsewhere = dataclasses.replace(house, settings=dataclasses.replace(house.settings, folder=tmp_path / "file"))
    with pytest.raises(NotADirectoryError):
        last_head.place(elsewhere.settings).read_text()
    assert checkpoints.publish(elsewhere) == 3
    assert last_head.read(house.settings) is None
    last_head.keep(house.settings, "rubbish\n")
    assert faults(house) == {"head"}
    with pytest.raises(Rewritten):
        checkpoints.publish(house)
