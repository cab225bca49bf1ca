"""`abri inquiry keys | export | answer | tell`: what is typed on the day of a breach. The procedure is `docs/breach.md`."""

import argparse
import datetime as dt
import json
import os
from collections.abc import Callable
from pathlib import Path

from vault import halves, inquiry, inquiry_answer
from vault.halves import Half
from vault.reading_settings import read_settings
from vault.settings import UnsafeSettings, public_keys_place

Command = Callable[[argparse.Namespace], int]


def keys(options: argparse.Namespace) -> int:
    """A new incident key: its public half goes to the settings, its two halves to two sheets."""
    place = public_keys_place(os.environ)
    content = json.loads(place.read_text()) if place.exists() else {"roots": {}}
    if "incident" in content and not options.replace:
        raise UnsafeSettings(
            "There is an incident key already: --replace draws another one. Keep the halves of the first three years."
        )
    first, second = options.structure if len(options.structure) == 2 else ("", "")
    if not first.strip() or first == second:
        raise UnsafeSettings("The halves go to two different structures: give --structure twice.")
    public, cut = halves.draw((first, second))
    options.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for half in cut:
        _write(options.folder / f"incident-{half.key}-half-{half.number}.txt", half.text())
    before = [content["incident"], *content.get("incident_before", [])] if "incident" in content else []
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _put(place, json.dumps({**content, "incident": bytes(public).hex(), "incident_before": before}))
    print(f"Two sheets in {options.folder}: print each, give them to the two structures, then delete both files.")
    if before:
        print(
            "Start every process again: from then on entries are sealed for the new key. Keep the halves of before as long as the trace."
        )
    return 0


def _put(place: Path, text: str) -> None:
    """The file of public keys is the old one or the new one, on the disk too."""
    part = place.with_name(f".{place.name}.part")
    with part.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(place)


def export(options: argparse.Namespace) -> int:
    """What the two holders need, in a file that only both halves open. Those concerned read it in their history."""
    from vault.confinement import Confinement
    from vault.context import open_context

    context = open_context(read_settings(os.environ), confinement=Confinement())
    try:
        made = inquiry.export(context, options.since, options.until, options.reason)
    finally:
        context.close()
    _write(options.file, made.file)
    print(f"{options.file}: {made.entries} entries of {made.persons} persons, who read it in their history. Number {made.id}.")
    return 0


def answer(options: argparse.Namespace) -> int:
    """On a machine apart, with both halves: whose safes a worker touched. Writes the answer, and what goes to the CNIL."""
    given = [halves.read(path.read_text()) for path in options.half]
    seeds = [halves.join(*pair) for pair in _pairs(given)]
    since, until = inquiry_answer.first_moment(options.since), inquiry_answer.last_moment(options.until)
    found = inquiry_answer.answer(options.file.read_bytes(), seeds, options.worker, since, until)
    _write(options.out.with_suffix(".json"), found.to_json())
    _write(options.out.with_suffix(".cnil.json"), found.for_the_authority())
    _write(options.out.with_suffix(".cnil.csv"), found.for_the_authority_csv())
    print(f"{found.worker_name}: {len(found.persons)} persons, {sum(one.papers for one in found.persons)} papers.")
    if found.unread:
        print(f"{found.unread} entries lie under an older incident key: give its two halves as well.")
    if found.unreadable:
        print(
            f"{len(found.unreadable)} entries do not open or are no event: somebody changed them. {', '.join(found.unreadable[:20])}"
        )
    if found.unknown:
        print(
            f"{len(found.unknown)} persons have such entries and none that concerns the worker: whether it concerns them is not known."
        )
    print(f"Written: {options.out}.json (for `abri inquiry tell`), .cnil.json, .cnil.csv")
    return 0


def tell(options: argparse.Namespace) -> int:
    """The answer comes back: each person of the export reads whether it concerns them."""
    from vault.confinement import Confinement
    from vault.context import open_context

    brought = inquiry_answer.read_answer(options.file.read_text())
    context = open_context(read_settings(os.environ), confinement=Confinement())
    try:
        concerned = inquiry.tell(context, brought)
    finally:
        context.close()
    print(f"{concerned} persons read at their next unlock that it concerns them; {len(brought.others)} that it does not.")
    return 0


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", command: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands and their options."""
    inside = commands.add_parser("inquiry", help="after a breach: whose safes did a worker touch")
    actions = inside.add_subparsers(required=True, metavar="ACTION")
    one = command("keys", keys, "draw the incident key and write its two halves for two structures", actions)
    one.add_argument("--structure", action="append", required=True, help="who keeps a half; give it twice")
    one.add_argument("--folder", type=Path, default=Path("incident"), help="where the two sheets are written")
    one.add_argument("--replace", action="store_true", help="draw another one; what is sealed for the first needs its halves")
    one = command("export", export, "write what the two holders need; the persons concerned are told", actions)
    _days(one)
    one.add_argument("--reason", required=True, help="for the register of breaches; no name of a person")
    one.add_argument("file", type=Path, help="the file to write")
    one = command("answer", answer, "on a machine apart: open an export with both halves and count", actions)
    one.add_argument("file", type=Path, help="the export")
    one.add_argument("--half", type=Path, action="append", required=True, help="a sheet; twice, or more for older keys")
    one.add_argument("--worker", required=True, help="the account's id, or the code of the badge")
    _days(one)
    one.add_argument("--out", type=Path, default=Path("answer"), help="the files to write, without their ending")
    one = command("tell", tell, "bring the answer back: each person of the export reads whether it concerns them", actions)
    one.add_argument("file", type=Path, help="the answer, as `abri inquiry answer` wrote it")


def _days(one: argparse.ArgumentParser) -> None:
    one.add_argument("--from", dest="since", type=dt.date.fromisoformat, required=True, metavar="DAY", help="2026-11-23")
    one.add_argument(
        "--to", dest="until", type=dt.date.fromisoformat, required=True, metavar="DAY", help="the last day, included"
    )


def _pairs(given: list[Half]) -> list[tuple[Half, Half]]:
    by_key: dict[str, list[Half]] = {}
    for half in given:
        by_key.setdefault(half.key, []).append(half)
    for key, some in by_key.items():
        if len(some) != 2:
            raise halves.WrongHalf(f"Both halves of the incident key {key} are needed: {len(some)} given.")
    return [(some[0], some[1]) for some in by_key.values()]


def _write(path: Path, content: str | bytes) -> None:
    """A file that its owner alone reads; never over another one."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
