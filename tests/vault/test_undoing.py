"""Four eyes on every way out of what two decided: one administrator alone undoes nothing, and may take the wish to undo it back."""

import pytest
from sqlalchemy import select

from storage.tables import persons
from tests.vault.builders import sign_in_administrator, unlock
from tests.vault.comings import Circle, make_circle
from tests.vault.deaths_scene import approved, line, said, state
from tests.vault.papers import keep
from vault import audit, erasure, register_reading, restricting, rights, undoing
from vault.context import Context
from vault.errors import Conflict, NotAllowed, NotThere
from vault.restricting import Restricted
from vault.rights import Extra
from vault.sessions import Session


def office(house: Context, made: Circle) -> tuple[Session, Session]:
    """Nadia and Hugo, at work."""
    nadia, hugo = (sign_in_administrator(house, one) for one in made.tilleuls.administrators)
    return nadia, hugo


def test_one_alone_does_not_refuse_a_death_that_two_approved(any_house: Context) -> None:
    """Or the safe would be open again for whoever holds the card of the dead. Whoever asked cannot say it twice; another may."""
    house = any_house
    made = make_circle(house)
    keep(house, unlock(house, made.awa), "Bail")
    one = approved(house, made)
    nadia, hugo = office(house, made)
    assert not rights.refuse(house, hugo, one.id, "erreur de personne")
    with pytest.raises(NotAllowed):
        rights.refuse(house, hugo, one.id, "erreur de personne")
    shown = line(house, made)
    assert (state(house, made.awa.id), shown.state, shown.undoing_reason) == ("mourned", "approved", "erreur de personne")
    assert shown.undoing
    assert shown.may_undo  # as Nadia reads it
    elsewhere = sign_in_administrator(house, made.canal.administrators[0])
    with pytest.raises(NotThere):
        undoing.keep(house, elsewhere, one.id)
    undoing.keep(house, nadia, one.id)
    with pytest.raises(Conflict):
        undoing.keep(house, nadia, one.id)
    assert not rights.refuse(house, nadia, one.id, "erreur"), "what was taken back counts for nothing"
    assert rights.refuse(house, hugo, one.id, "erreur de personne")
    assert state(house, made.awa.id) == "open"
    tags = [entry.event.tag for entry in audit.history(house, unlock(house, made.awa))]
    assert (tags.count("rights.undo-asked"), tags.count("rights.undo-kept")) == (2, 1)


def test_what_was_asked_before_an_approval_is_no_second_voice_after_it(house: Context) -> None:
    made = make_circle(house)
    one = said(house, made)
    nadia, hugo = office(house, made)
    assert not rights.refuse(house, hugo, one.id, "doute")
    for admin in (nadia, hugo):
        rights.approve(house, admin, one.id)
    assert line(house, made).undoing == ""
    assert not rights.refuse(house, nadia, one.id, "doute")
    assert state(house, made.awa.id) == "mourned"


def test_what_was_asked_before_it_was_carried_out_is_no_second_voice_after_it(house: Context) -> None:
    """Hugo doubted a judge's order; it was carried out all the same. Nadia alone does not lift it with his old doubt."""
    made = make_circle(house)
    nadia, hugo = office(house, made)
    one = rights.receive(house, nadia, "court-order", "authority", Extra(number=made.awa.number, order="freeze"))
    for admin in (nadia, hugo):
        rights.approve(house, admin, one.id)
    assert not rights.refuse(house, hugo, one.id, "doute")
    rights.carry_out(house, nadia, one.id)
    (shown,) = register_reading.requests(house, nadia)
    assert (shown.state, shown.undoing, shown.undoing_reason) == ("carrying-out", "", "")
    assert not rights.close(house, nadia, one.id, "levé")
    assert state(house, made.awa.id) == "frozen"


@pytest.mark.parametrize("order", ["keep", "freeze"])
def test_one_alone_does_not_lift_what_a_judge_ordered(house: Context, order: str) -> None:
    """After it the safe could be erased."""
    made = make_circle(house)
    nadia, hugo = office(house, made)
    one = rights.receive(house, nadia, "court-order", "authority", Extra(number=made.awa.number, order=order))
    for admin in (nadia, hugo):
        rights.approve(house, admin, one.id)
    with pytest.raises(Conflict):
        rights.close(house, nadia, one.id, "fait")  # it was never carried out
    rights.carry_out(house, nadia, one.id)
    assert not rights.close(house, nadia, one.id, "levé")
    with pytest.raises(NotAllowed):
        rights.close(house, nadia, one.id, "levé")
    assert state(house, made.awa.id) == ("open" if order == "keep" else "frozen")
    if order == "keep":
        with pytest.raises(Restricted):
            erasure.ask(house, unlock(house, made.awa), made.awa.code)
    assert rights.close(house, hugo, one.id, "levé par le juge")
    assert state(house, made.awa.id) == "open"
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(persons.c.restricted, persons.c.frozen)).all() == [(None, None)]


def test_a_restriction_that_was_never_carried_out_is_not_said_to_be_done(house: Context) -> None:
    """Closed, its person would read "fait" over a safe that nothing protects."""
    made = make_circle(house)
    rights.ask_right(house, unlock(house, made.awa), made.awa.code, "restriction")
    nadia, hugo = office(house, made)
    (one,) = [found for found in register_reading.requests(house, nadia) if found.kind == "restriction"]
    for admin in (nadia, hugo):
        rights.approve(house, admin, one.id)
    with pytest.raises(Conflict):
        rights.close(house, nadia, one.id, "fait")
    assert not rights.refuse(house, nadia, one.id, "pas fondé")
    rights.carry_out(house, nadia, one.id)
    assert restricting.state(house, unlock(house, made.awa)) == "asked"
    assert rights.close(house, nadia, one.id, "corrigé")
