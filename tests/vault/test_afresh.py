"""After a restore nothing is destroyed that was called off since that backup: each term begins again, and each person is told."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select, update

from storage.blobs import BlobStore, Held
from storage.tables import erasures, papers, persons
from tests.engines import Engines
from tests.vault.builders import make_office, make_person, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, confirm, make_circle, new_card, start
from tests.vault.conftest import context_on
from tests.vault.deaths_scene import approved, state
from tests.vault.papers import keep
from tests.vault.test_directives import wished
from tests.vault.test_erasure import lived_in, rows_of
from tests.vault.test_restore import FOR_RECOVERY, elsewhere, new_machine, opened, put_back, three
from tests.vault.test_waiting import begun, over
from vault import (
    afresh,
    aftermath,
    audit,
    backups,
    certificates,
    coming_back,
    deaths,
    documents,
    erasing,
    erasure,
    notices,
    outside,
    people,
    register_reading,
    removing,
    restoring,
    restricting,
    sessions,
    silence,
    tasks,
    terms,
    waiting,
)
from vault import workers as working
from vault.aftermath import AfterRecovery
from vault.context import Context
from vault.errors import MustWait, NotThere, WrongSecret
from vault.settings import today_in_paris

__all__ = ["elsewhere"]  # a fixture


def test_what_was_called_off_since_has_all_its_time_again(
    engines: Engines, tmp_path: Path, clock: Clock, elsewhere: Callable[[Context], Context]
) -> None:
    """Erasure cancelled, paper taken out of the bin, silence broken, death denied: each after the backup that comes back."""
    house = context_on(engines, tmp_path, clock)
    made = make_circle(house)
    keep(house, unlock(house, made.awa), "Bail")
    wished(house, made)
    died = approved(house, made).id
    clock.forward(days=340)
    kiosk = made.tilleuls.kiosk
    cancels, takes_out, silent, erased = (make_person(house, name, kiosk=kiosk) for name in ("Bea", "Cyr", "Dina", "Ewa"))
    thrown = keep(house, takes_out.session, "Avis")
    documents.remove(house, takes_out.session, thrown)
    erasure.ask(house, cancels.session, cancels.code)
    with house.database.transaction() as connection:
        told = {"last_month": dt.date(2024, 9, 1), "silence_told": 2, "silence_told_on": dt.date(2026, 10, 1)}
        connection.execute(update(persons).where(persons.c.account == silent.id).values(**told))
    where = three(tmp_path)
    name = backups.make(house, where, FOR_RECOVERY).name

    clock.forward(hours=1)
    erasure.cancel(house, None, cancels.card, cancels.code)
    documents.restore(house, unlock(house, takes_out), thrown)
    unlock(house, silent)
    unlock(house, made.awa)  # she was never dead
    asked = erasure.ask(house, erased.session, erased.code)  # after the backup, still in its 72 hours as the machine burns
    gone = make_person(house, "Flo", kiosk=kiosk)
    house.keyvault.destroy([("person", gone.id)], clock.now)  # a tombstone: nothing is put back without one
    clock.forward(days=26)
    there = elsewhere(house)
    done = put_back(there, where, name)
    assert done.anew == 2

    new = opened(there)
    try:
        while_nobody_listens(new)
        everybody = (cancels, takes_out, silent, erased, made.awa)
        assert [state(new, one.id) for one in everybody] == ["leaving", "open", "open", "open", "mourned"]
        assert in_the_bin(new) == [thrown]
        with_hugo = sign_in_administrator(new, made.tilleuls.administrators[1])
        (reported,) = [one for one in register_reading.requests(new, with_hugo) if one.id == died]
        assert (reported.opens, reported.term) == (dt.date(2027, 12, 24), dt.date(2028, 2, 24))
        (line,) = [one for one in silence.list_silent(new, with_hugo) if one.month == dt.date(2024, 9, 1)]
        assert (line.told, line.erased) == (1, dt.date(2028, 11, 24))
        erasure.cancel(new, None, cancels.card, cancels.code)
        said = [(one.key, one.values) for one in notices.waiting(new, unlock(new, erased))]
        assert ("restored", {"day": "2027-10-29"}) in said
        with pytest.raises(NotThere):
            certificates.find(new, asked.number)  # nothing of it came back: the sentence says to ask again
        clock.forward(days=7, seconds=1)
        assert removing.purge_bin(new) == 1  # and its time is over like any other's
    finally:
        new.database.close()
        new.keyvault.close()


@pytest.mark.parametrize("days", [3, 7.5], ids=["three-days-later", "as-its-week-ends"])
@pytest.mark.parametrize("says", ["nothing", "no"])
def test_who_comes_back_waits_a_whole_day_after_it(house: Context, clock: Clock, says: str, days: float) -> None:
    """The machine was lost while the recovery waited: its owner had an hour or two to read of it, and has a day again."""
    made = make_circle(house)
    card = begun(house, made)
    clock.forward(days=days)
    for _ in range(2):
        afresh.begin_again(house)
    with pytest.raises(MustWait):
        coming_back.come_back(house, None, card, NEW_CODE)
    hers = unlock(house, made.awa)
    assert waiting.opens(house, hers) == clock.now + dt.timedelta(hours=24)
    if says == "no":
        waiting.stop(house, hers)
        over(house, clock, card)
    else:
        clock.forward(hours=24, minutes=1)
        aftermath.expire(house)
        assert sessions.find(house, coming_back.come_back(house, None, card, NEW_CODE)).account == made.awa.id


def test_an_old_card_has_its_day_to_say_stop_again(any_house: Context, clock: Clock) -> None:
    """Somebody else came back, and the machine was lost an hour later: nothing leaves in bulk before the owner could say so."""
    house, made = any_house, make_circle(any_house)
    session, code = start(house, made.canal.kiosk)
    confirm(house, made.marc, code, beside=True)
    confirm(house, made.fatou, code)
    card = new_card()
    coming_back.finish(house, session, card, NEW_CODE)
    clock.forward(days=3)
    afresh.begin_again(house)
    aftermath.expire(house)
    theirs = unlock(house, dataclasses.replace(made.awa, card=card, code=NEW_CODE))
    with pytest.raises(AfterRecovery):
        outside.refuse_too_early(house, theirs)
    assert coming_back.stop(house, None, made.awa.card, made.awa.code) is True
    assert state(house, made.awa.id) == "frozen"


def test_what_a_theft_bars_stays_barred_for_three_days(house: Context, clock: Clock) -> None:
    made = make_circle(house)
    _, code = start(house, made.canal.kiosk, "stolen")
    confirm(house, made.marc, code, theft=True)
    clock.forward(days=4)
    afresh.begin_again(house)
    aftermath.expire(house)
    with pytest.raises(WrongSecret):
        unlock(house, made.awa)
    clock.forward(hours=72)
    aftermath.expire(house)
    assert unlock(house, made.awa).account == made.awa.id


def test_an_erasure_whose_time_was_over_before_the_loss_was_called_off(
    engines: Engines, tmp_path: Path, clock: Clock, elsewhere: Callable[[Context], Context]
) -> None:
    """No tombstone, and a day of work after its 72 hours: Bea said no, and her safe is never erased. What was restricted before that
    backup waits as it did, and what could still be under way has a week."""
    house = context_on(engines, tmp_path, clock)
    kiosk = make_office(house).kiosk
    called_off, held, late, gone = (make_person(house, name, kiosk=kiosk) for name in ("Bea", "Mia", "Lou", "Flo"))
    for one in (called_off, held):
        erasure.ask(house, one.session, one.code)
    with house.database.transaction() as connection:
        restricting.begin(house, connection, held.id)
    clock.forward(days=2)
    erasure.ask(house, late.session, late.code)
    where = three(tmp_path)
    name = backups.make(house, where, FOR_RECOVERY).name
    clock.forward(hours=1)
    erasure.cancel(house, None, called_off.card, called_off.code)
    clock.forward(days=2)
    house.keyvault.destroy([("person", gone.id)], clock.now)  # the newest tombstone: of a day after Bea's time, before Lou's
    clock.forward(days=10)
    there = elsewhere(house)
    done = put_back(there, where, name)
    assert (done.cancelled, done.anew) == (1, 2)

    new = opened(there)
    try:
        session = unlock(new, called_off)
        assert {"erasure-cancelled", "restored"} <= {one.key for one in notices.waiting(new, session)}
        assert [one.event.by for one in audit.history(new, session) if one.event.tag == "erasure.cancelled"] == [""]
        clock.forward(hours=73)
        tasks.erase_due(new)
        assert [state(new, one.id) for one in (called_off, held, late)] == ["open", "leaving", "leaving"]
        clock.forward(days=4)
        with new.database.transaction(read_only=True) as connection:
            (hers,) = connection.scalars(select(erasures.c.id).where(erasures.c.person == late.id))
        assert erasing.due(new) == [hers]
        unlock(new, called_off)
    finally:
        new.database.close()
        new.keyvault.close()


class Meanwhile:
    """A store of papers; as they are listed, something happens elsewhere."""

    def __init__(self, store: BlobStore, act: Callable[[], object]) -> None:
        self._store, self._act = store, act

    def inventory(self) -> Iterator[Held]:
        """What happens elsewhere happens; then every paper."""
        self._act()
        return self._store.inventory()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_who_was_erased_while_the_backup_was_made_keeps_no_restore_from_its_end(
    engines: Engines, tmp_path: Path, clock: Clock, elsewhere: Callable[[Context], Context]
) -> None:
    """The backup reads rows first and the key vault last; in between it was time. Awa had guardians and showed a paper to Marc, who has
    left since: nothing of hers can be signed or traced any more, and everybody else's safe opens again."""
    house = context_on(engines, tmp_path, clock)
    made, _ = lived_in(house, clock, count=3)
    other = make_person(house, "Flo", kiosk=made.tilleuls.kiosk)
    erasure.ask(house, unlock(house, made.awa), made.awa.code)
    clock.forward(hours=73)
    where, due = three(tmp_path), []
    meanwhile = Meanwhile(house.blobs, lambda: due.append(tasks.erase_due(house)))
    name = backups.make(dataclasses.replace(house, blobs=cast("BlobStore", meanwhile)), where, FOR_RECOVERY).name
    assert due == [1]
    clock.forward(days=2)
    working.end(house, sign_in_administrator(house, made.canal.administrators[0]), made.marc.id)
    there = elsewhere(house)
    done = put_back(there, where, name)
    assert (done.erased, done.cancelled, done.anew) == (1, 0, 0)

    new = opened(there)
    try:
        assert rows_of(new, made.awa) == []
        assert [one.key for one in notices.waiting(new, unlock(new, other))] == ["restored"]
        with pytest.raises(WrongSecret):
            unlock(new, made.awa)
    finally:
        new.database.close()
        new.keyvault.close()


@pytest.mark.parametrize("what", ["recovery", "protect", "code"])
def test_it_is_said_how_many_changed_every_way_in_since(house: Context, clock: Clock, tmp_path: Path, what: str) -> None:
    """The old ways died for good, as "je me protège" promised, and the new ones are in no backup. A changed code leaves the guardians; a
    card that was lost could still say stop that day, and opens again, where the guardians can bring nobody back."""
    made = make_circle(house)
    where = three(tmp_path)
    name = backups.make(house, where, FOR_RECOVERY).name
    clock.forward(hours=1)
    if what == "recovery":
        session, code = start(house, made.canal.kiosk)
        confirm(house, made.marc, code, beside=True)
        confirm(house, made.fatou, code)
        coming_back.finish(house, session, new_card(), NEW_CODE)
    elif what == "protect":
        people.protect(house, unlock(house, made.awa), made.awa.code, new_card(), NEW_CODE)
    else:
        people.change_code(house, unlock(house, made.awa), made.awa.code, NEW_CODE)
    there = new_machine(house, tmp_path / "new")
    done = put_back(there, where, name)
    assert (done.shut, done.unguarded) == {"protect": (1, 0), "recovery": (0, 1), "code": (0, 0)}[what]


@pytest.mark.parametrize("says", ["nothing", "no"])
def test_a_recovery_that_was_stopped_since_waits_no_more(house: Context, clock: Clock, tmp_path: Path, says: str) -> None:
    """Its card died as its owner said no: nobody comes with it, and nobody is asked about it."""
    made = make_circle(house)
    begun(house, made)
    where = three(tmp_path)
    name = backups.make(house, where, FOR_RECOVERY).name
    clock.forward(hours=1)
    if says == "no":
        waiting.stop(house, unlock(house, made.awa))
    else:
        gone = make_person(house, "Flo", kiosk=made.tilleuls.kiosk)
        house.keyvault.destroy([("person", gone.id)], clock.now)
    there = new_machine(house, tmp_path / "new")
    put_back(there, where, name)
    new = opened(there)
    try:
        waits = waiting.opens(new, unlock(new, made.awa))
        assert waits == (None if says == "no" else clock.now + dt.timedelta(hours=24))
    finally:
        new.database.close()
        new.keyvault.close()


def test_of_a_backup_older_than_tombstones_nothing_is_taken_for_called_off(house: Context, clock: Clock, tmp_path: Path) -> None:
    """Lou was erased, and the tombstone that said so is forgotten by now: the safe goes again after a week."""
    leaving, gone = make_person(house, "Lou"), make_person(house, "Flo")
    erasure.ask(house, leaving.session, leaving.code)
    where = three(tmp_path)
    name = backups.make(house, where, FOR_RECOVERY).name
    clock.forward(hours=73)
    tasks.erase_due(house)
    clock.forward(days=60)
    terms.forget_tombstones(house)
    house.keyvault.destroy([("person", gone.id)], clock.now)
    done = put_back(new_machine(house, tmp_path / "new"), where, name, too_old=True)
    assert (done.cancelled, done.anew) == (0, 1)


def while_nobody_listens(house: Context) -> None:
    """`abri tasks` runs before `abri serve`: what would be due is begun."""
    tasks.erase_due(house)
    assert erasing.due(house) == []
    assert [removing.purge_bin(house), deaths.end_due(house), silence.end(house)] == [0, 0, 0]


def in_the_bin(house: Context) -> list[str]:
    with house.database.transaction(read_only=True) as connection:
        return list(connection.scalars(select(papers.c.id).where(papers.c.state == "bin")))


@pytest.mark.parametrize("died", [False, True], ids=["at-once", "after-a-restore-that-died"])
def test_tombstones_of_a_restore_that_died_say_nothing_of_that_time(
    house: Context, clock: Clock, tmp_path: Path, died: bool
) -> None:
    """The restore erases again, and is killed: what it destroyed by itself does not show that the service was at work that day."""
    leaving, gone = make_person(house, "Lou"), make_person(house, "Flo")
    erasure.ask(house, leaving.session, leaving.code)
    where = three(tmp_path)
    name = backups.make(house, where, FOR_RECOVERY).name
    there = new_machine(house, tmp_path / "new")
    if died:
        there.settings.folder.mkdir(exist_ok=True)
        (there.settings.folder / restoring.MARK).write_text(f"{name}\n{today_in_paris(clock.now)}")
    clock.forward(days=10)
    house.keyvault.destroy([("person", gone.id)], clock.now)
    done = put_back(there, where, name)
    assert (done.cancelled, done.anew) == ((0, 1) if died else (1, 0))
