"""What a dead person wanted is handed to whom they named: thirty days, four eyes, a whole set of guardians, and the papers alone."""

import datetime as dt
import io
import zipfile

import pytest
from sqlalchemy import select

from consent.purposes import PRIVATE
from storage.tables import papers
from tests.vault.builders import sign_in, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, lifted_by_two, make_circle, new_card
from tests.vault.deaths_scene import approved
from tests.vault.papers import keep
from tests.vault.test_directives import BINTOU, member, wished
from vault import (
    audit,
    coming_back,
    deaths,
    documents,
    handing,
    parcels,
    recovery,
    rights,
    sessions,
    showing,
)
from vault import directives as wishes
from vault.context import Context
from vault.errors import Conflict, NotAllowed, NotThere, WrongSecret
from vault.events import UNREADABLE
from vault.restricting import Restricted
from vault.rights import Extra
from vault.sessions import Session


def test_the_person_named_takes_the_papers_away_and_can_do_nothing_else(any_house: Context, clock: Clock) -> None:
    """Thirty days, four eyes, two guardians at their own desks; the private drawer stays; no card, no code, no history."""
    house = any_house
    made = make_circle(house)
    keep(house, unlock(house, made.awa), "Bail de Lille")
    keep(house, made.awa.session, "Lettre à moi", shelf=PRIVATE)
    wished(house, made)
    found = approved(house, made)
    assert found.opens == found.received + dt.timedelta(days=30)
    clock.forward(days=29)
    with pytest.raises(NotThere):
        handing.start(house, made.canal.kiosk, found.number)
    clock.forward(days=1)
    with pytest.raises(NotThere):
        handing.start(house, made.canal.kiosk, "AAAA-AAAA-AAAA")
    started = handing.start(house, made.canal.kiosk, found.number.lower())
    kiosk = sessions.find(house, started.cookie)
    fatou, marc = sign_in(house, made.fatou), sign_in(house, made.marc)
    theirs, his = member(house, made.fatou), member(house, made.marc)
    fatou, marc = made.fatou.session, made.marc.session
    with pytest.raises(WrongSecret):
        recovery.confirm(house, fatou, theirs, started.code, theft=False, beside=True)
    handing.confirm(house, fatou, theirs, started.code)
    assert not handing.ready(house, kiosk)
    with pytest.raises(Conflict):
        handing.finish(house, kiosk)
    handing.confirm(house, marc, his, started.code)
    assert handing.ready(house, kiosk)
    for take_over in (coming_back.finish, coming_back.wait):
        with pytest.raises(Conflict):
            take_over(house, kiosk, new_card(), NEW_CODE)
    named = sessions.find(house, handing.finish(house, kiosk))
    _only_papers_leave(house, named)
    with pytest.raises(WrongSecret):
        handing.confirm(house, fatou, theirs, started.code)
    assert unlock(house, made.awa).account == made.awa.id, "nothing of the person's own ways has changed"
    assert "death.handed" in {one.event.tag for one in audit.history(house, made.awa.session)}


def test_nothing_is_handed_over_while_a_judge_wants_everything_kept(house: Context, clock: Clock) -> None:
    """Before the person named begins, and between their beginning and the last word; afterwards it goes on."""
    made = make_circle(house)
    keep(house, unlock(house, made.awa), "Bail")
    wished(house, made)
    found = approved(house, made)
    clock.forward(days=30)
    started = handing.start(house, made.canal.kiosk, found.number)
    kiosk = sessions.find(house, started.cookie)
    for worker in (made.fatou, made.marc):
        desk = sign_in(house, worker)
        handing.confirm(house, desk, member(house, worker), started.code)
    nadia, hugo = made.tilleuls.administrators
    order = rights.receive(
        house, sign_in_administrator(house, nadia), "court-order", "authority", Extra(number=made.awa.number, order="keep")
    )
    for admin in (nadia, hugo):
        rights.approve(house, sign_in_administrator(house, admin), order.id)
    rights.carry_out(house, hugo.session, order.id)
    with pytest.raises(Restricted):
        handing.finish(house, kiosk)
    with pytest.raises(Restricted):
        handing.start(house, made.canal.kiosk, found.number)
    lifted_by_two(house, made, order.id)
    assert sessions.find(house, handing.finish(house, kiosk)).kind == "named"


def _only_papers_leave(house: Context, named: Session) -> None:
    for reaches in (documents.bin_of, wishes.mine, showing.grants_of):
        with pytest.raises(NotAllowed):
            reaches(house, named)
    assert {one.event.tag for one in audit.history(house, named)} == {UNREADABLE}
    count, _ = parcels.weight(house, named)
    with house.database.transaction() as connection:
        connection.execute(papers.update().values(state="to-read"))
    parcels.pack(house, named, "usb", "fr")
    parcels.begin(house, parcels.pack(house, named, "phone", "fr").secret)
    with house.database.transaction(read_only=True) as connection:
        assert set(connection.execute(select(papers.c.state)).scalars()) == {"to-read"}, "the person has met nothing by it"
    content = zipfile.ZipFile(io.BytesIO(b"".join(parcels.waiting(house, named).blocks())))
    texts = content.read("data/papers.json").decode()
    assert count == 1
    assert "Bail de Lille" in texts
    assert "Lettre à moi" not in texts
    assert b"Awa" not in content.read("data/me.json")


def test_a_guardian_alone_opens_nothing_and_reads_only_after_saying_it(house: Context, clock: Clock) -> None:
    made = make_circle(house)
    wished(house, made)
    deaths.report(house, sign_in(house, made.fatou), member(house, made.fatou), seen=True)
    seen = deaths.of(house, sign_in(house, made.fatou), member(house, made.fatou))
    assert seen is not None
    assert (seen.wish, seen.open_now) == (BINTOU, False)
    other = deaths.of(house, sign_in(house, made.marc), member(house, made.marc))
    assert other is not None
    assert (other.mine, other.wish) == (False, None)
    clock.forward(days=60)
    with pytest.raises(NotThere):
        handing.start(house, made.canal.kiosk, seen.number)
    with pytest.raises(NotThere):
        handing.confirm(house, sign_in(house, made.fatou), member(house, made.fatou), "123456")
