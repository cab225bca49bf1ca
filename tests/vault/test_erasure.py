"""It ends: 72 hours in which the card says no, a witness who makes it now, and what goes with a safe."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pytest
from sqlalchemy import func, insert, select, update

from consent.days import add_months
from consent.ids import GrantId, PaperId
from consent.purposes import PurposeId
from consent.scope import Act
from storage.blobs import BlobName
from storage.errors import RowGone
from storage.tables import accounts, entries, erasures, grants, metadata, receipts, slots
from tests.vault.builders import (
    MadePerson,
    MadeWorker,
    make_person,
    make_worker,
    one_time_password,
    sign_in,
    sign_in_administrator,
    unlock,
)
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, Circle, confirm, make_circle, new_card, start
from tests.vault.papers import SAID, keep, read
from tests.vault.test_sharing import second_day
from vault import (
    aftermath,
    article19,
    audit,
    certificates,
    coming_back,
    erasing,
    erasure,
    forgetting,
    guardians,
    outside,
    recovery,
    remains,
    sessions,
    shared_papers,
    sharing,
    terms,
    workers,
)
from vault import notices as telling
from vault.aftermath import AfterRecovery
from vault.context import Context
from vault.erasure import Witness
from vault.errors import Conflict, NotAllowed, NotThere, Tampered, WrongSecret
from vault.notices import Notice
from vault.outside import OutsideOffer
from vault.sessions import Session
from vault.sharing import Offer

NAME = "Aminata, celle du 3e"  # three letters stand by chance in a signature
WORDS = "Boubacar-le-tailleur"


def share(house: Context, person: MadePerson, worker: MadeWorker, papers: Sequence[PaperId], *acts: Act) -> GrantId:
    """Show papers to a worker for a month."""
    until = house.clock().date() + dt.timedelta(days=30)
    offer = Offer(PurposeId("home"), frozenset(acts or (Act.SEE,)), until, SAID, papers=tuple(papers), words="un logement")
    return sharing.grant(house, person.session, worker.id, offer)


def lived_in(house: Context, clock: Clock, count: int = 9) -> tuple[Circle, list[PaperId]]:
    """A safe with two days of life: nine papers (three at least), two shares, one copy taken, one recovery half begun."""
    made = make_circle(house)
    clock.forward(days=1)
    unlock(house, made.awa)
    papers = [keep(house, made.awa.session, f"{WORDS} {number}", text=f"{WORDS} {number}") for number in range(count)]
    share(house, made.awa, made.fatou, papers[:2])
    copied = share(house, made.awa, made.marc, papers[2:3], Act.SEE, Act.TAKE)
    desk = sign_in(house, made.marc)
    assert taken(house, desk, copied, papers[2])
    start(house, made.tilleuls.kiosk, card=made.awa.card)
    unlock(house, made.awa)
    outside.give(house, made.awa.session, OutsideOffer(papers[1:2], WORDS, PurposeId("bank"), SAID, words="un compte"))
    return made, papers


def ask_and_carry_out(house: Context, clock: Clock, person: MadePerson) -> erasure.Asked:
    """The ordinary way, 72 hours included."""
    asked = erasure.ask(house, person.session, person.code)
    clock.forward(hours=72, seconds=1)
    assert erasing.due(house) == [asked.id]
    erasing.carry_out(house, asked.id)
    return asked


def test_the_plan_says_what_goes_who_has_it_and_what_stays(house: Context, clock: Clock) -> None:
    """Before saying yes: nine papers, two shares, and that Marc took a copy, by his name."""
    made, _ = lived_in(house, clock)
    plan = erasure.plan(house, made.awa.session)
    assert (plan.papers, plan.grants, plan.receipts, plan.hours) == (9, 3, 3, 72), "two to workers, one by a link"
    assert plan.shelves == 10
    assert plan.bytes > 0
    seen = [(one.name, one.took_copy, one.outside) for one in plan.recipients]
    assert seen == [("Fatou", False, False), ("Marc", True, False), (WORDS, False, True)]
    assert {one.what for one in plan.kept} == {"certificate", "receipts", "answers", "hashes", "removal", "worker-traces"}
    assert {one.what for one in plan.kept if one.until is None} == {"hashes", "removal"}, "for good (ADR 0046)"
    assert plan.backups_until == dt.date(2026, 11, 24) + dt.timedelta(days=33)
    with pytest.raises(NotAllowed):
        erasure.plan(house, sign_in(house, made.fatou))


def test_what_the_plan_says_of_the_workers_traces_is_true(house: Context, clock: Clock) -> None:
    """On the day that was told Fatou's own copies of it are gone; not the tree, which is kept for good."""
    made = make_circle(house)
    second_day(house, clock)
    share(house, made.awa, made.fatou, [keep(house, unlock(house, made.awa))])
    (until,) = [one.until for one in erasure.plan(house, made.awa.session).kept if one.what == "worker-traces"]
    assert until is not None
    ask_and_carry_out(house, clock, made.awa)
    leaves = select(func.count()).select_from(entries)
    with house.database.transaction(read_only=True) as connection:
        there = connection.execute(leaves).scalar_one()
    clock.now = dt.datetime.combine(until, dt.time(12), dt.UTC)
    terms.prune_trace(house)
    assert [one.event.tag for one in audit.history(house, sign_in(house, made.fatou)) if one.at.date() < until] == []
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(leaves).scalar_one() >= there


def test_a_recipient_who_left_long_ago_has_the_name_that_the_person_agreed_to(house: Context, clock: Clock) -> None:
    """A pseudonym stands in the rows; the person reads a name, and their office sends a letter to where the worker was."""
    made = make_circle(house)
    second_day(house, clock)
    paul = make_worker(house, made.tilleuls, "Paul")
    share(house, made.awa, paul, [keep(house, unlock(house, made.awa))], Act.SEE, Act.TAKE)
    nadia = sign_in_administrator(house, made.tilleuls.administrators[0])
    workers.end(house, nadia, paul.id)
    clock.forward(days=400)
    assert forgetting.forget_workers(house) == 1
    unlock(house, made.awa)
    (one,) = erasure.plan(house, made.awa.session).recipients
    assert (one.name, one.structure, one.took_copy) == ("Paul", made.tilleuls.name, False)
    clock.forward(days=3 * 365)
    unlock(house, made.awa)
    (one,) = erasure.plan(house, made.awa.session).recipients
    assert one.took_copy, "the trace says no more whether he took one: he may have"
    ask_and_carry_out(house, clock, made.awa)
    (told,) = article19.of_office(house, sign_in_administrator(house, made.tilleuls.administrators[0]))
    assert (told.name, told.structure, told.at_work) == ("", made.tilleuls.name, False)


def test_it_looks_done_and_the_card_cancels_with_nothing_lost(any_house: Context, clock: Clock) -> None:
    """The partner pressed it: his next unlock is refused like an unknown card, workers find nothing; her card brings all back."""
    made, papers = lived_in(any_house, clock)
    before = [read(any_house, made.awa.session, one) for one in papers]
    asked = erasure.ask(any_house, made.awa.session, made.awa.code)
    assert asked.due == clock.now + dt.timedelta(hours=72)
    with pytest.raises(WrongSecret):
        unlock(any_house, made.awa)
    assert shared_papers.people_sharing(any_house, sign_in(any_house, made.fatou)) == []
    with pytest.raises(NotThere):
        certificates.find(any_house, asked.number)
    with pytest.raises(Conflict):
        erasing.carry_out(any_house, asked.id)
    with pytest.raises(WrongSecret):
        erasure.cancel(any_house, None, made.awa.card, NEW_CODE)
    with pytest.raises(WrongSecret):
        erasure.cancel(any_house, None, new_card(), made.awa.code)
    clock.forward(hours=71)
    erasure.cancel(any_house, None, made.awa.card, made.awa.code)
    clock.forward(hours=2)
    assert erasing.due(any_house) == []
    erasing.carry_out(any_house, asked.id)  # a task that was late: it was cancelled
    unlock(any_house, made.awa)
    assert [read(any_house, made.awa.session, one) for one in papers] == before
    assert "erasure-cancelled" in [one.key for one in telling.waiting(any_house, made.awa.session)]
    assert {"erasure.asked", "erasure.cancelled"} <= {one.event.tag for one in audit.history(any_house, made.awa.session)}
    assert len(shared_papers.people_sharing(any_house, sign_in(any_house, made.fatou))) == 1


def test_a_right_code_with_nothing_to_cancel_is_not_counted_as_a_wrong_one(house: Context) -> None:
    """Refused, however often, and never told to wait for a wrong code."""
    awa = make_person(house, "Awa")
    erasure.ask(house, awa.session, awa.code)
    with house.database.transaction() as connection:
        connection.execute(update(erasures).values(state=erasing.CARRYING_OUT))
    for _ in range(6):
        with pytest.raises(WrongSecret):
            erasure.cancel(house, None, awa.card, awa.code)
    with house.database.transaction(read_only=True) as connection:
        assert set(connection.scalars(select(slots.c.wrong_in_a_row))) == {0}


def test_guardians_cancel_it_by_bringing_the_person_back(house: Context, clock: Clock) -> None:
    """The thief erased in the morning; at noon two guardians confirm the theft."""
    made, papers = lived_in(house, clock)
    asked = erasure.ask(house, made.awa.session, made.awa.code)
    session, code = start(house, made.canal.kiosk, "stolen")
    confirm(house, made.marc, code, theft=True, beside=True)
    confirm(house, made.fatou, code, theft=True)
    back = sessions.find(house, coming_back.finish(house, session, new_card(), NEW_CODE))
    assert len([read(house, back, one) for one in papers]) == 9
    clock.forward(hours=80)
    aftermath.expire(house)
    assert erasing.due(house) == []
    erasing.carry_out(house, asked.id)
    with pytest.raises(WrongSecret):
        erasure.cancel(house, None, made.awa.card, made.awa.code)


def test_after_a_recovery_it_waits_a_day(house: Context) -> None:
    """Whoever came back by deceit cannot erase at once, not even with a witness."""
    made = make_circle(house)
    session, code = start(house, made.canal.kiosk)
    confirm(house, made.marc, code, beside=True)
    confirm(house, made.fatou, code)
    back = sessions.find(house, coming_back.finish(house, session, new_card(), NEW_CODE))
    with pytest.raises(AfterRecovery):
        erasure.ask(house, back, NEW_CODE)
    proof = Witness(made.fatou.code, " ".join(made.fatou.words), one_time_password(house, made.fatou.totp))
    with pytest.raises(AfterRecovery):
        erasure.with_witness(house, back, NEW_CODE, proof)
    assert audit.history(house, back)  # nothing has begun


def test_a_worker_as_witness_makes_it_now(any_house: Context, clock: Clock) -> None:
    """Their words and one-time password at the kiosk; nobody else's; the certificate is there at once."""
    made, _ = lived_in(any_house, clock)
    proof = Witness(made.fatou.code, " ".join(made.fatou.words), "000000")
    with pytest.raises(WrongSecret):
        erasure.with_witness(any_house, made.awa.session, made.awa.code, proof)
    unlock(any_house, made.awa)
    proof = Witness(made.fatou.code, " ".join(made.fatou.words), one_time_password(any_house, made.fatou.totp))
    asked = erasure.with_witness(any_house, made.awa.session, made.awa.code, proof)
    made_out = certificates.find(any_house, asked.number)
    assert made_out.said.papers == 9
    assert remains.check(any_house, made.awa.id, [WORDS.encode()]) == []
    assert "erasure.witnessed" in [one.event.tag for one in audit.history(any_house, sign_in(any_house, made.fatou))]


def make_other(house: Context, made: Circle) -> tuple[MadePerson, PaperId]:
    """Somebody else, with a paper and a share to the same worker."""
    other = make_person(house, "Mariam", kiosk=made.canal.kiosk)
    paper = keep(house, other.session, "Bail", text="le bail de Mariam")
    share(house, other, made.fatou, [paper])
    unlock(house, made.awa)
    return other, paper


def rows_of(house: Context, person: MadePerson) -> list[tuple[object, ...]]:
    """Every row that names this person, whole."""
    found: list[tuple[object, ...]] = []
    with house.database.transaction(read_only=True) as connection:
        for table in metadata.sorted_tables:
            if table.name in ("sessions", "slots", "attempts"):
                continue
            found += [(table.name, *row) for row in connection.execute(select(table)) if person.id in row]
    return sorted(found, key=repr)


def any_ids(house: Context, person: str) -> list[str]:
    """Ids of everything of a person: shares, versions, drawers, ways in, circles."""
    ids: list[str] = []
    with house.database.transaction(read_only=True) as connection:
        for table in metadata.sorted_tables:
            column = table.c.get("person") if "person" in table.c else table.c.get("account")
            if column is None or "id" not in table.c or table.name in ("erasures", "rights_requests"):
                continue
            ids += [str(row.id) for row in connection.execute(select(table).where(column == person))]
    return ids


def test_recipients_are_told_once_and_by_no_name(house: Context, clock: Clock) -> None:
    """Article 19: Marc has one notice, with the grant's id alone; a second run tells nothing again."""
    made, _ = lived_in(house, clock)
    asked = ask_and_carry_out(house, clock, made.awa)
    erasing.carry_out(house, asked.id)
    for worker in (made.fatou, made.marc):
        (told,) = telling.waiting(house, sign_in(house, worker))
        assert told.key == "person-erased"
        assert len(told.values["grants"]) == 36
        assert "Awa" not in str(told.values)


def test_yesterday_s_rows_and_blobs_open_nothing(any_house: Context, clock: Clock) -> None:
    """Everything of yesterday but the key vault, with every secret of the person and of both workers: the row is gone."""
    house = any_house
    made, papers = lived_in(house, clock)
    grants_of = {made.fatou.id: papers[:2], made.marc.id: papers[2:3]}
    desks = {worker.id: sign_in(house, worker) for worker in (made.fatou, made.marc)}
    unlock(house, made.awa)
    (ward,) = guardians.people_who_count_on_me(house, desks[made.marc.id])
    with house.database.transaction() as connection:
        telling.tell(house, connection, made.awa.id, Notice("recovered"))

    def try_everything() -> Iterator[Callable[[], object]]:
        """Each thing that opens today: it gives something, or says why not."""
        for paper in papers:
            yield partial(read, house, made.awa.session, paper)
        yield lambda: audit.history(house, made.awa.session)
        yield lambda: telling.waiting(house, made.awa.session)[0]
        for worker, shown in grants_of.items():
            (grant,) = given[worker]
            for paper in shown:
                yield partial(shared_papers.papers_shared, house, desks[worker], grant)
                if worker == made.marc.id:
                    yield partial(taken, house, desks[worker], grant, paper)
        yield lambda: guardians.people_who_count_on_me(house, desks[made.marc.id])[0]

    with house.database.transaction(read_only=True) as connection:
        given = {
            worker: connection.scalars(select(grants.c.id).where(grants.c.worker == worker, grants.c.person == made.awa.id)).all()
            for worker in grants_of
        }
    opened = [bool(attempt()) for attempt in try_everything()]
    assert opened == [True] * len(opened)
    yesterday = dump(house)
    blobs = blobs_of(house)
    ask_and_carry_out(house, clock, made.awa)
    for name, content in blobs.items():
        if name not in blobs_of(house):
            with house.blobs.writer(name) as writer:
                writer.write(content)
                writer.commit()
    restore(house, yesterday)
    assert blobs_of(house) == blobs
    for attempt in try_everything():
        with pytest.raises((RowGone, Tampered, NotThere, IndexError)):
            attempt()
    with pytest.raises((RowGone, WrongSecret)):
        unlock(house, made.awa)
    session, code = start(house, made.tilleuls.kiosk)
    with pytest.raises((RowGone, Tampered)):
        recovery.confirm(house, desks[made.marc.id], ward.member, code, theft=False, beside=True)
    assert not recovery.state(house, session).ready


def taken(house: Context, desk: Session, grant: GrantId, paper: PaperId) -> bytes:
    """The received bytes, as a worker who may take a copy gets them."""
    with shared_papers.take(house, desk, grant, paper) as content:
        return b"".join(content.chunks())


def dump(house: Context) -> dict[str, list[dict[str, object]]]:
    """All rows of the main database, as a backup holds them."""
    with house.database.transaction(read_only=True) as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()] for table in metadata.sorted_tables
        }


def blobs_of(house: Context) -> dict[BlobName, bytes]:
    """All that the store of papers holds."""
    found = {}
    for one in house.blobs.inventory():
        with house.blobs.open(one.name) as blob:
            found[one.name] = blob.read_at(0, blob.size)
    return found


def restore(house: Context, rows: dict[str, list[dict[str, object]]]) -> None:
    """Put a backup back, over what is there."""
    with house.database.transaction() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        for table in metadata.sorted_tables:
            if rows[table.name]:
                connection.execute(insert(table), rows[table.name])


def test_receipts_live_with_the_safe_and_what_stays_of_them_five_years_more(house: Context, clock: Clock) -> None:
    """Of shares and of links alike: seven years of a living safe take none; five years to the day after it was erased, all are gone."""
    made, _ = lived_in(house, clock, count=3)

    def kept() -> int:
        with house.database.transaction(read_only=True) as connection:
            return len(connection.execute(select(receipts.c.id)).all())

    before = kept()
    clock.forward(days=7 * 365)
    terms.close_registers(house)
    assert (before, kept()) == (3, 3)
    unlock(house, made.awa)
    plan = erasure.plan(house, made.awa.session)
    ask_and_carry_out(house, clock, made.awa)
    (until,) = [one.until for one in plan.kept if one.what == "receipts"]
    assert until == add_months(clock.now.date(), 60)
    for day, left in ((until, 3), (until + dt.timedelta(days=1), 0)):
        clock.now = dt.datetime.combine(day, dt.time(12), dt.UTC)
        terms.close_registers(house)
        assert kept() == left


def test_every_table_that_names_a_person_is_emptied(house: Context) -> None:
    """Whoever adds a table with a person in it must say how it is erased: found by its columns, not by a list."""
    people_columns = {
        table.name
        for table in metadata.sorted_tables
        for column in table.c
        if column.info["erasure"] in ("with the person", "with the paper")
    }
    assert people_columns <= {table.name for table in erasing.OF_A_PERSON}


def test_an_unknown_or_cancelled_erasure_does_nothing(house: Context) -> None:
    """A task that carries an id which means nothing any more."""
    made = make_circle(house)
    erasing.carry_out(house, house.new_id())
    assert unlock(house, made.awa).account == made.awa.id


def test_only_a_worker_who_may_guard_is_a_witness(house: Context) -> None:
    """A volunteer, an administrator: refused, and nothing is asked."""
    from tests.vault.builders import make_worker

    made = make_circle(house)
    ines = make_worker(house, made.tilleuls, "Inès", "volunteer", ends=dt.date(2026, 12, 31))
    unlock(house, made.awa)
    proof = Witness(ines.code, " ".join(ines.words), one_time_password(house, ines.totp))
    with pytest.raises(NotAllowed):
        erasure.with_witness(house, made.awa.session, made.awa.code, proof)
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(erasures)).first() is None
        assert connection.execute(select(accounts.c.state).where(accounts.c.id == made.awa.id)).scalar_one() == "open"
