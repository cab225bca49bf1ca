"""A worker asks, the person answers in three ways, and a refusal touches nothing else."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from consent.errors import AskReason, RequestRefused
from consent.ids import GrantId, KindId, RequestId
from consent.purposes import PurposeId
from consent.request import Answer
from storage.tables import requests
from tests.vault.builders import MadePerson, MadeWorker, make_office, make_person, make_worker, show_card, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.papers import SAID, keep
from tests.vault.test_sharing import SEE, UNTIL, offer
from vault import answers, asking, audit, cards, offers, shared_papers, sharing, showing, withdrawing
from vault.context import Context
from vault.errors import BadInput, NotAllowed, NotThere
from vault.offers import Choices
from vault.sharing import Offer

HOME = PurposeId("home")
TAX, RENT = KindId("tax-notice"), KindId("rent")


def known(house: Context) -> tuple[MadeWorker, MadePerson, GrantId]:
    """Fatou knows Awa by a share."""
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house, "Awa", drawing="turtle")
    return fatou, awa, sharing.grant(house, awa.session, fatou.id, offer(keep(house, awa.session), acts=SEE))


def test_asked_then_given(any_house: Context) -> None:
    fatou, awa, grant = known(any_house)
    request = asking.ask(any_house, fatou.session, grant, [TAX], HOME)
    (waits,) = asking.waiting_for_me(any_house, awa.session)
    assert (waits.request, waits.worker_name, waits.kinds, waits.purpose) == (
        request,
        "Fatou, de l'équipe, ESI Les Tilleuls",
        (TAX,),
        HOME,
    )
    paper = keep(any_house, awa.session, "Avis", sort=TAX)
    made = asking.give(any_house, awa.session, request, fatou.id, [TAX], Offer(HOME, SEE, UNTIL, SAID, (paper,)))
    assert asking.waiting_for_me(any_house, awa.session) == []
    (told,) = answers.given(any_house, fatou.session)
    assert (told.name, told.drawing, told.answers) == ("Awa", "turtle", {TAX: Answer.GIVE})
    assert [one.paper for one in shared_papers.papers_shared(any_house, fatou.session, made)] == [paper]
    with pytest.raises(RequestRefused):
        asking.have_not(any_house, awa.session, request, TAX)
    tags = [entry.event.tag for entry in audit.history(any_house, awa.session)]
    assert (tags.count("share.requested"), tags.count("share.request-given"), tags.count("share.given")) == (1, 1, 2)


def test_a_refusal_needs_no_reason_and_touches_nothing_else(any_house: Context, clock: Clock) -> None:
    fatou, awa, grant = known(any_house)
    before = showing.grants_of(any_house, awa.session)
    request = asking.ask(any_house, fatou.session, grant, [TAX, RENT], HOME)
    asking.refuse(any_house, awa.session, request, TAX)
    asking.have_not(any_house, awa.session, request, RENT)
    assert showing.grants_of(any_house, awa.session) == before
    assert len(shared_papers.people_sharing(any_house, fatou.session)) == 1
    (told,) = answers.given(any_house, fatou.session)
    assert told.answers == {TAX: Answer.REFUSE, RENT: Answer.HAVE_NOT}
    with pytest.raises(RequestRefused) as refused:
        asking.ask(any_house, fatou.session, grant, [TAX], HOME)
    assert refused.value.reason is AskReason.REFUSED_BEFORE
    clock.forward(days=7)
    sign_in(any_house, fatou)
    asking.ask(any_house, fatou.session, grant, [TAX], HOME)
    with pytest.raises(RequestRefused) as refused:
        asking.ask(any_house, fatou.session, grant, [TAX], PurposeId("bank"))
    assert refused.value.reason is AskReason.STILL_OPEN


def test_refused_with_the_card_alone(any_house: Context) -> None:
    fatou, awa, grant = known(any_house)
    request = asking.ask(any_house, fatou.session, grant, [TAX, RENT], HOME)
    card = show_card(any_house, awa.card)
    asking.refuse(any_house, card, request)
    asking.refuse(any_house, card, request)  # pressed twice
    with pytest.raises(NotAllowed):
        asking.waiting_for_me(any_house, card)
    (told,) = answers.given(any_house, fatou.session)
    assert told.answers == {TAX: Answer.REFUSE, RENT: Answer.REFUSE}
    unlock(any_house, awa)
    assert asking.waiting_for_me(any_house, awa.session) == []


def test_asked_by_a_share_that_is_over(house: Context, clock: Clock) -> None:
    fatou, awa, grant = known(house)
    withdrawing.withdraw(house, awa.session, grant, SAID)
    clock.forward(minutes=1)
    asking.ask(house, fatou.session, grant, [TAX], HOME)
    (told,) = answers.given(house, fatou.session)
    assert (told.name, told.drawing) == ("", "")  # of a share that is over not even the name is left
    assert len(asking.waiting_for_me(house, awa.session)) == 1


def test_after_a_stop_nothing_tells_what_was_asked_before(any_house: Context, clock: Clock) -> None:
    fatou, awa, grant = known(any_house)
    yonas = make_person(any_house, "Yonas")
    other = sharing.grant(any_house, yonas.session, fatou.id, offer(keep(any_house, yonas.session), acts=SEE))
    unlock(any_house, awa)
    first = asking.ask(any_house, fatou.session, grant, [TAX], PurposeId("asylum"))
    theirs = asking.ask(any_house, fatou.session, other, [TAX], HOME)
    asking.refuse(any_house, awa.session, first)
    withdrawing.withdraw_all(any_house, awa.session, grant, SAID)
    assert [(one.request, one.name) for one in answers.given(any_house, fatou.session)] == [(theirs, "Yonas")]
    with pytest.raises(RequestRefused) as refused:  # it is still remembered, where nobody reads it
        asking.ask(any_house, fatou.session, grant, [TAX], PurposeId("asylum"))
    assert refused.value.reason is AskReason.REFUSED_BEFORE
    clock.forward(days=1)
    sign_in(any_house, fatou)
    again = asking.ask(any_house, fatou.session, grant, [RENT], HOME)
    assert [(one.request, one.name) for one in answers.given(any_house, fatou.session)] == [(again, ""), (theirs, "Yonas")]
    unlock(any_house, awa)
    paper = keep(any_house, awa.session, "Quittance", sort=RENT)
    asking.give(any_house, awa.session, again, fatou.id, [RENT], Offer(HOME, SEE, UNTIL, SAID, (paper,)))
    named = {one.request: one.name for one in answers.given(any_house, fatou.session)}
    assert named == {again: "Awa", first: "Awa", theirs: "Yonas"}  # they are shown something again


def test_asked_with_a_card_nothing_tells_whether_it_opens_a_safe(house: Context) -> None:
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house)
    (blank,) = cards.new_cards(1)
    for card in (awa.card, blank.text):
        for _ in range(2):  # asking twice is refused, and that is not told either
            asking.ask_with_card(house, fatou.session, card, [TAX], HOME)
    assert answers.given(house, fatou.session) == []
    (waits,) = asking.waiting_for_me(house, awa.session)
    asking.have_not(house, awa.session, waits.request, TAX)
    (told,) = answers.given(house, fatou.session)
    assert told.answers == {TAX: Answer.HAVE_NOT}
    for card in (awa.card, blank.text):
        with pytest.raises(BadInput):
            asking.ask_with_card(house, fatou.session, card, [], HOME)


def test_nobody_asks_a_stranger_or_answers_for_another(house: Context) -> None:
    fatou, awa, grant = known(house)
    marc, yonas = make_worker(house, fatou.office, "Marc"), make_person(house, "Yonas")
    with pytest.raises(NotThere):
        asking.ask(house, marc.session, grant, [TAX], HOME)
    with pytest.raises(NotThere):
        asking.ask(house, fatou.session, GrantId(house.new_id()), [TAX], HOME)
    request = asking.ask(house, fatou.session, grant, [TAX], HOME)
    for session in (yonas.session, show_card(house, yonas.card)):
        with pytest.raises(NotThere):
            asking.refuse(house, session, request)
    with pytest.raises(NotThere):
        asking.have_not(house, awa.session, RequestId(house.new_id()), TAX)
    other = Offer(PurposeId("bank"), SEE, UNTIL, SAID, (keep(house, awa.session),))
    with pytest.raises(BadInput):  # another purpose is another share, not an answer
        asking.give(house, awa.session, request, fatou.id, [TAX], other)
    assert len(asking.waiting_for_me(house, awa.session)) == 1


def test_a_yes_for_one_worker_gives_to_no_other(any_house: Context) -> None:
    """What was chosen names Marc, and the request that it would answer is Fatou's: whatever led there, nobody is given anything."""
    fatou, awa, grant = known(any_house)
    marc = make_worker(any_house, fatou.office, "Marc")
    request = asking.ask(any_house, fatou.session, grant, [TAX], HOME)
    paper = keep(any_house, awa.session, "Avis", sort=TAX)
    mixed = Choices((paper,), marc.id, HOME, acts=SEE, until=UNTIL, request=request, kinds=(TAX,))
    offers.keep(any_house, awa.session, mixed)
    with pytest.raises(NotThere):
        offers.give(any_house, awa.session, mixed, SAID, "un logement")
    assert [one.grant for one in showing.grants_of(any_house, awa.session)] == [grant]
    assert [one.request for one in asking.waiting_for_me(any_house, awa.session)] == [request]
    right = replace(mixed, worker=fatou.id)
    offers.keep(any_house, awa.session, right)
    made = offers.give(any_house, awa.session, right, SAID, "un logement")
    assert [one.paper for one in shared_papers.papers_shared(any_house, fatou.session, made)] == [paper]


def test_what_is_asked_is_sealed_and_forgotten_after_its_time(house: Context, clock: Clock) -> None:
    fatou, awa, grant = known(house)
    request = asking.ask(house, fatou.session, grant, [TAX], PurposeId("other"), own_words="un logement à Lyon")
    with house.database.transaction(read_only=True) as connection:
        row = connection.execute(select(requests)).one()
    assert not any(word in blob for blob in (row.for_person, row.for_worker) for word in (b"Lyon", b"tax-notice", b"Awa"))
    clock.forward(days=31)
    unlock(house, awa)
    assert asking.waiting_for_me(house, awa.session) == []  # unanswered, it goes away by itself
    assert asking.expire(house) == 0
    clock.forward(days=400)
    assert asking.expire(house) == 1
    assert not house.keyvault.exists("grant", request)
