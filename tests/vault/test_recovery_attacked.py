"""Whoever else would come back in somebody's place, with whatever they hold, and what the person keeps against them."""

import dataclasses
import datetime as dt
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert, select, update

from consent.purposes import PurposeId
from consent.scope import Act
from crypto.kem import public_key
from crypto.keys import KemSeed, kdf
from storage.tables import attempts, circle_members, circle_shares, circles, recoveries, recovery_confirmations, slots
from tests.vault.builders import make_person, show_card, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, both_stores, came_back, confirm, face, make_circle, new_card, set_circle, start
from tests.vault.papers import SAID, keep, read
from vault import (
    aftermath,
    audit,
    coming_back,
    documents,
    erasing,
    erasure,
    guardians,
    labels,
    protecting,
    recovery,
    sessions,
    shared_papers,
    sharing,
    unlocking,
)
from vault.aftermath import AfterRecovery
from vault.circles import NewSheet
from vault.context import Context
from vault.errors import (
    AlreadyKnown,
    BadInput,
    Conflict,
    MustWait,
    Tampered,
    WeakSecret,
    WrongSecret,
)
from vault.sharing import Offer


def test_what_is_tampered_with_is_refused_before_any_change(house: Context) -> None:
    """Another kiosk's key, another person, a planted confirmation, swapped parts: one refusal, no row changes, the old way opens."""
    made = make_circle(house)
    stranger = make_person(house, "Intrus")
    session, code = start(house, made.tilleuls.kiosk)
    confirm(house, made.marc, code, beside=True)
    confirm(house, made.fatou, code)
    with house.database.transaction(read_only=True) as connection:
        rows = connection.execute(select(recovery_confirmations)).mappings().all()
        row = connection.execute(select(recoveries)).mappings().one()
    first, second = rows
    attacks = (
        (recovery_confirmations, {"moved_share": second["moved_share"]}),
        (recovery_confirmations, {"signature": second["signature"]}),
        (recovery_confirmations, {"signature": None}),
        (recovery_confirmations, {"statement": second["statement"].replace(b"0", b"1")}),
        (recovery_confirmations, {"theft": True}),
        (recoveries, {"public_key": bytes(public_key(KemSeed.random()))}),
        (circles, {"signature": bytes(3373)}),
        (circles, {"needed": 1}),
    )
    for table, values in attacks:
        before = row if table is recoveries else first
        where = table.c.member == first["member"] if table is recovery_confirmations else table.c.id.is_not(None)
        if table is circles:
            with house.database.transaction(read_only=True) as connection:
                before = connection.execute(select(circles)).mappings().one()
        with house.database.transaction() as connection:
            connection.execute(update(table).where(where).values(**values))
        stood = both_stores(house)
        with pytest.raises(Tampered):
            coming_back.finish(house, session, new_card(), NEW_CODE)
        assert both_stores(house) == stood, list(values)
        with house.database.transaction() as connection:
            connection.execute(update(table).where(where).values(**{name: before[name] for name in values}))
    with house.database.transaction() as connection:
        connection.execute(update(recoveries).values(person=stranger.id))
    stood = both_stores(house)
    with pytest.raises((Tampered, Conflict)):
        coming_back.finish(house, session, new_card(), NEW_CODE)
    assert both_stores(house) == stood
    assert unlock(house, made.awa).account == made.awa.id
    assert unlock(house, stranger).account == stranger.id


def test_parts_of_an_old_circle_open_nothing(house: Context) -> None:
    """Yesterday's rows put back: the circle's row of the key vault is gone, and with it every part that was posted through it."""
    made = make_circle(house)
    unlock(house, made.awa)
    tables = (circles, circle_members, circle_shares)
    with house.database.transaction(read_only=True) as connection:
        yesterday = {table.name: [dict(row) for row in connection.execute(select(table)).mappings()] for table in tables}
        way = dict(connection.execute(select(slots).where(slots.c.kind == "recovery")).mappings().one())
    set_circle(house, made.awa, [face(made.fatou), NewSheet()])
    with house.database.transaction() as connection:
        for table in reversed(tables):
            connection.execute(table.delete())
        for table in tables:
            connection.execute(insert(table), yesterday[table.name])
        connection.execute(slots.delete().where(slots.c.kind == "recovery"))
        connection.execute(insert(slots).values(**way))
    assert guardians.people_who_count_on_me(house, sign_in(house, made.marc)) == []
    member = next(one["id"] for one in yesterday["circle_members"] if one["worker"] == made.marc.id)
    _, code = start(house, made.tilleuls.kiosk)
    with pytest.raises(Tampered):
        recovery.confirm(house, made.marc.session, member, code, theft=False, beside=True)


def test_guardian_and_full_dump_without_a_second_part_open_nothing(house: Context) -> None:
    """Fatou with all rows and the whole key vault: every part that her key opens, tried alone and with each other."""
    from itertools import combinations

    from crypto import circle as cutting
    from crypto import contexts
    from crypto import unlock as unlocks
    from crypto.errors import Undecryptable
    from vault import slots as ways

    made = make_circle(house, NewSheet("a"), NewSheet("b"))
    desk = sign_in(house, made.fatou)
    opened = []
    with house.database.transaction(read_only=True) as connection:
        for share in connection.execute(select(circle_shares)).mappings():
            circle, number, member = share["circle"], int(share["set"]), share["member"]
            place = contexts.share(person=made.awa.id, circle=circle, set=number, member=member)
            try:
                vaulted = house.keyvault.derive("grant", circle, place)
                opened.append(cutting.open_share(desk.opened().kem, vaulted, place, share["share"]))
            except Undecryptable:
                continue
        (slot,) = ways.living(connection, made.awa.id, [unlocks.Kind.RECOVERY])
    assert len(opened) == 3  # with Marc, with each sheet
    for size in (1, 2, 3):
        for parts in combinations(opened, size):
            secret = cutting.join(parts)
            with pytest.raises(Undecryptable):
                ways.open_with(slot, ways.key_of(house, slot, unlocks.recovery_stretched(secret)))


def test_a_replayed_confirmation_of_another_recovery_is_refused(house: Context) -> None:
    """Rows of a confirmation copied to another kiosk's recovery, by somebody who writes in the database."""
    made = make_circle(house)
    session, code = start(house, made.tilleuls.kiosk)
    confirm(house, made.marc, code, beside=True)
    confirm(house, made.fatou, code)
    thief, _ = start(house, made.canal.kiosk)
    with house.database.transaction() as connection:
        rows = connection.execute(select(recovery_confirmations)).mappings().all()
        mine = rows[0]["recovery"]
        theirs = connection.execute(select(recoveries.c.id).where(recoveries.c.id != mine)).scalar_one()
        connection.execute(update(recoveries).where(recoveries.c.id == theirs).values(person=made.awa.id))
        connection.execute(insert(recovery_confirmations), [{**row, "recovery": theirs} for row in rows])
    stood = both_stores(house)
    with pytest.raises(Tampered):
        coming_back.finish(house, thief, new_card(), NEW_CODE)
    assert both_stores(house) == stood
    assert recovery.state(house, session).ready


def test_a_card_in_use_and_a_weak_code_change_nothing(house: Context) -> None:
    """Refused, and tried again with better ones."""
    made = make_circle(house)
    session, code = start(house, made.tilleuls.kiosk)
    confirm(house, made.marc, code, beside=True)
    confirm(house, made.fatou, code)
    for card in (made.awa.card, make_person(house, "Mariam").card):
        with pytest.raises(AlreadyKnown):
            coming_back.finish(house, session, card, NEW_CODE)
    with pytest.raises(WeakSecret):
        coming_back.finish(house, session, new_card(), "000000")
    with pytest.raises(BadInput):
        coming_back.finish(house, session, new_card(), "12345")
    pictures = (3, 14, 7, 0, 9)
    back = sessions.find(house, coming_back.finish(house, session, new_card(), pictures))
    assert back.account == made.awa.id


def test_the_bag_is_stolen_and_the_thief_knows_the_code(any_house: Context, clock: Clock) -> None:
    """A2: nine papers byte for byte, shares that live on, the morning's opening on her page, and export and erasure that wait."""
    made = make_circle(any_house)
    clock.forward(days=1)
    unlock(any_house, made.awa)
    papers = [keep(any_house, made.awa.session, f"Papier {number}", text=f"papier {number}") for number in range(9)]
    before = [read(any_house, made.awa.session, paper) for paper in papers]
    offer = Offer(
        PurposeId("home"), frozenset({Act.SEE}), clock.now.date() + dt.timedelta(days=30), SAID, papers=tuple(papers[:2])
    )
    for worker in (made.fatou, made.marc):
        sharing.grant(any_house, made.awa.session, worker.id, offer)
    thief = unlock(any_house, made.awa)
    assert documents.count(any_house, thief) == 9
    session, code = start(any_house, made.canal.kiosk, "stolen")
    confirm(any_house, made.marc, code, theft=True, beside=True)
    refused = []
    for card in (made.awa.card, new_card()):
        with pytest.raises(WrongSecret) as caught:
            unlocking.unlock(any_house, show_card(any_house, card), made.awa.code)
        refused.append((type(caught.value), caught.value.args, caught.value.sentence))
    assert refused[0] == refused[1]
    confirm(any_house, made.fatou, code, theft=True)
    back = sessions.find(any_house, coming_back.finish(any_house, session, new_card(), NEW_CODE))
    assert [read(any_house, back, paper) for paper in papers] == before
    for worker in (made.fatou, made.marc):
        (shared,) = shared_papers.people_sharing(any_house, sign_in(any_house, worker))
        assert shared.papers == 2
    told = audit.history(any_house, back)
    assert [entry.event.tag for entry in told].count("safe.unlocked") >= 2
    with any_house.database.transaction() as connection, pytest.raises(AfterRecovery):
        aftermath.refuse_while_held(any_house, connection, back.account)


def test_whoever_came_back_by_deceit_cannot_silence_the_old_card(house: Context) -> None:
    """A false "je me protège" right after a false recovery: the true owner's card still says stop, and everything freezes."""
    made = make_circle(house)
    session, code = start(house, made.canal.kiosk)
    confirm(house, made.marc, code, beside=True)
    confirm(house, made.fatou, code)
    false = sessions.find(house, coming_back.finish(house, session, new_card(), NEW_CODE))
    card = new_card()
    protecting.protect(house, false, NEW_CODE, card, "482957")
    coming_back.stop(house, None, made.awa.card, made.awa.code)
    with pytest.raises(WrongSecret):
        unlocking.unlock(house, show_card(house, card), "482957")
    session, code = start(house, made.canal.kiosk)
    confirm(house, made.marc, code, beside=True)
    confirm(house, made.fatou, code)
    assert sessions.find(house, coming_back.finish(house, session, new_card(), "593168")).account == made.awa.id


def test_the_old_card_never_cancels_after_protecting_oneself(house: Context) -> None:
    """A2, A4: her partner asks for everything to be erased; she cancels with her card, protects herself; his copy says nothing."""
    made = make_circle(house)
    erasure.ask(house, unlock(house, made.awa), made.awa.code)
    erasure.cancel(house, None, made.awa.card, made.awa.code)
    card = new_card()
    protecting.protect(house, unlock(house, made.awa), made.awa.code, card, NEW_CODE)
    again = dataclasses.replace(made.awa, card=card, code=NEW_CODE)
    erasure.ask(house, unlock(house, again), NEW_CODE)
    with pytest.raises(WrongSecret):
        erasure.cancel(house, None, made.awa.card, made.awa.code)
    with pytest.raises(WrongSecret):
        coming_back.stop(house, None, made.awa.card, made.awa.code)
    erasure.cancel(house, None, card, NEW_CODE)
    assert unlock(house, again).account == made.awa.id


def stopped_at_once(house: Context, card: str, code: str, *, erased: bool = True) -> None:
    """Neither opening, nor taking an erasure back, nor saying stop: the card answers as one that nobody has."""
    with pytest.raises(WrongSecret):
        unlocking.unlock(house, show_card(house, card), code)
    if erased:
        with pytest.raises(WrongSecret):
            erasure.cancel(house, None, card, code)
    with pytest.raises(WrongSecret):
        coming_back.stop(house, None, card, code)


def test_a_thief_who_asked_for_the_erasure_does_not_come_back_by_cancelling_it(any_house: Context, clock: Clock) -> None:
    """A2: from the first confirmed theft on neither what was asked with the card nor the card itself says anything."""
    made = make_circle(any_house)
    paper = keep(any_house, made.awa.session, "Avis", text="contenu")
    content = read(any_house, made.awa.session, paper)
    erasure.ask(any_house, unlock(any_house, made.awa), made.awa.code)
    session, code = start(any_house, made.canal.kiosk, "stolen")
    confirm(any_house, made.marc, code, theft=True, beside=True)
    stopped_at_once(any_house, made.awa.card, made.awa.code)
    confirm(any_house, made.fatou, code, theft=True)
    back = sessions.find(any_house, coming_back.finish(any_house, session, new_card(), NEW_CODE))
    assert read(any_house, back, paper) == content
    clock.forward(hours=80)
    tasks_of_the_night(any_house)
    stopped_at_once(any_house, made.awa.card, made.awa.code)


def tasks_of_the_night(house: Context) -> None:
    """What ends by itself, and the erasures whose time has come."""
    aftermath.expire(house)
    for one in erasing.due(house):
        erasing.carry_out(house, one)


def test_after_a_declared_theft_no_card_of_an_earlier_recovery_says_stop(house: Context) -> None:
    """The stolen card is the one of before the last recovery: it may still say stop that day, until theft is confirmed."""
    made = make_circle(house)
    card = came_back(house, made)
    session, code = start(house, made.canal.kiosk, "stolen")
    confirm(house, made.marc, code, theft=True, beside=True)
    for one, chosen in ((made.awa.card, made.awa.code), (card, NEW_CODE)):
        stopped_at_once(house, one, chosen)
    confirm(house, made.fatou, code, theft=True)
    assert sessions.find(house, coming_back.finish(house, session, new_card(), "482957")).account == made.awa.id


def test_forty_wrong_codes_at_once_are_three_tried(any_house: Context) -> None:
    """A guardian's stolen session: whoever types everything at once tries no more than whoever types one after the other."""
    made = make_circle(any_house)
    _, code = start(any_house, made.tilleuls.kiosk)
    desk = sign_in(any_house, made.fatou)
    (ward,) = guardians.people_who_count_on_me(any_house, desk)

    def guess(number: int) -> type[Exception] | None:
        try:
            recovery.confirm(any_house, desk, ward.member, f"{(int(code) + number) % 10**6:06}", theft=False, beside=True)
        except Exception as error:  # noqa: BLE001 — whatever it is, the page would answer with it
            return type(error)
        return None

    with ThreadPoolExecutor(10) as pool:
        answers = Counter(pool.map(guess, range(1, 41)))
    assert answers == {WrongSecret: 3, MustWait: 37}


def test_a_right_code_of_another_kind_forgives_no_wrong_one(house: Context) -> None:
    """Each kind of code that a worker types has its own count."""
    made = make_circle(house)
    _, code = start(house, made.tilleuls.kiosk)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    for _ in range(2):
        with pytest.raises(WrongSecret):
            confirm(house, made.fatou, wrong)
    names = {kdf(house.settings.service_seal, label(worker=made.fatou.id), 32).hex() for label in
             (labels.code_typist, labels.lending_typist, labels.witness_typist)}  # fmt: skip
    assert len(names) == 3
    with house.database.transaction(read_only=True) as connection:
        counted = connection.execute(select(attempts.c.wrong).where(attempts.c.shown_digest.in_(names))).scalars().all()
    assert counted == [2]


def test_the_old_card_is_silent_after_a_day_even_when_no_task_runs(house: Context, clock: Clock) -> None:
    """The process of the tasks may be stopped: the clock decides, and the new card goes on opening."""
    made = make_circle(house)
    card = came_back(house, made)
    clock.forward(hours=24, minutes=1)
    with pytest.raises(WrongSecret):
        coming_back.stop(house, None, made.awa.card, made.awa.code)
    assert unlocking.unlock(house, show_card(house, card), NEW_CODE)
