"""A room for training: made and reset in one click, and nothing of it ever meets anything real."""

import dataclasses
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from consent.ids import WorkerId
from crypto.errors import CryptoError
from tests.vault.builders import make_office, make_person, make_worker
from vault import certifying, sessions, shared_papers, sharing, training
from vault.context import Context
from vault.errors import NoSession, NotAllowed, NotThere
from vault.reading_settings import read_settings
from vault.settings import DEMO_MARK, UnsafeSettings


def test_a_room_has_its_own_stores_and_keys_and_is_thrown_away_whole(reading_house: Context) -> None:
    house = reading_house
    office = make_office(house)
    fatou, lina, awa = make_worker(house, office), make_worker(house, office, "Lina"), make_person(house)
    assert not training.room(house, fatou.session).made
    with pytest.raises(NotAllowed):
        training.make(house, awa.session)
    made = training.make(house, fatou.session)
    assert training.room(house, fatou.session) == made
    assert training.name_of(house, lina.session) != made.name, "each worker has a room of their own"
    first = training.generation(house.settings, made.name)
    assert first is not None
    room = training.open_room(house, made.name, first)
    try:
        # Keys of its own: nothing signed or sealed on one side opens on the other.
        for key in ("service_sign", "service_seal", "incident_key", "database_url", "vault_url", "tombstones_url", "blobs"):
            assert getattr(room.settings, key) != getattr(house.settings, key), key
        assert not set(room.settings.root_keys) & set(house.settings.root_keys)
        cookie = training.enter(room, "camille")
        session = sessions.find(room, cookie)
        with pytest.raises(NoSession):
            sessions.find(house, cookie)
        with house.database.transaction() as connection:
            real = sessions.open_for(house, connection, kind="worker", account=fatou.id, keys=fatou.session.opened())
        with pytest.raises(NoSession):
            sessions.find(room, real)
        (line,) = shared_papers.people_sharing(room, session)
        assert (line.name, line.papers) == ("Awa (formation)", 2)
        with house.database.transaction(read_only=True) as connection, pytest.raises((NotThere, CryptoError)):
            certifying.verified_certificate(house, connection, session.account)
        with pytest.raises(NotThere):
            sharing.offer_limits(house, awa.session, WorkerId(session.account))
        with pytest.raises(NotThere):
            training.enter(house, "camille")
        with pytest.raises(NotThere):
            training.enter(room, "nadia")
    finally:
        room.database.close()
        room.keyvault.close()
    training.make(house, fatou.session)
    with pytest.raises(NotThere):
        training.open_room(house, made.name, first)
    assert not (house.settings.folder / training.FOLDER / made.name / first).exists()
    place = house.settings.folder / training.FOLDER / made.name
    old = (house.clock() - training.KEPT).timestamp() - 60
    os.utime(place / training.CURRENT, (old, old))
    assert training.sweep(house) == 1
    assert not place.exists()
    for wrong in ("", "..", "../..", "a" * 24, f"../{made.name}"):
        assert training.generation(house.settings, wrong) is None


def test_a_real_service_opens_no_room_and_a_room_is_made_of_nothing_real(reading_house: Context) -> None:
    house = reading_house
    fatou = make_worker(house, make_office(house))
    made = training.make(house, fatou.session)
    fresh = training.generation(house.settings, made.name)
    assert fresh is not None
    folder = house.settings.folder / training.FOLDER / made.name / fresh
    elsewhere = house.settings.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "public-keys.json").write_text((folder / "public-keys.json").read_text())
    for environment in (
        {"ABRI_FOLDER": str(folder)},
        {"ABRI_FOLDER": str(elsewhere), "ABRI_DATABASE_URL": f"sqlite:///{folder}/abri.sqlite3"},
        {"ABRI_FOLDER": str(elsewhere), "ABRI_VAULT_URL": f"sqlite:///{folder}/vault.sqlite3"},
        {"ABRI_FOLDER": str(elsewhere), "ABRI_BLOBS": f"folder:{folder}/papers"},
    ):
        for mode in ("embedded", "demo"):
            with pytest.raises(UnsafeSettings):
                read_settings({**environment, "ABRI_MODE": mode})
    with pytest.raises(UnsafeSettings):
        read_settings({"ABRI_FOLDER": str(elsewhere), "ABRI_MODE": "training"})
    # The other way round: a folder without the mark, or with a demonstration's, is no room.
    (folder / DEMO_MARK).write_text("")
    with pytest.raises(NotThere):
        training.open_room(house, made.name, fresh)
    (folder / DEMO_MARK).unlink()
    (folder / training.TRAINING_MARK).unlink()
    with pytest.raises(NotThere):
        training.open_room(house, made.name, fresh)
    real = dataclasses.replace(house.settings, mode="embedded")
    assert real.ribbon == "demo.ribbon"
    assert not real.demo


def test_two_taps_at_once_make_one_room_that_stands(reading_house: Context) -> None:
    worker = make_worker(reading_house, make_office(reading_house))
    with ThreadPoolExecutor(2) as taps:
        made = [tap.result() for tap in [taps.submit(training.make, reading_house, worker.session) for _ in range(2)]]
    assert made[0] == made[1]
    stands = training.generation(reading_house.settings, made[0].name)
    assert stands is not None
    place = reading_house.settings.folder / training.FOLDER / made[0].name
    assert [one.name for one in place.iterdir() if one.is_dir()] == [stands]
    room = training.open_room(reading_house, made[0].name, stands)
    try:
        assert training.access(room)["people"]
    finally:
        room.database.close()
        room.keyvault.close()
