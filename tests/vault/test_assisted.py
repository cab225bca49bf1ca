"""An opening with somebody's help: what it opens, what it cannot do whoever asks, and how it ends."""

import datetime as dt

import pytest

from consent.purposes import PurposeId, ShelfKind
from consent.scope import Act
from crypto.keys import CardSecret
from crypto.printed import card_text
from tests.vault.builders import (
    PICTURES,
    MadePerson,
    MadeWorker,
    make_office,
    make_person,
    make_worker,
    show_card,
    sign_in,
    unlock,
)
from tests.vault.clock import Clock
from tests.vault.comings import new_card
from tests.vault.papers import SAID, keep
from vault import (
    assisted,
    assisting,
    audit,
    documents,
    erasure,
    means,
    people,
    protecting,
    reencryption,
    sessions,
    sharing,
    showing,
    withdrawing,
    workers,
)
from vault.context import Context
from vault.errors import BadInput, MustWait, NoSession, NotAllowed, NotThere, WrongSecret
from vault.sessions import Session
from vault.sharing import Offer


def helped(
    house: Context, person: MadePerson, worker: MadeWorker, *drawers: str, pictures: tuple[int, ...] | None = None
) -> None:
    """Chosen by the person, in an open session, the code asked again."""
    kinds = [ShelfKind(one) for one in drawers]
    assisting.choose(house, person.session, person.code, worker.id, kinds, name="Yonas", drawing="sun", pictures=pictures)


def open_with(
    house: Context, card: str, worker: MadeWorker, slot: str | None = None, *, pictures: tuple[int, ...] | None = None
) -> Session:  # fmt: skip
    """The card at the kiosk, the digits at the desk, then the drawers."""
    shown = show_card(house, card)
    code = assisted.start(house, shown).code
    desk = sign_in(house, worker)
    name = slot or assisting.people_i_help(house, desk)[0].slot
    assisted.lend(house, desk, name, code)
    assert assisted.asked(house, shown).answered
    return sessions.find(house, assisted.finish(house, shown, pictures))


def test_the_lent_drawers_open_and_no_other(any_house: Context) -> None:
    """A11Y-11: nothing to remember. Papers of other drawers are not there, and not counted."""
    house, office = any_house, make_office(any_house)
    fatou, yonas = make_worker(house, office), make_person(house, "Yonas", drawing="sun")
    lent, own = keep(house, yonas.session, "Avis", "money"), keep(house, yonas.session, "Ordonnance", "health")
    assert assisting.help_of(house, yonas.session) is None  # off by default
    helped(house, yonas, fatou, "money", "housing")
    told = assisting.help_of(house, yonas.session)
    assert told is not None
    assert (told.first_name, told.drawers) == ("Fatou", ("housing", "money"))
    (one,) = assisting.people_i_help(house, sign_in(house, fatou))
    assert (one.name, one.drawing) == ("Yonas", "sun")
    inside = open_with(house, yonas.card, fatou)
    assert (inside.kind, inside.keys) == ("assisted", None)
    assert [paper.title for paper in assisted.list_papers(house, inside)] == ["Avis"]
    assert assisted.helper(house, inside) == "Fatou"
    with pytest.raises(NotThere):
        assisted.page_image(house, inside, own, 1)
    assert [card.paper for card in assisted.list_papers(house, inside)] == [lent]
    tags = [entry.event.tag for entry in audit.history(house, unlock(house, yonas))]
    assert {"means.assisted-on", "means.helped", "safe.opened-with-help"} <= set(tags)
    assert "means.helped" in [entry.event.tag for entry in audit.history(house, sign_in(house, fatou))]


def test_by_keys_it_gives_nothing_erases_nothing_and_changes_no_way_in(house: Context) -> None:
    """AUTH-11: it holds one seed, which is not the account's; what it may do is narrow."""
    office = make_office(house)
    fatou, marc = make_worker(house, office), make_worker(house, office, "Marc")
    yonas = make_person(house, "Yonas")
    paper = keep(house, yonas.session, "Avis", "money")
    until = house.clock().date() + dt.timedelta(days=20)
    offer = Offer(PurposeId("home"), frozenset({Act.SEE}), until, SAID, papers=(paper,))
    grant = sharing.grant(house, yonas.session, marc.id, offer)
    helped(house, yonas, fatou, "money")
    inside = open_with(house, yonas.card, fatou)
    with pytest.raises(NotAllowed):
        inside.opened()
    for act in (
        lambda: sharing.grant(house, inside, marc.id, offer),
        lambda: erasure.ask(house, inside, yonas.code),
        lambda: means.change_code(house, inside, yonas.code, "591746"),
        lambda: protecting.protect(house, inside, yonas.code, new_card(), "591746"),
        lambda: documents.list_papers(house, inside),
        lambda: documents.remove(house, inside, paper),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert [one.grant for one in showing.grants_of(house, inside)] == [grant]
    withdrawing.withdraw(house, inside, grant, SAID)
    assert showing.grants_of(house, inside) == []
    assisting.stop(house, inside)
    with pytest.raises(NoSession):
        sessions.find(house, "A" * 43)
    assert assisting.help_of(house, unlock(house, yonas)) is None


def test_the_worker_alone_the_card_alone_and_another_card_open_nothing(house: Context, clock: Clock) -> None:
    """One refusal for all: nothing tells whether a card is somebody's, nor whether somebody is helped."""
    office = make_office(house)
    fatou, marc = make_worker(house, office), make_worker(house, office, "Marc")
    yonas, awa = make_person(house, "Yonas"), make_person(house, "Awa")
    helped(house, yonas, fatou, "money", pictures=PICTURES)
    (mine,) = assisting.people_i_help(house, sign_in(house, fatou))
    with pytest.raises(NotThere):
        assisted.lend(house, sign_in(house, marc), mine.slot, "123456")
    for card, pictures in ((awa.card, PICTURES), (new_card(), PICTURES), (card_text(CardSecret.random()), None)):
        with pytest.raises(WrongSecret):
            open_with(house, card, fatou, mine.slot, pictures=pictures)
    shown = show_card(house, yonas.card)
    assisted.start(house, shown)
    with pytest.raises(WrongSecret):  # the worker has not answered
        assisted.finish(house, shown, PICTURES)
    for pictures in (None, (3, 14, 7, 0, 8)):
        with pytest.raises((WrongSecret, MustWait)):
            open_with(house, yonas.card, fatou, mine.slot, pictures=pictures)
    clock.forward(hours=25)
    assert open_with(house, yonas.card, fatou, mine.slot, pictures=PICTURES).account == yonas.id
    desk = sign_in(house, fatou)
    for wrong in ("000001", "000002", "000003"):
        with pytest.raises(WrongSecret):
            assisted.lend(house, desk, mine.slot, wrong)
    with pytest.raises(MustWait):
        assisted.lend(house, desk, mine.slot, "000004")


def test_twenty_wrong_pictures_end_the_way_and_are_told(house: Context, clock: Clock) -> None:
    """The pictures alone stand between the worker who helps, with a copy of the card, and the drawers."""
    fatou, yonas = make_worker(house, make_office(house)), make_person(house, "Yonas")
    helped(house, yonas, fatou, "money", pictures=PICTURES)
    (before,) = assisting.people_i_help(house, sign_in(house, fatou))
    with pytest.raises(BadInput):
        open_with(house, yonas.card, fatou, before.slot, pictures=(1, 2))  # not five: nothing was tried
    for wrong in range(-2, 21):
        if wrong == 0:
            assert open_with(house, yonas.card, fatou, before.slot, pictures=PICTURES), "a right one: from nothing again"
            continue
        assert house.keyvault.exists("slot", before.slot)
        with pytest.raises(WrongSecret):
            open_with(house, yonas.card, fatou, before.slot, pictures=(9, 9, 9, 9, 9))
        clock.forward(minutes=6 if wrong % 5 else 25 * 60)
        if wrong == 3:
            assert people.me(house, unlock(house, yonas)).failed_attempts == 3
    assert not house.keyvault.exists("slot", before.slot)
    assert assisting.people_i_help(house, sign_in(house, fatou)) == []
    session = unlock(house, yonas)
    assert assisting.help_of(house, session) is None
    assert [one.key for one in people.me(house, session).notices] == ["help-ended"]
    assert "safe.locked" in [one.event.tag for one in audit.history(house, session)]


def test_who_may_help_and_which_drawers_may_be_lent(house: Context) -> None:
    office = make_office(house)
    fatou, ines = make_worker(house, office), make_worker(house, office, "Inès", "intern", ends=dt.date(2026, 12, 24))
    yonas = make_person(house, "Yonas")
    for worker, drawers in ((ines, ["money"]), (fatou, []), (fatou, ["private"]), (fatou, ["cellar"])):
        with pytest.raises(BadInput):
            helped(house, yonas, worker, *drawers)
    with pytest.raises(WrongSecret):
        assisting.choose(house, yonas.session, "591746", fatou.id, [ShelfKind("money")], name="", drawing="sun")
    assert assisting.help_of(house, yonas.session) is None


@pytest.mark.parametrize("how", ["another card", "protected", "stopped", "the worker left", "another helper"])
def test_it_ends_with_what_it_hangs_on(house: Context, how: str) -> None:
    """The row of the key vault dies too: yesterday's rows, the card and what the worker held open nothing."""
    office = make_office(house)
    fatou, marc = make_worker(house, office), make_worker(house, office, "Marc")
    yonas = make_person(house, "Yonas")
    helped(house, yonas, fatou, "money")
    (before,) = assisting.people_i_help(house, sign_in(house, fatou))
    {
        "another card": lambda: means.replace_card(house, yonas.session, yonas.code, new_card()),
        "protected": lambda: protecting.protect(house, yonas.session, yonas.code, new_card(), "591746"),
        "stopped": lambda: assisting.stop(house, show_card(house, yonas.card)),
        "the worker left": lambda: workers.end(house, office.admin, fatou.id, office.proof),
        "another helper": lambda: helped(house, yonas, marc, "money"),
    }[how]()
    assert not house.keyvault.exists("slot", before.slot)
    if how != "the worker left":
        assert assisting.people_i_help(house, sign_in(house, fatou)) == []


def test_a_drawer_taken_back_from_somebody_else_stays_lent(house: Context, clock: Clock) -> None:
    """A new epoch is posted to assist keys as well: the drawer opens with help as before."""
    office = make_office(house)
    fatou, marc = make_worker(house, office), make_worker(house, office, "Marc")
    yonas = make_person(house, "Yonas")
    keep(house, yonas.session, "Avis", "money")
    helped(house, yonas, fatou, "money")
    clock.forward(days=1)
    unlock(house, yonas)
    until = house.clock().date() + dt.timedelta(days=20)
    offer = Offer(PurposeId("home"), frozenset({Act.SEE}), until, SAID, shelf=ShelfKind("money"))
    grant = sharing.grant(house, yonas.session, marc.id, offer)
    withdrawing.withdraw(house, yonas.session, grant, SAID)
    list(reencryption.all_steps(house, unlock(house, yonas)))
    inside = open_with(house, yonas.card, fatou)
    assert [paper.title for paper in assisted.list_papers(house, inside)] == ["Avis"]
