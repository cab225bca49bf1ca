"""Losing everything is normal: who may bring somebody back, and every way in which nobody else can."""

import dataclasses

import pytest
from sqlalchemy import select

from crypto.keys import SheetSecret
from crypto.printed import sheet_digits, sheet_text
from storage.tables import accounts, slots
from tests.vault.builders import MadeWorker, make_person, make_worker, show_card, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, confirm, face, make_circle, new_card, set_circle, start
from vault import (
    aftermath,
    audit,
    coming_back,
    guardians,
    kiosks,
    notices,
    recovery,
    sessions,
    unlocking,
)
from vault.aftermath import AfterRecovery
from vault.circles import NewSheet
from vault.context import Context
from vault.errors import (
    BadInput,
    Conflict,
    MustWait,
    NoSession,
    NotAllowed,
    NotThere,
    WrongSecret,
)


def tags(house: Context, session: sessions.Session) -> list[str]:
    """What the history says, newest first."""
    return [entry.event.tag for entry in audit.history(house, session)]


def test_two_guardians_bring_back_with_a_new_card_and_code(any_house: Context) -> None:
    """The whole of it: the account's keys are the same as before, the old card opens nothing, all of it is told."""
    made = make_circle(any_house)
    before = made.awa.session.opened()
    session, code = start(any_house, made.tilleuls.kiosk)
    assert recovery.state(any_house, session).total is None
    confirm(any_house, made.fatou, code, beside=True)
    half = recovery.state(any_house, session)
    assert (half.answers, half.total, half.ready) == (1, 2, False)
    with pytest.raises(Conflict):
        coming_back.finish(any_house, session, new_card(), NEW_CODE)
    confirm(any_house, made.marc, code)
    assert recovery.state(any_house, session).ready
    card = new_card()
    back = sessions.find(any_house, coming_back.finish(any_house, session, card, NEW_CODE))
    assert back.kind == "person"
    assert back.account == made.awa.id
    assert back.opened().values == before.values
    with pytest.raises(NoSession):
        recovery.state(any_house, session)
    with pytest.raises(WrongSecret):
        unlock(any_house, made.awa)
    assert [one.key for one in notices.waiting(any_house, back)] == ["recovered"]
    assert {"recovery.started", "recovery.confirmed", "recovery.finished"} <= set(tags(any_house, back))
    assert "recovery.confirmed" in tags(any_house, sign_in(any_house, made.fatou))
    again = dataclasses.replace(made.awa, card=card, code=NEW_CODE)
    assert unlock(any_house, again).account == made.awa.id
    assert unlocking.confirm(any_house, again.session, NEW_CODE) == made.awa.secret
    circle = guardians.circle(any_house, again.session)
    assert circle is not None
    assert {one.worker for one in circle.members} == {made.fatou.id, made.marc.id}


def test_guardians_can_bring_back_again_after_a_recovery(house: Context, clock: Clock) -> None:
    """A new secret and a new circle were made: losing everything twice is normal too."""
    made = make_circle(house)
    for card, code in ((new_card(), NEW_CODE), (new_card(), "482957")):
        session, shown = start(house, made.canal.kiosk)
        confirm(house, made.marc, shown, beside=True)
        confirm(house, made.fatou, shown)
        back = sessions.find(house, coming_back.finish(house, session, card, code))
        assert back.account == made.awa.id
        clock.forward(days=2)


def test_one_guardian_alone_opens_nothing(house: Context) -> None:
    """Confirming twice, or with every part of one's own, is one guardian."""
    made = make_circle(house, NewSheet("sœur"))
    session, code = start(house, made.tilleuls.kiosk)
    confirm(house, made.fatou, code, beside=True)
    confirm(house, made.fatou, code, beside=True)
    assert not recovery.state(house, session).ready
    with pytest.raises(Conflict):
        coming_back.finish(house, session, new_card(), NEW_CODE)


def test_nobody_else_can_confirm(house: Context) -> None:
    """Another worker, a person, an administrator; a suspended guardian."""
    made = make_circle(house)
    paul = make_worker(house, made.tilleuls, "Paul")
    session, code = start(house, made.tilleuls.kiosk)
    desk = sign_in(house, made.fatou)
    (ward,) = guardians.people_who_count_on_me(house, desk)
    assert (ward.name, ward.drawing) == ("Awa", "turtle")
    assert guardians.people_who_count_on_me(house, sign_in(house, paul)) == []
    with pytest.raises(NotThere):
        recovery.confirm(house, paul.session, ward.member, code, theft=False, beside=True)
    for other in (made.tilleuls.admin, unlock(house, made.awa)):
        with pytest.raises(NotAllowed):
            recovery.confirm(house, other, ward.member, code, theft=False, beside=True)
        with pytest.raises(NotAllowed):
            guardians.people_who_count_on_me(house, other)
    assert recovery.state(house, session).answers == 0


def test_a_code_has_ten_minutes_and_three_tries(house: Context, clock: Clock) -> None:
    """A guardian who types three wrong codes waits; an old code designates nothing; a new one goes on with the same recovery."""
    made = make_circle(house)
    session, code = start(house, made.tilleuls.kiosk, card=made.awa.card)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for _ in range(3):
        with pytest.raises(WrongSecret):
            confirm(house, made.fatou, wrong)
    with pytest.raises(MustWait):
        confirm(house, made.fatou, code)
    with pytest.raises(WrongSecret):  # the person's recovery has lost its three tries, whoever typed them
        confirm(house, made.marc, code)
    assert recovery.state(house, session).code is None
    clock.forward(minutes=11)
    fresh = recovery.new_code(house, session)
    confirm(house, made.fatou, fresh, beside=True)
    confirm(house, made.marc, fresh)
    assert recovery.state(house, session).ready
    clock.forward(minutes=20)
    with pytest.raises(NoSession):
        recovery.state(house, session)


def test_an_unknown_card_and_a_known_one_look_alike(house: Context) -> None:
    """Nothing at the kiosk tells whether a safe was designated."""
    made = make_circle(house)
    known, _ = start(house, made.tilleuls.kiosk, "forgotten", card=made.awa.card)
    unknown, _ = start(house, made.tilleuls.kiosk, "forgotten", card=new_card())
    shown = [dataclasses.replace(recovery.state(house, one), code=None) for one in (known, unknown)]
    assert shown[0] == shown[1]
    for one in (known, unknown):
        with pytest.raises(WrongSecret):
            recovery.with_sheet(house, one, sheet_text(SheetSecret.random()))
    assert "recovery.started" in tags(house, unlock(house, made.awa))


def test_from_the_first_confirmed_theft_the_old_card_is_unknown(house: Context, clock: Clock) -> None:
    """The thief's session ends, their next try is refused like any; if nobody comes back, the bar falls after 72 hours."""
    made = make_circle(house)
    thief = unlock(house, made.awa)
    session, code = start(house, made.canal.kiosk, "stolen")
    confirm(house, made.marc, code, theft=True)
    with pytest.raises(NoSession):
        sessions.find(house, _cookie_is_gone(house, thief))
    with pytest.raises(WrongSecret):
        unlock(house, made.awa)
    assert recovery.state(house, session).theft
    clock.forward(hours=73)
    assert aftermath.expire(house) == 1
    back = unlock(house, made.awa)
    assert {"recovery.confirmed", "recovery.expired"} <= set(tags(house, back))


def test_one_guardian_s_word_bars_the_ways_for_three_days_and_not_again_for_a_month(any_house: Context, clock: Clock) -> None:
    """ADR 0103: whoever would shut a safe alone, every 71 hours. She opens on the fourth day and reads by whose word it was."""
    house, made = any_house, make_circle(any_house)

    def theft(*others: MadeWorker) -> bool:
        """Marc says so, from any kiosk, with nobody there; gives whether card and code are refused."""
        _, code = start(house, made.canal.kiosk, "stolen")
        for other in others:
            confirm(house, other, code)
        confirm(house, made.marc, code, theft=True)
        try:
            unlock(house, made.awa)
        except WrongSecret:
            return True
        return False

    assert theft()
    clock.forward(hours=71)
    assert theft(), "of the first time"
    clock.forward(hours=2)
    aftermath.expire(house)
    told = notices.waiting(house, unlock(house, made.awa))
    assert [(one.key, one.values) for one in told] == [("ways-barred", {"name": "Marc"})]
    assert not theft()
    clock.forward(days=20)
    assert not theft()
    assert theft(made.fatou), "two of them are not one alone"
    clock.forward(days=31)
    aftermath.expire(house)
    assert theft()


def test_a_sheet_beside_one_guardian_s_word_bars_again_within_the_month(any_house: Context, clock: Clock) -> None:
    """Else Marc and a stolen sheet would come back while Awa is inside, and nothing would tell her (ADR 0113)."""
    house, made = any_house, make_circle(any_house)
    formed = set_circle(house, made.awa, [face(made.fatou), face(made.marc), NewSheet("sac")])
    sheet = sheet_text(formed.sheets[0].secret)
    session, code = start(house, made.canal.kiosk)
    confirm(house, made.marc, code)
    recovery.with_sheet(house, session, sheet)
    assert unlock(house, made.awa).account == made.awa.id, "nobody spoke of a theft"
    _, code = start(house, made.canal.kiosk, "stolen")
    confirm(house, made.marc, code, theft=True)
    clock.forward(hours=73)
    aftermath.expire(house)
    session, code = start(house, made.canal.kiosk, "stolen")
    confirm(house, made.marc, code, theft=True)
    hers = unlock(house, made.awa)
    recovery.with_sheet(house, session, sheet)
    with pytest.raises(NoSession):
        sessions.look_again(house, hers)
    with pytest.raises(WrongSecret):
        unlock(house, made.awa)
    coming_back.wait(house, session, new_card(), NEW_CODE)
    clock.forward(hours=71)
    aftermath.expire(house)
    with pytest.raises(WrongSecret):
        unlock(house, made.awa)


def _cookie_is_gone(house: Context, session: sessions.Session) -> str:
    """A cookie of a session whose row is gone; the row itself is looked at, because the cookie was not kept."""
    with house.database.transaction(read_only=True) as connection:
        from storage.tables import sessions as rows

        assert connection.execute(select(rows.c.session).where(rows.c.session == session.id)).first() is None
    return "A" * 43


def test_after_a_theft_no_veto_and_no_sheet(house: Context) -> None:
    """The thief has card, code and perhaps the sheet that was in the bag: none of them says anything any more."""
    made = make_circle(house, NewSheet("dans mon sac"))
    session, code = start(house, made.canal.kiosk, "stolen")
    confirm(house, made.marc, code, theft=True, beside=True)
    confirm(house, made.fatou, code, theft=True)
    back = sessions.find(house, coming_back.finish(house, session, new_card(), NEW_CODE))
    with pytest.raises(WrongSecret):
        coming_back.stop(house, made.tilleuls.kiosk, made.awa.card, made.awa.code)
    circle = guardians.circle(house, back)
    assert circle is not None
    assert [one.kind for one in circle.members] == ["worker", "worker"]


def test_the_old_card_says_stop_within_a_day(any_house: Context, clock: Clock) -> None:
    """The safe freezes; the new card opens nothing; then only all the guardians together bring somebody back."""
    made = make_circle(any_house, NewSheet())
    session, code = start(any_house, made.canal.kiosk)
    confirm(any_house, made.marc, code, beside=True)
    confirm(any_house, made.fatou, code)
    card = new_card()
    coming_back.finish(any_house, session, card, NEW_CODE)
    with pytest.raises(WrongSecret):
        coming_back.stop(any_house, made.tilleuls.kiosk, made.awa.card, NEW_CODE)
    coming_back.stop(any_house, made.tilleuls.kiosk, made.awa.card, made.awa.code)
    for old, chosen in ((made.awa.card, made.awa.code), (card, NEW_CODE)):
        with pytest.raises(WrongSecret):
            unlocking.unlock(any_house, show_card(any_house, old), chosen)
    session, code = start(any_house, made.canal.kiosk)
    confirm(any_house, made.marc, code, beside=True)
    assert not recovery.state(any_house, session).ready
    confirm(any_house, made.fatou, code, beside=True)
    assert recovery.state(any_house, session).ready
    back = sessions.find(any_house, coming_back.finish(any_house, session, new_card(), "482957"))
    assert {"recovery.stopped", "means.frozen"} <= set(tags(any_house, back))
    with pytest.raises(WrongSecret):
        coming_back.stop(any_house, made.tilleuls.kiosk, made.awa.card, made.awa.code)


def test_the_old_card_says_nothing_after_a_day(house: Context, clock: Clock) -> None:
    """Twenty-four hours, not one more; what was kept of the old way is gone then."""
    made = make_circle(house)
    session, code = start(house, made.canal.kiosk)
    confirm(house, made.marc, code, beside=True)
    confirm(house, made.fatou, code)
    coming_back.finish(house, session, new_card(), NEW_CODE)
    clock.forward(hours=25)
    aftermath.expire(house)
    with pytest.raises(WrongSecret):
        coming_back.stop(house, made.tilleuls.kiosk, made.awa.card, made.awa.code)
    with house.database.transaction(read_only=True) as connection:
        kept = connection.execute(select(slots).where(slots.c.account == made.awa.id, slots.c.state == "ended")).mappings().all()
    assert kept
    assert all(way["sealed_secret"] is None and way["veto_digest"] is None for way in kept)
    assert not any(house.keyvault.exists("slot", way["id"]) for way in kept)


def test_guardians_far_away_open_after_a_day_with_the_card_chosen_before(any_house: Context, clock: Clock) -> None:
    """Nobody beside the person: the key of the recovery waits under the new card and code, and opens nothing before."""
    made = make_circle(any_house)
    session, code = start(any_house, made.tilleuls.kiosk)
    confirm(any_house, made.marc, code)
    confirm(any_house, made.fatou, code)
    progress = recovery.state(any_house, session)
    assert progress.must_wait
    assert not progress.ready
    card = new_card()
    with pytest.raises(Conflict):
        coming_back.finish(any_house, session, card, NEW_CODE)
    opens = coming_back.wait(any_house, session, card, NEW_CODE)
    assert (opens - clock.now).total_seconds() == 24 * 3600
    with pytest.raises(NoSession):
        recovery.state(any_house, session)
    with pytest.raises(WrongSecret):
        unlocking.unlock(any_house, show_card(any_house, card), NEW_CODE)
    with pytest.raises(WrongSecret):
        coming_back.come_back(any_house, made.tilleuls.kiosk, card, "482957")
    with pytest.raises(MustWait):
        coming_back.come_back(any_house, made.tilleuls.kiosk, card, NEW_CODE)
    assert unlock(any_house, made.awa).account == made.awa.id  # the old way opens until the new one does
    clock.forward(hours=24, minutes=1)
    aftermath.expire(any_house)
    back = sessions.find(any_house, coming_back.come_back(any_house, made.tilleuls.kiosk, card, NEW_CODE))
    assert back.opened().values == made.awa.session.opened().values
    with pytest.raises(WrongSecret):
        unlock(any_house, made.awa)


@pytest.mark.parametrize("written", [sheet_text, lambda one: " ".join(sheet_digits(one)), sheet_digits])
def test_two_sheets_bring_back_somebody_without_workers(house: Context, clock: Clock, written) -> None:  # type: ignore[no-untyped-def]
    """Mariam: no worker, two sheets kept by friends. The safe is designated by its card; a day passes."""
    mariam = make_person(house, "Mariam")
    made = set_circle(house, mariam, [NewSheet("Rosa"), NewSheet("Ali")])
    kiosk = make_circle(house).tilleuls.kiosk
    session, _ = start(house, kiosk, "forgotten", card=mariam.card)
    for sheet in made.sheets:
        recovery.with_sheet(house, session, written(sheet.secret))
    assert recovery.state(house, session).must_wait
    card = new_card()
    coming_back.wait(house, session, card, NEW_CODE)
    clock.forward(hours=24, minutes=1)
    back = sessions.find(house, coming_back.come_back(house, kiosk, card, NEW_CODE))
    assert back.account == mariam.id


def test_sheets_alone_open_nothing_when_there_is_a_worker(house: Context) -> None:
    """Two stolen sheets are no set; a sheet does not designate a safe; a sheet of another safe is no sheet."""
    made = make_circle(house)
    sheets = set_circle(house, made.awa, [face(made.fatou), NewSheet("a"), NewSheet("b")]).sheets
    unnamed, _ = start(house, made.tilleuls.kiosk)
    with pytest.raises(WrongSecret):
        recovery.with_sheet(house, unnamed, sheet_text(sheets[0].secret))
    session, code = start(house, made.tilleuls.kiosk, "forgotten", card=made.awa.card)
    for sheet in sheets:
        recovery.with_sheet(house, session, sheet_text(sheet.secret))
    progress = recovery.state(house, session)
    assert not progress.ready
    assert not progress.must_wait
    for nonsense in ("ABRI-C1-AAAAAAAAAAAAAAAAAAAAAAAAAA", "0" * 39, "", made.awa.card):
        with pytest.raises(WrongSecret):
            recovery.with_sheet(house, session, nonsense)
    confirm(house, made.fatou, code, beside=True)
    assert recovery.state(house, session).must_wait  # with a sheet it always takes a day


def test_what_destroys_in_bulk_waits_a_day_and_guardians_cannot_be_changed_under_a_veto(house: Context, clock: Clock) -> None:
    """Whoever came back by deceit erases nothing and swaps no guardian before the old card could say stop."""
    made = make_circle(house)
    session, code = start(house, made.tilleuls.kiosk)
    confirm(house, made.marc, code, beside=True)
    confirm(house, made.fatou, code)
    card = new_card()
    back = sessions.find(house, coming_back.finish(house, session, card, NEW_CODE))
    with house.database.transaction() as connection, pytest.raises(AfterRecovery):
        aftermath.refuse_while_held(house, connection, back.account)
    again = dataclasses.replace(made.awa, card=card, code=NEW_CODE, session=back)
    with pytest.raises(AfterRecovery):
        set_circle(house, again, [NewSheet(), NewSheet()])
    clock.forward(hours=25)
    aftermath.expire(house)
    unlock(house, again)
    assert set_circle(house, again, [NewSheet(), NewSheet()]).complete


def test_a_recovery_begins_at_an_enrolled_kiosk(house: Context) -> None:
    """Guardians sign for a place: a machine that nobody enrolled, or a retired one, begins nothing."""
    made = make_circle(house)
    kiosks.retire(house, made.canal.admin, made.canal.kiosk)
    for kiosk in ("", house.new_id(), made.canal.kiosk):
        with pytest.raises(BadInput):
            recovery.start(house, kiosk, "lost")
    with pytest.raises(BadInput):
        recovery.start(house, made.tilleuls.kiosk, "bored")  # type: ignore[arg-type]  # what a page could be sent


def test_a_frozen_safe_is_opened_again_by_its_guardians(house: Context) -> None:
    """Viktor pressed "Je me protège" yesterday; two desks bring him back."""
    from vault import freezing

    made = make_circle(house)
    with house.database.transaction() as connection:
        freezing.freeze_person(house, connection, made.awa.id, session=None)
    session, code = start(house, made.tilleuls.kiosk)
    confirm(house, made.marc, code, beside=True)
    confirm(house, made.fatou, code)
    back = sessions.find(house, coming_back.finish(house, session, new_card(), NEW_CODE))
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(accounts.c.state).where(accounts.c.id == back.account)).scalar_one() == "open"


def test_a_guardian_who_leaves_is_said_at_the_next_unlock(house: Context) -> None:
    """And two guardians who stay still can: one of three may leave."""
    made = make_circle(house)
    paul = make_worker(house, made.canal, "Paul")
    unlock(house, made.awa)
    set_circle(house, made.awa, [face(made.fatou), face(made.marc), face(paul)])
    with house.database.transaction() as connection:
        guardians.guardian_left(house, connection, paul.id, "Paul")
    told = notices.waiting(house, made.awa.session)
    assert [(one.key, one.values) for one in told] == [("guardian-left", {"name": "Paul"})]
    assert [one.event.tag for one in audit.history(house, made.awa.session)].count("recovery.guardian-left") == 1
    notices.seen(house, made.awa.session, [one.id for one in told])
    assert notices.waiting(house, made.awa.session) == []
