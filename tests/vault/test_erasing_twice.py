"""Two processes on one erasure, at any moment: each step is taken once, and the certificate says what went."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import func, select

from storage import intentions
from storage.tables import article19
from tests.vault.builders import MadeWorker, make_office, make_person, make_worker, one_time_password, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.papers import keep
from tests.vault.test_erasure import share
from vault import certificates, erasing, erasure, tasks
from vault.context import Context
from vault.erasure import Witness


class Interrupted:
    """Something of a context; before its n-th step another process comes."""

    def __init__(self, real: Any, step: Callable[[], None], names: tuple[str, ...]) -> None:
        self._real, self._step, self._names = real, step, names

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name not in self._names:
            return found

        def stepped(*arguments: Any, **named: Any) -> Any:
            self._step()
            return found(*arguments, **named)

        return stepped


def slow(house: Context, at: int, other: Callable[[], object]) -> tuple[Context, Callable[[], bool]]:
    """The house of a process that is overtaken before its step `at`, and whether it came to that step."""
    steps, came = iter(range(1000)), []

    def step() -> None:
        if next(steps) == at:
            came.append(True)
            other()

    database: Any = Interrupted(house.database, step, ("transaction", "secure"))
    keyvault: Any = Interrupted(house.keyvault, step, ("destroy", "destroy_owned"))
    return dataclasses.replace(house, database=database, keyvault=keyvault), lambda: bool(came)


@contextmanager
def asked(house: Context, clock: Clock, fatou: MadeWorker) -> Iterator[str]:
    """An erasure whose time has come: one paper, one share, one recipient; on the way out its certificate is looked at."""
    awa = make_person(house, "Awa", kiosk=fatou.office.kiosk)
    clock.forward(days=2)
    unlock(house, awa)
    share(house, awa, fatou, [keep(house, awa.session)])
    one = erasure.ask(house, awa.session, awa.code)
    clock.forward(hours=73)
    yield one.id
    said = certificates.find(house, one.number).said
    assert (said.papers, said.grants, said.recipients) == (1, 1, 1)
    assert said.entry
    with house.database.transaction(read_only=True) as connection:
        assert intentions.pending(connection) == []
        told = select(func.count()).select_from(article19).where(article19.c.erasure == one.id)
        assert connection.execute(told).scalar_one() == 1


def test_overtaken_before_any_step(any_house: Context, clock: Clock) -> None:
    """The whole erasure is done by another process while the first one sleeps; then the first one wakes up."""
    fatou, at, came = make_worker(any_house, make_office(any_house)), 0, True
    while came:
        with asked(any_house, clock, fatou) as one:
            first, overtaken = slow(any_house, at, partial(erasing.carry_out, any_house, one))
            erasing.carry_out(first, one)
            came = overtaken()
        at += 1
    assert at > 8


def test_the_witness_s_erasure_is_left_to_the_kiosk(house: Context, clock: Clock) -> None:
    """The minutely task comes in the middle: it leaves it alone for a minute, then takes it up."""
    fatou = make_worker(house, make_office(house))
    awa = make_person(house, "Awa", kiosk=fatou.office.kiosk)
    sign_in(house, fatou)
    ran: list[int] = []

    def other() -> None:
        ran.append(tasks.erase_due(house))
        assert erasing.due(house) == []
        clock.forward(seconds=61)
        assert len(erasing.due(house)) == 1
        clock.now -= dt.timedelta(seconds=61)

    unlock(house, awa)
    first, overtaken = slow(house, 16, other)
    proof = Witness(fatou.code, " ".join(fatou.words), one_time_password(house, fatou.totp))
    made = erasure.with_witness(first, awa.session, awa.code, proof)
    assert overtaken()
    assert ran == [0]
    assert certificates.find(house, made.number)
