"""What a process of ours gives back."""

import subprocess
import sys

FORTY_THREADS = """
import sys, threading
from pathlib import Path
if sys.argv[1] == "hardened":
    from vault.process import harden
    harden()
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
def part():
    for _ in range(3):
        bytearray(5 * 1024 * 1024)
    together.wait()
for count in (1, 40):
    before, together = resident(), threading.Barrier(count + 1)
    threads = [threading.Thread(target=part) for _ in range(count)]
    for one in threads:
        one.start()
    while together.n_waiting < count:
        pass
    kept = resident() - before
    together.wait()
    for one in threads:
        one.join()
print(kept)
"""


def kept(how: str) -> int:
    """Bytes that stay when forty threads have freed what they took, and wait for more to do."""
    done = subprocess.run([sys.executable, "-c", FORTY_THREADS, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_what_threads_free_goes_back_to_the_kernel() -> None:
    assert kept("hardened") < 8 * 1024 * 1024


def test_the_instrument_sees_what_is_kept() -> None:
    assert kept("as it comes") > 16 * 1024 * 1024
