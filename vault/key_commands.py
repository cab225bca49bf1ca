"""`abri keys`: the service's own keys, the root keys of administrators, the keys of people's accounts."""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vault import backup_commands
from vault.errors import BadInput, Conflict, NotAllowed, WrongSecret
from vault.reading_settings import read_settings
from vault.settings import UnsafeSettings, public_keys_place, today_in_paris

if TYPE_CHECKING:
    from vault.administrators import NewAdministrator
    from vault.appointing import Signs
    from vault.context import Context


def make(_: argparse.Namespace) -> int:
    """The service's own keys, once; then the file is to be kept apart from every backup of rows."""
    from vault.installation import make_service_keys

    print(f"Written: {make_service_keys(os.environ)}. Keep one copy apart, in a sealed envelope.")
    return 0


def roots(options: argparse.Namespace) -> int:
    """The first operator and its two administrators, their root keys, and the incident key in two halves."""
    from vault.installation import install

    for line in install(os.environ, operator=options.operator, contact=options.contact, names=options.administrator):
        print(line)
    return 0


def rotate(_: argparse.Namespace) -> int:
    """A new pair of the service's keys; the one of before goes on verifying and opening."""
    from vault import service_keys
    from vault.context import utc_now

    read_settings(os.environ)
    print(f"Written: {service_keys.rotate(os.environ, today_in_paris(utc_now()))}. Put a new copy into the sealed envelope.")
    print("Now start every process of the service again, on every machine with this same file; then run `abri keys finish`.")
    return 0


def finish(_: argparse.Namespace) -> int:
    """After a rotation: seal anew what the key of before sealed, and write it into each person's history."""
    from vault import service_keys
    from vault.confinement import Confinement
    from vault.context import open_context

    context = open_context(read_settings(os.environ), confinement=Confinement())
    try:
        done = service_keys.finish(context, os.environ)
    finally:
        context.close()
    print(f"{done.sealed} sealed anew; {done.told} persons will read it.")
    for code in done.damaged:
        print(f"No key opens the digits of {code}: they sign in by another way and draw others (Mes clés).", file=sys.stderr)
    return 0


def retire(_: argparse.Namespace) -> int:
    """Destroy the signing seeds of before, once every witness knows the present keys of the trace (`abri trace keys`)."""
    from vault import service_keys

    print(f"{service_keys.retire(os.environ)} signing keys of before are gone. Start every process again.")
    return 0


def public(options: argparse.Namespace) -> int:
    """The public keys, to be given to whoever wants to verify receipts elsewhere."""
    from vault.checkpoints import anchors

    Path(options.file).write_text(json.dumps(anchors(read_settings(os.environ))) + "\n")
    print(f"Written: {options.file}. It is public.")
    return 0


def renew(options: argparse.Namespace) -> int:
    """Ask that the keys of every account turn, each at its owner's next unlock; or say how many have not come yet."""
    from vault import rekeying
    from vault.confinement import Confinement
    from vault.context import open_context

    context = open_context(read_settings(os.environ), confinement=Confinement())
    try:
        asked = 0 if options.waiting else rekeying.ask_everyone(context)
        waiting = rekeying.waiting(context)
    finally:
        context.close()
    print(
        f"{asked} persons asked now. {waiting} have not come since." if not options.waiting else f"{waiting} have not come yet."
    )
    return 0


def administrator_add(options: argparse.Namespace) -> int:
    """One administrator more: two who are there sign, each with their code, six words, and six digits or the words of their sheet."""
    from vault import appointing
    from vault.installation import handed_over

    with _office() as context:

        def show(made: "NewAdministrator") -> None:
            for line in handed_over(options.first_name, made, context.clock()):
                print(line, flush=True)

        today = today_in_paris(context.clock())
        appointing.add(context, public_keys_place(os.environ), _two(), options.first_name, today, show)
    print("Start every process of the service again: from then on this key signs.")
    return 0


def administrator_remove(options: argparse.Namespace) -> int:
    """An administrator leaves: two others sign. What was signed goes on holding; two always stay."""
    from vault import appointing

    with _office() as context:
        try:
            appointing.remove(context, public_keys_place(os.environ), _two(), options.code, today_in_paris(context.clock()))
        except Conflict:
            print("abri: two others sign, and two always stay: add somebody first.", file=sys.stderr)
            return 2
    print("They enter no more. Start every process of the service again: from then on their key signs nothing.")
    return 0


def administrator_list(_: argparse.Namespace) -> int:
    """Every administrator's account, and whether its key signs."""
    from vault import appointing

    words = {"signs": "signs certificates", "left": "left; what they signed holds", "none": "nobody signed for this account"}
    with _office() as context:
        for one in appointing.listed(context, public_keys_place(os.environ)):
            print(f"{one.code}  {one.first_name}: {words[one.key]}")
    return 0


@contextmanager
def _office() -> Iterator["Context"]:
    from vault.confinement import Confinement
    from vault.context import open_context

    context = open_context(read_settings(os.environ), confinement=Confinement())
    try:
        yield context
    except NotAllowed:
        raise UnsafeSettings(
            "These two cannot sign: two administrators of one association are needed, whose keys are root keys today."
        ) from None
    except WrongSecret:
        raise UnsafeSettings("A code, words or digits were wrong: nothing was changed.") from None
    except BadInput as error:
        raise UnsafeSettings(f"Two different administrators sign, each with six words ({error}): nothing was changed.") from None
    finally:
        context.close()


def _two() -> "list[Signs]":
    from vault.appointing import Signs

    found = []
    for which in ("first", "second"):
        print(f"The {which} administrator who signs:", file=sys.stderr)
        found.append(Signs(*(_asked(what) for what in ("sign-in code", "six words", "six digits, or the words of the sheet"))))
    return found


def _asked(what: str) -> str:
    """What somebody types; never shown, and read from the standard input when nobody sits there."""
    return getpass.getpass(f"  {what}: ") if sys.stdin.isatty() else sys.stdin.readline().strip()


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", command: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands and their options."""
    keys = commands.add_parser("keys", help="the keys of an installation").add_subparsers(required=True, metavar="ACTION")
    command("make", make, "make the service's own keys, once", keys)
    one = command("roots", roots, "name the first operator and its two administrators", keys)
    one.add_argument("--operator", required=True, help="the association's name")
    one.add_argument("--contact", required=True, help="who answers people: a name, an address, a telephone")
    one.add_argument("--administrator", action="append", required=True, metavar="FIRST_NAME", help="give it twice")
    backup_commands.add_key(keys, command)
    command("rotate", rotate, "draw a new pair of the service's keys, signed by the one of before", keys)
    command("finish", finish, "after a rotation and a restart: seal anew what the key of before sealed", keys)
    command("retire", retire, "destroy the signing keys of before, once witnesses know the present ones", keys)
    one = command("accounts", renew, "the keys of every person's account turn, each at their next unlock", keys)
    one.add_argument("--waiting", action="store_true", help="ask nothing: say how many have not come yet")
    people = keys.add_parser("administrator", help="administrators who come later, or leave").add_subparsers(
        required=True, metavar="ACTION"
    )
    one = command("add", administrator_add, "one administrator more, signed by two who are there", people)
    one.add_argument("first_name", help="what they are called")
    one = command("remove", administrator_remove, "an administrator leaves, signed by two who stay", people)
    one.add_argument("code", help="their sign-in code")
    command("list", administrator_list, "every administrator's account, and whether its key signs", people)
    one = command("public", public, "write the public keys, for whoever verifies receipts elsewhere", keys)
    one.add_argument("file", help="the file to write")
