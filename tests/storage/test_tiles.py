"""The tree beside the entries: what the sequencer keeps is what RFC 9162 says, at every size, whatever kills it."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, func, insert, select, update

from crypto import merkle
from storage import journal, tiles
from storage.database import Database
from storage.errors import TileMissing
from storage.tables import entries, entry_copies
from storage.tables import tiles as tile_rows
from tests.engines import Engines

NOTHING = {"number": None, "person_hash": bytes(32), "worker_hash": bytes(32), "incident_hash": bytes(32)}


def leaf(number: int) -> bytes:
    return hashlib.sha256(b"leaf %d" % number).digest()


def fill(database: Database, start: int, end: int) -> None:
    """Entries whose ids are in order, so that the tree is known beforehand; each with a copy."""
    rows = [{"id": f"{one:036d}", "leaf": leaf(one), **NOTHING} for one in range(start, end)]
    copies = [{"entry": row["id"], "party": "person", "tag": b"t" * 16, "key": "k", "envelope": b"x"} for row in rows]
    with database.transaction() as connection:
        journal.add_key(connection, key="k", session="s", party="person", posted=b"x")
        connection.execute(insert(entries), rows)
        connection.execute(insert(entry_copies), copies)


def misplaced(connection: Connection) -> int:
    """How many copies do not stand at their entry's place."""
    other = func.coalesce(entry_copies.c.number, -1) != func.coalesce(entries.c.number, -1)
    query = select(func.count()).select_from(entry_copies).join(entries, entries.c.id == entry_copies.c.entry).where(other)
    return connection.scalar(query) or 0


def test_every_size_to_six_hundred_is_the_tree_of_the_standard(engines: Engines) -> None:
    """Grown by steps of every kind; then each root, and proofs between them, from the tiles alone."""
    size = 0
    for step in (1, 2, 3, 250, 1, 1, 255, 1, 87):
        fill(engines.database, size, size + step)
        assert journal.number(engines.database) == step
        size += step
    hashes = [leaf(one) for one in range(size)]
    with engines.database.transaction(read_only=True) as connection:
        assert tiles.size(connection) == size == 601
        nodes = tiles.nodes(connection)
        roots = [merkle.root(hashes[:one]) for one in range(size + 1)]
        for one in range(1, size + 1, 1 if engines.name == "sqlite" else 50):
            assert merkle.root_at(nodes, one) == roots[one], one
            index = one * 7919 % one if one > 1 else 0
            proof = merkle.inclusion_proof(nodes, index, one)
            merkle.verify_inclusion(hashes[index], index, one, proof, roots[one])
            merkle.verify_consistency(one, size, merkle.consistency_proof(nodes, one, size), roots[one], roots[size])
        assert tiles.tile(connection, 0, 2, 89) == b"".join(hashes[512:601])
        assert tiles.tile(connection, 1, 0, 2) == merkle.root(hashes[:256]) + merkle.root(hashes[256:512])


def test_what_the_tree_lacks_is_said_and_never_made_up(engines: Engines) -> None:
    fill(engines.database, 0, 300)
    journal.number(engines.database)
    with engines.database.transaction(read_only=True) as connection:
        with pytest.raises(TileMissing):
            tiles.tile(connection, 0, 1, 45)
        with pytest.raises(TileMissing):
            merkle.root_at(tiles.nodes(connection), 301)
        with pytest.raises(TileMissing):
            tiles.nodes(connection)(20, 0)


def test_a_tree_that_lags_catches_up_with_the_entries(engines: Engines) -> None:
    """Rows from before the tiles, or lost with a damaged file, are made again from the leaves at the next numbering."""
    fill(engines.database, 0, 520)
    journal.number(engines.database)
    with engines.database.transaction() as connection:
        connection.execute(delete(tile_rows))
    fill(engines.database, 520, 521)
    assert journal.number(engines.database) == 1
    with engines.database.transaction(read_only=True) as connection:
        assert merkle.root_at(tiles.nodes(connection), 521) == merkle.root(leaf(one) for one in range(521))


def test_two_levels_above_the_leaves(tmp_path: Path, engines: Engines) -> None:
    """Beyond 65,536 entries a third row comes into play; grown directly, which is what the sequencer does."""
    if engines.name != "sqlite":
        return  # the same statements; this is about arithmetic
    hashes = [leaf(one) for one in range(66_000)]
    with engines.database.transaction() as connection:
        for start in range(0, len(hashes), 9_999):
            tiles.grow(connection, hashes[start : start + 9_999], start)
        assert tiles.size(connection) == 66_000
        assert merkle.root_at(tiles.nodes(connection), 66_000) == merkle.root(hashes)
        assert tiles.tile(connection, 2, 0, 1) == merkle.root(hashes[: 1 << 16])


def test_readers_never_see_a_number_without_its_proof_nor_two_orders(engines: Engines) -> None:
    seen: list[dict[str, int]] = []

    def look(_: int) -> None:
        with engines.database.transaction(read_only=True) as connection:
            found = {
                row.id: row.number for row in connection.execute(select(entries.c.id, entries.c.number)) if row.number is not None
            }
            assert tiles.size(connection) == len(found)
            assert misplaced(connection) == 0
            assert sorted(found.values()) == list(range(len(found)))
            seen.append(found)

    def write(turn: int) -> None:
        fill(engines.database, turn * 3, turn * 3 + 3)
        journal.number(engines.database)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda turn: (write if turn % 2 else look)(turn), range(60)))
    last = max(seen, key=len)
    assert all(last[entry] == number for one in seen for entry, number in one.items())


SEQUENCER = """
import sys
from storage import journal
from storage.database import Database
database = Database(sys.argv[1])
print("ready", flush=True)
while True:
    journal.number(database, limit=40)
"""


def test_the_sequencer_killed_at_any_moment_loses_and_doubles_none(engines: Engines) -> None:
    """A real process, SIGKILL while it numbers, again and again; another takes over each time."""
    url, size, kills = engines.urls.main, 0, 0
    command: list[Any] = [sys.executable, "-c", SEQUENCER, url]
    while kills < 6:
        fill(engines.database, size, size + 400)
        size += 400
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.003 * (kills + 1))
            os.kill(process.pid, signal.SIGKILL)
        kills += 1
        with engines.database.transaction(read_only=True) as connection:
            assert tiles.size(connection) == connection.scalar(select(func.count(entries.c.number)))
            assert misplaced(connection) == 0
    while journal.number(engines.database):
        pass
    with engines.database.transaction(read_only=True) as connection:
        rows = connection.execute(select(entries.c.number, entries.c.leaf).order_by(entries.c.number)).all()
        assert [row.number for row in rows] == list(range(size))
        assert {row.leaf for row in rows} == {leaf(one) for one in range(size)}
        assert misplaced(connection) == 0
        assert merkle.root_at(tiles.nodes(connection), size) == merkle.root(row.leaf for row in rows)


def test_what_was_changed_in_a_row_does_not_change_the_tree(engines: Engines) -> None:
    """The tiles remember: this is what `abri trace verify` compares with."""
    fill(engines.database, 0, 10)
    journal.number(engines.database)
    with engines.database.transaction() as connection:
        connection.execute(update(entries).where(entries.c.number == 4).values(leaf=bytes(32)))
    with engines.database.transaction(read_only=True) as connection:
        assert merkle.root_at(tiles.nodes(connection), 10) == merkle.root(leaf(one) for one in range(10))
