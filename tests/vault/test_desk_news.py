"""What the desk says without opening anything: what is new, what ends soon, and whether one's own sendings have arrived."""

import datetime as dt

import pytest

from consent.purposes import PurposeId
from consent.scope import Act
from tests.vault.builders import MadePerson, make_office, make_person, make_worker, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.papers import SAID, keep
from tests.web.desk_scene import give
from vault import arriving, asking, audit, cards, charter, depositing_for, news, people, received, soon, withdrawing
from vault.context import Context
from vault.errors import NotAllowed, WrongSecret
from vault.languages import read_catalogues
from vault.sessions import Session

TAX = PurposeId("home")


def letter(house: Context) -> bytes:
    from vault.false_papers import letter_for

    return letter_for("Awa (démo)", house.clock().date(), "Convocation", ["essai"])


def came_back(house: Context, person: MadePerson) -> None:
    arriving.at_unlock(house, unlock(house, person))


def test_news_tell_what_others_did_since_the_last_visit_and_name_only_those_who_share(
    reading_house: Context, clock: Clock
) -> None:
    house = reading_house
    office = make_office(house)
    fatou, awa, yonas = make_worker(house, office), make_person(house, "Awa"), make_person(house, "Yonas", drawing="sun")
    assert news.since_last_visit(house, fatou.session).first_visit
    clock.forward(days=1)
    unlock(house, awa), unlock(house, yonas)
    tax, home = keep(house, awa.session), keep(house, yonas.session)
    seen = give(house, awa, fatou, tax)
    slit = give(house, awa, fatou, acts=[Act.DEPOSIT], shelf="other", purpose="mail-address")
    stopped = give(house, yonas, fatou, home)
    clock.forward(hours=1)
    session = sign_in(house, fatou)
    first = news.since_last_visit(house, session)
    assert sorted((one.tag, one.name) for one in first.pieces) == [("share.given", name) for name in ("Awa", "Awa", "Yonas")]
    asking.ask(house, session, seen, ["tax-notice", "rent"], TAX)
    depositing_for.deposit_for(house, session, slit, [letter(house)], title="Convocation", opened_by_person=True)
    clock.forward(hours=1)
    came_back(house, awa)
    (request,) = asking.waiting_for_me(house, awa.session)
    asking.have_not(house, awa.session, request.request, request.kinds[0])
    withdrawing.withdraw(house, unlock(house, yonas), stopped, SAID)
    clock.forward(hours=1)
    session = sign_in(house, fatou)
    told = {one.tag: one for one in news.since_last_visit(house, session).pieces}
    assert set(told) == {"paper.received", "share.request-have-not", "share.withdrawn"}
    assert (told["share.withdrawn"].name, told["share.withdrawn"].grant) == ("", None), "what is over names nobody, as D02"
    assert (told["paper.received"].name, told["paper.received"].grant) == ("Awa", slit)
    assert told["share.request-have-not"].detail == request.kinds[0]
    mine = [one.event for one in audit.history(house, awa.session) if one.event.tag == "paper.received"]
    assert [one.by_name for one in mine] == ["Fatou, ESI Les Tilleuls"]
    clock.forward(days=40)
    later = news.since_last_visit(house, sign_in(house, fatou))
    assert (later.first_visit, later.pieces) == (True, ()), "after a month away the page begins anew"


def test_a_card_tells_a_worker_what_became_of_their_own_sendings_and_nothing_to_anybody_else(
    reading_house: Context, clock: Clock
) -> None:
    house = reading_house
    office = make_office(house)
    fatou, ines, awa = make_worker(house, office), make_worker(house, office, "Inès"), make_person(house, "Awa")
    clock.forward(days=1)
    unlock(house, awa)
    slit = give(house, awa, fatou, acts=[Act.DEPOSIT], shelf="other")
    depositing_for.deposit_for(house, fatou.session, slit, [letter(house)], title="Convocation", opened_by_person=True)
    asking.ask(house, fatou.session, slit, ["tax-notice"], TAX)
    waiting = received.by_card(house, fatou.session, awa.card)
    assert [one.received for one in waiting.deposits] == [False]
    assert [dict(one.answers) for one in waiting.requests] == [{}]
    asking.ask_with_card(house, ines.session, awa.card, ["rent"], TAX)
    nothing = received.Sendings((), ())
    (unknown,) = cards.new_cards(1)
    assert received.by_card(house, ines.session, awa.card) == nothing, "no tie: as a card that nobody knows"
    assert received.by_card(house, ines.session, unknown.text) == nothing
    came_back(house, awa)
    mine = [one.event.by_name for one in audit.history(house, awa.session) if one.event.tag == "worker.asked-arrived"]
    assert mine == ["Fatou, ESI Les Tilleuls"], "the person reads who looked, and nothing of whoever has no tie"
    for one in asking.waiting_for_me(house, awa.session):
        asking.refuse(house, awa.session, one.request)
    told = received.by_card(house, fatou.session, awa.card)
    assert [one.received for one in told.deposits] == [True]
    assert [set(one.answers) for one in told.requests] == [{"tax-notice"}]
    assert [set(one.answers) for one in received.by_card(house, ines.session, awa.card).requests] == [{"rent"}], "answered: a tie"
    people.freeze(house, awa.session)
    assert received.by_card(house, fatou.session, awa.card) == nothing, "a blocked card tells nothing any more"
    with pytest.raises(WrongSecret):
        received.by_card(house, fatou.session, "https://example.org")
    with pytest.raises(NotAllowed):
        received.by_card(house, unlock_other(house), awa.card)


def unlock_other(house: Context) -> Session:
    return make_person(house, "Yonas").session


def test_what_ends_soon_follows_the_clock(house: Context, clock: Clock) -> None:
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house, "Awa")
    added = house.clock().date()
    paper = keep(house, awa.session, "Domiciliation", "housing", sort="domiciliation")
    clock.forward(days=1)
    unlock(house, awa)
    give(house, awa, fatou, paper, days=330)
    assert [(one.what, one.on) for one in soon.ending_soon(house, fatou.session)] == [("visit", dt.date(2027, 2, added.day))]
    clock.forward(days=100)
    assert [(one.what, one.on) for one in soon.ending_soon(house, sign_in(house, fatou))] == [("visit-unknown", None)]
    clock.forward(days=205)
    found = soon.ending_soon(house, sign_in(house, fatou))
    assert [one.what for one in found] == ["share", "domiciliation", "visit-unknown"]
    assert found[1].on == dt.date(2027, 11, added.day - 1), "a year after it was added, at the latest"
    assert {one.name for one in found} == {"Awa"}


def test_the_charter_is_accepted_again_when_its_words_change(house: Context) -> None:
    fatou = make_worker(house, make_office(house))
    version = charter.version(read_catalogues()["en"])
    assert version == charter.version(read_catalogues()["fr"]) != charter.accepted(house, fatou.session)
    charter.accept(house, fatou.session, version)
    assert charter.accepted(house, fatou.session) == version
    assert ("worker.charter-read", version) in [(one.event.tag, one.event.detail) for one in audit.history(house, fatou.session)]
