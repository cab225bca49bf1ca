"""What leaving costs: taking everything away and erasing everything, for safes of 10, 100 and 1,000 papers.

`python -m bench.leaving`, in process, on SQLite and a folder, without a parser. The processor's time for one paper must not grow with
their number, and neither the archive nor the erasure may need more memory for a large safe than for a small one.
"""

import math
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.sharing import house_in

SIZE, COUNTS, ROUNDS = 64 * 1024, (10, 100, 1000), 3
AT_MOST_RATIO = 1.3
AT_MOST_A_PAPER = 4 * 1024  # bytes of memory for one paper more: its names and its line, never its content (64 KiB here)
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
    """One safe, taken away and erased. `traced`: the memory of both is watched, which takes its time: that time is not counted."""
    from tests.vault.builders import make_person
    from tests.vault.papers import keep
    from vault import erasing, erasure, parcels

    person = make_person(house)
    for number in range(papers):
        keep(house, person.session, f"P{number}", text=str(number), size=SIZE)

    def take_away() -> None:
        parcels.pack(house, person.session, "usb", "fr")
        parcel = parcels.waiting(house, person.session)
        assert sum(len(block) for block in parcel.blocks()) == parcel.size

    away, memory = _watched(take_away, traced=traced)
    asked = erasure.ask(house, person.session, person.code)
    clock.forward(hours=WITNESSED_HOURS)
    erased, memory_erasing = _watched(lambda: erasing.carry_out(house, asked.id), traced=traced)
    return Cost(papers, away / papers * 1000, erased / papers * 1000, memory, memory_erasing)


def _watched(act: Callable[[], object], *, traced: bool) -> tuple[float, float]:
    """Seconds of the processor and megabytes at most, one of the two: what is not watched is infinite, and never the best round."""
    if traced:
        tracemalloc.start()
        act()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return math.inf, most / 1e6
    began = time.process_time()
    act()
    return time.process_time() - began, math.inf


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


def verdicts(lines: Sequence[Cost]) -> list[tuple[str, float, float]]:
    """What is judged, what was found, and the most that it may be: from each size to the next one, ten times as large."""
    found: list[tuple[str, float, float]] = []
    for small, large in pairwise(lines):
        sizes = f"{large.papers:,} papers / {small.papers:,}"
        found += [
            (f"processor a paper, taking away, {sizes}", large.away / small.away, AT_MOST_RATIO),
            (f"processor a paper, erasing, {sizes}", large.erased / small.erased, AT_MOST_RATIO),
        ]
    small, large = lines[-2], lines[-1]
    more = (large.papers - small.papers) / 1e6
    for name, growth in (("taking away", large.memory - small.memory), ("erasing", large.memory_erasing - small.memory_erasing)):
        found.append((f"bytes of memory for each paper more, {name}", growth / more, AT_MOST_A_PAPER))
    return found


def report(lines: Sequence[Cost]) -> int:
    """Print the lines; 1 when the time of a paper, or the memory for one more, grows by more than it may."""
    for one in lines:
        sys.stdout.write(
            f"{one.papers:5} papers: {one.away:6.2f} ms a paper to take away, {one.erased:6.2f} ms to erase, "
            f"{one.memory:5.2f} MB and {one.memory_erasing:5.2f} MB\n"
        )
    missed = 0
    for name, found, most in verdicts(lines):
        missed += found > most
        sys.stdout.write(f"{'missed: ' if found > most else ''}{name}: {found:,.2f} (at most {most:,})\n")
    return int(missed > 0)


def main() -> int:
    """Measure, and say what came out."""
    with tempfile.TemporaryDirectory() as folder:
        return report(measure(Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
