"""The trace against whoever holds it: after an erasure nobody reads what was the person's; at rest no entry says what or who."""

import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from crypto import contexts
from crypto import trace as sealed_trace
from crypto.errors import CryptoError
from crypto.kem import KemPrivate
from crypto.sealing import open_post
from storage import journal
from storage.errors import RowGone
from storage.tables import accounts, entries, entry_copies, trace_keys
from tests.engines import Engines, postgres_engines, sqlite_engines
from tests.faults import attack
from tests.vault.builders import OTHER_CODE, MadePerson, MadeWorker, make_office, make_person, make_worker, unlock
from tests.vault.clock import Clock
from tests.vault.conftest import INCIDENT_SEED, context_on
from tests.vault.papers import keep
from tests.vault.test_sharing import offer, second_day, taken
from vault import audit, checkpoints, erasing, erasure, recount, sharing
from vault.context import Context
from vault.errors import WrongSecret
from vault.events import WORDS

pytestmark = pytest.mark.xdist_group("trace-secrets")
NAME, TITLE = "Awa-qui-chante", "Avis-de-la-lune"


def live(house: Context, clock: Clock) -> tuple[MadePerson, MadeWorker]:
    """A paper, a share, a copy taken, a wrong code: entries of every party."""
    fatou, awa = make_worker(house, make_office(house), "Fatou"), make_person(house, NAME)
    second_day(house, clock, awa, fatou)
    paper = keep(house, awa.session, TITLE)
    grant = sharing.grant(house, awa.session, fatou.id, offer(paper))
    taken(house, fatou, grant, paper)
    with pytest.raises(WrongSecret):
        unlock(house, awa, code=OTHER_CODE)
    unlock(house, awa)
    return awa, fatou


def readable(house: Context, seeds: list[bytes], rows: list[str]) -> dict[tuple[str, str], bytes]:
    """What these private keys read of the copies, with every living row of the key vault asked for every party: entry, party -> words."""
    found: dict[tuple[str, str], bytes] = {}
    privates = [KemPrivate(seed) for seed in seeds]
    with house.database.transaction(read_only=True) as connection:
        keys = {row.id: row for row in connection.execute(select(trace_keys))}
        copies = connection.execute(select(entry_copies)).all()
    opened: dict[str, list[tuple[str, bytes]]] = {}
    for name, key in keys.items():
        for row, party in itertools.product(rows, [*rows, contexts.INCIDENT]):
            place = contexts.trace_key(session=key.session, party=party)
            try:
                vaulted = house.keyvault.derive("person", row, place)
            except RowGone:
                continue
            for private in privates:
                try:
                    opened.setdefault(name, []).append((party, open_post(private, vaulted, place, key.posted)))
                except CryptoError:
                    continue
    for copy in copies:
        for party, secret in opened.get(copy.key, []):
            try:
                fields = sealed_trace.open_event(
                    sealed_trace.TraceKey(secret), contexts.trace(entry=copy.entry, party=party), copy.envelope
                )
            except CryptoError:
                continue
            found[copy.entry, copy.party] = repr(fields).encode()
    return found


def test_after_an_erasure_nobody_reads_what_was_the_persons(any_house: Context, clock: Clock) -> None:
    """Yesterday's rows with today's vault, and every secret there is: the person's, the worker's, the whole incident key."""
    house = any_house
    awa, fatou = live(house, clock)
    mariam = make_person(house, "Mariam")
    hers = [entry.id for entry in audit.history(house, awa.session)]
    seeds = [bytes(one.opened().kem) for one in (awa.session, fatou.session, mariam.session)] + [bytes(INCIDENT_SEED)]
    with house.database.transaction(read_only=True) as connection:
        rows = list(connection.scalars(select(accounts.c.id)))
        yesterday = {
            table: [dict(row) for row in connection.execute(select(table)).mappings()] for table in (trace_keys, entry_copies)
        }
    before = readable(house, seeds, rows)
    assert {party for entry, party in before if entry in hers} == {"person", "worker", "incident"}  # the instrument works
    journal.number(house.database)
    checkpoints.publish(house)
    clock.forward(minutes=1)
    asked = erasure.ask(house, awa.session, awa.code)
    clock.forward(hours=73)
    erasing.carry_out(house, asked.id)
    checkpoints.publish(house)
    counted = recount.count(house)
    assert (counted.faults, counted.heads) == ((), 2)  # the head from before the erasure still verifies

    with house.database.transaction() as connection:
        for table in (entry_copies, trace_keys):
            connection.execute(table.delete())
        for table in (trace_keys, entry_copies):
            connection.execute(insert(table), yesterday[table])
    after = readable(house, seeds, rows)
    assert [pair for pair in after if pair[0] in hers and pair[1] != "worker"] == []
    workers_own = [words for (entry, party), words in after.items() if entry in hers and party == "worker"]
    assert workers_own  # what they did is theirs to read still
    assert not [words for words in workers_own for known in (NAME, TITLE, awa.id) if known.encode() in words]
    assert {pair for pair in before if pair[0] not in hers} == {pair for pair in after if pair[0] not in hers}
    with house.database.transaction(read_only=True) as connection:
        assert set(hers) <= set(connection.scalars(select(entries.c.id)))  # their leaves stay in the tree


@pytest.mark.parametrize("on", [sqlite_engines, pytest.param(postgres_engines, marks=[pytest.mark.postgres, pytest.mark.s3])])
def test_at_rest_no_entry_says_what_who_or_which_paper(
    request: pytest.FixtureRequest, tmp_path: Path, on: Callable[[pytest.FixtureRequest, Path], AbstractContextManager[Engines]]
) -> None:
    """Everything the servers hold, every key that can be made of it tried on every value, and not one word of the vocabulary."""
    with on(request, tmp_path) as engines, attack.tapped() as infos:
        clock = Clock()
        house = context_on(engines, tmp_path, clock)
        awa, fatou = live(house, clock)
        dump = attack.take(house)
        assert not [tag for tag in WORDS if tag.encode() in attack.raw(dump)]
        thief = attack.Thief(dump, infos).work()
        assert not [plain for plain in thief.opened.values() if b'"tag"' in plain]
        # Rows of the trace name nobody either: no account, no paper beside an entry.
        with house.database.transaction(read_only=True) as connection:
            people = list(connection.scalars(select(accounts.c.id)))
            lying = [
                str(value)
                for table in (entries, entry_copies, trace_keys)
                for row in connection.execute(select(table))
                for value in row
            ]
        assert not set(lying) & set(people)
        reader = thief.twin().work([bytes(INCIDENT_SEED)])
        told = [plain for plain in reader.opened.values() if b'"tag"' in plain]
        assert any(fatou.id.encode() in plain and b"paper.taken" in plain for plain in told)
        assert not [plain for plain in told for known in (NAME, TITLE) if known.encode() in plain]
        assert awa.id not in lying
