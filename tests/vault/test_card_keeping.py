""" "Carte gardée à l'accueil": a card in somebody's hands and a line that says whose; nothing that opens anything."""

import dataclasses

import pytest
from sqlalchemy import func, select

from consent.purposes import ShelfKind
from storage.tables import kept_cards
from tests.vault.builders import (
    OTHER_CODE,
    MadePerson,
    MadeWorker,
    Office,
    make_office,
    make_person,
    make_worker,
    sign_in,
    unlock,
)
from tests.vault.comings import confirm, face, new_card, set_circle, start
from vault import assisting, audit, card_keeping, coming_back, erasing, erasure, means, notices, protecting, sessions, workers
from vault.context import Context
from vault.errors import BadInput, NotAllowed, NotThere


@dataclasses.dataclass
class Kept:
    """Awa, whose card Fatou keeps; Marc, who helps nobody yet."""

    office: Office
    awa: MadePerson
    fatou: MadeWorker
    marc: MadeWorker


@pytest.fixture
def made(house: Context) -> Kept:
    office = make_office(house)
    fatou, marc = make_worker(house, office), make_worker(house, make_office(house, "ESI Le Canal"), "Marc")
    awa = make_person(house, "Awa", words=True, kiosk=office.kiosk)
    card_keeping.keep(house, awa.session, fatou.id, name="Awa", drawing="turtle")
    return Kept(office, awa, fatou, marc)


def rows(house: Context) -> int:
    with house.database.transaction(read_only=True) as connection:
        return connection.execute(select(func.count()).select_from(kept_cards)).scalar_one()


def test_the_keeper_knows_a_name_and_a_drawing_and_the_owner_reads_who_keeps_it(house: Context, made: Kept) -> None:
    (kept,) = card_keeping.cards_i_keep(house, made.fatou.session)
    assert (kept.name, kept.drawing) == ("Awa", "turtle")
    assert card_keeping.cards_i_keep(house, made.marc.session) == []
    keeper = card_keeping.keeper_of(house, made.awa.session)
    assert keeper is not None
    assert (keeper.first_name, keeper.structure_name) == ("Fatou", made.office.name)
    assert "means.card-kept" in [one.event.tag for one in audit.history(house, made.awa.session)]
    assert "means.card-kept" in [one.event.tag for one in audit.history(house, made.fatou.session)]
    assert unlock(house, made.awa).account == made.awa.id  # the card opens as before, in its owner's hands
    with pytest.raises(NotAllowed):
        card_keeping.keep(house, made.fatou.session, made.marc.id, name="Awa", drawing="turtle")


def test_who_keeps_the_card_never_helps_to_open_in_either_order(house: Context, made: Kept) -> None:
    awa, drawers = made.awa, [ShelfKind("money")]
    with pytest.raises(BadInput):
        assisting.choose(house, awa.session, awa.code, made.fatou.id, drawers, name="Awa", drawing="turtle")
    assisting.choose(house, awa.session, awa.code, made.marc.id, drawers, name="Awa", drawing="turtle")
    with pytest.raises(BadInput):
        card_keeping.keep(house, awa.session, made.marc.id, name="Awa", drawing="turtle")
    keeper = card_keeping.keeper_of(house, awa.session)
    assert keeper is not None
    assert keeper.worker == made.fatou.id
    card_keeping.take_back(house, awa.session)
    assisting.choose(house, awa.session, awa.code, made.fatou.id, drawers, name="Awa", drawing="turtle")
    card_keeping.keep(house, awa.session, made.marc.id, name="Awa", drawing="turtle")  # the other way round is as good


def test_only_who_may_be_trusted_with_it(house: Context, made: Kept) -> None:
    intern = make_worker(house, made.office, "Inès", "intern", ends=house.clock().date().replace(month=12, day=31))
    for one in (intern.id, made.awa.id, "nobody"):
        with pytest.raises(BadInput):
            card_keeping.keep(house, made.awa.session, one, name="Awa", drawing="turtle")


def test_a_touch_of_either_side_ends_it(house: Context, made: Kept) -> None:
    (kept,) = card_keeping.cards_i_keep(house, made.fatou.session)
    with pytest.raises(NotThere):
        card_keeping.give_back(house, made.marc.session, kept.id)
    card_keeping.give_back(house, made.fatou.session, kept.id)
    assert card_keeping.keeper_of(house, made.awa.session) is None
    with pytest.raises(NotThere):
        card_keeping.give_back(house, made.fatou.session, kept.id)
    card_keeping.keep(house, made.awa.session, made.fatou.id, name="Awa", drawing="turtle")
    card_keeping.take_back(house, made.awa.session)
    card_keeping.take_back(house, made.awa.session)
    assert card_keeping.cards_i_keep(house, made.fatou.session) == []
    tags = [one.event.tag for one in audit.history(house, made.awa.session)]
    assert (tags.count("means.card-kept"), tags.count("means.card-returned")) == (2, 2)


def test_the_same_card_under_a_new_code_is_still_kept_and_another_card_is_not(house: Context, made: Kept) -> None:
    awa = made.awa
    awa.session = sessions.find(house, means.change_code(house, awa.session, awa.code, OTHER_CODE))
    assert card_keeping.keeper_of(house, awa.session) is not None
    awa.session = sessions.find(house, means.replace_card(house, awa.session, OTHER_CODE, new_card()))
    assert card_keeping.keeper_of(house, awa.session) is None
    assert card_keeping.cards_i_keep(house, made.fatou.session) == []
    assert rows(house) == 0


@pytest.mark.parametrize("how", ["je me protège", "recovery", "erasure", "the keeper leaves"])
def test_it_ends_with_what_it_was_about(house: Context, made: Kept, how: str) -> None:
    awa = made.awa
    if how == "je me protège":
        protecting.protect(house, awa.session, awa.code, new_card(), OTHER_CODE)
    elif how == "recovery":
        set_circle(house, awa, [face(made.fatou), face(made.marc)])
        session, code = start(house, made.office.kiosk)
        confirm(house, made.fatou, code, beside=True)
        confirm(house, made.marc, code)
        coming_back.finish(house, session, new_card(), OTHER_CODE)
    elif how == "erasure":
        asked = erasure.ask(house, awa.session, awa.code)
        house.clock.forward(hours=73)  # type: ignore[attr-defined]
        erasing.carry_out(house, asked.id)
        assert rows(house) == 0
    else:
        workers.end(house, made.office.admin, made.fatou.id, made.office.proof)
        assert rows(house) == 0
        assert "keeper-left" in [one.key for one in notices.waiting(house, unlock(house, awa))]
        assert card_keeping.keeper_of(house, awa.session) is None
        return
    assert card_keeping.cards_i_keep(house, sign_in(house, made.fatou)) == []
