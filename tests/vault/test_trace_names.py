"""Keys of the trace turn and its name changes; what people took away before goes on verifying, with us and without us."""

import dataclasses
import json
from pathlib import Path

import pytest

from consent.receipt_file import NotVerified, verify_file
from crypto import merkle
from crypto.checkpoint import CheckpointSigner, TreeHead
from crypto.keys import SignSeed
from tests.vault.builders import make_office, make_person, make_worker
from tests.vault.clock import Clock
from tests.vault.papers import keep
from tests.vault.test_sharing import offer, second_day
from tests.vault.trace_scene import copy_published, verifier, write
from vault import checkpoints, proofs, receipt_files, sharing
from vault.context import Context
from vault.settings import EarlierKeys
from vault.verifying import read_anchors

NAME, ANOTHER = "abri.example/trace", "abri.example/trace-2027"


def published(folder: Path, log: CheckpointSigner, leaves: list[bytes], *, before: CheckpointSigner | None = None) -> Path:
    """A log of these leaves as a folder; and the keys that sign it, in a file."""
    (folder / "tile" / "entries" / "000.p").mkdir(parents=True)
    bundle = b"".join(len(one).to_bytes(2, "big") + one for one in leaves)
    (folder / "tile" / "entries" / "000.p" / str(len(leaves))).write_bytes(bundle)
    head = TreeHead(log.public.name, len(leaves), merkle.root([merkle.leaf_hash(one) for one in leaves]))
    (folder / "checkpoint").write_text(log.sign(head, 2).encode())
    (folder / "keys").write_text(log.public.lines())
    return folder


@pytest.mark.parametrize("name", [NAME, ANOTHER], ids=["keys turned", "another name"])
def test_whoever_verifies_alone_gives_the_keys_of_before_too(tmp_path: Path, name: str) -> None:
    leaves = [b"\1" + bytes([number] * 16) + bytes(96) for number in range(5)]
    old, new = CheckpointSigner(SignSeed.random(), NAME), CheckpointSigner(SignSeed.random(), name)
    kept = published(tmp_path / "kept", old, leaves[:3])
    today = published(tmp_path / "today", new, leaves)
    keys, before, since = today / "keys", kept / "keys", kept / "checkpoint"
    assert verifier("log", today, "--key", keys, "--since", since)[0] == 1, "one pair alone does not know the other"
    status, said = verifier("log", today, "--key", keys, "--key", before, "--since", since)
    assert (status, "continues the one of 3" in said) == (0, True), said
    assert verifier("log", today, "--key", before, "--key", keys)[0] == 1, "today's head is not of a key of before"
    (tmp_path / "both").write_text(keys.read_text() + before.read_text())
    assert verifier("log", today, "--key", tmp_path / "both")[0] == 2
    mixed = old.public.lines().splitlines()[0] + "\n" + new.public.lines().splitlines()[1] + "\n"
    (tmp_path / "mixed").write_text(mixed)
    assert verifier("log", today, "--key", tmp_path / "mixed")[0] in (1, 2)


def named(house: Context, name: str, *former: str) -> Context:
    return dataclasses.replace(house, settings=dataclasses.replace(house.settings, trace_name=name, former_trace_names=former))


def test_what_was_taken_away_under_the_name_of_before_goes_on_verifying(house: Context, clock: Clock, tmp_path: Path) -> None:
    house = named(house, NAME)
    fatou, awa = make_worker(house, make_office(house)), make_person(house)
    paper = keep(house, awa.session)
    second_day(house, clock, awa)
    grant = sharing.grant(house, awa.session, fatou.id, offer(paper))
    checkpoints.publish(house)
    taken = receipt_files.of_share(house, awa.session, grant)
    line = write(house, 1)[0]
    proof = tmp_path / "one.tlog-proof"
    proof.write_text(proofs.inclusion(house, line).file)
    first = copy_published(house, tmp_path / "first")

    forgotten, later = named(house, ANOTHER), named(house, ANOTHER, NAME)
    with pytest.raises(NotVerified):
        verify_file(taken, anchors(forgotten, tmp_path))
    assert [one.receipt.grant for one in verify_file(taken, anchors(later, tmp_path))] == [grant]
    again = receipt_files.of_share(later, awa.session, grant)  # its head was signed under the name of before
    assert [one.receipt.grant for one in verify_file(again, anchors(later, tmp_path))] == [grant]
    assert verifier("proof", proof, "--key", first / "keys")[0] == 0
    (tmp_path / "new").write_text(checkpoints.keys(later).lines())
    assert verifier("proof", proof, "--key", tmp_path / "new", "--key", first / "keys")[0] == 0


def anchors(house: Context, folder: Path) -> object:
    place = folder / "cles.json"
    place.write_text(json.dumps(checkpoints.anchors(house.settings)))
    return read_anchors(place)


def test_earlier_keys_are_known_under_the_name_of_before(house: Context, tmp_path: Path) -> None:
    """The keys turned before the name changed: a receipt of that time is signed by neither today's key nor today's name."""
    old = CheckpointSigner(SignSeed.random(), NAME).public
    before = EarlierKeys(
        house.service.public, old.classic.public + old.lattice.public, house.settings.service_seal, house.clock().date(), b"", b""
    )
    settings = dataclasses.replace(named(house, ANOTHER, NAME).settings, earlier=(before,))
    assert old.lines().splitlines() in checkpoints.anchors(settings)["former_traces"]
