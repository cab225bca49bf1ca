"""A5. It ends: requisitions by name and by number, an erasure at the kiosk, two deaths, and what everybody still holds afterwards.

Awa showed papers to Fatou, Marc took a copy. What yesterday's rows and blobs still open, with both workers' keys, is tried in
`test_erasure.py` and `test_what_ended.py`; here the scenario runs from end to end, and the tree is counted again.
"""

import datetime as dt
import json
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import select

from storage.columns import CLEAR
from storage.tables import checkpoints as checkpoint_rows
from storage.tables import entries, metadata, papers
from tests.vault.builders import make_person, sign_in, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.comings import face, make_circle, set_circle
from tests.vault.papers import keep
from tests.vault.test_directives import member
from tests.vault.test_erasure import WORDS, any_ids, lived_in, make_other, rows_of
from tests.vault.test_restore import FOR_RECOVERY, RECOVERY, three
from vault import (
    article19,
    audit,
    backups,
    certificates,
    checkpoints,
    deaths,
    directives,
    erasing,
    erasure,
    notices,
    parcels,
    recount,
    register_reading,
    remains,
    requisitions,
    rights,
)
from vault.context import Context
from vault.errors import Conflict, NotAllowed, NotThere, WrongSecret


def test_a5_it_ends(
    any_house: Context, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    house, temporary = any_house, tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("SQLITE_TMPDIR", str(temporary))
    caplog.set_level(0)
    made, nine = lived_in(house, clock)
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
    assert not [one for one in register_reading.requests(house, nadia, closed=True) if "Awa" in str(vars(one))]

    # By her account number: exactly what is in clear, under four eyes, logged; she is told, and reads it.
    numbered = rights.receive(house, nadia, "requisition", "authority", rights.Extra(number=made.awa.number))
    for one in (nadia, hugo):
        with pytest.raises(Conflict):
            requisitions.extract(house, nadia, numbered.id)
        rights.approve(house, one, numbered.id)
    rights.carry_out(house, nadia, numbered.id)
    tables = json.loads(requisitions.extract(house, nadia, numbered.id))["tables"]
    for name, rows in tables.items():
        clear = {column.name for column in metadata.tables[name].columns if column.info["data"] in CLEAR}
        assert all(set(row) == clear for row in rows), name
    assert len(tables["papers"]) == 9
    assert WORDS not in str(tables)
    assert "requisition.extracted" in {one.event.tag for one in audit.history(house, nadia)}
    assert "requisition" in {one.key for one in notices.waiting(house, unlock(house, made.awa))}
    rights.close(house, hugo, numbered.id, "extrait remis")

    # She takes a copy first (K20), reads who received something, and erases everything.
    unlock(house, made.awa)
    parcels.pack(house, made.awa.session, "usb", "fr")
    archive = b"".join(parcels.waiting(house, made.awa.session).blocks())
    plan = erasure.plan(house, made.awa.session)
    assert [one.name for one in plan.recipients if one.took_copy] == ["Marc"]
    checkpoints.publish(house)
    with house.database.transaction(read_only=True) as connection:
        leaves = dict(connection.execute(select(entries.c.id, entries.c.leaf)).all())
    known = [f"{WORDS} {number}".encode() for number in range(9)]
    known += [one.encode() for one in (*nine, made.awa.number, made.awa.card, made.awa.id, *any_ids(house, made.awa.id))]
    assert len(known) >= 30
    where = three(tmp_path)
    backups.make(house, where, FOR_RECOVERY)
    assert remains.in_backups(where, [RECOVERY], known)[0]
    going = erasure.ask(house, made.awa.session, made.awa.code)
    clock.forward(hours=72, seconds=1)
    for one in erasing.due(house):
        erasing.carry_out(house, one)

    # Nothing was said aloud or logged of any of it, nothing lies in a temporary file.
    said_aloud = capfd.readouterr()
    logged = f"{said_aloud.out}{said_aloud.err}{caplog.text}".encode()
    assert [one for one in known if one in logged] == []
    assert list(temporary.iterdir()) == []

    # Nothing is left; the copy she took is whole; the others' rows are what they were; the trace's leaves stay.
    assert remains.check(house, made.awa.id, known) == []
    assert WORDS.encode() in archive
    assert rows_of(house, other) == others
    with house.database.transaction(read_only=True) as connection:
        after = dict(connection.execute(select(entries.c.id, entries.c.leaf)).all())
    assert all(after[name] == leaf for name, leaf in leaves.items())
    with pytest.raises((WrongSecret, NotThere)):
        unlock(house, made.awa)

    # Article 19, and a certificate that names nobody and says when the last backup dies.
    marc = sign_in(house, made.marc)
    told = [one for one in notices.waiting(house, marc) if one.key == "person-erased"]
    assert len(told) == 1
    (asked_of_marc,) = article19.waiting(house, marc)
    article19.answer(house, marc, asked_of_marc.id, "done")
    assert article19.counts(house, going.number) == article19.Counts(2, 1, 0, 0)
    said = certificates.find(house, going.number).said
    assert dt.date.fromisoformat(said.horizon) - dt.date.fromisoformat(said.day) == dt.timedelta(days=30)
    assert not {"Awa", made.awa.id} & set(str(said).split("'"))

    # On the day that the certificate names, the backup that was made before is gone, and so is what it held.
    clock.now = dt.datetime.combine(dt.date.fromisoformat(said.horizon), dt.time(3), dt.UTC)
    backups.make(house, where, FOR_RECOVERY)
    assert remains.in_backups(where, [RECOVERY], known) == ([], [])
    assert (said.papers, said.recipients) == (9, 2)

    # Every earlier head of the tree still verifies, and what is missing from it is said by an entry that the certificate names.
    checkpoints.publish(house)
    counted = recount.count(house)
    assert counted.faults == ()
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(checkpoint_rows.c.size)).scalars().all()[0] < counted.size
        assert connection.execute(select(entries.c.number).where(entries.c.id == said.entry)).scalar_one() is not None


def test_a5_the_dead(house: Context, clock: Clock) -> None:
    """With *tout effacer* and without a word: frozen first, nothing erased before the year, no paper asked of anybody."""
    made = make_circle(house)
    cheick = make_person(house, "Cheick", kiosk=made.tilleuls.kiosk)
    set_circle(house, cheick, [face(made.fatou, "Cheick"), face(made.marc, "Cheick")])
    for person in (made.awa, cheick):
        keep(house, unlock(house, person), f"Bail de {person.name}")
    directives.record(house, unlock(house, made.awa), made.awa.code, directives.Wish("erase"))
    nadia, hugo = (sign_in_administrator(house, one) for one in made.tilleuls.administrators)
    for person in (made.awa, cheick):
        for worker in (made.fatou, made.marc):
            deaths.report(house, sign_in(house, worker), member(house, worker, person.name), seen=True)
    lines = [one for one in register_reading.requests(house, nadia) if one.kind == "death"]
    assert {one.decided for one in lines} == {"erase", "nothing"}
    for one in lines:
        rights.approve(house, nadia, one.id)
        rights.approve(house, hugo, one.id)
        with pytest.raises(Conflict):
            rights.carry_out(house, hugo, one.id)
    seen = str(lines) + str([vars(one) for one in register_reading.requests(house, hugo)])
    assert not [word for word in ("Awa", "Cheick", "Bail") if word in seen]
    for days in (30, 300, 34):
        clock.forward(days=days)
        assert deaths.end_due(house) == 0
        assert kept(house) == 2
    clock.forward(days=1)
    assert deaths.end_due(house) == 2
    clock.forward(hours=73)
    for erased in erasing.due(house):
        erasing.carry_out(house, erased)
    assert kept(house) == 0
    for person in (made.awa, cheick):
        assert remains.check(house, person.id, [f"Bail de {person.name}".encode()]) == []
    done = register_reading.requests(house, sign_in_administrator(house, made.tilleuls.administrators[0]), closed=True)
    assert [one.state for one in done if one.kind == "death"] == ["closed", "closed"]


def kept(house: Context) -> int:
    with house.database.transaction(read_only=True) as connection:
        return len(connection.execute(select(papers.c.id)).all())
