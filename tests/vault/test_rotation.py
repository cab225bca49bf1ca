"""What changes under people's feet and must never lock them out: the cost of a guess, the algorithms (law R20)."""

import dataclasses
from pathlib import Path
from types import MappingProxyType

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from sqlalchemy import select

from crypto import sealing
from crypto.unlock import Cost
from storage.tables import accounts, persons, shelves, slots, versions
from tests.faults.kills import Stores, die_at_each_step
from tests.vault.builders import make_office, make_person, make_worker, show_card, sign_in, unlock
from tests.vault.papers import keep, read
from vault import endings, people, sessions, unlocking
from vault.context import Context
from vault.errors import WrongSecret

DEARER = Cost(96, 2)


def dearer(house: Context) -> Context:
    """The same house, where a guess costs more from now on."""
    return dataclasses.replace(house, settings=dataclasses.replace(house.settings, cost=DEARER))


def costs(house: Context, account: str) -> set[tuple[str, int, int]]:
    """What each living way of an account costs."""
    with house.database.transaction(read_only=True) as connection:
        query = select(slots.c.kind, slots.c.memory_cost, slots.c.time_cost)
        return {tuple(row) for row in connection.execute(query.where(slots.c.account == account, slots.c.state == "live"))}


def test_a_way_costs_what_the_settings_ask_from_its_next_unlock_on(any_house: Context) -> None:
    """Card and code, number and words, a worker's six words: each when it opens, none before; wrong ones change nothing."""
    old, house = any_house, dearer(any_house)
    fatou, awa = make_worker(old, make_office(old)), make_person(old, "Awa", words=True)
    before = {row[1:] for row in costs(old, awa.id)}
    with pytest.raises(WrongSecret):
        unlock(house, awa, code="739152")
    assert {row[1:] for row in costs(house, awa.id)} == before
    session = unlock(house, awa)
    assert people.me(house, session).failed_attempts == 1
    assert ("card-pin", DEARER.m, DEARER.t) in costs(house, awa.id)
    assert ("words", *next(iter(before))) in costs(house, awa.id)
    cookie = unlocking.unlock_with_words(house, None, awa.number, awa.words or ())
    assert sessions.find(house, cookie).opened().values == session.opened().values
    sign_in(house, fatou)
    assert costs(house, awa.id) == {("card-pin", DEARER.m, DEARER.t), ("words", DEARER.m, DEARER.t)}
    # Her six words opened, and are dearer; the words of the sheet in her drawer wait for the day on which they do.
    assert costs(house, fatou.id) == {("passphrase", DEARER.m, DEARER.t), ("passphrase", *next(iter(before)))}
    assert unlocking.confirm(house, unlock(house, awa), awa.code) == awa.secret
    assert sign_in(house, fatou).account == fatou.id


def test_killed_while_the_cost_changes_the_card_still_opens(house: Context, tmp_path: Path) -> None:
    """kill -9 at each step: the old way or the new one, and in the end exactly one."""
    awa = make_person(house, "Awa")
    shown = show_card(house, awa.card)
    house.database.close()
    house.keyvault.close()
    seen = set()
    for step, stores in die_at_each_step(
        Stores(house, tmp_path), tmp_path, lambda mortal: unlocking.unlock(dearer(mortal), shown, awa.code)
    ):
        left = stores.open()
        seen |= {memory for _, memory, _ in costs(left, awa.id)}
        assert len(costs(left, awa.id)) == 1, step
        assert unlock(left, awa).opened().values == awa.session.opened().values, step
        endings.finish(left)
        left.database.close()
        left.keyvault.close()
    assert seen == {house.settings.cost.m, DEARER.m}


def tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another hash, cipher and key exchange are those of today from now on; what the present ones sealed still opens."""
    other = sealing.Scheme(2, SHA512, AESGCM, Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA512, AEAD.AES_256_GCM))
    monkeypatch.setattr(sealing, "SCHEMES", MappingProxyType({**sealing.SCHEMES, 2: other}))
    monkeypatch.setattr(sealing, "CURRENT", 2)


def test_an_unlock_seals_anew_by_the_algorithm_of_today_and_the_old_still_opens(
    house: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R20: other hash, cipher and key exchange. Who does not come keeps what they have, and it opens."""
    awa, mariam = make_person(house, "Awa"), make_person(house, "Mariam")
    papers = {person.id: keep(house, person.session, "Avis", text="contenu") for person in (awa, mariam)}
    tomorrow(monkeypatch)
    assert read(house, mariam.session, papers[mariam.id]) == read(house, awa.session, papers[awa.id])
    session = unlock(house, awa)
    assert by_version(house, awa.id) == {2}
    assert by_version(house, mariam.id) == {1}
    assert read(house, session, papers[awa.id])
    assert people.me(house, session).name == "Awa"
    assert people.number_of(house, session) == awa.number
    assert unlock(house, mariam).account == mariam.id
    monkeypatch.setattr(sealing, "CURRENT", 1)  # and back: nothing is lost by a step taken too early
    assert read(house, unlock(house, awa), papers[awa.id])


def test_killed_while_the_algorithm_changes_everything_still_opens(
    house: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kill -9 at each step of the unlock that seals anew: all by the old algorithm or all by the new one, never some of each."""
    awa = make_person(house, "Awa")
    paper = keep(house, awa.session, "Avis", text="contenu")
    content, shown = read(house, awa.session, paper), show_card(house, awa.card)
    house.database.close()
    house.keyvault.close()
    tomorrow(monkeypatch)
    seen = set()
    for step, stores in die_at_each_step(
        Stores(house, tmp_path), tmp_path, lambda mortal: unlocking.unlock(mortal, shown, awa.code)
    ):
        left = stores.open()
        seen.add(frozenset(by_version(left, awa.id)))
        session = unlock(left, awa)
        assert by_version(left, awa.id) == {2}, step
        assert read(left, session, paper) == content, step
        assert people.number_of(left, session) == awa.number
        endings.finish(left)
        assert unlock(left, awa).opened().values == awa.session.opened().values
        left.database.close()
        left.keyvault.close()
    assert seen == {frozenset({1}), frozenset({2})}


def by_version(house: Context, person: str) -> set[int]:
    """The first bytes of what this person's own keys seal."""
    columns = (
        (accounts, accounts.c.id, ("sealed_kem", "sealed_sign", "sealed_values")),
        (persons, persons.c.account, ("sealed_name", "sealed_drawing", "sealed_number", "sealed_conditions")),
        (shelves, shelves.c.person, ("sealed_kind", "sealed_seed")),
        (slots, slots.c.account, ("sealed_secret",)),
        (versions, versions.c.person, ("wrap",)),
    )  # fmt: skip
    found = set()
    with house.database.transaction(read_only=True) as connection:
        for table, owner, names in columns:
            for row in connection.execute(select(table).where(owner == person)).mappings():
                found |= {row[name][0] for name in names if row[name] is not None}
    return found
