"""How workers and administrators sign in: six words, a one-time password, and one refusal for everything else."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from crypto.errors import Undecryptable
from storage.tables import workers as rows
from tests.vault.builders import make_office, make_worker, one_time_password, sign_in
from tests.vault.clock import Clock
from vault import administrators, audit, one_time, sessions, wordlist, workers
from vault.context import Context
from vault.errors import AbriError, MustWait, NotAllowed, NotCertified, NotThere, WrongSecret
from vault.settings import SealKey


def test_words_and_a_one_time_password_open_the_desk(house: Context) -> None:
    fatou = make_worker(house, make_office(house))
    typed = " ".join(wordlist.plain(word).upper() for word in fatou.words)
    cookie = workers.sign_in(house, fatou.code.lower(), typed, one_time_password(house, fatou.totp))
    session = sessions.find(house, cookie)
    assert (session.kind, session.account) == ("worker", fatou.id)
    with pytest.raises(NotAllowed):
        administrators.of(house, session)


def test_a_worker_who_waits_for_signatures_is_told_so(house: Context) -> None:
    office = make_office(house)
    code = workers.invite(house, office.admin, office.structure, "Fatou", "salaried", None)
    session = sessions.find(house, workers.start_accepting(house, code))
    shown = workers.acceptance(house, session)
    workers.accept(house, session, shown.words, one_time_password(house, shown.totp), charter="2026-11")
    with pytest.raises(NotCertified):
        workers.sign_in(house, shown.code, shown.words, one_time_password(house, shown.totp))


def test_a_one_time_password_opens_one_door_once(any_house: Context) -> None:
    fatou = make_worker(any_house, make_office(any_house))
    code = one_time_password(any_house, fatou.totp)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: _answer(any_house, fatou.code, fatou.words, code), range(2)))
    assert sorted(answers, key=str) == sorted(["open", WrongSecret], key=str)
    assert _answer(any_house, fatou.code, fatou.words, code) is WrongSecret


@pytest.mark.parametrize("sealed", [b"", b"damaged"])
def test_a_damaged_seed_makes_every_password_a_wrong_one(house: Context, sealed: bytes) -> None:
    fatou = make_worker(house, make_office(house))
    with house.database.transaction() as connection:
        connection.execute(update(rows).where(rows.c.account == fatou.id).values(sealed_totp=sealed))
    assert _answer(house, fatou.code, fatou.words, one_time_password(house, fatou.totp)) is WrongSecret


@pytest.mark.parametrize("steps", [-2, 2, 10])
def test_a_password_of_another_time_opens_nothing(house: Context, clock: Clock, steps: int) -> None:
    fatou = make_worker(house, make_office(house))
    clock.forward(hours=1)
    code = one_time.password(fatou.totp, clock.now + dt.timedelta(seconds=30 * steps))
    assert _answer(house, fatou.code, fatou.words, code) is WrongSecret


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_clocks_may_differ_by_half_a_minute(house: Context, clock: Clock, steps: int) -> None:
    fatou = make_worker(house, make_office(house))
    clock.forward(hours=1)
    code = one_time.password(fatou.totp, clock.now + dt.timedelta(seconds=30 * steps))
    assert _answer(house, fatou.code, fatou.words, code) == "open"


def _answer(house: Context, code: str, words: tuple[str, ...], totp: str) -> object:
    try:
        workers.sign_in(house, code, words, totp)
    except MustWait as error:
        return error.seconds
    except AbriError as error:
        return type(error)
    return "open"


def test_an_unknown_worker_is_answered_like_a_wrong_word_or_a_wrong_password(house: Context, clock: Clock) -> None:
    office = make_office(house)
    fatou, marc, nadia = make_worker(house, office), make_worker(house, office, "Marc"), office.administrators[0]
    others = wordlist.draw(6)
    clock.forward(hours=1)
    tries: list[Callable[[], object]] = [
        lambda: _answer(house, fatou.code, others, one_time_password(house, fatou.totp)),
        lambda: _answer(house, marc.code, marc.words, "000000"),
        lambda: _answer(house, "ZZZZZZ", others, "123456"),
        lambda: _answer(house, nadia.code, nadia.words, one_time_password(house, nadia.totp)),
    ]
    for wait in (0, 0, 0, 0, 60, 0, 300, 0):
        clock.forward(seconds=wait)
        moment = clock.now
        answers = set()
        for one in tries:
            clock.now = moment  # what a telephone shows moves the clock
            answers.add(one())
        clock.now = moment
        kinds = {answer if isinstance(answer, type) else "wait" for answer in answers}
        assert len(kinds) == 1


def test_wrong_words_are_counted_before_the_right_ones_and_told(house: Context, clock: Clock) -> None:
    fatou = make_worker(house, make_office(house))
    for _ in range(3):
        assert _answer(house, fatou.code, wordlist.draw(6), "000000") is WrongSecret
    assert isinstance(_answer(house, fatou.code, fatou.words, one_time_password(house, fatou.totp)), int)
    clock.forward(seconds=60)
    sign_in(house, fatou)
    assert [entry.event.tag for entry in audit.history(house, fatou.session)].count("worker.sign-in-failed") == 3


def test_an_administrator_lets_a_worker_of_theirs_try_again(house: Context) -> None:
    office, other = make_office(house), make_office(house, "ESI Le Canal")
    fatou = make_worker(house, office)
    for _ in range(3):
        _answer(house, fatou.code, wordlist.draw(6), "000000")
    with pytest.raises(NotThere):
        administrators.lift_wait(house, other.admin, fatou.code)
    with pytest.raises(MustWait):
        sign_in(house, fatou)
    administrators.lift_wait(house, office.admin, fatou.code)
    assert sign_in(house, fatou)


def test_the_seed_of_one_time_passwords_is_not_kept_in_clear(house: Context) -> None:
    fatou = make_worker(house, make_office(house))
    with house.database.transaction(read_only=True) as connection:
        sealed = connection.execute(select(rows.c.sealed_totp).where(rows.c.account == fatou.id)).scalar_one()
    assert fatou.totp not in sealed
    other = dataclasses.replace(house, settings=dataclasses.replace(house.settings, service_seal=SealKey.random()))
    assert one_time.open_seed(house, fatou.id, sealed) == fatou.totp
    with pytest.raises(Undecryptable):
        one_time.open_seed(other, fatou.id, sealed)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_the_vectors_of_rfc_6238(seconds: int, expected: str) -> None:
    assert one_time.password(b"12345678901234567890", dt.datetime.fromtimestamp(seconds, dt.UTC)) == expected
