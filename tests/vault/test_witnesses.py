"""Another instance signs the heads of this one's trace: what continues, never a rewritten history; and what else it answers."""

import base64
import dataclasses
import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import delete

from crypto import checkpoint, merkle
from crypto.checkpoint import CheckpointSigner, TreeHead
from crypto.errors import Malformed
from crypto.keys import SignSeed
from crypto.notes import NoteKey
from storage.tables import witness_answers
from tests.vault.clock import Clock
from tests.vault.trace_scene import copy_published, rewrite, verifier, write
from vault import checkpoints, proofs, publication, witnesses
from vault.context import Context
from vault.settings import WitnessAt
from vault.witness import Asked, InUse, Memory, Witness, make_key, read_key
from vault.witness_server import server


@contextmanager
def watched(house: Context, folder: Path) -> Iterator[tuple[Context, Witness]]:
    """The house with a witness that really listens."""
    key = make_key(folder / "key", "witness.example/w1")
    memory = Memory(folder / "memory.json")
    witness = Witness(read_key(folder / "key"), [checkpoints.keys(house)], memory, lambda: int(house.clock().timestamp()))
    with server(witness, "127.0.0.1", 0) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        at = WitnessAt(f"http://127.0.0.1:{listening.server_address[1]}", NoteKey.from_vkey(key))
        settings = dataclasses.replace(house.settings, witnesses=(at,))
        try:
            yield dataclasses.replace(house, settings=settings), witness
        finally:
            listening.shutdown()
            thread.join()
            memory.close()


def test_a_witness_signs_what_continues_and_refuses_a_rewritten_history(any_house: Context, tmp_path: Path, clock: Clock) -> None:
    made = write(any_house, 8)
    with watched(any_house, tmp_path) as (house, witness):
        checkpoints.publish(house)
        clock.forward(days=1)
        made += write(house, 4)
        with house.database.transaction() as connection:
            connection.execute(
                delete(witness_answers)
            )  # forgotten: the witness says what it knows, and is asked again from there
        checkpoints.publish(house)
        (heard,) = witnesses.heard(house)
        assert (heard.size, heard.answer) == (12, "cosigned")
        copy = copy_published(house, tmp_path / "published")
        file = tmp_path / "proof"
        file.write_text(proofs.inclusion(house, made[9]).file)
        vkey = witness.signer.public.lattice.vkey()
        assert verifier("proof", file, "--key", copy / "keys", "--witness", vkey)[0] == 0
        assert verifier("log", copy, "--key", copy / "keys", "--witness", vkey)[0] == 0
        rewrite(house, made)
        write(house, 1)
        checkpoints.publish(house)
        assert witnesses.heard(house)[0].answer == "refused"
        note = publication.checkpoint(house)
        assert witnesses.missing(house, dataclasses.replace(checkpoints.published(house), note=note))  # type: ignore[type-var]
        assert checkpoints.ask_again(house) == 0
        file.write_text(proofs.inclusion(house, made[9]).file)
        assert verifier("proof", file, "--key", copy / "keys", "--witness", vkey)[0] == 1


def test_a_witness_that_is_away_is_asked_again(house: Context, tmp_path: Path) -> None:
    write(house, 2)
    with watched(house, tmp_path) as (seen, _):
        away = dataclasses.replace(seen.settings.witnesses[0], address="http://127.0.0.1:9")
        alone = dataclasses.replace(seen, settings=dataclasses.replace(seen.settings, witnesses=(away,)))
        assert witnesses.heard(alone)[0].answer is None
        checkpoints.publish(alone)
        assert witnesses.heard(alone)[0].answer == "silent"
        assert checkpoints.ask_again(seen) == 1
        assert checkpoints.ask_again(seen) == 0
        assert checkpoint.verify(publication.checkpoint(seen), checkpoints.keys(seen)).head.size == 2


def test_what_a_witness_answers(house: Context, tmp_path: Path) -> None:
    """Each status of C2SP tlog-witness, and what is remembered is on the disk."""
    hashes = [merkle.leaf_hash(b"%d" % one) for one in range(20)]
    log, stranger = CheckpointSigner(SignSeed.random(), "log.example"), CheckpointSigner(SignSeed.random(), "log.example")
    make_key(tmp_path / "key", "w.example")
    memory = Memory(tmp_path / "memory.json")
    with pytest.raises(InUse):
        Memory(tmp_path / "memory.json")
    witness = Witness(read_key(tmp_path / "key"), [log.public], memory, lambda: 1_795_428_000)

    def nodes(level: int, place: int) -> bytes:
        return merkle.root(hashes[place << level : (place + 1) << level])

    def ask(
        old: int, new: int, *, proof: list[bytes] | None = None, by: CheckpointSigner = log, root: bytes = b""
    ) -> tuple[int, str]:
        head = TreeHead("log.example", new, root or merkle.root_at(nodes, new))
        sent = merkle.consistency_proof(nodes, min(old, new), new) if proof is None else proof
        answer = witness.add_checkpoint(witnesses.request_body(old, sent, by.sign(head, 1).encode()).encode())
        return answer.status, answer.text

    assert ask(3, 7) == (409, "0\n")
    assert ask(0, 7)[0] == 200
    assert ask(7, 7)[0] == 200
    assert ask(7, 7, root=bytes(32)) == (409, "7\n")
    assert ask(0, 12) == (409, "7\n")
    assert ask(7, 12, proof=[])[0] == 422
    assert ask(7, 12, root=bytes(32))[0] == 422
    assert ask(7, 12, by=stranger)[0] == 403
    assert ask(12, 7)[0] == 400
    assert ask(7, 12)[0] == 200
    for body in (b"", b"old 07\n\nx", b"old 7\n\n", b"old 7\nzz\n\nlog.example\n", b"\xff", b"old -1\n\n"):
        assert witness.add_checkpoint(body).status == 400
    other = CheckpointSigner(SignSeed.random(), "other.example").sign(TreeHead("other.example", 1, bytes(32)), 1).encode()
    assert witness.add_checkpoint(witnesses.request_body(0, [], other).encode()).status == 404
    memory.close()
    again = Memory(tmp_path / "memory.json")
    assert again.last("log.example") == TreeHead("log.example", 12, merkle.root(hashes[:12]))
    again.close()
    with pytest.raises(Malformed):
        Asked.parse("old 1\n" + (base64.b64encode(bytes(32)).decode() + "\n") * 64 + "\nx")


def test_the_served_witness_answers_http_and_nothing_else(house: Context, tmp_path: Path) -> None:
    with watched(house, tmp_path) as (seen, witness):
        port = seen.settings.witnesses[0].address.rpartition(":")[2]
        client = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
        client.request("GET", "/key")
        assert client.getresponse().read().decode().strip() == witness.signer.public.lattice.vkey()
        for method, path, length, status in (
            ("GET", "/", 0, 404),
            ("POST", "/other", 1, 404),
            ("POST", "/add-checkpoint", 1_000_000, 413),
            ("POST", "/add-checkpoint", 0, 400),
        ):
            client.request(method, path, headers={"Content-Length": str(length)})
            answer = client.getresponse()
            answer.read()
            assert answer.status == status
            client.close()
