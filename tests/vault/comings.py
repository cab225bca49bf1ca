"""What tests of recovery and erasure start from: two structures, their guardians, a person whom they know."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from storage import tables
from tests.vault.builders import (
    MadePerson,
    MadeWorker,
    Office,
    make_office,
    make_person,
    make_worker,
    sign_in,
    sign_in_administrator,
)
from vault import cards, circles, coming_back, guardians, recovery, rights, sessions
from vault.circles import Chosen, CircleSet, GuardianWorker
from vault.context import Context
from vault.recovery import Reason
from vault.sessions import Session

NEW_CODE = "739164"


@dataclass
class Circle:
    """Awa, and two guardians of two operators who know her."""

    tilleuls: Office
    canal: Office
    fatou: MadeWorker
    marc: MadeWorker
    awa: MadePerson


def make_circle(house: Context, *others: Chosen, needed: int = 2) -> Circle:
    """Awa with Fatou and Marc (and others) as guardians, her session open."""
    tilleuls, canal = make_office(house), make_office(house, "ESI Le Canal")
    fatou, marc = make_worker(house, tilleuls), make_worker(house, canal, "Marc")
    awa = make_person(house, "Awa", kiosk=tilleuls.kiosk)
    circles.set_circle(house, awa.session, awa.code, [face(fatou), face(marc), *others], needed)
    return Circle(tilleuls, canal, fatou, marc, awa)


def with_its_office(house: Context) -> Circle:
    """The same, both administrators signed in."""
    made = make_circle(house)
    for administrator in made.tilleuls.administrators:
        sign_in_administrator(house, administrator)
    return made


def face(worker: MadeWorker, name: str = "Awa", drawing: str = "turtle") -> GuardianWorker:
    """A worker as a guardian who knows the person by this name and drawing."""
    return GuardianWorker(worker.id, name, drawing)


def set_circle(house: Context, person: MadePerson, members: Sequence[Chosen], needed: int = 2) -> CircleSet:
    """Choose guardians, the code asked again."""
    return circles.set_circle(house, person.session, person.code, members, needed)


def start(house: Context, kiosk: str, reason: Reason = "lost", *, card: str | None = None) -> tuple[Session, str]:
    """A recovery begun at a kiosk: its session and the code that is shown."""
    started = recovery.start(house, kiosk, reason, card=card)
    return sessions.find(house, started.cookie), started.code


def confirm(
    house: Context, worker: MadeWorker, code: str, *, theft: bool = False, beside: bool = False, name: str = "Awa"
) -> None:
    """A guardian signs in, finds the person in their list, types the code."""
    desk = sign_in(house, worker)
    (ward,) = [one for one in guardians.people_who_count_on_me(house, desk) if one.name == name]
    recovery.confirm(house, desk, ward.member, code, theft=theft, beside=beside)


def both_stores(house: Context) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the main store and of the key vault: what a refusal leaves as it was."""
    found = {}
    for store, schema in ((house.database, tables.metadata), (house.keyvault.database, tables.vault_metadata)):
        with store.transaction(read_only=True) as connection:
            for table in schema.sorted_tables:
                found[table.name] = sorted(map(tuple, connection.execute(select(table))), key=repr)
    return found


def came_back(house: Context, made: Circle) -> str:
    """The whole of a recovery, Marc beside the person: gives the new card, whose code is `NEW_CODE`."""
    session, code = start(house, made.canal.kiosk)
    confirm(house, made.marc, code, beside=True)
    confirm(house, made.fatou, code)
    card = new_card()
    coming_back.finish(house, session, card, NEW_CODE)
    return card


def new_card() -> str:
    """A card that nobody has used."""
    (card,) = cards.new_cards(1)
    return card.text


def lifted_by_two(house: Context, made: Circle, order: str) -> None:
    """Two administrators close a judge's order, and so lift it."""
    done = [
        rights.close(house, sign_in_administrator(house, one), order, "levé par le juge") for one in made.tilleuls.administrators
    ]
    assert done == [False, True]
