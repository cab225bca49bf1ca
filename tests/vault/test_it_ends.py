"""A5. It ends: a requisition, an erasure at the kiosk, and what everybody still holds afterwards.

Awa showed papers to Fatou, Marc took a copy. Yesterday's rows and blobs were kept by somebody.
"""

import datetime as dt

import pytest
from sqlalchemy import select

from storage.tables import entries
from tests.vault.builders import sign_in, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.test_erasure import WORDS, lived_in, make_other, rows_of
from vault import certificates, erasing, erasure, notices, parcels, remains, rights
from vault.context import Context
from vault.errors import Conflict, NotAllowed, NotThere, WrongSecret


def test_a5_it_ends(any_house: Context, clock: Clock) -> None:
    house = any_house
    made, papers = lived_in(house, clock)
    other, _ = make_other(house, made)
    others = rows_of(house, other)
    nadia, hugo = (sign_in_administrator(house, one) for one in made.tilleuls.administrators)

    # A requisition: nobody is found by a name; four eyes; nothing is carried out by one.
    asked = rights.receive(house, nadia, "requisition", "authority")
    with pytest.raises(Conflict):
        rights.carry_out(house, nadia, asked.id)
    rights.approve(house, nadia, asked.id)
    with pytest.raises(NotAllowed):
        rights.approve(house, nadia, asked.id)
    with pytest.raises(Conflict):
        rights.carry_out(house, nadia, asked.id)
    rights.approve(house, hugo, asked.id)
    rights.carry_out(house, hugo, asked.id)
    rights.close(house, hugo, asked.id, "répondu : un nom ne se cherche pas")
    assert not [one for one in rights.requests(house, nadia, closed=True) if "Awa" in str(vars(one))]

    # She takes a copy first (K20), reads who received something, and erases everything.
    unlock(house, made.awa)
    parcels.pack(house, made.awa.session, "usb", "fr")
    archive = b"".join(parcels.waiting(house, made.awa.session).blocks())
    plan = erasure.plan(house, made.awa.session)
    assert [one.name for one in plan.recipients if one.took_copy] == ["Marc"]
    with house.database.transaction(read_only=True) as connection:
        leaves = dict(connection.execute(select(entries.c.id, entries.c.leaf)).all())
    going = erasure.ask(house, made.awa.session, made.awa.code)
    clock.forward(hours=72, seconds=1)
    for one in erasing.due(house):
        erasing.carry_out(house, one)

    # Nothing is left; the copy she took is whole; the others' rows are what they were; the trace's leaves stay.
    known = [f"{WORDS} {number}".encode() for number in range(9)]
    known += [one.encode() for one in (*papers, made.awa.number, made.awa.card, made.awa.id)]
    assert remains.check(house, made.awa.id, known) == []
    assert WORDS.encode() in archive
    assert rows_of(house, other) == others
    with house.database.transaction(read_only=True) as connection:
        after = dict(connection.execute(select(entries.c.id, entries.c.leaf)).all())
    assert all(after[name] == leaf for name, leaf in leaves.items())
    with pytest.raises((WrongSecret, NotThere)):
        unlock(house, made.awa)

    # Article 19, and a certificate that names nobody and says when the last backup dies.
    told = [one for one in notices.waiting(house, sign_in(house, made.marc)) if one.key == "person-erased"]
    assert len(told) == 1
    said = certificates.find(house, going.number).said
    assert dt.date.fromisoformat(said.horizon) - dt.date.fromisoformat(said.day) == dt.timedelta(days=30)
    assert not {"Awa", made.awa.id} & set(str(said).split("'"))
