"""Background work: each schedule once, whatever fails or dies; what has a term goes at its term."""

import dataclasses
import datetime as dt
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from storage import intentions, schedules
from storage.blobs import BlobName
from storage.errors import StoreUnreachable
from storage.tables import (
    attempts,
    doomed_blobs,
    entries,
    entry_copies,
    erasures,
    objects,
    rights_requests,
    slots,
    trace_keys,
    versions,
)
from storage.tables import sessions as session_rows
from tests.vault.builders import make_person, unlock
from tests.vault.clock import Clock
from tests.vault.comings import make_circle, start
from tests.vault.papers import keep
from vault import audit, certificates, endings, erasure, health, notices, orphans, rights, scrubbing, tasks, terms
from vault.context import Context
from vault.errors import NotThere, WrongSecret
from vault.one_by_one import each
from vault.tasks import Job


def test_each_job_runs_once_for_its_turn(any_house: Context, clock: Clock) -> None:
    """Two processes at the same minute, then the next one; a day later the daily ones again."""
    clock.now = dt.datetime(2026, 11, 23, 10, 5, 30, tzinfo=dt.UTC)
    first = tasks.run_due(any_house)
    assert set(first) == {job.name for job in tasks.JOBS}
    assert tasks.run_due(any_house) == {}
    clock.forward(minutes=1)
    assert set(tasks.run_due(any_house)) == {job.name for job in tasks.JOBS if job.latest is tasks.minutely}
    clock.forward(days=1)
    assert set(tasks.run_due(any_house)) == {job.name for job in tasks.JOBS}
    with any_house.database.transaction(read_only=True) as connection:
        assert schedules.last_done(connection, "scrub") == clock.now


def test_eight_threads_share_the_turns(any_house: Context) -> None:
    """A job that counts how often it ran: once."""
    ran: list[int] = []
    job = Job("counted", tasks.minutely, lambda _: len(ran) + (ran.append(1) or 0))  # type: ignore[func-returns-value]  # append gives nothing
    threads = [threading.Thread(target=tasks.run_due, args=(any_house, None, (job,))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ran == [1]


def test_days_are_those_of_paris_and_what_was_missed_runs(house: Context, clock: Clock) -> None:
    """A daily job at 00:01 in Paris, before and after the clocks change; a service that slept runs it once when it wakes."""
    latest = tasks.daily(0, 1)
    assert latest(dt.datetime(2026, 7, 1, 22, 0, 30, tzinfo=dt.UTC)) == dt.datetime(2026, 6, 30, 22, 1, tzinfo=dt.UTC)
    assert latest(dt.datetime(2026, 7, 1, 22, 1, tzinfo=dt.UTC)) == dt.datetime(2026, 7, 1, 22, 1, tzinfo=dt.UTC)
    assert latest(dt.datetime(2026, 12, 1, 22, 30, tzinfo=dt.UTC)) == dt.datetime(2026, 11, 30, 23, 1, tzinfo=dt.UTC)
    runs: list[dt.datetime] = []

    def note(context: Context) -> int:
        runs.append(context.clock())
        return 0

    job = Job("nightly", tasks.daily(3), note)
    tasks.run_due(house, None, (job,))
    clock.forward(days=5)
    tasks.run_due(house, None, (job,))
    tasks.run_due(house, None, (job,))
    assert len(runs) == 2


def test_a_job_that_fails_keeps_nobody_waiting(house: Context, clock: Clock) -> None:
    """The store is down for one; the next job runs; the first one has its next turn."""
    ran: list[str] = []

    def fails(_: Context) -> int:
        ran.append("fails")
        raise StoreUnreachable

    jobs = (Job("fails", tasks.minutely, fails), Job("works", tasks.minutely, lambda _: ran.append("works") or 1))  # type: ignore[func-returns-value]  # idem
    assert tasks.run_due(house, None, jobs) == {"works": 1}
    clock.forward(minutes=1)
    tasks.run_due(house, None, jobs)
    assert ran == ["fails", "works", "fails", "works"]


class OneFails:
    """The key vault, where one person's rows cannot be destroyed."""

    def __init__(self, real: Any, person: str) -> None:
        self._real, self._person = real, person

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def destroy_owned(self, owner: str, at: dt.datetime) -> object:
        if owner == self._person:
            raise StoreUnreachable
        return self._real.destroy_owned(owner, at)


def test_one_erasure_that_fails_keeps_no_other_waiting(house: Context, clock: Clock) -> None:
    """The first of three stays half-way each time; the others are done, the look at the service says so, and at last it goes on."""
    made = [make_person(house, name) for name in ("Awa", "Mariam", "Koffi")]
    asked = [erasure.ask(house, unlock(house, one), one.code) for one in made]
    clock.forward(hours=73)
    keyvault: Any = OneFails(house.keyvault, made[0].id)
    broken = dataclasses.replace(house, keyvault=keyvault)
    assert tasks.erase_due(broken) == 2
    assert certificates.find(house, asked[2].number)
    clock.forward(hours=1)
    assert tasks.erase_due(broken) == 0
    line = health.of_erasures(house)
    assert (line.good, line.words[:2]) == (False, "1 ")
    assert tasks.erase_due(house) == 1
    assert certificates.find(house, asked[0].number)


class Holds:
    """The store, which will not delete one blob: somebody's legal hold."""

    def __init__(self, real: Any, blob: str) -> None:
        self._real, self.blob = real, blob

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def delete(self, name: BlobName) -> None:
        if name == self.blob:
            raise StoreUnreachable("held")
        self._real.delete(name)


def test_a_blob_that_the_store_holds_keeps_nobody_elses_erasure_waiting(any_house: Context, clock: Clock) -> None:
    """What is Mariam's stays: Awa's goes and is certified, and the log says that one is left. Her own is waited for."""
    made = [make_person(any_house, name) for name in ("Awa", "Mariam")]
    blobs = select(objects.c.blob).join(versions, versions.c.id == objects.c.version)
    for one in made:
        keep(any_house, unlock(any_house, one), "Bail")
    with any_house.database.transaction() as connection:
        held, other = connection.scalars(blobs.where(versions.c.person == made[1].id).order_by(objects.c.blob)).all()[:2]
        endings.doom(any_house, connection, [other])
        connection.execute(doomed_blobs.insert().values(blob=held, since=clock.now))
    store: Any = Holds(any_house.blobs, held)
    holding = dataclasses.replace(any_house, blobs=store)
    hers, theirs = (erasure.ask(any_house, one.session, one.code) for one in made)
    clock.forward(hours=73)
    assert tasks.erase_due(holding) == 1
    assert certificates.find(any_house, hers.number)
    with pytest.raises(NotThere):
        certificates.find(any_house, theirs.number)
    with any_house.database.transaction(read_only=True) as connection:
        assert connection.scalars(select(doomed_blobs.c.blob)).all() == [held], "all but what is held went"
    with pytest.raises(StoreUnreachable):
        endings.finish(holding)
    assert orphans.sweep(holding, older_than=dt.timedelta(0)) == 0
    store.blob = ""
    clock.forward(minutes=2)
    assert tasks.erase_due(holding) == 1
    assert certificates.find(any_house, theirs.number)


def test_each_by_itself(house: Context, capfd: pytest.CaptureFixture[str]) -> None:
    """What we know how to fail is logged, without which one it was; what nobody foresaw is not hidden."""

    def act(one: str) -> bool:
        if one == "4cda1e9f":
            raise StoreUnreachable
        if one == "bug":
            raise ZeroDivisionError
        return one != "not now"

    assert each("thing", ["a", "4cda1e9f", "not now", "b"], act) == 2
    said = capfd.readouterr().out
    assert "StoreUnreachable" in said
    assert "4cda1e9f" not in said, "an id of somebody stands in the log for months"
    with pytest.raises(ZeroDivisionError):
        each("thing", ["bug"], act)


def test_what_has_a_term_goes(house: Context, clock: Clock) -> None:
    """Sessions, a due erasure, an unfinished recovery, failed attempts, a closed register: each at its term, not before."""
    made = make_circle(house)
    asked = erasure.ask(house, unlock(house, made.awa), made.awa.code)
    other = make_person(house, "Mariam", kiosk=made.tilleuls.kiosk)
    with pytest.raises(WrongSecret):
        unlock(house, other, code="591746")
    rights.ask_right(house, unlock(house, other), other.code, "access")
    start(house, made.tilleuls.kiosk)
    tasks.run_due(house)
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(session_rows)).first() is not None
        assert connection.execute(select(erasures.c.state)).scalar_one() == "asked"
    clock.forward(hours=73)
    tasks.run_due(house)
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(session_rows)).first() is None
        assert connection.execute(select(erasures.c.state)).scalar_one() == "done"
    assert asked.id
    clock.forward(days=366)
    tasks.run_due(house)
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(attempts)).first() is None
        assert connection.execute(select(rights_requests)).first() is not None
    clock.forward(days=5 * 366)
    tasks.run_due(house)
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(erasures)).first() is None


def test_what_a_process_left_behind_is_finished(house: Context, clock: Clock) -> None:
    """A row of the key vault and a blob that were to die when the process died: a minute later they are gone."""
    made = make_circle(house)
    paper = keep(house, unlock(house, made.awa), "Bail")
    slot = house.new_id()
    house.keyvault.create("slot", slot, made.awa.id)
    assert paper
    with house.database.transaction() as connection:
        blob = connection.execute(select(objects.c.blob)).scalars().first()
        intentions.declare(connection, intention=house.new_id(), kind="end-slot", subject=slot, at=clock.now)
        connection.execute(doomed_blobs.insert().values(blob=blob, since=clock.now))
    assert endings.finish(house, clock.now - dt.timedelta(seconds=1)) == 0
    clock.forward(minutes=2)
    tasks.run_due(house)
    assert not house.keyvault.exists("slot", slot)
    assert blob not in {held.name for held in house.blobs.inventory()}
    with house.database.transaction(read_only=True) as connection:
        assert intentions.pending(connection) == []
        assert connection.execute(select(slots.c.id)).first() is not None


def test_the_scrub_finds_what_the_store_lost_or_changed(house: Context, tmp_path: Path) -> None:
    """One flipped byte, one missing blob: each is told to its owner, and to nobody else."""
    awa, mariam = make_person(house, "Awa"), make_person(house, "Mariam")
    keep(house, awa.session, "Bail")
    keep(house, awa.session, "Avis")
    keep(house, mariam.session, "Carte")
    assert [scrubbing.scrub(house, night=night) for night in range(scrubbing.NIGHTS)] == [0] * scrubbing.NIGHTS
    with house.database.transaction(read_only=True) as connection:
        from storage.tables import versions

        query = select(objects.c.blob).join(versions).where(versions.c.person == awa.id, objects.c.role == "received")
        flipped, missing = connection.scalars(query).all()
    (path,) = (one for one in (tmp_path / "blobs").rglob("*") if one.name.startswith(flipped) or one.stem == flipped)
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.chmod(0o600)
    path.write_bytes(bytes(content))
    house.blobs.delete(missing)
    assert sum(scrubbing.scrub(house, night=night) for night in range(scrubbing.NIGHTS)) == 2
    assert [one.key for one in notices.waiting(house, awa.session)] == ["paper-damaged"] * 2
    assert [one.event.tag for one in audit.history(house, awa.session)].count("maintenance.damaged") == 2
    assert notices.waiting(house, mariam.session) == []


def test_a_service_that_stood_still_for_years_leaves_nothing_past_its_term(house: Context, clock: Clock) -> None:
    make_person(house, "Awa")
    clock.forward(days=5 * 366)
    assert terms.prune_trace(house) > 0
    with house.database.transaction(read_only=True) as connection:
        assert connection.scalars(select(entry_copies.c.entry)).all() == []


def test_entries_older_than_three_years_go_and_leaves_stay(house: Context, clock: Clock) -> None:
    """The person reads the last three years; the hashes of what was before still hold the tree together."""
    awa = make_person(house, "Awa")
    clock.forward(days=400)
    unlock(house, awa)
    before = {entry.id for entry in audit.history(house, awa.session)}
    assert terms.prune_trace(house) == 0
    clock.forward(days=800)
    unlock(house, awa)
    removed = terms.prune_trace(house)
    assert removed > 0
    after = {entry.id for entry in audit.history(house, awa.session)}
    assert before - after
    assert before & after
    with house.database.transaction(read_only=True) as connection:
        kept = set(connection.scalars(select(entries.c.id)))
        assert before <= kept
        unused = select(func.count()).select_from(trace_keys).where(trace_keys.c.id.not_in(select(entry_copies.c.key)))
        assert connection.execute(unused).scalar_one() == 0


def test_the_loop_stops_when_it_is_told(house: Context, clock: Clock) -> None:
    """After what it was doing; and it numbers the trace meanwhile."""
    make_person(house, "Awa")
    rounds: list[float] = []

    def pause(seconds: float) -> None:
        rounds.append(seconds)
        clock.forward(seconds=30)

    tasks.run_until(house, stopped=lambda: len(rounds) == 3, sleep=pause)
    assert len(rounds) == 3
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(func.count()).select_from(entries).where(entries.c.number.is_(None))).scalar_one() == 0


def turns_taken(folder: Path) -> int:
    """How many turns the process has taken so far."""
    with closing(sqlite3.connect(f"file:{folder / 'abri.sqlite3'}?mode=ro", uri=True)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM schedule_runs").fetchone()
    return int(count)


@pytest.mark.slow
def test_the_process_stops_on_a_signal(tmp_path: Path) -> None:
    """`abri tasks` on real files: it starts, takes turns, and ends with 0 on SIGTERM."""
    environment = {**os.environ, "ABRI_FOLDER": str(tmp_path), "ABRI_MODE": "embedded"}
    keys = tmp_path / "public-keys.json"
    install = [sys.executable, "-m", "vault", "keys", "roots", "--operator", "A", "--contact", "c"]
    for name in ("Nadia", "Hugo"):
        install += ["--administrator", name]
    made = subprocess.run(install, env=environment, capture_output=True, text=True, check=False)
    if made.returncode or not keys.exists():
        pytest.skip(f"the installation command does not work here: {made.stderr[-200:]}")
    subprocess.run([sys.executable, "-m", "vault", "migrate"], env=environment, check=True, capture_output=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "vault", "tasks"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        until = time.monotonic() + 60
        while not turns_taken(tmp_path):
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < until, "no turn was taken within a minute"
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.communicate()


def test_the_store_is_searched_for_a_word_from_the_command_line(
    house: Context, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demonstration's last proof: a word that stands in the rows is found and where, another one is in 0 places."""
    from vault.__main__ import main

    made = make_circle(house)
    monkeypatch.setattr("vault.__main__.read_settings", lambda _: house.settings)
    assert main(["search", "Association ESI Le Canal"]) == 1
    assert "rows: operators.name" in capsys.readouterr().out
    assert main(["search", "Boubacar-le-tailleur", made.awa.card]) == 0
    assert capsys.readouterr().out == "0 places\n"
