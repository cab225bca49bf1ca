"""Kiosks: enrolled by an administrator of their operator, known by a token shown once, gone when they are retired."""

import pytest
from sqlalchemy import select

from storage.tables import kiosks as rows
from tests.vault.builders import make_office, make_person, make_worker
from vault import audit, kiosks
from vault.context import Context
from vault.errors import BadInput, NotAllowed, NotThere
from vault.kiosks import Equipment

NOTHING = Equipment()
EVERYTHING = Equipment(camera=True, scanner=True, printer=True, sound=True)


def test_a_kiosk_is_enrolled_and_known_by_its_token(any_house: Context) -> None:
    office = make_office(any_house)
    token = kiosks.enrol(any_house, office.admin, office.structure, "accueil", Equipment(camera=True, sound=True))
    kiosk = kiosks.by_token(any_house, token)
    assert (kiosk.name, kiosk.structure_name) == ("accueil", office.name)
    assert kiosk.equipment == Equipment(camera=True, sound=True)
    assert kiosks.get(any_house, kiosk.id) == kiosk
    assert kiosk in kiosks.all_of(any_house, office.admin)
    assert "kiosk.enrolled" in [entry.event.tag for entry in audit.history(any_house, office.admin)]


def test_its_token_is_kept_as_a_digest_alone(house: Context) -> None:
    office = make_office(house)
    token = kiosks.enrol(house, office.admin, office.structure, "accueil", NOTHING)
    with house.database.transaction(read_only=True) as connection:
        kept = [str(value) for row in connection.execute(select(rows)) for value in row]
    assert token not in kept


@pytest.mark.parametrize("token", ["", "x", "A" * 22])
def test_another_token_is_no_kiosk(house: Context, token: str) -> None:
    make_office(house)
    with pytest.raises(NotThere):
        kiosks.by_token(house, token)


def test_a_new_address_ends_the_one_before(house: Context) -> None:
    office = make_office(house)
    token = kiosks.enrol(house, office.admin, office.structure, "accueil", NOTHING)
    kiosk = kiosks.by_token(house, token)
    again = kiosks.renew_token(house, office.admin, kiosk.id)
    assert kiosks.by_token(house, again).id == kiosk.id
    with pytest.raises(NotThere):
        kiosks.by_token(house, token)


def test_what_it_has_can_change(house: Context) -> None:
    office = make_office(house)
    kiosks.change(house, office.admin, office.kiosk, "salle 2", Equipment(printer=True))
    kiosk = kiosks.get(house, office.kiosk)
    assert (kiosk.name, kiosk.equipment) == ("salle 2", Equipment(printer=True))


def test_a_retired_kiosk_is_gone_but_histories_still_name_the_place(house: Context) -> None:
    office = make_office(house)
    token = kiosks.renew_token(house, office.admin, office.kiosk)
    awa = make_person(house, kiosk=office.kiosk)
    kiosks.retire(house, office.admin, office.kiosk)
    with pytest.raises(NotThere):
        kiosks.by_token(house, token)
    with pytest.raises(NotThere):
        kiosks.get(house, office.kiosk)
    with pytest.raises(NotThere):
        kiosks.retire(house, office.admin, office.kiosk)
    assert kiosks.all_of(house, office.admin) == []
    assert audit.history(house, awa.session)[0].event.place == f"{office.name}, poste 1"


def test_each_operator_has_its_own(house: Context) -> None:
    office, other = make_office(house), make_office(house, "ESI Le Canal")
    for act in (
        lambda: kiosks.enrol(house, other.admin, office.structure, "accueil", NOTHING),
        lambda: kiosks.change(house, other.admin, office.kiosk, "x", EVERYTHING),
        lambda: kiosks.renew_token(house, other.admin, office.kiosk),
        lambda: kiosks.retire(house, other.admin, office.kiosk),
    ):
        with pytest.raises(NotThere):
            act()
    assert [kiosk.id for kiosk in kiosks.all_of(house, other.admin)] == [other.kiosk]
    assert kiosks.get(house, office.kiosk).name == "poste 1"


def test_only_administrators_touch_kiosks(house: Context) -> None:
    office = make_office(house)
    for session in (make_worker(house, office).session, make_person(house).session):
        for act in (
            lambda: kiosks.enrol(house, session, office.structure, "accueil", NOTHING),  # noqa: B023 - called at once
            lambda: kiosks.retire(house, session, office.kiosk),  # noqa: B023 - called at once
            lambda: kiosks.all_of(house, session),  # noqa: B023 - called at once
        ):
            with pytest.raises(NotAllowed):
                act()


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_kiosk_has_a_name(house: Context, name: str) -> None:
    office = make_office(house)
    with pytest.raises(BadInput):
        kiosks.enrol(house, office.admin, office.structure, name, NOTHING)
