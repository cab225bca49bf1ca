"""Signed tree heads: both keys must hold, one form only, witnesses beside the log."""

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import checkpoint, notes
from crypto.checkpoint import CheckpointSigner, LogKeys, TreeHead
from crypto.errors import BadSignature, CryptoError, Malformed
from crypto.keys import SignSeed
from crypto.notes import Note, NoteKey

NAME, AT = "abri.example/trace", 1_795_428_000
LOG = CheckpointSigner(SignSeed(bytes([7]) * 32), NAME)
OTHER = CheckpointSigner(SignSeed(bytes([8]) * 32), NAME)
WITNESS = CheckpointSigner(SignSeed(bytes([9]) * 32), "witness.example/w1")
HEAD = TreeHead(NAME, 20852163, bytes(range(32)))
NOTE = LOG.sign(HEAD, AT)
TEXT = NOTE.encode()


def test_a_checkpoint_holds() -> None:
    assert checkpoint.verify(TEXT, LOG.public) == checkpoint.Checkpoint(HEAD, AT)
    assert TEXT.startswith(f"{NAME}\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n\u2014 {NAME} ")
    assert LogKeys.of_lines(LOG.public.lines()) == LOG.public


def test_the_published_example_of_a_key() -> None:
    """The verifier key and the note of C2SP's signed-note document: an implementation that is not ours wrote them."""
    note = Note.parse(
        "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned \u00e8 subito sera.\n\n"
        "\u2014 quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
    )
    (one,) = note.signatures
    assert (one.name, one.key_id.hex(), len(one.signature)) == ("quasimodo.example/salvatore", "367ba04b", 64)


def test_both_keys_are_needed() -> None:
    classic, lattice = NOTE.signatures
    theirs = OTHER.sign(HEAD, AT).signatures
    for signatures in ((classic,), (lattice,), theirs, (classic, theirs[1]), (theirs[0], lattice)):
        with pytest.raises(BadSignature):
            checkpoint.verify(dataclasses.replace(NOTE, signatures=signatures).encode(), LOG.public)
    mixed = LogKeys(LOG.public.classic, OTHER.public.lattice)
    with pytest.raises(BadSignature):
        checkpoint.verify(TEXT, mixed)


def test_a_line_of_an_unknown_key_says_nothing_and_a_false_line_of_a_known_one_refuses_all() -> None:
    extra = OTHER.sign(HEAD, AT).signatures
    assert checkpoint.verify(dataclasses.replace(NOTE, signatures=(*extra, *NOTE.signatures)).encode(), LOG.public).at == AT
    false = dataclasses.replace(NOTE.signatures[0], signature=bytes(64))
    with pytest.raises(BadSignature):
        checkpoint.verify(dataclasses.replace(NOTE, signatures=(*NOTE.signatures, false)).encode(), LOG.public)


def test_a_log_signs_its_own_heads_and_a_checkpoint_of_another_is_refused() -> None:
    with pytest.raises(ValueError, match="its own heads"):
        LOG.sign(dataclasses.replace(HEAD, origin="other.example"), AT)
    foreign = CheckpointSigner(SignSeed(bytes([7]) * 32), "other.example")
    with pytest.raises(BadSignature):
        checkpoint.verify(foreign.sign(TreeHead("other.example", 1, bytes(32)), AT).encode(), LOG.public)


def test_a_witness_stands_beside_the_log() -> None:
    line = WITNESS.cosign(HEAD, AT + 5)
    stranger = OTHER.cosign(HEAD, AT)
    elsewhere = WITNESS.cosign(dataclasses.replace(HEAD, size=1), AT)
    more = checkpoint.witnessed(NOTE, [stranger, elsewhere, line, line], [WITNESS.public.lattice])
    assert more.signatures == (*NOTE.signatures, line)
    assert checkpoint.verify_cosignature(more, WITNESS.public.lattice) == AT + 5
    assert checkpoint.verify(more.encode(), LOG.public).head == HEAD
    assert notes.signatures_of(line.line()) == (line,)
    with pytest.raises(BadSignature):
        checkpoint.verify_cosignature(NOTE, WITNESS.public.lattice)


@given(st.integers(0, len(TEXT.encode()) - 1), st.integers(0, 7))
def test_every_bit_of_a_checkpoint_counts(place: int, bit: int) -> None:
    forged = bytearray(TEXT.encode())
    forged[place] ^= 1 << bit
    with pytest.raises((CryptoError, UnicodeDecodeError)):
        checkpoint.verify(forged.decode(), LOG.public)


@given(st.text(max_size=300) | st.binary(max_size=60).map(lambda some: TEXT[: len(some) * 20] + some.decode("latin-1")))
def test_what_parses_encodes_back(untrusted: str) -> None:
    try:
        found = Note.parse(untrusted)
    except Malformed:
        return
    assert found.encode() == untrusted


@pytest.mark.parametrize(
    "text",
    ["", f"{NAME}\n1\n", f"{NAME}\n01\n{'A' * 43}=\n", f"{NAME}\n-1\n{'A' * 43}=\n", f"{NAME}\n1\n{'A' * 42}B=\n",
     f"{NAME}\n1\n{'A' * 43}=\nmore\n", f"two words\n1\n{'A' * 43}=\n", f"{NAME}\n1\n{'A' * 43}=", f"{NAME}\n\u0661\n{'A' * 43}=\n"],
)  # fmt: skip
def test_a_head_has_one_form(text: str) -> None:
    with pytest.raises(Malformed):
        TreeHead.of_text(text)


@pytest.mark.parametrize(
    "line", ["", "a+b", "a+00000000+", "a b+00000000+AQ==", re.sub("^abri", "Abri", LOG.public.classic.vkey())]
)
def test_a_verifier_key_has_one_form(line: str) -> None:
    with pytest.raises(Malformed):
        NoteKey.from_vkey(line)


@pytest.mark.parametrize("lines", ["", LOG.public.lines()[:-1], LOG.public.lines() + "\n", LOG.public.classic.vkey() + "\n"])
def test_the_keys_of_a_log_have_one_form(lines: str) -> None:
    with pytest.raises(Malformed):
        LogKeys.of_lines(lines)
    with pytest.raises(Malformed):
        LogKeys(LOG.public.lattice, LOG.public.classic)
