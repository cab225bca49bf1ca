"""The trace as others check it: heads, proofs, published files, witnesses; and every way to change it afterwards is found."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert, select, update

from crypto import merkle
from crypto.checkpoint import CheckpointSigner, TreeHead
from crypto.keys import SignSeed
from crypto.notes import Note
from storage import journal, tiles
from storage.tables import checkpoints as head_rows
from storage.tables import entries, entry_copies, trace_keys
from storage.tables import tiles as tile_rows
from tests.crypto.tree_by_definition import mth
from tests.crypto.tree_by_definition import proof as by_definition
from tests.vault.builders import make_person, unlock
from tests.vault.clock import Clock
from tests.vault.trace_scene import ALONE, copy_published, rehash, rewrite, somebody, verifier, write
from vault import audit, checkpoints, proofs, publication, recount
from vault.checkpoints import Rewritten
from vault.context import Context
from vault.errors import NotThere
from vault.events import Event
from vault.publication import Place
from vault.witness import Asked


def test_a_day_of_the_trace_verified_by_a_program_that_shares_no_code(any_house: Context, tmp_path: Path, clock: Clock) -> None:
    house, made = any_house, write(any_house, 5)
    assert checkpoints.publish(house) == 5
    first = copy_published(house, tmp_path / "monday")
    clock.forward(days=1)
    made += write(house, 300)
    with pytest.raises(NotThere):
        publication.resource(house, "entries/000")
    assert TreeHead.of_text(Note.parse(publication.checkpoint(house)).text).size == 5, "nothing later shows before the next head"
    assert checkpoints.publish(house) == 300
    second = copy_published(house, tmp_path / "tuesday")
    keys = second / "keys"
    status, said = verifier("log", second, "--key", keys, "--since", first / "checkpoint", "--keep", tmp_path / "kept")
    assert (status, "continues the one of 5" in said) == (0, True), said
    assert verifier("log", tmp_path / "kept", "--key", keys)[0] == 0
    _continues(house, first, keys, tmp_path)
    for number in (0, 256, 304):
        file = tmp_path / "one.tlog-proof"
        file.write_text(proofs.inclusion(house, made[number]).file)
        assert f"it holds: entry {made[number]} is number {number}" in verifier("proof", file, "--key", keys)[1]
    _refuses_what_is_changed(file, keys, second, tmp_path)


def _continues(house: Context, first: Path, keys: Path, folder: Path) -> None:
    """The proof served for a size that somebody kept holds; another one does not, nor against another kept head."""
    file, whole = folder / "continues", proofs.consistency(house, 5)
    file.write_text(whole)
    status, said = verifier("continues", file, "--key", keys, "--since", first / "checkpoint")
    assert (status, "continues the one of 5" in said) == (0, True), said
    assert verifier("continues", file, "--key", keys)[0] == 2
    log, since = [[ALONE["Key"](line) for line in keys.read_text().splitlines()]], (first / "checkpoint").read_text()
    path = whole.partition("\n\n")[0].split("\n")[1:]
    assert len(path) >= 3
    flipped = [base64.b64encode(bytes([base64.b64decode(line)[0] ^ 1]) + base64.b64decode(line)[1:]).decode() for line in path]
    wrong = [whole.replace(line, other) for line, other in zip(path, flipped, strict=True)]
    wrong += [whole.replace(f"{line}\n", "") for line in path]
    wrong += [
        whole.replace(f"{path[0]}\n", f"{path[0]}\n{path[0]}\n"),
        whole.replace(f"{path[0]}\n{path[1]}\n", f"{path[1]}\n{path[0]}\n"),
    ]
    wrong += [
        proofs.consistency(house, 4),
        proofs.consistency(house, 4).replace("old 4", "old 5"),
        whole.replace("\n305\n", "\n306\n"),
    ]
    for one in wrong:
        with pytest.raises(ALONE["DoesNotHold"]):
            ALONE["check_continues"](one, log, [], since)
    later = publication.checkpoint(house)
    with pytest.raises(ALONE["DoesNotHold"]):
        ALONE["check_continues"](whole, log, [], later)
    file.write_text(wrong[0])
    assert verifier("continues", file, "--key", keys, "--since", first / "checkpoint")[0] == 1


def test_the_small_program_reads_what_the_definition_says_of_every_small_tree() -> None:
    def leads(path: list[bytes]) -> bool:
        try:
            return bool(ALONE["from_both"](root, old, size, path) == (root, new))
        except ALONE["DoesNotHold"]:
            return False

    leaves = [bytes([number]) for number in range(34)]
    for size in range(1, len(leaves) + 1):
        new = mth(leaves[:size])
        for old in range(1, size + 1):
            path, root = by_definition(old, leaves[:size]), mth(leaves[:old])
            assert leads(path)
            assert not leads([*path, new])
            assert not path or not leads(path[:-1])


def _refuses_what_is_changed(file: Path, keys: Path, published: Path, folder: Path) -> None:
    whole, other = file.read_text(), CheckpointSigner(SignSeed.random(), "localhost:8000/trace")
    lines = whole.split("\n")
    leaf = base64.b64decode(lines[1][6:])
    planted = base64.b64encode(leaf[:-1] + bytes([leaf[-1] ^ 1])).decode()
    for changed in (
        whole.replace(lines[1], f"extra {planted}"),
        whole.replace("index 304", "index 303"),
        whole.replace(lines[3] + "\n", ""),
        whole.replace("\n305\n", "\n306\n"),
    ):
        with pytest.raises(ALONE["DoesNotHold"]):
            ALONE["check_proof"](changed, [[ALONE["Key"](line) for line in keys.read_text().splitlines()]], [])
    (folder / "changed").write_text("index 3\n")
    assert verifier("proof", folder / "changed", "--key", keys)[0] == 2
    (folder / "other").write_text(other.public.lines())
    assert verifier("proof", file, "--key", folder / "other")[0] == 1
    (folder / "half").write_text(keys.read_text().splitlines()[0] + "\n")
    assert verifier("proof", file, "--key", folder / "half")[0] == 2
    bundle = published / "tile" / "entries" / "000"
    octets = bytearray(bundle.read_bytes())
    octets[2 + 113 + 2 + 40] ^= 1
    bundle.write_bytes(octets)
    status, said = verifier("log", published, "--key", keys)
    assert (status, "do not make the root" in said) == (1, True)


def test_a_person_proves_a_line_and_nobody_else_s(house: Context, clock: Clock) -> None:
    person, other = make_person(house), make_person(house)
    session = unlock(house, person)
    line = audit.history(house, session)[0]
    entry, proof = proofs.of_own(house, session, line.id)
    assert entry.number == proof.number
    assert proof.public is False
    assert not proof.backdated(entry.at)
    with pytest.raises(NotThere):
        proofs.of_own(house, unlock(house, other), line.id)
    assert proofs.inclusion(house, line.id) == proof, "no second head for the same entry"
    with pytest.raises(NotThere):
        proofs.inclusion(house, str(uuid4()))
    clock.forward(days=1)
    checkpoints.publish(house)
    assert proofs.inclusion(house, line.id).public
    assert proofs.numbers(house, [line.id, str(uuid4())]) == {line.id: proof.number}


def test_a_head_for_somebody_has_all_that_is_there_and_is_published_with_the_day_s_date(house: Context, clock: Clock) -> None:
    """What is not in a head came later: so nothing waits while it is signed. And what is published says so of its own day."""
    entry = write(house, 1)[0]
    make_person(house)  # whose entries have no number yet
    with house.database.transaction(read_only=True) as connection:
        assert journal.waiting(connection)
    proof = proofs.inclusion(house, entry)
    with house.database.transaction(read_only=True) as connection:
        assert not journal.waiting(connection)
        assert proof.size == tiles.size(connection) > 1
    clock.forward(days=1)
    assert checkpoints.publish(house) == proof.size
    head = checkpoints.published(house)
    assert head is not None
    assert head.size == proof.size, "nothing was added"
    assert checkpoints.signed_at(house, head) == clock.now.replace(microsecond=0)


@pytest.mark.parametrize(("days", "told"), [(6, set()), (40, {("hidden", 1)})], ids=["within the month", "in another month"])
def test_an_entry_that_says_it_is_older_than_a_head_without_it(
    house: Context, clock: Clock, days: int, told: set[tuple[str, int | None]]
) -> None:
    """Somebody with the service's keys writes an entry today and dates it back (ADR 0139): its page of proof says so, the count when it
    is of another month, and a witness sees a tree that goes on."""
    clock.forward(days=10)
    person = make_person(house)
    checkpoints.publish(house)
    clock.forward(days=days + 1)
    checkpoints.publish(house)
    clock.forward(days=-days)
    with house.database.transaction() as connection:
        planted = audit.record(house, connection, None, Event("paper.seen", by_name="Nora"), person=person.id)
    clock.forward(days=days, minutes=10)
    before = Asked.parse(proofs.consistency(house, 1))
    checkpoints.publish(house)
    assert {(fault.what, fault.place) for fault in recount.count(house).faults} == told
    after = Asked.parse(proofs.consistency(house, 1))
    old, new = (TreeHead.of_text(Note.parse(one.checkpoint).text) for one in (before, after))
    assert (old.size, new.size) == (1, 2)
    merkle.verify_consistency(old.size, new.size, after.proof, old.root, new.root)
    session = unlock(house, person)
    entry, proof = proofs.of_own(house, session, planted)
    assert proof.backdated(entry.at)
    late = next(line for line in audit.history(house, session) if line.id != planted and line.at > entry.at)
    assert not proofs.of_own(house, session, late.id)[1].backdated(late.at)


def alter(house: Context, made: list[str]) -> None:
    with house.database.transaction() as connection:
        connection.execute(update(entries).where(entries.c.id == made[3]).values(person_hash=b"\1" * 32))
    rehash(house, made[3])


def alter_copy(house: Context, made: list[str]) -> None:
    with house.database.transaction() as connection:
        mine = (entry_copies.c.entry == made[3], entry_copies.c.party == "person")
        connection.execute(update(entry_copies).where(*mine).values(envelope=b"another"))


def plant_copy(house: Context, made: list[str]) -> None:
    with house.database.transaction() as connection:
        connection.execute(
            insert(entry_copies).values(entry=made[3], party="worker", tag=b"t" * 16, key=f"p{made[3][:30]}", envelope=b"planted")
        )


def hide(house: Context, made: list[str]) -> None:
    """The copy is whole, and its owner never finds it."""
    move_copy(house, made[3], tag=b"t" * 16)


def hide_by_number(house: Context, made: list[str]) -> None:
    """Pages go by the number: without it the copy is on none."""
    move_copy(house, made[3], number=None)


def hide_with_somebody_else(house: Context, made: list[str]) -> None:
    """Under the tag of another account, whose page will not open it."""
    move_copy(house, made[3], tag=somebody(house, another=True).tag)


def move_copy(house: Context, entry: str, **to: object) -> None:
    with house.database.transaction() as connection:
        mine = (entry_copies.c.entry == entry, entry_copies.c.party == "person")
        connection.execute(update(entry_copies).where(*mine).values(**to))


def change_key(house: Context, made: list[str]) -> None:
    """The copy is whole, and its key is not: nobody will read it."""
    with house.database.transaction() as connection:
        kept = (trace_keys.c.id == f"p{made[3][:30]}",)
        posted = connection.execute(select(trace_keys.c.posted).where(*kept)).scalar_one()
        connection.execute(update(trace_keys).where(*kept).values(posted=posted[:-1] + bytes([posted[-1] ^ 1])))


def take_another_key(house: Context, made: list[str]) -> None:
    """The key of another session of the same person opens, and opens another copy."""
    who, entry = somebody(house), str(uuid4())
    with house.database.transaction() as connection:
        journal.add_key(connection, key=entry, session=entry, party="incident", posted=who.incident)
    move_copy(house, made[3], key=entry)


def drop(house: Context, made: list[str]) -> None:
    with house.database.transaction() as connection:
        connection.execute(delete(entry_copies).where(entry_copies.c.entry == made[3]))
        connection.execute(delete(entries).where(entries.c.id == made[3]))
        for place, entry in enumerate(made[4:], 3):
            connection.execute(update(entries).where(entries.c.id == entry).values(number=place))


def drop_and_leave_the_gap(house: Context, made: list[str]) -> None:
    with house.database.transaction() as connection:
        connection.execute(delete(entry_copies).where(entry_copies.c.entry == made[3]))
        connection.execute(delete(entries).where(entries.c.id == made[3]))


def insert_one(house: Context, made: list[str]) -> None:
    """It takes number 3; those behind move on."""
    with house.database.transaction() as connection:
        for place in range(len(made) - 1, 2, -1):
            connection.execute(update(entries).where(entries.c.id == made[place]).values(number=place + 1))
        values = {"number": 3, "leaf": bytes(32), "person_hash": b"p" * 32, "worker_hash": bytes(32), "incident_hash": bytes(32)}
        connection.execute(insert(entries).values(id="00000000-0000-4000-8000-00000000000a", **values))
    rehash(house, "00000000-0000-4000-8000-00000000000a")


def reorder(house: Context, made: list[str]) -> None:
    with house.database.transaction() as connection:
        for entry, place in ((made[3], 900), (made[5], 3), (made[3], 5)):
            connection.execute(update(entries).where(entries.c.id == entry).values(number=place))


def rename_head(house: Context, _: list[str]) -> None:
    with house.database.transaction() as connection:
        connection.execute(update(head_rows).values(root=b"r" * 32))


def alter_tile(house: Context, _: list[str]) -> None:
    with house.database.transaction() as connection:
        kept = connection.execute(select(tile_rows.c.hashes).where(tile_rows.c.level == 0)).scalar_one()
        connection.execute(update(tile_rows).values(hashes=kept[:96] + bytes(32) + kept[128:]))


Change = Callable[[Context, list[str]], None]
CHANGES: list[tuple[Change, set[tuple[str, int | None]]]] = [
    (alter, {("altered", 3), ("copy", 3)}),
    (alter_copy, {("copy", 3)}),
    (plant_copy, {("copy", 3), ("hidden", 3)}),
    (hide, {("hidden", 3)}),
    (hide_with_somebody_else, {("hidden", 3)}),
    (hide_by_number, {("hidden", 3)}),
    (change_key, {("hidden", 3)}),
    (take_another_key, {("hidden", 3)}),
    (drop, {("dropped", 3), *[("hidden", place) for place in range(3, 10)]}),  # copies know their places
    (drop_and_leave_the_gap, {("dropped", 3)}),
    (insert_one, {("inserted", 3), ("cut", 3), *[("hidden", place) for place in range(4, 12)]}),
    (reorder, {("moved", 3), ("moved", 5), ("hidden", 3), ("hidden", 5)}),
    (rename_head, {("head", 8)}),
    (alter_tile, {("tile", None), ("altered", 3)}),
]


@pytest.mark.parametrize(("change", "expected"), CHANGES, ids=lambda one: getattr(one, "__name__", ""))
def test_whatever_is_changed_in_the_rows_is_found_and_named(house: Context, change: Change, expected: set[Any]) -> None:
    made = write(house, 8)
    checkpoints.publish(house)
    write(house, 3)
    assert recount.count(house).faults == ()
    assert recount.count(house).heads == 1
    change(house, [*made, *_after(house, 8)])
    faults = recount.count(house).faults
    found = {(fault.what, fault.place) for fault in faults}
    if change is alter_tile:  # the rows still lead to the head, so it is the tree that is wrong
        assert ("tile", None) in found
        return
    assert found == expected
    assert recount.nightly(house) == len(faults)


def _after(house: Context, number: int) -> list[str]:
    with house.database.transaction(read_only=True) as connection:
        return list(connection.scalars(select(entries.c.id).where(entries.c.number >= number).order_by(entries.c.number)))


def test_a_whole_history_written_anew_is_found_by_what_was_published(house: Context, tmp_path: Path) -> None:
    made = write(house, 8)
    checkpoints.publish(house)
    copy = copy_published(house, tmp_path / "copy")
    write(house, 2)
    assert recount.count(house, copy).faults == ()
    rewrite(house, made)
    assert recount.count(house).faults == (), "within these stores alone nothing is left to compare with"
    found = {(fault.what, fault.place) for fault in recount.count(house, copy).faults}
    assert found == {("altered", 3)}


def test_rows_and_tree_changed_together_lie_between_two_heads(house: Context) -> None:
    made = write(house, 3)
    checkpoints.publish(house)
    made += write(house, 5)
    checkpoints.publish(house)
    alter(house, [*made[:3], made[5]])
    with house.database.transaction() as connection:
        connection.execute(delete(tile_rows))
        tiles.grow(connection, journal.leaves(connection, 0, 99), 0)
    found = {(fault.what, fault.place) for fault in recount.count(house).faults if fault.what != "copy"}
    assert found == {("between", 3)}


def test_no_head_is_signed_over_a_history_that_does_not_continue(any_house: Context) -> None:
    """The log refuses by itself, as long as its own kept head has not been rewritten as well."""
    house, made = any_house, write(any_house, 8)
    checkpoints.publish(house)
    alter(house, made)
    with house.database.transaction() as connection:
        connection.execute(delete(tile_rows))
        tiles.grow(connection, journal.leaves(connection, 0, 99), 0)
    write(house, 1)
    with pytest.raises(Rewritten):
        checkpoints.publish(house)
    with house.database.transaction(read_only=True) as connection:
        assert [head.size for head in journal.all_checkpoints(connection)] == [8]


def test_addresses_of_tiles_are_written_in_one_way(house: Context) -> None:
    assert Place.parse("0/x001/x234/067") == Place(0, 1234067, 256)
    assert Place.parse("entries/000.p/12") == Place("entries", 0, 12)
    for text in (
        "00/000",
        "0/0",
        "0/x000/001",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/01",
        "64/000",
        "0/001/002",
        "0/../0",
        "x/000",
        "",
        "0/000/",
    ):
        with pytest.raises(NotThere):
            Place.parse(text)
    with pytest.raises(NotThere):
        publication.checkpoint(house)
    with pytest.raises(NotThere):
        proofs.consistency(house, 0)
    write(house, 3)
    checkpoints.publish(house)
    assert Asked.parse(proofs.consistency(house, 2)).old == 2
    with pytest.raises(NotThere):
        proofs.consistency(house, 4)
