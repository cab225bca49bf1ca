"""Each schedule runs once, however many processes keep the time. On both pairs of engines."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from storage.database import Database
from storage.schedules import forget_turns, last_done, say_done, take_turn
from tests.engines import Engines
from tests.storage.contracts import NOW


def take(database: Database, job: str, seconds: int = 0) -> bool:
    with database.transaction() as connection:
        return take_turn(connection, job, NOW + timedelta(seconds=seconds))


def test_one_run_for_each_job_and_minute(engines: Engines) -> None:
    assert take(engines.database, "purge")
    assert not take(engines.database, "purge", 59), "the same minute"
    assert take(engines.database, "purge", 60)
    assert take(engines.database, "scrub")


def test_many_processes_share_one_run(engines: Engines) -> None:
    others = [Database(engines.urls.main, pool_size=2) for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda number: take(others[number % 4], "purge"), range(16)))
    for other in others:
        other.close()
    assert taken.count(True) == 1


def test_who_is_refused_may_still_write(engines: Engines) -> None:
    assert take(engines.database, "purge")
    with engines.database.transaction() as connection:
        assert not take_turn(connection, "purge", NOW)
        assert take_turn(connection, "scrub", NOW)
    assert not take(engines.database, "scrub")


def test_when_a_job_was_last_done(engines: Engines) -> None:
    with engines.database.transaction() as connection:
        assert last_done(connection, "purge") is None
        for day in (2, 1, 0):
            assert take_turn(connection, "purge", NOW - timedelta(days=day))
        say_done(connection, "purge", NOW - timedelta(days=2), NOW - timedelta(days=2) + timedelta(seconds=5))
        say_done(connection, "purge", NOW - timedelta(days=1), NOW - timedelta(days=1) + timedelta(seconds=7))
        assert last_done(connection, "purge") == NOW - timedelta(days=1) + timedelta(seconds=7)
        assert last_done(connection, "scrub") is None


def test_old_runs_are_forgotten(engines: Engines) -> None:
    with engines.database.transaction() as connection:
        for day in range(5):
            assert take_turn(connection, "purge", NOW - timedelta(days=day))
        assert forget_turns(connection, NOW - timedelta(days=2)) == 2
        assert not take_turn(connection, "purge", NOW)
        assert take_turn(connection, "purge", NOW - timedelta(days=4))
