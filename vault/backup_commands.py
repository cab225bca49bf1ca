"""`abri backup`, `abri restore`, `abri keys recovery`: every store into three places, and back (`docs/operations.md`)."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from crypto import agerecipients
from crypto.agerecipients import HybridIdentity, Identity
from crypto.errors import Malformed
from crypto.keys import KemSeed
from vault.context import Context
from vault.reading_settings import places, read_settings
from vault.settings import Places, Settings, UnsafeSettings

Command = Callable[..., argparse.ArgumentParser]


def backup(options: argparse.Namespace) -> int:
    """Back every store up; backups older than 30 days go in the same run."""
    from vault import backups, restoring

    settings = read_settings(os.environ)
    restoring.refuse_half_made(settings)
    where = places_of(settings, options.to)
    context = _context(settings)
    try:
        if options.prune:
            gone = backups.prune(context, where)
            print(f"{len(gone)} backups removed: {', '.join(gone) or 'none was too old'}.")
            return 0
        if not settings.backup_recipients:
            raise UnsafeSettings("A backup is sealed for a recovery key: ABRI_BACKUP_RECIPIENT (`abri keys recovery` makes one).")
        made = backups.make(context, where, settings.backup_recipients)
    finally:
        context.close()
    print(f"{made.name}: rows, key vault, tombstones, {made.papers} papers ({made.copied} of them new).")
    if made.pruned:
        print(f"Removed, being 30 days old: {', '.join(made.pruned)}.")
    return 0


def restore(options: argparse.Namespace) -> int:
    """Put a backup back into empty stores; what was destroyed since is destroyed again before anybody is listened to."""
    from vault import backups, restoring
    from vault.context import utc_now

    settings = read_settings(os.environ)
    where = places_of(settings, options.origin)
    names = backups.every(where)
    name = options.backup or (names[-1] if names else "")
    if name not in names:
        raise UnsafeSettings(f"There is no such backup in {where.rows}. There are: {', '.join(names) or 'none'}.")
    done = restoring.restore(
        settings, where, name, read_identities(options.identity), open_context=lambda: _context(settings), now=utc_now(),
        too_old=options.although_it_should_be_dead, without_tombstones=options.without_tombstones,
        turned=options.although_its_key_had_turned,
    )  # fmt: skip
    print(f"The backup of {done.backup.day} is back: {done.papers} papers.")
    print(f"Signed by {f'a key of before, whose last day was {done.until}' if done.until else 'the present key'}.")
    print(
        f"Destroyed again: {done.destroyed} keys, {done.erased} persons with all they had, {done.ended} shares, cards and codes."
    )
    print(
        f"Tombstones known until {done.stones or '(nothing: what was destroyed since that day is back)'}. All sessions have ended."
    )
    print(f"Begun anew, as it may have been called off since: {done.anew} erasures and papers in the bin.")
    print(f"Cancelled, as they were not carried out when it was time: {done.cancelled} erasures.")
    print(f"{done.told} persons will read at their next opening that a backup of {done.backup.day} was put back.")
    if done.shut:
        print(
            f"NO  {done.shut} persons changed every way into their safe since that day: nothing opens it any more. Desks ask whose card"
            " is unknown (docs/operations.md, Backups).",
            file=sys.stderr,
        )
    if done.unguarded:
        print(
            f"NO  {done.unguarded} persons have guardians of before, who can bring nobody back: they chose others since, or came back by"
            " them and hold a card that opens nothing (docs/operations.md, Backups).",
            file=sys.stderr,
        )
    for blob in done.missing:
        print(f"NO  {blob}: this paper is missing or changed in the backup; its person is told.", file=sys.stderr)
    print("Heads of the trace that were published since no longer continue: see docs/operations.md, The trace.")
    return 1 if done.missing else 0


def recovery(options: argparse.Namespace) -> int:
    """The key that opens backups: its secret half in a file to print and delete, its public half to be set."""
    identity = HybridIdentity(KemSeed.random())
    handle = os.open(options.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(agerecipients.identity_text(identity) + "\n")
    print(f"Written: {options.file}. Print it twice, keep it in two safes apart from every backup, then delete the file.")
    print(f"ABRI_BACKUP_RECIPIENT={agerecipients.recipient_text(identity.recipient())}")
    return 0


def places_of(settings: Settings, given: str | None) -> Places:
    """Where backups are: as typed, or as set. Raises UnsafeSettings."""
    found = places(given) if given else settings.backups
    if found is None:
        raise UnsafeSettings("Three folders are needed, rows:key vault:tombstones: ABRI_BACKUPS.")
    return found


def read_identities(files: Sequence[Path]) -> list[Identity]:
    """Recovery keys from their files, as typed from the sheets: lines that begin with # are not read."""
    found: list[Identity] = []
    for file in files:
        for line in file.read_text().split("\n"):
            if line.strip() and not line.startswith("#"):
                try:
                    found.append(agerecipients.identity(line.strip()))
                except Malformed as error:
                    raise UnsafeSettings(f"{file} holds no recovery key: it begins with AGE-SECRET-KEY-.") from error
    return found


def _context(settings: Settings) -> Context:
    from vault.confinement import Confinement
    from vault.context import open_context

    return open_context(settings, confinement=Confinement())


def add(command: Command) -> None:
    """The commands and their options."""
    one = command("backup", backup, "back up rows, papers, key vault and tombstones; remove backups that are 30 days old")
    one.add_argument("--to", metavar="ROWS:VAULT:TOMBSTONES", help="three folders (default: ABRI_BACKUPS)")
    one.add_argument("--prune", action="store_true", help="only remove what is too old")
    one = command("restore", restore, "put a backup back into empty stores, and destroy again what was destroyed since")
    one.add_argument("--from", dest="origin", metavar="ROWS:VAULT:TOMBSTONES", help="three folders (default: ABRI_BACKUPS)")
    one.add_argument("--backup", metavar="NAME", help="which one (default: the newest)")
    one.add_argument("--identity", type=Path, action="append", required=True, help="the file with the recovery key")
    one.add_argument("--although-it-should-be-dead", action="store_true", help="put back one that is older than 30 days")
    one.add_argument(
        "--although-its-key-had-turned",
        action="store_true",
        help="put back one that a key of before signed after its last day: whoever took that key may have made it",
    )
    one.add_argument(
        "--without-tombstones",
        action="store_true",
        help="although nothing says what was destroyed since: erased persons come back",
    )


def add_key(keys: "argparse._SubParsersAction[argparse.ArgumentParser]", command: Command) -> None:
    """`abri keys recovery`."""
    one = command("recovery", recovery, "make the key that opens backups: one half to print, one to set", keys)
    one.add_argument("file", type=Path, help="the file to write its secret half to")
