"""A copy of the trace goes with a signed record of why it went, or somebody cut it out, and the count says which one."""

import dataclasses
import hashlib
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, func, insert, select, update

from crypto.keys import SignSeed
from crypto.signing import Signer
from crypto.statements import CopiesRemoved
from storage import journal
from storage.tables import entries, entry_copies
from storage.tables import removals as records
from tests.vault.builders import make_office, make_person, make_worker, unlock
from tests.vault.clock import Clock
from tests.vault.trace_scene import somebody, write
from vault import checkpoints, erasing, erasure, proofs, recount, removals, terms, workers
from vault.context import Context


def faults(house: Context) -> set[tuple[str, int | None]]:
    """What the count finds."""
    return {(fault.what, fault.place) for fault in recount.count(house).faults}


def erased(house: Context) -> tuple[list[str], list[str]]:
    """A trace under two heads, of which all copies of one safe were erased (entries 0 to 4), with the record above them (8).

    Gives their entries, and the three of somebody who stays (5 to 7).
    """
    tag, made = somebody(house).tag, write(house, 2)
    checkpoints.publish(house)
    made += write(house, 3)
    checkpoints.publish(house)
    somebody(house, another=True)
    others = write(house, 3)
    with house.database.transaction() as connection:
        assert removals.remove(house, connection, [tag], "erased") == 10
        assert removals.remove(house, connection, [tag], "erased") == 0, "said once"
    journal.number_all(house.database)
    return made, others


def test_what_was_erased_is_recorded_and_the_tree_is_as_it_was(any_house: Context) -> None:
    house, (made, _) = any_house, erased(any_house)
    found = recount.count(house)
    assert (found.faults, found.gone, found.heads, found.size) == ((), 10, 2, 9)
    assert proofs.inclusion(house, made[0]).number == 0
    with house.database.transaction(read_only=True) as connection:
        record = connection.execute(select(records)).one()
        leaf = journal.bound(connection, 8, 9)[0]
    said = CopiesRemoved.parse(record.statement)
    assert (said.reason, said.count, said.days, said.day) == ("erased", 10, 0, house.clock().date().isoformat())
    assert record.copies == b"".join(UUID(one).bytes + party for one in sorted(made) for party in (b"\1", b"\3"))
    assert (leaf.person, leaf.incident) == (hashlib.sha256(record.statement).digest(), hashlib.sha256(record.signature).digest())


def test_what_was_erased_before_the_service_s_key_turned_is_still_recorded(house: Context) -> None:
    erased(house)
    turned = dataclasses.replace(house, service=Signer(SignSeed.random(), [house.service.public]))
    found = recount.count(turned)
    assert (found.faults, found.gone) == ((), 10)
    stranger = dataclasses.replace(house, service=Signer(SignSeed.random()))
    assert recount.count(stranger).faults, "the instrument can fail"


def test_a_safe_that_is_erased_and_years_that_are_pruned_leave_no_fault(any_house: Context, clock: Clock) -> None:
    """The whole way, by the use cases themselves: a record for each, and neither tells whose entries they were."""
    house, awa, mariam = any_house, make_person(any_house, "Awa"), make_person(any_house, "Mariam")
    checkpoints.publish(house)
    clock.forward(days=1200)
    checkpoints.publish(house)
    session = unlock(house, mariam)
    assert terms.prune_trace(house) == 4
    checkpoints.publish(house)
    erasure.ask(house, session, mariam.code)
    clock.forward(days=4)
    for one in erasing.due(house):
        erasing.carry_out(house, one)
    checkpoints.publish(house)
    found = recount.count(house)
    assert found.faults == ()
    with house.database.transaction(read_only=True) as connection:
        kept = [CopiesRemoved.parse(one) for one in connection.scalars(select(records.c.statement))]
        whole = b"".join(row.statement + row.copies for row in connection.execute(select(records)))
        ids = connection.scalars(select(entries.c.id)).all()
    assert sorted((one.reason, one.days) for one in kept) == [("erased", 0), ("term", house.settings.retention.trace)]
    assert found.gone == sum(one.count for one in kept)
    for person in (awa.id, mariam.id):
        assert person.encode() not in whole
        assert UUID(person).bytes not in whole
    assert all(one in ids for one in (record.removal for record in kept))


def cut_out(house: Context, _: list[str], others: list[str]) -> None:
    with house.database.transaction() as connection:
        connection.execute(delete(entry_copies).where(entry_copies.c.entry == others[0], entry_copies.c.party == "person"))


def cut_out_and_added_to_the_record(house: Context, made: list[str], others: list[str]) -> None:
    """The list is longer, and all that is not signed says so."""
    cut_out(house, made, others)
    with house.database.transaction() as connection:
        copies = connection.execute(select(records.c.copies)).scalar_one() + UUID(others[0]).bytes + b"\1"
        connection.execute(update(records).values(copies=copies))


def record_dropped(house: Context, _: list[str], __: list[str]) -> None:
    with house.database.transaction() as connection:
        connection.execute(delete(records))


def record_of_another_house(house: Context, made: list[str], others: list[str]) -> None:
    """A record for what was cut out, in the right form, by somebody without the service's key."""
    cut_out(house, made, others)
    record(house, others[0], Signer(SignSeed.random()))


def record(house: Context, named: str, signer: Signer, *, reason: str = "erased", days: int = 0, day: str = "") -> None:
    """Keep a record for the person's copy of one entry."""
    copies = UUID(named).bytes + b"\1"
    said = CopiesRemoved(str(uuid4()), day or house.clock().date().isoformat(), reason, days, 1, hashlib.sha256(copies).digest())
    with house.database.transaction() as connection:
        journal.keep_removal(connection, said.removal, said.encode(), signer.sign(said), copies)
    journal.number_all(house.database)


def statement_altered(house: Context, _: list[str], __: list[str]) -> None:
    """Another reason, signed anew: the tree holds the first one."""
    with house.database.transaction() as connection:
        row = connection.execute(select(records)).one()
        said = CopiesRemoved(row.entry, "2026-11-23", "term", 1, 10, hashlib.sha256(row.copies).digest())
        connection.execute(update(records).values(statement=said.encode(), signature=house.service.sign(said)))


def put_back(house: Context, made: list[str], _: list[str]) -> None:
    """An envelope from an old backup, of a safe that was erased."""
    who = somebody(house)
    with house.database.transaction() as connection:
        journal.add_key(connection, key="k", session=who.session, party="person", posted=who.person)
        values = {"entry": made[1], "party": "person", "tag": who.tag, "key": "k", "envelope": made[1].encode(), "number": 1}
        connection.execute(insert(entry_copies).values(**values))


def excused_as_old(house: Context, made: list[str], others: list[str]) -> None:
    """With the service's own key: what is of today went as past three years."""
    cut_out(house, made, others)
    record(house, others[0], house.service, reason="term", days=1095)


def dated_back(house: Context, made: list[str], others: list[str]) -> None:
    """With the service's own key: the record of today says last year."""
    cut_out(house, made, others)
    record(house, others[0], house.service, day="2025-11-01")


GONE = {("cut", number) for number in range(5)}
Change = Callable[[Context, list[str], list[str]], None]
CHANGES: list[tuple[Change, set[tuple[str, int | None]]]] = [
    (cut_out, {("cut", 5)}),
    (cut_out_and_added_to_the_record, {("removal", 8), ("cut", 5), *GONE}),
    (record_dropped, {("cut", 8), *GONE}),
    (record_of_another_house, {("removal", 9), ("cut", 5)}),
    (statement_altered, {("removal", 8), *GONE}),
    (put_back, {("removal", 8)}),
    (excused_as_old, {("removal", 5)}),
    (dated_back, {("removal", 9)}),
]


@pytest.mark.parametrize(("change", "expected"), CHANGES, ids=lambda one: getattr(one, "__name__", ""))
def test_what_was_cut_out_or_wrongly_excused_is_named(
    house: Context, change: Change, expected: set[tuple[str, int | None]]
) -> None:
    made, others = erased(house)
    assert recount.count(house).faults == ()
    change(house, made, others)
    assert faults(house) == expected
    assert recount.nightly(house) >= len(expected)


def test_a_step_that_dies_removes_and_records_nothing(any_house: Context) -> None:
    house = any_house
    write(house, 3)

    def dies() -> None:
        with house.database.transaction() as connection:
            assert removals.remove(house, connection, [somebody(house).tag], "term") == 6
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        dies()
    with house.database.transaction(read_only=True) as connection:
        assert connection.scalar(select(func.count()).select_from(records)) == 0
        assert connection.scalar(select(func.count()).select_from(entry_copies)) == 6
    assert faults(house) == set()


def test_one_administrator_who_acts_on_two_workers_leaves_entries_that_each_inquiry_opens(house: Context) -> None:
    """One session, two workers: the copy for an inquiry about either is under a key that opens with that one's row."""
    office = make_office(house)
    fatou, marc = make_worker(house, office, "Fatou"), make_worker(house, office, "Marc")
    administrator = office.administrators[0].session
    for one in (fatou, marc):
        workers.suspend(house, administrator, one.id, None)
    assert recount.count(house).faults == ()
