"""The benchmark's twin: as long as the true formats everywhere, and out of reach of the service."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import twin
from crypto import stream
from crypto.keys import AgeFileKey

ROOT = Path(__file__).parents[2]
PACKAGES = ("crypto", "consent", "storage", "vault")
KEY = AgeFileKey(bytes(16))
SIZES = st.one_of(
    st.integers(0, 300_000), st.sampled_from([n * stream.CHUNK + d for n in (1, 2, 16) for d in (-1, 0, 1) if n * stream.CHUNK + d])
)  # fmt: skip


def _pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@given(length=SIZES, piece=st.sampled_from([1000, stream.CHUNK, stream.CHUNK + 1, 1024 * 1024]))
def test_its_payloads_are_framed_like_the_true_ones(length: int, piece: int) -> None:
    plain = bytes(range(251)) * (length // 251 + 1)
    plain = plain[:length]
    ours, theirs = stream.Encryptor(KEY), twin.Encryptor(KEY)
    for block in _pieces(plain, piece):
        assert len(theirs.update(block)) == len(ours.update(block))
    assert len(theirs.finish()) == len(ours.finish())


@given(
    length=SIZES,
    piece=st.sampled_from([1000, stream.SEALED_CHUNK, 1024 * 1024]),
    part=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_what_it_keeps_comes_out_again(length: int, piece: int, part: tuple[float, float]) -> None:
    plain = (bytes(range(251)) * (length // 251 + 1))[:length]
    framing = twin.Encryptor(KEY)
    payload = framing.update(plain) + framing.finish()
    assert len(payload) == stream.payload_length(length)
    reading = twin.Decryptor(KEY)
    assert b"".join(reading.update(block) for block in _pieces(payload, piece)) + reading.finish() == plain
    start, end = sorted(round(one * length) for one in part)
    ranges = twin.RangeReader(KEY, lambda offset, size: payload[offset : offset + size], len(payload))
    assert ranges.length == length
    assert b"".join(ranges.read(start, end)) == plain[start:end]


LENGTHS = """
import sys
if sys.argv[1] == "twin":
    from bench import twin
    twin.remove_ciphers()
from crypto import kem, keys, sealing, signing, statements, stream
seed, key, row = keys.KemSeed(bytes(32)), bytes(32), bytes(32)
public = kem.public_key(seed)
posted, sealed = sealing.post(public, row, b"info", b"hello"), sealing.seal(key, b"info", b"hello")
assert sealing.open_post(seed, row, b"info", posted) == sealing.unseal(key, b"info", sealed) == b"hello"
one = "00000000-0000-4000-8000-000000000001"
said = statements.ErasureCertified(one, "2026-11-23", "2026-12-23", 1, 1, 1, 1, one)
signer = signing.Signer(keys.SignSeed(bytes(32)))
signature = signer.sign(said)
signing.verify(signing.sign_public_from(signer.public), said, signature)
payload = stream.encrypt(keys.AgeFileKey(bytes(16)), b"hello")
print(len(kem.kem_public(public)), len(posted), len(sealed), len(signer.public), len(signature), len(payload), b"hello" in payload)
"""


def test_everything_is_as_long_as_the_true_one() -> None:
    said = {
        which: subprocess.run([sys.executable, "-c", LENGTHS, which], cwd=ROOT, capture_output=True, check=True, text=True).stdout
        for which in ("true", "twin")
    }
    lengths, clear = said["true"].rsplit(maxsplit=1), said["twin"].rsplit(maxsplit=1)
    assert lengths[0] == clear[0]
    assert (lengths[1], clear[1]) == ("False", "True")


def test_it_refuses_to_keep_anybody_s_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    for mode in (None, "embedded", "production"):
        monkeypatch.delenv("ABRI_MODE", raising=False)
        if mode:
            monkeypatch.setenv("ABRI_MODE", mode)
        for way in (twin.application, twin.main):
            with pytest.raises(SystemExit, match="false papers"):
                way()


def test_it_refuses_to_come_after_vault() -> None:
    code = "import vault.context\nfrom bench import twin\ntwin.remove_ciphers()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False, text=True)
    assert done.returncode != 0
    assert "before vault comes" in done.stderr


def test_nothing_of_the_service_imports_it() -> None:
    imported = set()
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(), str(path))):
            if isinstance(node, ast.Import):
                imported |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").partition(".")[0])
    assert set(PACKAGES) <= imported
    assert not imported & {"bench", "tests", "tools"}
