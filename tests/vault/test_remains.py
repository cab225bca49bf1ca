"""After an erasure nothing remains: in tables, in the key vault, in any version of a blob, in the bytes of the files themselves."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from storage.s3 import S3Store
from storage.tables import entries, entry_copies, erasures, metadata, trace_keys, vault_metadata
from tests.vault.builders import MadePerson, unlock
from tests.vault.clock import Clock
from tests.vault.comings import face, set_circle
from tests.vault.papers import read
from tests.vault.test_erasure import NAME, WORDS, any_ids, ask_and_carry_out, lived_in, make_other
from vault import audit, certificates, people, remains
from vault.context import Context
from vault.remains import Found


def test_nothing_remains(any_house: Context, clock: Clock) -> None:
    """Thirty known values in no table, no row of the key vault, no blob; what stays names nobody; others' safes are untouched."""
    made, papers = lived_in(any_house, clock)
    people.rename(any_house, made.awa.session, NAME)
    other, kept = make_other(any_house, made)
    with any_house.database.transaction(read_only=True) as connection:
        leaves = connection.execute(select(entries.c.id, entries.c.leaf).order_by(entries.c.id)).all()
        blobs = {held.name for held in any_house.blobs.inventory()}
    unlock(any_house, other)
    set_circle(any_house, other, [face(made.fatou, "Mariam"), face(made.marc, "Mariam")])
    unlock(any_house, made.awa)
    of_awa, before = {made.awa.id, *any_ids(any_house, made.awa.id), *of_trace(any_house, made.awa)}, everything(any_house)
    known = [f"{WORDS} {number}".encode() for number in range(9)]
    known += [one.encode() for one in (*papers, made.awa.number, made.awa.card, NAME, *any_ids(any_house, made.awa.id))]
    assert len(known) >= 30
    assert remains.check(any_house, made.awa.id, known)  # the search finds them while they are there
    asked = ask_and_carry_out(any_house, clock, made.awa)
    assert remains.check(any_house, made.awa.id, known) == []
    assert any_house.keyvault.owned(made.awa.id) == []
    gone = blobs - {held.name for held in any_house.blobs.inventory()}
    assert len(gone) == 9 * 3
    nothing_but(of_awa, before, everything(any_house))
    unlock(any_house, other)
    assert read(any_house, other.session, kept)
    with any_house.database.transaction(read_only=True) as connection:
        after = dict(connection.execute(select(entries.c.id, entries.c.leaf)).all())
        assert all(after[row.id] == row.leaf for row in leaves)
        row = connection.execute(select(erasures)).mappings().one()
        orphans = select(trace_keys.c.id).where(trace_keys.c.id.not_in(select(entry_copies.c.key)))
        assert connection.execute(orphans).all() == []
    assert (row["person"], row["witness"], row["state"]) == (None, None, "done")
    found = certificates.find(any_house, asked.number)
    assert (found.said.papers, found.said.grants, found.said.day, found.said.horizon) == (9, 3, "2026-11-27", "2026-12-27")


@dataclass(frozen=True)
class Everything:
    """Every row of the main database and of the key vault, and what each blob holds."""

    rows: dict[str, list[dict[str, object]]]
    blobs: dict[str, bytes]


def everything(house: Context) -> Everything:
    """As it stands now."""
    rows: dict[str, list[dict[str, object]]] = {}
    for database, schema in ((house.database, metadata), (house.keyvault.database, vault_metadata)):
        with database.transaction(read_only=True) as connection:
            for table in schema.sorted_tables:
                rows[table.name] = [dict(row) for row in connection.execute(select(table)).mappings()]
    blobs: dict[str, bytes] = {}
    for held in house.blobs.inventory():
        with house.blobs.open(held.name) as blob:
            blobs[str(held.name)] = hashlib.sha256(blob.read_at(0, blob.size)).digest()
    return Everything(rows, blobs)


def of_trace(house: Context, person: MadePerson) -> set[object]:
    """What ties copies of the trace to a person, and nobody else can tell: the tags of their months, the keys of what these find."""
    with house.database.transaction(read_only=True) as connection:
        tags = {tag for _, tag in audit.tags_of(house, connection, person.session)}
        return {*tags, *connection.scalars(select(entry_copies.c.key).where(entry_copies.c.tag.in_(tags)))}


def nothing_but(ids: set[object], before: Everything, after: Everything) -> None:
    """Each row that went or changed names one of these, or a row of theirs that went; every other is there byte for byte."""
    mine, blobs = set(ids), set[object]()
    gone = [row for table, rows in before.rows.items() for row in rows if row not in after.rows[table]]
    while theirs := [row for row in gone if mine & set(row.values())]:
        mine |= {row["id"] for row in theirs if "id" in row}
        blobs |= {row["blob"] for row in theirs if "blob" in row}
        gone = [row for row in gone if row not in theirs]
    assert gone == []
    assert {name for name in before.blobs if after.blobs.get(name) != before.blobs[name]} <= blobs


def test_a_hidden_version_is_searched_too(any_house: Context) -> None:
    """Deleted by hand in a store that keeps versions: it reads as missing, and is still there to be found."""
    with any_house.blobs.writer() as writer:
        writer.write(b"un mot de " + WORDS.encode())
        name = writer.commit().name
    place = name
    if isinstance(any_house.blobs, S3Store):
        store, place = any_house.blobs, f"{name} (hidden version)"
        store.client.delete_object(Bucket=store.settings.bucket, Key=store.key_of(name))
    assert remains.check(any_house, None, [WORDS.encode()]) == [Found("blobs", place)]
    any_house.blobs.delete(name)
    assert remains.check(any_house, None, [WORDS.encode()]) == []


def test_the_files_themselves_hold_nothing(house: Context, clock: Clock, tmp_path: Path) -> None:
    """Not only the rows: the bytes of the database's files, log included, and of the folder of blobs."""
    made, papers = lived_in(house, clock)
    needles = [made.awa.id.encode(), *(one.encode() for one in papers)]
    assert any(needle in path.read_bytes() for needle in needles for path in tmp_path.rglob("*") if path.is_file())
    ask_and_carry_out(house, clock, made.awa)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(needle in content for needle in needles), path.name
