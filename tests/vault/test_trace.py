"""The trace as others check it: heads, proofs, published files, witnesses; and every way to change it afterwards is found."""

import base64
import dataclasses
import hashlib
import http.client
import runpy
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert, select, update

from crypto import checkpoint, contexts, merkle
from crypto import trace as sealed_trace
from crypto.checkpoint import CheckpointSigner, TreeHead
from crypto.errors import Malformed
from crypto.keys import SignSeed, TraceKey
from crypto.notes import Note, NoteKey
from storage import journal, tiles
from storage.journal import Copy
from storage.tables import checkpoints as head_rows
from storage.tables import entries, entry_copies, trace_keys, witness_answers
from storage.tables import tiles as tile_rows
from tests.vault.builders import make_person, unlock
from tests.vault.clock import Clock
from vault import accounts, audit, checkpoints, proofs, publication, recount, witnesses
from vault.checkpoints import Rewritten
from vault.context import Context
from vault.errors import NotThere
from vault.events import Event
from vault.publication import Place
from vault.settings import WitnessAt
from vault.witness import Asked, InUse, Memory, Witness, make_key, read_key
from vault.witness_server import server

VERIFIER = Path(__file__).parents[2] / "tools" / "verify_trace.py"


ALONE = runpy.run_path(str(VERIFIER))  # what it defines, for what needs no interpreter of its own


@dataclasses.dataclass(frozen=True)
class Somebody:
    """Whose entries `write` writes: the tag of this month, and a trace key as it lies for the person and for an inquiry."""

    tag: bytes
    session: str
    person: bytes
    incident: bytes


KNOWN: dict[Path, Somebody] = {}  # by the folder of the house


def somebody(house: Context, *, another: bool = False) -> Somebody:
    """Whom the entries of this house are about, or somebody else from now on."""
    if another or house.settings.folder not in KNOWN:
        KNOWN[house.settings.folder] = _somebody(house)
    return KNOWN[house.settings.folder]


def _somebody(house: Context) -> Somebody:
    """An account without a safe."""
    new, session = accounts.draw(house, "person"), str(uuid4())
    with house.database.transaction() as connection:
        public = accounts.keep(house, connection, new)
    month = house.clock().year * 100 + house.clock().month
    posted = []
    for party, key in ((new.id, public.kem), (contexts.INCIDENT, house.settings.incident_key)):
        place = contexts.trace_key(session=session, party=party)
        vaulted = house.keyvault.derive("person", new.id, place)
        posted.append(sealed_trace.post_trace_key(key, vaulted, place, TraceKey.random()))
    return Somebody(sealed_trace.tag(house.keyvault.derive("person", new.id, contexts.trace_tag(month=month))), session, *posted)


def write(house: Context, many: int) -> list[str]:
    """Entries with copies, as use cases leave them; in the order of their numbers."""
    made, who = sorted(str(uuid4()) for _ in range(many)), somebody(house)
    with house.database.transaction() as connection:
        for entry in made:
            key = entry[:30]
            journal.add_key(connection, key=f"p{key}", session=who.session, party="person", posted=who.person)
            journal.add_key(connection, key=f"i{key}", session=who.session, party="incident", posted=who.incident)
            copies: dict[journal.Party, Copy] = {
                "person": Copy(who.tag, f"p{key}", entry.encode()),
                "incident": Copy(who.tag, f"i{key}", b"i" + entry.encode()),
            }
            journal.append(connection, entry, copies)
    journal.number_all(house.database)
    return made


def verifier(*arguments: object) -> tuple[int, str]:
    """The program that shares no code with ours, in an interpreter that cannot even see it."""
    command = [sys.executable, "-I", str(VERIFIER), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def copy_published(house: Context, folder: Path) -> Path:
    """What anybody could fetch."""
    note = publication.checkpoint(house)
    size = TreeHead.of_text(Note.parse(note).text).size
    names = [f"entries/{n:03d}" for n in range(size // 256)] + [f"0/{n:03d}" for n in range(size // 256)]
    if size % 256:
        names += [f"{kind}/{size // 256:03d}.p/{size % 256}" for kind in ("entries", "0")]
    for name in names:
        place = folder / "tile" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(publication.resource(house, name))
    (folder / "checkpoint").write_text(note)
    (folder / "keys").write_text(checkpoints.keys(house).lines())
    return folder


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
    for number in (0, 256, 304):
        file = tmp_path / "one.tlog-proof"
        file.write_text(proofs.inclusion(house, made[number]).file)
        assert f"it holds: entry {made[number]} is number {number}" in verifier("proof", file, "--key", keys)[1]
    _refuses_what_is_changed(file, keys, second, tmp_path)


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
            ALONE["check_proof"](changed, [ALONE["Key"](line) for line in keys.read_text().splitlines()])
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


def test_an_entry_that_says_it_is_older_than_a_head_without_it(house: Context, clock: Clock) -> None:
    """Somebody with the service's keys writes an entry today and dates it last week."""
    person = make_person(house)
    checkpoints.publish(house)
    clock.forward(days=7)
    checkpoints.publish(house)
    clock.forward(days=-6)
    with house.database.transaction() as connection:
        planted = audit.record(house, connection, None, Event("paper.seen", by_name="Nora"), person=person.id)
    clock.forward(days=6, minutes=10)
    session = unlock(house, person)
    entry, proof = proofs.of_own(house, session, planted)
    assert proof.backdated(entry.at)
    late = next(line for line in audit.history(house, session) if line.id != planted and line.at > entry.at)
    assert not proofs.of_own(house, session, late.id)[1].backdated(late.at)


def rehash(house: Context, entry: str) -> None:
    """What somebody does who can write in the rows and knows the formats: the hash fits again."""
    with house.database.transaction() as connection:
        row = connection.execute(select(entries).where(entries.c.id == entry)).one()
        hashes: dict[journal.Party, bytes] = {"person": row.person_hash, "worker": row.worker_hash, "incident": row.incident_hash}
        connection.execute(update(entries).where(entries.c.id == entry).values(leaf=journal.leaf_hash(entry, hashes)))


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


def rewrite(house: Context, made: list[str]) -> None:
    """Everything at once, by somebody who holds the rows and the service's keys: entries, tree, and heads signed anew."""
    mine = (entry_copies.c.entry == made[3], entry_copies.c.party == "person")
    with house.database.transaction() as connection:
        digest = hashlib.sha256(b"another").digest()
        connection.execute(update(entries).where(entries.c.id == made[3]).values(person_hash=digest))
        connection.execute(update(entry_copies).where(*mine).values(envelope=b"another"))
    rehash(house, made[3])
    with house.database.transaction() as connection:
        connection.execute(delete(tile_rows))
        connection.execute(delete(head_rows))
        leaves = journal.leaves(connection, 0, 1 << 40)
        tiles.grow(connection, leaves, 0)
    with house.database.transaction() as connection:
        checkpoints.sign(house, connection)


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


@contextmanager
def watched(house: Context, folder: Path) -> Iterator[tuple[Context, Witness]]:
    """The house with a witness that really listens."""
    key = make_key(folder / "key", "witness.example/w1")
    memory = Memory(folder / "memory.json")
    witness = Witness(read_key(folder / "key"), [checkpoints.keys(house)], memory, lambda: int(house.clock().timestamp()))
    with server(witness, "127.0.0.1", 0) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        at = WitnessAt(f"http://127.0.0.1:{listening.server_address[1]}", NoteKey.from_vkey(key))
        settings = dataclasses.replace(house.settings, witnesses=(at,))
        try:
            yield dataclasses.replace(house, settings=settings), witness
        finally:
            listening.shutdown()
            thread.join()
            memory.close()


def test_a_witness_signs_what_continues_and_refuses_a_rewritten_history(any_house: Context, tmp_path: Path, clock: Clock) -> None:
    made = write(any_house, 8)
    with watched(any_house, tmp_path) as (house, witness):
        checkpoints.publish(house)
        clock.forward(days=1)
        made += write(house, 4)
        with house.database.transaction() as connection:
            connection.execute(
                delete(witness_answers)
            )  # forgotten: the witness says what it knows, and is asked again from there
        checkpoints.publish(house)
        (heard,) = witnesses.heard(house)
        assert (heard.size, heard.answer) == (12, "cosigned")
        copy = copy_published(house, tmp_path / "published")
        file = tmp_path / "proof"
        file.write_text(proofs.inclusion(house, made[9]).file)
        vkey = witness.signer.public.lattice.vkey()
        assert verifier("proof", file, "--key", copy / "keys", "--witness", vkey)[0] == 0
        assert verifier("log", copy, "--key", copy / "keys", "--witness", vkey)[0] == 0
        rewrite(house, made)
        write(house, 1)
        checkpoints.publish(house)
        assert witnesses.heard(house)[0].answer == "refused"
        note = publication.checkpoint(house)
        assert witnesses.missing(house, dataclasses.replace(checkpoints.published(house), note=note))  # type: ignore[type-var]
        assert checkpoints.ask_again(house) == 0
        file.write_text(proofs.inclusion(house, made[9]).file)
        assert verifier("proof", file, "--key", copy / "keys", "--witness", vkey)[0] == 1


def test_a_witness_that_is_away_is_asked_again(house: Context, tmp_path: Path) -> None:
    write(house, 2)
    with watched(house, tmp_path) as (seen, _):
        away = dataclasses.replace(seen.settings.witnesses[0], address="http://127.0.0.1:9")
        alone = dataclasses.replace(seen, settings=dataclasses.replace(seen.settings, witnesses=(away,)))
        assert witnesses.heard(alone)[0].answer is None
        checkpoints.publish(alone)
        assert witnesses.heard(alone)[0].answer == "silent"
        assert checkpoints.ask_again(seen) == 1
        assert checkpoints.ask_again(seen) == 0
        assert checkpoint.verify(publication.checkpoint(seen), checkpoints.keys(seen)).head.size == 2


def test_what_a_witness_answers(house: Context, tmp_path: Path) -> None:
    """Each status of C2SP tlog-witness, and what is remembered is on the disk."""
    hashes = [merkle.leaf_hash(b"%d" % one) for one in range(20)]
    log, stranger = CheckpointSigner(SignSeed.random(), "log.example"), CheckpointSigner(SignSeed.random(), "log.example")
    make_key(tmp_path / "key", "w.example")
    memory = Memory(tmp_path / "memory.json")
    with pytest.raises(InUse):
        Memory(tmp_path / "memory.json")
    witness = Witness(read_key(tmp_path / "key"), [log.public], memory, lambda: 1_795_428_000)

    def nodes(level: int, place: int) -> bytes:
        return merkle.root(hashes[place << level : (place + 1) << level])

    def ask(
        old: int, new: int, *, proof: list[bytes] | None = None, by: CheckpointSigner = log, root: bytes = b""
    ) -> tuple[int, str]:
        head = TreeHead("log.example", new, root or merkle.root_at(nodes, new))
        sent = merkle.consistency_proof(nodes, min(old, new), new) if proof is None else proof
        answer = witness.add_checkpoint(witnesses.request_body(old, sent, by.sign(head, 1).encode()).encode())
        return answer.status, answer.text

    assert ask(3, 7) == (409, "0\n")
    assert ask(0, 7)[0] == 200
    assert ask(7, 7)[0] == 200
    assert ask(7, 7, root=bytes(32)) == (409, "7\n")
    assert ask(0, 12) == (409, "7\n")
    assert ask(7, 12, proof=[])[0] == 422
    assert ask(7, 12, root=bytes(32))[0] == 422
    assert ask(7, 12, by=stranger)[0] == 403
    assert ask(12, 7)[0] == 400
    assert ask(7, 12)[0] == 200
    for body in (b"", b"old 07\n\nx", b"old 7\n\n", b"old 7\nzz\n\nlog.example\n", b"\xff", b"old -1\n\n"):
        assert witness.add_checkpoint(body).status == 400
    other = CheckpointSigner(SignSeed.random(), "other.example").sign(TreeHead("other.example", 1, bytes(32)), 1).encode()
    assert witness.add_checkpoint(witnesses.request_body(0, [], other).encode()).status == 404
    memory.close()
    again = Memory(tmp_path / "memory.json")
    assert again.last("log.example") == TreeHead("log.example", 12, merkle.root(hashes[:12]))
    again.close()
    with pytest.raises(Malformed):
        Asked.parse("old 1\n" + (base64.b64encode(bytes(32)).decode() + "\n") * 64 + "\nx")


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


def test_the_served_witness_answers_http_and_nothing_else(house: Context, tmp_path: Path) -> None:
    with watched(house, tmp_path) as (seen, witness):
        port = seen.settings.witnesses[0].address.rpartition(":")[2]
        client = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
        client.request("GET", "/key")
        assert client.getresponse().read().decode().strip() == witness.signer.public.lattice.vkey()
        for method, path, length, status in (
            ("GET", "/", 0, 404),
            ("POST", "/other", 1, 404),
            ("POST", "/add-checkpoint", 1_000_000, 413),
            ("POST", "/add-checkpoint", 0, 400),
        ):
            client.request(method, path, headers={"Content-Length": str(length)})
            answer = client.getresponse()
            answer.read()
            assert answer.status == status
            client.close()
