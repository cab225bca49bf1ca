"""Point 6: what the conditions say, what the columns say and what the purge does are one thing.

Each row of the conditions is lived through: the thing is made, a day before its term it is there, a day after it is gone, by the job that
runs in production and with the figure that people read.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, Table, event, func, insert, select

from consent.days import add_months
from storage.tables import (
    accounts,
    article19,
    attempts,
    entry_copies,
    erasures,
    inquiries,
    metadata,
    notices,
    papers,
    persons,
    receipts,
    requests,
    rights_requests,
    sessions,
    tombstone_metadata,
    vault_metadata,
    workers,
)
from tests.vault.builders import MadePerson, make_office, make_person, make_worker, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.papers import keep
from tests.vault.test_asking import HOME, TAX, known
from tests.vault.test_erasure import share
from tests.vault.test_restore import FOR_RECOVERY, three
from tests.vault.test_sharing import second_day
from vault import asking, backups, closing, documents, erasure, opening, retaining, rights, silence, tasks
from vault import notices as telling
from vault import workers as working
from vault.context import Context
from vault.errors import WrongSecret
from vault.notices import Notice
from vault.settings import Limits, Retention

# Each table that has a term of its own: the job that takes its rows away, or blanks what is over.
TAKEN_BY = {
    "accounts": "sessions", "invitations": "invitations", "slots": "recoveries", "attempts": "attempts", "sessions": "sessions",
    "papers": "bin", "doomed_blobs": "endings", "receipts": "registers", "tickets": "tickets", "assist_openings": "openings with help",
    "witnessings": "shares that wait for a witness", "recoveries": "recoveries", "recovery_confirmations": "recoveries",
    "erasures": "registers", "rights_requests": "registers", "inquiries": "registers", "article19": "registers",
    "requests": "requests", "notices": "notices", "schedule_runs": "turns",
    "intentions": "endings", "vault_rows": "endings", "vault_sessions": "sessions", "tombstones": "tombstones",
}  # fmt: skip
JOBS = {job.name: job for job in tasks.JOBS}
WITH_ITS_OWNER = {
    "bin": {"with the paper", "with the person"}, "names": {"with the account", "with the trace"},
    "names of the office": {"with the account", "with the trace"}, "trace": {"with the trace"}, "grants": {"with the person"},
    "outside": {"with the person"}, "recoveries": {"with the person"},
}  # fmt: skip
"""Jobs that are the end of somebody, a paper, a share or a way in: what goes with it goes."""
EVERY: tuple[MetaData, ...] = (metadata, vault_metadata, tombstone_metadata)
OWN = {"at its term", "five years after closing", "after 12 months", "after 30 days"}
DAY = dt.timedelta(days=1)
NOON = dt.time(11, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Lived:
    """Something that has a term: from when it counts, the jobs that keep it, whether it is still there."""

    since: dt.datetime
    jobs: Sequence[str]
    there: Callable[[], bool]


def held(house: Context, table: Table) -> bool:
    """Whether a table has a row."""
    with house.database.transaction(read_only=True) as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one() > 0


def run(house: Context, *jobs: str) -> None:
    """Take the turns of these jobs, as the background work does. None deletes from a table that says nothing of a term."""
    for name in jobs:
        with deletions(house) as emptied:
            assert tasks.run_due(house, None, (JOBS[name],)).keys() == {name}, "a job failed, or had no turn"
        assert not (silent := {one for one in emptied if not may_empty(name, one)}), (
            f"{name} empties {silent}: say so in the columns"
        )


@contextmanager
def deletions(house: Context) -> Iterator[set[str]]:
    """The tables from which something is deleted meanwhile, whether or not a row is there."""
    found: set[str] = set()

    def note(_: Connection, __: Any, statement: str, *___: Any) -> None:
        found.update(re.findall(r"\bdelete from (\w+)", statement.lower()))

    engines = (house.database.engine, house.keyvault.database.engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def may_empty(job: str, table: str) -> bool:
    """Whether the columns of a table say that this job takes its rows."""
    return job == "erasures" or bool((OWN | WITH_ITS_OWNER.get(job, set())) & rules_of(table))


def state_of(house: Context, person: MadePerson) -> str | None:
    with house.database.transaction(read_only=True) as connection:
        return connection.execute(select(accounts.c.state).where(accounts.c.id == person.id)).scalar_one_or_none()


def in_the_bin(house: Context, clock: Clock) -> Lived:
    awa = make_person(house, "Awa")
    documents.remove(house, awa.session, keep(house, awa.session, "Bail"))
    return Lived(clock.now, ["bin"], lambda: held(house, papers))


def being_erased(house: Context, clock: Clock) -> Lived:
    awa = make_person(house, "Awa")
    erasure.ask(house, awa.session, awa.code)
    return Lived(clock.now, ["erasures"], lambda: state_of(house, awa) == "leaving")


def a_first_line(house: Context, clock: Clock) -> Lived:
    """The trace goes by whole months: it counts from the last day of the month."""
    make_person(house, "Awa")
    with house.database.transaction(read_only=True) as connection:
        first = set(connection.scalars(select(entry_copies.c.entry)))

    def there() -> bool:
        with house.database.transaction(read_only=True) as connection:
            return first <= set(connection.scalars(select(entry_copies.c.entry)))

    return Lived(end_of_month(clock) - DAY, ["trace"], there)


def end_of_month(clock: Clock) -> dt.datetime:
    """Noon of the first day of the next month."""
    return dt.datetime.combine(add_months(clock.now.date().replace(day=1), 1), NOON)


def a_wrong_code(house: Context, clock: Clock) -> Lived:
    awa = make_person(house, "Awa")
    with pytest.raises(WrongSecret):
        unlock(house, awa, code="591746")
    return Lived(clock.now, ["attempts"], lambda: held(house, attempts))


def erased(house: Context, clock: Clock) -> dt.datetime:
    """Awa showed a paper to Fatou and erased everything; gives when it was done."""
    fatou = make_worker(house, make_office(house))
    awa = make_person(house, "Awa", kiosk=fatou.office.kiosk)
    second_day(house, clock)
    share(house, awa, fatou, [keep(house, unlock(house, awa))])
    erasure.ask(house, awa.session, awa.code)
    clock.forward(hours=73)
    run(house, "erasures")
    return clock.now


def what_stays_of(table: Table) -> Callable[[Context, Clock], Lived]:
    def lived(house: Context, clock: Clock) -> Lived:
        return Lived(erased(house, clock), ["registers"], lambda: held(house, table))

    return lived


def a_refused_request(house: Context, clock: Clock) -> Lived:
    nadia = sign_in_administrator(house, make_office(house).administrators[0])
    rights.refuse(house, nadia, rights.receive(house, nadia, "access", "letter").id, "sans objet")
    return Lived(clock.now, ["registers"], lambda: held(house, rights_requests))


def an_inquiry(house: Context, clock: Clock) -> Lived:
    today = clock.now.date()
    row = {"id": house.new_id(), "made": clock.now, "first": today, "last": today, "reason": "vol", "persons": 0, "entries": 0}
    with house.database.transaction() as connection:
        connection.execute(insert(inquiries).values(**row, named=bytes(32), told=None, concerned=None))
    return Lived(clock.now, ["registers"], lambda: held(house, inquiries))


def what_was_asked(house: Context, clock: Clock) -> Lived:
    """Answered or not: the limits on asking again remember it."""
    fatou, _, grant = known(house)
    asking.ask(house, fatou.session, grant, [TAX], HOME)
    return Lived(clock.now, ["requests"], lambda: held(house, requests))


def what_was_read(house: Context, clock: Clock) -> Lived:
    awa = make_person(house, "Awa")
    with house.database.transaction() as connection:
        telling.tell(house, connection, awa.id, Notice("erasure-cancelled"))
    telling.seen(house, awa.session, [one.id for one in telling.waiting(house, awa.session)])
    return Lived(clock.now, ["notices"], lambda: held(house, notices))


def half_made(house: Context, clock: Clock) -> Lived:
    opening.start(house, None, "fr")
    return Lived(clock.now, ["sessions"], lambda: held(house, sessions))


def who_left(house: Context, clock: Clock) -> Lived:
    fatou = make_worker(house, make_office(house))
    working.end(house, sign_in_administrator(house, fatou.office.administrators[0]), fatou.id)

    def there() -> bool:
        with house.database.transaction(read_only=True) as connection:
            return connection.execute(select(workers.c.first_name)).scalar_one() == "Fatou"

    return Lived(clock.now, ["names"], there)


def told_less_than(times: int) -> Callable[[Context, Clock], Lived]:
    """Silence counts from the end of the month of the last opening, in the person's favour."""

    def lived(house: Context, clock: Clock) -> Lived:
        make_person(house, "Awa")

        def there() -> bool:
            with house.database.transaction(read_only=True) as connection:
                return int(connection.execute(select(persons.c.silence_told)).scalar_one()) < times

        return Lived(end_of_month(clock) - DAY, ["silence"], there)

    return lived


def silent(house: Context, clock: Clock) -> Lived:
    """Told in its time, as it must be before."""
    awa, since = make_person(house, "Awa"), end_of_month(clock) - DAY
    for months in house.settings.retention.silent_told_months:
        clock.now = dt.datetime.combine(add_months(since.date() + DAY, months), NOON)
        assert silence.tell(house) == 1
    return Lived(since, ["silence ends"], lambda: state_of(house, awa) == "open")


SCENES: dict[str, list[Callable[[Context, Clock], Lived]]] = {
    "bin": [in_the_bin], "erasing": [being_erased], "trace": [a_first_line], "attempts": [a_wrong_code],
    "receipts": [what_stays_of(receipts)],
    "registers": [what_stays_of(erasures), what_stays_of(article19), a_refused_request, an_inquiry],
    "asked": [what_was_asked], "messages": [what_was_read], "half-made": [half_made], "workers": [who_left],
    "silent-first": [told_less_than(1)], "silent-second": [told_less_than(2)], "silent": [silent],
}  # fmt: skip
OTHERWISE = {
    "papers",
    "backups",
    "closing",
}  # by the person's own hand; with the next backup; by nothing that is deleted: see below


def over(one: retaining.Term, since: dt.datetime) -> dt.datetime:
    """When a term that people read is over."""
    match one.unit:
        case "minutes" | "hours" | "days":
            return since + dt.timedelta(**{one.unit: one.count})
        case "months" | "years":
            day = add_months(since.date(), one.count * (12 if one.unit == "years" else 1))
            return dt.datetime.combine(day, since.timetz())


@pytest.mark.parametrize(("what", "number"), [(what, number) for what, made in SCENES.items() for number in range(len(made))])
def test_it_is_there_until_its_term_and_gone_after_it(house: Context, clock: Clock, what: str, number: int) -> None:
    (term,) = [one for one in retaining.terms(house.settings.retention, house.settings.limits) if one.what == what]
    lived = SCENES[what][number](house, clock)
    assert lived.there()
    ends, little = over(term, lived.since), dt.timedelta(minutes=1) if term.unit == "minutes" else DAY
    for now, there in ((ends - little, True), (ends + little, False)):
        clock.now = now
        run(house, *lived.jobs)
        assert lived.there() is there, f"{what}, {now}: the conditions say {term.count} {term.unit}"


def test_a_backup_lives_as_long_as_the_conditions_say(house: Context, clock: Clock, tmp_path: Path) -> None:
    """It goes with the one that is made on that day."""
    where, days = three(tmp_path), house.settings.retention.backups
    first = backups.make(house, where, FOR_RECOVERY).name
    for after, there in ((days - 1, True), (1, False)):
        clock.forward(days=after)
        backups.make(house, where, FOR_RECOVERY)
        assert (first in backups.every(where)) is there
        assert bool(backups.stale(where, clock.now.date(), days)) is False


def test_papers_are_there_to_be_taken_back_as_long_as_the_conditions_say(house: Context, clock: Clock) -> None:
    """A service that closes lets everybody take everything back until that day and no less."""
    awa = make_person(house, "Awa")
    paper = keep(house, awa.session, "Bail")
    closes = closing.earliest(clock.now.date(), house.settings.retention)
    closing.announce(house, closes)
    until = add_months(closes, house.settings.retention.retrieval_months)
    for day, state in ((closes - DAY, "announced"), (closes, "retrieval"), (until - DAY, "retrieval"), (until, "over")):
        clock.now = dt.datetime.combine(day, NOON)
        assert closing.state(house) == state
    clock.now = dt.datetime.combine(until - DAY, NOON)
    assert [one.paper for one in documents.list_papers(house, unlock(house, awa))] == [paper]


def test_every_row_of_the_conditions_is_lived_through() -> None:
    assert SCENES.keys() | OTHERWISE == {one.what for one in retaining.terms(Retention(), Limits())}
    assert not SCENES.keys() & OTHERWISE


def with_a_term() -> set[str]:
    """Tables of which some column goes at a term of its own."""
    return {name for one in EVERY for name in one.tables if OWN & rules_of(name)}


def rules_of(table: str) -> set[str]:
    """What the columns of a table say of their end."""
    return {column.info["erasure"] for one in EVERY if table in one.tables for column in one.tables[table].columns}


def test_each_table_with_a_term_is_taken_by_a_job() -> None:
    assert with_a_term() == TAKEN_BY.keys(), "say in TAKEN_BY which job takes its rows away"
    assert set(TAKEN_BY.values()) <= JOBS.keys()


def test_each_job_empties_only_what_says_so(house: Context, clock: Clock) -> None:
    """Each job there is, over a house where somebody was asked for a paper; the scenes above are looked at in the same way."""
    what_was_asked(house, clock)
    clock.forward(days=800)
    run(house, *JOBS)
