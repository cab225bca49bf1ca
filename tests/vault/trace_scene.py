"""Entries as use cases leave them, what anybody could fetch of them, and the worst that a holder of everything could do to them."""

import dataclasses
import hashlib
import runpy
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from sqlalchemy import delete, select, update

from crypto import contexts
from crypto import trace as sealed_trace
from crypto.checkpoint import TreeHead
from crypto.keys import TraceKey
from crypto.notes import Note
from storage import journal, tiles
from storage.journal import Copy
from storage.tables import checkpoints as head_rows
from storage.tables import entries, entry_copies
from storage.tables import tiles as tile_rows
from vault import accounts, checkpoints, last_head, publication
from vault.context import Context

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


def rehash(house: Context, entry: str) -> None:
    """What somebody does who can write in the rows and knows the formats: the hash fits again."""
    with house.database.transaction() as connection:
        row = connection.execute(select(entries).where(entries.c.id == entry)).one()
        hashes: dict[journal.Party, bytes] = {"person": row.person_hash, "worker": row.worker_hash, "incident": row.incident_hash}
        connection.execute(update(entries).where(entries.c.id == entry).values(leaf=journal.leaf_hash(entry, hashes)))


def rewrite(house: Context, made: list[str]) -> None:
    """Everything at once, by somebody who holds the whole machine: entries, tree, heads signed anew, and what it remembers."""
    last_head.place(house.settings).unlink()
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
