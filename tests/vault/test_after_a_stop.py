"""After the old card said stop: who may still bring somebody back, and that no choice made before shuts the safe for ever."""

import pytest

from crypto.printed import sheet_text
from tests.vault.builders import MadePerson, MadeWorker, make_office, make_person, make_worker, show_card
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, Circle, confirm, face, make_circle, new_card, set_circle, start
from vault import aftermath, coming_back, guardians, protecting, recovery, sessions, unlocking, workers
from vault.aftermath import AfterRecovery
from vault.circles import Chosen, NewSheet, PrintedSheet
from vault.context import Context
from vault.errors import Conflict
from vault.sessions import Session


def stopped(house: Context, made: Circle) -> None:
    """Awa came back in somebody else's hands, by Fatou and Marc; her old card says stop."""
    session, code = start(house, made.canal.kiosk)
    confirm(house, made.marc, code, beside=True)
    confirm(house, made.fatou, code)
    coming_back.finish(house, session, new_card(), NEW_CODE)
    coming_back.stop(house, None, made.awa.card, made.awa.code)


@pytest.mark.parametrize("how", ["ended", "suspended"])
def test_a_guardian_who_left_is_not_waited_for_and_a_day_passes(any_house: Context, clock: Clock, how: str) -> None:
    """Marc, Fatou, Paul: one is gone. The two others must both come, and it opens a day later even beside the person."""
    house, made = any_house, make_circle(any_house)
    paul = make_worker(house, made.canal, "Paul")
    set_circle(house, made.awa, [face(made.fatou), face(made.marc), face(paul)])
    stopped(house, made)
    if how == "ended":
        workers.end(house, made.canal.admin, paul.id, made.canal.proof)
    else:
        workers.suspend(house, made.canal.admin, paul.id, None)
    session, code = start(house, made.canal.kiosk)
    confirm(house, made.marc, code, beside=True)
    assert not recovery.state(house, session).must_wait, "one alone brings nobody back"
    confirm(house, made.fatou, code, beside=True)
    assert (recovery.state(house, session).ready, recovery.state(house, session).must_wait) == (False, True)
    card = new_card()
    with pytest.raises(Conflict):
        coming_back.finish(house, session, card, "482957")
    coming_back.wait(house, session, card, "482957")
    clock.forward(hours=24, minutes=1)
    back = sessions.find(house, coming_back.come_back(house, made.canal.kiosk, card, "482957"))
    assert back.account == made.awa.id


def test_who_is_still_a_guardian_is_waited_for(house: Context) -> None:
    """Nobody was ended: two of three do not do, and with all three it opens at once."""
    made = make_circle(house)
    paul = make_worker(house, made.canal, "Paul")
    set_circle(house, made.awa, [face(made.fatou), face(made.marc), face(paul)])
    stopped(house, made)
    session, code = start(house, made.canal.kiosk)
    for worker in (made.marc, made.fatou):
        confirm(house, worker, code, beside=True)
    progress = recovery.state(house, session)
    assert (progress.ready, progress.must_wait) == (False, False)
    confirm(house, paul, code)
    assert recovery.state(house, session).ready


def test_one_worker_who_stays_brings_nobody_back_without_a_sheet(house: Context) -> None:
    """Marc is gone: Fatou alone is no set, whatever she types."""
    made = make_circle(house)
    stopped(house, made)
    workers.end(house, made.canal.admin, made.marc.id, made.canal.proof)
    session, code = start(house, made.tilleuls.kiosk)
    confirm(house, made.fatou, code, beside=True)
    progress = recovery.state(house, session)
    assert (progress.ready, progress.must_wait) == (False, False)


@pytest.mark.parametrize("with_worker", [False, True], ids=["sheets", "worker-and-sheets"])
def test_to_protect_oneself_never_leaves_a_safe_that_nobody_opens(house: Context, clock: Clock, with_worker: bool) -> None:
    """Sheets would be void while the old card may say stop: refused for that day, and whoever brings back still can afterwards."""
    office = make_office(house)
    fatou, mariam = make_worker(house, office), make_person(house, "Awa")
    chosen: list[Chosen] = [NewSheet("Rosa"), NewSheet("Ali"), *([face(fatou)] if with_worker else [])]
    sheets = set_circle(house, mariam, chosen).sheets
    back = _back(house, clock, mariam, office.kiosk, sheets, fatou if with_worker else None)
    with pytest.raises(AfterRecovery):
        protecting.refuse_too_early(house, back)
    card = new_card()
    rows = [row for row in house.keyvault.owned(mariam.id) if row[0] != "session"]
    with pytest.raises(AfterRecovery):
        protecting.protect(house, back, NEW_CODE, card, "593168")
    assert {row for row in house.keyvault.owned(mariam.id) if row[0] != "session"} == set(rows)
    coming_back.stop(house, None, mariam.card, mariam.code)
    again = _back(house, clock, mariam, office.kiosk, sheets, fatou if with_worker else None, card=card, code="482957")
    assert again.account == mariam.id
    clock.forward(hours=25)
    aftermath.expire(house)
    session = sessions.find(house, unlocking.unlock(house, show_card(house, card), "482957"))
    protecting.refuse_too_early(house, session)
    protected = protecting.protect(house, session, "482957", new_card(), "593168")
    circle = guardians.circle(house, sessions.find(house, protected.cookie))
    assert [one.kind for one in circle.members] == ["worker"] if with_worker and circle else circle is None


def _back(
    house: Context, clock: Clock, person: MadePerson, kiosk: str, sheets: tuple[PrintedSheet, ...], worker: MadeWorker | None,
    card: str = "", code: str = NEW_CODE,
) -> Session:  # fmt: skip
    """The person is back, by two sheets or by a worker and a sheet; a day passes either way."""
    session, shown = start(house, kiosk, "forgotten", card=person.card)
    if worker is None:
        for sheet in sheets:
            recovery.with_sheet(house, session, sheet_text(sheet.secret))
    else:
        confirm(house, worker, shown, beside=True)
        recovery.with_sheet(house, session, sheet_text(sheets[0].secret))
    card = card or new_card()
    coming_back.wait(house, session, card, code)
    clock.forward(hours=24, minutes=1)
    return sessions.find(house, coming_back.come_back(house, kiosk, card, code))
