"""What leaving costs: taking everything away and erasing everything, for safes of 10, 100 and 1,000 papers.

`python -m bench.leaving`, in process, on SQLite and a folder, without a parser. The processor's time for one paper must not grow with
their number, and neither the archive nor the erasure may need more memory for a large safe than for a small one.
"""

import math
import sys
import tempfile
import time
import tracemalloc
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bench.sharing import house_in

SIZE, COUNTS, ROUNDS = 64 * 1024, (10, 100, 1000), 3
AT_MOST_RATIO = 1.3
AT_MOST_A_PAPER = (
    4 * 1024
)  # bytes that one paper more may add to an erasure: the names of its blobs, never its content (64 KiB here)
WITNESSED_HOURS = 73


@dataclass(frozen=True)
class Cost:
    """Of one safe: milliseconds of processor a paper to take away and to erase, megabytes at most while each was done."""

    papers: int
    away: float
    erased: float
    memory: float
    memory_erasing: float


def _one(house: Any, clock: Any, papers: int, *, traced: bool = False) -> Cost:
    """One safe, taken away and erased. `traced`: the erasure's memory is watched, which takes its time: that one is not counted."""
    from tests.vault.builders import make_person
    from tests.vault.papers import keep
    from vault import erasing, erasure, parcels

    person = make_person(house)
    for number in range(papers):
        keep(house, person.session, f"P{number}", text=str(number), size=SIZE)
    began = time.process_time()
    parcels.pack(house, person.session, "usb", "fr")
    parcel = parcels.waiting(house, person.session)
    length = sum(len(block) for block in parcel.blocks())
    away = time.process_time() - began
    tracemalloc.start()
    assert sum(len(block) for block in parcel.blocks()) == length == parcel.size
    memory = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    asked = erasure.ask(house, person.session, person.code)
    clock.forward(hours=WITNESSED_HOURS)
    if traced:
        tracemalloc.start()
        erasing.carry_out(house, asked.id)
        erasing_memory = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return Cost(papers, away / papers * 1000, math.inf, memory, erasing_memory / 1e6)
    began = time.process_time()
    erasing.carry_out(house, asked.id)
    erased = time.process_time() - began
    return Cost(papers, away / papers * 1000, erased / papers * 1000, memory, math.inf)


def measure(folder: Path) -> list[Cost]:
    """One line for each size: the best of some rounds, because other work on the machine only ever adds."""
    found = []
    with house_in(folder) as (house, clock):
        _one(house, clock, COUNTS[0], traced=True)  # what is loaded once
        for papers in COUNTS:
            rounds = [_one(house, clock, papers) for _ in range(ROUNDS if papers < COUNTS[-1] else 1)]
            rounds.append(_one(house, clock, papers, traced=True))
            found.append(Cost(papers, *(min(getattr(one, each.name) for one in rounds) for each in fields(Cost)[1:])))
    return found


def main() -> int:
    """Print the lines; 1 when the time of a paper, or the memory of an erasure, grows by more than it may."""
    with tempfile.TemporaryDirectory() as folder:
        lines = measure(Path(folder))
    for one in lines:
        sys.stdout.write(
            f"{one.papers:5} papers: {one.away:6.2f} ms a paper to take away, {one.erased:6.2f} ms to erase, "
            f"{one.memory:5.1f} MB and {one.memory_erasing:5.1f} MB\n"
        )
    middle, last = lines[-2], lines[-1]
    ratios = {"away": last.away / middle.away, "erased": last.erased / middle.erased}
    for name, ratio in ratios.items():
        sys.stdout.write(f"{name}: 1,000 papers / 100 papers = {ratio:.2f} (at most {AT_MOST_RATIO})\n")
    grows = (last.memory_erasing - middle.memory_erasing) * 1e6 / (last.papers - middle.papers)
    sys.stdout.write(f"memory of an erasure: {grows:.0f} bytes for each paper more (at most {AT_MOST_A_PAPER})\n")
    return int(max(ratios.values()) > AT_MOST_RATIO or grows > AT_MOST_A_PAPER)


if __name__ == "__main__":
    sys.exit(main())
