"""What somebody with the rows alone, and no key of the service, could do unseen: the count names each of these."""

import dataclasses
import datetime as dt
import hashlib
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert, select, update

from crypto import contexts
from crypto import trace as sealed_trace
from storage import journal, tiles
from storage.errors import TileMissing
from storage.tables import accounts, entries, entry_copies, erasures, papers, persons, trace_checks
from storage.tables import checkpoints as head_rows
from storage.tables import tiles as tile_rows
from tests.vault.builders import MadePerson, make_person, unlock
from tests.vault.clock import Clock
from tests.vault.papers import keep
from tests.vault.trace_scene import copy_published, rehash, somebody, write
from vault import arriving, audit, checkpoints, erasing, erasure, labels, looking_back, proofs, recount, removals, tasks
from vault.context import Context
from vault.errors import Conflict, Tampered
from vault.events import Event
from vault.looking_back import Cursor
from vault.sessions import Session

Found = set[tuple[str, int | None]]


def faults(house: Context, copy: Path | None = None) -> Found:
    """What the count finds."""
    return {(fault.what, fault.place) for fault in recount.count(house, copy).faults}


def seen(house: Context, person: MadePerson, tag: str = "paper.seen") -> tuple[str, int]:
    """An entry that somebody would like to be forgotten, under a head; and its number."""
    with house.database.transaction() as connection:
        made = audit.record(house, connection, None, Event(tag, by_name="Nora (démo)"), person=person.id)
    checkpoints.publish(house)
    with house.database.transaction(read_only=True) as connection:
        return made, journal.numbers(connection, [made])[made]


def reads(house: Context, person: MadePerson, entry: str) -> bool:
    return any(one.id == entry for one in audit.history(house, unlock(house, person)))


def without_ties(house: Context, *statements: tuple[str, tuple[object, ...]]) -> None:
    """Statements on the file itself, which holds no foreign key against them."""
    raw = house.database.engine.raw_connection()
    cursor = raw.cursor()
    cursor.execute("PRAGMA foreign_keys=OFF")
    for one, values in statements:
        cursor.execute(one, values)
    cursor.execute("PRAGMA foreign_keys=ON")
    raw.close()


def public_mark(erasure_id: str) -> bytes:
    """What anybody computes from the id of an erasure."""
    return hashlib.sha256(labels.erased_copies(erasure=erasure_id)).digest()[:16]


@pytest.mark.parametrize("longer", [b"", bytes(16)])
def test_an_erasure_of_somebody_else_hides_and_takes_nothing(house: Context, clock: Clock, longer: bytes) -> None:
    awa, mariam = make_person(house, "Awa"), make_person(house, "Mariam")
    entry, number = seen(house, awa)
    erasure.ask(house, unlock(house, mariam), mariam.code)
    checkpoints.publish(house)
    with house.database.transaction() as connection:
        asked = connection.execute(select(erasures.c.id)).scalar_one()
        mine = (entry_copies.c.entry == entry, entry_copies.c.party == "person")
        connection.execute(update(entry_copies).where(*mine).values(tag=public_mark(asked) + longer))
    assert faults(house) == {("hidden", number)}
    clock.forward(days=4)
    for one in erasing.due(house):
        erasing.carry_out(house, one)
    checkpoints.publish(house)
    assert faults(house) == {("hidden", number)}, "no record excuses it: it stays, and is named"
    with house.database.transaction(read_only=True) as connection:
        assert connection.scalar(select(entry_copies.c.entry).where(*mine)) == entry


def test_an_erasure_of_nobody_that_was_written_into_the_rows_is_refused(house: Context, clock: Clock) -> None:
    awa, planted = make_person(house, "Awa"), str(uuid4())
    entry, number = seen(house, awa)
    with house.database.transaction() as connection:
        past = clock.now - dt.timedelta(days=1)
        values = {"id": planted, "person": None, "state": "asked", "asked": past, "due": past}
        connection.execute(insert(erasures).values(**values))
        connection.execute(update(entry_copies).where(entry_copies.c.entry == entry).values(tag=public_mark(planted)))
    assert erasing.due(house) == [planted]
    with pytest.raises(Conflict):
        erasing.carry_out(house, planted)
    assert faults(house) == {("hidden", number)}


def test_copies_marked_before_the_service_s_key_turned_are_removed(any_house: Context) -> None:
    from vault.settings import EarlierKeys, SealKey

    house, erased = any_house, str(uuid4())
    write(house, 2)
    with house.database.transaction() as connection:
        connection.execute(
            insert(erasures).values(id=erased, person=None, state="carrying-out", asked=house.clock(), due=house.clock())
        )
        removals.mark(house, connection, erased, [somebody(house).tag])
    assert faults(house) == set(), "marked by the service"
    settings = house.settings
    before = EarlierKeys(house.service.public, bytes(1344), settings.service_seal, house.clock().date(), b"", b"")
    turned = dataclasses.replace(house, settings=dataclasses.replace(settings, service_seal=SealKey.random(), earlier=(before,)))
    assert faults(turned) == set()
    with turned.database.transaction() as connection:
        assert removals.remove_erased(turned, connection, erased) is not None
        assert connection.scalar(select(entry_copies.c.entry).limit(1)) is None


def under_month(house: Context, person: MadePerson, entry: str, month: int) -> None:
    """Move every copy of an entry to a month of the same person: a tag is learnt from their older rows."""
    tag = sealed_trace.tag(house.keyvault.derive("person", person.id, contexts.trace_tag(month=month)))
    with house.database.transaction() as connection:
        connection.execute(update(entry_copies).where(entry_copies.c.entry == entry).values(tag=tag))


@pytest.mark.parametrize("month", [202611, 202703])
def test_an_entry_in_a_month_in_which_it_was_not_written_is_named(house: Context, clock: Clock, month: int) -> None:
    awa = make_person(house, "Awa")
    checkpoints.publish(house)
    clock.forward(days=60)  # in January
    checkpoints.publish(house)
    entry, number = seen(house, awa)
    clock.forward(days=60)  # in March
    seen(house, awa)
    checkpoints.publish(house)
    assert faults(house) == set()
    under_month(house, awa, entry, month)
    assert faults(house) == {("hidden", number)}


def test_a_replaced_paper_put_back_is_refused_wherever_its_entry_was_moved(house: Context, clock: Clock) -> None:
    awa = make_person(house)
    clock.forward(days=70)
    unlock(house, awa)
    paper = keep(house, awa.session, "Attestation", text="2025")
    journal.number_all(house.database)
    unlock(house, awa)
    assert arriving.at_unlock(house, awa.session).refused == ()
    with house.database.transaction(read_only=True) as connection:
        version = connection.execute(select(papers.c.version)).scalar_one()
        lineage = connection.execute(select(persons.c.sealed_lineage)).scalar_one()
        known = set(connection.scalars(select(entries.c.id)))
    clock.forward(days=1)
    unlock(house, awa)
    keep(house, awa.session, text="2026", replaces=paper)
    journal.number_all(house.database)
    with house.database.transaction() as connection:
        new = set(connection.scalars(select(entries.c.id))) - known
        connection.execute(update(papers).values(version=version))
        connection.execute(update(persons).values(sealed_lineage=lineage))
    for one in new:
        under_month(house, awa, one, 202611)
    unlock(house, awa)
    assert arriving.at_unlock(house, awa.session).refused == (paper,)


def test_a_key_that_is_gone_takes_no_line_away(house: Context) -> None:
    awa = make_person(house, "Awa")
    entry, number = seen(house, awa)
    with house.database.transaction(read_only=True) as connection:
        mine = select(entry_copies.c.key).where(entry_copies.c.entry == entry, entry_copies.c.party == "person")
        key = connection.execute(mine).scalar_one()
    without_ties(house, ("DELETE FROM trace_keys WHERE id = ?", (key,)))
    assert faults(house) == {("hidden", number)}
    line = next(one for one in audit.history(house, unlock(house, awa)) if one.id == entry)
    assert line.event.tag == "maintenance.unreadable"


def test_an_id_in_capitals_is_named_and_the_safe_still_opens(house: Context) -> None:
    awa = make_person(house, "Awa")
    entry, number = seen(house, awa)
    renamed = (entry.upper(), entry)
    without_ties(house, ("UPDATE entries SET id = ? WHERE id = ?", renamed), (OF_COPIES, renamed))
    assert ("altered", number) in faults(house)
    session = unlock(house, awa)
    arriving.at_unlock(house, session)
    shown = {one.id: one.event.tag for one in looking_back.sheet(house, session, 16).entries}
    assert shown[entry.upper()] == "maintenance.unreadable"


OF_COPIES = "UPDATE entry_copies SET entry = ? WHERE entry = ?"


@pytest.mark.parametrize(
    ("change", "value"),
    [("UPDATE entries SET id = ? WHERE id = ?", "zz"), ("UPDATE entries SET person_hash = ? WHERE id = ?", b"short")],
)
def test_what_is_no_id_and_no_digest_is_named_and_stops_nothing(house: Context, change: str, value: object) -> None:
    made = write(house, 4)
    checkpoints.publish(house)
    without_ties(house, (change, (value, made[1])), *([(OF_COPIES, (value, made[1]))] if value == "zz" else []))
    assert ("altered", 1) in faults(house)
    assert tasks.run_due(house, jobs=tuple(one for one in tasks.JOBS if one.name == "recount"))["recount"] > 0


def test_a_part_that_cannot_be_counted_hides_nothing_of_the_rest(house: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """One row of an account, on which no calendar can work; and an entry that was altered meanwhile."""
    made = write(house, 4)
    checkpoints.publish(house)
    with house.database.transaction() as connection:
        connection.execute(update(accounts).values(created=dt.date(1, 1, 1)))
    assert faults(house) == {("stopped", None)}
    alter(house, made[1])
    assert faults(house) == {("stopped", None), ("altered", 1)}
    assert recount.nightly(house) == 2
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(trace_checks.c.faults)).scalar_one() == 2

    def stops(*_: object) -> None:
        raise ValueError("whatever stands in the rows")

    for name in ("_rows", "_heads", "_copies", "_missing", "_kept_tree", "_compare"):
        with monkeypatch.context() as broken:
            broken.setattr(recount, name, stops)
            assert ("stopped", None) in faults(house), name


def alter(house: Context, entry: str) -> None:
    """The entry, its digest and its leaf: what a row alone can say fits again."""
    with house.database.transaction() as connection:
        digest = hashlib.sha256(b"another").digest()
        connection.execute(update(entries).where(entries.c.id == entry).values(person_hash=digest))
        mine = (entry_copies.c.entry == entry, entry_copies.c.party == "person")
        connection.execute(update(entry_copies).where(*mine).values(envelope=b"another"))
    rehash(house, entry)


def forget(house: Context, *made: str) -> None:
    with house.database.transaction() as connection:
        connection.execute(delete(entry_copies).where(entry_copies.c.entry.in_(made)))
        connection.execute(delete(entries).where(entries.c.id.in_(made)))


def test_a_copy_adds_to_what_the_house_knows_and_takes_nothing_away(house: Context, tmp_path: Path) -> None:
    write(house, 4)
    checkpoints.publish(house)
    copy = copy_published(house, tmp_path / "copy")
    late = write(house, 3)
    assert faults(house, copy) == set()
    alter(house, late[1])
    assert ("altered", 5) in faults(house) & faults(house, copy)
    forget(house, *late[1:])
    assert {("dropped", 5), ("dropped", 6)} <= faults(house) & faults(house, copy)


def test_a_damaged_tree_is_named_with_a_copy_too(house: Context, tmp_path: Path) -> None:
    write(house, 4)
    checkpoints.publish(house)
    copy = copy_published(house, tmp_path / "copy")
    with house.database.transaction() as connection:
        kept = connection.execute(select(tile_rows.c.hashes).where(tile_rows.c.level == 0)).scalar_one()
        connection.execute(update(tile_rows).values(hashes=kept[:96] + bytes(32)))
    assert ("tile", None) in faults(house) & faults(house, copy)


def test_a_head_is_as_old_as_its_note_says(house: Context, clock: Clock) -> None:
    """Whoever dates a record of removals back has to move the head that did not have it, and its note is signed."""
    write(house, 2)
    checkpoints.publish(house)
    clock.forward(days=30)
    write(house, 1)
    checkpoints.publish(house)
    clock.forward(days=30)
    past = dataclasses.replace(house, clock=lambda: clock.now - dt.timedelta(days=45))
    with house.database.transaction() as connection:
        removals.remove(past, connection, [somebody(house).tag], "erased")
        moved = house.clock() - dt.timedelta(days=59)
        connection.execute(update(head_rows).where(head_rows.c.size == 3).values(at=moved, published=moved))
    journal.number_all(house.database)
    assert faults(house) == {("removal", 3), ("head", 3)}


def test_a_head_that_was_moved_back_makes_no_entry_older_on_its_page(house: Context, clock: Clock) -> None:
    write(house, 2)
    checkpoints.publish(house)
    signed = clock.now
    late = write(house, 1)
    with house.database.transaction() as connection:
        moved = clock.now - dt.timedelta(days=9)
        connection.execute(update(head_rows).values(at=moved, published=moved))
    assert proofs.inclusion(house, late[0]).after == signed.replace(microsecond=0)


def plant(house: Context) -> int:
    """An entry of nobody, numbered by hand where the tree ends."""
    planted = str(uuid4())
    digests = {f"{party}_hash": bytes(32) for party in journal.PARTIES}
    leaf = journal.leaf_hash(planted, {party: bytes(32) for party in journal.PARTIES})
    with house.database.transaction() as connection:
        number = tiles.size(connection)
        connection.execute(insert(entries).values(id=planted, number=number, leaf=leaf, **digests))
    return number


def test_a_proof_says_since_when_it_was_signed_and_not_what_a_row_says(house: Context, clock: Clock) -> None:
    made = write(house, 3)
    checkpoints.publish(house)
    clock.forward(days=1)
    checkpoints.publish(house)  # nothing new: the same head, with today's date
    assert faults(house) == set()
    for moved in (dt.timedelta(days=-2000), dt.timedelta(hours=1)):
        with house.database.transaction() as connection:
            connection.execute(update(head_rows).values(at=clock.now + moved))
        assert proofs.inclusion(house, made[0]).by == clock.now.replace(microsecond=0)
    assert faults(house) == {("head", 3)}, "it cannot have been signed first after it was signed last"


def test_a_number_above_the_tree_was_given_by_nobody(any_house: Context) -> None:
    house = any_house
    write(house, 4)
    checkpoints.publish(house)
    plant(house)
    assert faults(house) == {("inserted", 4)}
    with pytest.raises(TileMissing):
        write(house, 1)
    with pytest.raises(checkpoints.Rewritten):
        checkpoints.publish(house)
    assert faults(house) == {("inserted", 4)}, "it does not become genuine"


def shown(house: Context, session: Session, size: int = 16, **place: Cursor | None) -> list[str]:
    return [one.event.tag for one in looking_back.sheet(house, session, size, **place).entries]


def test_what_cannot_be_numbered_is_on_the_page_all_the_same(any_house: Context, clock: Clock) -> None:
    """Whoever writes one row makes numbering stand still, and hides nothing from anybody by it."""
    house, awa = any_house, make_person(any_house, "Awa")
    unlock(house, awa)
    journal.number_all(house.database)
    plant(house)
    clock.forward(days=40)  # over the end of a month
    with house.database.transaction() as connection:
        waiting = audit.record(house, connection, None, Event("paper.seen", by_name="Nora (démo)"), person=awa.id)
    clock.forward(seconds=60)
    session = unlock(house, awa)
    *now, before = shown(house, session)[:4]
    assert (set(now), before) == ({"safe.history-read", "safe.unlocked", "safe.session-replaced"}, "paper.seen")
    newest = looking_back.sheet(house, session, 1)
    assert newest.older is not None
    assert len(newest.entries) == 5, "one that has a number, and all that wait"
    older = looking_back.sheet(house, session, 1, before=newest.older)
    assert older.newer is not None
    assert "paper.seen" not in shown(house, session, 1, before=newest.older), "once"
    assert "paper.seen" in shown(house, session, 1, after=older.newer), "the way back ends there too"
    with pytest.raises(Tampered):
        proofs.of_own(house, session, waiting)


def test_a_copy_whose_number_was_taken_away_stays_on_the_page(house: Context) -> None:
    awa = make_person(house, "Awa")
    entry, number = seen(house, awa)
    with house.database.transaction() as connection:
        connection.execute(update(entry_copies).where(entry_copies.c.entry == entry).values(number=None))
    assert faults(house) == {("hidden", number)}
    assert "paper.seen" in shown(house, unlock(house, awa))


def test_an_entry_without_a_head_gets_no_proof_while_numbering_stands_still(house: Context) -> None:
    made = write(house, 3)
    journal.number_all(house.database)
    make_person(house, "Awa")  # what waits
    plant(house)
    with pytest.raises(Tampered):
        proofs.inclusion(house, made[0])


def test_a_tree_that_is_gone_is_named_and_made_again(any_house: Context) -> None:
    house, made = any_house, write(any_house, 300)
    checkpoints.publish(house)
    with house.database.transaction() as connection:
        connection.execute(delete(tile_rows).where(tile_rows.c.level == 0, tile_rows.c.number == 1))
    assert ("tile", None) in faults(house)
    with house.database.transaction() as connection:
        connection.execute(delete(tile_rows))
    assert faults(house) == {("tile", None)}
    checkpoints.publish(house)
    assert faults(house) == set()
    assert proofs.inclusion(house, made[0]).number == 0


def test_no_proof_is_shown_beside_another_text_than_the_one_it_binds(house: Context) -> None:
    """Whoever holds the key of an open session seals another event in the place of the one that was written."""
    awa = make_person(house, "Awa")
    session = unlock(house, awa)
    with house.database.transaction() as connection:
        entry = audit.record(house, connection, session, Event("paper.taken"), person=awa.id)
    checkpoints.publish(house)
    assert proofs.of_own(house, session, entry)[1].number >= 0
    party = audit._Party("person", awa.id, awa.id, Event("paper.taken"))
    secret = audit._key(house, session, party, awa.id).secret
    place = contexts.trace(entry=entry, party=awa.id)
    sealed = sealed_trace.seal_event(secret, place, Event("paper.renamed").fields("2026-11-23T10:00:00Z"))
    with house.database.transaction() as connection:
        mine = (entry_copies.c.entry == entry, entry_copies.c.party == "person")
        connection.execute(update(entry_copies).where(*mine).values(envelope=sealed))
    assert [one.event.tag for one in audit.history(house, session) if one.id == entry] == ["paper.renamed"]
    with pytest.raises(Tampered):
        proofs.of_own(house, session, entry)
