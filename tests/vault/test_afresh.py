"""After a restore nothing is destroyed that was called off since that backup: each term begins again, and each person is told."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, update

from storage.tables import papers, persons
from tests.engines import Engines
from tests.vault.builders import make_person, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.comings import make_circle
from tests.vault.conftest import context_on
from tests.vault.deaths_scene import approved, state
from tests.vault.papers import keep
from tests.vault.test_directives import wished
from tests.vault.test_restore import FOR_RECOVERY, elsewhere, opened, put_back, three
from vault import (
    backups,
    certificates,
    deaths,
    documents,
    erasing,
    erasure,
    notices,
    register_reading,
    removing,
    silence,
    tasks,
)
from vault.context import Context
from vault.errors import NotThere

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


def while_nobody_listens(house: Context) -> None:
    """`abri tasks` runs before `abri serve`: what would be due is begun."""
    tasks.erase_due(house)
    assert erasing.due(house) == []
    assert [removing.purge_bin(house), deaths.end_due(house), silence.end(house)] == [0, 0, 0]


def in_the_bin(house: Context) -> list[str]:
    with house.database.transaction(read_only=True) as connection:
        return list(connection.scalars(select(papers.c.id).where(papers.c.state == "bin")))
