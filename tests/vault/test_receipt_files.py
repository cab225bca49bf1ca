"""Receipts carried away: verified on another machine with a public key alone; each altered field, and any altered byte, is found."""

import datetime as dt
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consent.ids import GrantId
from consent.receipt_file import Anchors, NotVerified, ReceiptFile, verify_file
from consent.record import Receipt
from crypto.canonical import canonical
from crypto.checkpoint import CheckpointSigner
from crypto.errors import Malformed
from crypto.inclusion import InclusionProof
from crypto.keys import SignSeed
from crypto.signing import Signer
from crypto.statements import PersonKeys
from tests.vault.builders import MadePerson, make_office, make_person, make_worker, show_card, unlock
from tests.vault.clock import Clock
from tests.vault.papers import SAID, keep
from tests.vault.test_counted_whole import plant
from tests.vault.test_sharing import SEE, UNTIL, offer
from tests.vault.test_witnessed import make_scene
from vault import checkpoints, proofs, receipt_files, sharing, verifying, withdrawing
from vault.__main__ import main
from vault.context import Context
from vault.errors import NotAllowed, NotThere


@pytest.fixture
def awa(house: Context, clock: Clock) -> tuple[MadePerson, GrantId, GrantId]:
    """Given, renewed, taken back with the code; and given, taken back with the card alone: five receipts of two shares."""
    fatou, awa = make_worker(house, make_office(house)), make_person(house)
    paper = keep(house, awa.session, "Avis de Mme Vuillard", sort="tax-notice")
    first = sharing.grant(house, awa.session, fatou.id, offer(paper, acts=SEE, until=dt.date(2026, 12, 10)))
    clock.forward(seconds=30)
    sharing.renew(house, awa.session, first, UNTIL, SAID)
    second = sharing.grant(house, awa.session, fatou.id, offer(paper, acts=SEE))
    clock.forward(seconds=30)
    withdrawing.withdraw(house, awa.session, first, SAID)
    withdrawing.withdraw(house, show_card(house, awa.card), second, SAID)
    unlock(house, awa)
    return awa, first, second


def keys_of(house: Context, folder: Path) -> Path:
    place = folder / "cles.json"
    place.write_text(json.dumps(checkpoints.anchors(house.settings)))
    return place


def anchors(house: Context) -> Anchors:
    return Anchors(house.service.public, checkpoints.keys(house), house.settings.root_keys)


def test_receipts_verify_on_another_machine_with_the_public_key_alone(
    house: Context, awa: tuple[MadePerson, GrantId, GrantId], tmp_path: Path
) -> None:  # fmt: skip
    person, first, _ = awa
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "recu.json").write_bytes(receipt_files.of_all(house, person.session))
    keys_of(house, elsewhere)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ABRI_")}
    command = [sys.executable, "-m", "vault", "receipt", "verify", "recu.json", "--keys", "cles.json"]
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    done = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "OK  recu.json: 5 receipts are as signed" in done.stdout
    assert done.stdout.count("    trace    entry ") == done.stdout.count(" that was signed on ") == 5
    for words in ("consent given,", "consent given again", "consent taken back", "the card alone", "Fatou", "money: tax-notice"):
        assert words in done.stdout, words
    assert "Vuillard" not in done.stdout  # kinds, never titles
    assert sorted(one.name for one in elsewhere.iterdir()) == ["cles.json", "recu.json"]  # it made no store of its own
    imprint = receipt_files.imprint(receipt_files.records_of(house, person.session, first)[-1].receipt)
    assert imprint in done.stdout


def said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    status = main(["receipt", "verify", *arguments])
    return status, capsys.readouterr().out


def test_what_cannot_be_verified_is_said_in_words_and_in_the_status(
    house: Context, awa: tuple[MadePerson, GrantId, GrantId], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    person, first, second = awa
    file, keys = tmp_path / "recu.json", keys_of(house, tmp_path)
    file.write_bytes(receipt_files.of_share(house, person.session, first))
    sheet = receipt_files.imprint(receipt_files.records_of(house, person.session, first)[0].receipt)
    other = receipt_files.imprint(receipt_files.records_of(house, person.session, second)[0].receipt)
    both = [str(file), "--keys", str(keys)]
    assert said([*both, "--sheet", sheet.upper()], capsys)[0] == verifying.VERIFIES
    status, words = said([*both, "--sheet", other], capsys)
    assert (status, "no receipt in this file bears the imprint" in words) == (verifying.ALTERED, True)
    file.write_bytes(file.read_bytes().replace(b'"rdf:value":"2027-01-31"', b'"rdf:value":"2028-01-31"'))
    assert said(both, capsys) == (verifying.ALTERED, f"NO  {file}: receipt 2 is not what was signed.\n")
    keys.write_text(json.dumps(checkpoints.anchors(house.settings) | {"service": bytes(Signer(SignSeed.random()).public).hex()}))
    status, words = said(both, capsys)
    assert (status, "not vouched for by this service" in words) == (verifying.ALTERED, True)
    service_alone = json.dumps(
        {"service": bytes(house.service.public).hex()}
    )  # no key of the trace: its proofs could not be looked at
    for wrong in ("{}", "[]", '{"service": "zz"}', '{"service": "00"}', "", service_alone):
        keys.write_text(wrong)
        assert said(both, capsys)[0] == verifying.UNREADABLE
    assert said([str(tmp_path / "absent"), "--keys", str(keys_of(house, tmp_path))], capsys)[0] == verifying.UNREADABLE


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list) and value:
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, name))
    else:
        yield path


def changed(value: Any, path: tuple[Any, ...]) -> bytes:
    """The same file with one leaf changed, written canonically again: only a signature can tell."""
    whole = json.loads(json.dumps(value))
    inner = whole
    for name in path[:-1]:
        inner = inner[name]
    old = inner[path[-1]]
    text = old if isinstance(old, str) else ""
    last = {"0": "1", "a": "b", "r": "t"}.get(text[-1:], "0")
    inner[path[-1]] = text[:-1] + last if isinstance(old, str) else [last]
    assert inner[path[-1]] != old
    return canonical(whole)


def verifies(content: bytes, house: Context) -> bool:
    try:
        return bool(verify_file(content, anchors(house)))
    except NotVerified:
        return False


def test_each_altered_field_fails(house: Context, awa: tuple[MadePerson, GrantId, GrantId]) -> None:
    person, first, _ = awa
    whole = receipt_files.of_share(house, person.session, first)
    assert len(verify_file(whole, anchors(house))) == 3
    value = json.loads(whole)
    paths = list(leaves(value))
    assert len(paths) > 200
    assert [path for path in paths if verifies(changed(value, path), house)] == []


def test_any_altered_byte_is_found(house: Context, awa: tuple[MadePerson, GrantId, GrantId]) -> None:
    person, _, second = awa
    whole = receipt_files.of_share(house, person.session, second)
    for place in random.Random(7).sample(range(len(whole)), 250):
        altered = bytearray(whole)
        altered[place] ^= 1
        with pytest.raises(NotVerified):
            verify_file(bytes(altered), anchors(house))
    for cut in (whole[:-1], whole + b"\n", b"", b" " + whole, b"\xff"):
        with pytest.raises(NotVerified):
            verify_file(cut, anchors(house))


def test_none_is_left_out_taken_from_elsewhere_or_put_in_another_order(
    house: Context, awa: tuple[MadePerson, GrantId, GrantId]
) -> None:  # fmt: skip
    person, first, _ = awa
    other = make_person(house, "Yonas")
    theirs = sharing.grant(house, other.session, person_worker(house, person, first), offer(keep(house, other.session), acts=SEE))
    mine = ReceiptFile.from_bytes(receipt_files.of_share(house, person.session, first))
    foreign = ReceiptFile.from_bytes(receipt_files.of_share(house, other.session, theirs))
    one, two, three = mine.receipts

    def fails(*receipts: Any, keys: ReceiptFile = mine) -> str:
        with pytest.raises(NotVerified) as why:
            verify_file(ReceiptFile(keys.keys_statement, keys.keys_signature, receipts).to_bytes(), anchors(house))
        return str(why.value)

    assert "does not follow" in fails(one, three)
    assert "does not follow" in fails(two, one, three)
    assert "somebody else" in fails(one, *foreign.receipts)
    assert "somebody else" in fails(one, two, keys=foreign)
    with pytest.raises(Malformed):
        ReceiptFile(mine.keys_statement, mine.keys_signature, ())


def test_a_receipt_proves_its_own_entry_in_the_trace_of_this_service_alone(
    house: Context, awa: tuple[MadePerson, GrantId, GrantId]
) -> None:  # fmt: skip
    """The proof of another entry, of another trace, of a place or a path that is not its own: each is refused; none at all is said."""
    person, first, _ = awa
    mine = ReceiptFile.from_bytes(receipt_files.of_share(house, person.session, first))
    checked = verify_file(mine.to_bytes(), anchors(house))
    assert len({one.number for one in checked}) == len({one.receipt.entry for one in checked}) == 3
    assert all(one.head is not None and one.number is not None and one.number < one.head.head.size for one in checked)

    def with_proof(proof: bytes) -> ReceiptFile:
        return replace(mine, receipts=(replace(mine.receipts[0], inclusion=proof), *mine.receipts[1:]))

    own = InclusionProof.of_text(mine.receipts[0].inclusion.decode())
    other = mine.receipts[1].inclusion
    head, _, signed = own.note.partition("\n\n")
    lines = signed.splitlines(keepends=True)
    for wrong in (
        other, replace(own, index=own.index + 1).text().encode(), replace(own, path=own.path[1:]).text().encode(),
        replace(own, path=(*own.path, bytes(32))).text().encode(), replace(own, leaf=own.leaf[:-1] + b"\0").text().encode(),
        replace(own, note=f"{head}\n\n{lines[0]}").text().encode(), replace(own, note=f"{head}\n\n{lines[1]}").text().encode(),
        replace(own, note=own.note + lines[0]).text().encode(), b"\xff", b"c2sp.org/tlog-proof@v1\n",
    ):  # fmt: skip
        with pytest.raises(NotVerified, match="receipt 1 carries a proof"):
            verify_file(with_proof(wrong).to_bytes(), anchors(house))
    elsewhere = CheckpointSigner(SignSeed.random(), house.settings.trace_origin).public
    with pytest.raises(NotVerified, match="receipt 1 carries a proof"):
        verify_file(mine.to_bytes(), replace(anchors(house), trace=elsewhere))
    without = verify_file(with_proof(b"").to_bytes(), anchors(house))
    assert (without[0].number, without[0].head) == (None, None)


def test_an_entry_that_waits_for_its_number_has_one_once_the_receipt_leaves(house: Context) -> None:
    fatou, awa = make_worker(house, make_office(house)), make_person(house)
    grant = sharing.grant(house, awa.session, fatou.id, offer(keep(house, awa.session), acts=SEE))
    (signed,) = receipt_files.records_of(house, awa.session, grant)
    assert (signed.inclusion, signed.receipt.entry is not None) == (b"", True)
    (checked,) = verify_file(receipt_files.of_share(house, awa.session, grant), anchors(house))
    assert proofs.numbers(house, [signed.receipt.entry or ""]) == {signed.receipt.entry: checked.number}


def test_receipts_leave_and_are_printed_while_numbering_stands_still(house: Context) -> None:
    """Somebody wrote one row above the tree: what has its number has its proof, what waits leaves without one."""
    fatou, awa = make_worker(house, make_office(house)), make_person(house)
    paper = keep(house, awa.session)
    sharing.grant(house, awa.session, fatou.id, offer(paper, acts=SEE))
    checkpoints.publish(house)
    plant(house)
    late = sharing.grant(house, awa.session, fatou.id, offer(keep(house, awa.session), acts=SEE))
    checked = verify_file(receipt_files.of_all(house, awa.session), anchors(house))
    assert sorted(one.number is None for one in checked) == [False, True]
    (alone,) = verify_file(receipt_files.of_share(house, awa.session, late), anchors(house))
    assert alone.number is None
    (signed,) = receipt_files.records_of(house, awa.session, late)
    assert receipt_files.line_of(house, signed.receipt) is None, "the sheet is printed without"


def test_what_a_witness_signed_is_verified_by_their_certificate(house: Context, clock: Clock) -> None:
    """After an assisted opening the file carries who certified the witness: two administrators, or it proves nothing."""
    scene = make_scene(house, clock)
    grant = scene.given()
    whole = receipt_files.of_share(house, unlock(house, scene.yonas), grant)
    (checked,) = verify_file(whole, anchors(house))
    assert checked.receipt.change.witness == scene.marc.id
    told = ReceiptFile.from_bytes(whole)
    (witness,) = told.witnesses
    one_signature = replace(told, witnesses=(replace(witness, signatures=witness.signatures[:1]),))
    twice = replace(told, witnesses=(replace(witness, signatures=(witness.signatures[0],) * 2),))
    for wrong in (one_signature, twice):
        with pytest.raises(NotVerified, match="two administrators"):
            verify_file(wrong.to_bytes(), anchors(house))
    with pytest.raises(NotVerified, match="two administrators"):
        verify_file(whole, replace(anchors(house), roots={}))
    with pytest.raises(NotVerified, match="not what was signed"):
        verify_file(replace(told, witnesses=()).to_bytes(), anchors(house))
    value = json.loads(whole)
    paths = [path for path in leaves(value) if path[0] == "witnesses"]
    assert len(paths) == 5
    assert [path for path in paths if verifies(changed(value, path), house)] == []


def person_worker(house: Context, person: MadePerson, grant: GrantId) -> str:
    receipt: Receipt = receipt_files.records_of(house, person.session, grant)[0].receipt
    return receipt.recipient.identifier


def test_a_key_that_nobody_vouched_for_signs_nothing(house: Context, awa: tuple[MadePerson, GrantId, GrantId]) -> None:
    """Whoever holds the file cannot put their own key in it, even with the service's real statement beside."""
    person, first, _ = awa
    mine = ReceiptFile.from_bytes(receipt_files.of_share(house, person.session, first))
    said_of = PersonKeys.parse(mine.keys_statement)
    forged = PersonKeys(said_of.person, said_of.kem, Signer(SignSeed.random()).public, 1, b"")
    with pytest.raises(NotVerified):
        verify_file(ReceiptFile(forged.encode(), mine.keys_signature, mine.receipts).to_bytes(), anchors(house))


def test_receipts_are_one_s_own(house: Context, awa: tuple[MadePerson, GrantId, GrantId]) -> None:
    person, first, _ = awa
    other = make_person(house, "Yonas")
    with pytest.raises(NotThere):
        receipt_files.of_share(house, other.session, first)
    with pytest.raises(NotThere):
        receipt_files.of_all(house, other.session)
    with pytest.raises(NotAllowed):
        receipt_files.of_all(house, show_card(house, person.card))
