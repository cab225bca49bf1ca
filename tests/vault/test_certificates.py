"""What is left of a safe: a certificate that names nobody and that anybody can verify, and the digests of its receipts."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from crypto.errors import BadSignature, Malformed
from storage.tables import receipts
from tests.vault.clock import Clock
from tests.vault.comings import make_circle
from tests.vault.test_erasure import ask_and_carry_out, lived_in
from vault import (
    certificates,
    terms,
)
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
