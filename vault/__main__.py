"""The command line: `abri serve | tasks | demo | migrate | check | cards | keys`. Each command explains itself with --help."""

import argparse
import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from storage.errors import StorageError
from vault import backup_commands, inquiry_commands, key_commands, service_keys, trace_commands
from vault.errors import AbriError, BadInput, Conflict
from vault.reading_settings import read_settings
from vault.settings import Settings, UnsafeSettings


def _tell_everyone(settings: Settings, tag: str, detail: str) -> int:
    from vault.confinement import Confinement
    from vault.context import open_context
    from vault.maintaining import tell_everyone

    context = open_context(settings, confinement=Confinement())
    try:
        return tell_everyone(context, tag, detail)
    finally:
        context.close()


def told(options: argparse.Namespace) -> int:
    """What maintenance did to stored data, written into the history of each person (CPCE R55-4 3°)."""
    count = _tell_everyone(read_settings(os.environ), f"maintenance.{options.what}", options.words)
    print(f"{count} persons will read it.")
    return 0


def _settings() -> Settings:
    """The settings, unless a restore is half-way here: then nothing is migrated, served or worked on."""
    from vault.context import utc_now
    from vault.health import refuse_ended
    from vault.restoring import refuse_half_made

    settings = read_settings(os.environ)
    refuse_half_made(settings)
    refuse_ended(settings, utc_now())
    return settings


def migrate(_: argparse.Namespace) -> int:
    """Bring the three databases to the present schema, and let what was destroyed be destroyed."""
    from vault.migrating import bring_up_to_date

    bring_up_to_date(_settings())
    print("The databases are up to date.")
    return 0


def serve(options: argparse.Namespace) -> int:
    """Serve the pages; in the embedded default, migrate first and run the background work beside."""
    settings = _settings()
    service_keys.forget_half_written(os.environ)
    children = []
    if settings.mode != "production":
        from vault.migrating import bring_up_to_date

        bring_up_to_date(settings)
        if not options.without_tasks:
            children.append(subprocess.Popen([sys.executable, "-m", "vault", "tasks"]))
    try:
        run_server(settings)
    finally:
        for child in children:
            child.terminate()
            child.wait(timeout=15)
    return 0


def run_server(settings: Settings) -> None:
    """Granian on the address of the settings, until it is told to stop."""
    from granian import Granian
    from granian.constants import Interfaces

    from vault.listening import refuse_taken

    refuse_taken(settings.host, settings.port)
    Granian(
        "vault.serve:application",
        factory=True,
        interface=Interfaces.ASGI,
        address=settings.host,
        port=settings.port,
        workers=settings.workers,
        workers_kill_timeout=10,
        ssl_cert=settings.certificate,
        ssl_key=settings.private_key,
        log_access=False,
        websockets=False,
    ).serve()


def tasks(_: argparse.Namespace) -> int:
    """Background work: what expires, what is due, what is swept, until told to stop."""
    from vault.confinement import Confinement
    from vault.context import open_context
    from vault.process import harden
    from vault.tasks import run_until

    harden()
    stopping = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.append(True))
    context = open_context(_settings(), confinement=Confinement())
    try:
        run_until(context, stopped=lambda: bool(stopping), sleep=time.sleep)
    finally:
        context.close()
    return 0


def demo(options: argparse.Namespace) -> int:
    """Everything at once with false papers: stores, people, workers, pages. Prints how to enter."""
    from vault.launching import codes, launch

    if options.codes:
        return codes(options.folder)
    return launch(options.folder, port=options.port, reset=options.reset, serve=not options.only_reset, run=run_server)


def check(options: argparse.Namespace) -> int:
    """Say whether each store answers and whether settings, schema and confinement are as they should be."""
    from vault.health import report

    lines = report(read_settings(os.environ), alive_only=options.alive)
    for line in lines:
        print(f"{'ok ' if line.good else 'NO '} {line.name}: {line.words}")
    return 0 if all(line.good for line in lines) else 1


TELLING_WORD = 6  # bytes: three of them stand somewhere in sixteen megabytes of chance


def search(options: argparse.Namespace) -> int:
    """Look for words in every row, every row of the key vault, every blob and every backup: after an erasure there must be nothing."""
    from vault import remains
    from vault.confinement import Confinement
    from vault.context import open_context

    settings, words = read_settings(os.environ), [word.encode() for word in options.word]
    if any(len(word) < TELLING_WORD for word in words):
        print(
            f"Sealed bytes hold any word of fewer than {TELLING_WORD} letters by chance: a place of it may mean nothing.",
            file=sys.stderr,
        )
    context = open_context(settings, confinement=Confinement())
    try:
        found = remains.check(context, None, words)
    finally:
        context.close()
    unread: list[str] = []
    if settings.backups:
        more, unread = remains.in_backups(settings.backups, backup_commands.read_identities(options.identity), words)
        found += more
    for one in found:
        print(f"{one.store}: {one.place}")
    for name in unread:
        print(f"not read: {name} (sealed for the recovery key: --identity)", file=sys.stderr)
    print(f"{len(found)} places")
    return 1 if found else 2 if unread else 0


def cards_print(options: argparse.Namespace) -> int:
    """Blank cards on A4 sheets: the service knows nothing of a card before its first use."""
    from vault.cards import new_cards
    from vault.printed import cards_sheet

    handle = os.open(options.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, 0o600)  # one that was there too: whoever reads it can print the cards again
        file.write(cards_sheet(new_cards(options.count)))
    print(f"{options.count} cards in {options.file}: print it, cut it, then delete it.")
    return 0


def receipt_verify(options: argparse.Namespace) -> int:
    """Say whether receipts are what was signed: offline, with public keys alone."""
    from vault.settings import public_keys_place
    from vault.verifying import verify

    status = 2
    for line in verify(options.file, options.keys or public_keys_place(os.environ), options.sheet):
        if isinstance(line, int):
            status = line
        else:
            print(line)
    return status


def close(options: argparse.Namespace) -> int:
    """Announce the day on which the service closes: three months ahead at least; prints what is to hang on the walls."""
    from vault import closing, printed
    from vault.confinement import Confinement
    from vault.context import open_context

    context = open_context(read_settings(os.environ), confinement=Confinement())
    try:
        told = closing.announced(context) if options.on is None else closing.announce(context, options.on)
    except BadInput:
        print(f"abri: {closing.earliest_words(context)}", file=sys.stderr)
        return 2
    except Conflict:
        print("abri: A day is announced already, and stays as it was told: `abri close` says which.", file=sys.stderr)
        return 2
    finally:
        context.close()
    if told is None:
        print("Nothing is announced: the service stays open.")
        return 0
    print(f"Closes on {told.closes}, announced on {told.announced}; everything can be taken back until {told.until}.")
    if options.poster:
        options.poster.write_bytes(printed.closing_poster(told.closes, told.until))
        print(f"Written: {options.poster}. Hang it in every structure, today.")
    return 0


def certificate_verify(options: argparse.Namespace) -> int:
    """Say whether a certificate of an erasure is what the service signed: offline, with its public key alone."""
    from vault.certificates import verify
    from vault.settings import public_keys_place

    status, line = verify(options.file, options.keys or public_keys_place(os.environ))
    print(line)
    return status


def _cards_at_once(text: str) -> int:
    from vault.cards import CARDS_AT_ONCE

    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= CARDS_AT_ONCE:
        raise argparse.ArgumentTypeError(f"from 1 to {CARDS_AT_ONCE} cards at once")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    main_parser = argparse.ArgumentParser(
        prog="abri", description="A digital safe for the papers of people living in the street."
    )
    commands = main_parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, help_: str, of: Any = commands) -> argparse.ArgumentParser:
        one: argparse.ArgumentParser = of.add_parser(name, help=help_, description=help_)
        one.set_defaults(run=run)
        return one

    one = command("serve", serve, "serve the pages (and, in the embedded default, the background work)")
    one.add_argument("--without-tasks", action="store_true", help="do not start the background work beside")
    command("tasks", tasks, "run the background work in a process of its own")
    one = command("demo", demo, "start everything with a demonstration structure and false papers")
    one.add_argument("--folder", type=Path, default=Path("demo"), help="where it is kept (default: demo)")
    one.add_argument("--port", type=int, help="the port of the pages, on 127.0.0.1 (default: ABRI_PORT, or 8000)")
    one.add_argument("--reset", action="store_true", help="make everything anew first")
    one.add_argument("--only-reset", action="store_true", help="make it, but do not serve")
    one.add_argument("--codes", action="store_true", help="print the six digits of each worker now, and nothing else")
    command("migrate", migrate, "bring the databases to the present schema")
    one = command("check", check, "say whether stores, schema, settings and confinement are as they should be")
    one.add_argument("--alive", action="store_true", help="only whether the service answers")
    one = command("search", search, "look for words in every store; says in how many places they stand (after an erasure: 0)")
    one.add_argument("word", nargs="+", help="a word, a title, an id; one of the stores holding it is enough to be found")
    one.add_argument("--identity", type=Path, action="append", default=[], help="the recovery key: reads the backups too")
    one = command("told", told, "write into each person's history what maintenance did to stored data")
    one.add_argument("what", choices=("migrated", "restored", "rotated", "repaired", "scrubbed"), help="what was done")
    one.add_argument("--words", default="", help="what exactly, without any name")
    cards = commands.add_parser("cards", help="blank cards").add_subparsers(required=True, metavar="ACTION")
    one = command("print", cards_print, "write blank cards as a PDF of A4 sheets", cards)
    one.add_argument("count", type=_cards_at_once, help="how many, 1 to 500")
    one.add_argument("file", help="the PDF to write")
    trace_commands.add(commands, command)
    inquiry_commands.add(commands, command)
    backup_commands.add(command)
    key_commands.add(commands, command)
    receipts = commands.add_parser("receipt", help="receipts of consent").add_subparsers(required=True, metavar="ACTION")
    one = command(
        "verify", receipt_verify, "say whether receipts are what was signed; 0 yes, 1 no, 2 could not be read", receipts
    )
    one.add_argument("file", type=Path, help="the file that the person carried away")
    one.add_argument("--keys", type=Path, help="the public keys: /cles.json of its pages (default: public-keys.json)")
    one.add_argument("--sheet", default="", metavar="IMPRINT", help="the imprint on a printed receipt: is it of this file?")
    one = command(
        "close", close, "announce the day on which the service closes, three months ahead at least, and print the notices"
    )
    one.add_argument(
        "--on", type=dt.date.fromisoformat, metavar="YEAR-MONTH-DAY", help="the day; without it, say what was announced"
    )
    one.add_argument("--poster", type=Path, help="the PDF for the walls, in each language")
    certificates = commands.add_parser("certificate", help="certificates of erasure").add_subparsers(
        required=True, metavar="ACTION"
    )
    one = command(
        "verify",
        certificate_verify,
        "say whether a certificate is what was signed; 0 yes, 1 no, 2 could not be read",
        certificates,
    )
    one.add_argument("file", type=Path, help="the file that a kiosk gave for the number")
    one.add_argument("--keys", type=Path, help="the public keys: /cles.json of its pages (default: public-keys.json)")
    return main_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors are one sentence on standard error and status 2."""
    options = parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except UnsafeSettings as error:
        print(f"abri: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a file or a folder that was named: not there, there already, a folder, not ours, a full disk
        place = f"{error.filename}: " if error.filename is not None else ""
        print(f"abri: {place}{error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except (AbriError, StorageError) as error:
        print(f"abri: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
