"""What is left of a safe: a certificate that names nobody and that anybody can verify, and the digests of its receipts."""

import datetime as dt
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Table, select

from consent.days import add_months
from crypto.errors import BadSignature, Malformed
from storage.tables import article19, erasures, receipts, rights_requests
from tests.vault.builders import sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.comings import make_circle
from tests.vault.test_erasure import ask_and_carry_out, lived_in
from vault import (
    certificates,
    erasure,
    register_reading,
    rights,
    terms,
)
from vault.__main__ import main
from vault.context import Context
from vault.errors import NotThere


def test_the_certificate_verifies_offline_and_a_changed_byte_is_found(house: Context, clock: Clock) -> None:
    """Its number is found in any writing of it; another number finds nothing; no name is in it."""
    made, _ = lived_in(house, clock)
    asked = ask_and_carry_out(house, clock, made.awa)
    found = certificates.find(house, asked.number.lower().replace("-", ""))
    said, signature = found.said.encode(), found.signature
    assert certificates.check(said, signature, house.service.public) == found.said
    for place in range(0, len(said), 7):
        with pytest.raises((BadSignature, Malformed)):
            certificates.check(said[:place] + bytes([said[place] ^ 1]) + said[place + 1 :], signature, house.service.public)
    with pytest.raises(BadSignature):
        certificates.check(said, signature[:-1] + bytes([signature[-1] ^ 1]), house.service.public)
    for number in ("", "0000-0000-0000", asked.number[:-1], asked.number + "0", "%", "%%%%-%%%%-%%%%"):
        with pytest.raises(NotThere):
            certificates.find(house, number)
    assert b"Awa" not in said
    assert made.awa.id.encode() not in said


def test_of_receipts_only_number_day_and_digest_stay_and_not_for_ever(house: Context, clock: Clock) -> None:
    """GDPR 17(3)(e): a receipt that somebody kept can still be recognised; nothing ties it to a safe; it goes at its term."""
    made, _ = lived_in(house, clock)
    ask_and_carry_out(house, clock, made.awa)
    with house.database.transaction(read_only=True) as connection:
        rows = connection.execute(select(receipts)).mappings().all()
    assert len(rows) == 3
    for row in rows:
        assert (row["grant"], row["for_person"]) == (None, None)
        assert len(row["digest"]) == 64
    clock.forward(days=5 * 365)
    assert terms.close_registers(house) == 0
    clock.forward(days=2 * 366)
    terms.close_registers(house)
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(receipts)).first() is None


def test_a_certificate_is_verified_anywhere_with_the_public_key_alone(house: Context, clock: Clock, tmp_path: Path) -> None:
    """As a file: right, then with each kind of change, then with no key. No store is opened, nobody is named."""
    made = make_circle(house)
    asked = ask_and_carry_out(house, clock, made.awa)
    file, keys = tmp_path / "certificat.json", tmp_path / "keys.json"
    content = certificates.find(house, asked.number).to_file()
    keys.write_text(json.dumps({"service": bytes(house.service.public).hex()}))
    file.write_bytes(content)
    status, line = certificates.verify(file, keys)
    assert (status, asked.number in line) == (0, True)
    assert "Awa" not in line
    flipped = content[:60] + bytes([content[60] ^ 1]) + content[61:]
    for changed in (content.replace(b'"v":"1"', b'"v":"2"'), content[:-20], content + b" ", flipped):
        file.write_bytes(changed)
        assert certificates.verify(file, keys)[0] == 1
    assert certificates.verify(file, tmp_path / "none.json")[0] == 2


def test_what_the_plan_says_is_what_happens(house: Context, clock: Clock) -> None:
    """The same counts in the certificate; each kept thing is there on the day that was told and gone on the next one. A complaint that
    is open then has no day: it goes as many years after its answer as was told."""
    made, _ = lived_in(house, clock, count=3)
    awa = unlock(house, made.awa, kiosk=made.tilleuls.kiosk)
    for kind in ("access", "complaint"):
        rights.ask_right(house, awa, made.awa.code, kind)
    plan = erasure.plan(house, unlock(house, made.awa))
    asked = ask_and_carry_out(house, clock, made.awa)
    said = certificates.find(house, asked.number).said
    assert (plan.papers, plan.grants, plan.receipts) == (said.papers, said.grants, said.receipts)
    assert plan.backups_until.isoformat() == said.horizon
    with house.database.transaction(read_only=True) as connection:
        assert len(connection.execute(select(rights_requests).where(rights_requests.c.closed.is_(None))).all()) == 1
    clock.forward(days=90)
    (line,) = register_reading.requests(house, sign_in_administrator(house, made.tilleuls.administrators[0]))
    rights.refuse(house, made.tilleuls.admin, line.id, "Répondu.")
    answered = clock.now.date()
    left: dict[str, Callable[[], int]] = {
        what: partial(_rows, house, table)
        for what, table in (
            ("certificate", erasures), ("receipts", receipts), ("answers", article19), ("requests", rights_requests),
        )
    }  # fmt: skip
    told = {one.what: one for one in plan.kept}
    days = {told[what].until for what in left}
    (day,) = days
    assert day is not None
    before = {what: count() for what, count in left.items()}
    for now, gone in ((day, {}), (day + dt.timedelta(days=1), {"certificate": 0, "receipts": 0, "answers": 0, "requests": 1})):
        clock.now = dt.datetime.combine(now, dt.time(12), dt.UTC)
        terms.close_registers(house)
        assert {what: count() for what, count in left.items()} == before | gone
    later = told["requests-open"]
    assert later.until is None
    last = add_months(answered, 12 * later.years)
    for now, open_lines in ((last, 1), (last + dt.timedelta(days=1), 0)):
        clock.now = dt.datetime.combine(now, dt.time(12), dt.UTC)
        terms.close_registers(house)
        assert left["requests"]() == open_lines


def _rows(house: Context, table: Table) -> int:
    with house.database.transaction(read_only=True) as connection:
        return len(connection.execute(select(table)).all())


def test_the_command_verifies_a_certificate_without_a_service(
    house: Context, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`abri certificate verify`: 0 when it is right, 1 when a byte was changed, with no setting and no folder of a house."""
    made = make_circle(house)
    asked = ask_and_carry_out(house, clock, made.awa)
    file, keys = tmp_path / "certificate.json", tmp_path / "keys.json"
    whole = certificates.find(house, asked.number).to_file()
    keys.write_text(json.dumps({"service": bytes(house.service.public).hex()}), encoding="utf-8")
    for name in [name for name in os.environ if name.startswith("ABRI_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    found = []
    for content in (whole, whole[:60] + bytes([whole[60] ^ 1]) + whole[61:], whole[:-3]):
        file.write_bytes(content)
        found.append(main(["certificate", "verify", str(file), "--keys", str(keys)]))
    assert found[0] == 0
    assert 0 not in found[1:]
    said = capsys.readouterr()
    assert asked.number in said.out
