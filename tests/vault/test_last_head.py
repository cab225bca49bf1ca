"""The house remembers the last head it signed outside of its rows: put back or rewritten together, they contradict it."""

import dataclasses
import datetime as dt
import hashlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, update

from storage import journal, schedules, tiles
from storage.database import serialise
from storage.tables import checkpoints as head_rows
from storage.tables import entries, entry_copies, trace_checks
from storage.tables import tiles as tile_rows
from tests.vault.clock import Clock
from tests.vault.trace_scene import rehash, write
from vault import checkpoints, last_head, proofs, recount, tasks, trace_state
from vault.checkpoints import Rewritten
from vault.context import Context
from vault.errors import Tampered


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


def test_no_row_keeps_the_house_from_remembering_and_counting(house: Context, clock: Clock) -> None:
    """Whoever has the rows takes the turns of days to come: the process that goes on does both by its own clock."""
    jobs = tuple(one for one in tasks.JOBS if one.name in ("last head", "recount", "checkpoint"))
    taken: dict[str, dt.datetime] = {}
    write(house, 3)
    assert set(tasks.run_due(house, taken, jobs)) == {"last head", "recount", "checkpoint"}
    with house.database.transaction() as connection:
        for job in jobs:
            for turn in {job.latest(clock.now + dt.timedelta(hours=hours)) for hours in range(1, 80)} - {taken[job.name]}:
                schedules.take_turn(connection, job.name, turn)
    late, ran = [], []
    for _ in range(48):
        clock.forward(hours=1)
        late += write(house, 1)
        ran += [name for name, _ in tasks.run_due(house, taken, jobs).items()]
    assert (ran.count("last head"), ran.count("recount"), ran.count("checkpoint")) == (48, 2, 0)
    state = {name: good for name, good, _ in trace_state.lines(house)}
    assert state == {"trace: numbered": True, "trace: published head": False, "trace: counted again": True}
    with house.database.transaction() as connection:
        connection.execute(update(head_rows).values(published=clock.now))
    assert not trace_state.look(house).publishing, "when it was published is what its note says"
    with house.database.transaction() as connection:
        connection.execute(delete(entry_copies).where(entry_copies.c.entry.in_(late)))
        connection.execute(delete(entries).where(entries.c.id.in_(late)))
        connection.execute(update(tile_rows).values(hashes=tiles.tile(connection, 0, 0, 3)))
        connection.execute(insert(trace_checks).values(at=clock.now, size=3, faults=0))
    assert faults(house) == {"tile", "between"}
    name, good, words = trace_state.lines(house)[0]
    assert (name, good, words) == ("trace: numbered", False, "3 entries, 0 waiting; this machine has signed a head of 51")


def test_a_tree_that_is_gone_makes_no_new_house(house: Context, clock: Clock) -> None:
    """Tree and first entry, or everything: what is left says that there was something, and no fault is ever good."""
    assert all(good for _, good, _ in trace_state.lines(house)), "before the first entry"
    made = write(house, 3)
    assert all(good for _, good, _ in trace_state.lines(house)), "the first day"
    checkpoints.publish(house)
    assert recount.nightly(house) == 0
    assert all(good for _, good, _ in trace_state.lines(house))
    last_head.place(house.settings).unlink()  # as on a machine that has no such file
    clock.forward(hours=1)
    with house.database.transaction() as connection:
        connection.execute(delete(tile_rows))
        connection.execute(delete(entry_copies).where(entry_copies.c.entry == made[0]))
        connection.execute(delete(entries).where(entries.c.id == made[0]))
    assert recount.nightly(house) > 0
    clock.forward(days=10)
    state = trace_state.look(house)
    assert (state.publishing, state.whole) == (False, False)
    assert [good for _, good, _ in trace_state.lines(house)][1:] == [False, False]


def test_everything_gone_is_known_by_what_the_machine_remembers(house: Context) -> None:
    write(house, 3)
    checkpoints.publish(house)
    with house.database.transaction() as connection:
        for table in (tile_rows, entry_copies, entries, head_rows):
            connection.execute(delete(table))
    assert [good for _, good, _ in trace_state.lines(house)][:2] == [False, False]


@pytest.mark.parametrize("what", ["folder", "bytes"])
def test_a_file_that_cannot_be_read_stops_signing_and_nothing_else(house: Context, clock: Clock, what: str) -> None:
    made, place = write(house, 3), last_head.place(house.settings)
    place.unlink(missing_ok=True)
    if what == "folder":
        place.mkdir(parents=True)
    else:
        place.write_bytes(b"\xff\xfe")
    jobs = tuple(one for one in tasks.JOBS if one.name in ("last head", "recount"))
    assert tasks.run_due(house, jobs=jobs) == {"recount": 1}, "the hourly one fails, and has its next turn"
    assert faults(house) == {"stopped"}
    with pytest.raises(Tampered):
        proofs.inclusion(house, made[0])
    assert not trace_state.look(house).numbering


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


def test_who_remembers_waits_for_whoever_signs(any_house: Context) -> None:
    """Two who sign at once would leave the older head in the file."""
    write(any_house, 3)
    with ThreadPoolExecutor(1) as elsewhere:
        with any_house.database.transaction() as connection:
            serialise(connection, checkpoints.TURN)
            other = elsewhere.submit(checkpoints.remember, any_house)
            with pytest.raises(TimeoutError):
                other.result(timeout=0.4)
        assert other.result() == 1


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
