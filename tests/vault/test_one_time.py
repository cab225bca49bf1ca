"""Six digits from a telephone: of this half minute or its neighbours, and each opens one door once."""

import datetime as dt

import pytest

from tests.vault.builders import make_office, make_worker, one_time_password
from vault import one_time, workers
from vault.context import Context
from vault.errors import WrongSecret

SEED = bytes(range(20))
AT = dt.datetime(2026, 11, 23, 10, 0, 15, tzinfo=dt.UTC)
STEP = dt.timedelta(seconds=one_time.STEP_SECONDS)


@pytest.mark.parametrize(("late", "opens"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_half_a_minute_wrong(late: int, opens: bool) -> None:
    typed = one_time.password(SEED, AT + late * STEP)
    step = one_time.accepted_step(SEED, typed, AT, 0)
    assert step == (one_time.step_of(AT) + late if opens else None)


def test_what_was_used_opens_nothing_more_and_nothing_older_does() -> None:
    now = one_time.step_of(AT)
    for late, used, opens in ((0, now, False), (-1, now, False), (1, now, True), (0, now - 1, True), (0, now + 1, False)):
        found = one_time.accepted_step(SEED, one_time.password(SEED, AT + late * STEP), AT, used)
        assert (found is not None) is opens, (late, used)


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６"])
def test_anything_else_is_refused(typed: str) -> None:
    assert one_time.accepted_step(SEED, typed, AT, 0) is None


def test_the_same_digits_open_the_desk_once(house: Context) -> None:
    fatou = make_worker(house, make_office(house))
    typed = one_time_password(house, fatou.totp)
    workers.sign_in(house, fatou.code, fatou.words, typed)
    with pytest.raises(WrongSecret):
        workers.sign_in(house, fatou.code, fatou.words, typed)
    workers.sign_in(house, fatou.code, fatou.words, one_time_password(house, fatou.totp))
