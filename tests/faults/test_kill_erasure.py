"""An erasure killed at each step is finished by the next process, and leaves nothing; a cancelled one leaves everything."""

from pathlib import Path
from typing import cast

from sqlalchemy import func, select

from storage import intentions
from storage.tables import entry_copies, erasures, notices, rights_requests
from tests.faults.kills import Stores, die_at_each_step
from tests.vault.builders import one_time_password, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.comings import Circle, make_circle
from tests.vault.papers import keep
from tests.vault.test_erasure import WORDS, any_ids, lived_in
from vault import certificates, endings, erasing, erasure, register_reading, remains, rights
from vault.context import Context
from vault.erasure import Witness
from vault.errors import NotThere

A_MINUTE = endings.SOON  # a process that may still be at it is left to it that long


def test_killed_at_each_step_then_finished(house: Context, clock: Clock, tmp_path: Path) -> None:
    """Whatever was done or not, the next run finds nothing left, tells each recipient once, and certifies once."""
    made, papers = lived_in(house, clock, count=3)
    known = [*(one.encode() for one in (*papers, *any_ids(house, made.awa.id))), WORDS.encode()]
    asked = erasure.ask(house, made.awa.session, made.awa.code)
    clock.forward(hours=73)
    assert remains.check(house, made.awa.id, known)
    house.database.close()
    house.keyvault.close()
    certified_before = set()

    def work(mortal: Context) -> None:
        erasing.carry_out(mortal, asked.id)

    for step, stores in die_at_each_step(Stores(house, tmp_path), tmp_path, work):
        left = stores.open(now=cast("Clock", house.clock).now + A_MINUTE)
        with left.database.transaction(read_only=True) as connection:
            row = connection.execute(select(erasures)).mappings().one()
        certified_before.add(row["certificate"] is not None)
        if row["certificate"] is not None:  # certified: then nothing remains, whatever the file still has to be cleaned of
            assert remains.check(left, made.awa.id, known) == [], f"step {step}"
        for erasing_id in erasing.due(left):
            erasing.carry_out(left, erasing_id)
        endings.finish(left)
        assert remains.check(left, made.awa.id, known) == [], f"step {step}"
        assert left.keyvault.owned(made.awa.id) == []
        with left.database.transaction(read_only=True) as connection:
            told = connection.execute(select(notices.c.account, func.count()).group_by(notices.c.account)).all()
            assert {row.account: row[1] for row in told} == {made.fatou.id: 1, made.marc.id: 1}
            assert intentions.pending(connection) == []
            assert connection.execute(select(func.count()).select_from(entry_copies)).scalar_one() > 0
        assert certificates.find(left, asked.number).said.papers == 3
        assert erasing.due(left) == []
        left.database.close()
        left.keyvault.close()
    assert certified_before == {True, False}


def test_asking_and_cancelling_killed_at_each_step(house: Context, clock: Clock, tmp_path: Path) -> None:
    """Asked or not asked, cancelled or not: the card opens the safe, or cancels and then opens it."""
    made, _ = lived_in(house, clock, count=3)
    session = made.awa.session
    house.database.close()
    house.keyvault.close()

    def work(mortal: Context) -> None:
        erasure.ask(mortal, session, made.awa.code)
        erasure.cancel(mortal, None, made.awa.card, made.awa.code)

    seen = set()
    for _, stores in die_at_each_step(Stores(house, tmp_path), tmp_path, work):
        left = stores.open()
        with left.database.transaction(read_only=True) as connection:
            state = connection.execute(select(erasures.c.state)).scalar_one_or_none()
        seen.add(state)
        if state == "asked":
            erasure.cancel(left, None, made.awa.card, made.awa.code)
        assert unlock(left, made.awa).account == made.awa.id
        assert erasing.due(left) == []
        left.database.close()
        left.keyvault.close()
    assert seen == {None, "asked", "cancelled"}


def _small(house: Context) -> tuple[Circle, list[bytes]]:
    """Awa with one paper, and what must be nowhere afterwards."""
    made = make_circle(house)
    paper = keep(house, unlock(house, made.awa), WORDS, text=WORDS)
    return made, [one.encode() for one in (paper, made.awa.id, WORDS)]


def _half_done_is_not_done(left: Context, made: Circle, known: list[bytes], number: str, step: int) -> None:
    """While it is not certified nobody can read that it is done; once it is, nothing remains."""
    try:
        certificates.find(left, number)
    except NotThere:
        with left.database.transaction(read_only=True) as connection:
            assert connection.execute(select(rights_requests.c.state)).scalar() in (None, "carrying-out"), f"step {step}"
            assert connection.execute(select(erasures.c.done)).scalar_one_or_none() is None
    else:
        assert remains.check(left, made.awa.id, known) == [], f"step {step}"


def test_at_once_with_a_witness_killed_at_each_step(house: Context, clock: Clock, tmp_path: Path) -> None:
    """Either nothing was asked and the card opens, or it is due now: the next process finishes it."""
    made, known = _small(house)
    session, totp = made.awa.session, one_time_password(house, made.fatou.totp)
    witness = Witness(made.fatou.code, " ".join(made.fatou.words), totp)
    house.database.close()
    house.keyvault.close()

    def work(mortal: Context) -> None:
        erasure.with_witness(mortal, session, made.awa.code, witness)

    seen = set()
    for step, stores in die_at_each_step(Stores(house, tmp_path), tmp_path, work):
        left = stores.open(now=cast("Clock", house.clock).now + A_MINUTE)
        with left.database.transaction(read_only=True) as connection:
            row = connection.execute(select(erasures)).mappings().one_or_none()
        seen.add(row["state"] if row else None)
        if row is None:
            assert unlock(left, made.awa).account == made.awa.id
        else:
            number = certificates.number_of(row["id"])
            _half_done_is_not_done(left, made, known, number, step)
            for one in erasing.due(left):
                erasing.carry_out(left, one)
            endings.finish(left)
            assert remains.check(left, made.awa.id, known) == [], f"step {step}"
            assert certificates.find(left, number).said.papers == 1
        left.database.close()
        left.keyvault.close()
    assert seen >= {None, "carrying-out", "done"}


def test_by_two_administrators_killed_at_each_step(house: Context, clock: Clock, tmp_path: Path) -> None:
    """The register says closed when the certificate is there, never before, and once."""
    made, known = _small(house)
    nadia, hugo = made.tilleuls.administrators
    line = rights.receive(house, sign_in_administrator(house, nadia), "erasure", "letter")
    rights.identify(house, unlock(house, made.awa), made.awa.code, line.number)
    rights.approve(house, nadia.session, line.id)
    rights.approve(house, sign_in_administrator(house, hugo), line.id)
    rights.carry_out(house, hugo.session, line.id)
    with house.database.transaction(read_only=True) as connection:
        asked = connection.execute(select(erasures.c.id)).scalar_one()
    clock.forward(hours=73)
    house.database.close()
    house.keyvault.close()

    def work(mortal: Context) -> None:
        erasing.carry_out(mortal, asked)

    for step, stores in die_at_each_step(Stores(house, tmp_path), tmp_path, work):
        left = stores.open(now=cast("Clock", house.clock).now + A_MINUTE)
        _half_done_is_not_done(left, made, known, certificates.number_of(asked), step)
        for one in erasing.due(left):
            erasing.carry_out(left, one)
        endings.finish(left)
        assert remains.check(left, made.awa.id, known) == [], f"step {step}"
        (closed,) = register_reading.requests(left, sign_in_administrator(left, nadia), closed=True)
        assert (closed.id, closed.state) == (line.id, "closed")
        assert rights.certificate(left, nadia.session, line.id).said.papers == 1
        left.database.close()
        left.keyvault.close()
