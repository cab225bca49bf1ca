"""How the demonstration is started: from which settings, in which folder, and what the terminal says of how to enter.

It is made once and found again. A making that was stopped half-way is begun anew; whatever is real is never taken for it.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from vault import listening, one_time
from vault.context import utc_now
from vault.demonstration import ACCESS, build
from vault.pictograms import PICTURES
from vault.reading_settings import listens_at, read_settings, refuse_reachable
from vault.settings import DEMO_MARK, Settings, UnsafeSettings

# What may be chosen for a demonstration. Whatever names a store, a folder, keys or a mode leads to something real.
CHOSEN = {"ABRI_API", "ABRI_HOST", "ABRI_PORT", "ABRI_ORIGINS", "ABRI_CERTIFICATE", "ABRI_PRIVATE_KEY", "ABRI_INSECURE_FAST_KDF"}
READ_BY_TESTS = "ABRI_NO_SKIPS"


def environment_of(folder: Path, port: int | None, outside: Mapping[str, str]) -> dict[str, str]:
    """The settings of a demonstration: its own folder, its own keys, loopback alone. UnsafeSettings for any other wish."""
    own = {
        "ABRI_MODE": "demo",
        "ABRI_FOLDER": str((folder / "data").absolute()),
        "ABRI_CONTACT": "démonstration, personne ne répond",
        "ABRI_TRACE_NAME": "localhost:8000/trace",  # the same for ever, whatever the port of the day: its first head is signed under it
    }
    given = {name: value for name, value in outside.items() if name.startswith("ABRI_") and name != READ_BY_TESTS}
    foreign = sorted(name for name, value in given.items() if name not in CHOSEN and own.get(name) != value)
    if foreign:
        raise UnsafeSettings(
            f"The demonstration writes false people into stores of its own, with keys of its own: unset {', '.join(foreign)}."
        )
    found = {**{name: value for name, value in given.items() if name in CHOSEN}, **own}
    if port is not None:
        found["ABRI_PORT"] = str(port)
    host, listened = listens_at({name.removeprefix("ABRI_"): value for name, value in found.items()})
    refuse_reachable(host)
    return {**found, "ABRI_HOST": host, "ABRI_PORT": str(listened)}


def launch(folder: Path, *, port: int | None, reset: bool, serve: bool, run: Callable[[Settings], None]) -> int:
    """Make the demonstration if it is not there (or anew), print how to enter, and serve it until told to stop."""
    environment = environment_of(folder, port, os.environ)
    if serve:
        listening.refuse_taken(environment["ABRI_HOST"], int(environment["ABRI_PORT"]))
    with _alone_in(folder):
        if reset or not (folder / ACCESS).exists():
            _empty(folder)
            build(folder, environment)
        settings = read_settings(environment, mode="demo")
        show(folder, _access(folder), settings)
        if serve:
            _served(settings, environment, run)
    return 0


def _served(settings: Settings, environment: Mapping[str, str], run: Callable[[Settings], None]) -> None:
    os.environ.update(environment)
    child = subprocess.Popen([sys.executable, "-m", "vault", "tasks"])
    try:
        run(settings)
    finally:
        child.terminate()
        child.wait(timeout=15)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """The folder, once it is known to be a demonstration's or nobody's, while nothing else makes or serves one there."""
    made = (folder / "data" / DEMO_MARK).exists()
    if not made and any(one.is_symlink() or not one.is_dir() for one in folder.rglob("*")):
        raise UnsafeSettings(f"{folder} is not empty and is not a demonstration: nothing was touched.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UnsafeSettings(f"The demonstration in {folder} is running: stop it first.") from None
        yield
    finally:
        os.close(handle)


def _empty(folder: Path) -> None:
    """The folder stays, with the lock on it; the mark goes last, so that what was stopped here is still known as false."""
    for one in sorted(folder.iterdir(), key=lambda one: one.name == "data"):
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one)
        else:
            one.unlink()


def _access(folder: Path) -> dict[str, dict[str, dict[str, str]]]:
    try:
        found: dict[str, dict[str, dict[str, str]]] = json.loads((folder / ACCESS).read_text())
    except FileNotFoundError:
        raise UnsafeSettings(f"There is no demonstration in {folder}: `make run` makes it.") from None
    return found


def show(folder: Path, access: dict[str, dict[str, dict[str, str]]], settings: Settings) -> None:
    """The table *who / how to enter*, on the terminal."""
    from rich.console import Console
    from rich.table import Table

    console, origin = Console(), settings.origins[0]
    table = Table("qui", "comment entrer", title="Démonstration d'Abri : tout est faux", title_justify="left")
    for key, one in access["people"].items():
        how = f"code {one['code']}" if one["code"] else "images " + " ".join(PICTURES[int(n)] for n in one["pictures"])
        table.add_row(one["name"], f"carte {folder}/cartes/{key}.jpg, {how}")
    for one in access["staff"].values():
        door = "association" if one["role"] == "administrator" else "bureau"
        now = one_time.password(bytes.fromhex(one["totp"]), utc_now())
        table.add_row(one["name"], f"{origin}/fr/{door} : {one['code']}, {one['words']}, chiffres {now} (abri demo --codes)")
    console.print(f"Borne : {origin}{access['kiosk']}", soft_wrap=True)
    console.print(table)


def codes(folder: Path) -> int:
    """The six digits of each worker and administrator at this moment: what their telephone would show."""
    for one in _access(folder)["staff"].values():
        print(f"{one['code']:>12}  {one_time.password(bytes.fromhex(one['totp']), utc_now())}  {one['name']}")
    return 0
