"""The service closes: three months before at least, told to everybody, a year to take everything back."""

import datetime as dt
import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

import pytest

from consent.days import add_months
from tests.vault.builders import MadePerson, make_office, make_person, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.dying import each_death
from tests.vault.papers import keep
from vault import audit, closing, erasing, notices, opening, parcels, printed, tasks, terms
from vault.__main__ import main
from vault.confirming import NotProven, Typed
from vault.context import Context
from vault.errors import BadInput, Conflict, NotAllowed
from vault.sessions import Session
from vault.settings import today_in_paris
from vault.tasks import Job


def test_three_months_are_the_least_and_a_year_follows(house: Context, clock: Clock) -> None:
    """R29, R30: the day before is refused; people are told; from the day on nothing new begins, everything can be taken."""
    awa = make_person(house, "Awa")
    keep(house, awa.session, "Bail")
    today = dt.date(2026, 11, 23)
    for soon in (today, today + dt.timedelta(days=1), dt.date(2027, 2, 22)):
        with pytest.raises(BadInput):
            closing.announce(house, soon)
    assert closing.state(house) == "open"
    told = closing.announce(house, dt.date(2027, 2, 23))
    assert (told.announced, told.until) == (today, dt.date(2028, 2, 23))
    with pytest.raises(Conflict):
        closing.announce(house, dt.date(2027, 6, 1))
    assert "service-closes" in [one.key for one in notices.waiting(house, unlock(house, awa))]
    assert closing.state(house) == "announced"
    opening.start(house, None, "fr")
    clock.forward(days=93)
    assert closing.state(house) == "retrieval"
    with pytest.raises(closing.Closing):
        opening.start(house, None, "fr")
    blobs = list(house.blobs.inventory())
    with pytest.raises(closing.Closing):
        keep(house, unlock(house, awa), "Lettre")
    assert list(house.blobs.inventory()) == blobs
    clock.forward(days=364)
    unlock(house, awa)
    parcels.pack(house, awa.session, "usb", "fr")
    assert b"received avis de test" in b"".join(parcels.waiting(house, awa.session).blocks())
    assert erasing.due(house) == []
    clock.forward(days=10)
    assert closing.state(house) == "over"
    assert terms.close_registers(house) == 0
    assert unlock(house, awa)


def test_whoever_opens_after_the_announcement_reads_it_too(any_house: Context) -> None:
    """In the same commit as the safe; and who was already told is told nothing twice."""
    awa = make_person(any_house, "Awa")
    closing.announce(any_house, dt.date(2027, 3, 1))
    mariam = make_person(any_house, "Mariam")
    assert closing.tell(any_house) == 0
    for one in (awa, mariam):
        assert [told.key for told in notices.waiting(any_house, unlock(any_house, one))] == ["service-closes"]


def test_an_announcement_cut_short_is_told_to_the_rest(house: Context) -> None:
    """Killed after any step: the scheduled task tells those whom it had not reached, each once; the same when it is called off."""
    office = make_office(house)
    people = [make_person(house, name) for name in ("Awa", "Mariam")]
    nadia, hugo = (sign_in_administrator(house, one) for one in office.administrators)
    closing.propose(house, nadia, dt.date(2027, 3, 1))
    assert _told_to_the_end(house, hugo, people) == {"service-closes": 2}
    nadia, hugo = (sign_in_administrator(house, one) for one in office.administrators)
    closing.call_off(house, nadia)
    assert _told_to_the_end(house, hugo, people) == {"service-closes": 2, "service-stays": 2}


def _told_to_the_end(house: Context, hugo: Session, people: Sequence[MadePerson]) -> Counter[str]:
    """The confirmation dies after each step until one was committed; then the task runs. What everybody reads, counted."""
    with suppress(Conflict):  # what was killed after its commit is not confirmed twice
        for _ in each_death(house, lambda mortal, _: closing.confirm(mortal, hugo)):
            pass
    tasks.run_due(house, None, (Job("closing", tasks.minutely, closing.tell),))
    cast("Clock", house.clock).forward(minutes=1)
    return Counter(told.key for one in people for told in notices.waiting(house, unlock(house, one)))


def test_the_poster_says_the_day_in_three_languages(house: Context) -> None:
    """For the walls: no name of anybody, one page a language."""
    told = closing.Announced(dt.date(2026, 11, 23), dt.date(2027, 2, 23), dt.date(2028, 2, 23))
    assert printed.closing_poster(told.closes, told.until).startswith(b"%PDF-")


def test_the_command_announces_once_and_writes_the_poster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`abri close`: too soon is refused with the first day that may be; then it is announced and printed, told again, and not moved."""
    for name in [one for one in os.environ if one.startswith("ABRI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ABRI_FOLDER", str(tmp_path))
    names = ["--administrator", "Nadia", "--administrator", "Hugo"]
    assert main(["keys", "make"]) == 0
    assert main(["keys", "roots", "--operator", "Les Tilleuls (démo)", "--contact", "01", *names]) == 0
    today, poster = today_in_paris(dt.datetime.now(dt.UTC)), tmp_path / "poster.pdf"
    soon, later, other = ((today + dt.timedelta(days=days)).isoformat() for days in (30, 100, 120))
    capsys.readouterr()

    def closed(*typed: str) -> tuple[int, str]:
        status, said = main(["close", *typed]), capsys.readouterr()
        return status, said.out + said.err

    status, said = closed("--on", soon, "--poster", str(poster))
    assert (status, add_months(today, 3).isoformat() in said, poster.exists()) == (2, True, False)
    assert closed() == (0, "Nothing is announced: the service stays open.\n")
    status, said = closed("--on", later, "--poster", str(poster))
    assert (status, f"Closes on {later}, announced on {today};" in said) == (0, True)
    assert poster.read_bytes().startswith(b"%PDF-")
    assert closed("--on", other) == (2, "abri: A day is announced already, and stays as it was told: `abri close` says which.\n")
    status, said = closed()
    assert (status, f"Closes on {later}," in said) == (0, True)


def test_two_administrators_announce_and_call_off(house: Context, clock: Clock) -> None:
    """R29 in the office: proposed by one, announced by another; the same to call it off; nobody is told before."""
    office = make_office(house)
    nadia, hugo = (sign_in_administrator(house, one) for one in office.administrators)
    awa = make_person(house, "Awa")
    soon, day = dt.date(2027, 2, 22), dt.date(2027, 3, 1)
    with pytest.raises(BadInput):
        closing.propose(house, nadia, soon)
    with pytest.raises(Conflict):
        closing.confirm(house, hugo)
    closing.propose(house, nadia, day)
    assert closing.state(house) == "open"
    assert notices.waiting(house, unlock(house, awa)) == []
    for again in (lambda: closing.propose(house, hugo, day), lambda: closing.announce(house, day)):
        with pytest.raises(Conflict):
            again()
    with pytest.raises(NotAllowed):
        closing.confirm(house, nadia)
    closing.confirm(house, hugo)
    assert [one.key for one in notices.waiting(house, unlock(house, awa))] == ["service-closes"]
    standing = closing.standing(house, nadia)
    assert (standing.state, standing.step, standing.safes) == ("announced", "announced", 1)
    closing.call_off(house, nadia)
    assert closing.state(house) == "announced", "asked by one: it still closes"
    with pytest.raises(NotAllowed):
        closing.confirm(house, nadia)
    closing.keep_on(house, hugo)
    closing.call_off(house, hugo)
    closing.confirm(house, nadia)
    assert closing.state(house) == "open"
    assert "service-stays" in [one.key for one in notices.waiting(house, unlock(house, awa))]
    closing.propose(house, hugo, day)
    closing.call_off(house, hugo)
    assert closing.standing(house, hugo).step == ""
    theirs = [Counter(one.event.tag for one in audit.history(house, who)) for who in (nadia, hugo)]
    words = ("proposed", "announced", "call-off-asked", "kept", "called-off")
    assert [[count[f"closing.{word}"] for word in words] for count in theirs] == [[1, 0, 1, 0, 1], [1, 1, 2, 1, 0]]


def test_a_proposal_that_waited_too_long_announces_nothing(house: Context, clock: Clock) -> None:
    """Three months are counted from the announcement, not from the proposal."""
    office = make_office(house)
    nadia, hugo = (sign_in_administrator(house, one) for one in office.administrators)
    closing.propose(house, nadia, dt.date(2027, 2, 23))
    clock.forward(days=1)
    with pytest.raises(NotProven):
        closing.confirm(house, hugo)  # nobody has shown since yesterday that they are still the one who entered
    with pytest.raises(BadInput):
        closing.confirm(house, hugo, Typed(" ".join(office.administrators[1].words)))
    assert closing.state(house) == "open"
