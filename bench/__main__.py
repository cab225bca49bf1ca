"""`python -m bench`: what it costs that nobody can read. The service beside a twin that keeps everything in clear.

Both run at once, on SQLite and a folder of the same disk, and take turns. In bounded time: about three minutes.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench import scenes
from bench.bodies import Body, photo
from bench.scenes import Listing, Result, Sides
from bench.sides import both, machine

LIST_TARGET_MS = 5.0
PAPERS = 100


def measure(sides: Sides, bodies: list[Body], folder: Path, seconds: float) -> Iterator[Result]:
    """Every line of the table, as it comes."""
    for body in bodies:
        for at_once in (1, 8):
            yield scenes.deposits(sides, body, at_once, "received", seconds=seconds)
            yield scenes.openings(sides, body, at_once, seconds=seconds)
        place = folder / f"{body.mib}.jpg"
        place.write_bytes(body.content)
        yield scenes.storing(sides, body, str(place), seconds=seconds / 2)
        for at_once in (1, 8):
            yield scenes.deposits(sides, body, at_once, "prepared", seconds=seconds / 2)


def check_twin(sides: Sides, body: Body) -> dict[str, object]:
    """The twin is one: as many files of the same lengths, as many rows and bytes in them; and it does keep papers in clear."""
    ours, theirs = (side.files() for side in sides)
    rows, their_rows = (side.ask("rows") for side in sides)
    part = body.content[1000:1064]
    clear = [
        any(part in path.read_bytes() for path in (side.stores.folder / "papers").rglob("*") if path.is_file()) for side in sides
    ]
    if ours != theirs or clear != [False, True]:
        raise SystemExit(f"The twin is none: {len(ours)} files and {len(theirs)}, in clear: {clear}.")
    different = {name: [found, their_rows[name]] for name, found in rows.items() if found[0] != their_rows[name][0]}
    return {"files": len(ours), "bytes": sum(ours), "tables_with_other_rows": different}


def table(results: list[Result]) -> Table:
    """For people."""
    shown = Table(
        title="Abri beside its twin that keeps everything in clear",
        caption="ratio: rate of Abri / rate of the twin, median of the rounds; then the lowest and the highest round",
    )
    shown.add_column("", no_wrap=True)
    for column in (
        "MiB",
        "at\nonce",
        "Abri\nreq/s",
        "twin\nreq/s",
        "ratio",
        "rounds",
        "target",
        "Abri\nCPU ms",
        "twin\nCPU ms",
        "CPU\nratio",
    ):
        shown.add_column(column, justify="right", no_wrap=True)
    for one in results:
        colour = "" if one.target is None else "green" if one.ratio >= one.target else "red"
        shown.add_row(
            one.name, str(one.mib), str(one.at_once), f"{one.rate('abri'):.1f}", f"{one.rate('twin'):.1f}",
            Text(f"{one.ratio:.2f}", style=colour), f"{min(one.ratios):.2f} {max(one.ratios):.2f}",
            "" if one.target is None else f"{one.target:.2f}", f"{one.processor_ms('abri'):.1f}",
            f"{one.processor_ms('twin'):.1f}", f"{one.processor_ratio:.2f}",
        )  # fmt: skip
    return shown


def list_table(one: Listing) -> Table:
    """For people."""
    shown = Table(title=f"The list of {one.papers} papers, milliseconds")
    for column in ("", "Abri", "twin", "target"):
        shown.add_column(column, justify="left" if not column else "right")
    lines = (
        ("use case, the fastest of all", one.fastest, ""),
        ("use case, p50", one.use_case, f"< {LIST_TARGET_MS:.0f}"),
        ("processor of the server for one request", one.processor, f"< {LIST_TARGET_MS:.0f}"),
        ("whole request over HTTP, p50", one.request, ""),
    )  # fmt: skip
    for name, found, target in lines:
        shown.add_row(name, f"{found['abri']:.1f}", f"{found['twin']:.1f}", target)
    return shown


def missed(results: list[Result], listed: Listing) -> list[str]:
    """Every target that was not reached, in a line each."""
    lines = [
        f"missed: {one.name}, {one.mib} MiB, {one.at_once} at once: {one.ratio:.2f} of the twin's rate, less than {one.target:.2f}"
        for one in results
        if one.target is not None and one.ratio < one.target
    ]
    for name, found in (("use case, p50", listed.use_case), ("processor of one request", listed.processor)):
        if found["abri"] >= LIST_TARGET_MS:
            lines.append(
                f"missed: list of {listed.papers} papers, {name}: {found['abri']:.1f} ms, not under {LIST_TARGET_MS:.0f}"
            )
    return lines


def as_json(results: list[Result], listed: Listing, **more: object) -> str:
    """For programs, every turn included."""
    lines = [
        {
            "name": one.name, "mib": one.mib, "at_once": one.at_once, "target": one.target, "ratio": one.ratio,
            "ratios": one.ratios, "processor_ratio": one.processor_ratio,
            **{
                side: {
                    "requests_per_second": one.rate(side), "processor_ms": one.processor_ms(side),
                    "turns": [asdict(turn) for turn in turns],
                }
                for side, turns in one.turns.items()
            },
        }
        for one in results
    ]  # fmt: skip
    return json.dumps({"results": lines, "list_ms": asdict(listed), **more}, indent=1)


def main() -> int:
    """Measure, print, and write what was measured when asked to; 1 when a target is missed."""
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("--seconds", type=float, default=7, help="for each line of the table, both sides together (default: 7)")
    options.add_argument("--json", type=Path, help="write every measure to this file")
    options.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="on a disk, for what is kept meanwhile (/var/tmp)")  # noqa: S108 (a folder of its own is made there)
    chosen = options.parse_args()
    out, began = Console(width=None if sys.stdout.isatty() else 132), time.monotonic()
    bodies = [photo(1), photo(5)]
    with tempfile.TemporaryDirectory(prefix="abri-bench-", dir=chosen.folder) as made:
        folder = Path(made)
        before, results = machine(folder), []
        with both(folder) as sides:
            for one in measure(sides, bodies, folder, chosen.seconds):
                results.append(one)
                out.print(f"{time.monotonic() - began:4.0f} s  {one.name}, {one.mib} MiB, {one.at_once} at once: {one.ratio:.2f}")
            listed = scenes.listing(sides, PAPERS, seconds=chosen.seconds)
            twin = check_twin(sides, bodies[0])
        after = machine(folder)
    out.print(table(results), list_table(listed))
    for when, found in (("before", before), ("after", after)):
        out.print(
            f"{when}: {found['cores']} cores, {found['file_system']}, load {found['load']}; 1 MiB: SHA-256 "
            f"{found['sha256_ms_per_mib']} ms, ChaCha20-Poly1305 {found['cipher_ms_per_mib']} ms"
        )  # fmt: skip
    out.print(f"The twin kept the same: {twin['files']} files, {twin['bytes']} bytes. {time.monotonic() - began:.0f} s in all.")
    if chosen.json:
        chosen.json.write_text(as_json(results, listed, before=before, after=after, twin=twin))
    below = missed(results, listed)
    for line in below:
        out.print(line, markup=False, highlight=False)
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
