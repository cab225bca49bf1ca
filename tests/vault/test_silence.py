"""What ends by its term: silent safes, names of workers who left. Told before, never early, by the background work."""

import datetime as dt

import pytest
from sqlalchemy import select

from storage import intentions
from storage.errors import RowGone
from storage.tables import accounts, certificate_signatures, erasures, persons, workers
from tests.vault.builders import make_office, make_person, make_worker, sign_in, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.comings import make_circle
from tests.vault.papers import keep, read
from tests.vault.test_entries import tags
from tests.vault.test_erasure import WORDS
from vault import certificates, erasing, erasure, forgetting, notices, remains, rights, silence, tasks
from vault import workers as working
from vault.context import Context
from vault.errors import NotAllowed

PARIS_NOON = dt.time(11, tzinfo=dt.UTC)


def on(clock: Clock, day: dt.date) -> None:
    """Noon of that day."""
    clock.now = dt.datetime.combine(day, PARIS_NOON)


def keys_told(house: Context, clock: Clock, worker: object) -> list[str]:
    """What waits for a worker at their desk."""
    return [one.key for one in notices.waiting(house, sign_in(house, worker))]  # type: ignore[arg-type]  # a worker that builders made


def test_told_at_12_and_24_erased_at_36_and_never_before(any_house: Context, clock: Clock) -> None:
    """Opened last in November 2026: whole months count from the first of December, in the person's favour."""
    house = any_house
    made = make_circle(house)
    keep(house, made.awa.session, WORDS, text=WORDS)
    nadia, _ = made.tilleuls.administrators
    for day, told in (
        (dt.date(2027, 11, 30), 0), (dt.date(2027, 12, 1), 1), (dt.date(2028, 11, 30), 0), (dt.date(2028, 12, 1), 1),
        (dt.date(2029, 11, 30), 0),
    ):  # fmt: skip
        on(clock, day)
        assert (silence.tell(house), silence.tell(house), silence.end(house)) == (told, 0, 0), day
    assert keys_told(house, clock, made.fatou) == ["ward-silent", "ward-silent"]
    assert list(tags(house).values()).count("safe.silence-told") == 2
    (line,) = silence.list_silent(house, sign_in_administrator(house, nadia))
    assert line == silence.Silent(dt.date(2026, 11, 1), 1, 2, dt.date(2029, 12, 1))
    with pytest.raises(NotAllowed):
        silence.list_silent(house, sign_in(house, made.fatou))
    on(clock, line.erased)
    assert silence.end(house) == 1
    assert silence.end(house) == 0
    assert erasing.due(house) == []  # 72 hours in which the card says no
    clock.forward(hours=72, seconds=1)
    tasks.erase_due(house)
    with house.database.transaction(read_only=True) as connection:
        number = certificates.number_of(connection.execute(select(erasures.c.id)).scalar_one())
        assert intentions.pending(connection) == []
    assert certificates.find(house, number).said.papers == 1
    assert remains.check(house, made.awa.id, [WORDS.encode()]) == []
    assert "person-erased" not in keys_told(house, clock, made.fatou)  # she was shown nothing


def test_one_opening_begins_everything_again(house: Context, clock: Clock) -> None:
    """After 35 months she comes, reads one sentence, and has 36 months more; the 72 hours too can be said no to."""
    made = make_circle(house)
    paper = keep(house, made.awa.session, "Bail", text="le bail")
    for day in (dt.date(2027, 12, 2), dt.date(2028, 12, 2)):
        on(clock, day)
        silence.tell(house)
    on(clock, dt.date(2029, 10, 20))
    session = unlock(house, made.awa)
    assert [one.key for one in notices.waiting(house, session)].count("silent") == 1
    on(clock, dt.date(2029, 12, 2))
    assert (silence.tell(house), silence.end(house)) == (0, 0)
    for day in (dt.date(2030, 11, 2), dt.date(2031, 11, 2)):
        on(clock, day)
        assert silence.tell(house) == 1
    on(clock, dt.date(2032, 11, 1))
    assert silence.end(house) == 0  # 36 months, but she was told on the second
    on(clock, dt.date(2032, 11, 2))
    assert silence.end(house) == 1
    clock.forward(hours=71)
    erasure.cancel(house, None, made.awa.card, made.awa.code)
    assert read(house, unlock(house, made.awa), paper)
    clock.forward(hours=2)
    assert (silence.end(house), erasing.due(house)) == (0, [])


def test_what_waits_for_somebody_is_not_erased(house: Context, clock: Clock) -> None:
    """Never told, a request that is open, a recovery under way, a freeze: each keeps it from beginning."""
    made = make_circle(house)
    on(clock, dt.date(2030, 1, 2))
    assert silence.end(house) == 0  # the service was stopped for three years: it tells first
    assert silence.tell(house) == 2  # both marks are over
    assert silence.end(house) == 0  # and nothing ends in the night in which it was told
    (line,) = silence.list_silent(house, sign_in_administrator(house, made.tilleuls.administrators[0]))
    assert line.erased == dt.date(2031, 1, 2)
    on(clock, dt.date(2031, 1, 1))
    assert silence.end(house) == 0
    on(clock, dt.date(2031, 1, 2))
    with house.database.transaction() as connection:
        connection.execute(persons.update().values(frozen=clock.now))
    assert silence.end(house) == 0
    with house.database.transaction() as connection:
        connection.execute(persons.update().values(frozen=None))
    unlock(house, made.awa)
    rights.ask_right(house, made.awa.session, made.awa.code, "access")
    with house.database.transaction() as connection:
        long_ago = {"last_month": dt.date(2026, 11, 1), "silence_told": 2, "silence_told_on": dt.date(2028, 12, 1)}
        connection.execute(persons.update().values(**long_ago))
    assert silence.end(house) == 0
    with house.database.transaction() as connection:
        from storage.tables import rights_requests

        connection.execute(rights_requests.update().values(state="closed"))
    assert silence.end(house) == 1


@pytest.mark.parametrize(
    ("told", "ends"),
    [
        (dt.date(2027, 11, 1), dt.date(2028, 11, 1)),
        (dt.date(2027, 11, 30), dt.date(2028, 11, 30)),
        (dt.date(2028, 2, 29), dt.date(2029, 3, 1)),
    ],
)
def test_a_silence_ends_a_year_after_it_was_told_and_no_day_before(
    house: Context, clock: Clock, told: dt.date, ends: dt.date
) -> None:  # fmt: skip
    """Work that had stood still, or a restore, tells on any day of a month: guardians read "dans 12 mois", and that is what it is."""
    make_person(house)
    office = make_office(house)
    with house.database.transaction() as connection:
        long_ago = {"last_month": dt.date(2020, 1, 1), "silence_told": 2, "silence_told_on": told}
        connection.execute(persons.update().values(**long_ago))
    on(clock, ends - dt.timedelta(days=1))
    assert silence.end(house) == 0
    (line,) = silence.list_silent(house, sign_in_administrator(house, office.administrators[0]))
    assert line.erased == ends
    on(clock, ends)
    assert silence.end(house) == 1


def test_a_name_goes_twelve_months_after_it_left(any_house: Context, clock: Clock) -> None:
    """The certificate, the badge, their own history go; what they put in and its person has met still opens."""
    house = any_house
    office = make_office(house)
    fatou, marc = make_worker(house, office, "Fatou-qui-part"), make_worker(house, office, "Marc")
    awa = make_person(house, kiosk=office.kiosk)
    working.end(house, sign_in_administrator(house, office.administrators[0]), fatou.id)
    on(clock, dt.date(2027, 11, 23))
    assert forgetting.forget_workers(house) == 0
    assert remains.check(house, None, [b"Fatou-qui-part", fatou.code.encode()])
    on(clock, dt.date(2027, 11, 24))
    assert forgetting.forget_workers(house) == 1
    assert forgetting.forget_workers(house) == 0
    assert remains.check(house, None, [b"Fatou-qui-part", fatou.code.encode()]) == []
    with pytest.raises(RowGone):
        house.keyvault.derive("person", fatou.id, b"x")
    with house.database.transaction(read_only=True) as connection:
        row = connection.execute(select(workers).where(workers.c.account == fatou.id)).mappings().one()
        kept = connection.execute(select(accounts.c.sealed_kem).where(accounts.c.id == fatou.id)).scalar_one()
        signed = connection.scalars(select(certificate_signatures.c.worker).distinct()).all()
    assert (row["certificate"], row["sealed_totp"], kept) == (None, b"", b"")
    assert row["first_name"] == row["code"]
    assert signed == [marc.id]
    assert sign_in(house, marc)
    assert unlock(house, awa)
    names = [one.first_name for one in working.of_office(house, sign_in_administrator(house, office.administrators[0]))]
    assert sorted(names)[0] == "Marc"
