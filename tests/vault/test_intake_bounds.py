"""What a body may cost: memory stays the same however long it is, and no byte touches a disk."""

import os
import pathlib
import subprocess
import sys

import pytest

REPOSITORY = pathlib.Path(__file__).parents[2]


_HUNDRED_MEBIBYTES = """
import asyncio, hashlib, os, sys
sys.path.insert(0, sys.argv[1])
from vault.intake import UploadLimits, receive_form, receive_raw

class Digest:
    def __init__(self): self.digest, self.length = hashlib.sha256(), 0
    def write(self, block): self.digest.update(block); self.length += len(block)
    def finish(self): pass
    def abandon(self): raise AssertionError

PIECE, COUNT = os.urandom(256 * 1024), int(sys.argv[3])
B = "xyz"
async def body(wrapped):
    if wrapped:
        yield f'--{B}\\r\\nContent-Disposition: form-data; name="t"\\r\\n\\r\\n1\\r\\n'.encode()
        yield f'--{B}\\r\\nContent-Disposition: form-data; name="p"; filename="a"\\r\\n\\r\\n'.encode()
    for _ in range(COUNT):
        yield bytes(bytearray(PIECE))
    if wrapped:
        yield f"\\r\\n--{B}--\\r\\n".encode()

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))

async def run():
    sink, limit = Digest(), (COUNT + 1) * len(PIECE)
    if sys.argv[2] == "form":
        await receive_form(body(True), f"multipart/form-data; boundary={B}", open_sink=lambda _: sink,
                           check_token=lambda name, value: None, limits=UploadLimits(file_bytes=limit, total_bytes=limit))
    else:
        await receive_raw(body(False), sink, limit=limit)
    assert sink.length == COUNT * len(PIECE)
    expected = hashlib.sha256()
    for _ in range(COUNT):
        expected.update(PIECE)
    assert sink.digest.digest() == expected.digest()

before = resident()
asyncio.run(run())
print(resident() - before)
"""


@pytest.mark.parametrize("way", ["form", "raw"])
def test_a_hundred_mebibytes_add_less_than_sixteen(way: str) -> None:
    """In a process of its own, whose highest memory is measured before and after; 100 MiB in pieces of 256 KiB."""
    told = subprocess.run(
        [sys.executable, "-c", _HUNDRED_MEBIBYTES, str(REPOSITORY), way, "400"], check=True, capture_output=True, text=True
    )
    assert int(told.stdout) < 16 * 1024


def test_nothing_is_written_to_any_disk(tmp_path: pathlib.Path) -> None:
    """A process that may not write one byte to any file takes a whole upload."""
    program = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n" + _HUNDRED_MEBIBYTES
    told = subprocess.run(
        [sys.executable, "-B", "-c", program, str(REPOSITORY), "form", "80"],
        check=True, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert told.stdout
    assert list(tmp_path.iterdir()) == []
