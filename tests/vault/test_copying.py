"""Both cards, one kiosk: a copy lands in another safe under its own keys, both histories tell it, and no row ties the two."""

import pytest
from sqlalchemy import select

from storage.tables import tickets, trace_keys, versions
from tests.vault.builders import make_office, make_person, unlock
from tests.vault.clock import Clock
from tests.vault.papers import keep, read
from vault import audit, copying, documents, removing
from vault.context import Context
from vault.errors import NotThere, TicketGone


def test_a_copy_is_another_persons_own_paper(any_house: Context) -> None:
    house = any_house
    kiosk = make_office(house).kiosk
    awa, yonas = make_person(house, "Awa", kiosk=kiosk), make_person(house, "Yonas", kiosk=kiosk)
    paper = keep(house, awa.session, "Livret", "family", text="le livret", sort="family-book")
    secret = copying.offer(house, awa.session, paper)
    unlock(house, yonas)
    one = copying.look(house, yonas.session, secret)
    assert (one.sort, one.title, one.pages, one.shelf) == ("family-book", "Livret", 1, "family")
    mine = copying.keep(house, yonas.session, secret)
    assert mine != paper
    card = documents.paper(house, yonas.session, mine)
    assert (card.title, card.sort, card.shelf) == ("Livret", "family-book", "family")
    theirs, own = read(house, awa.session, paper), read(house, yonas.session, mine)
    assert theirs == own
    with pytest.raises(TicketGone):
        copying.keep(house, yonas.session, secret)
    given = [one.event for one in audit.history(house, unlock(house, awa)) if one.event.tag == "paper.copied-to-other"]
    taken = [one.event for one in audit.history(house, yonas.session) if one.event.tag == "paper.copied-from-other"]
    assert [(one.paper, one.title, one.by) for one in given] == [(paper, "Livret", awa.id)], "no name of the other one"
    assert [(one.paper, one.title, one.by) for one in taken] == [(mine, "Livret", yonas.id)]
    # The first one's paper goes; the copy stays.
    removing.remove(house, awa.session, paper)
    assert read(house, unlock(house, yonas), mine) == own
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(tickets.c.digest)).all() == []
        depositors = dict(connection.execute(select(versions.c.paper, versions.c.depositor)).all())
        keys = connection.execute(select(trace_keys.c.session, trace_keys.c.id).where(trace_keys.c.party == "person")).all()
    assert depositors[mine] == yonas.id
    # Each session posted keys to one person alone: nothing in the rows says that these two were there together.
    assert len({session for session, _ in keys}) == len(keys)


def test_a_copy_needs_both_persons_one_kiosk_and_ten_minutes(house: Context, clock: Clock) -> None:
    office = make_office(house)
    other = make_office(house, "ESI Le Canal").kiosk
    awa, yonas = make_person(house, "Awa", kiosk=office.kiosk), make_person(house, "Yonas", kiosk=office.kiosk)
    paper, private = keep(house, awa.session), keep(house, awa.session, "À moi", "private")
    for wrong in (private, "none"):
        with pytest.raises(NotThere):
            copying.offer(house, awa.session, wrong)
    secret = copying.offer(house, awa.session, paper)
    with pytest.raises(TicketGone):
        copying.look(house, awa.session, secret)  # nobody gives to themselves
    with pytest.raises(TicketGone):
        copying.keep(house, unlock(house, yonas, kiosk=other), secret)  # another kiosk
    unlock(house, yonas)
    with pytest.raises(TicketGone):
        copying.keep(house, yonas.session, secret[:-2] + "AA")
    copying.refuse(house, yonas.session, secret)
    with pytest.raises(TicketGone):
        copying.keep(house, yonas.session, secret)
    assert documents.list_papers(house, yonas.session) == []
    secret = copying.offer(house, unlock(house, awa), paper)
    unlock(house, yonas)
    clock.forward(minutes=11)
    with pytest.raises(TicketGone):
        copying.keep(house, yonas.session, secret)
