"""`python -m bench.trace`: what it costs that everything is traced, and whether proofs stay as quick when the trace grows.

Two tables. Writing: the same use case (a person changes the name they use: read, decide, update, commit) with its entry of the trace, and
in its place either plain INSERTs of the same shape (the same rows, as long, with nothing derived, sealed or looked up) or a single row
in clear; all take turns on the same database, while a sequencer numbers what is written. The target is against the same shape.
Proving: logs of 10^3 to 10^6 entries, filled at once with a valid tree: the proof of a person's line, a consistency proof, a published
tile, and a page of *Qui a regardé ?* of somebody with forty lines and of somebody with all the others. About ten minutes.
"""

import argparse
import dataclasses
import datetime as dt
import hashlib
import json
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, delete, insert, select, text, update

from crypto import contexts, merkle
from crypto import trace as sealed_trace
from crypto.canonical import instant
from crypto.kem import kem_public, public_key
from crypto.keys import KemSeed, SignSeed, TraceKey
from crypto.signing import Signer
from storage import journal, tiles
from storage.blobs import FolderStore
from storage.database import Database
from storage.keyvault import KeyVault
from storage.migrate import Urls, upgrade
from storage.tables import accounts, checkpoints, entries, entry_copies, trace_keys
from storage.tables import tiles as tile_rows
from tests.engines import sqlite_urls
from tests.servers import Postgres
from tests.vault.builders import make_person
from vault import audit, last_head, looking_back, people, proofs
from vault.confinement import Confinement
from vault.context import Context
from vault.derivations import Derivations
from vault.events import Event
from vault.sessions import Session
from vault.settings import SealKey, Settings, insecure_fast_kdf, today_in_paris
from vault.web.history import ENTRIES_A_PAGE as PAGE

TARGET = 0.7
ROUNDS = 6
SIZES = (1_000, 10_000, 100_000, 1_000_000)
FLAT = 3.0  # a proof at 10^6 may take so many times that of 10^3: two more tiles are read


@dataclasses.dataclass(frozen=True)
class Rate:
    """Use cases per second with the trace, with plain inserts of its shape, and with one plain row, each round."""

    engine: str
    at_once: int
    ours: list[float]
    plain: list[float]
    one_row: list[float]

    @property
    def rounds(self) -> list[float]:
        """The ratio to the same shape in each round."""
        return [ours / plain for ours, plain in zip(self.ours, self.plain, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.rounds)

    @property
    def ratio_to_one_row(self) -> float:
        """The same to a single row in clear."""
        return statistics.median(ours / row for ours, row in zip(self.ours, self.one_row, strict=True))


@dataclasses.dataclass(frozen=True)
class Speed:
    """Milliseconds, the quickest of thirty, in a trace of that size: a proof of a line, a consistency proof, a tile, pages of a history."""

    entries: int
    inclusion: float
    consistency: float
    tile: float
    page_of_few: float
    page: float
    page_in_the_middle: float


def house_on(urls: Urls, folder: Path) -> Context:
    """A context as in production, but for the cost of codes."""
    service = SignSeed.random()
    settings = Settings(
        mode="embedded", folder=folder, database_url=urls.main, vault_url=urls.vault, tombstones_url=urls.tombstones,
        blobs=f"folder:{folder}", s3_endpoint=None, s3_region="", s3_access_key=None, s3_secret_key=None, host="127.0.0.1", port=1,
        origins=("https://localhost",), certificate=None, private_key=None, service_sign=service, service_seal=SealKey.random(),
        root_keys={}, incident_key=public_key(KemSeed.random()), cost=insecure_fast_kdf(),
    )  # fmt: skip
    return Context(
        settings=settings, database=Database(urls.main), blobs=FolderStore(folder / "papers"),
        keyvault=KeyVault(urls.vault, urls.tombstones), confinement=Confinement(), service=Signer(service),
        derivations=Derivations(2, 200, by_kiosk=200),
    )  # fmt: skip


def one_row(
    context: Context, connection: Connection, _: Session | None, event: Event, *, person: str | None = None, **__: Any
) -> str:  # fmt: skip
    """In place of `audit.record`: one row, in clear."""
    row = {"id": context.new_id(), "person": person, "event": json.dumps(event.fields(instant(context.clock())))}
    connection.execute(text("insert into plain_entries (id, person, event) values (:id, :person, :event)"), row)
    return str(row["id"])


def same_rows(
    context: Context, connection: Connection, _: Session | None, event: Event, *, person: str | None = None, **__: Any
) -> str:  # fmt: skip
    """In place of `audit.record`: an entry and a copy for each of two parties, in clear, as long as the true ones."""
    entry, said = context.new_id(), json.dumps(event.fields(instant(context.clock()))).encode().ljust(SEALED_BYTES)
    connection.execute(ADD_ENTRY, {"id": entry, "leaf": NO_DIGEST, "a": NO_DIGEST, "b": NO_DIGEST, "c": NO_DIGEST})
    copies = [{"entry": entry, "party": party, "tag": NO_DIGEST[:16], "key": person, "said": said} for party in ("a", "b")]
    connection.execute(ADD_COPIES, copies)
    return entry


TABLES = (
    "create table plain_entries (id varchar(64) primary key, person varchar(64), event text)",
    "create table plain_leaves (id varchar(64) primary key, number bigint unique, leaf {b}, a {b}, b {b}, c {b})",
    (
        "create table plain_copies (entry varchar(64) references plain_leaves, party varchar(40), tag {b}, key varchar(64), said {b}, "
        "primary key (entry, party))"
    ),
    "create index plain_tags on plain_copies (tag)",
    "create index plain_keys on plain_copies (key)",
)
ADD_ENTRY = text("insert into plain_leaves (id, leaf, a, b, c) values (:id, :leaf, :a, :b, :c)")
ADD_COPIES = text("insert into plain_copies (entry, party, tag, key, said) values (:entry, :party, :tag, :key, :said)")
NO_DIGEST, SEALED_BYTES = bytes(32), 337
FILLER = bytes(SEALED_BYTES)
FILLED = hashlib.sha256(FILLER).digest()


def rate(context: Context, sessions: list[Session], seconds: float) -> float:
    """How often a second the use case is done, each session by a thread of its own."""
    end = time.perf_counter() + seconds

    def work(session: Session) -> int:
        done = 0
        while time.perf_counter() < end:
            people.rename(context, session, f"Awa {done % 7}")
            done += 1
        return done

    began = time.perf_counter()
    with ThreadPoolExecutor(len(sessions)) as threads:
        done = sum(threads.map(work, sessions))
    return done / (time.perf_counter() - began)


@contextmanager
def numbering(context: Context) -> Iterator[None]:
    """The sequencer, each second, as `abri tasks` runs it."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(1.0):
            journal.number(context.database)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def writing(engine: str, context: Context, seconds: float) -> Iterator[Rate]:
    """Both ways in turn, at 1 and at 8."""
    with context.database.transaction() as connection:
        for table in TABLES:
            connection.execute(text(table.format(b="blob" if context.database.is_sqlite else "bytea")))
    sessions = [make_person(context).session for _ in range(8)]
    for at_once in (1, 8):
        found: list[tuple[float, ...]] = []
        with numbering(context):
            rate(context, sessions[:at_once], seconds / 4)  # trace keys are posted once for each session
            for _ in range(ROUNDS):
                turn = [rate(context, sessions[:at_once], seconds / ROUNDS)]
                for instead in (same_rows, one_row):
                    with patch.object(audit, "record", instead):
                        turn.append(rate(context, sessions[:at_once], seconds / ROUNDS))
                found.append(tuple(turn))
        ours, plain, single = (list(one) for one in zip(*found, strict=True))
        yield Rate(engine, at_once, ours, plain, single)


def proving(context: Context, sizes: Sequence[int]) -> Iterator[Speed]:
    """At each size the log is filled anew; then proofs, and pages of histories, as the pages ask for them."""
    for size in sizes:
        speed = asked(context, filled(context, size), size)
        print(speed, file=sys.stderr, flush=True)
        yield speed


def asked(context: Context, log: "Log", size: int) -> Speed:
    """One log: everything that a page asks of it, thirty times each."""
    middle = looking_back.Cursor(log.months[len(log.months) // 2], size // 2 + 5)
    looking_back.sheet(context, log.everything, PAGE)
    lines = [one.id for one in looking_back.sheet(context, log.few, PAGE).entries]
    proofs.of_own(context, log.few, lines[-1])  # the head over it is signed once
    return Speed(
        size,
        inclusion=_quickest(lambda turn: proofs.of_own(context, log.few, lines[turn % len(lines)])),
        consistency=_quickest(lambda turn: _continue(context, size, turn * 7919 * 104729 % size)),
        tile=_quickest(lambda turn: _tile(context, turn * 7919 * 104729 % size)),
        page_of_few=_quickest(lambda _: looking_back.sheet(context, log.few, PAGE)),
        page=_quickest(lambda _: looking_back.sheet(context, log.everything, PAGE)),
        page_in_the_middle=_quickest(lambda _: looking_back.sheet(context, log.everything, PAGE, before=middle)),
    )


@dataclasses.dataclass(frozen=True)
class Log:
    """A log of one size: somebody about whom all of it is but forty entries, and somebody about whom these are; months (202611)."""

    everything: Session
    few: Session
    months: list[int]


def filled(context: Context, size: int) -> Log:
    """Fill the log: a valid tree, digests that fit, three years of months. What no page here shows is sealed once and repeated."""
    with context.database.transaction() as connection:
        for table in (checkpoints, tile_rows, entry_copies, entries, trace_keys):
            connection.execute(delete(table))
    last_head.place(context.settings).unlink(missing_ok=True)  # another log: the head of the one before says nothing of it
    everything, few = make_person(context).session, make_person(context).session
    journal.number_all(context.database)
    with context.database.transaction() as connection:
        since = today_in_paris(context.clock()) - dt.timedelta(days=1000)
        connection.execute(update(accounts).values(created=since))
        tags = {one.account: audit.tags_of(context, connection, one) for one in (everything, few)}
        first = tiles.size(connection)
        own = {one.account: _own_key(context, connection, one) for one in (everything, few)}
    months = [month for month, _ in tags[few.account]]
    every = size // 40
    shown = [*range(40), *range(size // 2 - 40, size // 2 + 40), *range(size - 40, size)]
    marks, event = frozenset(shown), Event("paper.seen", by_name="Nora", title="Avis").fields(instant(context.clock()))
    for start in range(0, size, 20_000):
        rows, copies, leaves = [], [], []
        for place in range(start, min(size, start + 20_000)):
            whose = few if place % every == every // 2 else everything
            entry = str(uuid.UUID(bytes=hashlib.sha256(b"%d" % place).digest()[:16], version=4))
            key, secret = own[whose.account]
            real = whose is few or place in marks
            seal = contexts.trace(entry=entry, party=whose.account)
            envelope = sealed_trace.seal_event(secret, seal, event) if real else FILLER
            hashes: dict[journal.Party, bytes] = {
                "person": hashlib.sha256(envelope).digest(),
                "worker": NO_DIGEST,
                "incident": FILLED,
            }
            leaf = journal.leaf_hash(entry, hashes)
            leaves.append(leaf)
            columns = {f"{party}_hash": digest for party, digest in hashes.items()}
            rows.append({"id": entry, "number": first + place, "leaf": leaf, **columns})
            tag = tags[whose.account][place * len(months) // size][1]
            copies += [
                {"entry": entry, "party": "person", "tag": tag, "key": key, "envelope": envelope, "number": first + place},
                {"entry": entry, "party": "incident", "tag": tag, "key": key, "envelope": FILLER, "number": first + place},
            ]
        with context.database.transaction() as connection:
            connection.execute(insert(entries), rows)
            connection.execute(insert(entry_copies), copies)
            tiles.grow(connection, leaves, first + start)
    with context.database.transaction() as connection:
        connection.execute(text("analyze"))
    return Log(everything, few, months)


def _own_key(context: Context, connection: Connection, session: Session) -> tuple[str, TraceKey]:
    """A trace key posted to the person, as a session leaves one."""
    place, secret = contexts.trace_key(session=session.id, party=session.account), TraceKey.random()
    public = connection.execute(select(accounts.c.kem_public).where(accounts.c.id == session.account)).scalar_one()
    vaulted = context.keyvault.derive("person", session.account, place)
    posted = sealed_trace.post_trace_key(kem_public(public), vaulted, place, secret)
    journal.add_key(connection, key=session.account, session=session.id, party="person", posted=posted)
    return session.account, secret


def _continue(context: Context, size: int, place: int) -> None:
    with context.database.transaction(read_only=True) as connection:
        nodes = tiles.nodes(connection)
        path = merkle.consistency_proof(nodes, place + 1, size)
        merkle.verify_consistency(place + 1, size, path, merkle.root_at(nodes, place + 1), merkle.root_at(nodes, size))


def _tile(context: Context, place: int) -> None:
    """What one published resource costs."""
    if place >= tiles.WIDTH:
        with context.database.transaction(read_only=True) as connection:
            tiles.tile(connection, 0, place // tiles.WIDTH - 1)


def _quickest(ask: Callable[[int], object]) -> float:
    """Of thirty, the quickest: what it takes when nothing else runs, which is what grows, or does not, with the log."""
    times = []
    for turn in range(30):
        began = time.perf_counter()
        ask(turn)
        times.append((time.perf_counter() - began) * 1000)
    return min(times)


def shown(rates: list[Rate], speeds: list[tuple[str, Speed]]) -> Iterator[Table]:
    """For people."""
    table = Table(title="A use case with its entry of the trace, beside the same with a plain INSERT")
    for column in ("", "at once", "trace /s", "plain /s", "ratio", "lowest and highest round", "target", "one row /s", "ratio"):
        table.add_column(column, justify="right")
    for one in rates:
        medians = [statistics.median(rates) for rates in (one.ours, one.plain, one.one_row)]
        colour = "green" if one.ratio >= TARGET else "red"
        table.add_row(
            one.engine, str(one.at_once), f"{medians[0]:.0f}", f"{medians[1]:.0f}", f"[{colour}]{one.ratio:.2f}[/]",
            f"{min(one.rounds):.2f} {max(one.rounds):.2f}", f"{TARGET:.2f}",
            f"{medians[2]:.0f}", f"{one.ratio_to_one_row:.2f}",
        )  # fmt: skip
    yield table
    table = Table(title="Milliseconds: a proof, a published tile, a page of a history of 40 lines, and of one with (nearly) all")
    names = [field.name for field in dataclasses.fields(Speed)]
    for column in ("", *(name.replace("_", " ") for name in names)):
        table.add_column(column, justify="right")
    for engine, speed in speeds:
        table.add_row(engine, f"{speed.entries:,}", *(f"{getattr(speed, name):.2f}" for name in names[1:]))
    yield table


def flat(speeds: list[tuple[str, Speed]]) -> bool:
    """Whether each of the times at each size stays near that of the smallest."""
    first = dict(reversed(speeds))
    names = [field.name for field in dataclasses.fields(Speed)][1:]
    return all(getattr(one, name) <= FLAT * getattr(first[engine], name) + 1 for engine, one in speeds for name in names)


def main() -> int:
    """Measure both engines; status 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=12, help="for each way and concurrency (default: 12)")
    parser.add_argument("--only", choices=("writing", "proving"), help="one of the two tables")
    parser.add_argument("--engine", choices=("SQLite", "PostgreSQL"), help="one of the two")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="entries of the log (default: 10^3 to 10^6)")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    options = parser.parse_args()
    rates: list[Rate] = []
    speeds: list[tuple[str, Speed]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="abri-bench-", dir=Path.cwd())))
        server = Postgres()
        stack.callback(server.remove)
        upgrade(sqlite_urls(folder))
        for engine, urls in (("SQLite", sqlite_urls(folder)), ("PostgreSQL", server.migrated())):
            if options.engine not in (None, engine):
                continue
            context = house_on(urls, folder)
            stack.callback(context.close)
            rates += writing(engine, context, options.seconds) if options.only != "proving" else ()
            speeds += [(engine, speed) for speed in proving(context, options.sizes)] if options.only != "writing" else []
    console = Console()
    for table in shown(rates, speeds):
        console.print(table)
    if options.json:
        found = {"writing": [{**dataclasses.asdict(one), "ratio": one.ratio} for one in rates]}
        options.json.write_text(
            json.dumps({**found, "proving": [(name, dataclasses.asdict(one)) for name, one in speeds]}, indent=1)
        )
    return 0 if flat(speeds) and all(one.ratio >= TARGET for one in rates) else 1


if __name__ == "__main__":
    sys.exit(main())
