"""Wrong attempts: all counted, waits that grow, a way that ends, and a stranger's card answered like anybody's."""

import dataclasses
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from crypto.unlock import Cost
from storage.database import Database
from storage.tables import slots
from tests.vault.builders import CODE, PICTURES, make_office, make_person, make_worker, show_card, unlock
from tests.vault.clock import Clock
from tests.vault.comings import confirm, make_circle, start
from tests.vault.test_derivations import until
from tests.vault.trials import WRONG, counted, new_card, tags, try_code
from vault import account_numbers, assisted, audit, cards, people, sessions
from vault.context import Context
from vault.derivations import Derivations
from vault.errors import AbriError, BadInput, Busy, MustWait, NotAllowed, WrongSecret
from vault.trying import ENDS_AFTER

DAY = 24 * 3600


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_three_wrong_wait_and_five_wait_a_day(house: Context, clock: Clock, known: bool) -> None:
    card = make_person(house).card if known else new_card()
    assert [try_code(house, card) for _ in range(4)] == [WrongSecret, WrongSecret, WrongSecret, 60]
    clock.forward(seconds=59)
    assert try_code(house, card) == 1
    clock.forward(seconds=1)
    assert [try_code(house, card), try_code(house, card)] == [WrongSecret, 300]
    clock.forward(seconds=300)
    assert [try_code(house, card), try_code(house, card)] == [WrongSecret, DAY]
    clock.forward(hours=23, minutes=59)
    assert try_code(house, card) == 60
    clock.forward(minutes=1)
    assert try_code(house, card, CODE) == ("open" if known else WrongSecret), "nothing was lost"


def test_the_right_code_waits_too_and_then_forgets_the_wrong_ones(house: Context, clock: Clock) -> None:
    awa = make_person(house)
    for _ in range(3):
        try_code(house, awa.card)
    assert try_code(house, awa.card, CODE) == 60
    clock.forward(seconds=60)
    assert try_code(house, awa.card, CODE) == "open"
    assert [try_code(house, awa.card) for _ in range(4)] == [WrongSecret, WrongSecret, WrongSecret, 60]


def test_a_failed_attempt_is_in_the_history_and_on_the_first_page(house: Context) -> None:
    awa = make_person(house)
    try_code(house, awa.card)
    try_code(house, awa.card)
    session = unlock(house, awa)
    assert tags(house, awa).count("safe.attempt-failed") == 2
    assert people.me(house, session).failed_attempts == 2
    people.attempts_told(house, session)
    assert people.me(house, session).failed_attempts == 2, "for as long as this opening lasts"
    assert people.me(house, unlock(house, awa)).failed_attempts == 0


def test_attempts_that_no_first_page_told_are_told_at_the_next_opening(any_house: Context) -> None:
    awa = make_person(any_house)
    try_code(any_house, awa.card)
    unlock(any_house, awa)  # and away, before a page stood there
    try_code(any_house, awa.card)
    session = unlock(any_house, awa)
    assert people.me(any_house, session).failed_attempts == 2
    people.attempts_told(any_house, session)
    people.attempts_told(any_house, session)
    try_code(any_house, awa.card)
    assert people.me(any_house, unlock(any_house, awa)).failed_attempts == 1


def test_five_wrong_ones_are_told_as_a_lock(house: Context, clock: Clock) -> None:
    awa = make_person(house)
    for _ in range(5):
        try_code(house, awa.card)
        clock.forward(seconds=300)
    clock.forward(hours=24)
    unlock(house, awa)
    assert tags(house, awa).count("safe.locked") == 1


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_a_worker_in_person_lifts_the_wait(any_house: Context, clock: Clock, known: bool) -> None:
    fatou = make_worker(any_house, make_office(any_house))
    awa = make_person(any_house)
    card = awa.card if known else new_card()
    for _ in range(5):
        try_code(any_house, card)
        clock.forward(seconds=300 if _ == 3 else 60)
    assert try_code(any_house, card, CODE) != "open"
    people.lift_wait(any_house, fatou.session, card)
    assert try_code(any_house, card, CODE) == ("open" if known else WrongSecret)
    lifted = [entry.event.tag for entry in audit.history(any_house, fatou.session)].count("safe.wait-lifted")
    assert lifted == 1, "the worker's own history says the same of a card that nobody knows"


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_a_worker_in_person_lifts_the_wait_of_words(any_house: Context, clock: Clock, known: bool) -> None:
    """Whoever opens with words has no card to show: their number is enough, and nothing tells whether somebody has it."""
    fatou = make_worker(any_house, make_office(any_house))
    awa = make_person(any_house, words=True)
    number, words = awa.number if known else account_numbers.draw(), awa.words or ()

    def try_words(said: Sequence[str]) -> object:
        try:
            return people.unlock_with_words(any_house, None, number, said) and "open"
        except (WrongSecret, MustWait) as error:
            return type(error)

    for _ in range(5):
        assert try_words(words[::-1]) is WrongSecret
        clock.forward(seconds=300)
    assert try_words(words) is MustWait
    people.lift_wait_of_words(any_house, fatou.session, account_numbers.shown(number))
    assert try_words(words) == ("open" if known else WrongSecret)
    lifted = [entry.event.tag for entry in audit.history(any_house, fatou.session)].count("safe.wait-lifted")
    assert lifted == 1
    assert ("safe.wait-lifted" in tags(any_house, awa)) is known
    with pytest.raises(BadInput):
        people.lift_wait_of_words(any_house, fatou.session, "123")


def test_a_worker_in_person_lifts_the_wait_of_an_opening_with_help(house: Context, clock: Clock) -> None:
    """Who cannot remember shows the same card: its wait ends in the opening with help too."""
    fatou, awa = make_worker(house, make_office(house)), make_person(house)
    shown = show_card(house, awa.card)
    assisted.start(house, shown)
    for _ in range(5):
        with pytest.raises(WrongSecret):
            assisted.finish(house, shown)
        clock.forward(seconds=300 if _ == 3 else 60)
    with pytest.raises(MustWait):
        assisted.finish(house, shown)
    people.lift_wait(house, fatou.session, awa.card)
    with pytest.raises(WrongSecret):
        assisted.finish(house, shown)


def test_only_a_worker_lifts_a_wait(house: Context) -> None:
    awa = make_person(house)
    office = make_office(house)
    for session in (awa.session, office.admin, show_card(house, awa.card)):
        with pytest.raises(NotAllowed):
            people.lift_wait(house, session, awa.card)
        with pytest.raises(NotAllowed):
            people.lift_wait_of_words(house, session, awa.number)


def test_twenty_wrong_ones_end_the_way_whoever_unlocks_in_between(house: Context, clock: Clock) -> None:
    awa = make_person(house, words=True)
    assert awa.words is not None
    for number in range(ENDS_AFTER):
        clock.forward(hours=24)
        if number == 10:
            people.unlock_with_words(house, None, awa.number, awa.words)
        assert try_code(house, awa.card) is WrongSecret
    clock.forward(hours=24)
    assert try_code(house, awa.card, CODE) is WrongSecret, "the way has ended"
    session = sessions.find(house, people.unlock_with_words(house, None, awa.number, awa.words))
    assert [notice.key for notice in people.me(house, session).notices] == ["means-ended"]
    with house.database.transaction(read_only=True) as connection:
        ended = connection.execute(select(slots.c.id, slots.c.sealed_secret).where(slots.c.state == "ended")).one()
    assert ended.sealed_secret is None
    assert not house.keyvault.exists("slot", ended.id)


def test_a_way_whose_twentieth_wrong_one_died_with_its_process_ends_at_the_next(house: Context, clock: Clock) -> None:
    awa = make_person(house)
    for _ in range(ENDS_AFTER - 1):
        clock.forward(hours=24)
        try_code(house, awa.card)
    clock.forward(hours=24)
    shown = show_card(house, awa.card)
    with pytest.raises(SystemExit):
        people.unlock(dataclasses.replace(house, keyvault=DyingVault(house.keyvault)), shown, WRONG)
    assert try_code(house, awa.card, CODE) is WrongSecret, "twenty were counted: the right one comes too late"
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(slots.c.state).where(slots.c.account == awa.id)).scalar_one() == "ended"


def test_nineteen_wrong_ones_and_a_right_one_start_again(house: Context, clock: Clock) -> None:
    awa = make_person(house)
    for _ in range(2):
        for _ in range(ENDS_AFTER - 1):
            clock.forward(hours=24)
            try_code(house, awa.card)
        clock.forward(hours=24)
        assert try_code(house, awa.card, CODE) == "open"


def test_words_are_only_slowed(house: Context, clock: Clock) -> None:
    awa = make_person(house, words=True)
    assert awa.words is not None
    for _ in range(ENDS_AFTER + 2):
        clock.forward(hours=24)
        with pytest.raises(WrongSecret):
            people.unlock_with_words(house, None, awa.number, "abeille " * 5)
    clock.forward(hours=24)
    assert people.unlock_with_words(house, None, awa.number, awa.words)


class DyingVault:
    """A key vault before which the process dies."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        if name == "derive_many":
            raise SystemExit
        return getattr(self._real, name)


def test_whoever_crashes_the_service_does_not_take_an_attempt_back(any_house: Context) -> None:
    awa = make_person(any_house)
    shown = show_card(any_house, awa.card)
    with pytest.raises(SystemExit):
        people.unlock(dataclasses.replace(any_house, keyvault=DyingVault(any_house.keyvault)), shown, WRONG)
    assert counted(any_house, awa.card) == 1
    with any_house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(slots.c.wrong_in_a_row).where(slots.c.account == awa.id)).scalar_one() == 1


def _two_processes(
    house: Context, queue: Callable[[], Derivations] = lambda: Derivations(2, 100, 100)
) -> tuple[Context, Context]:
    """The same stores through connections and queues of their own, as two processes have them."""
    return tuple(
        dataclasses.replace(house, database=Database(house.settings.database_url), derivations=queue()) for _ in range(2)
    )  # type: ignore[return-value]  # two of two


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_fifty_wrong_codes_in_parallel_are_allcounted(any_house: Context, known: bool) -> None:
    card = make_person(any_house).card if known else new_card()
    processes = _two_processes(any_house)
    start = threading.Barrier(10)

    def guess(number: int) -> object:
        house = processes[number % 2]
        if number < 10:
            start.wait(timeout=20)
        return try_code(house, card, f"7{number:02}193")

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(guess, range(50)))
    for process in processes:
        process.database.close()
    assert answers.count(WrongSecret) == 3, "three are tried, then everybody waits"
    assert answers.count(60) == 47
    assert counted(any_house, card) == 3


def test_what_the_queue_refuses_is_neither_tried_nor_counted(any_house: Context) -> None:
    """Two processes, each with its own two turns and its own bounds: twice 128 MiB at most, whoever guesses, and no free guess."""
    processes = _two_processes(any_house, lambda: Derivations(2, 6))
    guessed = [new_card() for _ in range(24)]
    with ThreadPoolExecutor(24) as pool:
        with ExitStack() as taken:
            for process in processes:
                taken.enter_context(process.derivations.turn("one kiosk"))
                taken.enter_context(process.derivations.turn("another"))
            answers = [pool.submit(try_code, processes[place % 2], card) for place, card in enumerate(guessed)]
            until(lambda: sum(one.done() for one in answers) == 20)
            assert [process.derivations.waiting for process in processes] == [2, 2]
        told = [one.result() for one in answers]
    for process in processes:
        process.database.close()
    assert (told.count(Busy), told.count(WrongSecret)) == (20, 4)
    assert [counted(any_house, card) for card in guessed] == [1 if answer is WrongSecret else 0 for answer in told]


def test_attempts_after_waits_in_parallel_end_in_one_lock(any_house: Context, clock: Clock) -> None:
    card = make_person(any_house).card
    for tried, wait in ((3, 60), (1, 300), (1, DAY)):
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: try_code(any_house, card), range(12)))
        assert answers.count(WrongSecret) == tried
        assert answers.count(wait) == 12 - tried
        clock.forward(seconds=wait if wait < DAY else 0)
    assert counted(any_house, card) == 5


def test_the_right_code_among_wrong_ones_in_parallel_loses_nothing(any_house: Context, clock: Clock) -> None:
    awa = make_person(any_house)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda place: try_code(any_house, awa.card, CODE if place % 3 == 0 else WRONG), range(12)))
    assert set(answers) <= {"open", WrongSecret, 60, 300, DAY}
    clock.forward(hours=24)
    assert try_code(any_house, awa.card, CODE) == "open"


# --- Nothing tells a stranger's card from a wrong code ----------------------------------------------------------------------


STEPS = st.lists(st.tuples(st.sampled_from([0, 30, 60, 300, 3600, DAY]), st.booleans()), max_size=8)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_an_unknown_card_is_answered_like_a_wrong_code_whatever_the_order(house: Context, clock: Clock, steps: list[Any]) -> None:
    known, unknown, ended = make_person(house).card, new_card(), make_person(house)
    (new,) = cards.new_cards(1)
    people.replace_card(house, ended.session, CODE, new.text)
    for wait, pictures in steps:
        clock.forward(seconds=wait)
        answers = [_answer(house, card, pictures) for card in (known, unknown, ended.card)]
        assert answers[0] == answers[1] == answers[2]


def _answer(house: Context, card: str, pictures: bool) -> object:
    try:
        shown = show_card(house, card)
        people.unlock_with_pictures(house, shown, PICTURES) if pictures else people.unlock(house, shown, WRONG)
    except MustWait as error:
        return error.seconds, str(error)
    except AbriError as error:
        return type(error), error.args
    return "open"


ALIKE = (0.8, 1.25)


@pytest.mark.slow
@pytest.mark.parametrize("before", [Cost(65536, 3), Cost(8192, 2)], ids=["of today", "of before the cost was raised"])
def test_an_unknown_card_takes_the_same_time_as_a_wrong_code(house: Context, clock: Clock, before: Cost) -> None:
    """At the cost of production. The processor's time, the shortest of several: what a busy machine adds is not ours. What the clock
    says of whole answers, `tests/faults/test_whole_service.py` measures.

    A way that is still sealed at a smaller cost is answered as late: else time would tell that it lives, or that it has died. So is
    a stolen card that a guardian has barred, with its right code: its thief learns nothing (A2).
    """
    earlier = dataclasses.replace(house, settings=dataclasses.replace(house.settings, cost=before))
    costly = dataclasses.replace(house, settings=dataclasses.replace(house.settings, cost=Cost(65536, 3)))
    made = make_circle(earlier)
    _, said = start(earlier, made.canal.kiosk, "stolen")
    confirm(earlier, made.marc, said, theft=True, beside=True)
    times: dict[str, list[float]] = {"known": [], "unknown": [], "barred": []}
    for number in range(24):
        if number % 8 == 0:
            awa = make_person(earlier)  # a way that lives all along: it would end at its twentieth wrong code
        clock.forward(hours=24)
        all_three = [("known", awa.card, WRONG), ("unknown", new_card(), WRONG), ("barred", made.awa.card, made.awa.code)]
        for name, card, code in all_three if number % 2 else reversed(all_three):
            shown = show_card(costly, card)
            began = time.process_time()
            with pytest.raises(WrongSecret):
                people.unlock(costly, shown, code)
            times[name].append(time.process_time() - began)
        ratios = [min(times[name]) / min(times["unknown"]) for name in ("known", "barred")]
        if number % 8 == 7 and all(ALIKE[0] < one < ALIKE[1] for one in ratios):
            break
    assert all(ALIKE[0] < one < ALIKE[1] for one in ratios), times
