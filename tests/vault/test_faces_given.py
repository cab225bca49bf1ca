"""Another name, another drawing: whoever must recognise the person knows them by those of today."""

import dataclasses
import datetime as dt

import pytest
from sqlalchemy import select, update

from consent.purposes import ShelfKind
from crypto.canonical import Value
from crypto.keys import KemSeed
from storage.tables import circle_members
from tests.vault.builders import make_worker, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.comings import Circle, face, make_circle, new_card, set_circle
from vault import assisted, assisting, card_keeping, circles, former_faces, guardians, people, protecting, sessions
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


def before(house: Context, desk: Session) -> list[tuple[str, str]]:
    """What a guardian reads beside it: the names and drawings of before, oldest first."""
    (ward,) = guardians.people_who_count_on_me(house, desk)
    return [(one.name, one.drawing) for one in ward.former]


def test_guardians_go_on_reading_for_a_year_what_was_said_before(any_house: Context, clock: Clock) -> None:
    """ADR 0115: a screen left open changes it in one tap, and who has lost everything says the one they remember."""
    house, made = any_house, make_circle(any_house)
    clock.forward(days=40)
    hers = unlock(house, made.awa)
    people.rename(house, hers, "Zoé")
    people.redraw(house, hers, "sun")
    assert known(house, sign_in(house, made.marc)) == [("Zoé", "sun", "")]
    assert before(house, sign_in(house, made.fatou)) == [("Awa", "turtle")], "what stood for a moment is not kept"
    clock.forward(days=1)
    hers = unlock(house, made.awa)
    people.redraw(house, hers, "star")
    set_circle(house, made.awa, [face(made.fatou, "Zoé", "star"), face(make_worker(house, made.tilleuls, "Paul"), "Zoé", "star")])
    assert before(house, sign_in(house, made.fatou)) == [("Awa", "turtle"), ("Zoé", "sun")], "of who stays"
    (paul,) = (one for one in guardians.circle(house, hers).members if one.name == "Paul")  # type: ignore[union-attr]
    assert _former_of(house, paul.id, hers) == (), "who is new reads today's alone"
    people.rename(house, hers, "Awa")
    people.redraw(house, hers, "turtle")
    assert before(house, sign_in(house, made.fatou)) == [("Zoé", "sun"), ("Zoé", "star")], "what is said today is not of before"
    clock.forward(days=366)
    assert before(house, sign_in(house, made.fatou)) == []


def _former_of(house: Context, member: str, hers: Session) -> tuple[former_faces.Former, ...]:
    with house.database.transaction(read_only=True) as connection:
        row = connection.execute(select(circle_members).where(circle_members.c.id == member)).mappings().one()
        return former_faces.told(circles.opened_label(hers.opened(), hers.account, row), dt.date(2026, 11, 1))


def changed(label: dict[str, Value], name: str, drawing: str, today: dt.date) -> dict[str, Value]:
    return {**label, "name": name, "drawing": drawing, **former_faces.after(label, name, drawing, today)}


@pytest.mark.parametrize("steps", [("Awa", "Zoé"), ("Zoé", "Awa", "Zoé"), ("Zoé", "Awa", "Awa", "Lou", "Zoé")])
def test_no_order_of_taps_on_one_day_drops_the_face_that_stood(steps: tuple[str, ...]) -> None:
    """The same name given again, or there and back: what was known yesterday is still read."""
    today, label = dt.date(2026, 3, 1), dict[str, Value](name="Awa", drawing="turtle")
    for name in steps:
        label = changed(label, name, "turtle", today)
    assert [one.name for one in former_faces.told(label, today)] == ["Awa"]


def test_nobody_pushes_the_old_face_out_by_changing_it_again_and_again() -> None:
    label: dict[str, Value] = {"name": "Awa", "drawing": "turtle"}
    for day in range(1, 10):
        today = dt.date(2026, 3, day)
        label = changed(label, f"Z{day}", "sun", today)
    assert [one.name for one in former_faces.told(label, dt.date(2027, 2, 28))] == ["Awa", "Z1", "Z2", "Z3"]
    assert [one.name for one in former_faces.told(label, dt.date(2027, 3, 2))] == ["Z2", "Z3"]


@pytest.mark.parametrize("planted", ["turtle", ["turtle"], [{}], [{"name": "a", "drawing": "b", "changed": "hier"}], 7])
def test_what_somebody_plants_there_makes_no_page_fail(planted: Value) -> None:
    assert former_faces.told({"before": planted}, dt.date(2026, 1, 1)) == ()


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
