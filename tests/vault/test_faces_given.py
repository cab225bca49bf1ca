"""Another name, another drawing: whoever must recognise the person knows them by those of today."""

import dataclasses

import pytest
from sqlalchemy import select, update

from consent.purposes import ShelfKind
from crypto.keys import KemSeed
from storage.tables import circle_members
from tests.vault.builders import make_worker, sign_in, unlock
from tests.vault.comings import Circle, face, make_circle, new_card, set_circle
from vault import assisted, assisting, card_keeping, guardians, people, protecting, sessions
from vault.context import Context
from vault.sessions import Session


@pytest.fixture
def made(any_house: Context) -> Circle:
    return make_circle(any_house)


def known(house: Context, desk: Session) -> list[tuple[str, str, str]]:
    """Whom a guardian finds in their list: name, drawing, phrase."""
    return [(one.name, one.drawing, one.phrase) for one in guardians.people_who_count_on_me(house, desk)]


def test_guardians_find_the_name_and_drawing_of_today_and_the_phrase_stays(any_house: Context, made: Circle) -> None:
    house, awa = any_house, made.awa
    set_circle(house, awa, [dataclasses.replace(face(made.fatou), face_phrase="le pont bleu"), face(made.marc)])
    before = guardians.circle(house, awa.session)
    people.rename(house, awa.session, "Fatoumata")
    people.redraw(house, awa.session, "sun")
    assert known(house, sign_in(house, made.fatou)) == [("Fatoumata", "sun", "le pont bleu")]
    assert known(house, sign_in(house, made.marc)) == [("Fatoumata", "sun", "")]
    assert guardians.circle(house, awa.session) == before, "nothing else of the circle changed"
    people.rename(house, awa.session, None)
    assert known(house, sign_in(house, made.marc)) == [("", "sun", "")]
    # What is formed anew of the same people carries today's face too.
    protecting.protect(house, awa.session, awa.code, new_card(), "591746")
    assert known(house, sign_in(house, made.fatou)) == [("", "sun", "le pont bleu")]


def test_who_helps_to_open_and_who_keeps_the_card_know_it_too(house: Context) -> None:
    made = make_circle(house)
    awa, paul = made.awa, make_worker(house, made.canal, "Paul")
    assisting.choose(house, awa.session, awa.code, paul.id, [ShelfKind("money")], name="Awa", drawing="turtle")
    card_keeping.keep(house, awa.session, made.marc.id, name="Awa", drawing="turtle")
    people.rename(house, awa.session, "Fatoumata")
    people.redraw(house, awa.session, "sun")
    (helped,) = assisting.people_i_help(house, sign_in(house, paul))
    assert (helped.name, helped.drawing) == ("Fatoumata", "sun")
    (kept,) = card_keeping.cards_i_keep(house, sign_in(house, made.marc))
    assert (kept.name, kept.drawing) == ("Fatoumata", "sun")
    shown = people.present_card(house, awa.kiosk, awa.card)
    opened = _with_help(house, shown, sign_in(house, paul), helped.slot)
    with house.database.transaction(read_only=True) as connection:
        lent = assisting.face_lent(house, connection, awa.id, helped.slot, _seed(opened))
    assert lent == ("Fatoumata", "sun"), "what is given in an assisted opening names the person of today"


def _with_help(house: Context, cookie: str, desk: Session, slot: str) -> Session:
    at = sessions.find(house, cookie)
    assisted.lend(house, desk, slot, assisted.start(house, at).code)
    return sessions.find(house, assisted.finish(house, at))


def _seed(opened: Session) -> KemSeed:
    assert opened.assist is not None
    return opened.assist


def test_one_damaged_row_keeps_nobody_from_another_name(house: Context) -> None:
    made = make_circle(house)
    with house.database.transaction() as connection:
        his = (circle_members.c.worker == made.marc.id,)
        label = connection.execute(select(circle_members.c.sealed_label).where(*his)).scalar_one()
        connection.execute(update(circle_members).where(*his).values(sealed_label=bytes([label[0] ^ 1]) + label[1:]))
    people.rename(house, made.awa.session, "Fatoumata")
    assert known(house, sign_in(house, made.fatou)) == [("Fatoumata", "turtle", "")]
    assert people.me(house, unlock(house, made.awa)).name == "Fatoumata"
